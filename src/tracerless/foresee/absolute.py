"""Absolute risk: the chance of dementia, and of death before it, by a number of years."""

import numpy as np

from tracerless.core.norm import Array
from tracerless.core.risk import Hazards
from tracerless.foresee.periods import overlap

_MAX_ETA = 30.0


def risks(hazards: Hazards, x: Array, start: Array, years: Array) -> tuple[Array, Array]:
    """(n, t) chance of dementia, and of death without it, within ``years`` of ``start``.

    Args:
        hazards: of both events.
        x: (n, p) scaled predictors.
        start: (n,) where each person stands on the clock of the hazards.
        years: (t,) horizons.

    Returns:
        NaN where a horizon lies beyond the last edge, or the start before the first.

    Source:
        Cumulative incidence of competing risks (Aalen & Johansen 1978; Benichou & Gail 1990) with
        hazards that are even within a period, so that both chances and the chance to stay free
        sum to 1 exactly.
    """
    a = hazards.dementia * _rate(x @ hazards.dementia_weights)
    b = hazards.death * _rate(x @ hazards.death_weights)
    leave = np.log1p(a + b) if hazards.is_odds else a + b
    share = np.divide(a, a + b, out=np.zeros_like(a), where=a + b > 0)
    found = [_by(leave, share, overlap(start, start + t, hazards.edges)) for t in years]
    dementia = np.stack([each[0] for each in found], axis=1)
    death = np.stack([each[1] for each in found], axis=1)
    outside = start[:, None] + years > hazards.edges[-1] + 1e-9
    outside |= start[:, None] < hazards.edges[0]
    dementia[outside], death[outside] = np.nan, np.nan
    return dementia, death


def _rate(eta: Array) -> Array:
    return np.asarray(np.exp(np.clip(eta, -_MAX_ETA, _MAX_ETA))[:, None], dtype=np.float64)


def _by(leave: Array, share: Array, spent: Array) -> tuple[Array, Array]:
    """(n,) chances of both after the shares (n, k) of the periods that were spent."""
    still = np.exp(-np.cumsum(spent * leave, axis=1))
    before = np.hstack([np.ones((len(still), 1)), still[:, :-1]])
    gone = before - still
    return (gone * share).sum(axis=1), (gone * (1 - share)).sum(axis=1)
