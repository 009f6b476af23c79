"""Slope over many classes, and what carries probabilities to other people."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from tracerless.core.errors import ModelError
from tracerless.statistics.calibration import EDGE, log_loss, separated, solved
from tracerless.statistics.discrimination import clustered
from tracerless.statistics.resampling import Array, Interval

_ROUNDS = 500
_STEPS = 100
_SLOPES = (0.05, 5.0)


def in_the_large(truth: NDArray[np.intp], probability: Array, *, slope: float = 1.0) -> Array:
    """Offsets (c,) of the log probabilities at which each class is foreseen as often as it is.

    Args:
        truth: (n,) index of the class.
        probability: (n, c) of the model.
        slope: what the log probabilities are multiplied with before.

    Raises:
        ModelError: a class has nobody, so that no offset is best.
    """
    n_classes = probability.shape[1]
    seen = np.bincount(truth, minlength=n_classes) / len(truth)
    if not (seen > 0).all():
        raise ModelError(
            f"{int((seen == 0).sum())} of {n_classes} classes have nobody here.",
            hint="Recalibrate on people of every class.",
        )
    offsets = np.zeros(n_classes)
    for _ in range(_ROUNDS):
        step = np.log(seen / updated(probability, offsets, slope=slope).mean(axis=0))
        offsets = offsets + step - step[0]
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(offsets - offsets[0], dtype=np.float64)


def rescaled(truth: NDArray[np.intp], probability: Array) -> tuple[float, Array]:
    """Slope and offsets at which the probabilities fit these people best (least log loss).

    With two classes this is logistic recalibration.

    Raises:
        ModelError: a class has nobody.
    """

    def loss(slope: float) -> float:
        offsets = in_the_large(truth, probability, slope=slope)
        return float(log_loss(truth, updated(probability, offsets, slope=slope))[0])

    found = minimize_scalar(loss, bounds=_SLOPES, method="bounded", options={"xatol": 1e-6})
    return float(found.x), in_the_large(truth, probability, slope=float(found.x))


def common_slope(
    truth: NDArray[np.intp],
    probability: Array,
    *,
    person: Sequence[str] | None = None,
    level: float = 0.95,
) -> Interval:
    """Calibration slope over all classes: one slope of the log probabilities, offsets by class.

    With two classes this is the usual slope of the log odds. Below 1 the model is overconfident.

    Args:
        truth: (n,) index of the class.
        probability: (n, c) of the model.
        person: of each row; rows of one person are not independent (sandwich variance).
        level: share of intervals that hold the truth.

    Raises:
        ModelError: every row has the same probabilities, or these tell the classes apart so well
            that no finite slope is best.

    Source:
        van Hoorde et al., Assessing calibration of multinomial risk prediction models, Statistics
        in Medicine 2014; there each pair of classes has a slope, here all share one.
    """
    logs = np.log(np.clip(probability, EDGE, 1.0))
    n, n_classes = logs.shape
    if np.ptp(logs, axis=0).max() == 0:
        raise ModelError("Every row has the same probability; it has no calibration slope.")
    x = np.zeros((n, n_classes, n_classes))
    x[:, :, 0] = logs
    x[:, np.arange(1, n_classes), np.arange(1, n_classes)] = 1.0
    own = x[np.arange(n), truth]
    at = np.zeros(n_classes)
    for _ in range(_STEPS):
        eta = x @ at
        odds = np.exp(eta - eta.max(axis=1, keepdims=True))
        share = odds / odds.sum(axis=1, keepdims=True)
        mean = np.einsum("nc,ncp->np", share, x)
        bend = np.einsum("nc,ncp,ncq->pq", share, x, x) - mean.T @ mean
        step = solved(bend, (own - mean).sum(axis=0))
        at = at + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            return _wald(at, bend, own - mean, person, level)
    raise separated(n)


def _wald(
    at: Array, bend: Array, pull: Array, person: Sequence[str] | None, level: float
) -> Interval:
    inverse = solved(bend, np.eye(len(bend)))
    covariance = inverse if person is None else clustered(pull @ inverse, person)
    half = float(norm.ppf((1 + level) / 2)) * float(np.sqrt(covariance[0, 0]))
    return Interval(float(at[0]), float(at[0]) - half, float(at[0]) + half)


def updated(probability: Array, offsets: Array, *, slope: float = 1.0) -> Array:
    """(n, c) probabilities whose logs are stretched and shifted."""
    logs = slope * np.log(np.clip(probability, EDGE, 1.0)) + offsets
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    kept: Array = odds / odds.sum(axis=1, keepdims=True)
    return kept
