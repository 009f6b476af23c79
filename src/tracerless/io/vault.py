"""The vault: the secret, who is who, and what was done, in a folder outside every dataset.

vault/            0700
  key.json        the secret from which every pseudonym follows, 0600
  crosswalk.bin   person -> pseudonym, study -> visit; encrypted (AES-256-GCM), 0600
  log.jsonl       what was done, one line each, chained by keyed digests, no identifiers
  lock            held while a command works with the vault
"""

import contextlib
import fcntl
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.io import sealed
from tracerless.io.vault_log import VaultLog

KEY_FILE = "key.json"
CROSSWALK_FILE = "crosswalk.bin"
LOG_FILE = "log.jsonl"
LOCK_FILE = "lock"

RECORD = Path("sourcedata") / "deidentification.json"
"""In a dataset: which vault (its public id) and which policy made it."""

_FORMAT = 1


@dataclass(slots=True)
class Vault:
    """An opened vault; its repr shows only the public id.

    Args:
        path: the folder.
        key_id: public id of the secret; a dataset records it and accepts no other.
        secret: 32 bytes from which all keys derive.
    """

    path: Path = field(repr=False)
    key_id: str
    secret: bytes = field(repr=False)
    _people: dict[str, dict[str, Any]] = field(repr=False)
    _log: VaultLog = field(repr=False)

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, *, dataset: Path) -> Iterator[Self]:
        """The vault in that folder, for that dataset; nobody else can open it meanwhile.

        Raises:
            VaultError: there is none, it lies in the dataset or the dataset in it, it is open to
                others, damaged, in use, or not the vault of this dataset.
        """
        _require_apart(path, dataset)
        if not (path / KEY_FILE).is_file():
            raise VaultError(
                f"{path} holds no vault ({KEY_FILE} is missing).",
                hint="Name the vault that this dataset was made with.",
            )
        _require_private(path)
        with _locked(path):
            vault = cls._read(path)
            vault._require_dataset(dataset)
            yield vault

    @classmethod
    def create(cls, path: Path, *, dataset: Path) -> None:
        """Make a new vault with a new random secret; readable by its owner alone.

        Raises:
            VaultError: the folder is not empty, or lies in the dataset or the dataset in it, or the
                dataset was made with another vault.
        """
        _require_apart(path, dataset)
        recorded = recorded_key_id(dataset)
        if recorded:
            raise VaultError(
                f"The dataset was made with vault {recorded}, and {path} holds no vault.",
                hint="Name the vault that this dataset was made with.",
            )
        remains = [p for p in path.iterdir() if p.name != LOCK_FILE] if path.is_dir() else []
        if any(not sealed.is_partial(p) for p in remains):
            raise VaultError(
                f"{path} holds {len(remains)} entries but no vault.", hint="Name a new folder."
            )
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        secret = secrets.token_bytes(32)
        key = {"format": _FORMAT, "secret": secret.hex(), "id": _key_id(secret)}
        sealed.write_private(path / KEY_FILE, json.dumps(key).encode())

    @classmethod
    def exists(cls, path: Path) -> bool:
        """Whether the folder holds a vault, readable or not."""
        return (path / KEY_FILE).exists()

    @classmethod
    def _read(cls, path: Path) -> Self:
        secret = _secret(path)
        log = VaultLog(path / LOG_FILE, sealed.subkey(secret, "log"))
        content = sealed.read(path / CROSSWALK_FILE, sealed.subkey(secret, "crosswalk"))
        empty: dict[str, Any] = {"people": {}, "log": [0, ""]}
        crosswalk = empty if content is None else json.loads(content)
        log.require_intact(crosswalk["log"][0], crosswalk["log"][1])
        return cls(path, _key_id(secret), secret, crosswalk["people"], log)

    @property
    def people(self) -> Mapping[str, Pseudonym]:
        """Pseudonyms by person; identifies."""
        return {person: Pseudonym(entry["pseudonym"]) for person, entry in self._people.items()}

    def admit(self, person: str, pseudonym: Pseudonym, study: str, study_date: str) -> SessionKey:
        """The visit that a study of a person belongs to; the same study gives the same visit.

        Studies of one person on one date are one visit; a study without a date is its own. Visits
        are numbered in the order in which they are first seen. `save` makes it last.

        Raises:
            VaultError: another person already has this pseudonym, or this person another one.
        """
        studies = self._entry(person, pseudonym)["studies"]
        visits = {known: visit for known, _, visit in studies}
        if study not in visits:
            same_day = [visit for _, date, visit in studies if date and date == study_date]
            visit = same_day[0] if same_day else f"{len(set(visits.values())) + 1:02d}"
            studies.append([study, study_date, visit])
            visits[study] = visit
        return SessionKey(pseudonym, visits[study])

    def _entry(self, person: str, pseudonym: Pseudonym) -> dict[str, Any]:
        text = str(pseudonym)
        if person not in self._people and all(
            entry["pseudonym"] != text for entry in self._people.values()
        ):
            self._people[person] = {"pseudonym": text, "studies": []}
        entry = self._people.get(person)
        if entry is None or entry["pseudonym"] != text:
            raise VaultError(
                f"Pseudonym {text} does not belong to one person alone.",
                hint="Restore the vault from a backup; its crosswalk does not fit its key.",
            )
        return entry

    def save(self, event: str, detail: Mapping[str, Any]) -> None:
        """Write one line into the log, then the crosswalk; nothing is lost if killed between.

        Args:
            event: one word.
            detail: counts and digests; never an identifier.
        """
        count, head = self._log.append(event, detail)
        content = json.dumps({"people": self._people, "log": [count, head]}, sort_keys=True)
        key = sealed.subkey(self.secret, "crosswalk")
        sealed.write(self.path / CROSSWALK_FILE, key, content.encode())

    def _require_dataset(self, dataset: Path) -> None:
        recorded = recorded_key_id(dataset)
        if recorded and recorded != self.key_id:
            raise VaultError(
                f"The dataset was made with vault {recorded}; {self.path} is vault {self.key_id}.",
                hint="Name the vault that this dataset was made with.",
            )


def recorded_key_id(dataset: Path) -> str:
    """Public id of the vault that the dataset was made with; empty when it records none.

    Raises:
        VaultError: the record cannot be read.
    """
    path = dataset / RECORD
    if not path.is_file():
        return ""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["vault_key"])
    except (ValueError, KeyError, TypeError):
        raise VaultError(
            f"{RECORD} does not say which vault the dataset belongs to.",
            hint="Restore that file from a backup of the dataset.",
        ) from None


def _key_id(secret: bytes) -> str:
    return hmac.digest(secret, b"tracerless/public-id", "sha256").hex()[:16]


def _secret(path: Path) -> bytes:
    try:
        key = json.loads((path / KEY_FILE).read_bytes())
        secret = bytes.fromhex(key["secret"])
        is_whole = key["format"] == _FORMAT and len(secret) == 32 and key["id"] == _key_id(secret)
    except (ValueError, KeyError, TypeError):
        is_whole = False
    if not is_whole:
        raise VaultError(
            f"The key in {path} is damaged.",
            hint="Restore the vault from a backup; without its key nobody can be joined again.",
        )
    return secret


def _require_apart(path: Path, dataset: Path) -> None:
    vault, root = path.resolve(), dataset.resolve()
    if vault == root or root in vault.parents or vault in root.parents:
        raise VaultError(
            f"The vault {path} and the dataset {dataset} lie one inside the other.",
            hint="Name a vault outside the dataset.",
        )


def _require_private(path: Path) -> None:
    for place in (path, path / KEY_FILE, path / CROSSWALK_FILE):
        if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o077:
            mode = stat.S_IMODE(place.stat().st_mode)
            raise VaultError(
                f"{place} is open to others (mode {mode:04o}, expected none but the owner's).",
                hint=f"Run `chmod -R go-rwx {path}`.",
            )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise VaultError(
            f"Another command is using the vault {path}.", hint="Wait for it, then run this again."
        ) from None
    finally:
        os.close(handle)
