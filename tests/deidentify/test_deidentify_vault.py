"""The vault: private, unreadable without its key, and honest about what was done to it."""

import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym
from tracerless.io import openers, sealed
from tracerless.io.vault import Vault

WHO, NAME = "A123456789", Pseudonym("WC69X8PPNQ")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    Vault.create(tmp_path / "vault", dataset=tmp_path / "data")
    return tmp_path / "vault"


def open_(place: Path) -> Vault:
    with Vault.open(place, dataset=place.parent / "data") as vault:
        return vault


def fill(place: Path) -> None:
    with Vault.open(place, dataset=place.parent / "data") as vault:
        vault.admit(WHO, NAME, "1.2.3", "20180503")
        vault.save("admitted", {"people": 1})
        vault.save("crossed", {"written": 4})


def test_only_the_owner_can_read_it(place: Path) -> None:
    fill(place)
    assert place.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in place.iterdir()} == {0o600}
    names = {"key.json", "registry.bin", "crosswalk.bin", "log.jsonl", "lock"}
    assert {p.name for p in place.iterdir()} == names


def test_the_registry_is_unreadable_with_another_key(place: Path, tmp_path: Path) -> None:
    fill(place)
    other = tmp_path / "other"
    Vault.create(other, dataset=tmp_path / "data")
    (other / "registry.bin").write_bytes((place / "registry.bin").read_bytes())
    (other / "registry.bin").chmod(0o600)
    with pytest.raises(VaultError, match="damaged or belongs to another vault"):
        open_(other)


def test_a_person_is_joined_and_visits_count_on(place: Path) -> None:
    with Vault.open(place, dataset=place.parent / "data") as vault:
        first = vault.admit(WHO, NAME, "study-1", "20180503")
        same_day = vault.admit(WHO, NAME, "study-2", "20180503")
        later = vault.admit(WHO, NAME, "study-3", "20190101")
        undated = [vault.admit(WHO, NAME, f"study-{n}", "") for n in (4, 5)]
        vault.save("admitted", {})
    assert [k.visit for k in (first, same_day, later, *undated)] == ["01", "01", "02", "03", "04"]
    with Vault.open(place, dataset=place.parent / "data") as vault:
        assert vault.pseudonym_of(WHO) == NAME
        assert vault.admit(WHO, NAME, "study-3", "20190101") == later
        assert vault.admit(WHO, NAME, "study-2", "") == first
        assert vault.admit(WHO, NAME, "study-9", "20200101").visit == "05"


def test_a_pseudonym_is_never_shared(place: Path) -> None:
    with Vault.open(place, dataset=place.parent / "data") as vault:
        vault.admit(WHO, NAME, "1", "")
        with pytest.raises(VaultError, match="does not belong to one person alone"):
            vault.admit("somebody else", NAME, "2", "")
        with pytest.raises(VaultError, match="does not belong to one person alone"):
            vault.admit(WHO, Pseudonym("OTHER"), "1", "")


@pytest.mark.parametrize(
    ("vault", "dataset"), [("d/v", "d"), ("v", "v/d"), ("v", "v"), ("d/../d", "d")]
)
def test_vault_and_dataset_lie_apart(tmp_path: Path, vault: str, dataset: str) -> None:
    with pytest.raises(VaultError, match="one inside the other"):
        Vault.create(tmp_path / vault, dataset=tmp_path / dataset)


def test_a_link_into_the_dataset_does_not_fool_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    with pytest.raises(VaultError, match="one inside the other"):
        Vault.create(tmp_path / "link" / "vault", dataset=tmp_path / "data")


@pytest.mark.parametrize("name", ["", "key.json", "registry.bin", "crosswalk.bin", "log.jsonl"])
def test_a_vault_open_to_others_is_refused(place: Path, name: str) -> None:
    fill(place)
    (place / name).chmod(0o750 if name == "" else 0o640)
    with pytest.raises(VaultError, match="open to others"):
        open_(place)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format":2,"locked":"00","id":"0"}', b"\xff"])
def test_a_damaged_key_is_refused(place: Path, content: bytes) -> None:
    (place / "key.json").write_bytes(content)
    with pytest.raises(VaultError, match=r"key in .* is damaged"):
        open_(place)


def test_a_vault_of_the_first_format_is_refused_in_one_sentence(place: Path) -> None:
    (place / "key.json").write_text('{"format": 1, "secret": "00", "id": "0"}')
    with pytest.raises(VaultError, match="has format 1; this version reads 2") as caught:
        open_(place)
    assert "De-identify again" in caught.value.hint


@pytest.mark.parametrize("fact", ["locked", "id", "opener_public", "opener"])
def test_one_changed_sign_of_the_key_file_is_noticed(place: Path, fact: str) -> None:
    key = json.loads((place / "key.json").read_text())
    if fact == "id":
        own = openers.unlock_path(key["id"]).read_bytes()
    key[fact] = ("1" if key[fact][:1] != "1" else "2") + key[fact][1:]
    (place / "key.json").write_text(json.dumps(key))
    if fact == "id":
        sealed.write_private(openers.unlock_path(key["id"]), own)
    with pytest.raises(VaultError, match="damaged, or the unlock key is not that"):
        open_(place)


def test_a_cut_crosswalk_is_noticed(place: Path) -> None:
    fill(place)
    path = place / "crosswalk.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VaultError, match="crosswalk has 0 bytes, fewer than the"):
        open_(place)


def test_a_dataset_accepts_no_other_vault(place: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "sourcedata").mkdir(parents=True)
    (data / "sourcedata" / "deidentification.json").write_text('{"vault_key": "0011223344556677"}')
    with pytest.raises(VaultError, match="made with vault 0011223344556677"):
        open_(place)
    with pytest.raises(VaultError, match="made with vault 0011223344556677"):
        Vault.create(tmp_path / "new", dataset=data)
    (data / "sourcedata" / "deidentification.json").write_text("[]")
    with pytest.raises(VaultError, match="does not say which vault"):
        open_(place)


def test_a_folder_without_a_vault_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="holds no vault"):
        open_(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(VaultError, match="holds 1 entries but no vault"):
        Vault.create(tmp_path / "full", dataset=tmp_path / "data")


def _change(text: str) -> str:
    return text.replace('"people": 1', '"people": 2')


def _cut(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:1])


def _take_out(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[1:])


def _swap(text: str) -> str:
    return "".join(reversed(text.splitlines(keepends=True)))


def _gone(_: str) -> str:
    return ""


@pytest.mark.parametrize("tamper", [_change, _cut, _take_out, _swap, _gone])
def test_tampering_with_the_log_is_noticed(place: Path, tamper: object) -> None:
    fill(place)
    log = place / "log.jsonl"
    before = log.read_text()
    log.write_text(tamper(before))  # type: ignore[operator]
    assert log.read_text() != before
    with pytest.raises(VaultError, match="log"):
        open_(place)


def test_a_line_that_a_killed_command_left_half_written_is_dropped(place: Path) -> None:
    fill(place)
    log = place / "log.jsonl"
    whole = log.read_text()
    log.write_text(whole + '{"detail": {"wri')
    with Vault.open(place, dataset=place.parent / "data") as vault:
        vault.save("again", {})
    assert log.read_text().startswith(whole)
    assert len(log.read_text().splitlines()) == 3
    assert open_(place).pseudonym_of(WHO) == NAME


def test_killed_between_crosswalk_and_registry_it_still_opens(place: Path) -> None:
    fill(place)
    registry = (place / "registry.bin").read_bytes()
    for _ in range(2):
        with Vault.open(place, dataset=place.parent / "data") as vault:
            vault.admit(WHO, NAME, "later", "20200101")
            vault.save("more", {})
        (place / "registry.bin").write_bytes(registry)
    assert open_(place).pseudonym_of(WHO) == NAME
    with Vault.opened(place, opener="Lin", reason="a test") as opened:
        assert [entry.study for entry in opened.crosswalk()] == ["1.2.3", "later"]


def test_two_commands_do_not_use_it_at_once(place: Path) -> None:
    fork = multiprocessing.get_context("fork")
    with Vault.open(place, dataset=place.parent / "data"), fork.Pool(1) as pool:
        assert pool.apply(_refusal, (place,)).startswith("Another command is using the vault")


def _refusal(place: Path) -> str:
    try:
        open_(place)
    except VaultError as error:
        return error.message
    return ""


def test_its_repr_shows_no_secret(place: Path) -> None:
    fill(place)
    vault = open_(place)
    for hidden in (WHO, str(NAME), repr(vault.secret)[2:-1], repr(vault._key.secret)[2:-1]):
        assert hidden not in repr(vault)
