"""`tracerless verify`: prove that nobody is in a dataset and that it still measures."""

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, show, track

if TYPE_CHECKING:
    from tracerless.workspace.verify import Verdict
    from tracerless.workspace.verify_report import Standing

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("verify")
@click.argument("dataset", type=_FOLDER)
@click.option("--vault", type=_FOLDER, help="The vault that the dataset was made with.")
@click.option("--opener", default="", help="Who opens the vault; the user's name unless given.")
@click.option("--reason", default="verify", show_default=True, help="Why; stands in its log.")
@click.option("--session", "sessions", multiple=True, help="Only the person of sub-X_ses-Y.")
@click.option("--profile", default="", help="Folder of the policy, where it is one's own.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256))
@click.option("--check-report", is_flag=True, help="Only check the signature and the digest.")
@json_option
def command(
    dataset: Path,
    *,
    vault: Path | None,
    opener: str,
    sessions: tuple[str, ...],
    check_report: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Prove that nobody is in DATASET and that it still measures; write a signed report.

    Exit code 0: nothing was found. 1: something was, or the report no longer holds. 2: the proof
    could not be run.

    Example: tracerless verify my-dataset --vault ~/vault
    """
    from tracerless.workspace.verify import verify
    from tracerless.workspace.verify_report import standing

    if check_report:
        found = standing(dataset, vault)
        show(_standing(found), _standing_lines(found), as_json=as_json)
        raise click.exceptions.Exit(0 if found.holds else 1)
    if vault is None:
        raise click.UsageError("Name the vault that the dataset was made with: --vault VAULT.")
    verdict = verify(
        dataset,
        vault,
        opener=opener or getpass.getuser(),
        people=sorted({_person(each) for each in sessions}),
        progress=track,
        **settings,
    )
    show(verdict.report, _lines(verdict), as_json=as_json)
    if verdict.n_failures:
        raise click.exceptions.Exit(1)


def _person(session: str) -> str:
    """The pseudonym in ``sub-X_ses-Y`` or ``sub-X``."""
    return session.removeprefix("sub-").split("_", 1)[0]


def _lines(verdict: "Verdict") -> Iterator[str]:
    report = verdict.report
    for each in report["checks"]:
        state = f"{each['failures']} failures" if each["failures"] else "ok"
        extra = f", {each['warnings']} warnings" if each["warnings"] else ""
        yield f"{each['check']:<11} {each['examined']:>8} examined   {state}{extra}"
    n_left = sum(each["n"] for each in report["values"]["not_swept"])
    yield f"{report['values']['n']} removed values; {n_left} too short or common to look for."
    yield f"Report: {verdict.folder}"


def _standing(found: "Standing") -> dict[str, object]:
    return {
        "holds": found.holds,
        "is_signed": found.is_signed,
        "is_ours": found.is_ours,
        "is_current": found.is_current,
        "n_failures": found.report["n_failures"],
    }


def _standing_lines(found: "Standing") -> Iterator[str]:
    yield "The signature fits the report." if found.is_signed else "The signature does not fit."
    if found.is_ours is not None:
        yield "It is this vault's." if found.is_ours else "It is not this vault's."
    yield (
        "The dataset is the one that was proven."
        if found.is_current
        else "The dataset has changed since; verify it again."
    )
    yield f"The report names {found.report['n_failures']} failures."
