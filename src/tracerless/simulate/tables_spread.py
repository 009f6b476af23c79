"""How regional means of smooth random fields vary together, reckoned without drawing any field.

White noise blurred by a Gaussian of deviation s correlates over a distance d as
exp(-d^2 / 4 s^2), so the covariance of two weighted means is a sum over points, one blur for each
mean. What comes out is kept as loadings: covariance = loadings @ loadings.T.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.simulate.emission import GREY_PERCENTILE
from tracerless.simulate.fields import FWHM_PER_SIGMA
from tracerless.simulate.sections import CovarianceModel
from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_physics import Physics, activity, blocks, set_weights

KINDS = ("FDG", "SPECT")
BLOCK = 3
"""Voxels of the atlas' grid in one block along each axis; an odd number keeps mirror symmetry."""

_KEPT = 0.997
"""Share of the variance that loadings keep."""


class Grain(NamedTuple):
    """Noise of one set after resampling: FWHM in template mm, and what is left of its SD."""

    fwhm_mm: float
    left: float


def loadings(
    made: Physics, *, plain_mm: Mapping[str, float], residual_mm: float, grain: Mapping[str, Grain]
) -> pd.DataFrame:
    """Loadings of every field, one row a field, set of kernels and measure; columns ``m01`` ….

    Fields: ``person`` (unit variance everywhere, two scales, mostly symmetric), those of
    ``plain_mm``, ``residual`` (relative change by a displacement of 1 mm root mean square) and
    ``grain`` (relative change by noise of coefficient of variation 1).

    Args:
        made: what is seen.
        plain_mm: FWHM of plain smooth noise of unit variance by field.
        residual_mm: FWHM of the displacement that registration leaves.
        grain: noise of the images of each set.
    """
    names, weights = _joint(made)
    spacing = BLOCK * made.seen["FDG"].grid.spacing_mm[0]
    fields = {"person": _person(weights, made.parameters.covariance, made.seen["FDG"].grid)}
    for name, fwhm_mm in plain_mm.items():
        fields[name] = _covariance(weights, fwhm_mm, spacing)
    frames = [_frame(name, names, cov) for name, cov in fields.items()]
    for kind in KINDS:
        own = tuple((kind, name) for name in made.seen[kind].names)
        frames.append(_frame("residual", own, _residual(made, kind, residual_mm)))
        frames.append(_frame("grain", own, _grain(made, kind, grain[kind])))
    return pd.concat(frames, ignore_index=True)


def _joint(made: Physics) -> tuple[tuple[tuple[str, str], ...], Array]:
    """(kernel, measure) of both sets, and their grey weights over blocks."""
    names: list[tuple[str, str]] = []
    parts = []
    for kind in KINDS:
        found, weights = set_weights(made, kind)
        names += [(kind, name) for name in found]
        parts.append(blocks(weights, BLOCK))
    return tuple(names), np.concatenate(parts)


def _spread(weights: Array, fwhm_mm: float, spacing_mm: float) -> Array:
    """Every weight summed with the correlation of such noise: (M, I, J, K)."""
    sigma = fwhm_mm / FWHM_PER_SIGMA
    for axis in (1, 2, 3):
        place = spacing_mm * np.arange(weights.shape[axis])
        matrix = np.exp(-((place[:, None] - place[None, :]) ** 2) / (4 * sigma**2))
        weights = np.moveaxis(np.tensordot(weights, matrix, axes=(axis, 0)), -1, axis)
    return weights


def _covariance(weights: Array, fwhm_mm: float, spacing_mm: float) -> Array:
    flat = weights.reshape(len(weights), -1)
    covariance: Array = flat @ _spread(weights, fwhm_mm, spacing_mm).reshape(len(weights), -1).T
    return covariance


def _person(weights: Array, model: CovarianceModel, grid: Grid) -> Array:
    """Covariance of the field in which healthy people differ, as `function` draws it."""
    spacing = BLOCK * grid.spacing_mm[0]
    x = spacing * (np.arange(weights.shape[1]) - (weights.shape[1] - 1) / 2)
    scales = ((model.local_weight, model.local_fwhm_mm), (model.wide_weight, model.wide_fwhm_mm))
    own = [w**2 * (1 + np.exp(-((x * FWHM_PER_SIGMA / mm) ** 2))) for w, mm in scales]
    variance = model.symmetric_weight**2 * np.sum(own, axis=0) + model.private_weight**2
    scaled = weights / np.sqrt(variance)[None, :, None, None]
    mirrored = scaled[:, ::-1]
    total = model.private_weight**2 * _covariance(scaled, model.local_fwhm_mm, spacing)
    for weight, fwhm_mm in scales:
        wide = _spread(scaled + mirrored, fwhm_mm, spacing).reshape(len(scaled), -1)
        both = scaled.reshape(len(scaled), -1) @ wide.T
        total = total + model.symmetric_weight**2 * weight**2 * both
    return np.asarray(total)


def _residual(made: Physics, kind: str, fwhm_mm: float) -> Array:
    """Covariance of relative changes by a random displacement of 1 mm root mean square."""
    found = made.seen[kind]
    seen = activity(made, kind)
    spacing = found.grid.spacing_mm[0]
    means = _means(found.sharp, seen)
    total = np.zeros((len(means), len(means)))
    for axis in range(3):
        slope = np.gradient(seen, spacing, axis=axis)
        weights = blocks(found.sharp * slope, BLOCK) / means[:, None, None, None]
        total += _covariance(weights, fwhm_mm, BLOCK * spacing) / 3
    return total


def _grain(made: Physics, kind: str, grain: Grain) -> Array:
    """Covariance of relative changes by image noise whose SD grows with the root of activity."""
    found = made.seen[kind]
    seen = np.maximum(activity(made, kind), 0)
    brain = found.sharp.sum(axis=0) > 0
    grey = float(np.percentile(seen[brain], GREY_PERCENTILE))
    sd = grain.left * np.sqrt(seen * grey)
    weights = (found.sharp * sd) / _means(found.sharp, seen)[:, None, None, None]
    sigma_vox = grain.fwhm_mm / FWHM_PER_SIGMA * np.sqrt(2) / found.grid.spacing_mm[0]
    height = (2 * np.pi) ** 1.5 * sigma_vox**3
    spread = np.stack([ndimage.gaussian_filter(one, sigma_vox, mode="constant") for one in weights])
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    return np.asarray(flat @ (spread.reshape(len(weights), -1).astype(np.float64) * height).T)


def _means(sharp: NDArray[np.float32], seen: NDArray[np.float32]) -> Array:
    return np.asarray((sharp * seen).sum(axis=(1, 2, 3), dtype=np.float64))


def _frame(field: str, names: tuple[tuple[str, str], ...], covariance: Array) -> pd.DataFrame:
    """The strongest modes that keep ``_KEPT`` of the variance; signs such that they are defined."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    order = np.argsort(values)[::-1]
    values, vectors = np.maximum(values[order], 0), vectors[:, order]
    n_modes = int(np.searchsorted(np.cumsum(values) / values.sum(), _KEPT)) + 1
    modes = vectors[:, :n_modes] * np.sqrt(values[:n_modes])
    largest = np.abs(modes).argmax(axis=0)
    modes = modes * np.sign(modes[largest, np.arange(n_modes)])
    head = pd.DataFrame(names, columns=["kernel", "measure"])
    columns = {f"m{mode + 1:02d}": modes[:, mode] for mode in range(n_modes)}
    return pd.concat([head.assign(field=field), pd.DataFrame(columns)], axis=1)
