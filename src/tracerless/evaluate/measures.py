"""Numbers over people and regions; an erased lesion must cost, a good background must not pay."""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.prediction import Estimate
from tracerless.evaluate.panel import Cells, draws

INTERVAL = (2.5, 97.5)
"""Percentiles of the bootstrap that bound the 95 % interval."""


def skill(truth: Cells, predicted: Cells, mean: Cells) -> float:
    """1 - MAE / MAE of the training mean over all cells; 1 = exact, 0 = no better than the mean.

    A cell counts when all three are known. NaN when the mean is exact or no cell counts.
    """
    error, base = absolute(truth, predicted, mean)
    total = float(np.nansum(base))
    return 1 - float(np.nansum(error)) / total if total > 0 else float("nan")


def absolute(truth: Cells, predicted: Cells, mean: Cells) -> tuple[Cells, Cells]:
    """(error of the prediction, error of the mean), (N, R) SUVR, NaN in the same cells."""
    error, base = np.abs(truth - predicted), np.abs(truth - mean)
    unknown = np.isnan(error) | np.isnan(base)
    return np.where(unknown, np.nan, error), np.where(unknown, np.nan, base)


def covered(truth: Cells, predicted: Cells, half_widths: Cells) -> tuple[float, float]:
    """(share of truths inside the intervals, mean half-width in SUVR); NaN with no interval."""
    known = np.isfinite(truth) & np.isfinite(predicted) & np.isfinite(half_widths)
    if not known.any():
        return float("nan"), float("nan")
    inside = np.abs(truth - predicted)[known] <= half_widths[known]
    return float(inside.mean()), float(half_widths[known].mean())


def skill_over_people(
    error: Cells, base: Cells, people: NDArray[np.str_], *seed: str | int
) -> Estimate:
    """The skill with a 95 % interval from resampling whole people (`panel.Draws`).

    A person with several sessions counts once: its sessions share its weight.

    Args:
        error: (N, R) of the prediction, as ``absolute`` returns it.
        base: (N, R) of the mean.
        people: (N,) whose row.
        *seed: names of what is resampled.

    Returns:
        ``n`` = people; the interval is NaN for fewer than three of them.
    """
    drawn = draws(tuple(map(str, people)), *seed)
    return Estimate(*drawn.interval(skills(error, base, drawn.weights)), drawn.n_people)


def skills(error: Cells, base: Cells, weights: Cells) -> NDArray[np.float64]:
    """(K,) skill by draw of people; NaN where the rival is exact.

    Args:
        error: (N, R) absolute errors, as ``absolute`` returns them.
        base: (N, R) of the rival.
        weights: (K, N) of the sessions.
    """
    mine, theirs = (weights @ np.nansum(each, axis=1) for each in (error, base))
    exact = theirs <= 0
    found: NDArray[np.float64] = np.where(exact, np.nan, 1 - mine / np.where(exact, 1.0, theirs))
    return found


def correlation(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Pearson's r over known pairs; NaN below three, or when one side does not vary."""
    t, p = _known(truth, predicted)
    if len(t) < 3 or min(np.ptp(t), np.ptp(p)) < 1e-9:
        return float("nan")
    return float(np.corrcoef(t, p)[0, 1])


def slope(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Of prediction on truth: 1 = differences between people come out in full, 0 = not at all."""
    t, p = _known(truth, predicted)
    if len(t) < 3 or np.ptp(t) < 1e-9:
        return float("nan")
    centered = t - t.mean()
    return float((centered * (p - p.mean())).sum() / (centered**2).sum())


def _known(
    truth: NDArray[np.float64], predicted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = np.isfinite(truth) & np.isfinite(predicted)
    return truth[known], predicted[known]
