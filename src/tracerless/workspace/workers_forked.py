"""Processes that share what takes long to build: made once, then forked.

For work whose start costs more than a session does (the simulated world: 13 CPU-s). A foreman is
spawned, so that it holds no thread of the command's; it works on the first session, and forks
itself into workers that have everything the first one needed. Linux only.
"""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection, wait

from tracerless.core.people import SessionKey
from tracerless.workspace.workers_attempt import Attempt, Task, attempt
from tracerless.workspace.workers_pool import one_thread

_LOST = (
    "The process that worked on it ended: most often memory ran out. Run it again with fewer "
    "--workers; what is finished stays."
)


def forked(task: Task, keys: Sequence[SessionKey], workers: int) -> Generator[Attempt, None, None]:
    """What became of every session, each as soon as it is known.

    Args:
        task: what is done with a session; picklable, and quick once it was done.
        keys: the sessions; each worker takes every ``workers``-th of them.
        workers: processes.
    """
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    foreman = spawn.Process(target=_lead, args=(there, task, list(keys), workers))
    with one_thread():
        foreman.start()
    there.close()  # else its end would never be heard
    missing = dict.fromkeys(keys)
    try:
        with contextlib.suppress(EOFError):
            while missing:
                done: Attempt = here.recv()
                missing.pop(done.key, None)
                yield done
        yield from (Attempt(key, problem=_LOST) for key in missing)
    finally:
        here.close()
        foreman.terminate()
        foreman.join()


def _lead(line: Connection, task: Task, keys: list[SessionKey], workers: int) -> None:
    """In the foreman: do the first session, fork, and pass on what the workers say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's to answer
    with contextlib.suppress(BrokenPipeError):  # the command has gone: so do the workers
        if keys:
            line.send(attempt(task, keys[0]))
        lines = [_hired(task, keys[1 + n :: workers]) for n in range(workers)]
        while lines:
            for each in wait(lines):
                _pass_on(each, line, lines)


def _hired(task: Task, keys: list[SessionKey]) -> Connection:
    """A forked worker's line."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    fork.Process(target=_work, args=(there, task, keys), daemon=True).start()
    there.close()
    return here


def _pass_on(each: object, line: Connection, lines: list[Connection]) -> None:
    """One message of a worker; a line that ended is struck off."""
    worker = next(known for known in lines if known is each)
    try:
        done = worker.recv()
    except EOFError:
        lines.remove(worker)
        return
    line.send(done)


def _work(line: Connection, task: Task, keys: list[SessionKey]) -> None:
    """In a worker: the sessions one after another, for as long as the foreman is there."""
    foreman = os.getppid()
    with contextlib.suppress(BrokenPipeError):
        for key in keys:
            if os.getppid() != foreman:
                return
            line.send(attempt(task, key))
