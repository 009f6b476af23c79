"""`tracerless synthesize`: train a synthesizer; predict synthetic FDG-PET."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, meter, show
from tracerless.cli.sessions import (
    conclude,
    dataset_argument,
    inputs_option,
    open_at_work,
    resolve_all,
    session_option,
)

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey
    from tracerless.core.prediction import Prediction
    from tracerless.synthesize.fit import Progress


@click.group("synthesize")
def command() -> None:
    """Train a synthesizer on MR and PET pairs, or predict synthetic FDG-PET from MR."""


@command.command("fit")
@dataset_argument
@click.option("--name", help="Folder under models/; default: the network's name.")
@click.option("--network", help="ridge, unet-small …; instead of the recipe's.")
@click.option("--steps", type=int, help="Optimizer steps instead of the recipe's.")
@json_option
def fit(
    dataset: Path, name: str | None, *, network: str | None, steps: int | None, as_json: bool
) -> None:
    """Train on every prepared session that has MR and acquired FDG-PET and passed its checks.

    Stopped training goes on where it stood, to the same result.
    Example: tracerless synthesize fit my-dataset --network unet-small
    """
    opened = open_at_work(dataset)
    from tracerless.workspace.derivatives import failed
    from tracerless.workspace.training import train

    left_out = [str(key) for key in failed(opened)]
    with meter("train") as advance:
        path, checkpoint = train(
            opened,
            name,
            network=network,
            steps=steps,
            progress=lambda p: advance(p.step, p.steps, _training(p)),
        )
    people = f"trained on {checkpoint.n_trained} {checkpoint.training_domain} people"
    result = {
        "model": checkpoint.name,
        "path": str(path),
        "n_trained": checkpoint.n_trained,
        "n_held_out": checkpoint.n_held_out,
        "training_domain": checkpoint.training_domain,
        "held_out_skill": [list(check) for check in checkpoint.history.checks],
        "failed_quality": left_out,
    }
    lines = [f"{checkpoint.name}, {people}: {path}"]
    if left_out:
        lines.append(f"Left out, because quality control failed: {', '.join(left_out)}.")
    show(result, lines, as_json=as_json)


@command.command("predict")
@dataset_argument
@click.option("--model", help="Name under models/, or the path of a checkpoint or its folder.")
@inputs_option
@session_option
@json_option
def predict(
    dataset: Path,
    names: tuple[str, ...],
    *,
    model: str | None,
    inputs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Predict synthetic FDG-PET, in template space and on each person's own T1 grid.

    Example: tracerless synthesize predict my-dataset --model ridge
    """
    opened = open_at_work(dataset)
    from tracerless.workspace.batch import choose, with_mr
    from tracerless.workspace.derivatives import describe
    from tracerless.workspace.predictors import with_predictor
    from tracerless.workspace.roots import dataset_roots

    _, roots = with_predictor(dataset_roots(opened), opened, model, inputs)
    keys, notes = with_mr(opened, choose(opened, names))
    wants = ("synthetic", "synthetic_native", "synthetic_uptake")
    outcome = resolve_all(opened, keys, *wants, roots=roots, what="synthesize")
    describe(opened)
    conclude(outcome, _line, as_json=as_json, notes=notes)


def _training(progress: "Progress") -> str:
    skill = "" if progress.skill is None else f", skill on held-out people {progress.skill:+.2f}"
    return f"loss {progress.loss:.4f} SUVR{skill}"


def _line(key: "SessionKey", values: tuple["Prediction", Any, Any]) -> str:
    prediction = values[0]
    notes = "".join(f" {note}" for note in prediction.notes)
    inputs = " + ".join(prediction.inputs)
    return f"{key}: SYNTHETIC FDG from {inputs} by {prediction.model}.{_width(prediction)}{notes}"


def _width(prediction: "Prediction") -> str:
    widths = sorted(prediction.half_widths.values())
    if not widths:
        return ""
    middle, widest = widths[len(widths) // 2], widths[-1]
    return f" {prediction.level:.0%} interval of a region: ±{middle:.2f} SUVR (up to {widest:.2f})."
