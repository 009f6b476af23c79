"""Time to an event that may not be seen: survival, cumulative incidence, weights for censoring."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError

Array = NDArray[np.float64]
Ints = NDArray[np.intp]

NORMAL_95 = 1.959963984540054
_TAIL = 0.025


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step function that starts at 1: ``values[i]`` holds from ``times[i]`` on."""

    times: Array
    values: Array

    def at(self, when: Array | float) -> Array:
        """The value then, a step at that very time included."""
        found = np.searchsorted(self.times, np.asarray(when, dtype=np.float64), side="right")
        return np.asarray(np.concatenate([[1.0], self.values])[found], dtype=np.float64)

    def before(self, when: Array | float) -> Array:
        """The value just before, without a step at that very time."""
        found = np.searchsorted(self.times, np.asarray(when, dtype=np.float64), side="left")
        return np.asarray(np.concatenate([[1.0], self.values])[found], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Cumulative incidence of an event and of its rival (Aalen-Johansen).

    Args:
        times: when anything happened, ascending.
        first, second: (t,) share that had the event, or its rival, by then.
        first_error, second_error: (t,) standard errors.
        ends: (n,) when the observation of each person ended, ascending.
    """

    times: Array
    first: Array
    second: Array
    first_error: Array
    second_error: Array
    ends: Array

    def at(self, when: float, *, is_rival: bool = False) -> tuple[float, float, float]:
        """Value and 95 % bounds at a time, on the log-log scale.

        Without an event the upper bound is the exact one of the people who are still seen then.
        Bounds are NaN after the last person left.
        """
        index = int(np.searchsorted(self.times, when, side="right")) - 1
        value = float((self.second if is_rival else self.first)[index]) if index >= 0 else 0.0
        if value <= 0:
            left = len(self.ends) - int(np.searchsorted(self.ends, when, side="left"))
            return 0.0, 0.0, _bound_of_none(left)
        error = float((self.second_error if is_rival else self.first_error)[index])
        if value >= 1 or not np.isfinite(error):
            return value, float("nan"), float("nan")
        width = NORMAL_95 * error / (value * abs(np.log(value)))
        return value, float(value ** np.exp(width)), float(value ** np.exp(-width))


def kaplan_meier(time: Array, is_event: NDArray[np.bool_], *, entry: Array | None = None) -> Step:
    """Share that is free of the event (product limit); late entry is allowed.

    Args:
        time: (n,) of the event, or of the last look.
        is_event: (n,) whether it was the event.
        entry: (n,) under observation from then on; None from the beginning.
    """
    times = np.unique(time[is_event])
    risk = at_risk(times, time, entry)
    events = _counts(times, time, is_event)
    return Step(times, np.asarray(np.cumprod(1 - events / risk), dtype=np.float64))


def censoring(time: Array, event: Ints, *, entry: Array | None = None) -> Step:
    """Share that is not lost from sight yet; who has an event at that time is not lost then.

    Args:
        time: (n,) of whatever ended the observation.
        event: (n,) 0 lost, else an event.
        entry: as in `kaplan_meier`.
    """
    times = np.unique(time[event == 0])
    risk = at_risk(times, time, entry) - _counts(times, time, event != 0)
    kept = np.cumprod(1 - _counts(times, time, event == 0) / risk)
    return Step(times, np.asarray(kept, dtype=np.float64))


def incidence(
    time: Array, event: Ints, *, entry: Array | None = None, watched: Array | None = None
) -> Incidence:
    """Cumulative incidence of event 1 with event 2 as its rival.

    The event may need an examination while the rival is heard of without one: then each hazard has
    its own people at risk, those whose last examination (``time``) or last contact (``watched``)
    lies ahead. Counting a death after the last examination, but not the living after theirs, would
    make death too frequent.

    Args:
        time: (n,) of the event, of the rival, or of the last examination.
        event: (n,) 0 neither, 1 the event, 2 its rival.
        entry: as in `kaplan_meier`.
        watched: (n,) how long the rival would have been heard of, not before ``time``; None: as
            long as the event.

    Source:
        Aalen & Johansen 1978; variance by the delta method over independent increments.
    """
    watched = time if watched is None else watched
    times = np.unique(time[event > 0])
    one, two = _counts(times, time, event == 1), _counts(times, time, event == 2)
    risks = at_risk(times, time, entry), at_risk(times, watched, entry)
    first, second = one / np.maximum(risks[0], 1), two / np.maximum(risks[1], 1)
    free = np.concatenate([[1.0], np.cumprod(np.maximum(1 - first - second, 0))])[:-1]
    mine, rival = np.cumsum(free * first), np.cumsum(free * second)
    noise = tuple(
        hazard * (1 - hazard) / np.maximum(n, 1)
        for hazard, n in ((first, risks[0]), (second, risks[1]))
    )
    return Incidence(
        times,
        mine,
        rival,
        _error(mine, free, noise[0], noise[1]),
        _error(rival, free, noise[1], noise[0]),
        np.sort(time),
    )


def weights_at(time: Array, event: Ints, horizon: float, lost: Step) -> Array:
    """(n,) inverse probability of being still seen when the state at ``horizon`` was known.

    0 for people who were lost before; 1 / G(T-) after an event by then, 1 / G(horizon) beyond it.

    Raises:
        ModelError: nobody is observed up to the horizon.
    """
    kept = float(lost.at(horizon))
    beyond = time > horizon
    if kept <= 0 or not beyond.any():
        raise ModelError(
            f"Nobody is followed beyond {horizon:g} years.", hint="Name a nearer horizon."
        )
    known = (time <= horizon) & (event > 0)
    weights = np.zeros(len(time))
    weights[known] = 1 / lost.before(time[known])
    weights[beyond] = 1 / kept
    return weights


def at_risk(times: Array, time: Array, entry: Array | None = None) -> Array:
    """How many are under observation just before each of ``times``."""
    n = len(time) - np.searchsorted(np.sort(time), times, side="left")
    if entry is not None:
        n = n - (len(entry) - np.searchsorted(np.sort(entry), times, side="left"))
    return np.asarray(n, dtype=np.float64)


def _counts(times: Array, time: Array, which: NDArray[np.bool_]) -> Array:
    mine = np.sort(time[which])
    upto = np.searchsorted(mine, times, side="right")
    return np.asarray(upto - np.searchsorted(mine, times, side="left"), dtype=np.float64)


def _error(share: Array, free: Array, own: Array, other: Array) -> Array:
    """Standard error of a cumulative incidence at each of its times, from running sums.

    A jump of its own hazard adds ``free`` and takes away what was still to come; a jump of the
    other takes away what was still to come.
    """
    start = free + share
    variance = share**2 * np.cumsum(own + other)
    variance -= 2 * share * np.cumsum(own * start + other * share)
    variance += np.cumsum(own * start**2 + other * share**2)
    return np.asarray(np.sqrt(np.maximum(variance, 0)), dtype=np.float64)


def _bound_of_none(n: int) -> float:
    """Upper 97.5 % bound of a share of which nobody was seen among n."""
    return float(1 - _TAIL ** (1 / n)) if n > 0 else float("nan")
