"""Region tables out of corrected levels."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.atlas import ROI_COLUMNS
from tracerless.quantify.pvc_atoms import MIXED, Atoms, Map, reference_name
from tracerless.quantify.pvc_model import Levels


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """What a correction found, in the unit of the volume that it was given.

    Args:
        atoms: the pieces.
        seen: (I, J, K) bool, where the volume was known.
        levels: of every atom and tissue.
        voxels: (I, J, K) corrected voxel by voxel, NaN outside the atoms; None where the levels
            are all there is.
    """

    atoms: Atoms
    seen: NDArray[np.bool_]
    levels: Levels
    voxels: Map | None

    def table(self, names: Iterable[str], divisor: float) -> pd.DataFrame:
        """One row a name, columns ``ROI_COLUMNS``, means divided by ``divisor``."""
        names = list(names)
        sizes = self._sizes()
        rows = [self._row(name, sizes, divisor) for name in names]
        return pd.DataFrame(
            rows, index=pd.Index(names, name="region"), columns=list(ROI_COLUMNS)
        ).astype({"n_voxels": np.int64})

    def reference(self, name: str) -> float:
        """Level of a reference region; NaN where none of it was seen."""
        level, amount = self._level(self.atoms.members[reference_name(name)], self._sizes()[0])
        if name == MIXED:
            white = float(self.atoms.tissues["white"].sum(dtype=np.float64))
            return (level * amount + self.levels.tissues["white"] * white) / (amount + white)
        return level

    def _sizes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Voxels of tissue in every atom, and of them those that were seen."""
        everywhere = np.ones(self.atoms.grid.shape, dtype=np.float32)
        return self.atoms.amounts(everywhere), self.atoms.amounts(self.seen.astype(np.float32))

    def _row(
        self, name: str, sizes: tuple[NDArray[np.float64], NDArray[np.float64]], divisor: float
    ) -> tuple[float, ...]:
        members = self.atoms.members[name]
        whole, seen = (float(size[np.array(members, dtype=int) - 1].sum()) for size in sizes)
        inside = np.isin(self.atoms.of_voxel, members) & (self.atoms.filled > 0.5) & self.seen
        level, _ = self._level(members, sizes[1])
        middle = spread = np.nan
        if self.voxels is not None:
            values = self.voxels[inside].astype(np.float64)
            share = self.atoms.filled[inside].astype(np.float64)
            level = float(np.average(values, weights=share)) if values.size else np.nan
            middle = float(np.median(values)) if values.size else np.nan
            spread = float(values.std()) if values.size else np.nan
        coverage = seen / whole if whole > 0 else np.nan
        volume_ml = whole * self.atoms.grid.voxel_ml
        ratios = (value / divisor for value in (level, middle, spread))
        return (int(inside.sum()), volume_ml, coverage, *ratios)

    def _level(self, members: tuple[int, ...], sizes: NDArray[np.float64]) -> tuple[float, float]:
        """(mean level of these atoms by size, voxels of tissue); NaN where none was seen."""
        rows = np.array(members, dtype=int) - 1
        known = rows[np.isfinite(self.levels.atoms[rows])]
        amount = float(sizes[known].sum())
        if not amount > 0:
            return np.nan, 0.0
        return float(self.levels.atoms[known] @ sizes[known]) / amount, amount
