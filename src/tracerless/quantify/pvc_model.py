"""Levels of uptake behind a blurred volume: what spills where, and its inversion.

Source: Rousset, Ma and Evans 1998, J Nucl Med 39:904 (geometric transfer matrix); Mueller-Gaertner
et al. 1992, J Cereb Blood Flow Metab 12:571. Deviates: the compartments are fractions of tissue,
not 0/1 masks; what is outside the brain is a compartment of its own; in the second, white matter,
fluid and the outside take their levels from the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import QuantityError
from tracerless.core.grid import Grid
from tracerless.quantify.pvc_atoms import Atoms, Map

RIM_MM = 10.0
"""The outside of the brain has one level, measured up to this far from it, mm."""

MAX_CONDITION = 1000.0
"""A transfer matrix that magnifies noise more than this is not inverted."""

_FWHM_PER_SIGMA = 2.354820045
_REACH_SIGMAS = 4.0
_LEAST_SHARE = 0.25
_LEAST_VOXELS = 5.0

Box = tuple[slice, ...]
_EVERYWHERE: Box = (slice(None), slice(None), slice(None))
_NOWHERE: Box = (slice(0, 0), slice(0, 0), slice(0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What was found: ``atoms`` (n,) and ``tissues`` by name, in the volume's unit.

    NaN where less than a quarter of an atom was seen; ``condition`` of the transfer matrix.
    """

    atoms: NDArray[np.float64]
    tissues: Mapping[str, float]
    condition: float


def blurred(array: Map, grid: Grid, fwhm_mm: float) -> Map:
    """(I, J, K) spread by a scanner's resolution.

    A voxel's share is already a mean over the voxel, so that the width of a voxel's box is taken
    off the variance of the Gaussian.
    """
    spacing = np.array(grid.spacing_mm)
    variance = np.maximum((fwhm_mm / _FWHM_PER_SIGMA / spacing) ** 2 - 1 / 12, 0.0)
    spread: Map = ndimage.gaussian_filter(
        array, np.sqrt(variance), mode="nearest", truncate=_REACH_SIGMAS, output=np.float32
    )
    return spread


def levels(activity: Map, atoms: Atoms, fwhm_mm: float) -> Levels:
    """The level of every atom and tissue that together give the activity once blurred.

    Args:
        activity: (I, J, K) on the atoms' lattice, any linear unit; NaN where nothing was seen.
        atoms: what there is.
        fwhm_mm: resolution of the activity, mm.

    Raises:
        QuantityError: the pieces are too small for the resolution to be told apart.
    """
    seen = np.isfinite(activity).astype(np.float32)
    shares = _shares(atoms)
    weights = _sums(atoms, shares, seen)
    observed = _sums(atoms, shares, np.nan_to_num(activity) * seen)
    columns = [
        _sums(atoms, shares, spread * seen[box], box) for box, spread in _spreads(atoms, fwhm_mm)
    ]
    groups, n_known = _groups(atoms, weights)
    matrix = (groups @ np.array(columns).T @ groups.T) / (groups @ weights)[:, None]
    condition = float(np.linalg.cond(matrix))
    if condition > MAX_CONDITION:
        raise QuantityError(
            f"At {fwhm_mm:g} mm the regions cannot be told apart: the transfer matrix has the "
            f"condition {condition:.0f}, more than {MAX_CONDITION:.0f}.",
            hint='Take larger regions (prepare.atlas = "fdg20"), or set quantify.pvc = "none".',
        )
    found = np.linalg.solve(matrix, groups @ observed / (groups @ weights))
    every = np.full(len(weights), np.nan)
    alone = groups[:n_known].argmax(axis=1)
    every[alone] = found[:n_known]
    tissues = dict(zip(atoms.tissues, every[atoms.n :].tolist(), strict=True))
    return Levels(every[: atoms.n], tissues, condition)


def voxelwise(activity: Map, atoms: Atoms, fwhm_mm: float, known: Levels) -> Map:
    """The activity of the atoms' tissue in every voxel that is mostly theirs; NaN elsewhere.

    Args:
        activity: as for ``levels``.
        atoms: what there is.
        fwhm_mm: resolution of the activity, mm.
        known: levels of the other tissues; one that was not seen counts as 0.
    """
    rest = activity.astype(np.float32)
    for name, share in atoms.tissues.items():
        level = np.float32(np.nan_to_num(known.tissues[name]))
        rest = rest - level * blurred(share, atoms.grid, fwhm_mm)
    spread = blurred(atoms.filled, atoms.grid, fwhm_mm)
    mostly = atoms.filled > 0.5
    corrected: Map = np.where(mostly, rest / np.where(mostly, spread, 1), np.nan)
    return corrected.astype(np.float32)


def _spreads(atoms: Atoms, fwhm_mm: float) -> Iterator[tuple[Box, Map]]:
    """Every atom, then every tissue, blurred, each within the box that it reaches."""
    margin_mm = _REACH_SIGMAS * fwhm_mm / _FWHM_PER_SIGMA
    margin = np.ceil(margin_mm / np.array(atoms.grid.spacing_mm)).astype(int)
    for atom, box in enumerate(ndimage.find_objects(atoms.of_voxel, atoms.n), start=1):
        wide = tuple(
            slice(max(edge.start - m, 0), edge.stop + m)
            for edge, m in zip(box or _NOWHERE, margin, strict=True)
        )
        share = np.where(atoms.of_voxel[wide] == atom, atoms.filled[wide], np.float32(0))
        yield wide, blurred(share, atoms.grid, fwhm_mm)
    for share in atoms.tissues.values():
        yield _EVERYWHERE, blurred(share, atoms.grid, fwhm_mm)


def _groups(atoms: Atoms, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """(groups, atoms and tissues) 0/1, and how many groups come first that are one piece alone.

    A piece of which too little was seen shares one level with all others of its kind: none of them
    is told, but what they spill is accounted for.
    """
    everywhere = _sums(atoms, _shares(atoms), np.ones(atoms.grid.shape, dtype=np.float32))
    is_known = weights > np.maximum(_LEAST_SHARE * everywhere, _LEAST_VOXELS)
    alone = np.eye(len(weights))[is_known]
    together = (~is_known & (np.arange(len(weights)) < atoms.n)).astype(float)
    if together @ weights < _LEAST_VOXELS:
        return alone, len(alone)
    return np.vstack((alone, together)), len(alone)


def _shares(atoms: Atoms) -> tuple[Map, ...]:
    """Shares of the tissues, the outside as far as ``RIM_MM`` from the brain."""
    outside = atoms.tissues["outside"]
    away = ndimage.distance_transform_edt(outside > 0.5, sampling=atoms.grid.spacing_mm)
    near = {**atoms.tissues, "outside": outside * (away <= RIM_MM)}
    return tuple(near.values())


def _sums(
    atoms: Atoms, shares: tuple[Map, ...], values: Map, box: Box = _EVERYWHERE
) -> NDArray[np.float64]:
    """(n + 3,) sum of values in a box over every atom, then every tissue, each by its share."""
    over = [float(np.sum(share[box] * values, dtype=np.float64)) for share in shares]
    return np.concatenate((atoms.amounts(values, box), over))
