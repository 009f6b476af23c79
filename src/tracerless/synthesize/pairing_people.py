"""Whether PET and MR are of one person: they must agree better than with everybody else's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import owners

LEAST_PEOPLE = 8
"""Fewer people cannot show what agreement is usual."""
STRANGE_Z, DOUBTFUL_Z, OWN_Z = 2.5, 3.5, 4.5
"""Own agreement in SD of the agreements with everybody else's PET. Below the first lie 994 of 1000
strangers, below the second all but 3 in 10,000; above the third is nobody's but one's own."""
LEAST_OWN = 4
MOST_BETWEEN = 0.02
"""Refused is only where own pairs do not lie as low: where so many agreements are surely own ones,
and no more than this share of them is neither surely own nor a stranger's."""
TELLING_Z, SHUFFLED_Z = 3.0, 1.0
"""Else people are doubted where the median of own agreements reaches the first; where it stays
below the second, nobody agrees with themselves, as if all were shuffled."""
ALIKE = 0.995
"""Correlation of two uptakes, each less the mean of the cohort, that only a copy reaches."""

_STIFFNESS = 10.0
_KEPT = 0.2

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How well each MR agrees with each PET.

    Args:
        own: (n,) correlation over the brain of what an MR tells of PET and its own PET.
        others: (n, n) the same of MR row i and PET column j; NaN for two of one person.
        z: (n,) own agreement against those with others, in their SD.
    """

    own: NDArray[np.float64]
    others: NDArray[np.float64]
    z: NDArray[np.float64]

    @property
    def can_refuse(self) -> bool:
        """Whether own pairs and strangers lie so far apart that a stranger is known for one."""
        own = int((self.z >= OWN_Z).sum())
        between = int(((self.z >= STRANGE_Z) & (self.z < OWN_Z)).sum())
        return own >= LEAST_OWN and between <= max(1, MOST_BETWEEN * (own + between))

    @property
    def can_tell(self) -> bool:
        """Whether people are told apart in this cohort at all."""
        return self.can_refuse or bool(np.median(self.z) >= TELLING_Z)

    @property
    def is_shuffled(self) -> bool:
        """Whether hardly anybody agrees with themselves."""
        return not self.can_tell and bool(np.median(self.z) < SHUFFLED_Z)

    def strange(self) -> list[int]:
        """Whose own agreement is too low."""
        limit_z = DOUBTFUL_Z if self.can_refuse else STRANGE_Z
        return [int(place) for place in np.flatnonzero(self.z < limit_z)]

    def is_refused(self, place: int) -> bool:
        """Whether that one agrees no better than strangers, and no own pair does so little."""
        return self.can_refuse and bool(self.z[place] < STRANGE_Z)

    def owner(self, place: int) -> int | None:
        """Whose PET agrees with this MR as only one's own does; None = nobody's."""
        best = int(np.nanargmax(self.others[place]))
        rest = np.delete(self.others[place], best)
        z = (self.others[place, best] - np.nanmean(rest)) / max(float(np.nanstd(rest)), 1e-6)
        return best if z >= OWN_Z and self.others[place, best] > self.own[place] else None


def agreement(mr: Array, pet: Array, people: Sequence[Pseudonym]) -> Agreement:
    """How well everybody's MR agrees with everybody's PET.

    In each voxel, how PET differs from the cohort's mean is regressed on how MR does; what the
    regression says for a person (fitted without them) is compared with every PET. Sulci, atrophy
    and whatever registration left are a person's own, and both pictures show them. What many share
    (a disease, the contrast of a scanner) is made small first: it tells who is alike, not who it
    is.

    Args:
        mr: (n, V) one contrast, comparable intensities; NaN where nothing is known.
        pet: (n, V) likewise.
        people: whose, one a row; sessions of one person are no strangers to each other.
    """
    owner = owners(people)[0]
    own_mr, own_pet = _own(_deviation(mr)), _unit(_own(_deviation(pet)))
    return _against_others(_table(own_mr, own_pet, owner), owner)


def copies(pet: Array) -> list[tuple[int, int]]:
    """Pairs of rows of (n, V) that show the same picture."""
    unit = _unit(_deviation(pet))
    alike = np.triu(unit @ unit.T, 1) > ALIKE
    return [(int(i), int(j)) for i, j in np.argwhere(alike)]


def _table(mr: Array, pet: Array, owner: NDArray[np.intp]) -> NDArray[np.float64]:
    """(n, n) correlation of what MR row i tells of PET and PET column j.

    The voxelwise slopes are those of everybody but the two: whoever took part in the slopes would
    be less, or more, like what they say than a stranger is.

    Args:
        mr: (n, V).
        pet: (n, V) rows of mean 0 and length 1.
        owner: (n,) number of each row's person.
    """
    both, power = (_by_person(mr * each, owner) for each in (pet, mr))
    weight = mr / (power.sum(axis=0) - power[owner] + np.float32(_STIFFNESS))
    told = weight * (both.sum(axis=0) - both[owner])
    is_same = owner[:, None] == owner[None]
    theirs = np.where(is_same, 0, weight @ (pet * both[owner]).T)
    length = np.linalg.norm(told - told.mean(axis=1, keepdims=True), axis=1, keepdims=True)
    table = (told @ pet.T - theirs) / np.maximum(length, 1e-12)
    return np.asarray(table, dtype=np.float64)


def _by_person(values: Array, owner: NDArray[np.intp]) -> Array:
    """(P, V) sums over each person's rows of (n, V)."""
    sums = np.zeros((int(owner.max()) + 1, values.shape[1]), dtype=np.float32)
    np.add.at(sums, owner, values)
    return sums


def _deviation(values: Array) -> Array:
    """(n, V) less the mean of those who are seen there; 0 where nothing is known."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0)
    mean = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    deviation: Array = np.where(known, filled - mean, 0).astype(np.float32)
    return deviation


def _own(deviation: Array) -> Array:
    """(n, V) with every way in which people differ made about equally large (whitened).

    MR and PET are each evened by themselves, so that nothing of who belongs to whom gets in.
    """
    powers, ways = np.linalg.eigh((deviation @ deviation.T).astype(np.float64))
    usual = max(float(powers.mean()), 1e-12)
    evened = np.sqrt(usual / (np.maximum(powers, 0) + _KEPT * usual))
    own: Array = ((ways * evened) @ ways.T).astype(np.float32) @ deviation
    return own


def _unit(rows: Array) -> Array:
    """Rows of mean 0 and length 1; a row without spread becomes 0."""
    centered = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centered, axis=1, keepdims=True)
    unit: Array = centered / np.maximum(length, np.float32(1e-6))
    return unit


def _against_others(table: NDArray[np.float64], owner: NDArray[np.intp]) -> Agreement:
    """The mean over row and column of own agreement in SD of the others'."""
    others = np.where(owner[:, None] == owner[None], np.nan, table)
    own = np.diag(table)
    by_row, by_column = (
        (own - np.nanmean(others, axis=axis)) / np.maximum(np.nanstd(others, axis=axis), 1e-6)
        for axis in (1, 0)
    )
    return Agreement(own, others, (by_row + by_column) / 2)
