"""A face found in one space, kept as a few numbers, and the voxels that it takes on any grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.deface import region

MARGIN_MM = 8.0
"""Nothing closer to the brain than this is ever taken, mm."""
EMISSION_MARGIN_MM, SPECT_MARGIN_MM = 10.0, 15.0
"""The same for PET and for SPECT, whose cortex spills over by their resolution."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """Where face and brain are in a scanner's space.

    Args:
        matrix: (4, 4) standard mm -> scanner mm.
        grid: lattice of the brain, in scanner space.
        brain: (I, J, K) the person's brain on it.
        numbers: how well the standard brain fits: ``score``, ``sharpness``, ``overlap``, ``dice``,
            ``brain_ml``.

    Raises:
        GeometryError: the matrix is not an invertible 4x4, or the brain is empty or not on the
            grid.
    """

    matrix: NDArray[np.float64]
    grid: Grid
    brain: Mask
    numbers: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        matrix = Grid((1, 1, 1), self.matrix).affine
        brain = np.array(self.brain, dtype=bool)
        if brain.shape != self.grid.shape or not brain.any():
            raise GeometryError(
                f"A brain of shape {brain.shape} with {int(brain.sum())} voxels on a grid of shape "
                f"{self.grid.shape}."
            )
        brain.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "brain", brain)
        object.__setattr__(self, "numbers", MappingProxyType(dict(self.numbers)))

    @property
    def brain_ml(self) -> float:
        """Volume of the brain, ml."""
        return float(self.brain.sum()) * self.grid.voxel_ml

    @property
    def center_mm(self) -> NDArray[np.float64]:
        """(3,) center of the brain, scanner mm."""
        center = np.argwhere(self.brain).mean(axis=0)
        found: NDArray[np.float64] = self.grid.affine[:3, :3] @ center + self.grid.affine[:3, 3]
        return found

    def plain(self) -> dict[str, Any]:
        """Numbers only, for JSON: the brain as lengths of runs, starting with a run outside it."""
        flat = self.brain.ravel().astype(np.int8)
        edges = np.flatnonzero(np.diff(flat, prepend=0, append=0 if flat[-1] else 1))
        return {
            "matrix": self.matrix.tolist(),
            "shape": list(self.grid.shape),
            "affine": self.grid.affine.tolist(),
            "runs": np.diff(edges, prepend=0).tolist(),
            "numbers": dict(self.numbers),
        }

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> "Face":
        """The face that ``plain`` was made of.

        Raises:
            GeometryError: the numbers do not fit together.
        """
        grid = Grid(tuple(plain["shape"]), np.array(plain["affine"]))
        runs = np.array(plain["runs"], dtype=np.int64)
        if runs.size == 0 or runs.min() < 0 or runs.sum() != np.prod(grid.shape):
            raise GeometryError(
                f"Runs of {int(runs.sum())} voxels do not fill a grid of shape {grid.shape}."
            )
        brain = np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(grid.shape)
        return Face(np.array(plain["matrix"]), grid, brain, plain["numbers"])


def apart_mm(one: Face, other: Face) -> float:
    """How far apart two faces of one space put the nose or the chin, whichever is more, mm."""
    places = np.array([(*place, 1.0) for place in region.FEATURES_MM])
    moved = (places @ (one.matrix - other.matrix).T)[:, :3]
    return float(np.linalg.norm(moved, axis=1).max())


@dataclass(frozen=True, slots=True, eq=False)
class Knife:
    """A face carried into the space of one series; call it with any grid there.

    Args:
        face: where face and brain are.
        to_scanner: (4, 4) mm of the series -> mm of the face's space.
        guarded: on the face's lattice, what is never taken.
    """

    face: Face
    to_scanner: NDArray[np.float64]
    guarded: Mask

    def __call__(self, grid: Grid) -> Mask:
        """The voxels of a grid that must go, (I, J, K)."""
        taken = region.inside(grid, np.linalg.inv(self.face.matrix) @ self.to_scanner)
        taken[taken] = ~self._at(self.guarded, taken, grid)
        return taken

    def touched_ml(self, taken: Mask, grid: Grid) -> float:
        """How much of the brain the taken voxels of a grid hold, ml."""
        return float(self._at(self.face.brain, taken, grid).sum()) * grid.voxel_ml

    def _at(self, known: Mask, where: Mask, grid: Grid) -> Mask:
        """(n,) a mask on the face's lattice at the voxels that ``where`` marks; False beyond."""
        to_voxel = np.linalg.inv(self.face.grid.affine) @ self.to_scanner @ grid.affine
        m = to_voxel.astype(np.float32)
        index = np.argwhere(where).astype(np.float32) @ m[:3, :3].T + m[:3, 3]
        nearest = np.rint(index).astype(np.int32)
        held = ((nearest >= 0) & (nearest < np.array(known.shape))).all(axis=1)
        found = np.zeros(len(nearest), dtype=bool)
        found[held] = known[tuple(nearest[held].T)]
        return found


def knife(
    face: Face, *, to_scanner: NDArray[np.float64] | None = None, margin_mm: float = MARGIN_MM
) -> Knife:
    """What takes a face from any grid of one series.

    Args:
        face: where face and brain are.
        to_scanner: (4, 4) mm of the series -> mm of the face's space; None when they are one.
        margin_mm: nothing closer to the brain is taken; 0 and above.
    """
    away_mm = ndimage.distance_transform_edt(~face.brain, sampling=face.grid.spacing_mm)
    moved = np.eye(4) if to_scanner is None else np.array(to_scanner, dtype=np.float64)
    return Knife(face, moved, away_mm <= margin_mm)


def mask(
    face: Face,
    grid: Grid,
    *,
    to_scanner: NDArray[np.float64] | None = None,
    margin_mm: float = MARGIN_MM,
) -> Mask:
    """The voxels of one grid that must go, (I, J, K); see `knife`."""
    return knife(face, to_scanner=to_scanner, margin_mm=margin_mm)(grid)


def apply(values: NDArray[np.generic], taken: Mask, background: float) -> NDArray[np.generic]:
    """The values (I, J, K) or (I, J, K, T) with the background where the mask (I, J, K) is set.

    Raises:
        GeometryError: the mask does not have the shape of the values.
    """
    if values.shape[:3] != taken.shape:
        raise GeometryError(f"A mask of shape {taken.shape} on values of shape {values.shape}.")
    cleared = values.copy()
    cleared[taken] = background
    return cleared
