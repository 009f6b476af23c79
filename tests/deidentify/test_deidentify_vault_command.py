"""`tracerless vault` at the command line: who is who goes to a private file, the log is checked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tracerless.cli.vault import command
from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym
from tracerless.io.vault import Vault

ONE, TWO = Pseudonym("WC69X8PPNQ"), Pseudonym("ZC69X8PPNQ")
NAMED = ("--opener", "Lin Yi-Chun", "--reason", "finding of 陳大文")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "word.txt").write_text("the custodian's\n")
    made = invoke(
        *("init", tmp_path / "vault", "--opener", "Lin Yi-Chun"),
        *("--opener-key", tmp_path / "usb" / "key.pem", "--passphrase-file", tmp_path / "word.txt"),
    )
    assert made.exit_code == 0
    assert "hand it to the custodian" in made.output
    assert "unlock key" in made.output
    with Vault.open(tmp_path / "vault", dataset=None) as vault:
        vault.admit("A123456789|TPE", ONE, "1.2.3", "20180503")
        vault.admit("B222", TWO, "1.2.4", "")
        vault.save("admitted", {"people": 2})
    return tmp_path


def key(place: Path) -> tuple[object, ...]:
    return ("--opener-key", place / "usb/key.pem", "--passphrase-file", place / "word.txt")


def test_who_is_who_goes_into_a_private_file(place: Path) -> None:
    out = place / "answer" / "who.tsv"
    asked = ("open", place / "vault", *NAMED, *key(place), "--pseudonym", ONE, "--out", out)
    done = invoke(*asked)
    assert done.exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    _, row = out.read_text().splitlines()
    expected = [str(ONE), "inhouse", "01", "A123456789", "TPE", "1.2.3", "20180503"]
    assert row.split("\t") == expected
    assert "A123456789" not in done.output
    assert "exists already" in invoke(*asked).output


def test_it_is_printed_only_when_asked_for(place: Path) -> None:
    asked = ("open", place / "vault", *NAMED, *key(place))
    assert "either --out FILE or --show" in invoke(*asked).output
    shown = invoke(*asked, "--show").stdout.splitlines()
    assert [line.split("\t")[3] for line in shown] == ["patient_id", "A123456789", "B222"]


def test_without_the_passphrase_it_stays_closed_and_the_log_says_so(place: Path) -> None:
    asked = ("open", place / "vault", *NAMED, "--opener-key", place / "usb/key.pem", "--show")
    with pytest.raises(VaultError, match="cannot be read with the passphrase"):
        invoke(*asked)
    lines = json.loads(invoke("log", place / "vault", "--json").stdout)["lines"]
    assert [line["event"] for line in lines] == ["admitted", "refused"]


def test_the_log_is_printed_and_a_removed_line_is_caught(place: Path) -> None:
    invoke("open", place / "vault", *NAMED, *key(place), "--show")
    printed = invoke("log", place / "vault").stdout
    assert "opened" in printed
    assert "Lin Yi-Chun" in printed
    assert "2 lines; the chain is whole." in printed
    assert "陳大文" not in printed
    told = invoke("log", place / "vault", *NAMED, *key(place)).stdout
    assert "finding of 陳大文" in told
    log = place / "vault" / "log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:1] + lines[2:]))
    with pytest.raises(VaultError, match="Line 2 of the vault's log was changed"):
        invoke("log", place / "vault")
    log.write_text("".join(lines[:-1]))
    with pytest.raises(VaultError, match="line 3 is not the one recorded"):
        invoke("log", place / "vault")
    log.write_text("".join(lines))
    assert invoke("log", place / "vault").exit_code == 0


def test_sharing_is_said_and_logged(place: Path) -> None:
    assert "share their pseudonyms" in invoke("share", place / "vault", "inhouse", "nchc").output
    assert '"domains": ["inhouse", "nchc"]' in invoke("log", place / "vault").stdout
    with pytest.raises(VaultError, match="no linkage domain"):
        invoke("share", place / "vault", "inhouse", "elsewhere")


def test_an_empty_passphrase_file_is_refused(place: Path) -> None:
    (place / "word.txt").write_text("\n")
    assert "is empty" in invoke("open", place / "vault", *NAMED, *key(place), "--show").output
