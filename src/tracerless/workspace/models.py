"""Trained models of a dataset: one folder each: weights, card, page, a state to resume from."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracerless.core.assessment import Assessment
from tracerless.core.errors import DatasetError, ModelError
from tracerless.io import assessments, bundles
from tracerless.io.atomic import write_bytes, write_json, write_text
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.card import card
from tracerless.synthesize.state import TrainingState
from tracerless.workspace.dataset import Dataset, find_kept
from tracerless.workspace.graphs import GRAPH, GRAPH_RECORD
from tracerless.workspace.tables import EVALUATION

_log = logging.getLogger(__name__)
WEIGHTS = "checkpoint.safetensors"
STATE = "training.state"
MARK = "trained.json"
CARD = "README.md"
PAGE = "report.html"
BUNDLE = "bundle"
"""Folder of the bundle that a training ends in, beside the weights."""
DEFAULT = "default"
"""Names the model that ships with the package, unless the dataset has one of that name."""


def finished(dataset: Dataset, name: str, mark: str) -> tuple[Path, Checkpoint] | None:
    """The model of that name if it was trained under that mark, else None."""
    folder = dataset.models / name
    if run_facts(folder).get("mark") != mark:
        return None
    return folder / WEIGHTS, load_checkpoint(folder / WEIGHTS)


def run_facts(folder: Path) -> dict[str, Any]:
    """What was kept of the run beside its model: mark, CPU-seconds, budget.

    Empty when nothing was, or when it cannot be read: the model is then trained anew.
    """
    try:
        return dict(json.loads((folder / MARK).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def save_checkpoint(
    dataset: Dataset,
    name: str,
    checkpoint: Checkpoint,
    mark: str,
    *,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Write weights, card and page, then the mark; the state to resume from is no longer needed.

    A graph and a bundle of other weights that lay there go first: they would speak for these.

    Args:
        dataset: where the model goes.
        name: of its folder.
        checkpoint: trained.
        mark: of the settings and people it was trained under.
        facts: of the run that are no part of the model, e.g. ``cpu_s``, ``budget_s``.

    Returns:
        The path of the weights.
    """
    folder, facts = dataset.models / name, dict(facts or {})
    for stale in (GRAPH, GRAPH_RECORD):
        (folder / stale).unlink(missing_ok=True)
    bundles.remove(folder / BUNDLE)
    write_text(folder / CARD, card(checkpoint))
    _write_page(folder / PAGE, checkpoint, facts)
    write_bytes(folder / WEIGHTS, checkpoint.to_bytes())
    write_json(folder / MARK, {**facts, "mark": mark, "model": checkpoint.name})
    (folder / STATE).unlink(missing_ok=True)
    return folder / WEIGHTS


def _write_page(path: Path, checkpoint: Checkpoint, facts: Mapping[str, Any]) -> None:
    """The page of the training; a machine that only trains may lack what draws it."""
    try:
        from tracerless.publish import training_page  # noqa: PLC0415
        from tracerless.workspace.training_record import training_record  # noqa: PLC0415
    except ImportError as error:
        _log.warning("No page of the training was written: %s is missing.", error.name)
        return
    write_text(path, training_page(training_record(checkpoint, facts)))


def find_checkpoint(dataset: Dataset, model: str | None) -> Path:
    """The weights of a model: by path, by name among the dataset's models, or the only one.

    A bundle is a model too, wherever it lies; ``default`` is the one that ships with the package.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    if model is not None:
        found = weights_in(dataset.models / model) or weights_at(model)
        if found is not None:
            return found
    shipped = "" if bundles.default_folder() is None else f", or name --model {DEFAULT}"
    return find_kept(
        dataset,
        model,
        WEIGHTS,
        what="model",
        option="--model",
        make=f"Train one with `tracerless synthesize fit`{shipped}.",
    )


def weights_at(model: str) -> Path | None:
    """The weights of a model named without a dataset: a file, a folder, a bundle, ``default``.

    Raises:
        ModelError: ``default``, and this installation has none.
    """
    path = Path(model)
    if path.is_file():
        return path
    found = weights_in(path)
    return default_model() if found is None and model == DEFAULT else found


def called(weights: Path) -> str:
    """Name of a model: its folder's; a bundle keeps weights one folder deeper."""
    folder = weights.resolve().parent
    return folder.name if weights.name == WEIGHTS else folder.parent.name


def weights_in(folder: Path) -> Path | None:
    """The weights in a model's folder or a bundle; None when it is neither."""
    paths = (folder / WEIGHTS, folder / bundles.WEIGHTS)
    return next((path for path in paths if path.is_file()), None)


def default_model() -> Path:
    """The weights of the model that ships with the package.

    Raises:
        ModelError: this installation has none.
    """
    folder = bundles.default_folder()
    if folder is None:
        raise ModelError(
            "This installation holds no default model.",
            hint="Train one with `tracerless synthesize fit`, or name a model's folder.",
        )
    return folder / bundles.WEIGHTS


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in that file; one in a bundle is read only where the whole bundle is right.

    Raises:
        ModelError: the file is damaged, or a file of its bundle was changed, added or taken away.
    """
    if path.name == Path(bundles.WEIGHTS).name:
        bundles.require_whole(path.resolve().parent.parent)
    return Checkpoint.from_bytes(path.read_bytes())


def evaluation_of(
    checkpoint: Checkpoint, dataset: Dataset | None, name: str, folder: Path | None = None
) -> Assessment | None:
    """An independent evaluation of just this model.

    Args:
        checkpoint: the model.
        dataset: that may hold one; None where the model lies outside a dataset.
        name: of the model in that dataset.
        folder: of an evaluation that the user names.

    Returns:
        The evaluation; None where none is named, and the dataset has none of these weights.

    Raises:
        DatasetError: nothing in the folder that was named.
        ModelError: that evaluation is damaged, or of another model.
    """
    if folder is not None:
        found = assessments.read(folder)
        if found.facts.get("model_hash") != checkpoint.digest:
            raise ModelError(
                f"That evaluation is of {found.facts.get('model', 'an unnamed model')}, not of "
                f"{checkpoint.name}.",
                hint="Name an evaluation of this model: tracerless evaluate DATASET --model …",
            )
        return found
    if dataset is None:
        return None
    try:
        found = assessments.read(dataset.derivatives / EVALUATION / f"synthesis-{name}")
    except (DatasetError, ModelError):
        return None
    return found if found.facts.get("model_hash") == checkpoint.digest else None


def load_state(dataset: Dataset, name: str) -> TrainingState | None:
    """Where training of that model stood when it was stopped, or None.

    Raises:
        ModelError: the file is damaged, or of another version.
    """
    path = dataset.models / name / STATE
    if not path.is_file():
        return None
    try:
        return TrainingState.from_bytes(path.read_bytes())
    except ModelError as error:
        raise ModelError(
            f"What a stopped training left in {path} cannot be taken up: {error.message}",
            hint=f"Delete {path} to train from the start.",
        ) from error


def save_state(dataset: Dataset, name: str, state: bytes) -> None:
    """Keep where training stands."""
    write_bytes(dataset.models / name / STATE, state)
