"""`tracerless report`: one page a session, one over all."""

from pathlib import Path

import click

from tracerless.cli.common import json_option, show, track
from tracerless.cli.sessions import dataset_argument, open_at_work, session_option


@click.command("report")
@dataset_argument
@session_option
@json_option
def command(dataset: Path, names: tuple[str, ...], *, as_json: bool) -> None:
    """Write HTML pages that open from disk without any network.

    Example: tracerless report my-dataset
    """
    opened = open_at_work(dataset)
    from tracerless.workspace.batch import choose
    from tracerless.workspace.reports import write_reports

    pages = write_reports(opened, choose(opened, names), track=track)
    show({"pages": [str(page) for page in pages]}, map(str, pages), as_json=as_json)
