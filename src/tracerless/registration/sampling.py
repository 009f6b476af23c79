"""Coarser copies of native volumes, blurred first so that nothing aliases."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.core.transform import PointMap, resample
from tracerless.core.volume import Volume, with_array

FWHM_PER_SIGMA = 2.354820045


def corners_mm(grid: Grid) -> NDArray[np.float64]:
    """(8, 3) centers of the corner voxels, RAS+ mm."""
    unit = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    corners: NDArray[np.float64] = (
        unit * (np.array(grid.shape) - 1) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    )
    return corners


def inside_mm(mask: NDArray[np.bool_], grid: Grid) -> NDArray[np.float32]:
    """(n, 3) centers of the voxels that the mask marks, RAS+ mm."""
    points = np.argwhere(mask) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return points.astype(np.float32)


def lattice(points_mm: NDArray[np.floating], spacing_mm: float, margin_mm: float) -> Grid:
    """The isotropic grid along R, A and S that holds the points and a margin around them."""
    low = points_mm.min(axis=0) - margin_mm
    high = points_mm.max(axis=0) + margin_mm
    counts = np.ceil((high - low) / spacing_mm).astype(int) + 1
    affine = np.diag((spacing_mm, spacing_mm, spacing_mm, 1.0))
    affine[:3, 3] = low
    return Grid((int(counts[0]), int(counts[1]), int(counts[2])), affine)


def antialiased(volume: Volume, spacing_mm: float) -> Volume:
    """The volume blurred, axis by axis, to the resolution of a wider spacing.

    Axes that are already as wide stay as they are; NaN is left out of every mean.
    """
    have = np.array(volume.grid.spacing_mm)
    sigma_vox = np.sqrt(np.maximum(spacing_mm**2 - have**2, 0.0)) / FWHM_PER_SIGMA / have
    if not sigma_vox.any():
        return volume
    known = np.isfinite(volume.array)
    filled = volume.array if known.all() else np.where(known, volume.array, np.float32(0))
    blurred = ndimage.gaussian_filter(filled, sigma_vox, mode="nearest", truncate=3.0)
    if not known.all():
        weight = ndimage.gaussian_filter(known.astype(np.float32), sigma_vox, mode="nearest")
        blurred = np.where(known, blurred / np.maximum(weight, 1e-6), np.nan)
    return with_array(volume, blurred)


def onto(volume: Volume, grid: Grid, pull: PointMap | None = None) -> Volume:
    """The volume on a grid of any spacing: blurred to it where it is finer, sampled once.

    Returns:
        On ``grid``; NaN outside the field of view.

    Raises:
        GeometryError: no voxel of ``grid`` falls inside the volume.
    """
    return resample(antialiased(volume, grid.spacing_mm[0]), grid, pull)


def own_lattice(volume: Volume, spacing_mm: float) -> Volume:
    """The volume over its own field of view at another spacing, NaN outside it."""
    return decimated(antialiased(volume, spacing_mm), spacing_mm)


def decimated(smooth: Volume, spacing_mm: float) -> Volume:
    """What ``own_lattice`` gives, of a volume that is blurred to that spacing already."""
    return resample(smooth, lattice(corners_mm(smooth.grid), spacing_mm, 0.0))
