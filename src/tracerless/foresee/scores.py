"""Scores of risks with their intervals: people are drawn again, all draws at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracerless.core.norm import Array
from tracerless.foresee.courses import Courses
from tracerless.foresee.nested import OutOfFold
from tracerless.statistics import censored_scores as of
from tracerless.statistics.calibration import logit
from tracerless.statistics.censored import weights_at
from tracerless.statistics.resampling import Interval, percentile, person_weights

Scored = Callable[[Array, Array | None], Array]
"""From risks (n, t) and weights (k, n) to (k,)."""
_NEWTON = 25
_MAX_ODDS = 30.0
_TINY = 1e-12
_EVEN = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Jury:
    """What was seen of n people, and how often each is drawn.

    Args:
        found: courses.
        horizons: years at which risks are judged.
        main: the horizon that stands for all.
        weights: (k, n) of the bootstrap.
        seen: times and events with the censoring distribution.
    """

    found: Courses
    horizons: tuple[float, ...]
    main: float
    weights: Array
    seen: of.Seen = field(init=False)

    def __post_init__(self) -> None:
        """Estimate who was lost when."""
        object.__setattr__(
            self, "seen", of.seen(self.found.time, self.found.event, self.found.last)
        )


def jury(found: Courses, horizons: tuple[float, ...], main: float, n_draws: int, seed: str) -> Jury:
    """People and their bootstrap; every draw holds as many of each event as there are."""
    names = [str(row) for row in found.rows]
    weights = person_weights(names, n_draws, seed=("risk", seed), strata=found.event)
    return Jury(found, horizons, main, weights)


def judged(told: OutOfFold, by: Jury, metric: str, years: float) -> tuple[Interval, Array]:
    """A score over the repeats with its interval, and its draws (k,); NaN where it means nothing.

    Args:
        told: risks.
        by: people.
        metric: ``c_index``, ``auc_t``, ``brier``, ``ibs``, ``slope``, ``intercept`` or
            ``predicted`` (the mean risk).
        years: the horizon; concordance counts events up to it, ``ibs`` goes from the first time
            to it.
    """
    if metric in {"slope", "intercept", "auc_t", "c_index"} and _is_even(told, years):
        return Interval(float("nan"), float("nan"), float("nan")), np.full(len(by.weights), np.nan)
    score = _score(by, metric, told.times, years)
    values, draws = [], []
    for risks in told.dementia:
        values.append(float(score(risks, None)[0]))
        draws.append(score(risks, by.weights))
    drawn = np.mean(draws, axis=0)
    return percentile(float(np.mean(values)), drawn), drawn


def difference(
    one: tuple[Interval, Array], other: tuple[Interval, Array]
) -> tuple[Interval, float]:
    """How much ``other`` lies above ``one`` on the same draws, and the two-sided p."""
    gap = other[1] - one[1]
    value = other[0].value - one[0].value
    if not np.isfinite(gap).any():
        return Interval(float("nan"), float("nan"), float("nan")), float("nan")
    good = gap[np.isfinite(gap)]
    beyond = min(int((good <= 0).sum()), int((good >= 0).sum()))
    return percentile(value, good), min(2 * (beyond + 1) / (len(good) + 1), 1.0)


def _score(by: Jury, metric: str, times: Array, years: float) -> Scored:
    at = int(np.argmin(np.abs(times - years)))
    makers: Mapping[str, Scored] = {
        "c_index": lambda r, w: of.concordance(by.seen, r[:, at], years, w),
        "auc_t": lambda r, w: of.auc_at(by.seen, r[:, at], years, w),
        "brier": lambda r, w: of.brier_at(by.seen, r[:, at], years, w),
        "ibs": lambda r, w: of.integrated_brier(by.seen, r[:, : at + 1], times[: at + 1], w),
        "slope": lambda r, w: _recalibrated(by, r[:, at], years, w, is_slope=True),
        "intercept": lambda r, w: _recalibrated(by, r[:, at], years, w, is_slope=False),
        "predicted": lambda r, w: _mean(r[:, at], w),
    }
    return makers[metric]


def _mean(risk: Array, weights: Array | None) -> Array:
    rows = np.ones((1, len(risk))) if weights is None else weights
    return np.asarray((rows @ risk) / rows.sum(axis=1), dtype=np.float64)


def _recalibrated(
    by: Jury, risk: Array, years: float, weights: Array | None, *, is_slope: bool
) -> Array:
    """Slope, or intercept at slope 1, of what was seen on the log odds of what was told."""
    known = weights_at(by.seen.time, by.seen.event, years, by.seen.lost)
    case: NDArray[np.bool_] = (by.seen.event == 1) & (by.seen.time <= years)
    rows = known[None, :] if weights is None else weights * known
    intercept, slope = _logistic(case, logit(risk), rows, has_slope=is_slope)
    return slope if is_slope else intercept


def _logistic(
    case: NDArray[np.bool_], odds: Array, rows: Array, *, has_slope: bool
) -> tuple[Array, Array]:
    """(k,) intercept and slope of ``case`` on ``odds`` for each of (k, n) weights, by Newton.

    Without ``has_slope`` the slope stays 1. NaN where a draw has one outcome only.
    """
    a, b = np.zeros(len(rows)), np.ones(len(rows))
    two = ((rows * case).sum(axis=1) > 0) & ((rows * ~case).sum(axis=1) > 0)
    for _ in range(_NEWTON):
        p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * odds, -_MAX_ODDS, _MAX_ODDS)))
        left, bend = rows * (case - p), rows * p * (1 - p)
        g0, g1 = left.sum(axis=1), left @ odds
        h0, h1, h2 = bend.sum(axis=1), bend @ odds, bend @ odds**2
        if has_slope:
            det = np.maximum(h0 * h2 - h1**2, _TINY)
            a, b = a + (h2 * g0 - h1 * g1) / det, b + (h0 * g1 - h1 * g0) / det
        else:
            a = a + g0 / np.maximum(h0, _TINY)
    return np.where(two, a, np.nan), np.where(two, b, np.nan)


def _is_even(told: OutOfFold, years: float) -> bool:
    """Whether everybody of a fold was told the same: no order, no slope."""
    risks, fold = told.at(years)[0], told.fold[0]
    return all(float(np.ptp(risks[fold == part])) < _EVEN for part in np.unique(fold))
