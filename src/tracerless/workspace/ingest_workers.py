"""Sessions staged one after the other, here or by worker processes, and given back in order."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from tracerless.workspace.ingest_series import discard
from tracerless.workspace.ingest_session import stage_session
from tracerless.workspace.ingest_values import Border, Crossing, Order, SessionWork

AHEAD = 2
"""Sessions that wait, finished, for each worker; more would only fill memory and disk."""

Staged = tuple[SessionWork, list[Crossing]]

_borders: dict[Order, Border] = {}
"""Of a worker process: the policy is read once."""


def staged(
    works: Iterable[SessionWork], order: Order, border: Border, workers: int
) -> Iterator[Staged]:
    """Every session with what became of its series, in the order given.

    Args:
        works: the sessions.
        order: makes the border in a worker.
        border: the border, here.
        workers: processes; 1 works here.

    Raises:
        StorageError: the disk refused.
    """
    if workers <= 1:
        for work in works:
            yield work, stage_session(work, border)
        return
    spawn = multiprocessing.get_context("spawn")
    waiting: deque[tuple[SessionWork, Future[list[Crossing]]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        try:
            for work in works:
                waiting.append((work, pool.submit(_stage, work, order)))
                if len(waiting) >= AHEAD * workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            _abandon(waiting)


def _abandon(waiting: Iterable[tuple[SessionWork, "Future[list[Crossing]]"]]) -> None:
    """Stop what has not begun, and remove what was finished in vain."""
    for _, future in waiting:
        if not future.cancel() and future.exception() is None:
            discard(future.result())


def _stage(work: SessionWork, order: Order) -> list[Crossing]:
    """In a worker."""
    if order not in _borders:
        _borders[order] = Border.of(order)
    return stage_session(work, _borders[order])
