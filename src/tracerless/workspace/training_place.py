"""The folder of a training: one training at a time, and nothing in it that another model left."""

import contextlib
import fcntl
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tracerless import __version__
from tracerless.core.errors import ModelError, RecipeError
from tracerless.core.recipe import SynthesizeRecipe, fingerprint
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.distributed import is_leader
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.models import STATE, WEIGHTS, run_facts
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training_board import EVENTS
from tracerless.workspace.training_people import known_people

LINEAR = "linear.safetensors"
"""Beside every model that was descended to: the linear map of the same people, its rival."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_log = logging.getLogger(__name__)


def require_name(name: str, base: Path | None) -> None:
    """Refuse a name that is no folder's, or whose folder holds the model to start from.

    Args:
        name: of the model.
        base: weights to start from.

    Raises:
        RecipeError: letters, digits, dots, dashes and underscores make a name.
        ModelError: the training would overwrite what it starts from.
    """
    if not _NAME.match(name):
        raise RecipeError(
            f"{name!r} is no name for a model.",
            hint="Use letters, digits, dots, dashes and underscores.",
        )
    if base is not None and base.parent.name == name:
        raise ModelError(
            f"The training would overwrite {name!r}, which it starts from.",
            hint=f"Name the new model, e.g. --name {name}-tuned.",
        )


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder for one training alone, until it ends, however it ends.

    Of several processes that learn together the first one holds it. Where the disk knows no locks
    it is open to all.

    Raises:
        ModelError: another training is at work there.
    """
    if not is_leader():
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)
        with contextlib.suppress(OSError):
            folder.rmdir()  # only where nothing was written


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ModelError(
            f"Another command is training {folder.name!r} just now.",
            hint="Wait until it ends, or give this model a --name of its own.",
        ) from None
    except OSError:
        _log.info("The disk of %s knows no locks.", folder)


def begin(folder: Path, *, has_rival: bool) -> None:
    """Say what a new model will replace, and clear what would be taken for a part of it.

    Args:
        folder: of the model.
        has_rival: whether a linear map of the same people will be kept there.
    """
    if (folder / WEIGHTS).is_file() and not (folder / STATE).is_file():
        there = run_facts(folder).get("model", "a model")
        _log.warning(
            "%s lies in %s, of other settings, people or version: it is replaced when this "
            "training ends.", there, folder,
        )  # fmt: skip
    if not (folder / STATE).is_file():
        for curves in (folder / EVENTS).glob("events.out.tfevents.*"):
            curves.unlink()
    if not has_rival:
        (folder / LINEAR).unlink(missing_ok=True)


def mark_of(
    dataset: Dataset, recipe: SynthesizeRecipe, base: Checkpoint | None, budget_s: float | None
) -> str:
    """Changes with settings, budget, people and what is known of them, and their preparation."""
    records = (SessionShelf(dataset, key).record("prepared") for key in dataset.sessions())
    made = [record["digest"] for record in records if record is not None]
    known = [f"{person} {facts}" for person, facts in sorted(known_people(dataset).items())]
    reference = dataset.recipe.prepare.reference_fdg
    tuned_from = "" if base is None else base.digest
    domain = training_domain(dataset)
    budget = () if budget_s is None else (f"budget {budget_s:g} s",)
    return fingerprint(__version__, recipe, reference, domain, tuned_from, *budget, *known, *made)
