"""How blocks of scans usually are, and how far a scan lies from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import owners
from tracerless.synthesize.expected import half

STATISTICS = ("ways", "rest", "worst")
_N_FOLDS = 5
_MOST_WAYS = 24
_ROWS_A_WAY = 8

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """How blocks of one contrast usually are, in one respect.

    Args:
        mean: (B,).
        ways: (K, B) orthonormal directions in which people differ.
        spreads: (K,) standard deviation along each.
        rest: (B,) standard deviation of what they leave.
    """

    mean: NDArray[np.float32]
    ways: NDArray[np.float32]
    spreads: NDArray[np.float32]
    rest: NDArray[np.float32]

    def left(self, blocks: Array) -> Array:
        """(B,) what the ways do not explain, in standard deviations; NaN stays NaN."""
        gone = np.nan_to_num(blocks - self.mean)
        rest = gone - (self.ways @ gone) @ self.ways
        found: Array = np.where(np.isfinite(blocks), rest / self.rest, np.nan)
        return found

    def statistics(self, blocks: Array) -> Array:
        """(3,) logarithms of the distances along the ways, of the rest, of its worst block."""
        gone = np.nan_to_num(blocks - self.mean)
        amounts = (self.ways @ gone) / self.spreads
        rest = np.abs(self.left(blocks))
        along = float(np.sqrt(np.mean(amounts**2))) if len(amounts) else 1.0
        found = (along, float(np.sqrt(np.nanmean(rest**2))), float(np.nanmax(rest)))
        return np.asarray(np.log(np.maximum(found, 1e-6)))


def left_out(blocks: Array, people: Sequence[Pseudonym]) -> Array:
    """(n, 3) statistics of each session against people of other folds."""
    fold = owners(people)[0] % _N_FOLDS
    found = np.zeros((len(blocks), len(STATISTICS)))
    for each in np.unique(fold):
        usual = usual_of(blocks[fold != each])
        for row in np.flatnonzero(fold == each):
            found[row] = usual.statistics(blocks[row])
    return found


def usual_of(blocks: Array) -> Usual:
    """(n, B) blocks of people; NaN counts as the mean."""
    known = np.isfinite(blocks)
    total = np.where(known, blocks, 0).sum(axis=0)
    mean = total / np.maximum(known.sum(axis=0), 1)
    gone = np.where(known, blocks - mean, 0)
    n = len(gone)
    powers, vectors = np.linalg.eigh(gone @ gone.T)
    count = min(n // _ROWS_A_WAY, _MOST_WAYS)
    kept = [i for i in np.argsort(powers)[::-1][:count] if powers[i] > 1e-9 * powers[-1]]
    ways = half((vectors[:, kept] / np.sqrt(powers[kept])).T @ gone)
    spreads = np.sqrt(powers[kept] / n)
    rest = gone - (gone @ ways.T) @ ways
    size = np.sqrt((rest**2).sum(axis=0) / max(n - len(kept), 1))
    size = np.sqrt((n * size**2 + 10 * np.mean(size**2)) / (n + 10))
    return Usual(half(mean), ways, half(spreads), half(np.maximum(size, 1e-3)))
