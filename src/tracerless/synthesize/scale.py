"""How wide errors are: at rest, far from the expected map, and where members disagree."""

import numpy as np
from numpy.typing import NDArray

FLOOR_SUVR = 1e-3
_GAINS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_SPREAD_GAINS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)

Array = NDArray[np.float64]
Numbers = NDArray[np.floating]
Gains = tuple[float, float]
"""Shares of a predicted deviation and of the disagreement that add to the error."""


def best_gains(error: Array, base: Array, deviation: Array, spread: Array | None) -> Gains:
    """How much deviation and disagreement add to the error, by the likelihood of normal errors.

    Args:
        error: (n, K) SUVR; NaN where not seen.
        base: (K,) error at rest, SUVR.
        deviation: (n, K) calibrated, from the expected map.
        spread: (n, K) disagreement, SUVR; None or NaN = none.
    """
    has_spread = spread is not None and bool(np.isfinite(spread).any())
    tried = [(g, s) for g in _GAINS for s in (_SPREAD_GAINS if has_spread else (0.0,))]
    return min(tried, key=lambda gains: _misfit(error, scale_of(base, deviation, spread, gains)))


def scale_of(base: Numbers, deviation: Numbers, spread: Numbers | None, gains: Gains) -> Array:
    """(K,) or (n, K) sqrt(base² + (gain deviation)² + (gain spread)²), SUVR."""
    square = base**2 + (gains[0] * deviation) ** 2
    if spread is not None and gains[1]:
        square = square + (gains[1] * np.nan_to_num(spread)) ** 2
    scale: Array = np.sqrt(square)
    return scale


def sizes(error: Array, owner: NDArray[np.intp]) -> tuple[Array, Array]:
    """(K,) root mean square error, and (n, K) that of everyone but the row's own person.

    Args:
        error: (n, K) SUVR; NaN where not seen.
        owner: (n,) whose row, from 0.
    """
    known = np.isfinite(error)
    square = np.where(known, error, 0) ** 2
    own = np.zeros((int(owner.max()) + 1, error.shape[1]))
    count = np.zeros_like(own)
    np.add.at(own, owner, square)
    np.add.at(count, owner, known.astype(np.float64))
    total, n = own.sum(axis=0), count.sum(axis=0)
    whole = np.sqrt(total / np.maximum(n, 1))
    others = np.sqrt(np.maximum(total - own, 0) / np.maximum(n - count, 1))[owner]
    return np.maximum(whole, FLOOR_SUVR), np.maximum(others, FLOOR_SUVR)


def n_seen(values: Numbers, owner: NDArray[np.intp]) -> NDArray[np.int64]:
    """(K,) people of whom a column of (n, K) holds a number; ``owner`` (n,) from 0."""
    seen = np.zeros((int(owner.max()) + 1, values.shape[1]), dtype=bool)
    rows, columns = np.nonzero(np.isfinite(values))
    seen[owner[rows], columns] = True
    return np.asarray(seen.sum(axis=0))


def _misfit(error: Array, scale: Array) -> float:
    """Minus the log-likelihood of normal errors of that scale, the common size fitted."""
    scale = np.broadcast_to(scale, error.shape)
    known = np.isfinite(error)
    z = error[known] / scale[known]
    size = max(float(np.sqrt(np.mean(z**2))), FLOOR_SUVR) if known.any() else 1.0
    return float(np.log(scale[known] * size).mean()) if known.any() else 0.0
