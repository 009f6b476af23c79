"""`tracerless simulate --tables-only`: people as tables, thousands in seconds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tracerless.cli.common import show

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = ("scanners", "first_scanner", "shift", "circular", "retest", "missing", "years")
"""Options that belong to ``--tables-only`` alone; left out, the simulator's own values hold."""

_WITH_TABLES = "(with --tables-only)"


def table_options(command: Command) -> Command:
    """Add the options of ``--tables-only`` to a command."""
    options = (
        click.option(
            "--tables-only",
            is_flag=True,
            help="Instead of scans, a dataset of tables: regions, scores, follow-up.",
        ),
        click.option(
            "--scanners", type=click.IntRange(1, 5), help=f"Machines of each tracer {_WITH_TABLES}."
        ),
        click.option(
            "--first-scanner",
            type=click.IntRange(1, 5),
            help=f"Which of the five comes first: another makes another site {_WITH_TABLES}.",
        ),
        click.option(
            "--shift",
            type=click.FloatRange(0, 5),
            help=f"Size of what machines differ by; 1 as declared, 0 all alike {_WITH_TABLES}.",
        ),
        click.option(
            "--circular",
            is_flag=True,
            default=None,
            help=f"Labels that use the test scores too {_WITH_TABLES}.",
        ),
        click.option(
            "--retest",
            type=click.FloatRange(0, 1),
            help=f"Share of people scanned again after two weeks {_WITH_TABLES}.",
        ),
        click.option(
            "--missing",
            type=click.FloatRange(0, 0.89),
            help=f"Share of instruments not taken {_WITH_TABLES}.",
        ),
        click.option(
            "--years", type=click.FloatRange(0, 30), help=f"Longest follow-up {_WITH_TABLES}."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def require_tables(*, tables_only: bool, prepared: bool, asked: dict[str, Any]) -> None:
    """Refuse options that contradict one another, before anything is written.

    Raises:
        click.UsageError: they do; click prints it.
    """
    given = [name for name in OPTIONS if asked[name] is not None]
    if tables_only and prepared:
        raise click.UsageError("--prepared and --tables-only exclude each other.")
    if given and not tables_only:
        raise click.UsageError(f"--{given[0].replace('_', '-')} goes with --tables-only.")


def write(
    folder: Path,
    people: int,
    seed: str,
    *,
    diagnoses: tuple[str, ...],
    asked: dict[str, Any],
    as_json: bool,
) -> None:
    """Write the dataset and say what is in it."""
    from tracerless.simulate.tables import TableOptions
    from tracerless.workspace.simulate_tables import write_tables

    given = {name: asked[name] for name in OPTIONS if asked[name] is not None}
    options = TableOptions(diagnoses=diagnoses, **given)
    made = write_tables(folder, n=people, seed=seed, options=options)
    counts = made.people["diagnosis"].value_counts()
    followed = int(made.followup.loc[made.followup["status"] == "seen", "participant_id"].nunique())
    result = {
        "folder": str(folder),
        "n_people": len(made),
        "n_scans": sum(len(each) for each in made.scans.values()),
        "n_followed": followed,
        "n_by_diagnosis": {str(name): int(n) for name, n in sorted(counts.items())},
        "seed": seed,
        "tables_only": True,
    }
    lines = (
        f"{len(made)} simulated people as tables: {folder}",
        "  " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items())),
        f"  Regions:    {folder / 'derivatives'} (cohort_roi.tsv: FDG, ECD, HMPAO)",
        f"  Scores:     {folder / 'phenotype'} ({followed} people seen again)",
        f"  The truth:  {folder / 'truth'} (for judging results only)",
        f"Next: tracerless diagnose evaluate {folder} --of ECD",
    )
    show(result, lines, as_json=as_json)
