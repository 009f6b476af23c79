"""How acquired and predicted uptake agree over people, for many draws of people at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.evaluate.panel import Cells

LIMITS_SD = 1.96
"""Half-width of the limits of agreement in standard deviations of the difference."""
_LEAST = 3
"""Rows without which there is no spread worth a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of truth t and prediction p over people; every array (K, R) by draw and region.

    Args:
        n: weight of the rows behind a cell.
        bias: mean of p - t, SUVR.
        square_bias: its square; over several regions the mean of their squares.
        var_t, var_p, cov: population variances and covariance, SUVR squared.
        mae: mean of |p - t|, SUVR.
    """

    n: Cells
    bias: Cells
    square_bias: Cells
    var_t: Cells
    var_p: Cells
    cov: Cells
    mae: Cells

    @classmethod
    def of(cls, truth: Cells, predicted: Cells, weights: Cells) -> "Moments":
        """Over the rows that hold both.

        Args:
            truth: (N, R) SUVR; NaN where unknown.
            predicted: likewise.
            weights: (K, N) of the rows.
        """
        known = np.isfinite(truth) & np.isfinite(predicted)
        count = known.sum(axis=0)
        center = np.where(known, truth, 0.0).sum(axis=0) / np.maximum(count, 1)
        t, p = (np.where(known, each - center, 0.0) for each in (truth, predicted))
        n = weights @ known
        n = np.where((n > 0) & (count >= _LEAST), n, np.nan)
        mean_t, mean_p = weights @ t / n, weights @ p / n
        return cls(
            n=n,
            bias=mean_p - mean_t,
            square_bias=(mean_p - mean_t) ** 2,
            var_t=np.maximum(weights @ (t * t) / n - mean_t**2, 0.0),
            var_p=np.maximum(weights @ (p * p) / n - mean_p**2, 0.0),
            cov=weights @ (t * p) / n - mean_t * mean_p,
            mae=weights @ np.abs(t - p) / n,
        )

    def together(self) -> "Moments":
        """All regions as one (K, 1): spreads within regions added up, never between regions.

        So a region's own level, which every predictor knows, makes no agreement.
        """
        return Moments(*(_mean(each) for each in self._arrays()))

    @property
    def slope(self) -> Cells:
        """Of prediction on truth: 1 = differences between people come out in full, 0 = not.

        The best prediction from what MR shows has a slope below 1: the share of the variance that
        MR explains. Noise in the acquired PET lowers it further.
        """
        return _ratio(self.cov, self.var_t)

    @property
    def calibration(self) -> Cells:
        """Slope of truth on prediction: 1 = a difference that is predicted is there, on average."""
        return _ratio(self.cov, self.var_p)

    @property
    def sd_ratio(self) -> Cells:
        """Spread of the predictions between people by that of the truth."""
        return np.sqrt(_ratio(self.var_p, self.var_t))

    def ccc(self) -> Cells:
        """Lin's concordance correlation coefficient.

        Source:
            Lin 1989, Biometrics 45:255.
        """
        return _ratio(2 * self.cov, self.var_t + self.var_p + self.square_bias)

    def icc(self) -> Cells:
        """ICC(2,1): two-way random effects, absolute agreement, single measurement.

        Source:
            Shrout and Fleiss 1979, Psychological Bulletin 86:420; McGraw and Wong's A,1.
        """
        degrees = self.n / np.where(self.n > 1, self.n - 1, np.nan)
        between = degrees * (self.var_t + self.var_p + 2 * self.cov) / 2
        error = degrees * (self.var_t + self.var_p - 2 * self.cov) / 2
        raters = self.n * self.square_bias / 2
        return _ratio(between - error, between + error + 2 * (raters - error) / self.n)

    def limits(self) -> tuple[Cells, Cells]:
        """95 % limits of agreement of p - t, SUVR.

        Over several regions: of one region of one person, whichever it is; regions with biases of
        their own lie farther apart, though their mean bias be 0.

        Source:
            Bland and Altman 1986, Lancet 327:307; for several regions the variances within and
            between are added, as for repeated measurements (2007, J Biopharm Stat 17:571).
        """
        degrees = self.n / np.where(self.n > 1, self.n - 1, np.nan)
        within = np.maximum(self.var_t + self.var_p - 2 * self.cov, 0.0) * degrees
        between = np.maximum(self.square_bias - self.bias**2, 0.0)
        half = LIMITS_SD * np.sqrt(within + between)
        return self.bias - half, self.bias + half

    def _arrays(self) -> tuple[Cells, ...]:
        spreads = (self.var_t, self.var_p, self.cov)
        return (self.n, self.bias, self.square_bias, *spreads, self.mae)


def _mean(values: Cells) -> Cells:
    """(K, R) -> (K, 1) over the regions that are known."""
    known = np.isfinite(values)
    count = known.sum(axis=1, keepdims=True)
    total = np.where(known, values, 0.0).sum(axis=1, keepdims=True)
    mean: Cells = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> Cells:
    """NaN where nothing varies."""
    varies = below > 1e-12
    ratio: Cells = np.where(varies, above / np.where(varies, below, 1.0), np.nan)
    return ratio
