"""Training a synthesizer on the prepared sessions of a dataset; stopped training goes on."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tracerless import __version__, synthesize
from tracerless.core.errors import ModelError, RecipeError
from tracerless.core.recipe import SynthesizeRecipe, fingerprint
from tracerless.io import resources
from tracerless.io.atomic import write_bytes
from tracerless.networks import is_solved
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.adapt import tuned
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.distributed import is_leader
from tracerless.synthesize.fit import Progress, Watch
from tracerless.synthesize.material import Material
from tracerless.synthesize.space import Space, space
from tracerless.synthesize.state import TrainingState
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.models import (
    WEIGHTS,
    find_checkpoint,
    finished,
    load_checkpoint,
    load_state,
    save_checkpoint,
    save_state,
)
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training_board import EVENTS, board
from tracerless.workspace.training_pairs import Gathered, Refused, gather_pairs, pairs
from tracerless.workspace.training_people import known_people

__all__ = ["Refused", "Trained", "Training", "pairs", "train"]

LINEAR = "linear.safetensors"
"""Beside every model that was descended to: the linear map of the same people, its rival."""
LINEAR_MM = 4.0
"""The linear map averages over blocks anyway; on a finer grid it would only be larger."""
SAVE_AFTER_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a training is run; what it results in is the recipe's.

    Args:
        base: model to tune: a name, a path, or ``default``; empty = train from the start.
        workers: processes that read the sessions.
        is_strict: whether a session that must be left out stops the training.
        has_board: whether curves are written for TensorBoard.
        has_rival: whether the linear map of the same people is solved and kept beside the model;
            after it, and outside its budget.
        watch: device, budget, progress, threads.
        advance: called with (done, total) while sessions are read.
    """

    base: str = ""
    workers: int = 1
    is_strict: bool = False
    has_board: bool = False
    has_rival: bool = True
    watch: Watch = field(default_factory=Watch)
    advance: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model, where its weights lie, and the sessions that could not teach it, or in doubt.

    Args:
        path: of the weights.
        checkpoint: the model.
        refused, doubted: sessions that did not teach, and those that did although odd.
        spent: what the run took; empty when the model was there already.
    """

    path: Path
    checkpoint: Checkpoint
    refused: tuple[Refused, ...] = ()
    doubted: tuple[Refused, ...] = ()
    spent: Mapping[str, Any] = field(default_factory=dict)


def train(
    dataset: Dataset,
    name: str | None = None,
    *,
    recipe: SynthesizeRecipe | None = None,
    training: Training | None = None,
) -> Trained:
    """Fit a synthesizer and keep it under ``models/<name>``; one that is there already is kept.

    Args:
        dataset: where the pairs are, and where the model goes.
        name: of the model's folder; None = the network's.
        recipe: what to train; None = the dataset's.
        training: how to run it.

    Raises:
        ModelError: nothing to learn from; with ``is_strict``, a session that must be left out.
        RecipeMismatchError: the state that a stopped training left belongs to other settings.
        RecipeError: settings that contradict each other or this machine.
    """
    began_s = time.perf_counter()
    how = training or Training()
    recipe = recipe or dataset.recipe.synthesize
    base = load_checkpoint(find_checkpoint(dataset, how.base)) if how.base else None
    if base is not None:
        recipe = replace(recipe, voxel_mm=base.recipe.voxel_mm)
    final = recipe if base is None else tuned(recipe, base)
    name = name or final.network
    mark = _mark(dataset, recipe, base)
    done = finished(dataset, name, mark)
    if done is not None:
        return Trained(*done)
    found, spaces = _gather(dataset, final, base, how)
    _require_whole(found, how)
    reading_s = time.perf_counter() - began_s
    _require_time(how, reading_s)
    state = load_state(dataset, name)
    count = _Counter(how.watch.progress)
    with _watched(
        dataset, name, how, replace(how.watch, progress=count, spent_s=reading_s)
    ) as watch:
        checkpoint = synthesize.learn(
            found.materials[0],
            spaces[0],
            recipe=recipe,
            training_domain=training_domain(dataset),
            base=base,
            resume=None if state is None else TrainingState.from_bytes(state),
            watch=watch,
        )
    path = dataset.models / name / WEIGHTS
    spent = {**_spent(how, began_s, found), "reading_s": round(reading_s, 1), "steps": count.steps}
    if is_leader():
        if len(spaces) > 1:
            _keep_linear(dataset, name, found.materials[1], spaces[1], final)
        path = save_checkpoint(dataset, name, checkpoint, mark, facts=spent)
    return Trained(path, checkpoint, found.refused, found.doubted, spent)


class _Counter:
    """Counts the steps of a run, and passes on what is said of them."""

    def __init__(self, listener: Callable[[Progress], None] | None) -> None:
        self.steps, self._listener = 0, listener

    def __call__(self, at: Progress) -> None:
        self.steps = at.step
        if self._listener is not None:
            self._listener(at)


def _require_time(how: Training, reading_s: float) -> None:
    """Refuse to train in what a long reading left of a budget.

    Raises:
        RecipeError: more than half of it is gone.
    """
    budget_s = how.watch.budget_s
    if budget_s is not None and reading_s > budget_s / 2:
        raise RecipeError(
            f"Reading the sessions took {reading_s:.0f} s of the budget of {budget_s:.0f} s; too "
            "little is left to train in.",
            hint=f"Give --budget {2 * (budget_s / 2 + reading_s):.0f}s or more, or read by more "
            "--workers.",
        )


def _gather(
    dataset: Dataset, recipe: SynthesizeRecipe, base: Checkpoint | None, how: Training
) -> tuple[Gathered, tuple[Space, ...]]:
    """The pairs on the network's grid, and on the linear rival's where the model has one."""
    has_rival = how.has_rival and not is_solved(recipe.network)
    edges = [recipe.voxel_mm, *([max(recipe.voxel_mm, LINEAR_MM)] if has_rival else [])]
    atlas = dataset.recipe.prepare.atlas if base is None else base.atlas
    reference = dataset.recipe.prepare.reference_fdg if base is None else base.reference
    spaces = tuple(
        space(
            resources.template(voxel_mm),
            resources.atlas(atlas, voxel_mm, dataset.root),
            reference,
        )
        for voxel_mm in edges
    )
    different = spaces[:1] if len(set(edges)) == 1 else spaces
    scale = Normalisation() if base is None else base.normalisation
    found = gather_pairs(dataset, different, scale, workers=how.workers, advance=how.advance)
    both = (found.materials * len(spaces))[: len(spaces)]
    return replace(found, materials=both), spaces


def _require_whole(found: Gathered, how: Training) -> None:
    """With ``is_strict``, refuse to go on without a session.

    Raises:
        ModelError: a session must be left out.
    """
    if how.is_strict and found.refused:
        first = found.refused[0]
        raise ModelError(
            f"{len(found.refused)} sessions cannot teach; {first.key}: {first.reason}",
            hint="Mend or remove them, or train without --strict on the others.",
        )


def _keep_linear(
    dataset: Dataset, name: str, material: Material, where: Space, recipe: SynthesizeRecipe
) -> None:
    """Solve the linear map on the same people and keep it beside the model."""
    edge = float(where.grid.spacing_mm[0])
    rival = replace(recipe, network="ridge", objective="regression", members=1, voxel_mm=edge)
    made = synthesize.learn(
        material,
        where,
        recipe=rival,
        training_domain=training_domain(dataset),
        watch=Watch(device="cpu", is_alone=True),
    )
    write_bytes(dataset.models / name / LINEAR, made.to_bytes())


@contextlib.contextmanager
def _watched(dataset: Dataset, name: str, how: Training, watch: Watch) -> Iterator[Watch]:
    """The watch of the run, with what is kept of it; only the first process writes."""
    if not is_leader():
        yield replace(watch, progress=None)
        return
    watch = replace(
        watch,
        save_state=lambda content: save_state(dataset, name, content),
        save_after_s=SAVE_AFTER_S,
    )
    if not how.has_board:
        yield watch
        return
    with board(dataset.models / name / EVENTS) as events:
        yield replace(watch, events=events)


def _spent(how: Training, began_s: float, found: Gathered) -> dict[str, Any]:
    """What the run took: no part of the model, for a clock never tells the same twice."""
    spent = {
        "spent_s": round(time.perf_counter() - began_s, 1),
        "cpu_s": round(time.process_time(), 1),
        "refused": len(found.refused),
        "doubted": len(found.doubted),
    }
    return spent if how.watch.budget_s is None else {**spent, "budget_s": how.watch.budget_s}


def _mark(dataset: Dataset, recipe: SynthesizeRecipe, base: Checkpoint | None) -> str:
    """Changes with the settings, the people and what is known of them, and their preparation."""
    records = (SessionShelf(dataset, key).record("prepared") for key in dataset.sessions())
    made = [record["digest"] for record in records if record is not None]
    known = [f"{person} {facts}" for person, facts in sorted(known_people(dataset).items())]
    reference = dataset.recipe.prepare.reference_fdg
    tuned_from = "" if base is None else base.digest
    domain = training_domain(dataset)
    return fingerprint(__version__, recipe, reference, domain, tuned_from, *known, *made)
