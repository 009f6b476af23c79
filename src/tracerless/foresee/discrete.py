"""Multinomial logistic hazards by period, with onset known only between two visits.

Within a period the chance to stay free falls evenly, so a visit may come at any time of it. A
person contributes

- the chance to stay without dementia up to the last visit without it;
- with dementia: the chance that it began before the first visit with it (no middle is assumed);
- the chance to live up to that visit, to the last contact, or to the death, and to die then.

Whether dementia began between the last visit and a death nobody knows; it is taken to have changed
nothing about death in that time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tracerless.core.norm import Array
from tracerless.foresee.courses import Timed
from tracerless.foresee.periods import levels, overlap

_SMOOTH = 10.0
_MAX_ETA = 20.0
_TINY = 1e-300
_PULL = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """How n people spent the k periods, in shares of a period.

    Args:
        well: (n, k) known to be without dementia.
        alive: (n, k) known to be alive, up to the first visit with dementia.
        between: (n, k) between the visits around the onset; zeros for who has none.
        died: (n,) period of a death without dementia; -1 for none.
    """

    well: Array
    alive: Array
    between: Array
    died: NDArray[np.intp]

    def taken(self, rows: NDArray[np.intp]) -> "Spans":
        """Some of the people; an index may come twice."""
        return Spans(self.well[rows], self.alive[rows], self.between[rows], self.died[rows])

    @property
    def is_onset(self) -> NDArray[np.bool_]:
        """(n,) whether dementia began."""
        return np.asarray(self.between.any(axis=1), dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Baselines (k,) as odds against staying free, and weights (p,) of both events."""

    dementia: Array
    death: Array
    dementia_weights: Array
    death_weights: Array
    theta: Array


def spans(found: Timed, edges: Array) -> Spans:
    """Courses on a lattice of periods; all of them lie between the first edge and the last."""
    ill = np.where(np.isfinite(found.high), found.high, found.low)
    period = np.clip(np.searchsorted(edges, found.last, side="left") - 1, 0, len(edges) - 2)
    return Spans(
        overlap(found.entry, found.low, edges),
        overlap(found.entry, found.last, edges),
        overlap(found.low, ill, edges),
        np.where(found.is_dead, period, -1).astype(np.intp),
    )


def fit(
    x: Array, seen: Spans, penalty: Array, death_penalty: Array, start: Array | None = None
) -> Fitted:
    """Weights and baselines of the highest penalized likelihood.

    Args:
        x: (n, p) scaled predictors.
        seen: of the same people.
        penalty: (p,) ridge on the weights of dementia.
        death_penalty: (p,) the same of death; inf keeps a predictor out.
        start: ``theta`` of an earlier fit to begin from.
    """
    shape = _Shape.of(seen, penalty, death_penalty)
    begin = shape.start() if start is None or len(start) != shape.size else start
    found = minimize(
        _loss, begin, args=(x, seen, shape), jac=True, method="L-BFGS-B",
        options={"maxiter": 300, "ftol": 1e-9, "gtol": 1e-2},
    )  # fmt: skip
    return shape.fitted(found.x)


def log_likelihood(x: Array, seen: Spans, fitted: Fitted) -> float:
    """Log likelihood of people whom the fit may not have seen."""
    eta1 = np.log(fitted.dementia) + (x @ fitted.dementia_weights)[:, None]
    with np.errstate(divide="ignore"):
        eta2 = np.log(fitted.death) + (x @ fitted.death_weights)[:, None]
    return _likelihood(eta1, eta2, seen)[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """What the numbers of a parameter vector mean."""

    level1: NDArray[np.intp]
    level2: NDArray[np.intp]
    penalty: Array
    inside: NDArray[np.intp]
    death_penalty: Array
    rates: tuple[float, float]

    @classmethod
    def of(cls, seen: Spans, penalty: Array, death_penalty: Array) -> "_Shape":
        onset_rows = seen.is_onset
        share = seen.between[onset_rows]
        onsets = (share / share.sum(axis=1, keepdims=True)).sum(axis=0)
        deaths = np.bincount(seen.died[seen.died >= 0], minlength=seen.well.shape[1])
        well, alive = max(float(seen.well.sum()), 1.0), max(float(seen.alive.sum()), 1.0)
        inside = np.flatnonzero(np.isfinite(death_penalty))
        rates = (max(float(onsets.sum()), 0.5) / well, float(deaths.sum()) / alive)
        return cls(
            levels(onsets),
            levels(deaths.astype(np.float64)),
            penalty,
            inside if deaths.any() else inside[:0],
            death_penalty[inside] if deaths.any() else death_penalty[:0],
            rates,
        )

    @property
    def has_death(self) -> bool:
        return self.rates[1] > 0

    @property
    def cuts(self) -> tuple[int, int, int]:
        n1 = int(self.level1.max()) + 1
        n2 = int(self.level2.max()) + 1 if self.has_death else 0
        return n1, n1 + n2, n1 + n2 + len(self.penalty)

    @property
    def size(self) -> int:
        return self.cuts[2] + len(self.inside)

    def start(self) -> Array:
        theta = np.zeros(self.size)
        theta[: self.cuts[0]] = np.log(self.rates[0])
        if self.has_death:
            theta[self.cuts[0] : self.cuts[1]] = np.log(self.rates[1])
        return theta

    def fitted(self, theta: Array) -> Fitted:
        a, b, c = self.cuts
        death_weights = np.zeros(len(self.penalty))
        death_weights[self.inside] = theta[c:]
        death = np.exp(theta[a:b])[self.level2] if self.has_death else np.zeros(len(self.level2))
        return Fitted(np.exp(theta[:a])[self.level1], death, theta[b:c], death_weights, theta)


def _loss(theta: Array, x: Array, seen: Spans, shape: _Shape) -> tuple[float, Array]:
    a, b, c = shape.cuts
    eta1 = theta[:a][shape.level1] + (x @ theta[b:c])[:, None]
    if shape.has_death:
        eta2 = theta[a:b][shape.level2] + (x[:, shape.inside] @ theta[c:])[:, None]
    else:
        eta2 = np.full_like(eta1, -np.inf)
    value, slope1, slope2 = _likelihood(eta1, eta2, seen)
    gradient = np.zeros_like(theta)
    gradient[:a] = np.bincount(shape.level1, weights=slope1.sum(axis=0))
    gradient[b:c] = slope1.sum(axis=1) @ x - shape.penalty * theta[b:c]
    if shape.has_death:
        gradient[a:b] = np.bincount(shape.level2, weights=slope2.sum(axis=0))
        gradient[c:] = slope2.sum(axis=1) @ x[:, shape.inside] - shape.death_penalty * theta[c:]
    value -= float(shape.penalty @ theta[b:c] ** 2 + shape.death_penalty @ theta[c:] ** 2) / 2
    for part, rate in ((slice(0, a), shape.rates[0]), (slice(a, b), shape.rates[1])):
        value -= _smoothed(theta, part, rate, gradient)
    return -value, -gradient


def _smoothed(theta: Array, part: slice, rate: float, gradient: Array) -> float:
    """Penalty on jumps between neighboring baselines, and a faint pull to the mean rate."""
    levels = theta[part]
    if not len(levels):
        return 0.0
    jumps, away = np.diff(levels), levels - np.log(rate)
    slope = _PULL * away
    slope[1:] += _SMOOTH * jumps
    slope[:-1] -= _SMOOTH * jumps
    gradient[part] -= slope
    return float(_SMOOTH * (jumps @ jumps) + _PULL * (away @ away)) / 2


def _likelihood(eta1: Array, eta2: Array, seen: Spans) -> tuple[float, Array, Array]:
    """Log likelihood and its slopes (n, k) along both linear predictors."""
    a, b = np.exp(np.minimum(eta1, _MAX_ETA)), np.exp(np.minimum(eta2, _MAX_ETA))
    leave = np.log1p(a + b)
    share = a / (a + b)
    exposed = seen.well * share + seen.alive * (1 - share)
    value = -float((exposed * leave).sum())
    by_leave, by_share = -exposed, (seen.alive - seen.well) * leave
    ill = np.flatnonzero(seen.is_onset)
    if len(ill):
        between = seen.between[ill]
        burden = (between * leave[ill] * share[ill]).sum(axis=1)
        value += float(np.log(-np.expm1(-burden)).sum())
        slope = between / np.expm1(burden)[:, None]
        by_leave[ill] += slope * share[ill]
        by_share[ill] += slope * leave[ill]
    rows = np.flatnonzero(seen.died >= 0)
    at = (rows, seen.died[rows])
    value += float(np.log(leave[at]).sum() + np.log1p(-share[at]).sum())
    by_leave[at] += 1 / leave[at]
    by_share[at] -= 1 / np.maximum(1 - share[at], _TINY)
    stay = 1 + a + b
    turn = by_share * share * (1 - share)
    return value, by_leave * a / stay + turn, by_leave * b / stay - turn
