"""Probabilities that mean what they say, from rows that the model never saw."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from tracerless.core.classifier import Calibration
from tracerless.core.steps import Array
from tracerless.diagnose.descend import descend

_PRIOR = 1.0
"""Standard deviation of the log slope and of each offset before any row is seen."""


def fit_calibration(log_probability: Array, truth: NDArray[np.intp]) -> Calibration:
    """One slope (temperature) and an offset for each class, by penalized likelihood.

    Args:
        log_probability: (n, c) of held-out rows.
        truth: (n,).

    Source:
        Platt 1999 and Guo et al., ICML 2017, in one: with two classes it is Platt's scaling. The
        normal prior (SD 1) on log slope and offsets keeps small samples near what the model said.
    """
    n, n_classes = log_probability.shape
    target = np.zeros((n, n_classes))
    target[np.arange(n), truth] = 1.0

    def loss(flat: Array) -> tuple[float, Array]:
        slope = np.exp(flat[0])
        logs = log_softmax(slope * log_probability + flat[1:], axis=1)
        off = (np.exp(logs) - target) / n
        value = -float((target * logs).sum()) / n + float(flat @ flat) / (2 * _PRIOR**2 * n)
        gradient = np.append(slope * (off * log_probability).sum(), off.sum(axis=0))
        return value, gradient + flat / (_PRIOR**2 * n)

    found = descend(loss, np.zeros(n_classes + 1), tolerance=1e-10)
    return Calibration(float(np.exp(found[0])), found[1:] - found[1:].mean())


def uncalibrated(n_classes: int) -> Calibration:
    """Leaves probabilities as they are."""
    return Calibration(1.0, np.zeros(n_classes))


def calibrated(calibration: Calibration, log_probability: Array) -> Array:
    """(n, c) probabilities that sum to 1."""
    scaled = calibration.slope * log_probability + calibration.offsets
    result: Array = softmax(scaled, axis=1)
    return result


def youden(ill: NDArray[np.bool_], probability: Array) -> float:
    """The threshold with the largest sum of sensitivity and specificity; NaN with one class only.

    Args:
        ill: (n,).
        probability: (n,); called ill from the threshold on.
    """
    n_ill, n_well = int(ill.sum()), int((~ill).sum())
    if not n_ill or not n_well:
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    gain = np.cumsum(np.where(ill[order], 1 / n_ill, -1 / n_well))
    sorted_p = probability[order]
    last_of_ties = np.append(sorted_p[1:] != sorted_p[:-1], True)
    best = int(np.argmax(np.where(last_of_ties, gain, -np.inf)))
    return float(sorted_p[best])
