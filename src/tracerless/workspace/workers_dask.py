"""Sessions worked on by a Dask cluster: of this machine, or of many that share the dataset's disk.

A Dask worker may run several tasks in one process; the engines keep their seed and their number of
threads once a process. So a lock lets one session at a time through, and the bytes stay the same.
"""

import contextlib
import importlib
import importlib.metadata
import platform
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracerless.core.errors import DatasetError
from tracerless.core.people import SessionKey
from tracerless.workspace.workers_attempt import Attempt, Task, attempt

SAME_BYTES = ("tracerless", "antspyx", "numpy", "scipy", "torch", "deepbet", "nibabel", "pydicom")
"""Packages whose version may move a bit of what is made."""

_ANSWER_S = 15
"""How long a scheduler may take to answer, seconds."""
_one_at_a_time = threading.Lock()


def on_cluster(
    task: Task, keys: Sequence[SessionKey], scheduler: str, workers: int, memory_mb: int
) -> Generator[Attempt, None, None]:
    """What became of every session, each as soon as it is known.

    Args:
        task: what is done with a session; picklable.
        keys: the sessions.
        scheduler: address, or ``local`` for a cluster of this machine that ends with the command.
        workers: processes of a ``local`` cluster.
        memory_mb: most memory of each of those, MB; 0 = no bound.

    Raises:
        DatasetError: Dask is not installed, the scheduler does not answer, it has no worker, or a
            worker has other versions or does not see the dataset.
    """
    distributed = _dask()
    with _client(distributed, scheduler, workers, memory_mb) as client:
        same = Same(versions(), _seen(task))
        _require_same(distributed, client, task, same)
        died = []
        futures = {client.submit(attempt_alone, task, key, same, pure=False): key for key in keys}
        for future in distributed.as_completed(futures, loop=client.loop):
            done = _outcome(distributed, future, futures[future])
            if done is None:
                died.append(futures[future])
            else:
                yield done
        for key in died:  # alone: whatever dies now dies by itself, not beside another
            again = client.submit(attempt_alone, task, key, same, pure=False)
            yield _outcome(distributed, again, key) or Attempt(key, problem=_KILLED)


@dataclass(frozen=True, slots=True)
class Same:
    """What a worker must share with the command for its bytes to be the same.

    Args:
        versions: by package.
        seen: what the task's ``probe`` says of the dataset, where it has one.
    """

    versions: Mapping[str, str]
    seen: str


def attempt_alone(task: Task, key: SessionKey, same: Same) -> Attempt:
    """In a worker: one session at a time in this process, and only where bytes will be the same."""
    with _one_at_a_time:
        problem = difference(task, same)
        return Attempt(key, problem=problem) if problem else attempt(task, key)


def difference(task: Task, same: Same) -> str:
    """One sentence on how this process differs from the command's, or nothing."""
    here = versions()
    other = sorted(name for name, version in same.versions.items() if here.get(name) != version)
    if other:
        return (
            f"A Dask worker has another version of {', '.join(other)}, so bytes would differ. "
            "Install the same versions everywhere (requirements.lock)."
        )
    if _seen(task) != same.seen:
        return (
            "A Dask worker does not see this dataset under the same path. "
            "Put it on a disk that all machines share."
        )
    return ""


def versions() -> dict[str, str]:
    """What this process would compute with."""
    found = {name: importlib.metadata.version(name) for name in SAME_BYTES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def _dask() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise DatasetError(
            "--scheduler needs Dask, which is not installed.",
            hint='Install it with `pip install "tracerless[cluster]"`, or use --workers alone.',
        ) from None


@contextlib.contextmanager
def _client(distributed: Any, scheduler: str, workers: int, memory_mb: int) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:
        if scheduler == "local":
            limit = memory_mb * (1 << 20) or None
            scheduler = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    memory_limit=limit,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=50,
                )
            )
        try:
            client = distributed.Client(scheduler, timeout=_ANSWER_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DatasetError(
                f"The Dask scheduler {scheduler} does not answer ({type(error).__name__}).",
                hint="Start one with `dask scheduler`, and give the address that it prints.",
            ) from None
        yield stack.enter_context(client)


def _require_same(distributed: Any, client: Any, task: Task, same: Same) -> None:
    """See, before anything starts, that the workers there are now would do.

    One that is too busy to answer is asked again before every session.
    """
    try:
        client.wait_for_workers(1, timeout=_ANSWER_S)
    except TimeoutError:
        raise DatasetError(
            "The Dask scheduler has no worker.", hint="Start some with `dask worker ADDRESS`."
        ) from None
    there = client.scheduler_info(n_workers=-1)["workers"]
    asked = [client.submit(difference, task, same, workers=[w], pure=False) for w in there]
    with contextlib.suppress(TimeoutError):
        for future in distributed.as_completed(asked, loop=client.loop, timeout=_ANSWER_S):
            _require_answer(future)
    client.cancel(asked)


def _require_answer(future: Any) -> None:
    if future.status == "error":
        raise DatasetError(
            f"The Dask workers cannot run tracerless ({type(future.exception()).__name__}).",
            hint="Install the same version of it where they run.",
        )
    if problem := future.result():
        raise DatasetError(problem)


def _seen(task: Task) -> str:
    probe: Callable[[], str] = getattr(task, "probe", str)
    return probe()


def _outcome(distributed: Any, future: Any, key: SessionKey) -> Attempt | None:
    """What became of a session, or None when every worker that took it died."""
    try:
        done: Attempt = future.result()
    except distributed.scheduler.KilledWorker:
        return None
    except (distributed.client.FutureCancelledError, OSError):
        return Attempt(key, problem=_LOST)
    return done


_KILLED = (
    "The Dask workers that worked on it died, several times: most often memory ran out. "
    "Give the workers more memory; what is finished stays."
)
_LOST = "The Dask scheduler went away. Run the same command again; what is finished stays."
