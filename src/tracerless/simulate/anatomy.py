"""The one base head that all simulated people are warped from.

One template cannot show what differs in kind between brains: other folding, missing or double
gyri, lesions that displace, heads after surgery. People differ here by smooth warps only, and a
method that merely learned this template would look better on them than on patients.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError, RecipeError, did_you_mean
from tracerless.core.grid import Grid
from tracerless.core.volume import Volume
from tracerless.simulate.brain import build_brain
from tracerless.simulate.fields import Field, lattice
from tracerless.simulate.head import wrap

BASE_TISSUES = (
    "grey", "deep_grey", "white", "csf", "fat", "muscle", "bone", "air", "eye",
)  # fmt: skip
"""Tissues of the base head; a person has ``lesion`` besides."""

CANVAS_LOW_MM, CANVAS_HIGH_MM = (-96.0, -136.0, -120.0), (96.0, 112.0, 104.0)
"""First and last voxel centers of the canvas, template mm, RAS+."""

_SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The base head in template space.

    Args:
        grid: the canvas, RAS+, isotropic; it reaches beyond the brain to face and neck.
        fractions: (9, I, J, K) float32 in the order of ``BASE_TISSUES``, sum 1.
        labels: (I, J, K) int16, Desikan-Killiany and aseg; 0 outside the brain.

    Raises:
        GeometryError: an array does not fit the grid, or the fractions do not sum to 1.
    """

    grid: Grid
    fractions: NDArray[np.float32]
    labels: NDArray[np.int16]

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        fractions = np.array(self.fractions, dtype=np.float32)
        labels = np.array(self.labels, dtype=np.int16)
        if fractions.shape != (len(BASE_TISSUES), *self.grid.shape):
            raise GeometryError(f"Fractions {fractions.shape} on a canvas {self.grid.shape}.")
        if labels.shape != self.grid.shape:
            raise GeometryError(f"Labels {labels.shape} on a canvas {self.grid.shape}.")
        worst = float(np.abs(fractions.sum(axis=0) - 1).max())
        if not worst <= _SUM_TOLERANCE:
            raise GeometryError(f"Tissue fractions sum to 1 within {worst:.3g}, not 0.001.")
        for array in (fractions, labels):
            array.setflags(write=False)
        object.__setattr__(self, "fractions", fractions)
        object.__setattr__(self, "labels", labels)

    def tissue(self, name: str) -> Field:
        """Fractions of one of ``BASE_TISSUES``, (I, J, K), 0-1.

        Raises:
            RecipeError: no tissue has that name.
        """
        if name not in BASE_TISSUES:
            raise RecipeError(
                f"The base head has no tissue {name!r}.", hint=did_you_mean(name, BASE_TISSUES)
            )
        found: Field = self.fractions[BASE_TISSUES.index(name)]
        return found


def build_anatomy(
    t1: Volume, grey: Volume, white: Volume, labels: Volume, *, voxel_mm: float = 2.0
) -> Anatomy:
    """The base head from the standard brain.

    Args:
        t1: brain-only template, arbitrary units; 0 outside the brain.
        grey: probability 0-1 on the grid of ``t1``.
        white: like ``grey``.
        labels: Desikan-Killiany and aseg, on any grid of the same space.
        voxel_mm: edge of the canvas's voxels, 1-3 mm.

    Raises:
        RecipeError: ``voxel_mm`` is outside 1-3 mm.
        GeometryError: the first three lie on different grids.
    """
    if not 1.0 <= voxel_mm <= 3.0:
        raise RecipeError(f"voxel_mm={voxel_mm} is outside 1-3 mm.", hint="Build at 2 mm.")
    canvas = lattice(CANVAS_LOW_MM, CANVAS_HIGH_MM, voxel_mm)
    brain = build_brain(t1, grey, white, labels, canvas)
    tissues = wrap(brain.tissues, canvas)
    fractions = np.stack([tissues[name] for name in BASE_TISSUES])
    fractions /= fractions.sum(axis=0)
    return Anatomy(canvas, fractions, brain.labels)
