"""How wide a prediction's 90 % interval is, from people that the predicting weights never saw."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracerless.synthesize.calibration import Calibration

LEVEL = 0.9
"""Share of regions, and of voxels, of new people that lie inside."""
MIN_PEOPLE = 9
"""Fewer people cannot show a 90 % interval: the largest of them would have to bound it."""
_OWN_FROM = 30
"""From so many people on, each region has a quantile of its own; below, all regions share one."""
_GAINS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_FLOOR_SUVR = 1e-3

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """For one set of inputs: half-width = ``factor[r]`` sqrt(``base[r]``² + (``gain`` deviation)²).

    A prediction far from the mean errs more, so its interval is wider; without that the sick would
    be covered less than the well.

    Args:
        regions: keys.
        base: (R,) root mean square error by region, SUVR.
        gain: share of a predicted deviation that adds to the error.
        factor: (R,) what brings these widths to ``LEVEL``.
        voxel_factor: what brings the map of voxel errors to ``LEVEL``.
        n: people behind it.
    """

    regions: tuple[str, ...]
    base: tuple[float, ...]
    gain: float
    factor: tuple[float, ...]
    voxel_factor: float
    n: int

    def half_widths(self, deviation: Array) -> Array:
        """(R,) or (n, R) SUVR, for predicted deviations from the training mean of that shape."""
        width: Array = np.array(self.factor) * _scale(np.array(self.base), self.gain, deviation)
        return width

    def with_voxels(self, factor: float) -> "Interval":
        """The same, with another factor for voxels."""
        return replace(self, voxel_factor=factor)


def interval(
    truth: Array,
    predicted: Array,
    calibration: Calibration,
    *,
    regions: tuple[str, ...],
    voxel_factor: float,
) -> Interval | None:
    """Conformal half-widths by region; None when too few people were predicted.

    Args:
        truth: (n, R) acquired minus mean, SUVR; NaN where a region was not seen.
        predicted: (n, R) predicted minus mean, before calibration.
        calibration: that prediction goes through.
        regions: keys of the columns.
        voxel_factor: as `Interval`.

    Source:
        Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, J Am Stat Assoc 113:1094 (split conformal
        with locally scaled errors).
    """
    if len(truth) < MIN_PEOPLE:
        return None
    deviation = calibration.slope * predicted
    error = truth - deviation
    known = np.isfinite(error)
    square = np.where(known, error, 0) ** 2
    base = np.sqrt(square.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    base = np.maximum(base, _FLOOR_SUVR)
    gain = min(_GAINS, key=lambda each: _misfit(error, _scale(base, each, deviation)))
    score = np.abs(error) / _scale(base, gain, deviation)
    return Interval(
        regions,
        tuple(float(b) for b in base),
        gain,
        tuple(_factors(score)),
        voxel_factor,
        len(truth),
    )


def quantile(scores: Array) -> float:
    """The conformal quantile of (n,) scores at `LEVEL`: the ceil((n + 1) LEVEL)-th smallest."""
    known = np.sort(scores[np.isfinite(scores)])
    at = min(int(np.ceil((len(known) + 1) * LEVEL)), len(known)) - 1
    return float(known[at]) if len(known) else float("nan")


def _factors(score: Array) -> list[float]:
    if len(score) < _OWN_FROM:
        return [quantile(score.ravel())] * score.shape[1]
    return [quantile(column) for column in score.T]


def _scale(base: Array, gain: float, deviation: Array) -> Array:
    scale: Array = np.sqrt(base**2 + (gain * deviation) ** 2)
    return scale


def _misfit(error: Array, scale: Array) -> float:
    """Minus the log-likelihood of normal errors of that scale, the common size fitted."""
    known = np.isfinite(error)
    z = error[known] / scale[known]
    size = np.sqrt(np.mean(z**2))
    return float(np.log(scale[known] * size).mean())
