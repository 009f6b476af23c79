"""Trained models of a dataset: one folder each, with weights, card, and a state to resume from."""

import json
from pathlib import Path

from tracerless.io.atomic import write_bytes, write_json, write_text
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.card import card
from tracerless.workspace.dataset import Dataset, find_kept

WEIGHTS = "checkpoint.safetensors"
STATE = "training.state"
MARK = "trained.json"


def finished(dataset: Dataset, name: str, mark: str) -> tuple[Path, Checkpoint] | None:
    """The model of that name if it was trained under that mark, else None."""
    folder = dataset.models / name
    record = folder / MARK
    if not record.is_file() or json.loads(record.read_text("utf-8")).get("mark") != mark:
        return None
    return folder / WEIGHTS, load_checkpoint(folder / WEIGHTS)


def save_checkpoint(dataset: Dataset, name: str, checkpoint: Checkpoint, mark: str) -> Path:
    """Write weights and card, then the mark; the state to resume from is no longer needed.

    Args:
        dataset: where the model goes.
        name: of its folder.
        checkpoint: trained.
        mark: of the settings and people it was trained under.

    Returns:
        The path of the weights.
    """
    folder = dataset.models / name
    write_text(folder / "README.md", card(checkpoint))
    write_bytes(folder / WEIGHTS, checkpoint.to_bytes())
    write_json(folder / MARK, {"mark": mark, "model": checkpoint.name})
    (folder / STATE).unlink(missing_ok=True)
    return folder / WEIGHTS


def find_checkpoint(dataset: Dataset, model: str | None) -> Path:
    """The weights of a model: by path, by name among the dataset's models, or the only one.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    return find_kept(
        dataset,
        model,
        WEIGHTS,
        what="model",
        option="--model",
        make="Train one with `tracerless synthesize fit`.",
    )


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in that file.

    Raises:
        ModelError: the file is damaged.
    """
    return Checkpoint.from_bytes(path.read_bytes())


def load_state(dataset: Dataset, name: str) -> bytes | None:
    """Where training of that model stood when it was stopped, or None."""
    path = dataset.models / name / STATE
    return path.read_bytes() if path.is_file() else None


def save_state(dataset: Dataset, name: str, state: bytes) -> None:
    """Keep where training stands."""
    write_bytes(dataset.models / name / STATE, state)
