"""`tracerless synthesize`: train a synthesizer; predict synthetic FDG-PET."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option
from tracerless.cli.sessions import (
    conclude,
    dataset_argument,
    inputs_option,
    open_at_work,
    resolve_all,
    session_option,
)
from tracerless.cli.synthesize_crossfit import crossfit
from tracerless.cli.synthesize_fit import fit
from tracerless.cli.synthesize_pack import card, check, pack

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey
    from tracerless.core.prediction import Prediction


@click.group("synthesize")
def command() -> None:
    """Train a synthesizer on MR and PET pairs, or predict synthetic FDG-PET from MR."""


for each in (fit, crossfit, pack, check, card):
    command.add_command(each)


@command.command("predict")
@dataset_argument
@click.option(
    "--model",
    help="Name under models/, the path of a model or a bundle, or `default`, which ships.",
)
@inputs_option
@click.option(
    "--samples",
    type=click.IntRange(0, 64),
    default=0,
    show_default=True,
    help="Plausible volumes to write beside the mean, for texture; of a flow only.",
)
@session_option
@json_option
def predict(
    dataset: Path,
    names: tuple[str, ...],
    *,
    model: str | None,
    inputs: tuple[str, ...],
    samples: int,
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

    _, roots = with_predictor(dataset_roots(opened), opened, model, inputs, samples)
    keys, notes = with_mr(opened, choose(opened, names))
    wants = ("synthetic", "synthetic_native", "synthetic_uptake")
    outcome = resolve_all(opened, keys, *wants, roots=roots, what="synthesize", said=_told)
    describe(opened)
    conclude(outcome, _line, as_json=as_json, notes=notes)


def _line(key: "SessionKey", told: str) -> str:
    return f"{key}: {told}"


def _told(prediction: "Prediction", *_files: Any) -> str:
    """What was made, then each thing that a reader must know on a line of its own.

    The volumes themselves lie on disk; held here, they would fill the memory.
    """
    inputs = " + ".join(prediction.inputs)
    first = f"SYNTHETIC FDG from {inputs} by {prediction.model}.{_width(prediction)}"
    return "\n  - ".join([first, *_notes(prediction.notes)])


def _notes(notes: tuple[str, ...]) -> Iterator[str]:
    """The notes; those of `prepare` stand there in full, and here as one."""
    from tracerless.synthesize.material import UP_FOR_REVIEW

    yield from (note for note in notes if not note.startswith(UP_FOR_REVIEW))
    doubts = sum(note.startswith(UP_FOR_REVIEW) for note in notes)
    if doubts:
        yield f"{UP_FOR_REVIEW} ({doubts} reason(s); `tracerless prepare` tells them)."


def _width(prediction: "Prediction") -> str:
    widths = sorted(prediction.half_widths.values())
    if not widths:
        return ""
    middle, widest = widths[len(widths) // 2], widths[-1]
    return f" {prediction.level:.0%} interval of a region: ±{middle:.2f} SUVR (up to {widest:.2f})."
