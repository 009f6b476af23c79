"""Maps between spaces that know both of their ends, and resampling through them, once.

A map takes points in mm of its ``source`` space to mm of its ``target`` space (RAS+). To bring a
volume onto a grid, give the map from the *grid's* space to the *volume's* space (a pull-back).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.volume import Volume

Points = NDArray[np.float32]
"""(..., 3) RAS+ mm."""


class PointMap(Protocol):
    """Takes points of one named space to another."""

    @property
    def source(self) -> str:
        """Space of the points that go in."""
        ...

    @property
    def target(self) -> str:
        """Space of the points that come out."""
        ...

    def __call__(self, points: Points) -> Points:
        """(..., 3) mm in ``source`` -> (..., 3) mm in ``target``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A 4x4 map, ``source`` mm -> ``target`` mm.

    Raises:
        GeometryError: the matrix is not an invertible 4x4.
    """

    source: str
    target: str
    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        matrix = Grid((1, 1, 1), self.matrix).affine
        object.__setattr__(self, "matrix", matrix)

    def __call__(self, points: Points) -> Points:
        """Rotate, scale, shear, translate."""
        m = self.matrix.astype(np.float32)
        moved: Points = points @ m[:3, :3].T + m[:3, 3]
        return moved

    @property
    def inverse(self) -> "Affine":
        """The way back, exact."""
        return Affine(self.target, self.source, np.linalg.inv(self.matrix).astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Displacement:
    """A smooth map: a point moves by the vector found at its place.

    Args:
        source: space of the points and of ``grid``.
        target: space of the moved points.
        grid: lattice of the vectors, in ``source``.
        vectors: (I, J, K, 3) float32 RAS+ mm; beyond the grid the nearest vector holds.

    Raises:
        GeometryError: the vectors do not have the shape of the grid.
    """

    source: str
    target: str
    grid: Grid
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        vectors = np.array(self.vectors, dtype=np.float32)
        if vectors.shape != (*self.grid.shape, 3):
            raise GeometryError(f"Vectors {vectors.shape} on a grid of shape {self.grid.shape}.")
        vectors.setflags(write=False)
        object.__setattr__(self, "vectors", vectors)

    def __call__(self, points: Points) -> Points:
        """Add the vector found at each point, linearly interpolated."""
        index = _voxel_index(points, self.grid)
        moved = points.astype(np.float32, copy=True)
        for axis in range(3):
            moved[..., axis] += ndimage.map_coordinates(
                self.vectors[..., axis], index, order=1, mode="nearest"
            )
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Maps applied one after the other; their ends must meet.

    Raises:
        GeometryError: the chain is empty, or one map does not start where the one before ends.
    """

    maps: tuple[PointMap, ...]

    def __post_init__(self) -> None:
        """Refuse a chain whose ends do not meet."""
        if not self.maps:
            raise GeometryError("A chain of maps must hold at least one map.")
        for before, after in zip(self.maps, self.maps[1:], strict=False):
            if before.target != after.source:
                raise GeometryError(
                    f"A map into {before.target!r} cannot be followed by one from {after.source!r}."
                )

    @property
    def source(self) -> str:
        """Where the first map starts."""
        return self.maps[0].source

    @property
    def target(self) -> str:
        """Where the last map ends."""
        return self.maps[-1].target

    def __call__(self, points: Points) -> Points:
        """Apply every map in turn."""
        for each in self.maps:
            points = each(points)
        return points


def identity(source: str, target: str) -> Affine:
    """Two spaces that coincide, such as one frame of reference."""
    return Affine(source, target, np.eye(4))


def affine_of(point_map: PointMap) -> Affine | None:
    """The one affine that an affine, or a chain of nothing but affines, amounts to; else None."""
    if isinstance(point_map, Affine):
        return point_map
    if not isinstance(point_map, Chain):
        return None
    matrix = np.eye(4)
    for each in point_map.maps:
        step = affine_of(each)
        if step is None:
            return None
        matrix = step.matrix @ matrix
    return Affine(point_map.source, point_map.target, matrix)


def resample(volume: Volume, grid: Grid, pull: PointMap | None = None, *, order: int = 1) -> Volume:
    """The volume on another grid, interpolated once.

    Args:
        volume: what is sampled.
        grid: where values are wanted.
        pull: from the space of ``grid`` to the space of ``volume``; None when they share one.
        order: 0 nearest (labels), 1 linear, 3 cubic spline. A volume that holds NaN is never
            sampled cubically: one NaN would spread through the whole spline.

    Returns:
        On ``grid``; NaN where a point falls outside the volume's field of view.

    Raises:
        GeometryError: no voxel of ``grid`` falls inside the volume.
    """
    points = points_mm(grid)
    index = _voxel_index(points if pull is None else pull(points), volume.grid)
    if order > 1 and not np.isfinite(volume.array).all():
        order = 1
    values = ndimage.map_coordinates(
        volume.array, index, order=order, mode="nearest", output=np.float32
    )
    limits = np.array(volume.grid.shape, dtype=np.float32).reshape(3, 1, 1, 1) - 0.5
    inside = ((index >= -0.5) & (index <= limits)).all(axis=0)
    if not inside.any():
        raise GeometryError(f"{volume!r} has no voxel in common with the grid it should go to.")
    values[~inside] = np.nan
    return Volume(values, grid, volume.quantity, volume.contrast)


def gaussian(volume: Volume, fwhm_mm: float) -> Volume:
    """The volume blurred by a Gaussian of ``fwhm_mm`` (0 = unchanged); NaN is left out."""
    if fwhm_mm <= 0:
        return volume
    sigma_vox = [fwhm_mm / 2.354820045 / mm for mm in volume.grid.spacing_mm]
    known = np.isfinite(volume.array)
    values = ndimage.gaussian_filter(np.where(known, volume.array, 0), sigma_vox, mode="nearest")
    if known.all():
        return Volume(values, volume.grid, volume.quantity, volume.contrast)
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma_vox, mode="nearest")
    blurred = np.where(known, values / np.maximum(weight, 1e-6), np.nan)
    return Volume(blurred, volume.grid, volume.quantity, volume.contrast)


def _voxel_index(points: Points, grid: Grid) -> NDArray[np.float32]:
    """(..., 3) mm -> (3, ...) voxel coordinates."""
    m = np.linalg.inv(grid.affine).astype(np.float32)
    return np.moveaxis(points @ m[:3, :3].T + m[:3, 3], -1, 0)
