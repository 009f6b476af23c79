"""Numbers of one model from its out-of-fold answers, each with an interval over people."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.diagnose.assess_judged import Judged, smallest
from tracerless.statistics import calibration, discrimination
from tracerless.statistics.calibration_update import common_slope
from tracerless.statistics.resampling import Array, Interval, Resample, wilson

SMALL = 100
"""With fewer people an interval is the wider of two methods, and no split is shown alone."""
_STILL = 0.05
"""A model whose log odds vary less has no slope."""
_NOTHING = Interval(float("nan"), float("nan"), float("nan"))


def auc_moved(one: Judged) -> tuple[float, Array]:
    """Area, and how much each row moves it (n,): mean over repeats and the classes shown."""
    areas, moves = [], []
    for number in one.shown:
        scores = one.probability[:, :, number].T
        area, moved = discrimination.influence(one.truth == number, scores)
        areas.append(area.mean())
        moves.append(moved.mean(axis=1))
    return float(np.mean(areas)), np.asarray(np.mean(moves, axis=0))


def auc_delong(one: Judged) -> Interval:
    """Area with DeLong's interval, rows of one person taken together."""
    area, moved = auc_moved(one)
    variance = float(discrimination.clustered(moved[:, None], one.person)[0, 0])
    return discrimination.auc_interval(area, variance, n_smaller=int(smallest(one)))


def _auc(one: Judged, weights: Array) -> Array:
    each = [
        discrimination.auc(one.truth == number, probability[:, number], weights)
        for probability in one.probability
        for number in one.shown
    ]
    return np.asarray(np.mean(each, axis=0))


def _balanced(one: Judged, weights: Array) -> Array:
    found = [_found(one.truth, called, weights, len(one.classes)) for called in one.called]
    return np.asarray(np.mean(found, axis=0).mean(axis=1))


def _found(
    truth: NDArray[np.intp], called: NDArray[np.intp], weights: Array, n_classes: int
) -> Array:
    """(k, classes) share of each class that is called so."""
    own = np.eye(n_classes)[truth]
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = (weights @ (own * (called == truth)[:, None])) / (weights @ own)
    return found


def _sensitivity(one: Judged, weights: Array) -> Array:
    every = [discrimination.rates(one.positive, called != 0, weights)[0] for called in one.called]
    return np.asarray(np.mean(every, axis=0))


def _specificity(one: Judged, weights: Array) -> Array:
    every = [discrimination.rates(one.positive, called != 0, weights)[1] for called in one.called]
    return np.asarray(np.mean(every, axis=0))


def _precision(one: Judged, weights: Array) -> Array:
    every = [
        discrimination.average_precision(one.positive, each, weights) for each in one.suspicion
    ]
    return np.asarray(np.mean(every, axis=0))


def _brier(one: Judged, weights: Array) -> Array:
    every = [calibration.brier(one.truth, each, weights) for each in one.probability]
    return np.asarray(np.mean(every, axis=0))


def _log_loss(one: Judged, weights: Array) -> Array:
    every = [calibration.log_loss(one.truth, each, weights) for each in one.probability]
    return np.asarray(np.mean(every, axis=0))


def _ece(one: Judged, weights: Array) -> Array:
    every = [
        calibration.ece(one.truth == number, probability[:, number], weights=weights)
        for probability in one.probability
        for number in one.shown
    ]
    return np.asarray(np.mean(every, axis=0))


BOOTSTRAPPED: Mapping[str, Callable[[Judged, Array], Array]] = {
    "auc": _auc,
    "balanced_accuracy": _balanced,
    "average_precision": _precision,
    "brier": _brier,
    "log_loss": _log_loss,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
}
"""Measures whose interval comes of drawing people; from (answers, row weights (k, n)) to (k,)."""


_RATES = ("sensitivity", "specificity", "balanced_accuracy")


def performance(every: Sequence[Judged], drawn: Resample) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All measures of all models.

    Args:
        every: on the same rows.
        drawn: of their people.

    Returns:
        Table ``performance``, and the bootstrap interval of the areas beside DeLong's, which
        stands in the first table (columns arm, model, value, low, high).
    """
    rows: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for one in every:
        found = measured(one, drawn)
        beside.append(_row(one, "auc", found["auc"]))
        found["auc"] = auc_delong(one)
        if len(set(one.person)) < SMALL:
            found["auc"] = _wider(found["auc"], Interval(*_bounds(beside[-1])))
        rows += [_row(one, name, interval) for name, interval in found.items()]
    columns = ["arm", "model", "metric", "value", "low", "high"]
    return (
        pd.DataFrame(rows, columns=columns),
        pd.DataFrame(beside, columns=columns).drop(columns="metric"),
    )


def measured(one: Judged, drawn: Resample) -> dict[str, Interval]:
    """Every measure of one model; NaN where it cannot be had."""
    found = {name: _interval(one, drawn, how) for name, how in BOOTSTRAPPED.items()}
    error = drawn.centered(lambda weights: _ece(one, weights))
    found["ece"] = Interval(error.value, max(error.low, 0.0), error.high)
    for name, n in zip(_RATES, _sizes(one), strict=True):
        found[name] = _bounded(found[name], n)
    found["slope"], found["intercept"] = slopes(one)
    return found


def _sizes(one: Judged) -> tuple[int, int, int]:
    """Rows behind each of the rates."""
    return int(one.positive.sum()), int((~one.positive).sum()), smallest(one)


def _bounded(found: Interval, n: int) -> Interval:
    """A rate of 0 or 1 never varies over draws; as a share of n people it does."""
    return wilson(found.value * n, n) if found.low == found.high else found


def slopes(one: Judged) -> tuple[Interval, Interval]:
    """Calibration slope over all classes, and intercept of being positive.

    Means over repeats; the width is that of one repeat, since repeats share their people.
    """
    if np.std(calibration.logit(one.suspicion[0])) < _STILL:
        return _NOTHING, _NOTHING
    slope = [_tried(common_slope, one.truth, each, one.person) for each in one.probability]
    large = [
        _tried(calibration.large, one.positive, calibration.logit(each), one.person)
        for each in one.suspicion
    ]
    return Interval(*np.mean(slope, axis=0)), Interval(*np.mean(large, axis=0))


def _tried(
    measure: Callable[..., Interval], truth: NDArray[Any], said: Array, person: Sequence[str]
) -> Interval:
    """NaN where the probabilities tell the classes apart so well that nothing finite is best."""
    try:
        return measure(truth, said, person=person)
    except ModelError:
        return _NOTHING


def _interval(one: Judged, drawn: Resample, how: Callable[[Judged, Array], Array]) -> Interval:
    return drawn.interval(lambda weights: how(one, weights))[0]


def _wider(one: Interval, other: Interval) -> Interval:
    return Interval(one.value, min(one.low, other.low), max(one.high, other.high))


def _row(one: Judged, metric: str, found: Interval) -> dict[str, Any]:
    return {"arm": one.arm, "model": one.model, "metric": metric, **found._asdict()}


def _bounds(row: Mapping[str, Any]) -> tuple[float, float, float]:
    return row["value"], row["low"], row["high"]
