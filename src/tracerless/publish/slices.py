"""Planes through a volume, the way they are shown: radiological, upright, one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.volume import Volume, with_array

MARGIN_MM = 5.0
"""How far around the brain a picture still shows something, mm."""


class Plane(StrEnum):
    """The three ways to cut; ``normal`` is the axis of an RAS volume that is cut across."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    @property
    def normal(self) -> int:
        """0 = left-right, 1 = posterior-anterior, 2 = inferior-superior."""
        return {"sagittal": 0, "coronal": 1, "axial": 2}[self]

    @property
    def letters(self) -> tuple[str, str]:
        """What lies at the left and at the right edge of the picture."""
        return ("A", "P") if self == Plane.SAGITTAL else ("R", "L")


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane at ``at_mm`` along its normal (RAS+ mm)."""

    plane: Plane
    at_mm: float

    def __str__(self) -> str:
        """E.g. ``axial z=+12 mm``."""
        return f"{self.plane} {'xyz'[self.plane.normal]}={self.at_mm:+.0f} mm"


_SHARES = (
    (Plane.AXIAL, (0.30, 0.50, 0.72)),
    (Plane.CORONAL, (0.40,)),
    (Plane.SAGITTAL, (0.46,)),
)


def default_slices(brain: Volume) -> tuple[Slice, ...]:
    """Three axial, one coronal and one sagittal plane at fixed shares of the brain's extent."""
    low, high = extent_mm(brain)
    return tuple(
        Slice(plane, float(low[plane.normal] + share * (high[plane.normal] - low[plane.normal])))
        for plane, shares in _SHARES
        for share in shares
    )


def axial_slices(brain: Volume, n_slices: int) -> tuple[Slice, ...]:
    """Axial planes through the middle of equal parts of the brain, from below upwards."""
    low, high = extent_mm(brain)
    shares = (np.arange(n_slices) + 0.5) / n_slices
    return tuple(Slice(Plane.AXIAL, float(low[2] + s * (high[2] - low[2]))) for s in shares)


def extent_mm(brain: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest voxel center of a mask, (3,) RAS mm each.

    Raises:
        GeometryError: the mask is empty.
    """
    inside = np.argwhere(brain.array > 0)
    if not len(inside):
        raise GeometryError("The brain mask is empty: there is nothing to show.")
    corners = np.array([inside.min(axis=0), inside.max(axis=0)])
    ends = corners @ brain.grid.affine[:3, :3].T + brain.grid.affine[:3, 3]
    return ends.min(axis=0), ends.max(axis=0)


def upright(volume: Volume) -> Volume:
    """The same voxels stored so that the axes run closest to right, anterior, superior."""
    axes = nib.orientations.io_orientation(volume.grid.affine)
    array = nib.orientations.apply_orientation(volume.array, axes)
    back = nib.orientations.inv_ornt_aff(axes, volume.grid.shape)
    return Volume(
        array, Grid(array.shape, volume.grid.affine @ back), volume.quantity, volume.contrast
    )


def brain_only(volumes: Sequence[Volume], brain: Volume) -> tuple[Volume, ...]:
    """The volumes upright, cut to the box of the brain, NaN beyond ``MARGIN_MM`` around it.

    What is cut away could show a face: nothing of it is ever drawn or written into a page.

    Args:
        volumes: all on the grid of ``brain``.
        brain: 0/1 mask.

    Raises:
        GeometryError: a volume lies on another grid, or the mask is empty.
    """
    mask = upright(brain)
    apart_mm = ndimage.distance_transform_edt(mask.array <= 0, sampling=mask.grid.spacing_mm)
    near = apart_mm <= MARGIN_MM
    if not (mask.array > 0).any():
        raise GeometryError("The brain mask is empty: there is nothing to show.")
    box = ndimage.find_objects(near.astype(np.int8))[0]
    shift = np.eye(4)
    shift[:3, 3] = [part.start for part in box]
    grid = Grid(near[box].shape, mask.grid.affine @ shift)
    shown = []
    for volume in volumes:
        if volume.grid != brain.grid:
            raise GeometryError(f"{volume!r} is not on the grid of the template's brain.")
        array = np.where(near, upright(volume).array, np.nan)[box]
        shown.append(Volume(array, grid, volume.quantity, volume.contrast))
    return tuple(shown)


def cut(volume: Volume, where: Slice) -> NDArray[np.float32]:
    """The plane nearest to ``where``, rows from the top, columns from the left.

    Args:
        volume: upright (RAS).
        where: within the volume.

    Returns:
        Axial: anterior on top, the person's right on the left. Coronal: superior on top, right on
        the left. Sagittal: superior on top, anterior on the left.

    Raises:
        GeometryError: the volume is not upright, or the plane lies outside it.
    """
    if volume.grid.axcodes != "RAS":
        raise GeometryError(f"A picture is cut from an RAS volume, got {volume.grid.axcodes}.")
    axis = where.plane.normal
    step_mm = volume.grid.spacing_mm[axis]
    index = round((where.at_mm - volume.grid.affine[axis, 3]) / step_mm)
    if not 0 <= index < volume.grid.shape[axis]:
        raise GeometryError(f"The plane {where} lies outside {volume!r}.")
    plane = np.take(volume.array, index, axis=axis)
    shown: NDArray[np.float32] = plane[::-1, ::-1].T
    return shown


def difference(synthetic: Volume, acquired: Volume) -> Volume:
    """Synthetic minus acquired, SUVR; it stays marked as synthetic."""
    return with_array(synthetic, synthetic.array - acquired.array)
