"""Curves of a training for TensorBoard, in its own file format."""

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tracerless.core.errors import RecipeError

EVENTS = "events"
"""Folder of a model that TensorBoard reads."""


@contextlib.contextmanager
def board(folder: Path) -> Iterator[Callable[[str, float, int], None]]:
    """Writes (name, number, step) into ``folder``; show it with ``tensorboard --logdir``.

    Raises:
        RecipeError: TensorBoard is not installed.
    """
    try:
        writers = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        events = importlib.import_module("tensorboard.compat.proto.event_pb2")
        summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
    except ImportError as error:
        raise RecipeError(
            "TensorBoard is not installed.",
            hint="Install the package `tensorboard`, or train without --tensorboard: the curves "
            "are in the model's report.html too.",
        ) from error
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
