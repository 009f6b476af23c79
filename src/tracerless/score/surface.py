"""Stereotactic surface projections: the brain's surface, and the peak of uptake below it."""

import functools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.core.norm import Array
from tracerless.core.norm_maps import Surface
from tracerless.core.session import Template
from tracerless.core.transform import gaussian
from tracerless.core.volume import Volume

DEPTH_MM = 13.5
"""How far below the surface the peak is searched."""
STEP_MM = 2.25
_HULL_FWHM_MM, _HULL_SHARE = 6.0, 0.35
_NORMAL_FWHM_MM = 10.0
_MEDIAL_REACH_MM = 3.0

_Coordinates = NDArray[np.float32]


@functools.lru_cache(maxsize=2)
def surface(template: Template) -> Surface:
    """Points on the outside of the template brain and on the medial walls of its halves.

    Outside: voxels of the blurred grey and white matter that have a neighbor outside it, with the
    way down its gradient. Medial: the plane between the halves, one point a voxel, straight
    outwards to either side.

    Source:
        Minoshima et al. 1995, J Nucl Med 36:1238 (three-dimensional stereotactic surface
        projections: peak within 13.5 mm along the inward normal). Deviates: own surface.
    """
    grid = template.grid
    tissue = gaussian_sum(template)
    hull = ndimage.binary_fill_holes(tissue >= _HULL_SHARE)
    edge = hull & ~ndimage.binary_erosion(hull)
    sigma = [_NORMAL_FWHM_MM / 2.354820045 / mm for mm in grid.spacing_mm]
    smooth = ndimage.gaussian_filter(hull.astype(np.float64), sigma, mode="constant")
    slope = np.stack(np.gradient(smooth, *grid.spacing_mm), axis=-1)[edge]
    length = np.linalg.norm(slope, axis=1)
    steep = length > 1e-6
    points, inward = _mm(np.argwhere(edge)[steep], grid), slope[steep] / length[steep, None]
    parts, ways, marks = [points], [inward], [np.zeros(len(points), dtype=np.int8)]
    for side in (-1, 1):
        wall = _wall(hull, grid, side)
        parts.append(wall)
        ways.append(np.tile((float(side), 0.0, 0.0), (len(wall), 1)))
        marks.append(np.full(len(wall), side, dtype=np.int8))
    return Surface(np.concatenate(parts), np.concatenate(ways), np.concatenate(marks))


def peaks(volume: Volume, on: Surface) -> Array:
    """(m,) highest value from each point of the surface to `DEPTH_MM` below it.

    Args:
        volume: in the template's space; NaN where nothing was measured.
        on: points of the surface.

    Returns:
        NaN where nothing was measured along the way.
    """
    known = np.isfinite(volume.array)
    filled = np.where(known, volume.array, np.float32(0))
    index = _along(on, volume.grid)
    values = ndimage.map_coordinates(filled, index, order=1, mode="nearest", output=np.float32)
    seen = ndimage.map_coordinates(
        known.view(np.int8), index, order=0, mode="constant", output=np.int8
    )
    highest = np.where(seen > 0, values, -np.inf).max(axis=0)
    return np.where(np.isfinite(highest), highest, np.nan).astype(np.float64)


def gaussian_sum(template: Template) -> NDArray[np.float32]:
    """(I, J, K) grey and white matter together, blurred to 6 mm, 0-1."""
    both = Volume(
        template.grey.array + template.white.array,
        template.grid,
        template.grey.quantity,
        template.grey.contrast,
    )
    return gaussian(both, _HULL_FWHM_MM).array


@functools.lru_cache(maxsize=2)
def _along(on: Surface, grid: Grid) -> _Coordinates:
    """(3, depths, m) voxel coordinates of the ways down."""
    depths = np.arange(0.0, DEPTH_MM + STEP_MM / 2, STEP_MM)[:, None, None]
    ways = on.points[None] + depths * on.inward[None]
    back = np.linalg.inv(grid.affine)
    index = ways @ back[:3, :3].T + back[:3, 3]
    return np.moveaxis(index, -1, 0).astype(np.float32)


def _wall(hull: NDArray[np.bool_], grid: Grid, side: int) -> Array:
    """Points of the plane between the halves where that half begins within reach."""
    x = grid.affine[0, 0] * np.arange(grid.shape[0]) + grid.affine[0, 3]
    near = (side * x > -grid.spacing_mm[0] / 2) & (side * x <= _MEDIAL_REACH_MM)
    found = np.argwhere(hull[near].any(axis=0))
    points = _mm(np.column_stack([np.zeros(len(found)), found]), grid)
    points[:, 0] = side * 1.0
    return points


def _mm(index: NDArray[np.floating] | NDArray[np.integer], grid: Grid) -> Array:
    points: Array = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return points
