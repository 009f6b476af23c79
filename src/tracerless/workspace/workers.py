"""Many sessions at once: the same calls in this process, in worker processes, or on a cluster.

What a session becomes does not depend on where it is worked on, nor on what ran beside it: every
way gives the same bytes. Each session is tried by itself; whatever happens to it, a killed worker
included, becomes one sentence, and the others go on.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from tracerless.core.errors import RecipeError
from tracerless.core.people import SessionKey
from tracerless.workspace.workers_attempt import Attempt, Task, attempt
from tracerless.workspace.workers_dask import on_cluster
from tracerless.workspace.workers_pool import pooled

MAX_WORKERS = 512
"""More is a slip of the finger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Who works.

    Args:
        workers: sessions at a time; 1 without a scheduler works in this process.
        scheduler: ``tcp://HOST:PORT`` of a Dask scheduler, ``local`` for a Dask cluster on this
            machine, or empty for plain worker processes.
        memory_mb: most memory of one worker, MB; a session that takes more is stopped. 0 = no
            bound.

    Raises:
        RecipeError: a number out of range, or a scheduler that is no address.
    """

    workers: int = 1
    scheduler: str = ""
    memory_mb: int = 0

    def __post_init__(self) -> None:
        """Check once."""
        if not 1 <= self.workers <= MAX_WORKERS:
            raise RecipeError(f"--workers {self.workers} is outside 1-{MAX_WORKERS}.")
        if self.memory_mb < 0:
            raise RecipeError(f"--memory-mb {self.memory_mb} is negative.")
        if self.scheduler and self.scheduler != "local" and "://" not in self.scheduler:
            raise RecipeError(
                f"--scheduler {self.scheduler!r} is neither an address nor 'local'.",
                hint="Give the address that Dask prints, such as tcp://HOST:8786.",
            )

    @property
    def is_alone(self) -> bool:
        """Whether everything happens in this process."""
        return self.workers == 1 and not self.scheduler

    @property
    def is_elsewhere(self) -> bool:
        """Whether the workers, and their memory, may be those of other machines."""
        return "://" in self.scheduler


ALONE = Crew()
"""This process, and no other."""


def attempts(
    task: Task, keys: Sequence[SessionKey], crew: Crew = ALONE
) -> Generator[Attempt, None, None]:
    """What became of every session, each as soon as it is known.

    Args:
        task: what is done with a session; must be picklable unless the crew is alone.
        keys: the sessions.
        crew: who works.

    Raises:
        StorageError: the disk refused; going on would only fail again.
        DatasetError: the workers of the scheduler cannot do this work.
    """
    if crew.is_alone:
        return (attempt(task, key) for key in keys)
    if crew.scheduler:
        return on_cluster(task, keys, crew.scheduler, crew.workers, crew.memory_mb)
    return pooled(task, keys, min(crew.workers, max(len(keys), 1)), crew.memory_mb)
