"""What acting on a probability brings: net benefit, and what a call means at a prevalence."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from tracerless.core.errors import ModelError
from tracerless.statistics.discrimination import Called
from tracerless.statistics.resampling import Interval

Array = NDArray[np.float64]


def net_benefit(
    positive: Called, probability: Array, thresholds: Array, weights: Array | None = None
) -> Array:
    """True positives a person, less false positives at the exchange rate of the threshold.

    Args:
        positive: (n,).
        probability: (n,) of being positive; treated from the threshold on.
        thresholds: (t,) each above 0 and below 1.
        weights: (k, n) row weights.

    Returns:
        (t,), or (k, t) with weights.

    Raises:
        ModelError: a threshold is not between 0 and 1.

    Source:
        Vickers and Elkin, Decision curve analysis, Medical Decision Making 2006.
    """
    odds = _odds(thresholds)
    w = np.ones((1, len(positive))) if weights is None else weights
    treated = probability[:, None] >= thresholds[None, :]
    gain = np.where(positive[:, None], 1.0, -odds[None, :])
    benefit: Array = w @ (treated * gain) / w.sum(axis=1, keepdims=True)
    return benefit if weights is not None else benefit[0]


def treat_all(share: float, thresholds: Array) -> Array:
    """Net benefit of treating everybody where ``share`` are positive; (t,).

    Raises:
        ModelError: a threshold is not between 0 and 1.
    """
    benefit: Array = share - (1 - share) * _odds(thresholds)
    return benefit


def predictive_values(
    sensitivity: float,
    specificity: float,
    prevalence: float,
    *,
    n_positive: int,
    n_negative: int,
    level: float = 0.95,
) -> tuple[Interval, Interval]:
    """What a positive and a negative call mean where ``prevalence`` of people are positive.

    Args:
        sensitivity: as measured, 0-1.
        specificity: as measured, 0-1.
        prevalence: between 0 and 1.
        n_positive: positive people behind the sensitivity.
        n_negative: negative people behind the specificity.
        level: share of intervals that hold the truth.

    Returns:
        Positive and negative predictive value. Where a rate is 0 or 1, half a person is added to
        each side for the interval.

    Raises:
        ModelError: prevalence is not between 0 and 1, or a group is empty.

    Source:
        Mercaldo, Confidence intervals for predictive values with an emphasis to case-control
        studies, Statistics in Medicine 2007 (logit intervals).
    """
    if not 0 < prevalence < 1 or n_positive < 1 or n_negative < 1:
        raise ModelError(
            f"Predictive values at prevalence {prevalence:g} from {n_positive} positive and "
            f"{n_negative} negative people; 0 < prevalence < 1 and both groups are needed."
        )
    found = _inside(sensitivity, n_positive)
    passed = _inside(specificity, n_negative)
    odds = prevalence / (1 - prevalence)
    of_positive = odds * found / (1 - passed)
    of_negative = passed / (1 - found) / odds
    spread_found, spread_passed = 1 / n_positive, 1 / n_negative
    wide = (1 - found) / found * spread_found + passed / (1 - passed) * spread_passed
    narrow = found / (1 - found) * spread_found + (1 - passed) / passed * spread_passed
    z = float(norm.ppf((1 + level) / 2))
    exact = (
        _share(sensitivity * prevalence, (1 - specificity) * (1 - prevalence)),
        _share(specificity * (1 - prevalence), (1 - sensitivity) * prevalence),
    )
    return (
        _interval(exact[0], np.log(of_positive), z * np.sqrt(wide)),
        _interval(exact[1], np.log(of_negative), z * np.sqrt(narrow)),
    )


def _odds(thresholds: Array) -> Array:
    if not ((thresholds > 0) & (thresholds < 1)).all():
        raise ModelError("A threshold of a decision lies between 0 and 1.")
    odds: Array = thresholds / (1 - thresholds)
    return odds


def _inside(rate: float, n: int) -> float:
    return rate if 0 < rate < 1 else (rate * n + 0.5) / (n + 1)


def _share(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else float("nan")


def _interval(value: float, middle: float, half: float) -> Interval:
    low, high = 1 / (1 + np.exp(-(middle + np.array([-half, half]))))
    return Interval(value, float(min(low, value)), float(max(high, value)))
