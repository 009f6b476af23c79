"""Curves of a training for TensorBoard, in its own file format."""

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tracerless.core.errors import RecipeError

EVENTS = "events"
"""Folder of a model that TensorBoard reads."""


def require_board() -> None:
    """Refuse curves that cannot be written.

    Raises:
        RecipeError: TensorBoard is not installed.
    """
    _modules()


@contextlib.contextmanager
def board(folder: Path) -> Iterator[Callable[[str, float, int], None]]:
    """Writes (name, number, step) into ``folder``; show it with ``tensorboard --logdir``.

    Raises:
        RecipeError: TensorBoard is not installed.
    """
    writers, events, summaries = _modules()
    writer = writers.EventFileWriter(str(folder))

    def write(name: str, number: float, step: int) -> None:
        value = summaries.Summary.Value(tag=name, simple_value=number)
        event = events.Event(wall_time=time.time(), step=step)
        event.summary.CopyFrom(summaries.Summary(value=[value]))
        writer.add_event(event)

    try:
        yield write
    finally:
        writer.close()


def _modules() -> tuple[Any, Any, Any]:
    """What writes events, what an event is, and what a summary is."""
    names = ("summary.writer.event_file_writer", "compat.proto.event_pb2",
             "compat.proto.summary_pb2")  # fmt: skip
    try:
        first, second, third = (importlib.import_module(f"tensorboard.{name}") for name in names)
    except ImportError as error:
        raise RecipeError(
            "TensorBoard is not installed.",
            hint="Install the package `tensorboard`, or train without --tensorboard: the curves "
            "are in the model's report.html too.",
        ) from error
    return first, second, third
