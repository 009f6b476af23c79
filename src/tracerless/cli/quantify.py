"""`tracerless quantify`: region tables of every session, and those over the dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option
from tracerless.cli.sessions import (
    conclude,
    crew_for,
    crew_options,
    dataset_argument,
    resolve_many,
    session_option,
)

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey


@click.command("quantify")
@dataset_argument
@session_option
@crew_options
@json_option
def command(
    dataset: Path,
    names: tuple[str, ...],
    *,
    workers: int,
    scheduler: str,
    memory_mb: int | None,
    as_json: bool,
) -> None:
    """Measure every region of every prepared session, synthetic FDG included.

    Sessions not yet prepared are prepared first. Example: tracerless quantify my-dataset
    """
    from tracerless.workspace.batch import choose
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.workers_lock import at_work

    opened = Dataset.open(dataset)
    keys = choose(opened, names)
    crew = crew_for(opened, keys, workers=workers, scheduler=scheduler, memory_mb=memory_mb)
    from tracerless.workspace.derivatives import describe  # heavy: after what may be refused
    from tracerless.workspace.tables import COHORT_TABLE, collect_tables, write_region_table

    corrects = opened.recipe.quantify.pvc != "none"
    wants = ("uptake", "corrected") if corrects else ("uptake",)
    with at_work(opened):
        outcome = resolve_many(
            opened, keys, *wants, said=said, what="quantify", crew=crew, may_lack=("corrected",)
        )
        describe(opened)
        write_region_table(opened, collect_tables(opened))
    where = str(opened.derivatives / COHORT_TABLE)
    if not as_json:
        click.echo(f"Table over all sessions: {where}")
    sessions = {str(key): told for key, told in outcome.values.items()}
    conclude(outcome, _line, as_json=as_json, extra={"table": where, "sessions": sessions})


def said(*uptakes: Mapping[Any, Any] | str) -> dict[str, list[str]]:
    """What is told of a session's region tables, and of those that it cannot have."""
    tables = [table for each in uptakes if not isinstance(each, str) for table in each.values()]
    return {
        "tables": [
            f"{table.contrast} {len(table.values)} regions"
            + (f" ({table.pvc})" if table.pvc else "")
            for table in tables
        ],
        "lacks": [each for each in uptakes if isinstance(each, str)],
    }


def _line(key: "SessionKey", told: dict[str, list[str]]) -> str:
    lacks = "".join(f" Not corrected: {text}" for text in told["lacks"])
    return f"{key}: {', '.join(told['tables'])}.{lacks}"
