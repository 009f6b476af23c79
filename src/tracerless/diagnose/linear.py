"""Multinomial logistic regression with an elastic net, along a path of penalties."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from tracerless.core.classifier import Linear
from tracerless.core.steps import Array

PENALTIES: tuple[float, ...] = tuple(float(each) for each in np.geomspace(1.0, 0.003, 8))
"""Strong to weak; times the mean log loss of a standardized predictor."""
L1_SHARES = (0.0, 0.5)
"""0 keeps every predictor, 0.5 drops those that add nothing."""
_MAX_STEPS = 500
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Penalty:
    """``strength ((1 - l1_share) / 2 |w|² + l1_share |w|)`` is added to the mean log loss."""

    strength: float
    l1_share: float


def path(x: Array, truth: NDArray[np.intp], weight: Array, n_classes: int) -> Iterator[Linear]:
    """Models in the order of `penalties`, each starting from its stronger neighbor.

    Args:
        x: (n, q) standardized.
        truth: (n,) class.
        weight: (n,) of each row, mean 1.
        n_classes: also those that no row has.
    """
    start: Linear | None = None
    for penalty in penalties():
        if penalty.strength == PENALTIES[0]:
            start = None
        start = fit(x, truth, weight, n_classes, penalty=penalty, start=start)
        yield start


def penalties() -> tuple[Penalty, ...]:
    """The whole grid: for each share of L1, from strong to weak."""
    return tuple(Penalty(each, share) for share in L1_SHARES for each in PENALTIES)


def fit(
    x: Array,
    truth: NDArray[np.intp],
    weight: Array,
    n_classes: int,
    *,
    penalty: Penalty,
    start: Linear | None = None,
    tolerance: float = _TOLERANCE,
) -> Linear:
    """The minimum, by accelerated proximal gradient steps with restarts.

    The intercept is not penalized; with L1 share 0 and two classes it is ridge regression.

    Source:
        Beck and Teboulle, SIAM J Imaging Sci 2009 (FISTA); restarts of O'Donoghue and Candes,
        Found Comput Math 2015.
    """
    n, q = x.shape
    target = np.zeros((n, n_classes))
    target[np.arange(n), truth] = 1.0
    design = np.hstack([x, np.ones((n, 1))])
    weights = (
        np.zeros((q + 1, n_classes))
        if start is None
        else np.vstack([start.coefficients, start.intercept])
    )
    if start is None:
        weights[-1] = np.log(np.maximum(weight @ target, 1e-3) / weight.sum())
    scaled = design.T * (weight / n)
    ridge = np.append(np.full(q, penalty.strength * (1 - penalty.l1_share)), 0.0)[:, None]
    lasso = np.append(np.full(q, penalty.strength * penalty.l1_share), 0.0)[:, None]
    step = 1 / (0.5 * _largest(scaled @ design) + float(ridge.max()))
    ahead, speed = weights, 1.0
    for _ in range(_MAX_STEPS):
        slope = scaled @ (softmax(design @ ahead, axis=1) - target) + ridge * ahead
        moved = ahead - step * slope
        moved = np.sign(moved) * np.maximum(np.abs(moved) - step * lasso, 0)
        change = moved - weights
        if np.abs(change).max() <= tolerance * step**0.5:
            weights = moved
            break
        if ((ahead - moved) * change).sum() > 0:
            speed, faster = 1.0, 1.0
        else:
            faster = (1 + np.sqrt(1 + 4 * speed**2)) / 2
        ahead = moved + (speed - 1) / faster * change
        weights, speed = moved, faster
    return Linear(weights[:-1], weights[-1])


def log_probability(model: Linear, x: Array) -> Array:
    """(n, c) of (n, q) inputs."""
    result: Array = log_softmax(x @ model.coefficients + model.intercept, axis=1)
    return result


def _largest(gram: Array) -> float:
    """Largest eigenvalue of a symmetric matrix, a hair above."""
    return float(np.linalg.eigvalsh(gram)[-1]) * (1 + 1e-6) + 1e-12
