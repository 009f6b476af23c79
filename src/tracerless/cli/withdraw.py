"""`tracerless withdraw`: one person leaves a dataset and stays out."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracerless.cli.common import json_option, show
from tracerless.cli.sessions import dataset_argument

if TYPE_CHECKING:
    from tracerless.core.people import Pseudonym
    from tracerless.workspace.withdraw import Withdrawal


@click.command("withdraw")
@dataset_argument
@click.option(
    "--vault",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The vault that the dataset was made with.",
)
@click.option("--pseudonym", help="Whom: the pseudonym in this or another dataset of the vault.")
@click.option(
    "--chart-number-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Whom: a file whose first line is the chart number (NUMBER, or NUMBER|ISSUER).",
)
@json_option
def command(
    dataset: Path,
    *,
    vault: Path,
    pseudonym: str | None,
    chart_number_file: Path | None,
    as_json: bool,
) -> None:
    """Take one person out of DATASET, wholly, and out of every later one of the same vault.

    Scans, volumes, tables, pages and what the vault knew of the person go; a tombstone without a
    pseudonym stays. It cannot be undone. Run again, it goes on where it was stopped.

    Example: tracerless withdraw my-dataset --vault ~/vault --pseudonym WC69X8PPNQ
    """
    from tracerless.workspace.withdraw import withdraw

    done = withdraw(dataset, vault, _whom(pseudonym, chart_number_file))
    show(done.summary(), _lines(done), as_json=as_json)


def _whom(pseudonym: str | None, path: Path | None) -> "Pseudonym | str":
    from tracerless.core.people import Pseudonym
    from tracerless.deidentify.keys import is_pseudonym

    if (pseudonym is None) == (path is None):
        raise click.UsageError("Give either --pseudonym or --chart-number-file.")
    if pseudonym is not None:
        text = pseudonym.removeprefix("sub-")
        if not is_pseudonym(text):
            raise click.UsageError(f"{pseudonym!r} is mistyped: its check sign does not fit.")
        return Pseudonym(text)
    lines = path.read_text(encoding="utf-8-sig").splitlines() if path is not None else []
    if not lines or not lines[0].strip():
        raise click.UsageError("The first line of the chart number file is empty.")
    return lines[0].strip()


def _lines(done: "Withdrawal") -> Iterator[str]:
    if not done.digest:
        yield "No scan of that person is in this dataset's domain; whatever comes later stays out."
        return
    yield "Done before; checked again." if done.is_repeat else "Withdrawn."
    yield (
        f"{done.files} files and {done.entries} entries of tables and records went, "
        f"{done.sealed_records} sealed records of the vault now."
    )
    if done.models:
        yield f"Trained on this person, to be trained again: {', '.join(done.models)}."
    yield "Tables and pages over everybody: run quantify, evaluate, report and verify again."
