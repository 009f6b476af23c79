"""``tracerless scan``: what is in a folder of DICOM."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from tracerless.cli.common import json_option, show, track


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--site",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="TOML of what headers do not say: tracers, labeling, resolution.",
)
@json_option
def command(folder: Path, *, site: Path | None, as_json: bool) -> None:
    """Say what is in FOLDER: people, studies, series, contrast, frames and problems.

    What headers leave open is looked up in the site file, then in the pixels. Prints no name,
    number or date of a person. Exit code 1 when a problem was found, else 0.
    Example: tracerless scan incoming/
    """
    from tracerless.io import recognise
    from tracerless.io import site as sites
    from tracerless.io.dicom_scan import scan

    def progress(files: Iterable[Path], n_files: int) -> Iterable[Path]:
        return track(files, "Reading headers", n_files)

    rules = sites.read(site) if site else sites.Site()
    inventory = recognise.recognized(scan(folder, progress=progress), rules)
    summary = recognise.summary(inventory)
    show(summary, _lines(summary), as_json=as_json)
    if inventory.has_problems:
        raise click.exceptions.Exit(1)


_COLUMNS = {
    "person": "person", "study": "study", "series": "series", "modality": "modality",
    "contrast": "contrast", "sure": "confidence", "files": "n_files", "frames": "n_frames",
    "reason": "reason",
}  # fmt: skip
_HEAD, _KEYS = tuple(_COLUMNS), tuple(_COLUMNS.values())


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    """A table with a line under each series for each of its problems."""
    table = [_HEAD, *(tuple(str(row[key]) for key in _KEYS) for row in summary["series"])]
    widths = [max(len(cells[n]) for cells in table) for n in range(len(_HEAD))]
    yield _aligned(_HEAD, widths)
    for cells, row in zip(table[1:], summary["series"], strict=True):
        yield _aligned(cells, widths)
        for problem in row["problems"]:
            mark = "blocked" if problem["blocking"] else "note"
            yield f"    {mark}: {problem['kind']}: {problem['text']}"
    yield ""
    yield (
        f"{summary['n_files']} files, {summary['n_people']} people, {summary['n_series']} series."
    )
    if summary["rules"]:
        yield "A site file (--site) may say what the open series show:"
        yield from (f"    {line}" for rule in summary["rules"] for line in rule.splitlines())
    if summary["rejected"]:
        counts = ", ".join(f"{n} {kind}" for kind, n in summary["rejected"].items())
        yield f"Not used: {counts}."


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
