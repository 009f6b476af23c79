"""The standard brain: volumes of a package that this one depends on, on any isotropic grid."""

import functools

import numpy as np
from scipy import ndimage

from tracerless.core.errors import RecipeError
from tracerless.core.grid import Grid, with_spacing
from tracerless.core.session import Template
from tracerless.core.transform import gaussian, resample
from tracerless.core.volume import Quantity, Volume, with_array
from tracerless.io.wheels import card, wheel_volume

TEMPLATE = "MNI152NLin2009aSym"
"""The one template space."""

_ORIGIN_MM = (-98.0, -134.0, -72.0)
_SHAPES = {1.0: (197, 233, 189), 2.0: (99, 117, 95)}


@functools.lru_cache(maxsize=4)
def template(voxel_mm: float) -> Template:
    """The standard brain on an isotropic grid.

    Args:
        voxel_mm: 1-6 mm; 2 mm is 99x117x95 with the first voxel at (-98, -134, -72) mm, every
            other grid spans the same field of view.

    Returns:
        T1 in arbitrary units, grey and white matter 0-1, brain 0/1; coarser grids are blurred
        before they are sampled, so that nothing aliases.

    Raises:
        RecipeError: the voxel edge is outside 1-6 mm.
        DatasetError: the package that holds the volumes is not installed.
    """
    grid = template_grid(voxel_mm)
    t1, grey, white = template_volumes_1mm()
    filled = ndimage.binary_fill_holes(t1.array > 0)
    brain = with_array(t1, filled.astype(np.float32), Quantity.LABEL)
    t1, grey, white, brain = (_onto(each, grid) for each in (t1, grey, white, brain))
    brain = with_array(brain, (brain.array >= 0.5).astype(np.float32))
    return Template(TEMPLATE, t1, grey, white, brain)


def template_grid(voxel_mm: float) -> Grid:
    """The grid of the standard brain at that voxel edge, 1-6 mm.

    Raises:
        RecipeError: the voxel edge is outside 1-6 mm.
    """
    if not 1.0 <= voxel_mm <= 6.0:
        raise RecipeError(f"voxel_mm={voxel_mm} is outside 1-6 mm.")
    if voxel_mm in _SHAPES:
        affine = np.diag((voxel_mm, voxel_mm, voxel_mm, 1.0))
        affine[:3, 3] = _ORIGIN_MM
        return Grid(_SHAPES[voxel_mm], affine)
    return with_spacing(template_grid(2.0), voxel_mm)


def template_volumes_1mm() -> tuple[Volume, Volume, Volume]:
    """T1 (arbitrary units), grey and white matter (0-1) of the standard brain, RAS, 1 mm.

    Raises:
        DatasetError: the package that holds the volumes is not installed.
    """
    about = card("templates", f"{TEMPLATE}.toml")
    one = np.float32(about["probability_one"])
    t1 = wheel_volume(about["package"], about["t1"], Quantity.T1W)
    grey = wheel_volume(about["package"], about["grey"], Quantity.PROBABILITY)
    white = wheel_volume(about["package"], about["white"], Quantity.PROBABILITY)
    return t1, with_array(grey, grey.array / one), with_array(white, white.array / one)


def _onto(volume: Volume, grid: Grid) -> Volume:
    """The volume on a grid of equal or wider spacing, blurred to it first; 0 outside."""
    edge_mm, old_mm = grid.spacing_mm[0], volume.grid.spacing_mm[0]
    blurred = gaussian(volume, float(np.sqrt(max(edge_mm**2 - old_mm**2, 0.0))))
    moved = resample(blurred, grid)
    return with_array(moved, np.nan_to_num(moved.array, nan=0.0))
