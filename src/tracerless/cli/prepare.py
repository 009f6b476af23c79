"""`tracerless prepare`: every session to template space."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracerless.cli.common import json_option
from tracerless.cli.sessions import conclude, dataset_argument, resolve_all, session_option

if TYPE_CHECKING:
    from tracerless.core.people import SessionKey
    from tracerless.core.session import Prepared


@click.command("prepare")
@dataset_argument
@session_option
@json_option
def command(dataset: Path, names: tuple[str, ...], *, as_json: bool) -> None:
    """Bring T1, T2, blood flow and PET of every session to template space.

    What is done already is not repeated. Example: tracerless prepare my-dataset
    """
    from tracerless.workspace.batch import choose, with_mr
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.roots import dataset_roots

    opened = Dataset.open(dataset)
    opened.clean_partials()
    keys, notes = with_mr(opened, choose(opened, names))
    outcome = resolve_all(opened, keys, "prepared", roots=dataset_roots(opened), what="prepare")
    verdicts = {
        str(key): {"verdict": each.verdict, "reasons": list(each.reasons), "qc": dict(each.qc)}
        for key, each in outcome.values.items()
    }
    conclude(outcome, _line, as_json=as_json, extra={"sessions": verdicts}, notes=notes)


def _line(key: "SessionKey", prepared: "Prepared") -> str:
    contrasts = ", ".join(prepared.volumes)
    reasons = "".join(f" {reason}" for reason in prepared.reasons)
    return f"{key}: {prepared.verdict} ({contrasts}).{reasons}"
