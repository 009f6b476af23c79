"""Factors that bring scaled errors to a level: of every region, and in every group of people.

A diagnosis is not known when a prediction is made, so an interval must hold for whichever group a
person belongs to: each region takes the factor of the group that needs the widest. Quantiles of few
people are drawn to what the others show, or the widest of many groups would be so by luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.9
"""Share of regions, and of voxels, of new people that lie inside."""
MIN_PEOPLE = 9
"""Fewer people cannot show a 90 % interval: the largest of them would have to bound it."""
_FLOOR = 1e-6
_STEP = 0.05

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
        if not self.pooled:
            return ""
        small = ", ".join(f"{name} ({n})" for name, n in self.pooled)
        return (
            f"Intervals are not shown to hold in {small} by themselves: fewer than {MIN_PEOPLE} "
            "of them were kept apart."
        )


def quantile(scores: Array, n: int | None = None) -> float:
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
    """
    n = len(np.unique(scores.owner))
    common = np.log(max(quantile(scores.values.ravel(), n), _FLOOR))
    regional = _drawn([_log_quantile(scores.of(r)) for r in range(n_regions)])
    parts, held = _parts(scores)
    widest = np.full(n_regions, -np.inf)
    for part, shift in zip(parts, _shifts(scores, parts, regional), strict=True):
        own = [_log_quantile(part.of(r)) for r in range(n_regions)]
        here = regional + shift
        widest = np.maximum(widest, here + _drawn(_minus(own, here), toward_zero=True))
    made = regional if not parts else np.maximum(widest, regional)
    level = common - _log_quantile(scores)[0]
    return np.exp(made + max(level, 0.0)), held


def _parts(scores: Scores) -> tuple[list[Scores], Held]:
    """The rows of every group that is held by itself, the small ones together."""
    names = sorted(set(scores.groups.tolist()) - {""})
    n_of = {name: len(np.unique(scores.owner[scores.groups == name])) for name in names}
    large = [name for name in names if n_of[name] >= MIN_PEOPLE]
    small = [name for name in names if n_of[name] < MIN_PEOPLE]
    parts = [scores.part(scores.groups == name) for name in large]
    if large and small and sum(n_of[name] for name in small) >= MIN_PEOPLE:
        parts.append(scores.part(np.isin(scores.groups, small)))
    held = Held(tuple((g, n_of[g]) for g in large), tuple((g, n_of[g]) for g in small))
    return parts, held


def _shifts(scores: Scores, parts: Sequence[Scores], regional: Array) -> Array:
    """(groups,) how much wider than all, in logarithms, each group is over all regions."""
    if not parts:
        return np.zeros(0)
    scale = np.exp(regional)[scores.columns]
    whole = _log_quantile(_scaled(scores, scale))[0]
    found = [_log_quantile(_scaled(part, scale)) for part in parts]
    return _drawn([(value - whole, variance) for value, variance in found], toward_zero=True)


def _scaled(scores: Scores, scale: Array) -> Scores:
    return Scores(scores.values / scale, scores.columns, scores.owner, scores.groups)


def _minus(found: Sequence[tuple[float, float]], base: Array) -> list[tuple[float, float]]:
    return [(value - at, variance) for (value, variance), at in zip(found, base, strict=True)]


def _log_quantile(scores: Scores) -> tuple[float, float]:
    """Logarithm of the plain quantile, and its variance with people as the independent unit."""
    values = scores.values
    known = np.isfinite(values)
    rows = known.any(axis=1)
    n = len(np.unique(scores.owner[rows]))
    if n < 3:
        return float("nan"), float("inf")
    cells = np.sort(values[known])
    at = _at(cells, LEVEL)
    above = np.bincount(scores.owner, weights=((values > at) & known).sum(axis=1))
    seen = np.bincount(scores.owner, weights=known.sum(axis=1).astype(np.float64))
    share = above[seen > 0] / seen[seen > 0]
    error = max(float(share.std(ddof=1)), 0.3 / n**0.5) / n**0.5
    low, high = (_at(cells, level) for level in (LEVEL - _STEP, min(LEVEL + _STEP, 1.0)))
    steepness = max(np.log(high / low), 0.05) / (2 * _STEP)
    return float(np.log(at)), float((error * steepness) ** 2)


def _at(sorted_cells: Array, level: float) -> float:
    return max(float(sorted_cells[round(level * (len(sorted_cells) - 1))]), _FLOOR)


def _drawn(found: Sequence[tuple[float, float]], *, toward_zero: bool = False) -> Array:
    """Values drawn to their common mean (or to zero), the more the less is known of each."""
    values = np.array([value for value, _ in found])
    variances = np.array([variance for _, variance in found])
    known = np.isfinite(values) & np.isfinite(variances)
    if not known.any():
        return np.zeros(len(values))
    v, s = values[known], variances[known]
    mean = 0.0 if toward_zero else float(np.average(v, weights=1 / s))
    freedom = len(v) - (0 if toward_zero else 1)
    excess = float(((v - mean) ** 2 / s).sum()) - freedom
    between = max(0.0, excess / float((1 / s).sum()))
    drawn = np.full(len(values), mean)
    drawn[known] = mean + (v - mean) * between / (between + s)
    return drawn
