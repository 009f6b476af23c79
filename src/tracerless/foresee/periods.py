"""Periods of a baseline hazard: how people spend them, and which of them stand together."""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.norm import Array

_MIN_EVENTS = 5


def overlap(start: Array, end: Array, edges: Array) -> Array:
    """(n, k) share of each period that lies between ``start`` and ``end`` of each row."""
    first = np.maximum(start[:, None], edges[:-1])
    last = np.minimum(end[:, None], edges[1:])
    return np.asarray(np.maximum(last - first, 0) / np.diff(edges), dtype=np.float64)


def levels(events: Array) -> NDArray[np.intp]:
    """(k,) which periods share one baseline: each level has five events at least, if any has.

    Args:
        events: (k,) in each period.
    """
    level = np.zeros(len(events), dtype=np.intp)
    current, count = 0, 0.0
    for period, n in enumerate(events):
        if count >= _MIN_EVENTS and events[period:].sum() >= _MIN_EVENTS:
            current, count = current + 1, 0.0
        level[period] = current
        count += float(n)
    return level
