"""`tracerless demo`: the whole way, by the same commands that a user would type."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tracerless.cli.common import say

TRAINING_PEOPLE = 96
"""Simulated people that the demo's synthesizer learns from."""

PATIENTS = 4
"""Simulated patients that walk the whole way, none of them among the training people."""

SHIPPED = "default"
"""The model that the report shows; the one trained here, from few people, is evaluated before."""

DIAGNOSES = ("CN", "AD", "MCI", "FTD")
"""Of the patients, in turn."""


@click.command("demo")
@click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("tracerless-demo"),
)
@click.option("--people", default=TRAINING_PEOPLE, show_default=True, help="Training people.")
@click.option("--patients", default=PATIENTS, show_default=True, help="Patients in the hospital.")
@click.pass_context
def command(ctx: click.Context, folder: Path, *, people: int, patients: int) -> None:
    """Walk the whole way on a small simulated hospital, and end with a report.

    Run again, it goes on where it was stopped. Example: tracerless demo
    """
    began = time.process_time()
    for step in steps(folder, people, patients):
        say(f"\n$ tracerless {step.words}")
        before = time.process_time()
        _invoke(ctx, step)
        say(f"  ({time.process_time() - before:.0f} CPU-s)")
    say(f"\nThe whole way took {time.process_time() - began:.0f} CPU-s. Everything is simulated.")
    click.echo(f"Report: {folder / 'dataset' / 'reports' / 'index.html'}")


@dataclass(frozen=True)
class Step:
    """One command of the demo: as a user would type it, and as it is called."""

    words: str
    command: str
    options: dict[str, Any]


def steps(folder: Path, people: int, patients: int) -> Iterator[Step]:
    """The commands of the demo, in order.

    Args:
        folder: where everything goes.
        people: simulated people to learn from, in template space.
        patients: simulated patients whose DICOM walks the whole way.
    """
    hospital, vault, dataset = folder / "hospital", folder / "vault", folder / "dataset"
    training = folder / "training"
    own = str(training / "models" / "ridge")
    turns = " ".join(f"--diagnosis {each}" for each in DIAGNOSES)
    scans, phenotype = hospital / "dicom", hospital / "phenotype.csv"
    site = hospital / "site.toml"
    yield Step(
        f"simulate {training} --people {people} --seed demo-training --prepared",
        "simulate",
        {"folder": training, "people": people, "seed": "demo-training", "prepared": True},
    )
    yield Step(f"synthesize fit {training}", "synthesize fit", {"dataset": training})
    yield Step(
        f"simulate {hospital} --people {patients} --seed holdout-demo {turns}",
        "simulate",
        {"folder": hospital, "people": patients, "seed": "holdout-demo", "diagnoses": DIAGNOSES},
    )
    yield Step(f"scan {scans} --site {site}", "scan", {"folder": scans, "site": site})
    yield Step(
        f"deidentify {scans} {dataset} --vault {vault} --phenotype {phenotype} --site {site}",
        "deidentify",
        {
            "folder": scans,
            "dataset": dataset,
            "vault": vault,
            "phenotype": phenotype,
            "site": site,
        },
    )
    yield Step(f"prepare {dataset}", "prepare", {"dataset": dataset})
    yield _asked("synthesize predict", dataset, own)
    yield _asked("evaluate", dataset, own)
    yield _asked("synthesize predict", dataset, SHIPPED)
    yield _asked("evaluate", dataset, SHIPPED)
    yield Step(f"quantify {dataset}", "quantify", {"dataset": dataset})
    yield Step(f"report {dataset}", "report", {"dataset": dataset})
    yield Step(f"verify {dataset} --vault {vault}", "verify", {"dataset": dataset, "vault": vault})


def _asked(command: str, dataset: Path, model: str) -> Step:
    """A command that asks a model about the patients."""
    words = f"{command} {dataset} --model {model}"
    return Step(words, command, {"dataset": dataset, "model": model})


def _invoke(ctx: click.Context, step: Step) -> None:
    """Call a command as the command line would; finding something wrong does not end the demo."""
    parent = ctx.find_root().command
    found: click.Command | None = parent
    for word in step.command.split():
        if isinstance(found, click.Group):
            found = found.get_command(ctx, word)
    if found is None:
        raise click.UsageError(f"No command {step.command!r}.")
    try:
        ctx.invoke(found, **step.options)
    except click.exceptions.Exit as done:
        if done.exit_code != 1:
            raise
