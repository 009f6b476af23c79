"""Training a synthesizer on the prepared sessions of a dataset; stopped training goes on."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tracerless import synthesize
from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.io.atomic import write_bytes
from tracerless.networks import is_solved
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.adapt import based, tuned
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.distributed import is_leader
from tracerless.synthesize.fit import Progress, Watch, require_possible
from tracerless.synthesize.material import Material
from tracerless.synthesize.space import Space
from tracerless.synthesize.state import TrainingState
from tracerless.workspace import bundles
from tracerless.workspace.bundles import Packed
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.models import (
    STATE,
    WEIGHTS,
    called,
    find_checkpoint,
    finished,
    load_checkpoint,
    load_state,
    save_checkpoint,
    save_state,
)
from tracerless.workspace.training_board import EVENTS, board, require_board
from tracerless.workspace.training_pairs import Gathered, Refused, pairs
from tracerless.workspace.training_place import LINEAR, begin, held, mark_of, require_name
from tracerless.workspace.training_reading import read, require_time, require_whole, spaces_of

__all__ = ["LINEAR", "Refused", "Trained", "Training", "pairs", "train"]

SAVE_AFTER_S = 20.0
_log = logging.getLogger(__name__)


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
        has_bundle: whether the model is packed as a MONAI bundle; likewise after all.
        asked: settings that the user named; a base that fixes them otherwise is refused.
        watch: device, budget, progress, threads.
        advance: called with (done, total) while sessions are read.
    """

    base: str = ""
    workers: int = 1
    is_strict: bool = False
    has_board: bool = False
    has_rival: bool = True
    has_bundle: bool = False
    asked: frozenset[str] = frozenset()
    watch: Watch = field(default_factory=Watch)
    advance: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model, where its weights lie, and the sessions that could not teach it, or in doubt.

    Args:
        path: of the weights.
        checkpoint: the model.
        refused, doubted: sessions that did not teach, and those that did although odd.
        thinned: sessions that taught without a contrast.
        spent: what the run took; empty when the model was there already.
        bundle: what it was packed as; None where it was not.
    """

    path: Path
    checkpoint: Checkpoint
    refused: tuple[Refused, ...] = ()
    doubted: tuple[Refused, ...] = ()
    spent: Mapping[str, Any] = field(default_factory=dict)
    bundle: Packed | None = None
    thinned: tuple[Refused, ...] = ()


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
        name: of the model's folder; None = the network's, or ``<base>-tuned``.
        recipe: what to train; None = the dataset's.
        training: how to run it.

    Raises:
        ModelError: nothing to learn from; with ``is_strict``, a session that must be left out; a
            name whose folder is taken.
        RecipeMismatchError: the state that a stopped training left belongs to other settings.
        RecipeError: settings that contradict each other, the base or this machine.
    """
    began_s = time.perf_counter()
    how = training or Training()
    start = find_checkpoint(dataset, how.base) if how.base else None
    base = None if start is None else load_checkpoint(start)
    wanted = based(recipe or dataset.recipe.synthesize, base, how.asked)
    final = wanted if base is None else tuned(wanted, base)
    require_possible(final, how.watch)
    if how.has_board:
        require_board()
    name = name or (final.network if start is None else f"{called(start)}-tuned")
    require_name(name, start)
    run = _Run(dataset, name, wanted, final, base, how, began_s)
    with held(run.folder):
        mark = mark_of(dataset, wanted, base, how.watch.budget_s)
        done = finished(dataset, name, mark)
        made = _trained(run, mark) if done is None else Trained(*done)
        return replace(made, bundle=_packed(made.path, how))


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """One training: ``wanted`` is what is learned by, ``final`` what the model's recipe will be."""

    dataset: Dataset
    name: str
    wanted: SynthesizeRecipe
    final: SynthesizeRecipe
    base: Checkpoint | None
    how: Training
    began_s: float

    @property
    def folder(self) -> Path:
        """Of the model."""
        return self.dataset.models / self.name


def _trained(run: _Run, mark: str) -> Trained:
    """Read, learn, keep."""
    state, how = load_state(run.dataset, run.name), run.how
    has_rival = how.has_rival and not is_solved(run.final.network)
    spaces = spaces_of(run.dataset, run.final, run.base, has_rival=has_rival)
    scale = Normalisation() if run.base is None else run.base.normalisation
    found = read(run.dataset, spaces, scale, workers=how.workers, advance=how.advance)
    if how.is_strict:
        require_whole(found)
    reading_s = time.perf_counter() - run.began_s
    require_time(how.watch.budget_s, reading_s)
    if is_leader():
        begin(run.folder, has_rival=len(spaces) > 1)
    count = _Counter(how.watch.progress)
    with _watched(run, replace(how.watch, progress=count, spent_s=reading_s)) as watch:
        checkpoint = _learned(run, found.materials[0], spaces[0], state, watch)
    path = run.folder / WEIGHTS
    spent = {**_spent(run, found), "reading_s": round(reading_s, 1), "steps": count.steps}
    if is_leader():
        if len(spaces) > 1:
            _keep_linear(run, found.materials[1], spaces[1])
        path = save_checkpoint(run.dataset, run.name, checkpoint, mark, facts=spent)
    return Trained(path, checkpoint, found.refused, found.doubted, spent, thinned=found.thinned)


def _learned(
    run: _Run, material: Material, where: Space, state: TrainingState | None, watch: Watch
) -> Checkpoint:
    """The model; a state that does not fit says where it lies."""
    try:
        return synthesize.learn(
            material,
            where,
            recipe=run.wanted,
            training_domain=training_domain(run.dataset),
            base=run.base,
            resume=state,
            watch=watch,
        )
    except (ModelError, RecipeMismatchError) as error:
        if state is not None:
            error.add_note(f"a stopped training left {run.folder / STATE}")
        raise


def _packed(weights: Path, how: Training) -> Packed | None:
    """The bundle that every training ends in; made now where an earlier one was stopped before."""
    if not how.has_bundle or not is_leader():
        return None
    try:
        return bundles.packed(weights)
    except ModelError as error:
        _log.warning("The model was not packed: %s", error)
        return None


class _Counter:
    """Counts the steps of a run, and passes on what is said of them."""

    def __init__(self, listener: Callable[[Progress], None] | None) -> None:
        self.steps, self._listener = 0, listener

    def __call__(self, at: Progress) -> None:
        self.steps = at.step
        if self._listener is not None:
            self._listener(at)


def _keep_linear(run: _Run, material: Material, where: Space) -> None:
    """Solve the linear map on the same people and keep it beside the model."""
    edge = float(where.grid.spacing_mm[0])
    rival = replace(run.final, network="ridge", objective="regression", members=1, voxel_mm=edge)
    made = synthesize.learn(
        material,
        where,
        recipe=rival,
        training_domain=training_domain(run.dataset),
        watch=Watch(device="cpu", is_alone=True),
    )
    write_bytes(run.folder / LINEAR, made.to_bytes())


@contextlib.contextmanager
def _watched(run: _Run, watch: Watch) -> Iterator[Watch]:
    """The watch of the run, with what is kept of it; only the first process writes."""
    if not is_leader():
        yield replace(watch, progress=None)
        return
    watch = replace(
        watch,
        save_state=lambda content: save_state(run.dataset, run.name, content),
        save_every=1,
        save_after_s=SAVE_AFTER_S,
    )
    if not run.how.has_board:
        yield watch
        return
    with board(run.folder / EVENTS) as events:
        yield replace(watch, events=events)


def _spent(run: _Run, found: Gathered) -> dict[str, Any]:
    """What the run took: no part of the model, for a clock never tells the same twice."""
    spent = {
        "spent_s": round(time.perf_counter() - run.began_s, 1),
        "cpu_s": round(time.process_time(), 1),
        "refused": len(found.refused),
        "doubted": len(found.doubted),
        "thinned": len(found.thinned),
    }
    budget_s = run.how.watch.budget_s
    return spent if budget_s is None else {**spent, "budget_s": budget_s}
