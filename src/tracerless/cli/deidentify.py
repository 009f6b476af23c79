"""`tracerless deidentify`: a folder of identified DICOM into a dataset."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, show, track

if TYPE_CHECKING:
    from tracerless.workspace.ingest import IngestReport


@click.command("deidentify")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("dataset", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--vault",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder outside the dataset for key and crosswalk; made if new.",
)
@click.option(
    "--profile",
    default="research",
    show_default=True,
    help="Name of the policy, or a folder with one's own.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="CODE",
    help="An option of DICOM CID 7050 on top of the profile's own; repeat for more.",
)
@click.option(
    "--domain",
    default="",
    help="Whom the pseudonyms are for (inhouse when new); different domains cannot be linked.",
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes at work."
)
@click.option(
    "--phenotype",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV or XLSX of sex, age, diagnosis and scores with test dates, keyed by chart_number.",
)
@click.option(
    "--site",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="TOML of what headers do not say; the dataset keeps it.",
)
@json_option
def command(
    folder: Path,
    dataset: Path,
    *,
    vault: Path,
    site: Path | None,
    workers: int,
    phenotype: Path | None,
    as_json: bool,
    **policy: Any,
) -> None:
    """De-identify every usable series of FOLDER into DATASET.

    Run it again after an interruption: what is done already is not repeated. Exit code 1 says that
    a series was kept out which should be mended.

    Example: tracerless deidentify export my-dataset --vault ~/vault
    """
    from tracerless.io import recognise
    from tracerless.io.dicom_scan import scan
    from tracerless.workspace import site as sites
    from tracerless.workspace.ingest import ingest

    rules = sites.of_dataset(dataset, site)
    found = scan(folder, progress=lambda files, n: track(files, "scan", n), workers=workers)
    report = ingest(
        recognise.recognized(found, rules),
        dataset,
        vault=vault,
        workers=workers,
        phenotype=phenotype,
        progress=track,
        **policy,
    )
    if site is not None:
        sites.keep(dataset, rules)
    show(report.summary(), _lines(report), as_json=as_json)
    if report.blocked:
        raise click.exceptions.Exit(1)


def _lines(report: "IngestReport") -> Iterator[str]:
    yield f"{report.people} people, {report.sessions} sessions."
    yield (
        f"{report.written} series written ({report.instances} files), "
        f"{report.skipped} already there."
    )
    if report.quarantined:
        kinds = ", ".join(f"{n} {kind}" for kind, n in report.quarantined.items())
        yield f"{sum(report.quarantined.values())} series kept out ({kinds}): see quarantine.json."
    if report.files:
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(report.files.items()))
        yield f"Files that belong to no series: {kinds}."
    yield from report.notes
