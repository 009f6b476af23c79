"""`tracerless readers`: a blinded set of cases for readers, and what their forms say."""

import math
from pathlib import Path
from typing import Any

import click

from tracerless.cli.common import json_option, meter, show
from tracerless.cli.sessions import dataset_argument, open_at_work

_folder = click.Path(path_type=Path, file_okay=False)
_file = click.Path(path_type=Path, exists=True)


@click.group("readers")
def command() -> None:
    """A reader study: MR alone, with synthetic and with acquired PET, blinded and randomized.

    Example: tracerless readers kit my-dataset --model ridge --to for-readers --key for-me
    """


@command.command("kit")
@dataset_argument
@click.option("--model", help="Name under models/, or the path of a checkpoint or its folder.")
@click.option("--crossfit", help="A cross-fitted set instead of one model.")
@click.option("--to", "folder", required=True, type=_folder, help="New folder for the readers.")
@click.option("--key", required=True, type=_folder, help="New folder for the key, kept apart.")
@click.option("--people", default=30, show_default=True, type=click.IntRange(2), help="In the set.")
@click.option("--readers", default=2, show_default=True, type=click.IntRange(1, 50), help="Forms.")
@click.option("--volumes", is_flag=True, help="NIfTI of every case beside its picture.")
@click.option("--seed", help="Of codes and orders; drawn, and kept with the key, if not given.")
@json_option
def kit(
    dataset: Path, *, model: str | None, crossfit: str | None, as_json: bool, **asked: Any
) -> None:
    """Write cases, forms and the key of a reader study, of people whom the model never saw.

    Every picture says that some of the set are synthetic; none says which.

    Example: tracerless readers kit my-dataset --model ridge --to for-readers --key for-me
    """
    opened = open_at_work(dataset)
    from tracerless.workspace.cross_fit import open_cross_fit
    from tracerless.workspace.reader_kit import make_kit
    from tracerless.workspace.trial_open import trial

    own = open_cross_fit(opened, crossfit) if crossfit else None
    shown = trial(opened, model, crossfit=own)
    with meter("draw") as advance:
        made = make_kit(
            shown, asked["folder"], asked["key"], n_people=asked["people"],
            n_readers=asked["readers"], seed=asked["seed"], volumes=asked["volumes"],
            advance=advance,
        )  # fmt: skip
    lines = [
        f"{len(made.cases)} cases for the readers: {made.folder}",
        f"The key, which says what each case is: {made.key}. Do not give it away.",
        *made.left_out,
    ]
    result = {"cases": len(made.cases), "folder": str(made.folder), "key": str(made.key)}
    show({**result, "left_out": list(made.left_out)}, lines, as_json=as_json)


@command.command("analyze")
@click.argument("forms", nargs=-1, required=True, type=_file)
@click.option("--key", required=True, type=_file, help="The key of the set, or its folder.")
@click.option("--to", type=_folder, help="Folder for the table.")
@json_option
def analyze(forms: tuple[Path, ...], *, key: Path, to: Path | None, as_json: bool) -> None:
    """Say what readers made of the cases: accuracy, agreement, certainty, and how blind they were.

    Example: tracerless readers analyze form_reader-1.csv form_reader-2.csv --key for-me
    """
    from tracerless.workspace.reader_kit_forms import analyze as analyzed

    table, notes = analyzed(key, forms, to=to)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    lines = [_line(row) for row in table.to_dict("records")]
    show({"results": rows, "notes": list(notes)}, [*lines, "", *notes], as_json=as_json)


def _line(row: Any) -> str:
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    spread = "" if math.isnan(low) else f" ({low:.2f} to {high:.2f})"
    return f"{row['what']:<24} {row['reader']:<12} {row['kind']:<32} {value:.2f}{spread}"
