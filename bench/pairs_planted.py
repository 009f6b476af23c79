"""PET given to somebody else, among looks that were taken once; and how many of them are found."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.volume import Contrast
from tracerless.synthesize.pairing import Look, judged
from tracerless.synthesize.pairing_finding import REFUSE, PairFinding

BLOCK = 0.6
"""Share of a table that is moved by a row."""
ALIKE = 8
"""Of so many people, at most two are exchanged with somebody like them, so 1 in 4."""
ALIKE_YEARS = 1.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Right and wrong pairs, how many of them are refused, and how many refused or doubted."""

    right: int = 0
    right_refused: int = 0
    right_listed: int = 0
    wrong: int = 0
    wrong_refused: int = 0
    wrong_listed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Of a table's row."""
        right, wrong = f"of {self.right:,}", f"of {self.wrong:,}"
        told = (f"{self.wrong_refused} {wrong}", f"{self.wrong_listed} {wrong}")
        return (
            f"{self.right_refused} {right}",
            f"{self.right_listed} {right}",
            *(told if self.wrong else ("", "")),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A cohort, and which of its sessions have the wrong PET."""

    looks: Sequence[Look]
    wrong: frozenset[SessionKey] = frozenset()

    def judged(self, kind: str) -> Tally:
        """How many of them one kind of finding names."""
        return tally(self.looks, judged(self.looks), kind, self.wrong)


def tally(
    looks: Sequence[Look],
    findings: Iterable[PairFinding],
    kind: str = "",
    wrong: Set[SessionKey] = frozenset(),
) -> Tally:
    """Sessions whose PET is refused or listed, by one kind of finding; without a kind, by any.

    A PET that is right although an MR contrast is found to be a stranger's does not count.
    """
    told = [f for f in findings if not kind or (f.kind, f.contrast) == (kind, Contrast.FDG)]
    listed = {each.key for each in told}
    refused = {each.key for each in told if each.verdict == REFUSE}
    right = {each.key for each in looks} - wrong
    return Tally(
        len(right), len(right & refused), len(right & listed),
        len(wrong), len(wrong & refused), len(wrong & listed),
    )  # fmt: skip


def exchanged(looks: Sequence[Look], chosen: NDArray[np.intp]) -> Planted:
    """The PET of each chosen one goes to the next of them, that of the last to the first."""
    return _given(looks, np.roll(chosen, 1), chosen)


def block(looks: Sequence[Look]) -> Planted:
    """From a third of the table on, the PET of each row stands a row further down."""
    start = len(looks) // 3
    return exchanged(looks, np.arange(start, start + int(BLOCK * len(looks))))


def alike(looks: Sequence[Look], facts: Mapping[Pseudonym, PersonFacts]) -> Planted:
    """Two and two exchanged who have one sex, one diagnosis, and about one age."""
    used: list[int] = []
    for i, j in np.argwhere(np.triu(np.ones((len(looks), len(looks))), 1)).tolist():
        if len(used) >= 2 * (len(looks) // ALIKE):
            break
        if not {i, j} & set(used) and _alike(*(facts.get(looks[k].key.person) for k in (i, j))):
            used += [i, j]
    chosen = np.array(used, dtype=np.intp)
    return _given(looks, chosen.reshape(-1, 2)[:, ::-1].ravel(), chosen)


def _alike(one: PersonFacts | None, other: PersonFacts | None) -> bool:
    if one is None or other is None or not one.sex or not one.diagnosis:
        return False
    is_same = (one.sex, one.diagnosis) == (other.sex, other.diagnosis)
    return is_same and abs(one.age - other.age) <= ALIKE_YEARS


def _given(looks: Sequence[Look], source: NDArray[np.intp], target: NDArray[np.intp]) -> Planted:
    """The PET of ``source`` goes to ``target``, place by place."""
    made = list(looks)
    for giver, taker in zip(source.tolist(), target.tolist(), strict=True):
        theirs = looks[giver]
        made[taker] = replace(
            looks[taker],
            maps={**looks[taker].maps, Contrast.FDG: theirs.maps[Contrast.FDG]},
            digests={**looks[taker].digests, Contrast.FDG: theirs.digests[Contrast.FDG]},
        )
    return Planted(made, frozenset(looks[taker].key for taker in target.tolist()))
