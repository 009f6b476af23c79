"""`tracerless simulate`: a simulated hospital on disk."""

from pathlib import Path
from typing import Any

import click

from tracerless.cli import simulate_prepared, simulate_tables
from tracerless.cli.common import json_option, show, track


@click.command("simulate")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--people",
    default=6,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many; about 4 CPU-s each as DICOM, 1 with --prepared.",
)
@click.option("--seed", default="1", show_default=True, help="Name of the hospital; equal, equal.")
@click.option(
    "--size",
    default="demo",
    show_default=True,
    type=click.Choice(["demo", "hospital"]),
    help="Matrices: 2 mm class, seconds a person; or as a hospital acquires, a minute a person.",
)
@click.option(
    "--diagnosis",
    "diagnoses",
    multiple=True,
    type=click.Choice(["CN", "MCI", "AD", "FTD", "DLB", "VaD"]),
    help="Taken in turn when given several times; else drawn by the declared prevalences.",
)
@simulate_prepared.prepared_options
@simulate_tables.table_options
@json_option
def command(
    folder: Path,
    *,
    people: int,
    seed: str,
    size: str,
    diagnoses: tuple[str, ...],
    prepared: bool,
    as_json: bool,
    tables_only: bool,
    **asked: Any,
) -> None:
    """Write a simulated hospital into FOLDER: DICOM, phenotype.csv and truth/.

    Nothing in it was acquired and nobody in it exists. Run again, it goes on where it was stopped.
    With --prepared it is a dataset of MR and FDG-PET in template space, to train on; with
    --tables-only one of numbers alone.

    Example: tracerless simulate training --people 96 --prepared

    Example: tracerless simulate my-hospital --people 6 --seed trial
    """
    simulate_tables.require_tables(tables_only=tables_only, prepared=prepared, asked=asked)
    simulate_prepared.require_prepared(prepared=prepared, diagnoses=diagnoses, asked=asked)
    if size != "demo" and (tables_only or prepared):
        raise click.UsageError("--size is of DICOM; it goes without --tables-only and --prepared.")
    if tables_only:
        simulate_tables.write(
            folder, people, seed, diagnoses=diagnoses, asked=asked, as_json=as_json
        )
        return
    if prepared:
        simulate_prepared.write(folder, people, seed, asked=asked, as_json=as_json)
        return
    from tracerless.core.cohort import Diagnosis
    from tracerless.workspace.simulate_run import write_hospital

    written = write_hospital(
        folder,
        n=people,
        seed=seed,
        size=size,
        diagnoses=[Diagnosis(each) for each in diagnoses] or None,
        progress=lambda persons, n: track(persons, "Simulating people", n),
    )
    result = {
        "folder": str(written.folder),
        "n_people": written.n_people,
        "n_new": written.n_new,
        "n_files": written.n_files,
        "size": size,
        "seed": seed,
    }
    counts = f"{written.n_people} simulated people ({written.n_new} new)"
    lines = (
        f"{counts}, {written.n_files} DICOM files.",
        f"  DICOM:      {folder / 'dicom'}",
        f"  People:     {folder / 'phenotype.csv'} (identified, as a hospital's table is)",
        f"  The truth:  {folder / 'truth'} (for judging results only)",
        f"Next: tracerless scan {folder / 'dicom'}",
    )
    show(result, lines, as_json=as_json)
