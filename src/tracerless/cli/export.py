"""`tracerless export`: DICOM for a PACS."""

from pathlib import Path

import click

from tracerless.cli.common import json_option, say, show, track
from tracerless.cli.sessions import dataset_argument, open_at_work, session_option


@click.command("export")
@dataset_argument
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@session_option
@json_option
def command(dataset: Path, folder: Path, names: tuple[str, ...], *, as_json: bool) -> None:
    """Write synthetic FDG-PET as a DICOM Parametric Map, marked as synthetic, into FOLDER.

    Sessions whose consent class does not allow it stay; then the exit code is 1.
    Example: tracerless export my-dataset --session sub-X_ses-01 outgoing
    """
    opened = open_at_work(dataset)
    from tracerless.workspace import consent
    from tracerless.workspace.batch import choose
    from tracerless.workspace.dicom_out import export_sessions

    chosen = choose(opened, names)
    keys, notes = consent.permitted(opened, chosen)
    files = export_sessions(opened, keys, folder, track=track)
    result = {"files": [str(path) for path in files], "notes": notes}
    show(result, map(str, files), as_json=as_json)
    for note in notes:
        say(note)
    if len(keys) < len(chosen):
        raise click.exceptions.Exit(1)
