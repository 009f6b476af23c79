"""Where a face is, beside the standard brain, in millimeters.

No averaged head comes with the standard brain, and none is needed: a face lies where it lies
relative to the brain. The region is written down by hand on the standard brain (nasion near
(0, 84, -38) mm, eyes near (+-32, 64, -38), lips near (0, 98, -92), chin near (0, 88, -122), ear
canals near (+-70, -20, -50)) and checked on renderings of real heads. It has no front: the air
before the face goes too, so that no outline is left.
"""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid

CUT_POINT_MM = (28.0, -62.0)
"""(y, z) of a point on the plane below which everything before ``BACK_MM`` is face."""
CUT_SLOPE = 0.87
"""How far the plane rises towards the front, mm by mm: it runs from below the base of the skull
over the brow to the forehead, and passes 10 mm or more below the standard frontal lobe."""
BACK_MM = 35.0
"""y behind which no face is, above the jaw."""
TOP_MM = 5.0
"""z above which no face is, however far in front: a slab through the crown holds none."""
JAW_TOP_MM = -72.0
JAW_BACK_MM = 2.0
"""Below ``JAW_TOP_MM`` the face reaches back to this y: cheeks and jaw."""
BOTTOM_MM, BOTTOM_SLOPE = -150.0, -0.8
"""z below which no face is, at y = 0 and mm by mm towards the front: below the chin of a small or
nodding head, above the chest."""
EAR_MM = ((75.0, np.inf), (-66.0, 14.0), (-90.0, -4.0))
"""Bounds of each ear in |x|, y and z, mm."""

FEATURES_MM = ((0.0, 104.0, -62.0), (0.0, 90.0, -116.0))
"""Tip of the nose and chin on the standard brain, mm."""

Mask = NDArray[np.bool_]


def inside(grid: Grid, to_standard: NDArray[np.float64]) -> Mask:
    """The voxels of a grid that belong to the face or an ear, (I, J, K).

    Args:
        grid: any, in any orientation.
        to_standard: (4, 4) mm of the grid's space -> standard mm.
    """
    x, y, z = _standard_mm(grid, to_standard)
    back = np.where(z < JAW_TOP_MM, np.float32(JAW_BACK_MM), np.float32(BACK_MM))
    below = z < CUT_POINT_MM[1] + CUT_SLOPE * (y - CUT_POINT_MM[0])
    face = below & (z < TOP_MM) & (y > back) & (z > BOTTOM_MM + BOTTOM_SLOPE * y)
    bounds = zip((np.abs(x), y, z), EAR_MM, strict=True)
    ears = np.logical_and.reduce([(low < place) & (place < high) for place, (low, high) in bounds])
    found: Mask = face | ears
    return found


def _standard_mm(
    grid: Grid, to_standard: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    m = (to_standard @ grid.affine).astype(np.float32)
    i, j, k = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    x, y, z = (
        (m[r, 0] * i + m[r, 3]).astype(np.float32)
        + (m[r, 1] * j).astype(np.float32)
        + (m[r, 2] * k).astype(np.float32)
        for r in range(3)
    )
    return x, y, z
