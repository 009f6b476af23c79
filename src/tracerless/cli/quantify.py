"""`tracerless quantify`: region tables of every session, and one over the dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option
from tracerless.cli.sessions import conclude, dataset_argument, resolve_all, session_option

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey


@click.command("quantify")
@dataset_argument
@session_option
@json_option
def command(dataset: Path, names: tuple[str, ...], *, as_json: bool) -> None:
    """Measure every region of every prepared session, synthetic FDG included.

    Sessions not yet prepared are prepared first. Example: tracerless quantify my-dataset
    """
    from tracerless.workspace.batch import choose, with_mr
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.roots import dataset_roots
    from tracerless.workspace.tables import COHORT_TABLE, collect_tables, write_region_table

    opened = Dataset.open(dataset)
    opened.clean_partials()
    keys, notes = with_mr(opened, choose(opened, names))
    roots = dataset_roots(opened)
    outcome = resolve_all(opened, keys, "uptake", roots=roots, what="quantify")
    write_region_table(opened, collect_tables(opened))
    where = str(opened.derivatives / COHORT_TABLE)
    conclude(outcome, _line, as_json=as_json, extra={"table": where}, notes=notes)
    if not as_json:
        click.echo(f"Table over all sessions: {where}")


def _line(key: "SessionKey", uptake: Mapping[Any, Any]) -> str:
    said = (f"{contrast} {len(table.values)} regions" for contrast, table in uptake.items())
    return f"{key}: {', '.join(said)}."
