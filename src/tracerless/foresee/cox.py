"""Proportional rates with a ridge: Efron's partial likelihood, late entry, baseline by period."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.norm import Array
from tracerless.foresee.periods import levels, overlap

_STEPS = 30
_CLOSE = 1e-9
_MAX_ETA = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """Observation of n people: from ``entry`` to ``time``, which ended in the event or did not."""

    entry: Array
    time: Array
    is_event: NDArray[np.bool_]

    def taken(self, rows: NDArray[np.intp]) -> "Spells":
        """Some of the people; an index may come twice."""
        return Spells(self.entry[rows], self.time[rows], self.is_event[rows])


@dataclass(frozen=True, slots=True, eq=False)
class _Ties:
    """One term of Efron's product for each event: its time and the share of ties already gone."""

    events: NDArray[np.intp]
    time: Array
    share: Array


def fit(x: Array, spells: Spells, penalty: Array, start: Array | None = None) -> Array:
    """Weights that maximize the partial likelihood less ``penalty @ weights**2 / 2``.

    Args:
        x: (n, p) scaled predictors.
        spells: of the same people.
        penalty: (p,) ridge of each weight, above 0.
        start: (p,) to begin from; None begins at 0.

    Source:
        Efron 1977 for ties; Newton's method with halved steps. The information is built from two
        matrix products, so that its cost grows with people and events, not with their product.
    """
    weights = np.zeros(x.shape[1]) if start is None else start.copy()
    if not spells.is_event.any():
        return np.zeros(x.shape[1])
    ties = _ties(spells)
    value = _penalized(x, spells, ties, weights, penalty)
    for _ in range(_STEPS):
        gradient, information = _slopes(x, spells, ties, weights)
        gradient -= penalty * weights
        step: Array = np.linalg.solve(information + np.diag(penalty), gradient).astype(np.float64)
        weights, better = _line(x, spells, ties, (weights, value, step), penalty)
        if better - value < _CLOSE * (1 + abs(value)):
            break
        value = better
    return weights


def log_likelihood(x: Array, spells: Spells, weights: Array) -> float:
    """Efron's log partial likelihood."""
    ties = _ties(spells)
    eta = _eta(x, weights)
    total, tied = _sums(np.exp(eta)[:, None], spells, ties)
    left = (total - ties.share[:, None] * tied)[:, 0]
    return float(eta[ties.events].sum() - np.log(left).sum())


def baseline(x: Array, spells: Spells, weights: Array, edges: Array) -> Array:
    """(k,) hazard of each period for a person with every predictor at 0.

    Events over exposure, given the weights: the most likely hazards that are even within a period.
    Periods with too few events share one hazard with their neighbors (`periods.levels`); the last
    one is carried on.
    """
    at = np.searchsorted(edges, spells.time[spells.is_event], side="left") - 1
    at = np.clip(at, 0, len(edges) - 2)
    events = np.bincount(at, minlength=len(edges) - 1).astype(np.float64)
    spent = np.exp(_eta(x, weights)) @ overlap(spells.entry, spells.time, edges)
    level = levels(events)
    total, exposure = np.bincount(level, weights=events), np.bincount(level, weights=spent)
    rates = np.divide(total, exposure, out=np.zeros(len(total)), where=exposure > 0)
    return np.asarray(rates[level], dtype=np.float64)


def _line(
    x: Array,
    spells: Spells,
    ties: _Ties,
    at: tuple[Array, float, Array],
    penalty: Array,
) -> tuple[Array, float]:
    """The first of ever shorter steps that is an ascent; the old place where none is."""
    weights, value, step = at
    for halving in range(12):
        moved = weights + step / 2**halving
        better = _penalized(x, spells, ties, moved, penalty)
        if better >= value:
            return moved, better
    return weights, value


def _penalized(x: Array, spells: Spells, ties: _Ties, weights: Array, penalty: Array) -> float:
    eta = _eta(x, weights)
    total, tied = _sums(np.exp(eta)[:, None], spells, ties)
    left = (total - ties.share[:, None] * tied)[:, 0]
    return float(eta[ties.events].sum() - np.log(left).sum() - penalty @ weights**2 / 2)


def _slopes(x: Array, spells: Spells, ties: _Ties, weights: Array) -> tuple[Array, Array]:
    rate = np.exp(_eta(x, weights))
    both = np.column_stack([rate, rate[:, None] * x])
    total, tied = _sums(both, spells, ties)
    left = total - ties.share[:, None] * tied
    inverse = 1 / left[:, 0]
    mean = left[:, 1:] * inverse[:, None]
    gradient = x[ties.events].sum(axis=0) - mean.sum(axis=0)
    burden = rate * _burden(spells, ties, inverse)
    information = (x * burden[:, None]).T @ x - mean.T @ mean
    return gradient, information


def _burden(spells: Spells, ties: _Ties, inverse: Array) -> Array:
    """(n,) hazard that each person was exposed to, the ties' share of it taken off."""
    order = np.argsort(ties.time, kind="stable")
    times, running = ties.time[order], np.concatenate([[0.0], np.cumsum(inverse[order])])
    until = running[np.searchsorted(times, spells.time, side="right")]
    exposed = until - running[np.searchsorted(times, spells.entry, side="right")]
    gone = np.concatenate([[0.0], np.cumsum((ties.share * inverse)[order])])
    own = gone[np.searchsorted(times, spells.time, side="right")]
    own = own - gone[np.searchsorted(times, spells.time, side="left")]
    return np.asarray(exposed - spells.is_event * own, dtype=np.float64)


def _ties(spells: Spells) -> _Ties:
    events = np.flatnonzero(spells.is_event)
    events = events[np.argsort(spells.time[events], kind="stable")]
    time = spells.time[events]
    first = np.searchsorted(time, time, side="left")
    count = np.searchsorted(time, time, side="right") - first
    return _Ties(events, time, (np.arange(len(time)) - first) / count)


def _sums(columns: Array, spells: Spells, ties: _Ties) -> tuple[Array, Array]:
    """((e, c) sums over everybody at risk at each event, (e, c) over those who fall then)."""
    total = _sum_from(columns, spells.time, ties.time)
    if (spells.entry > spells.entry.min()).any() or spells.entry.min() > 0:
        total = total - _sum_from(columns, spells.entry, ties.time)
    mine = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns[ties.events], axis=0)])
    last = np.searchsorted(ties.time, ties.time, side="right")
    tied = mine[last] - mine[np.searchsorted(ties.time, ties.time, side="left")]
    return total, tied


def _sum_from(columns: Array, when: Array, times: Array) -> Array:
    """Sums of the rows whose ``when`` is not before each of ``times``."""
    order = np.argsort(-when, kind="stable")
    running = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns[order], axis=0)])
    count = len(when) - np.searchsorted(np.sort(when), times, side="left")
    return np.asarray(running[count], dtype=np.float64)


def _eta(x: Array, weights: Array) -> Array:
    return np.asarray(np.clip(x @ weights, -_MAX_ETA, _MAX_ETA), dtype=np.float64)
