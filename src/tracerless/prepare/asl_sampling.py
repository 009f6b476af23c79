"""Values of a native volume at points, and rigid poses of one volume beside another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless.core.grid import Grid
from tracerless.core.volume import Quantity, Volume, with_array
from tracerless.registration.sampling import antialiased

FloatArray = NDArray[np.float32]
Matrix = NDArray[np.float64]
"""(4, 4) mm -> mm."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Where flow is wanted, and what is known of the place.

    Args:
        grid: of the result.
        points: (I, J, K, 3) where its voxels lie in the series' mean pose, mm.
        brain: (I, J, K) on ``grid``; its mean makes flow relative.
        grey: (I, J, K) voxels that are grey matter almost surely.
        white: (I, J, K) likewise.
    """

    grid: Grid
    points: FloatArray
    brain: NDArray[np.bool_]
    grey: NDArray[np.bool_]
    white: NDArray[np.bool_]


def voxel_index(points: FloatArray, grid: Grid, matrix: Matrix | None = None) -> FloatArray:
    """(..., 3) mm, moved by ``matrix``, as (3, ...) voxel coordinates."""
    inverse = np.linalg.inv(grid.affine)
    m = (inverse if matrix is None else inverse @ matrix).astype(np.float32)
    index: FloatArray = np.moveaxis(points @ m[:3, :3].T + m[:3, 3], -1, 0)
    return index


def sample(volume: Volume, points: FloatArray, matrix: Matrix | None = None) -> FloatArray:
    """The volume at points, linearly interpolated, once; NaN outside its field of view.

    Args:
        volume: what is sampled.
        points: (..., 3) mm.
        matrix: moves the points into the volume's space first.
    """
    index = voxel_index(points, volume.grid, matrix)
    values: FloatArray = ndimage.map_coordinates(
        volume.array, index, order=1, mode="nearest", output=np.float32
    )
    for places, size in zip(index, volume.grid.shape, strict=True):
        values[(places < -0.5) | (places > size - 0.5)] = np.nan
    return values


def seen_share(
    volumes: Sequence[Volume], points: FloatArray, grid: Grid, matrix: Matrix | None = None
) -> FloatArray:
    """How much of what a point mixes was seen by any of the volumes, 0.5-1; else NaN.

    A voxel that is exactly zero, or NaN, in every volume was not measured: zeros are what exporters
    fill with. What is sampled is divided by this share, so that no such voxel counts.
    """
    seen = np.zeros(volumes[0].grid.shape, dtype=bool)
    for each in volumes:
        seen |= np.isfinite(each.array) & (each.array != 0)
    mask = Volume(seen.astype(np.float32), volumes[0].grid, Quantity.LABEL, volumes[0].contrast)
    share = sample(blurred_for(mask, grid), points, matrix)
    with np.errstate(invalid="ignore"):
        share[~(share >= 0.5)] = np.nan
    return share


def finite(volume: Volume) -> Volume:
    """The volume with NaN where it is infinite."""
    known = np.isfinite(volume.array) | np.isnan(volume.array)
    if known.all():
        return volume
    return with_array(volume, np.where(known, volume.array, np.float32(np.nan)))


def blurred_for(volume: Volume, grid: Grid) -> Volume:
    """The volume, blurred first where it is finer than the grid that it goes to."""
    return antialiased(volume, float(min(grid.spacing_mm)))


def rigid(pose: NDArray[np.float64], center_mm: NDArray[np.float64]) -> Matrix:
    """(4, 4) of a rotation vector (radians) about a center, then a shift (mm)."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(pose[:3]).as_matrix()
    matrix[:3, 3] = center_mm + pose[3:] - matrix[:3, :3] @ center_mm
    return matrix


def pose_of(matrix: Matrix, center_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (6,) numbers that ``rigid`` makes this matrix of."""
    turn = Rotation.from_matrix(matrix[:3, :3]).as_rotvec()
    shift = matrix[:3, :3] @ center_mm + matrix[:3, 3] - center_mm
    return np.concatenate((turn, shift))
