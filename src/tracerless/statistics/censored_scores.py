"""How good predicted risks are when not everybody is followed to the end and some die first.

Every score takes case weights of (k, n) and gives (k,): a bootstrap is one call. Death without
the event counts as never having it: Wolbers et al. 2014 for the concordance, Blanche et al. 2013
for the area under the curve, Gerds & Schumacher 2006 for the Brier score; weights come from
`statistics.censored.censoring`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.statistics.censored import (
    Array,
    Incidence,
    Ints,
    Step,
    censoring,
    incidence,
    weights_at,
)

_SAME = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen of n people: ``time`` and ``event`` (0 lost, 1 event, 2 rival).

    ``lost`` is the share still in sight, usually of the same people (`seen`); ``watched`` is how
    long the rival would have been heard of (`censored.incidence`).
    """

    time: Array
    event: Ints
    lost: Step
    watched: Array | None = None

    def incidence(self, which: NDArray[np.bool_] | Ints | None = None) -> Incidence:
        """Cumulative incidence among everybody, or among some."""
        rows = np.arange(len(self.time)) if which is None else which
        watched = None if self.watched is None else self.watched[rows]
        return incidence(self.time[rows], self.event[rows], watched=watched)


def seen(time: Array, event: Ints, watched: Array | None = None) -> Seen:
    """People with their own censoring distribution."""
    return Seen(time, event, censoring(time, event), watched)


def auc_at(found: Seen, risk: Array, horizon: float, weights: Array | None = None) -> Array:
    """Chance that who has the event by ``horizon`` had the higher risk than who has not; (k,).

    Args:
        found: n people.
        risk: (n,) predicted, any monotone scale.
        horizon: years.
        weights: (k, n); None counts everybody once.

    Raises:
        ModelError: nobody is seen beyond the horizon, or nobody has the event by then.
    """
    known = weights_at(found.time, found.event, horizon, found.lost)
    case = (found.event == 1) & (found.time <= horizon)
    if not case.any():
        raise ModelError(f"Nobody has the event within {horizon:g} years.")
    order = np.argsort(risk, kind="stable")
    group = np.concatenate([[0], np.cumsum(np.diff(risk[order]) > _SAME)])
    scaled = _rows(weights, len(risk)) * known
    cases, controls = scaled * case, scaled * ~case
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    cases = np.add.reduceat(cases[:, order], starts, axis=1)
    controls = np.add.reduceat(controls[:, order], starts, axis=1)
    below = np.cumsum(controls, axis=1) - controls / 2
    total = cases.sum(axis=1) * controls.sum(axis=1)
    return _ratio((cases * below).sum(axis=1), total)


def brier_at(found: Seen, risk: Array, horizon: float, weights: Array | None = None) -> Array:
    """Mean squared distance of (n,) risks at ``horizon`` from what had happened by then; (k,).

    Raises:
        ModelError: nobody is seen beyond the horizon.
    """
    known = weights_at(found.time, found.event, horizon, found.lost)
    case = (found.event == 1) & (found.time <= horizon)
    each = known * (case - risk) ** 2
    rows = _rows(weights, len(risk))
    return _ratio((rows * each).sum(axis=1), rows.sum(axis=1))


def integrated_brier(
    found: Seen, risks: Array, times: Array, weights: Array | None = None
) -> Array:
    """Brier score averaged over ``times`` (t,) by the trapezoid rule; ``risks`` (n, t); (k,)."""
    scores = np.stack(
        [brier_at(found, risks[:, i], float(t), weights) for i, t in enumerate(times)]
    )
    if len(times) == 1:
        return np.asarray(scores[0], dtype=np.float64)
    steps = np.diff(times)[:, None] * (scores[1:] + scores[:-1]) / 2
    return np.asarray(steps.sum(axis=0) / (times[-1] - times[0]), dtype=np.float64)


def concordance(found: Seen, risk: Array, upto: float, weights: Array | None = None) -> Array:
    """Chance that of two people the one with the event first had the higher risk; (k,).

    Args:
        found: n people.
        risk: (n,) predicted, any monotone scale.
        upto: events after these years do not count.
        weights: (k, n); None counts everybody once.

    Raises:
        ModelError: no pair can be compared.
    """
    time, event, lost = found.time, found.event, found.lost
    cases = np.flatnonzero((event == 1) & (time < upto))
    inverse = 1 / np.maximum(lost.before(time), 1e-12)
    own = inverse[cases][:, None]
    later = (time > time[cases][:, None]) | ((time == time[cases][:, None]) & (event == 0))
    never = (event == 2) & (time <= time[cases][:, None])
    pairs = np.where(later, own**2, 0.0) + np.where(never, own * inverse, 0.0)
    if not pairs.any():
        raise ModelError(f"No two people can be compared within {upto:g} years.")
    gap = risk[cases][:, None] - risk
    right = pairs * ((gap > _SAME) + 0.5 * (np.abs(gap) <= _SAME))
    rows = _rows(weights, len(risk))
    mine = rows[:, cases]
    return _ratio(_quadratic(mine, right, rows), _quadratic(mine, pairs, rows))


def net_benefit(found: Seen, risk: Array, horizon: float, thresholds: Array) -> tuple[Array, Array]:
    """((t,) of treating who exceeds the threshold, (t,) of treating all), per person.

    What had happened by ``horizon`` is the cumulative incidence among those treated.

    Source:
        Vickers et al. 2008, with Aalen-Johansen in place of Kaplan-Meier.
    """
    odds = thresholds / (1 - thresholds)
    everybody = found.incidence().at(horizon)[0]
    benefit = np.zeros(len(thresholds))
    for index, threshold in enumerate(thresholds):
        treated = risk >= threshold
        if treated.any():
            had = found.incidence(treated).at(horizon)[0]
            benefit[index] = treated.mean() * (had - (1 - had) * odds[index])
    return benefit, np.asarray(everybody - (1 - everybody) * odds, dtype=np.float64)


def _rows(weights: Array | None, n: int) -> Array:
    return np.ones((1, n)) if weights is None else np.atleast_2d(weights)


def _quadratic(left: Array, matrix: Array, right: Array) -> Array:
    return np.asarray(((left @ matrix) * right).sum(axis=1), dtype=np.float64)


def _ratio(top: Array, bottom: Array) -> Array:
    found = np.full(len(top), np.nan)
    return np.asarray(np.divide(top, bottom, out=found, where=bottom > 0), dtype=np.float64)
