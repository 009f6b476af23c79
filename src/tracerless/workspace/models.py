"""Trained models of a dataset: one folder each: weights, card, page, a state to resume from."""

import hashlib
import json
import logging
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tracerless.core.assessment import Assessment
from tracerless.core.errors import DatasetError, ModelError
from tracerless.io import assessments, bundles
from tracerless.io.atomic import write_bytes, write_json, write_text
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.backend import Backend, OnnxBackend, answers, torch_backend
from tracerless.synthesize.card import card
from tracerless.synthesize.parity import Parity, parity, probes
from tracerless.workspace.dataset import Dataset, find_kept
from tracerless.workspace.tables import EVALUATION

_log = logging.getLogger(__name__)
WEIGHTS = "checkpoint.safetensors"
STATE = "training.state"
MARK = "trained.json"
CARD = "README.md"
PAGE = "report.html"
GRAPH, GRAPH_RECORD = (Path(name).name for name in (bundles.MEMBER_GRAPH, bundles.GRAPH_RECORD))
DEFAULT = "default"
"""Names the model that ships with the package, unless the dataset has one of that name."""


def finished(dataset: Dataset, name: str, mark: str) -> tuple[Path, Checkpoint] | None:
    """The model of that name if it was trained under that mark, else None."""
    folder = dataset.models / name
    if run_facts(folder).get("mark") != mark:
        return None
    return folder / WEIGHTS, load_checkpoint(folder / WEIGHTS)


def run_facts(folder: Path) -> dict[str, Any]:
    """What was kept of the run beside its model: mark, CPU-seconds, budget; empty when nothing."""
    record = folder / MARK
    return dict(json.loads(record.read_text("utf-8"))) if record.is_file() else {}


def save_checkpoint(
    dataset: Dataset,
    name: str,
    checkpoint: Checkpoint,
    mark: str,
    *,
    facts: Mapping[str, Any] | None = None,
) -> Path:
    """Write weights, card and page, then the mark; the state to resume from is no longer needed.

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
    write_text(folder / CARD, card(checkpoint))
    _write_page(folder / PAGE, checkpoint, facts)
    for stale in (GRAPH, GRAPH_RECORD):
        (folder / stale).unlink(missing_ok=True)
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
    """The checkpoint in that file.

    Raises:
        ModelError: the file is damaged.
    """
    return Checkpoint.from_bytes(path.read_bytes())


def save_graph(folder: Path, checkpoint: Checkpoint, graph: bytes, found: Parity) -> None:
    """Keep a graph beside the weights it was made from, with what its parity check showed."""
    write_bytes(folder / GRAPH, graph)
    write_bytes(folder / GRAPH_RECORD, graph_record(checkpoint, graph, found))


def graph_record(
    checkpoint: Checkpoint, graph: bytes, found: Parity, runtime: str | None = None
) -> bytes:
    """What binds a graph to its weights, as JSON; ``runtime`` is the version that is here."""
    record = {
        "weights": checkpoint.digest,
        "graph": hashlib.sha256(graph).hexdigest(),
        "onnxruntime": runtime or version("onnxruntime"),
        "parity": found.to_json(),
    }
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()


def kept_parity(weights: Path, checkpoint: Checkpoint) -> Parity | None:
    """What the parity check of the graph beside these weights showed; None where there is none."""
    kept = weights.parent / GRAPH_RECORD
    record = json.loads(kept.read_text("utf-8")) if kept.is_file() else {}
    if record.get("weights") != checkpoint.digest:
        return None
    return Parity(**{name: record["parity"][name] for name in Parity.__dataclass_fields__})


def load_backend(
    path: Path, checkpoint: Checkpoint, threads: int = 1
) -> tuple[Backend | None, str]:
    """ONNX Runtime for a model, where it was shown to agree with torch.

    Args:
        path: of the weights; ``synthesize pack`` puts the graph beside them.
        checkpoint: in that file.
        threads: of the runtime.

    Returns:
        (back-end, ""), or (None, why torch computes instead).
    """
    graph, said = _kept_graph(path.parent, checkpoint)
    if graph is None:
        return None, said
    try:
        is_known = said == version("onnxruntime")
    except PackageNotFoundError:
        return None, "ONNX Runtime is not installed."
    return _checked(checkpoint, graph, threads, is_known=is_known)


def _kept_graph(folder: Path, checkpoint: Checkpoint) -> tuple[bytes | None, str]:
    """(graph, version of the runtime that it agreed by), or (None, why it may not be used)."""
    path, kept = folder / GRAPH, folder / GRAPH_RECORD
    if not path.is_file() or not kept.is_file():
        return None, "No ONNX graph lies beside the weights (`tracerless synthesize pack`)."
    graph = path.read_bytes()
    try:
        record = json.loads(kept.read_text("utf-8"))
        whose = (record["weights"], record["graph"])
        holds, by = bool(record["parity"]["holds"]), str(record["onnxruntime"])
    except (ValueError, KeyError, TypeError):
        return None, "The record of the ONNX graph is damaged; pack the model again."
    if whose != (checkpoint.digest, hashlib.sha256(graph).hexdigest()):
        return None, "The ONNX graph belongs to other weights; pack the model again."
    if not holds:
        return None, "The ONNX graph differs from torch by too much."
    return graph, by


def _checked(
    checkpoint: Checkpoint, graph: bytes, threads: int, *, is_known: bool
) -> tuple[Backend | None, str]:
    """The back-end; compared anew where it was kept by another version of the runtime."""
    made = OnnxBackend(graph, answers(checkpoint), threads)
    if not is_known:
        first = list(probes(checkpoint))[:1]
        if not parity(checkpoint, torch_backend(checkpoint), made, first).holds:
            return None, "This version of ONNX Runtime differs from torch by too much."
    return made, ""


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


def load_state(dataset: Dataset, name: str) -> bytes | None:
    """Where training of that model stood when it was stopped, or None."""
    path = dataset.models / name / STATE
    return path.read_bytes() if path.is_file() else None


def save_state(dataset: Dataset, name: str, state: bytes) -> None:
    """Keep where training stands."""
    write_bytes(dataset.models / name / STATE, state)
