"""Whether PET and MR are of one person: they must agree better than with everybody else's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_PEOPLE = 12
"""Fewer sessions cannot show what agreement is usual."""
TELLING_Z, SHUFFLED_Z = 3.0, 1.0
"""Where the median of own agreements lies below the first, this cohort cannot tell people apart;
below the second nobody agrees with themselves, as if all were shuffled."""
STRANGE_Z, DOUBTFUL_Z = 1.75, 2.25
"""Own agreement below the first is another person's, below the second it is doubted (SD of the
agreements with everybody else's). Measured on simulated people: own pairs 3.2 and above, PET of
somebody else 1.4 and below (96 people, T1w or T2w, see docs/simulator.md)."""
ALIKE = 0.995
"""Correlation of two uptakes, each less the mean of the cohort, that only a copy reaches."""

_FOLDS = 5
_STIFFNESS = 10.0

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How well each MR agrees with each PET.

    Args:
        table: (n, n) correlation over the brain of what MR row i tells of PET and PET column j.
        z: (n,) own agreement against those with others, in their SD.
    """

    table: Array
    z: NDArray[np.float64]

    @property
    def can_tell(self) -> bool:
        """Whether people are told apart in this cohort at all."""
        return bool(np.median(self.z) >= TELLING_Z)

    @property
    def is_shuffled(self) -> bool:
        """Whether hardly anybody agrees with themselves."""
        return bool(np.median(self.z) < SHUFFLED_Z)

    def strange(self) -> list[int]:
        """Whose own agreement is too low."""
        return [int(place) for place in np.flatnonzero(self.z < DOUBTFUL_Z)]

    def better(self, place: int) -> int:
        """Whose PET agrees best with this MR."""
        return int(self.table[place].argmax())


def agreement(mr: Array, pet: Array) -> Agreement:
    """How well everybody's MR agrees with everybody's PET.

    In each voxel, how PET differs from the cohort's mean is regressed on how MR does; what the
    regression says for a person (fitted without them) is compared with every PET. Sulci, atrophy
    and whatever registration left are a person's own, and both pictures show them.

    Args:
        mr: (n, V) one contrast, comparable intensities; NaN where nothing is known.
        pet: (n, V) likewise.
    """
    own_mr, own_pet = _deviation(mr), _deviation(pet)
    told = _unit(_told(own_mr, own_pet))
    table: Array = told @ _unit(own_pet).T
    return Agreement(table, _against_others(table))


def copies(pet: Array) -> list[tuple[int, int]]:
    """Pairs of rows of (n, V) that show the same picture."""
    unit = _unit(_deviation(pet))
    alike = np.triu(unit @ unit.T, 1) > ALIKE
    return [(int(i), int(j)) for i, j in np.argwhere(alike)]


def _told(mr: Array, pet: Array) -> Array:
    """(n, V) what MR says of PET, by voxelwise slopes of people other than those who are told."""
    fold = np.arange(len(mr)) % _FOLDS
    told = np.zeros_like(pet)
    for each in range(_FOLDS):
        others, these = fold != each, fold == each
        slope = (mr[others] * pet[others]).sum(axis=0)
        slope /= (mr[others] ** 2).sum(axis=0) + np.float32(_STIFFNESS)
        told[these] = mr[these] * slope
    return told


def _deviation(values: Array) -> Array:
    """(n, V) less the mean of those who are seen there; 0 where nothing is known."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0)
    mean = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    deviation: Array = np.where(known, filled - mean, 0).astype(np.float32)
    return deviation


def _unit(rows: Array) -> Array:
    """Rows of mean 0 and length 1; a row without spread becomes 0."""
    centered = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centered, axis=1, keepdims=True)
    unit: Array = centered / np.maximum(length, np.float32(1e-6))
    return unit


def _against_others(table: Array) -> NDArray[np.float64]:
    """(n,) the mean over row and column of own agreement in SD of the others'."""
    n = len(table)
    others = np.where(np.eye(n, dtype=bool), np.nan, table.astype(np.float64))
    own = np.diag(table)
    by_row = (own - np.nanmean(others, axis=1)) / np.maximum(np.nanstd(others, axis=1), 1e-6)
    by_column = (own - np.nanmean(others, axis=0)) / np.maximum(np.nanstd(others, axis=0), 1e-6)
    return np.asarray((by_row + by_column) / 2)
