"""Whether a volume lies on its T1 the right way round, or as its mirror image.

The template is mirror symmetric and cannot tell; but no person is. A volume whose header states the
wrong side fits the T1 better when it is mirrored. Both wrong together cannot be told from right.
"""

import numpy as np
from scipy import ndimage

from tracerless.core.grid import Grid, points_mm
from tracerless.core.transform import PointMap, Points
from tracerless.core.volume import Volume
from tracerless.prepare.contours import Mask, Numbers, blurred, energy_at_best, lattice_of

FWHM_MM = 5.0
"""Blur before edges are compared: finer than for the offset, as asymmetries are small."""
_SAMPLED = 50


def upright(
    volume: Volume, t1: Volume, brain: Mask, *, to_native: PointMap, to_template: PointMap
) -> float:
    """How much better a volume's edges run along the T1's than those of its mirror image do.

    Both are compared in the person's own shape: the mirror image is taken about the plane that the
    template's mid-plane falls on when only the affine part of the map counts, and follows the T1's
    deformation from there. Both may move by whole steps (``contours.EDGE_MM``) to fit best.

    Args:
        volume: on the template grid.
        t1: likewise.
        brain: (I, J, K) of the template.
        to_native: template -> T1 mm.
        to_template: T1 -> template mm.

    Returns:
        Energy (`contours.contours`) of the volume less that of its mirror image; negative when the
        mirror image fits better. Near 0 for a brain that is its own mirror image.
    """
    lattice = lattice_of(brain, volume.grid.spacing_mm[0])
    if not lattice.inside.any():
        return 0.0
    numbers, still = (blurred(each, brain, FWHM_MM) for each in (volume, t1))
    points = lattice.thinned(points_mm(volume.grid))
    places = _mirrored(points, lattice.thinned(brain), to_native, to_template)
    fixed = lattice.gradient(lattice.thinned(still))
    as_is, mirrored = (
        energy_at_best(lattice.gradient(each), fixed, lattice.inside)
        for each in (lattice.thinned(numbers), _sampled(numbers, volume.grid, places))
    )
    return as_is - mirrored


def _sampled(numbers: Numbers, grid: Grid, places: Points) -> Numbers:
    """Numbers on a grid, at (I, J, K, 3) mm."""
    matrix = np.linalg.inv(grid.affine).astype(np.float32)
    voxels = np.moveaxis(places @ matrix[:3, :3].T + matrix[:3, 3], -1, 0)
    sampled: Numbers = ndimage.map_coordinates(numbers, voxels, order=1, mode="nearest")
    return sampled


def _mirrored(points: Points, brain: Mask, there: PointMap, back: PointMap) -> Points:
    """Where the mirror image of each template point lies in the template, through the person."""
    native = there(points)
    known = np.c_[points[brain][::_SAMPLED], np.ones(len(points[brain][::_SAMPLED]))]
    fit, *_ = np.linalg.lstsq(
        known.astype(np.float64), native[brain][::_SAMPLED].astype(np.float64), rcond=None
    )
    affine = np.eye(4)
    affine[:3] = fit.T
    mirror = (affine @ np.diag((-1.0, 1.0, 1.0, 1.0)) @ np.linalg.inv(affine)).astype(np.float32)
    return back(native @ mirror[:3, :3].T + mirror[:3, 3])
