"""How true probabilities are: scores, slope and intercept, reliability."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from tracerless.core.errors import ModelError
from tracerless.statistics.discrimination import Called, clustered, require_both
from tracerless.statistics.resampling import Interval, wilson

Array = NDArray[np.float64]

EDGE = 1e-6
"""Probabilities nearer to 0 or 1 are taken as this far away where a logarithm is needed."""
_STEPS = 60
_FAR = 30.0


def logit(probability: Array) -> Array:
    """Log odds, kept finite by `EDGE`."""
    kept = np.clip(probability, EDGE, 1 - EDGE)
    odds: Array = np.log(kept) - np.log1p(-kept)
    return odds


def brier(truth: NDArray[np.int_], probability: Array, weights: Array | None = None) -> Array:
    """Mean squared error of probabilities, half the sum over the classes: 0 best, 1 worst.

    Args:
        truth: (n,) class numbers.
        probability: (n, c).
        weights: (k, n); None weighs every row once.

    Returns:
        (k,); (1,) without weights. With two classes this is the usual mean of ``(p - y)²``.
    """
    missed = probability - np.eye(probability.shape[1])[truth]
    return _mean((missed**2).sum(axis=1) / 2, weights)


def log_loss(truth: NDArray[np.int_], probability: Array, weights: Array | None = None) -> Array:
    """Mean negative log of the probability of what was true; same shapes as `brier`."""
    given = probability[np.arange(len(truth)), truth]
    return _mean(-np.log(np.clip(given, EDGE, 1.0)), weights)


def recalibration(
    positive: Called,
    odds: Array,
    *,
    weight: Array | None = None,
    fixed_slope: float | None = None,
) -> tuple[float, float]:
    """Intercept and slope that make log odds true: ``logit(truth) = intercept + slope odds``.

    Args:
        positive: (n,).
        odds: (n,) log odds of the model.
        weight: (n,) row weights.
        fixed_slope: keep the slope there and fit the intercept alone (calibration in the large).

    Raises:
        ModelError: only one class is there, or the odds separate the classes, so that no finite
            slope is best.

    Source:
        Cox, Two further applications of a model for binary regression, Biometrika 1958.
    """
    found, _ = _fitted(positive, odds, weight, fixed_slope)
    return float(found[0]), float(found[1] if fixed_slope is None else fixed_slope)


def slope_intercept(
    positive: Called, odds: Array, *, person: Sequence[str] | None = None, level: float = 0.95
) -> tuple[Interval, Interval]:
    """Calibration slope, and calibration in the large (intercept at slope 1), with their bounds.

    Args:
        positive: (n,).
        odds: (n,) log odds of the model.
        person: of each row; rows of one person are not independent (sandwich variance). None takes
            every row as a person (Wald).
        level: share of intervals that hold the truth.

    Raises:
        ModelError: as of `recalibration`.
    """
    slope = _interval(positive, odds, None, person, level)
    return slope, large(positive, odds, person=person, level=level)


def large(
    positive: Called, odds: Array, *, person: Sequence[str] | None = None, level: float = 0.95
) -> Interval:
    """Calibration in the large: the intercept at slope 1, above 0 where too little is foreseen.

    Arguments and errors as of `slope_intercept`.
    """
    return _interval(positive, odds, 1.0, person, level)


def _interval(
    positive: Called,
    odds: Array,
    fixed_slope: float | None,
    person: Sequence[str] | None,
    level: float,
) -> Interval:
    """Of the last coefficient: slope, or intercept where the slope is fixed."""
    at, covariance = _fitted(positive, odds, None, fixed_slope)
    if person is not None:
        moved = _moved(positive, odds, at, covariance, fixed_slope)
        covariance = clustered(moved, person)
    half = float(norm.ppf((1 + level) / 2)) * float(np.sqrt(covariance[-1, -1]))
    return Interval(float(at[-1]), float(at[-1]) - half, float(at[-1]) + half)


def ece(
    positive: Called, probability: Array, n_bins: int = 10, weights: Array | None = None
) -> Array:
    """Expected calibration error: |observed - predicted| over bins of equal size, by their share.

    Args:
        positive: (n,).
        probability: (n,) of being positive.
        n_bins: bins; ties share one.
        weights: (k, n); bins stay those of all rows.

    Returns:
        (k,); (1,) without weights.
    """
    w = np.ones((1, len(positive))) if weights is None else weights
    member = _members(probability, n_bins)
    gap = w @ (member * (probability - positive)[:, None])
    error: Array = np.abs(gap).sum(axis=1) / w.sum(axis=1)
    return error


def reliability(positive: Called, probability: Array, n_bins: int = 10) -> pd.DataFrame:
    """Observed against predicted share over bins of equal size, with Wilson intervals.

    Returns:
        Columns ``predicted``, ``observed``, ``low``, ``high``, ``n``; one row a bin.
    """
    rows = []
    for inside in _members(probability, n_bins).T:
        share = wilson(float(positive[inside].sum()), int(inside.sum()))
        rows.append((float(probability[inside].mean()), *share, int(inside.sum())))
    return pd.DataFrame(rows, columns=["predicted", "observed", "low", "high", "n"])


def _members(probability: Array, n_bins: int) -> NDArray[np.bool_]:
    """(n, bins) which rows are in which bin; equal probabilities are in one bin."""
    order = np.argsort(probability, kind="stable")
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order)) * n_bins // len(order)
    _, level = np.unique(probability, return_inverse=True)
    first = np.full(int(level.max()) + 1, n_bins)
    np.minimum.at(first, level, place)
    bins = first[level]
    return np.asarray(bins[:, None] == np.unique(bins)[None, :])


def _fitted(
    positive: Called, odds: Array, weight: Array | None, fixed_slope: float | None
) -> tuple[Array, Array]:
    """Coefficients and their covariance by Newton's method."""
    require_both(positive)
    if fixed_slope is None and np.ptp(odds) == 0:
        raise ModelError("Every row has the same probability; it has no calibration slope.")
    w = np.ones(len(odds)) if weight is None else weight
    ones = np.ones(len(odds))
    x = np.column_stack([ones, odds]) if fixed_slope is None else ones[:, None]
    offset = 0.0 if fixed_slope is None else fixed_slope * odds
    at = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        expected = 1 / (1 + np.exp(-np.clip(x @ at + offset, -_FAR, _FAR)))
        bend = x.T @ (x * (w * expected * (1 - expected))[:, None])
        step = solved(bend, x.T @ (w * (positive - expected)))
        at = np.asarray(at + np.clip(step, -2, 2), dtype=np.float64)
        if np.abs(step).max() < 1e-10:
            return at, solved(bend, np.eye(len(bend)))
    raise separated(len(odds))


def _moved(
    positive: Called, odds: Array, at: Array, covariance: Array, fixed_slope: float | None
) -> Array:
    """(n, p) how much each row moves the coefficients."""
    ones = np.ones(len(odds))
    x = np.column_stack([ones, odds]) if fixed_slope is None else ones[:, None]
    offset = 0.0 if fixed_slope is None else fixed_slope * odds
    expected = 1 / (1 + np.exp(-np.clip(x @ at + offset, -_FAR, _FAR)))
    moved: Array = (x * (positive - expected)[:, None]) @ covariance
    return moved


def solved(bend: Array, slope: Array) -> Array:
    """Newton's step.

    Raises:
        ModelError: the curvature vanished, as when the rows are told apart without an error.
    """
    try:
        return np.asarray(np.linalg.solve(bend, slope), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise separated(0) from None


def separated(n: int) -> ModelError:
    """The refusal of a fit that has no best slope, over ``n`` rows; 0 when that is not known."""
    return ModelError(
        f"The log odds tell the {f'{n} ' if n else ''}rows apart so well that no calibration slope "
        "is best.",
        hint="Evaluate on more people.",
    )


def _mean(values: Array, weights: Array | None) -> Array:
    w = np.ones((1, len(values))) if weights is None else weights
    mean: Array = w @ values / w.sum(axis=1)
    return mean
