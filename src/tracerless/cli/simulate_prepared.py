"""`tracerless simulate --prepared`: people straight in template space, to train on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tracerless.cli.common import show, track

Command = TypeVar("Command", bound=Callable[..., Any])

OPTIONS = ("voxel_mm", "randomise", "workers")
"""Options that belong to ``--prepared`` alone; left out, the simulator's own values hold."""


def prepared_options(command: Command) -> Command:
    """Add the options of ``--prepared`` to a command."""
    options = (
        click.option(
            "--prepared",
            is_flag=True,
            help="Instead of DICOM, a dataset of people straight in template space, to train on.",
        ),
        click.option(
            "--voxel-mm",
            type=click.Choice(["2", "3", "4"]),
            help="Voxel edge of the template grid, mm; 4 when left out (with --prepared).",
        ),
        click.option(
            "--randomise",
            is_flag=True,
            default=None,
            help="Sites, noise, misalignment and anatomy drawn widely, so that a model may meet "
            "machines it never saw (with --prepared).",
        ),
        click.option(
            "--workers",
            type=click.IntRange(1, 512),
            help="Processes; the people are the same however many (with --prepared).",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def require_prepared(*, prepared: bool, diagnoses: tuple[str, ...], asked: dict[str, Any]) -> None:
    """Refuse options of rendered people where none are rendered, and those they cannot obey.

    Raises:
        click.UsageError: one was given; click prints it.
    """
    if prepared and diagnoses:
        raise click.UsageError(
            "--diagnosis goes without --prepared, whose people are of all six diagnoses in turn."
        )
    given = [name for name in OPTIONS if asked[name] is not None]
    if given and not prepared:
        raise click.UsageError(f"--{given[0].replace('_', '-')} goes with --prepared.")


def write(folder: Path, people: int, seed: str, *, asked: dict[str, Any], as_json: bool) -> None:
    """Write the dataset and say what is in it."""
    from tracerless.workspace.rendered_people import write_prepared_people

    how = {
        "voxel_mm": float(asked["voxel_mm"] or 4),
        "randomise": bool(asked["randomise"]),
        "workers": int(asked["workers"] or 1),
    }
    made = write_prepared_people(folder, n=people, seed=seed, **how)  # type: ignore[arg-type]
    n_people = sum(1 for _ in track(made, "Simulating people in template space", people))
    result = {"folder": str(folder), "n_people": n_people, "seed": seed, "prepared": True}
    lines = (
        f"{n_people} simulated people in template space: {folder}",
        f"Next: tracerless synthesize fit {folder}, or as people a model never saw: "
        f"tracerless evaluate {folder} --model default",
    )
    show(result | how, lines, as_json=as_json)
