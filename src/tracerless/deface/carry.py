"""From the series in which a face was found to the others of the visit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.transform import resample
from tracerless.core.volume import EMISSION, Contrast, Quantity, Volume
from tracerless.deface.face import EMISSION_MARGIN_MM, MARGIN_MM, SPECT_MARGIN_MM, Face
from tracerless.deface.spine import Unfit
from tracerless.registration.ladder import Anchor, align, at_header
from tracerless.registration.sampling import corners_mm, lattice, onto

ANCHOR_MM = 4.0
COARSE_MM = 8.0
"""A voxel edge from which on no feature of a face is left: an eye is 24 mm wide, a nose 35 mm, and
a surface needs some three voxels across each."""
SLAB_MM = 40.0
"""A stack thinner than this in some direction holds no whole face."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a series lies: ``to_scanner`` (4, 4) takes its mm to the anchor's mm.

    ``how``: ``frame`` (one frame of reference, not contradicted by the voxels), or the rung of the
    ladder that found it (``rigid``, ``multi-start``).
    """

    to_scanner: NDArray[np.float64]
    how: str


def carry(face: Face, anchor: Volume, moving: Volume, *, same_frame: bool) -> Place | Unfit:
    """Where another series of the visit lies relative to the one whose face was found.

    Args:
        face: found in ``anchor``.
        anchor: the series itself.
        moving: the other.
        same_frame: both state one frame of reference.

    Returns:
        Its place. One frame of reference is believed unless the voxels tell of a better place.
    """
    try:
        fixed = _anchor(face, anchor)
        if same_frame and at_header(fixed, moving) is not None:
            return Place(np.eye(4), "frame")
        found = align(fixed, moving, same_frame=same_frame)
        back: NDArray[np.float64] = np.linalg.inv(found.matrix).astype(np.float64)
        return Place(back, found.rung)
    except (GeometryError, QuantityError) as error:
        return Place(np.eye(4), "frame") if same_frame else Unfit(error.message)


def margin_mm(contrast: Contrast) -> float:
    """How far from the brain nothing is taken, mm."""
    if contrast in {Contrast.ECD, Contrast.HMPAO}:
        return SPECT_MARGIN_MM
    return EMISSION_MARGIN_MM if contrast in EMISSION else MARGIN_MM


def is_head(contrast: Contrast, grid: Grid) -> bool:
    """Whether a series could show a face, so that it must not leave with one.

    Every contrast can, SPECT too: rendered at 1-3 % of its maximum, a simulated HMPAO scan of 8 mm
    resolution still shows the outline of nose, eyes and chin. What cannot: voxels of ``COARSE_MM``
    and more, and slabs thinner than ``SLAB_MM``.
    """
    if contrast is Contrast.SYNTHETIC_FDG:
        return False
    size_mm = np.array(grid.spacing_mm) * np.array(grid.shape)
    return not is_coarse(grid) and bool(size_mm.min() >= SLAB_MM)


def is_coarse(grid: Grid) -> bool:
    """Whether voxels are too large to show anybody's face."""
    return max(grid.spacing_mm) >= COARSE_MM


def _anchor(face: Face, volume: Volume) -> Anchor:
    """The series and its brain at ``ANCHOR_MM``."""
    grid = lattice(corners_mm(volume.grid), ANCHOR_MM, 0.0)
    brain = Volume(face.brain.astype(np.float32), face.grid, Quantity.LABEL, volume.contrast)
    inside = np.nan_to_num(resample(brain, grid).array) > 0.5
    return Anchor(onto(volume, grid), inside)
