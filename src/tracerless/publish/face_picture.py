"""What is left of a head's surface after its face was taken: for a person to look at."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.transform import resample
from tracerless.core.volume import EMISSION, Volume, with_array
from tracerless.publish.picture import encode

EDGE_MM = 240.0
"""Edge of the cube around the head that is shown, mm."""
VOXEL_MM = 2.0
LEVEL, EMISSION_LEVEL = 0.15, 0.05
"""Where the surface lies, as a share of the 99th percentile: MR; PET and SPECT, whose skin is
faint."""

_TURN_DEG = 40.0
_GAP_PX = 4

Gray = NDArray[np.uint8]


def face_picture(volumes: Sequence[Volume], center_mm: NDArray[np.float64]) -> bytes:
    """A PNG: one row a volume; its surface from the front, from half right, from the right.

    Args:
        volumes: with their faces gone, all in one space.
        center_mm: (3,) what the picture is centered on, such as the brain's center.

    Raises:
        GeometryError: there is no volume.
    """
    if not volumes:
        raise GeometryError("A picture of 0 volumes is empty.")
    grid = _cube(center_mm)
    rows = [_row(volume, grid) for volume in volumes]
    gray = np.concatenate(rows, axis=0)
    return encode(np.repeat(gray[..., None], 3, axis=2))


def _cube(center_mm: NDArray[np.float64]) -> Grid:
    n = int(EDGE_MM / VOXEL_MM)
    affine = np.diag((VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0))
    affine[:3, 3] = center_mm - (n - 1) / 2 * VOXEL_MM - (0.0, 0.0, 0.15 * EDGE_MM)
    return Grid((n, n, n), affine)


def _row(volume: Volume, grid: Grid) -> Gray:
    """(rows, columns) of one volume's views beside each other."""
    known = with_array(volume, np.nan_to_num(volume.array))
    values = np.nan_to_num(resample(known, grid).array)
    level = EMISSION_LEVEL if volume.contrast in EMISSION else LEVEL
    smooth = ndimage.gaussian_filter(values, 0.7)
    turned = ndimage.rotate(smooth, _TURN_DEG, axes=(0, 1), reshape=False, order=1)
    limit = level * float(np.percentile(values, 99))
    views = (
        smooth[:, ::-1, :].transpose(2, 0, 1),
        turned[:, ::-1, :].transpose(2, 0, 1),
        smooth[::-1].transpose(2, 1, 0),
    )
    tiles = [_surface(view > limit) for view in views]
    return np.pad(np.concatenate(tiles, axis=1), ((0, _GAP_PX), (0, _GAP_PX)))


def _surface(inside: NDArray[np.bool_]) -> Gray:
    """(rows, columns) shaded by slope, seen along the last axis; black where nothing is."""
    is_there = inside.any(axis=2)
    depth = np.where(is_there, inside.argmax(axis=2), inside.shape[2]).astype(np.float64)
    up, across = np.gradient(ndimage.gaussian_filter(depth, 0.8))
    facing = 1 / np.sqrt(1 + up**2 + across**2)
    light = facing * (0.65 + 0.35 * np.clip(up, -1, 1))
    shaded = np.where(is_there, np.clip(235 * light, 12, 255), 0)
    flipped: Gray = shaded[::-1].astype(np.uint8)
    return flipped
