"""Sessions worked on by processes of this machine, each process one session at a time.

A process that dies (killed, out of memory, a crash inside an engine) takes only its own session
with it: another takes its place, and the session is tried once more at the end, alone. A process
that grows beyond its bound is stopped, and its session is not tried again.
"""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tracerless.core.people import SessionKey
from tracerless.workspace.workers_attempt import Attempt, Task, attempt
from tracerless.workspace.workers_memory import resident_mb

LOOK_EVERY_S = 0.25
"""How often the memory of the processes is looked at, seconds."""
_PATIENCE_S = 5.0
"""How long a process may take to end when asked, seconds."""


@dataclass(slots=True)
class Worker:
    """A process, the line to it, and what it is busy with."""

    process: SpawnProcess
    line: Connection
    busy: SessionKey | None = None
    too_big: bool = False

    def give(self, key: SessionKey) -> None:
        """Hand a session over; that a dead process cannot take it is found out by its silence."""
        self.busy = key
        with contextlib.suppress(OSError):
            self.line.send(key)

    def end(self) -> None:
        """Stop it, whatever it does."""
        self.line.close()
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(_PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


@dataclass(slots=True)
class Pool:
    """Processes, the sessions that wait for one, and those that lost theirs."""

    task: Task
    scratch: Path
    memory_mb: int
    waiting: deque[SessionKey]
    again: deque[SessionKey] = field(default_factory=deque)
    died: dict[SessionKey, str] = field(default_factory=dict)
    staff: list[Worker] = field(default_factory=list)

    @property
    def busy(self) -> list[Worker]:
        """Those that have a session."""
        return [worker for worker in self.staff if worker.busy is not None]

    def fill(self, n: int) -> None:
        """Have up to ``n`` processes busy; sessions that lost theirs come last, one at a time."""
        if not self.waiting and self.again and not self.busy:
            self.waiting.append(self.again.popleft())
        while self.waiting and len(self.busy) < n:
            idle = [worker for worker in self.staff if worker.busy is None]
            worker = idle[0] if idle else self._hire()
            worker.give(self.waiting.popleft())

    def heard(self) -> Iterator[Attempt]:
        """Wait for news a moment, and say what became known."""
        lines = [worker.line for worker in self.busy]
        ready = wait(lines, timeout=LOOK_EVERY_S)
        for worker in self.busy:
            if worker.line in ready:
                yield from self._news(worker)
        for worker in self.busy:
            if self.memory_mb and resident_mb(worker.process.pid) > self.memory_mb:
                worker.too_big = True
                worker.process.kill()

    def _news(self, worker: Worker) -> Iterator[Attempt]:
        """An attempt, or the end of the process: its line is then closed."""
        try:
            done: Attempt = worker.line.recv()
        except (EOFError, OSError):
            yield from self._bury(worker)
            return
        worker.busy = None
        yield done

    def _bury(self, worker: Worker) -> Iterator[Attempt]:
        self.staff.remove(worker)
        key = worker.busy
        worker.end()
        if key is None:
            return
        if worker.too_big:
            yield Attempt(key, problem=_too_big(self.memory_mb))
        elif key in self.died:
            yield Attempt(key, problem=_died(worker.process.exitcode))
        else:
            self.died[key] = str(worker.process.exitcode)
            self.again.append(key)

    def _hire(self) -> Worker:
        spawn = multiprocessing.get_context("spawn")
        here, there = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(there, self.task, self.scratch), daemon=True)
        with one_thread():
            process.start()
        there.close()  # else its end would never be heard
        worker = Worker(process, here)
        self.staff.append(worker)
        return worker


def pooled(
    task: Task, keys: Sequence[SessionKey], workers: int, memory_mb: int
) -> Generator[Attempt, None, None]:
    """What became of every session, each as soon as it is known.

    Args:
        task: what is done with a session; picklable.
        keys: the sessions.
        workers: processes.
        memory_mb: most memory of one process, MB; 0 = no bound.
    """
    scratch_folder = tempfile.TemporaryDirectory(prefix="tracerless-", ignore_cleanup_errors=True)
    with _asked_to_end(), scratch_folder as scratch:
        pool = Pool(task, Path(scratch), memory_mb, deque(keys))
        try:
            pool.fill(workers)
            while pool.busy:
                yield from pool.heard()
                pool.fill(workers)
        finally:
            for worker in pool.staff:
                worker.end()


def _serve(line: Connection, task: Task, scratch: Path) -> None:
    """In a worker: take sessions until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tempfile.tempdir = str(scratch)  # removed by the parent, however this process ends
    while True:
        try:
            key: SessionKey = line.recv()
        except (EOFError, OSError):
            return
        line.send(attempt(task, key))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _asked_to_end() -> Iterator[None]:
    """Take SIGTERM, which clusters send before they kill, as Ctrl-C: workers and scratch go too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Processes share the cores: each takes one thread, unless the user said otherwise."""
    name = "OMP_NUM_THREADS"
    before = os.environ.get(name)
    os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)


def _too_big(memory_mb: int) -> str:
    return (
        f"It needed more than the {memory_mb:,} MB that a worker may take, and was stopped. "
        "Run it again with a larger --memory-mb; what is finished stays."
    )


def _died(code: int | None) -> str:
    how = f"was killed (signal {-code})" if code is not None and code < 0 else f"ended ({code})"
    return (
        f"The process that worked on it {how}, twice: most often memory ran out, or the scan "
        "breaks an engine. Run it again with fewer --workers; what is finished stays."
    )
