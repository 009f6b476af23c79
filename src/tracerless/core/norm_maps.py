"""What is normal at every place of the brain: voxels of the template, points of its surface."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError, ModelError
from tracerless.core.grid import Grid
from tracerless.core.norm import MIN_FOR_NORMAL, MIN_FOR_Z, Array, Design, Measured, Regression

KINDS = ("voxels", "surface")
INDICES = ("severity", "extent", "ratio")
"""Clinical indices of a z-map, in the order of `MapNorm.own`."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Points of the template brain's surface, and the way inwards from each.

    Args:
        points: (m, 3) RAS+ mm.
        inward: (m, 3) unit vectors that point into the brain.
        part: (m,) 0 = outside of the brain, -1 and +1 = medial wall of the left and the right half.

    Raises:
        GeometryError: shapes do not fit, or there is no point.
    """

    points: Array
    inward: Array
    part: NDArray[np.int8]

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        m = len(self.part)
        if not m or self.points.shape != (m, 3) or self.inward.shape != (m, 3):
            raise GeometryError(f"A surface of {self.points.shape} points for {m} parts.")
        for name, kind in (("points", np.float64), ("inward", np.float64), ("part", np.int8)):
            array = np.array(getattr(self, name), dtype=kind)
            array.setflags(write=False)
            object.__setattr__(self, name, array)


@dataclass(frozen=True, slots=True, eq=False)
class MapNorm:
    """Expected uptake at m places.

    Args:
        key: name of the norm that it belongs to.
        measured: what it was made from; anything else is refused.
        kind: ``voxels`` or ``surface``.
        grid: of the maps.
        places: (m,) rising: flat voxels of the grid (C order), or numbers of `Surface` points.
        design: covariates.
        regression: one column a place.
        n: normal people behind it.
        n_local: of these, people of a new scanner, when it was carried over.
        pooled_mm: within how far around a place spreads were pooled, mm FWHM; 0 when they were not.
        fwhm_mm: of the residual maps; 0 where it was not told.
        family_cut: z below which one voxel anywhere falls with a chance of 5 %; NaN if not told.
        own: (n, 3) `INDICES` of its own people, each left out once; (0, 3) where not told.
        people: ``person_digest`` of everyone behind it.

    Raises:
        ModelError: columns and places differ in number.
    """

    key: str
    measured: Measured
    kind: str
    grid: Grid
    places: NDArray[np.int64]
    design: Design
    regression: Regression
    n: int
    n_local: int
    pooled_mm: float
    fwhm_mm: float
    family_cut: float
    own: Array
    people: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check once, and lock."""
        m = self.regression.coefficients.shape[1]
        if len(self.places) != m:
            raise ModelError(f"Maps of norm {self.key}: {m} columns for {len(self.places)} places.")
        if self.kind not in KINDS:
            raise ModelError(f"Maps of norm {self.key} are of {self.kind!r}, not of {KINDS}.")
        for name in ("places", "own"):
            array = np.array(getattr(self, name))
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def banner(self) -> str:
        """What stands beside every map; empty when nothing needs to."""
        if self.n < MIN_FOR_Z:
            return f"{self.n} normal people: no map of z, it needs {MIN_FOR_Z}."
        if self.n < MIN_FOR_NORMAL:
            return f"{self.n} normal people: spreads pooled within {self.pooled_mm:g} mm."
        return ""
