"""`tracerless prepare`: every session to template space."""

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
    from tracerless.core.session import Prepared


@click.command("prepare")
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
    """Bring T1, T2, blood flow, PET and SPECT of every session to template space.

    What is done already is not repeated. Example: tracerless prepare my-dataset --workers 4
    """
    from tracerless.workspace.batch import choose
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.workers_lock import at_work

    opened = Dataset.open(dataset)
    keys = choose(opened, names)
    crew = crew_for(opened, keys, workers=workers, scheduler=scheduler, memory_mb=memory_mb)
    from tracerless.workspace.derivatives import describe  # heavy: after what may be refused

    with at_work(opened):
        outcome = resolve_many(opened, keys, "prepared", said=said, what="prepare", crew=crew)
        describe(opened)
    sessions = {str(key): told for key, told in outcome.values.items()}
    conclude(outcome, _line, as_json=as_json, extra={"sessions": sessions})


def said(prepared: "Prepared") -> dict[str, Any]:
    """What is told of a prepared session."""
    return {
        "verdict": prepared.verdict,
        "reasons": list(prepared.reasons),
        "qc": dict(prepared.qc),
        "contrasts": [str(contrast) for contrast in prepared.volumes],
    }


def _line(key: "SessionKey", told: dict[str, Any]) -> str:
    reasons = "".join(f" {reason}" for reason in told["reasons"])
    return f"{key}: {told['verdict']} ({', '.join(told['contrasts'])}).{reasons}"
