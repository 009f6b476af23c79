"""One session's work, tried: a value, or one sentence that says why not."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracerless.core.errors import StorageError, TracerlessError
from tracerless.core.people import SessionKey

Task = Callable[[SessionKey], Any]
"""What is done with a session. To travel to a worker it is made of plain values."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one session.

    Args:
        key: the session.
        value: what was made; None where nothing was.
        problem: one sentence that says why not; empty when it went well.
        is_fatal: whether the next session would only fail in the same way.
    """

    key: SessionKey
    value: Any = None
    problem: str = ""
    is_fatal: bool = False


def attempt(task: Task, key: SessionKey) -> Attempt:
    """Do the task; whatever it raises becomes a sentence, so that others go on.

    A refusal of the disk is fatal. What nobody foresaw is told by its place in the code alone: its
    message might quote a scan.
    """
    try:
        return Attempt(key, task(key))
    except StorageError as error:
        return Attempt(key, problem=str(error), is_fatal=True)
    except TracerlessError as error:
        return Attempt(key, problem=str(error))
    except MemoryError:
        return Attempt(key, problem=NO_MEMORY)
    except Exception as error:  # noqa: BLE001 - one session's defect must not stop the others
        return Attempt(key, problem=_defect(error))


NO_MEMORY = (
    "It needed more memory than there was. Run it again with fewer --workers; "
    "what is finished stays."
)


def _defect(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return (
        f"A defect in tracerless, or a file that cannot be read, stopped this session "
        f"({type(error).__name__} at {where}). Please report it."
    )
