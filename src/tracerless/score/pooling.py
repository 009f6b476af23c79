"""Spreads that neighbors share, and the cut that one voxel of a normal brain rarely passes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, special
from scipy.spatial import cKDTree

from tracerless.core.grid import Grid
from tracerless.core.norm import Array
from tracerless.core.norm_maps import Surface
from tracerless.score.transfer import inverse_trigamma

POOLED_MM = 12.0
"""Spreads are pooled within a Gaussian of this width, mm FWHM."""
_NEIGHBORS = 32
_MOST = 3.0
"""Neighbors hang together: pooling multiplies the degrees of freedom by this at most."""
_FWHM = 2.354820045
_LOG2_4 = 4 * np.log(2)

Mean = Callable[[Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Pooled spreads: ``sd`` (m,) and their degrees of freedom."""

    sd: Array
    dof: float


def pooled(variance: Array, dof: int, mean: Mean) -> Spread:
    """Each place's variance drawn to that of its neighbors, as far as it cannot be told from it.

    Args:
        variance: (m,) with ``dof`` degrees of freedom each.
        dof: of the regression.
        mean: of the neighbors of every place, itself included.

    Source:
        Smyth 2004, Stat Appl Genet Mol Biol 3:3, section 6.2. Deviates: the prior variance is the
        local mean, and the degrees of freedom are held to 3 times those of one place.
    """
    around = mean(variance)
    e = np.log(np.maximum(variance, 1e-300)) - np.log(np.maximum(around, 1e-300))
    excess = float(e.var()) - float(special.polygamma(1, dof / 2))
    prior = 2 * inverse_trigamma(excess) if excess > 0 else np.inf
    prior = min(prior, (_MOST - 1) * dof)
    together = (prior * around + dof * variance) / (prior + dof)
    return Spread(np.sqrt(together), prior + dof)


def voxel_mean(inside: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> Mean:
    """Gaussian mean over the voxels of a mask, `POOLED_MM` wide."""
    sigma = [POOLED_MM / _FWHM / mm for mm in spacing_mm]
    weight = ndimage.gaussian_filter(inside.astype(np.float64), sigma, mode="constant")[inside]

    def mean(values: Array) -> Array:
        filled = np.zeros(inside.shape)
        filled[inside] = values
        blurred: Array = ndimage.gaussian_filter(filled, sigma, mode="constant")[inside]
        averaged: Array = blurred / weight
        return averaged

    return mean


def surface_mean(surface: Surface, kept: NDArray[np.bool_]) -> Mean:
    """Gaussian mean over the nearest kept points of the same part, `POOLED_MM` wide."""
    places = np.flatnonzero(kept)
    near = np.empty((len(places), _NEIGHBORS), dtype=np.int64)
    weight = np.empty(near.shape)
    for part in np.unique(surface.part[places]):
        own = np.flatnonzero(surface.part[places] == part)
        points = surface.points[places[own]]
        n = min(_NEIGHBORS, len(own))
        apart, which = cKDTree(points).query(points, k=n)
        near[own], weight[own] = own[0], 0.0
        near[own, :n] = own[which.reshape(len(own), n)]
        weight[own, :n] = np.exp(-_LOG2_4 * (apart.reshape(len(own), n) / POOLED_MM) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)

    def mean(values: Array) -> Array:
        averaged: Array = (values[near] * weight).sum(axis=1)
        return averaged

    return mean


def fwhm_mm(roughness: Array, spacing_mm: tuple[float, float, float]) -> float:
    """Width of the residuals' smoothness, mm, from the variance of differences of neighbors.

    Args:
        roughness: (3,) variance of the difference of neighbors along each axis, of unit maps.
        spacing_mm: of the voxels.

    Source:
        Kiebel et al. 1999, NeuroImage 10:756. Deviates: inverted exactly for a Gaussian
        autocorrelation instead of by the limit of small voxels.
    """
    correlation = np.clip(1 - roughness / 2, 1e-6, 1 - 1e-9)
    sigma = np.array(spacing_mm) / np.sqrt(-4 * np.log(correlation))
    return float(np.exp(np.mean(np.log(_FWHM * sigma))))


def field_cut(n_voxels: int, grid: Grid, width_mm: float, chance: float) -> float:
    """The z that the lowest voxel of a normal map falls below with that chance (negative).

    Of a Gaussian field over a ball of the same volume, and no lower than Bonferroni's.

    Source:
        Worsley et al. 1996, Hum Brain Mapp 4:58, table II and eq. 2 (unified Gaussian form).
    """
    resels = n_voxels * grid.voxel_ml * 1000 / width_mm**3
    radius = (3 * resels / (4 * np.pi)) ** (1 / 3)
    sizes = (1.0, 4 * radius, 2 * np.pi * radius**2, resels)

    def excess(u: float) -> float:
        tail = np.exp(-(u**2) / 2)
        densities = (
            special.ndtr(-u),
            np.sqrt(_LOG2_4) / (2 * np.pi) * tail,
            _LOG2_4 / (2 * np.pi) ** 1.5 * u * tail,
            _LOG2_4**1.5 / (2 * np.pi) ** 2 * (u**2 - 1) * tail,
        )
        return float(sum(r * e for r, e in zip(sizes, densities, strict=True))) - chance

    by_field = optimize.brentq(excess, 1.5, 12.0)
    by_count = -special.ndtri(chance / n_voxels)
    return -float(min(by_field, by_count))
