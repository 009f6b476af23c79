"""Areas under the curve of every arm on one task, and their differences: what claims rest on.

An arm is what the classifier was shown beside age, sex and schooling.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tracerless.core.errors import ModelError
from tracerless.statistics.resampling import Interval

DEMOGRAPHICS, ACQUIRED, SYNTHETIC = "demographics", "acquired", "synthetic"
MR_ONLY = ("mr", "asl", "mr+asl")
"""Arms of what the synthesizer was shown, without the synthesizer."""


class Verdict(StrEnum):
    """What may be said."""

    NOT_WORSE = "not worse than acquired"
    BETTER = "better than MR only"
    NEITHER = "neither"


class Pair(NamedTuple):
    """Whose area less whose, by arm."""

    arm: str
    against: str


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosed:
    """Areas of every arm on one task, all on the same people and folds.

    Args:
        task: the classes, e.g. ``CN/AD``.
        domain: ``simulated`` or ``acquired``: where the people come from.
        n_people: people.
        areas: by arm; among them `SYNTHETIC` and `ACQUIRED`.
        differences: area of an arm less that of another, paired; as many as `needed` lists.
        knows_cognition: whether the synthesizer was told a cognitive score.

    Raises:
        ModelError: an arm or a difference is missing.
    """

    task: str
    domain: str
    n_people: int
    areas: Mapping[str, Interval]
    differences: Mapping[Pair, Interval]
    knows_cognition: bool = False

    def __post_init__(self) -> None:
        """Check once."""
        for arm in (SYNTHETIC, ACQUIRED, DEMOGRAPHICS):
            if arm not in self.areas:
                raise ModelError(f"Nothing can be claimed of {self.task} without arm {arm!r}.")
        missing = [pair for pair in needed(self.areas) if pair not in self.differences]
        if missing:
            raise ModelError(f"{self.task}: no difference of {' less '.join(missing[0])}.")

    @property
    def rivals(self) -> tuple[str, ...]:
        """Arms of MR alone that were judged."""
        return tuple(arm for arm in MR_ONLY if arm in self.areas)

    @property
    def hardest(self) -> str:
        """The arm of MR alone that the synthetic one is least clearly better than; empty if none.

        The one with the lowest lower bound: to be better than all is to be better than it.
        """
        low = {arm: self.differences[Pair(SYNTHETIC, arm)].low for arm in self.rivals}
        return min(low, key=lambda arm: low[arm]) if low else ""


def needed(arms: Iterable[str]) -> tuple[Pair, ...]:
    """Differences that a claim rests on, of those arms that are there."""
    there = set(arms)
    wanted = (
        Pair(SYNTHETIC, ACQUIRED),
        *(Pair(SYNTHETIC, arm) for arm in MR_ONLY),
        Pair(SYNTHETIC, DEMOGRAPHICS),
        Pair(ACQUIRED, DEMOGRAPHICS),
    )
    return tuple(pair for pair in wanted if set(pair) <= there)


def is_sensitive(found: Diagnosed) -> bool:
    """Whether acquired and synthetic PET are both shown to tell more than the people's own facts.

    A trial that cannot tell a good image from none shows no equality either.

    Source:
        Assay sensitivity in non-inferiority trials, ICH E10 (2000), section 1.5.
    """
    both = (Pair(ACQUIRED, DEMOGRAPHICS), Pair(SYNTHETIC, DEMOGRAPHICS))
    return all(found.differences[pair].low > 0 for pair in both)


def people_needed(found: Diagnosed, margin: float) -> int:
    """People of whom four in five trials would show the margin, were there no difference at all.

    From the spread of the difference that was seen, which falls with the root of the people.
    """
    apart = found.differences[Pair(SYNTHETIC, ACQUIRED)]
    error = (apart.high - apart.low) / (2 * _BOUND)
    return math.ceil(found.n_people * (error * (_BOUND + _POWER) / margin) ** 2)


_BOUND, _POWER = 1.96, 0.84
"""Of the normal distribution: one-sided 2.5 %, and 80 %."""
