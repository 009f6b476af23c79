"""Regression that outlying people pull less."""

import numpy as np
from scipy import special

from tracerless.core.norm import Array

TUNING = 1.345
"""95 % as efficient as least squares where nobody is an outlier."""
_STEPS = 60
_CLOSE = 1e-8


def huber(x: Array, y: Array) -> tuple[Array, Array]:
    """Huber's estimate with his second proposal for the spread.

    Args:
        x: (n, p) design.
        y: (n, f) measures; each has its own weights.

    Returns:
        (p, f) coefficients and (f,) standard deviations, consistent for normal errors.

    Source:
        Huber 1981, Robust Statistics, section 7.8 (joint estimation of coefficients and scale).
    """
    n, p = x.shape
    coefficients = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)
    residuals = y - x @ coefficients
    sd = np.maximum(1.4826 * np.median(np.abs(residuals), axis=0), 1e-12)
    for _ in range(_STEPS):
        weight = np.minimum(1, TUNING * sd / np.maximum(np.abs(residuals), 1e-300))
        normal = np.einsum("np,nf,nq->fpq", x, weight, x)
        right = np.einsum("np,nf->fp", x, weight * y)
        solved = np.linalg.solve(normal, right[..., None])[..., 0]
        newer = np.asarray(solved.T, dtype=np.float64)
        residuals = y - x @ newer
        clipped = np.minimum(np.abs(residuals / sd), TUNING)
        sd = sd * np.sqrt((clipped**2).sum(axis=0) / ((n - p) * _expected_square()))
        change = np.abs(newer - coefficients).max()
        coefficients = newer
        if change < _CLOSE * max(float(np.abs(newer).max()), 1e-12):
            break
    return coefficients, np.asarray(sd, dtype=np.float64)


def _expected_square() -> float:
    """Mean of min(|e|, TUNING)² of a standard normal e."""
    inside = 1 - 2 * special.ndtr(-TUNING)
    density = np.exp(-(TUNING**2) / 2) / np.sqrt(2 * np.pi)
    return float(inside - 2 * TUNING * density + 2 * TUNING**2 * special.ndtr(-TUNING))
