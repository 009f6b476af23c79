"""What was measured and what was predicted, people by regions, and draws of these people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import ModelError
from tracerless.statistics.resampling import (
    Interval,
    Resample,
    bca,
    percentile,
    resample,
    wilson,
)

UNKNOWN = "unknown"
"""Group of the people without a diagnosis."""
ALL = "all"
"""Group of everyone; also, in place of a region, all regions together."""
DRAWS = 1000
"""Bootstrap draws of people behind an interval."""

Cells = NDArray[np.float64]
"""(N, R) by session and region, NaN where unknown; or (K, R) by draw and region."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """N sessions by R regions, measured over one atlas and one reference.

    Args:
        regions: keys, R.
        people: (N,) whose row; whole people are resampled.
        groups: (N,) diagnosis, or ``unknown``.
        truth: (N, R) acquired SUVR.
        predicted: (N, R) SUVR by who predicted.
        half_widths: (N, R) SUVR of the intervals, by who predicted; absent where there are none.

    Raises:
        ModelError: arrays of other shapes.
    """

    regions: tuple[str, ...]
    people: tuple[str, ...]
    groups: tuple[str, ...]
    truth: Cells
    predicted: Mapping[str, Cells]
    half_widths: Mapping[str, Cells]

    def __post_init__(self) -> None:
        """Check once, and lock."""
        shape = (len(self.people), len(self.regions))
        arrays = (self.truth, *self.predicted.values(), *self.half_widths.values())
        if any(array.shape != shape for array in arrays):
            shapes = sorted({array.shape for array in arrays})
            raise ModelError(f"A panel of {shape} sessions and regions holds arrays of {shapes}.")
        object.__setattr__(self, "predicted", MappingProxyType(dict(self.predicted)))
        object.__setattr__(self, "half_widths", MappingProxyType(dict(self.half_widths)))

    def rows(self, mine: NDArray[np.bool_]) -> "Panel":
        """The sessions where ``mine`` (N,) is true."""
        at = np.flatnonzero(mine)
        return replace(
            self,
            people=tuple(self.people[i] for i in at),
            groups=tuple(self.groups[i] for i in at),
            truth=self.truth[at],
            predicted={who: each[at] for who, each in self.predicted.items()},
            half_widths={who: each[at] for who, each in self.half_widths.items()},
        )

    def known(self, who: str) -> NDArray[np.bool_]:
        """(N,) sessions of which that one said anything that the truth can be held against."""
        found = np.isfinite(self.predicted[who]) & np.isfinite(self.truth)
        return np.asarray(found.any(axis=1), dtype=np.bool_)

    def by_group(self) -> Iterator[tuple[str, "Panel"]]:
        """Everyone, then each diagnosis."""
        yield ALL, self
        names = np.array(self.groups)
        for group in ordered(self.groups):
            yield group, self.rows(names == group)


def ordered(groups: Sequence[str]) -> tuple[str, ...]:
    """Each group once: diagnoses in the order of `Diagnosis`, unknown last."""
    known = [str(each) for each in Diagnosis if str(each) in set(groups)]
    others = sorted(set(groups) - {*known, UNKNOWN})
    return (*known, *others, *((UNKNOWN,) if UNKNOWN in groups else ()))


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """The same draws of people for every statistic of a panel, so that differences are paired.

    Args:
        sample: weights of the rows, (1 + draws + people, N): all once, draws, everybody but one.
        n_people: distinct people.
    """

    sample: Resample
    n_people: int

    @property
    def weights(self) -> Cells:
        """(K, N) of the rows; a person counts once, however many visits."""
        return self.sample.weights

    def interval(self, found: NDArray[np.float64]) -> Interval:
        """95 % interval of a statistic from its K values; NaN bounds for fewer than three people.

        Bias-corrected and accelerated; the middle of the draws where some of these are undefined.
        """
        value, n = float(found[0]) if self.n_people else float("nan"), self.sample.n_draws
        if self.n_people < 3 or not np.isfinite(value):
            return Interval(value, float("nan"), float("nan"))
        draws, left = found[1 : 1 + n], found[1 + n :]
        if not np.isfinite(left).all():
            return percentile(value, draws)
        return bca(value, draws, left)

    def share(self, found: NDArray[np.float64]) -> Interval:
        """`interval` of a share; Wilson's over people where all of them say the same.

        Draws of people who all say yes never say no: eight of them are not certainty.
        """
        value = float(found[0])
        if value in {0.0, 1.0} and self.n_people >= 3:
            return wilson(value * self.n_people, self.n_people)
        return self.interval(found)


def draws(people: Sequence[str], *seed: str | int, n_draws: int = DRAWS) -> Draws:
    """Draws of whole people; the rows of a person share its weight.

    Args:
        people: (N,) whose row.
        *seed: names of what the draws are for.
        n_draws: bootstrap draws.
    """
    drawn = resample(people, seed=("synthesis", *seed), n_draws=n_draws)
    visits = np.array([people.count(person) for person in people], dtype=np.float64)
    return Draws(Resample(drawn.weights / visits, drawn.n_draws), len(set(people)))
