"""`tracerless vault`: make it, open it by name and reason, read its log, let domains share."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, say, show

if TYPE_CHECKING:
    from tracerless.core.people import Pseudonym
    from tracerless.io.vault import Opened

vault_argument = click.argument("vault", type=click.Path(path_type=Path, file_okay=False))
file_type = click.Path(path_type=Path, dir_okay=False)
key_option = click.option("--opener-key", type=file_type, help="The opener's private key (PEM).")
passphrase_option = click.option(
    "--passphrase-file",
    type=file_type,
    help="File whose first line is the passphrase of the opener's key.",
)


@click.group("vault")
def command() -> None:
    """Make, open and share the vault that holds the keys and who is who; read its log.

    Example: tracerless vault init ~/vault --opener "Lin Yi-Chun"
    """


@command.command("init")
@vault_argument
@click.option("--opener", default="", help="Name of the one person who may open it.")
@key_option
@passphrase_option
def init(
    vault: Path, *, opener: str, opener_key: Path | None, passphrase_file: Path | None
) -> None:
    """Make a vault before the first scans come, and the opener's key.

    TRACERLESS_VAULT_PASSPHRASE, when set, locks the vault; else a key file in the configuration
    folder does. Example: tracerless vault init ~/vault --opener "Lin Yi-Chun" --opener-key usb.pem
    """
    from tracerless.io import openers
    from tracerless.io.vault import Vault

    passphrase = _passphrase(passphrase_file)
    key_id = Vault.create(
        vault, dataset=None, opener=opener, opener_key=opener_key, passphrase=passphrase
    )
    for line in (f"Vault {key_id} is made.", *openers.advice(key_id, opener_key)):
        click.echo(line)


@command.command("open")
@vault_argument
@click.option("--opener", required=True, help="Who opens it; stands in the log.")
@click.option("--reason", required=True, help="Why; stands in the log, sealed.")
@click.option("--pseudonym", "names", multiple=True, help="Only this person; repeat for more.")
@key_option
@passphrase_option
@click.option("--out", type=file_type, help="New file for the answer; readable by you alone.")
@click.option("--show", "is_shown", is_flag=True, help="Print the answer instead.")
def open_(
    vault: Path,
    *,
    opener: str,
    reason: str,
    names: tuple[str, ...],
    opener_key: Path | None,
    passphrase_file: Path | None,
    out: Path | None,
    is_shown: bool,
) -> None:
    """Say who is who: pseudonym, domain, visit, PatientID with issuer, study UID and date.

    Example: tracerless vault open ~/vault --opener "Lin Yi-Chun" --reason "incidental finding"
    --pseudonym WC69X8PPNQ --out answer.tsv
    """
    from tracerless.core.people import Pseudonym
    from tracerless.io.sealed import write_private
    from tracerless.io.vault import Vault

    if (out is None) == (not is_shown):
        raise click.UsageError("Give either --out FILE or --show.")
    if out is not None and out.exists():
        raise click.UsageError("The file of --out exists already.")
    wanted = [Pseudonym(name) for name in names]
    passphrase = _passphrase(passphrase_file)
    with Vault.opened(
        vault, opener=opener, reason=reason, key=opener_key, passphrase=passphrase
    ) as opened:
        lines = list(_who_is_who(opened, wanted))
    text = "\n".join(lines) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    write_private(out, text.encode())
    say(f"{len(lines) - 1} studies written. The opening stands in the vault's log.")


@command.command("log")
@vault_argument
@click.option("--opener", default="", help="With --reason: who reads the reasons of openings too.")
@click.option("--reason", default="", help="Why.")
@key_option
@passphrase_option
@json_option
def log(
    vault: Path,
    *,
    opener: str,
    reason: str,
    opener_key: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Check that no line of the log was changed, taken out or cut off, and print it.

    Reasons of openings are sealed; the opener, by name and reason, reads them too.
    Example: tracerless vault log ~/vault
    """
    from tracerless.io.vault import Vault

    if opener or reason:
        passphrase = _passphrase(passphrase_file)
        with Vault.opened(
            vault, opener=opener, reason=reason, key=opener_key, passphrase=passphrase
        ) as opened:
            lines = opened.log()
    else:
        with Vault.open(vault, dataset=None) as unlocked:
            lines = tuple(_without_reason(line) for line in unlocked.log())
    whole = f"{len(lines)} lines; the chain is whole."
    show({"lines": list(lines), "whole": True}, (*map(_log_line, lines), whole), as_json=as_json)


@command.command("share")
@vault_argument
@click.argument("domain")
@click.argument("other")
def share(vault: Path, domain: str, other: str) -> None:
    """Let two linkage domains give each person the same pseudonym; it cannot be undone.

    Domains are inhouse, nchc and release-NAME. Example: tracerless vault share ~/vault inhouse nchc
    """
    from tracerless.io.vault import Vault

    with Vault.open(vault, dataset=None) as opened:
        opened.share(domain, other)
        opened.save("shared", {"domains": sorted({domain, other})})
    click.echo(f"Domains {domain} and {other} share their pseudonyms from now on.")


def _passphrase(path: Path | None) -> str:
    """The first line of a file; empty without one."""
    if path is None:
        return ""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise click.UsageError("The first line of the passphrase file is empty.")
    return lines[0]


def _who_is_who(opened: "Opened", wanted: list["Pseudonym"]) -> Iterator[str]:
    yield "pseudonym\tdomain\tvisit\tpatient_id\tissuer\tstudy_instance_uid\tstudy_date"
    targets: list[Pseudonym | None] = [*wanted] or [None]
    for pseudonym in targets:
        for entry in opened.crosswalk(pseudonym):
            chart, _, issuer = entry.person.partition("|")
            cells = (entry.pseudonym, entry.domain, entry.visit, chart, issuer)
            yield "\t".join((*cells, entry.study, entry.study_date))


def _without_reason(line: dict[str, Any]) -> dict[str, Any]:
    detail = {key: value for key, value in line["detail"].items() if key != "reason"}
    return {**line, "detail": detail}


def _log_line(line: dict[str, Any]) -> str:
    detail = json.dumps(line["detail"], ensure_ascii=False, sort_keys=True)
    return f"{line['n']}\t{line['time']}\t{line['event']}\t{detail}"
