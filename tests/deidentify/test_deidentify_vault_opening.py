"""A vault that is copied opens nothing; who is who is read by name, with a reason, in the log."""

import io
import os
import pty
import shutil
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym
from tracerless.io import openers, vault_records, vault_sealed
from tracerless.io.vault import Vault, verify_signature

WHO, NAME, OTHER = "A123456789", Pseudonym("WC69X8PPNQ"), Pseudonym("ZC69X8PPNQ")
CUSTODIAN = "the custodian's own"
SECRETS = (WHO, str(NAME), "1.2.840.77", "20180503", "陳大文", "B222", "心臟")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(openers.PASSPHRASE, raising=False)
    return tmp_path / "config" / "tracerless"


@pytest.fixture
def place(tmp_path: Path, config: Path) -> Path:
    Vault.create(tmp_path / "vault", dataset=None, opener="Lin Yi-Chun")
    fill(tmp_path / "vault")
    return tmp_path / "vault"


def fill(place: Path) -> None:
    with Vault.open(place, dataset=None) as vault:
        vault.admit(WHO, NAME, "1.2.840.77", "20180503")
        vault.admit("B222", OTHER, "1.2.840.78", "20180503")
        vault.remember(NAME, [("PatientName", "陳大文"), ("PatientID", WHO)], {"files": 3})
        vault.remember(NAME, [("PatientID", WHO)], {"files": 3})
        vault.remember(OTHER, [("PatientID", "B222")], b"\x00raw")
        vault.doubts(WHO, names=["陳大文"], birth="19500101", sex="F")
        vault.set_consent(NAME, "B")
        vault.save("admitted", {"people": 2})


def everything(place: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file())


def test_nothing_identifying_stands_in_any_file(place: Path, config: Path) -> None:
    with Vault.opened(place, opener="Lin Yi-Chun", reason="心臟 finding of 陳大文"):
        pass
    content = everything(place) + everything(config)
    for secret in SECRETS:
        for codec in ("utf-8", "utf-16-le", "big5"):
            assert secret.encode(codec) not in content
        assert secret.encode().hex().encode() not in content
    assert b"Lin Yi-Chun" in (place / "log.jsonl").read_bytes(), "the opener is named"


def test_a_copied_vault_alone_opens_nothing(place: Path, config: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "stolen")
    kept = shutil.move(config, tmp_path / "elsewhere")
    with pytest.raises(VaultError, match="is locked, and its unlock key") as caught:
        Vault.open(tmp_path / "stolen", dataset=None).__enter__()
    assert "Restore that file" in caught.value.hint
    with pytest.raises(VaultError, match="is locked"):
        Vault.opened(tmp_path / "stolen", opener="Lin Yi-Chun", reason="theft").__enter__()
    Vault.create(tmp_path / "own", dataset=None)
    own = next(config.glob("*.unlock")).read_bytes()
    theirs = next(Path(kept).glob("*.unlock")).name
    (config / theirs).write_bytes(own)
    (config / theirs).chmod(0o600)
    with pytest.raises(VaultError, match="the unlock key is not that of this vault"):
        Vault.open(tmp_path / "stolen", dataset=None).__enter__()
    shutil.copy(Path(kept) / theirs, config / theirs)
    with Vault.open(tmp_path / "stolen", dataset=None) as vault:
        assert vault.pseudonym_of(WHO) == NAME, "with its key the copy works: the test can fail"


def test_the_pipeline_cannot_read_who_is_who(place: Path, config: Path) -> None:
    next(config.glob("*.opener.pem")).unlink()
    with Vault.open(place, dataset=None) as vault:
        key = vault._key
        for path, kind in ((place / "crosswalk.bin", "crosswalk"), *remembered(place)):
            for tag, body in vault_records.read(path):
                for known in (key.secret, vault.secret, key.subkey("registry"), key.opener_public):
                    private = X25519PrivateKey.from_private_bytes(known)
                    reader = vault_sealed.Reader(place, key, private)
                    with pytest.raises(VaultError, match="sealed record"):
                        vault_sealed._unsealed(reader, kind, tag, body)
        plain = vault._registry.to_bytes() + repr(vault._registry.people).encode()
        for secret in (WHO, "1.2.840.77", "20180503", "陳大文"):
            assert secret.encode() not in plain
    with pytest.raises(VaultError, match=r"opener's key .* is missing"):
        Vault.opened(place, opener="Lin Yi-Chun", reason="curiosity").__enter__()


def remembered(place: Path) -> list[tuple[Path, str]]:
    return [(path, "remembered") for path in vault_sealed.batches(place)]


def test_the_opener_reads_who_is_who_and_what_was_removed(place: Path) -> None:
    fill(place)
    with Vault.opened(place, opener="Lin Yi-Chun", reason="incidental finding") as opened:
        entries = list(opened.crosswalk())
        assert [(e.person, e.pseudonym, e.visit, e.domain) for e in entries] == [
            (WHO, str(NAME), "01", "inhouse"),
            ("B222", str(OTHER), "01", "inhouse"),
        ]
        assert [e.study_date for e in opened.crosswalk(NAME)] == ["20180503"]
        assert WHO not in repr(entries)
        removed = opened.remembered(NAME)
        assert removed.values == {("PatientName", "陳大文"), ("PatientID", WHO)}
        assert removed.facts == ({"files": 3},)
        assert opened.remembered(OTHER).facts == (b"\x00raw",)
        assert "陳" not in repr(removed)


def test_what_came_just_before_is_written_once(place: Path) -> None:
    many = [("SOPInstanceUID", f"1.2.{n}") for n in range(2000)]
    with Vault.open(place, dataset=None) as vault:
        vault.remember(NAME, many)
        path = vault_sealed.batches(place)[-1]
        before = path.stat().st_size
        vault.remember(NAME, many)
        assert path.stat().st_size == before
        vault.remember(OTHER, many[:1])
        assert path.stat().st_size > before, "another person's value is another value"
    assert before < 2000 * 10, "compressed"


def test_a_record_cannot_be_moved_to_another_person(place: Path) -> None:
    path = place / "crosswalk.bin"
    (one, body), (two, _) = vault_records.read(path)
    path.unlink()
    vault_records.append(path, [(two, body), (one, body)])
    with (
        Vault.opened(place, opener="Lin Yi-Chun", reason="check") as opened,
        pytest.raises(VaultError, match=r"sealed record .* is damaged"),
    ):
        list(opened.crosswalk())


@pytest.mark.parametrize(
    ("opener", "reason", "message", "why"),
    [
        (" ", "a reason", "no opener is named", "no-name"),
        ("Lin Yi-Chun", " \n", "no reason is given", "no-reason"),
        ("Mallory", "a reason", "not its designated opener", "not-designated"),
    ],
)
def test_a_refused_opening_stands_in_the_log(
    place: Path, opener: str, reason: str, message: str, why: str
) -> None:
    with pytest.raises(VaultError, match=message):
        Vault.opened(place, opener=opener, reason=reason).__enter__()
    with Vault.open(place, dataset=None) as vault:
        last = vault.log()[-1]
    assert (last["event"], last["detail"]["why"]) == ("refused", why)
    assert last["detail"]["opener"] == opener.strip()


def test_another_vaults_opener_is_refused_and_logged(
    place: Path, tmp_path: Path, config: Path
) -> None:
    Vault.create(tmp_path / "other", dataset=None, opener_key=tmp_path / "other.pem")
    asked = {"opener": "lin  yi-chun", "reason": "check"}
    with pytest.raises(VaultError, match="the key given is not its opener's"):
        Vault.opened(place, key=tmp_path / "other.pem", **asked).__enter__()
    with pytest.raises(VaultError, match="is missing"):
        Vault.opened(place, key=tmp_path / "none.pem", **asked).__enter__()
    with Vault.opened(place, **asked) as opened:
        lines = opened.log()
    assert [line["event"] for line in lines] == ["admitted", "refused", "refused", "opened"]
    assert [line["detail"].get("why") for line in lines] == [None, "wrong-key", "no-key", None]
    assert lines[-1]["detail"]["reason"] == "check"
    assert "check" not in (place / "log.jsonl").read_text()


def test_an_exchanged_opener_makes_the_vault_useless_to_the_thief(place: Path) -> None:
    mine = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    text = (place / "key.json").read_text()
    start = text.index('"opener_public": "') + len('"opener_public": "')
    (place / "key.json").write_text(text[:start] + mine + text[start + 64 :])
    with pytest.raises(VaultError, match="damaged"):
        Vault.open(place, dataset=None).__enter__()


def test_a_passphrase_unlocks_instead_of_a_file(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(openers.PASSPHRASE, "four words are enough")
    Vault.create(tmp_path / "v", dataset=None, passphrase=CUSTODIAN)
    assert [path.suffix for path in config.iterdir()] == [".pem"], "no unlock file"
    fill(tmp_path / "v")
    monkeypatch.setenv(openers.PASSPHRASE, "three words are not")
    with pytest.raises(VaultError, match="the unlock key is not that of this vault"):
        Vault.open(tmp_path / "v", dataset=None).__enter__()
    monkeypatch.delenv(openers.PASSPHRASE)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(VaultError, match="locked by a passphrase, and none is given") as caught:
        Vault.open(tmp_path / "v", dataset=None).__enter__()
    assert openers.PASSPHRASE in caught.value.hint
    monkeypatch.setenv(openers.PASSPHRASE, "four words are enough")
    asked = {"opener": "Lin", "reason": "check"}
    with pytest.raises(VaultError, match="cannot be read with the passphrase"):
        Vault.opened(tmp_path / "v", **asked).__enter__()
    with Vault.opened(tmp_path / "v", passphrase=CUSTODIAN, **asked) as opened:
        assert len(list(opened.crosswalk())) == 2


def test_a_passphrase_is_asked_for_at_a_terminal(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(openers.PASSPHRASE, "four words")
    Vault.create(tmp_path / "v", dataset=None)
    monkeypatch.delenv(openers.PASSPHRASE)
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            sys.stdin = os.fdopen(0)  # the terminal; pytest put something else there
            with Vault.open(tmp_path / "v", dataset=None):
                os._exit(0)
        except BaseException:  # noqa: BLE001
            os._exit(1)
    asked = os.read(terminal, 1000)
    os.write(terminal, b"four words\n")
    assert b"Passphrase of vault" in asked
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)


def test_keys_do_not_lie_in_the_vault_nor_open_to_others(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(VaultError, match="lies in the vault that it would open"):
        Vault.create(tmp_path / "v", dataset=None, opener_key=tmp_path / "v" / "o.pem")
    Vault.create(tmp_path / "v", dataset=None)
    for path in config.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    path = next(config.glob("*.unlock"))
    path.chmod(0o644)
    with pytest.raises(VaultError, match="open to others"):
        Vault.open(tmp_path / "v", dataset=None).__enter__()
    path.chmod(0o600)
    path.write_text("zz")
    with pytest.raises(VaultError, match=r"unlock key .* is damaged"):
        Vault.open(tmp_path / "v", dataset=None).__enter__()


def test_the_vault_signs_and_a_changed_report_is_noticed(place: Path, tmp_path: Path) -> None:
    with Vault.open(place, dataset=None) as vault:
        signature, public = vault.sign(b"a report"), vault.public_key
        assert vault.sign(b"a report") == signature
    assert verify_signature(public, signature, b"a report")
    assert not verify_signature(public, signature, b"a Report")
    assert not verify_signature(public, signature[:-1], b"a report")
    Vault.create(tmp_path / "other", dataset=None)
    with Vault.open(tmp_path / "other", dataset=None) as other:
        assert not verify_signature(other.public_key, signature, b"a report")
