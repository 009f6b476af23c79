"""The lattice that a volume lives on."""

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError

GRID_TOLERANCE_MM = 1e-3
"""Two grids are equal when no corner differs by more than this, mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A voxel lattice in patient space: ``shape`` (I, J, K), ``affine`` (4, 4) voxel -> RAS+ mm.

    Raises:
        GeometryError: the shape is not three positive counts, or the affine not an invertible 4x4.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"A grid needs three positive counts of voxels, got {shape}.")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.allclose(affine[3], (0, 0, 0, 1)):
            raise GeometryError(f"Affine must be 4x4 ending in [0 0 0 1], got {affine.tolist()}.")
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise GeometryError(f"Affine must be finite and invertible, got {affine.tolist()}.")
        affine.setflags(write=False)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "affine", affine)

    def __eq__(self, other: object) -> bool:
        """Same shape, and no corner apart by more than ``GRID_TOLERANCE_MM``."""
        if not isinstance(other, Grid):
            return NotImplemented
        if self.shape != other.shape:
            return False
        corners = np.array([(i, j, k, 1) for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
        corners[:, :3] *= np.array(self.shape) - 1
        apart = corners @ (self.affine - other.affine).T
        return bool(np.abs(apart[:, :3]).max() <= GRID_TOLERANCE_MM)

    def __hash__(self) -> int:
        """Grids are equal within a tolerance, so only the shape can be hashed."""
        return hash(self.shape)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centers along each axis, mm."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def axcodes(self) -> str:
        """The anatomical direction that each axis runs to, e.g. ``RAS``."""
        return "".join(nib.orientations.aff2axcodes(self.affine))

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0


def points_mm(grid: Grid) -> NDArray[np.float32]:
    """Center of every voxel, (I, J, K, 3) RAS+ mm."""
    axes = [np.arange(n, dtype=np.float64) for n in grid.shape]
    i, j, k = np.meshgrid(*axes, indexing="ij", sparse=True)
    m = grid.affine
    return np.stack(
        [i * m[r, 0] + j * m[r, 1] + k * m[r, 2] + m[r, 3] for r in range(3)], axis=-1
    ).astype(np.float32)


def with_spacing(grid: Grid, spacing_mm: float) -> Grid:
    """A grid over the same field of view, isotropic at ``spacing_mm``, same axes directions.

    The outer faces of the first voxels coincide; the last may reach past the old field of view.
    """
    old = np.array(grid.spacing_mm)
    shape = np.ceil(np.array(grid.shape) * old / spacing_mm - 1e-6).astype(int)
    affine = grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] / old * spacing_mm
    corner = grid.affine[:3, :3] @ np.full(3, -0.5) + grid.affine[:3, 3]
    affine[:3, 3] = corner + affine[:3, :3] @ np.full(3, 0.5)
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)
