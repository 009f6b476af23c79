"""How far a prediction may leave the training mean, learned from people kept out of training."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.core.volume import MR_INPUTS, Contrast

MAX_SLOPE = 1.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """For one set of inputs: SUVR = mean + ``slope`` x (prediction - mean).

    Args:
        slope: 0-``MAX_SLOPE``; 0 = these inputs told nothing, the prediction is the mean.
        skill: 1 - MAE / MAE of the mean over regions, each held-out person predicted with the
            slope of the others; None when too few people were held out.
        n: held-out people.
    """

    slope: float
    skill: float | None
    n: int


UNCALIBRATED = Calibration(1.0, None, 0)


def subsets() -> tuple[tuple[Contrast, ...], ...]:
    """Every non-empty set of inputs, the fullest first."""
    sizes = range(len(MR_INPUTS), 0, -1)
    return tuple(s for n in sizes for s in itertools.combinations(MR_INPUTS, n))


def subset_key(inputs: Sequence[Contrast]) -> str:
    """``T1w+T2w+cbf`` and so on."""
    return "+".join(inputs)


def calibrate(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], people: Sequence[Pseudonym]
) -> Calibration:
    """Least-squares slope of truth on prediction, both as deviations from the training mean.

    A set of inputs that does not beat the mean by more than one standard error over people gets
    slope 0: it may tell nothing, and then its prediction is the mean and never worse.

    Args:
        truth: (N, R) SUVR of the acquired minus the mean, NaN where a region was not seen.
        predicted: (N, R) SUVR of the prediction minus the mean.
        people: whose rows.
    """
    owners = np.array([str(p) for p in people])
    names = np.unique(owners)
    if len(names) < 2:
        return UNCALIBRATED
    known = np.isfinite(truth) & np.isfinite(predicted)
    t, p = np.where(known, truth, 0.0), np.where(known, predicted, 0.0)
    shrunk, gains = np.zeros_like(p), []
    for name in names:
        mine = owners == name
        shrunk[mine] = _slope(t[~mine], p[~mine]) * p[mine]
        gains.append(float((np.abs(t) - np.abs(t - shrunk))[mine].sum()))
    standard_error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5
    slope = _slope(t, p) if np.mean(gains) > standard_error else 0.0
    return Calibration(slope, skill(t, shrunk), len(names))


def skill(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """1 - MAE / MAE of the mean; arguments are deviations from the mean, without NaN."""
    base = float(np.abs(truth).sum())
    return 1 - float(np.abs(truth - predicted).sum()) / base if base > 0 else 0.0


def _slope(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    power = float((predicted**2).sum())
    slope = float((truth * predicted).sum()) / power if power > 0 else 0.0
    return min(max(slope, 0.0), MAX_SLOPE)
