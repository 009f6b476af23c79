"""How well a score tells one class from the rest: ROC, its area, and the area's uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from tracerless.core.errors import ModelError
from tracerless.statistics.resampling import Interval

Array = NDArray[np.float64]
Called = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DeLong:
    """Areas of k scores on the same rows.

    Args:
        auc: (k,).
        covariance: (k, k) of the areas.
    """

    auc: Array
    covariance: Array

    def combined(self, contrast: Array) -> tuple[float, float]:
        """Value and variance of a weighted sum of the areas, e.g. a mean or a difference."""
        return float(contrast @ self.auc), float(contrast @ self.covariance @ contrast)


def auc(positive: Called, score: Array, weights: Array | None = None) -> Array:
    """Chance that a positive scores above a negative, ties counting half.

    Args:
        positive: (n,).
        score: (n,) higher speaks for positive.
        weights: (k, n) row weights; None weighs every row once.

    Returns:
        (k,) areas, (1,) without weights; NaN where a set of weights leaves one class only.

    Raises:
        ModelError: only one class is there.
    """
    require_both(positive)
    w = np.ones((1, len(score))) if weights is None else weights
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    ill = np.add.reduceat(np.where(positive[order], w[:, order], 0), starts, axis=1)
    well = np.add.reduceat(np.where(positive[order], 0, w[:, order]), starts, axis=1)
    below = np.cumsum(well, axis=1) - well / 2
    pairs = ill.sum(axis=1) * well.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        area: Array = np.where(pairs > 0, (ill * below).sum(axis=1) / pairs, np.nan)
    return area


def influence(positive: Called, scores: Array) -> tuple[Array, Array]:
    """Areas (k,), and how much each row moves each of them (n, k).

    The squares of the second, summed over rows, are DeLong's variance; rows of one person may be
    added first.

    Raises:
        ModelError: fewer than two rows of a class.

    Source:
        DeLong, Comparing the areas under two or more correlated ROC curves, Biometrics 1988;
        mid-rank form of Sun and Xu, IEEE Signal Processing Letters 2014.
    """
    require_both(positive, each=2)
    ill, well = scores[positive], scores[~positive]
    m, n = len(ill), len(well)
    both = rankdata(scores, axis=0)
    above = (both[positive] - rankdata(ill, axis=0)) / n
    below = 1 - (both[~positive] - rankdata(well, axis=0)) / m
    area = above.mean(axis=0)
    moved = np.empty_like(scores, dtype=np.float64)
    moved[positive] = (above - area) / np.sqrt(m * (m - 1))
    moved[~positive] = (below - area) / np.sqrt(n * (n - 1))
    return area, moved


def delong(positive: Called, scores: Array, *, person: Sequence[str] | None = None) -> DeLong:
    """Areas of scores on the same rows, and their covariance.

    Args:
        positive: (n,).
        scores: (n, k) or (n,); higher speaks for positive.
        person: of each row; rows of one person are not independent (Obuchowski 1997). None takes
            every row as a person, which is DeLong 1988.

    Raises:
        ModelError: fewer than two rows of a class.
    """
    columns = scores[:, None] if scores.ndim == 1 else scores
    area, moved = influence(positive, columns)
    return DeLong(area, clustered(moved, person))


def clustered(moved: Array, person: Sequence[str] | None) -> Array:
    """(k, k) covariance from the influence (n, k) of rows, those of one person added first."""
    if person is not None:
        _, number = np.unique(np.asarray(person), return_inverse=True)
        summed = np.zeros((int(number.max()) + 1, moved.shape[1]))
        np.add.at(summed, number, moved)
        moved = summed
    covariance: Array = moved.T @ moved
    return covariance


def auc_interval(
    value: float, variance: float, *, n_smaller: int = 0, level: float = 0.95
) -> Interval:
    """Interval of an area on the logit scale, so that it stays within 0 … 1.

    Args:
        value: the area.
        variance: of it.
        n_smaller: people of the smaller class. A perfect area has no variance; it is bounded by
            what as many hits in a row would prove. 0 gives no bounds.
        level: share of intervals that hold the truth.
    """
    if variance <= 0 or not 0 < value < 1:
        if n_smaller < 1:
            return Interval(value, value, value)
        bound = ((1 - level) / 2) ** (1 / n_smaller)
        return Interval(value, min(value, bound), max(value, 1 - bound))
    z = float(norm.ppf((1 + level) / 2))
    middle = np.log(value / (1 - value))
    half = z * np.sqrt(variance) / (value * (1 - value))
    low, high = 1 / (1 + np.exp(-(middle + np.array([-half, half]))))
    return Interval(value, float(low), float(high))


def difference_interval(
    value: float, variance: float, *, level: float = 0.95
) -> tuple[Interval, float]:
    """Normal interval of a difference, and its two-sided p against 0."""
    if variance <= 0:
        return Interval(value, value, value), 1.0 if value == 0 else 0.0
    error = float(np.sqrt(variance))
    half = float(norm.ppf((1 + level) / 2)) * error
    return Interval(value, value - half, value + half), float(2 * norm.sf(abs(value) / error))


def roc(positive: Called, score: Array) -> tuple[Array, Array, Array]:
    """False-positive share, true-positive share, and the threshold that gives them.

    A row is called positive when its score is at least the threshold; the first is infinite.

    Raises:
        ModelError: only one class is there.
    """
    require_both(positive)
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    true = np.cumsum(positive[order])[last] / positive.sum()
    false = np.cumsum(~positive[order])[last] / (~positive).sum()
    return np.r_[0.0, false], np.r_[0.0, true], np.r_[np.inf, score[order][last]]


def average_precision(positive: Called, score: Array, weights: Array | None = None) -> Array:
    """Area under precision against recall, as a sum of steps.

    Args:
        positive: (n,).
        score: (n,).
        weights: (k, n); None weighs every row once.

    Returns:
        (k,); (1,) without weights; NaN where no positive is left.

    Raises:
        ModelError: only one class is there.
    """
    require_both(positive)
    w = np.ones((1, len(score))) if weights is None else weights
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    called = np.cumsum(w[:, order], axis=1)[:, last]
    hit = np.cumsum(np.where(positive[order], w[:, order], 0), axis=1)[:, last]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(called > 0, hit / called, 0.0)
        gained = np.diff(hit, axis=1, prepend=0) / hit[:, -1:]
    area: Array = np.where(hit[:, -1] > 0, (precision * gained).sum(axis=1), np.nan)
    return area


def youden(positive: Called, score: Array) -> float:
    """Threshold at which sensitivity and specificity add up to most; the highest such.

    Halfway to the next lower score, so that it does not hang on one person.

    Raises:
        ModelError: only one class is there.
    """
    false, true, threshold = roc(positive, score)
    best = int(np.argmax((true - false)[1:])) + 1
    lower = threshold[best + 1] if best + 1 < len(threshold) else threshold[best]
    return float((threshold[best] + lower) / 2)


def rates(positive: Called, called: Called, weights: Array | None = None) -> tuple[Array, Array]:
    """Sensitivity and specificity of calls, each (k,); NaN where a class is empty."""
    w = np.ones((1, len(positive))) if weights is None else weights
    with np.errstate(invalid="ignore", divide="ignore"):
        found = w @ (positive & called) / (w @ positive)
        passed = w @ (~positive & ~called) / (w @ ~positive)
    return found, passed


def require_both(positive: Called, each: int = 1) -> None:
    """Refuse rows of which fewer than ``each`` are positive or negative.

    Raises:
        ModelError: so it is.
    """
    n = int(positive.sum())
    if n < each or len(positive) - n < each:
        raise ModelError(
            f"{n} of {len(positive)} rows are positive; at least {each} of each class are needed.",
            hint="Add people of the rarer class, or leave that class out.",
        )
