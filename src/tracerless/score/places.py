"""The places of a map norm: the voxels of the brain, then the points of its surface."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.norm import MIN_FOR_NORMAL, Array, Measured, Regression
from tracerless.core.norm_maps import INDICES, MapNorm, Surface
from tracerless.core.volume import Volume
from tracerless.score import indices, pooling
from tracerless.score.fit import FAMILY_CHANCE
from tracerless.score.maps import Stack, regression, seen_everywhere, z_map
from tracerless.score.predict import predict
from tracerless.score.surface import peaks


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where a map norm is told.

    Args:
        grid: of the template.
        inside: (I, J, K) the brain.
        meta: (I, J, K) the AD meta-region.
        surface: points of the template brain.
    """

    grid: Grid
    inside: NDArray[np.bool_]
    meta: NDArray[np.bool_]
    surface: Surface

    def __post_init__(self) -> None:
        """Check once."""
        for mask in (self.inside, self.meta):
            if mask.shape != self.grid.shape:
                raise GeometryError(f"A mask of {mask.shape} on a grid of {self.grid.shape}.")

    def read(self, volume: Volume) -> Array:
        """(m,) voxels of the brain, then peaks below the surface's points.

        Raises:
            GeometryError: the volume lies on another grid.
        """
        if volume.grid != self.grid:
            raise GeometryError(f"{volume!r} is not on the grid of the norm's maps.")
        return np.concatenate([volume.array[self.inside], peaks(volume, self.surface)])


def map_norms(
    key: str,
    stack: Stack,
    people: pd.DataFrame,
    *,
    measured: Measured,
    covariates: Sequence[str],
    places: Places,
    digests: Sequence[str] = (),
) -> tuple[MapNorm, MapNorm]:
    """Norms of voxels and of the surface.

    Args:
        key: name of the norm.
        stack: of what `Places.read` gives.
        people: one row a scan; the covariates.
        measured: what the maps are.
        covariates: as for `fit.norm`.
        places: where.
        digests: ``person_digest`` of each person.

    Raises:
        DatasetError: too few people, or scans that cover too little of the brain.
    """
    kept = seen_everywhere(stack)
    n_inside = int(places.inside.sum())
    of_voxels = np.arange(len(kept)) < n_inside
    halves = []
    for kind, part in (("voxels", of_voxels), ("surface", ~of_voxels)):
        own = kept[part]
        mean = _mean(places, kind, own)
        how, fitted = regression(stack.at(kept & part), people, covariates, mean)
        where = np.flatnonzero(places.inside)[own] if kind == "voxels" else np.flatnonzero(own)
        halves.append(
            MapNorm(
                key=key,
                measured=measured,
                kind=kind,
                grid=places.grid,
                places=where,
                design=how,
                regression=_rounded(fitted),
                n=stack.n,
                n_local=0,
                pooled_mm=pooling.POOLED_MM if stack.n < MIN_FOR_NORMAL else 0.0,
                fwhm_mm=0.0,
                family_cut=float("nan"),
                own=np.zeros((0, 3)),
                people=tuple(sorted(digests)),
            )
        )
    return _told(halves[0], stack.at(kept & of_voxels), people, places), halves[1]


def _mean(places: Places, kind: str, kept: NDArray[np.bool_]) -> pooling.Mean:
    if kind == "surface":
        return pooling.surface_mean(places.surface, kept)
    inside = places.inside.copy()
    inside[places.inside] = kept
    return pooling.voxel_mean(inside, places.grid.spacing_mm)


def _rounded(fitted: Regression) -> Regression:
    """Numbers as a file of single precision keeps them, so that a norm read back is the same."""
    names = ("coefficients", "sd", "sd_slope", "dof", "shift", "extra", "ratio")
    single = {name: getattr(fitted, name).astype(np.float32) for name in names}
    return replace(fitted, **single)


def _told(norm: MapNorm, stack: Stack, people: pd.DataFrame, places: Places) -> MapNorm:
    """The norm of voxels with its smoothness, its family-wise cut, and its own people's indices."""
    meta = places.meta.ravel()[norm.places]
    rough, own = np.zeros(3), np.empty((stack.n, len(INDICES)))
    at = np.full(places.grid.shape, np.nan)
    for row, values in stack:
        person = people.iloc[[row]]
        plain = predict(norm.design, norm.regression, values[None], person)
        at.ravel()[norm.places] = plain.distance[0]
        for axis in range(3):
            rough[axis] += np.nanmean(np.diff(at, axis=axis) ** 2)
        own[row] = indices.of_map(z_map(norm, values, person, member=True), meta)
    dof = stack.n - norm.regression.coefficients.shape[0]
    width = pooling.fwhm_mm(rough / dof, places.grid.spacing_mm)
    cut = pooling.field_cut(len(norm.places), places.grid, width, FAMILY_CHANCE)
    return replace(norm, fwhm_mm=width, family_cut=cut, own=own)
