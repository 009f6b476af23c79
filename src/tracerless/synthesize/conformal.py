"""Factors that bring scaled errors to a level: of every region, and in every group of people.

A diagnosis is not known when a prediction is made, so an interval must hold for whichever group a
person belongs to: each region takes the factor of the group that needs the widest. The widest of
many groups would be so by luck alone, so a group counts as wider as far as its people show that it
is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.9
"""Share of regions, and of voxels, of new people that lie inside."""
MIN_PEOPLE = 9
"""Fewer people cannot show a 90 % interval: the largest of them would have to bound it."""
UNKNOWN = "no diagnosis"
"""People whose diagnosis is not known, among others whose is."""
_FLOOR = 1e-6
_STEP = 0.05
_SWAY = LEVEL * (1 - LEVEL)
"""Variance over people of what lies beyond the quantile, of one error each."""
_PRIOR_PEOPLE = 5
"""Few people are taken to err alike in all regions, unless that many more show otherwise."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scaled errors, each |error| / scale.

    Args:
        values: (n, K); NaN where nothing was measured.
        columns: (K,) which region each column belongs to, from 0.
        owner: (n,) whose row, from 0.
        groups: (n,) diagnosis of the row; empty = unknown.
    """

    values: Array
    columns: NDArray[np.intp]
    owner: NDArray[np.intp]
    groups: NDArray[np.str_]

    def part(self, rows: NDArray[np.bool_]) -> "Scores":
        """Some rows of it."""
        return Scores(self.values[rows], self.columns, self.owner[rows], self.groups[rows])

    def of(self, region: int) -> "Scores":
        """The columns of one region."""
        mine = self.columns == region
        return Scores(self.values[:, mine], self.columns[mine], self.owner, self.groups)


@dataclass(frozen=True, slots=True)
class Held:
    """For whom the factors were made.

    Args:
        groups: (name, people) of each group that is held by itself.
        pooled: likewise of those too small for that; they are held together.
    """

    groups: tuple[tuple[str, int], ...] = ()
    pooled: tuple[tuple[str, int], ...] = ()

    @property
    def doubt(self) -> str:
        """A sentence on the groups that are not held by themselves, or nothing."""
        if self.pooled:
            small = ", ".join(f"{name} ({n})" for name, n in self.pooled)
            return (
                f"Intervals are not shown to hold in {small} by themselves: fewer than "
                f"{MIN_PEOPLE} of them were kept apart."
            )
        if not self.groups:
            return (
                "Intervals hold over all people that were kept apart, not in each diagnosis: "
                "theirs were not known."
            )
        if len(self.groups) == 1:
            name, n = self.groups[0]
            return f"Intervals are shown to hold for {name} only ({n} people)."
        return ""


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the share `LEVEL` of scaled errors ends, and how well that is known.

    Args:
        at: logarithm of the quantile; NaN with fewer than three people.
        steepness: how fast it rises with the level.
        sway: variance over people of each one's share of errors beyond it.
        n: people.
    """

    at: float
    steepness: float
    sway: float
    n: int

    @property
    def n_independent(self) -> float:
        """How many people with a single error each tell as much; ``n`` at least.

        Whoever errs in one region may err in all of them, so that many regions are not many people.
        """
        return self.n * max(1.0, _SWAY / self.sway)


def quantile(scores: Array, n: float | None = None) -> float:
    """The conformal quantile of scores at `LEVEL`.

    Args:
        scores: any shape; NaN is left out.
        n: how many people they come from; None = each score is a person's.

    Source:
        Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, J Am Stat Assoc 113:1094; Lee, Barber,
        Willett 2023, arXiv:2306.06342 (several scores a person).
    """
    known = np.sort(scores[np.isfinite(scores)])
    if not len(known):
        return float("nan")
    people = len(known) if n is None else n
    share = min(1.0, (people + 1) / people * LEVEL)
    return float(known[min(int(np.ceil(share * len(known) - 1e-9)), len(known)) - 1])


def factors(scores: Scores, n_regions: int) -> tuple[Array, Held]:
    """(n_regions,) factors that hold `LEVEL` in every region and in every group with enough people.

    Args:
        scores: of people that were kept apart; at least ``MIN_PEOPLE``.
        n_regions: regions from 0; one without a score takes the common factor.

    Source:
        `quantile`. Deviates: people are counted by how alike their regions err (`Tail`); quantiles
        of regions and of groups are drawn to the common one as far as their uncertainty asks.
    """
    regional = _drawn([_tail(scores.of(r)) for r in range(n_regions)], _tail(scores).steepness)
    scaled = scores.values / np.exp(regional)[scores.columns]
    even = Scores(scaled, scores.columns, scores.owner, scores.groups)
    whole, each = _tail(even), [_tail(even.of(r)) for r in range(n_regions)]
    common = np.log(max(quantile(scaled, whole.n_independent), _FLOOR))
    parts, held = _parts(even)
    wider = [np.zeros(n_regions), *(_wider(part, whole, each) for part in parts)]
    return np.exp(regional + common + np.max(wider, axis=0)), held


def _parts(scores: Scores) -> tuple[list[Scores], Held]:
    """The rows of every group that is held by itself, the small ones together."""
    if not (scores.groups != "").any():
        return [], Held()
    groups = np.where(scores.groups == "", UNKNOWN, scores.groups)
    names = sorted(set(groups.tolist()))
    n_of = {name: len(np.unique(scores.owner[groups == name])) for name in names}
    large = [name for name in names if n_of[name] >= MIN_PEOPLE]
    small = [name for name in names if n_of[name] < MIN_PEOPLE]
    parts = [scores.part(groups == name) for name in large]
    if large and small and sum(n_of[name] for name in small) >= MIN_PEOPLE:
        parts.append(scores.part(np.isin(groups, small)))
    held = Held(tuple((g, n_of[g]) for g in large), tuple((g, n_of[g]) for g in small))
    return parts, held


def _wider(part: Scores, whole: Tail, each: Sequence[Tail]) -> Array:
    """(regions,) how much wider than all, in logarithms, one group is shown to be.

    Over all regions, with what its few people add to the conformal level; then region by region.
    """
    mine, steepness = _tail(part), whole.steepness
    shift, variance = mine.at - whole.at, whole.sway * steepness**2 / mine.n
    few = variance / (steepness * (1 - LEVEL))
    over = _believed(shift**2 / variance) * (shift + few) if shift > 0 else 0.0
    own = [_tail(part.of(r)) for r in range(len(each))]
    rest = np.array([o.at - e.at for o, e in zip(own, each, strict=True)]) - shift
    unsure = [e.sway * steepness**2 / max(o.n, 1) for o, e in zip(own, each, strict=True)]
    return over + _drawn_to_zero(rest, np.array(unsure))


def _believed(square: float) -> float:
    """0 within .7 standard errors, 1 from 1.6 on; ``square`` counts them, squared.

    So groups that err alike cost .02 of coverage at most, and one that errs half as much again is
    held from some thirteen people on.
    """
    return float(np.clip((square - 0.5) / 2, 0, 1))


def _tail(scores: Scores) -> Tail:
    """Of everything in the scores, people as the independent unit."""
    known = np.isfinite(scores.values)
    seen = np.bincount(scores.owner, weights=known.sum(axis=1).astype(np.float64))
    n = int((seen > 0).sum())
    if n < 3:
        return Tail(float("nan"), 1.0, _SWAY, n)
    low, at, high = np.log(np.maximum(_quantiles(scores.values[known]), _FLOOR))
    beyond = ((scores.values > np.exp(at)) & known).sum(axis=1)
    share = np.bincount(scores.owner, weights=beyond)[seen > 0] / seen[seen > 0]
    sway = ((n - 1) * float(share.var(ddof=1)) + _PRIOR_PEOPLE * _SWAY) / (n - 1 + _PRIOR_PEOPLE)
    return Tail(float(at), max(float(high - low), _STEP) / (2 * _STEP), sway, n)


def _quantiles(cells: Array) -> Array:
    """(3,) about `LEVEL`; with few cells too, a new one lies below so often."""
    levels = (LEVEL - _STEP, LEVEL, min(LEVEL + _STEP, 1.0))
    return np.asarray(np.quantile(cells, levels, method="weibull"), dtype=np.float64)


def _drawn(found: Sequence[Tail], steepness: float) -> Array:
    """Values drawn to their common mean, the more the less is known of each."""
    values = np.array([each.at for each in found])
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    v = values[known]
    s = np.array([each.sway / max(each.n, 1) for each in found])[known] * steepness**2
    mean = float(np.average(v, weights=1 / s))
    excess = float(((v - mean) ** 2 / s).sum()) - (len(v) - 1)
    between = max(0.0, excess / float((1 / s).sum()))
    drawn = np.full(len(values), mean)
    drawn[known] = mean + (v - mean) * between / (between + s)
    return drawn


def _drawn_to_zero(values: Array, variances: Array) -> Array:
    """Likewise to zero, and to nothing else while they differ no more than luck may make them."""
    known = np.isfinite(values)
    drawn = np.zeros(len(values))
    if known.sum() < 3:
        return drawn
    v, s = values[known], variances[known]
    luck = len(v) + (2 * len(v)) ** 0.5
    between = max(0.0, (float((v**2 / s).sum()) - luck) / float((1 / s).sum()))
    drawn[known] = v * between / (between + s)
    return drawn
