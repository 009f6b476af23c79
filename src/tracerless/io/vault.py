"""The vault: keys, what the pipeline knows, who is who, and what was done; outside every dataset.

vault/            0700, every file 0600
  key.json        the secret, locked by a key that lies elsewhere (`io.openers`); public facts
  registry.bin    what the pipeline needs: keyed digests and pseudonyms; encrypted
  crosswalk.bin   person -> pseudonym, study, date: sealed to the opener, unreadable to the pipeline
  remembered/     values that were removed, for `verify`: sealed to the opener
  log.jsonl       what was done, one line each, chained by keyed digests, no identifiers
  lock            held while a command works with the vault

The pipeline pseudonymizes and cannot read who is who; the designated opener can, by name, with a
reason, in the log. Who holds the unlock key can still try out identifiers that he knows already.

Source:
    The roles follow ISO/IEC 29191:2012 (CNS 29191): partially anonymous and unlinkable except to a
    designated opener. It is a framework for authentication; its use for scans is a reading.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym
from tracerless.io import sealed, vault_key, vault_opening, vault_place, vault_records, vault_sealed
from tracerless.io.atomic import remove_partials
from tracerless.io.vault_key import VaultKey
from tracerless.io.vault_log import VaultLog
from tracerless.io.vault_people import Doubt, VaultPeople, Who
from tracerless.io.vault_place import HOME_DOMAIN, RECORD, recorded_key_id
from tracerless.io.vault_registry import Registry
from tracerless.io.vault_sealed import CROSSWALK, Entry, Facts, Reader, Remembered, Sealer

__all__ = ["RECORD", "Doubt", "Opened", "Vault", "recorded_key_id", "verify_signature"]

REGISTRY_FILE = "registry.bin"
LOG_FILE = "log.jsonl"


@dataclass(slots=True)
class Vault(VaultPeople):
    """A vault unlocked for the pipeline, in one linkage domain; its repr shows no secret.

    Args:
        path: the folder.
        domain: the linkage domain of the dataset that is worked on.
    """

    path: Path = field(repr=False)
    _key: VaultKey
    _log: VaultLog = field(repr=False)

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, *, dataset: Path | None, domain: str = "") -> Iterator[Self]:
        """The vault in that folder, for that dataset; nobody else can open it meanwhile.

        Args:
            path: the folder.
            dataset: that is worked on; None when it is about the vault alone.
            domain: linkage domain of a new dataset; empty for what the dataset records, else
                ``inhouse``.

        Raises:
            VaultError: there is none, its unlock key is missing, it lies in the dataset or the
                dataset in it, it is open to others, damaged, in use, or not the vault or not the
                domain of this dataset.
        """
        if dataset is not None:
            vault_place.require_apart(path, dataset)
        vault_place.require_private(path)
        with vault_place.locked(path):
            remove_partials(path)
            key = VaultKey.read(path)
            own = domain or HOME_DOMAIN
            if dataset is not None:
                own = vault_place.require_dataset(dataset, path, key.key_id, domain)
            yield cls._read(path, key, vault_place.require_domain(own))

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        dataset: Path | None,
        opener: str = "",
        opener_key: Path | None = None,
        passphrase: str = "",
    ) -> str:
        """Make a new vault with a new random secret; its public id.

        Args:
            path: a new or empty folder.
            dataset: that will be worked on; None when it is not known yet.
            opener: name of the designated opener; empty when any holder of the key may open.
            opener_key: where the opener's private key goes; None for the configuration folder.
            passphrase: locks the opener's private key; empty leaves it readable by its owner.

        Raises:
            VaultError: the folder is not empty, or lies in the dataset or the dataset in it, or the
                dataset was made with another vault.
        """
        if dataset is not None:
            vault_place.require_apart(path, dataset)
        vault_place.require_new(path, dataset)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        made = VaultKey.create(path, opener=opener.strip(), pem=opener_key, passphrase=passphrase)
        return made.key_id

    @classmethod
    def exists(cls, path: Path) -> bool:
        """Whether the folder holds a vault, readable or not."""
        return vault_key.exists(path)

    @classmethod
    @contextlib.contextmanager
    def opened(
        cls, path: Path, *, opener: str, reason: str, key: Path | None = None, passphrase: str = ""
    ) -> Iterator["Opened"]:
        """The vault with its crosswalk readable; every opening, refused ones too, is in its log.

        Args:
            path: the folder.
            opener: who opens it; stands in the log.
            reason: why; stands in the log, sealed, for people write names into reasons.
            key: the opener's private key; None takes it from the configuration folder.
            passphrase: of that key; empty takes it from the environment.

        Raises:
            VaultError: no name, no reason, not the designated opener, the key is missing or not
                that of this vault, or the vault itself cannot be opened.
        """
        with cls.open(path, dataset=None) as vault:
            name, why = " ".join(opener.split())[:80], reason.strip()
            found = vault_opening.opener_key(vault._key, name, why, pem=key, passphrase=passphrase)
            detail = {"opener": name, "reason": vault_sealed.sealed_reason(vault._key, why)}
            if isinstance(found, vault_opening.Refused):
                vault.save("refused", {**detail, "why": found.why})
                raise found.error
            vault.save("opened", detail)
            yield Opened(vault, Reader(path, vault._key, found))

    @classmethod
    def _read(cls, path: Path, key: VaultKey, domain: str) -> Self:
        content = sealed.read(path / REGISTRY_FILE, key.subkey("registry"))
        registry = Registry.from_bytes(key.subkey("digests"), content)
        log = VaultLog(path / LOG_FILE, key.subkey("log"))
        log.require_intact(*registry.marks["log"])
        known, found = registry.marks["crosswalk"], vault_records.whole_bytes(path / CROSSWALK)
        if found < known:
            raise VaultError(
                f"The vault's crosswalk has {found} bytes, fewer than the {known} recorded.",
                hint="Somebody cut it; restore the vault from a backup.",
            )
        return cls(domain, registry, Sealer(path, key), [], path, key, log)

    @property
    def key_id(self) -> str:
        """Public id of the secret; a dataset records it and accepts no other."""
        return self._key.key_id

    @property
    def secret(self) -> bytes:
        """32 bytes from which the keys of this linkage derive; another linkage has others."""
        return self._key.subkey(f"domain/{self.linkage}")

    @property
    def record(self) -> dict[str, str]:
        """What a dataset records of the vault that made it."""
        return {"vault_key": self.key_id, "domain": self.domain}

    @property
    def public_key(self) -> bytes:
        """Ed25519 public key with which signatures of this vault are checked, 32 bytes."""
        return self._signer().public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """The vault's Ed25519 signature of the content, 64 bytes; equal in, equal out."""
        return self._signer().sign(content)

    def withdraw(self, who: Who) -> int:
        """Keep a person out from now on, and forget who it was; how many sealed records went.

        The person's digest and pseudonyms stay, so that the withdrawal holds. It lasts at once, and
        is repeated without harm.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        names = self._registry.withdraw(who, datetime.now(UTC).date().isoformat())
        self._registry.marks["crosswalk"] = 0  # while it is shortened
        self._keep()
        tags = frozenset(vault_sealed.tag(self._key, name) for name in names)
        self._pending = [record for record in self._pending if record[0] not in tags]
        files = (self.path / CROSSWALK, *vault_sealed.batches(self.path))
        n_gone = sum(vault_records.drop(path, tags) for path in files)
        self.save("withdrawn", {"sealed_records": n_gone})
        return n_gone

    def remember(
        self, pseudonym: Pseudonym, values: Iterable[tuple[str, str]], facts: Facts = b""
    ) -> None:
        """Seal what was removed from a person's files for the opener; it is on disk at once.

        Args:
            pseudonym: whose.
            values: (keyword, value); those that came just before are written once.
            facts: anything that a later proof needs; JSON or bytes.

        Raises:
            StorageError: the disk refused.
        """
        self._sealer.remember(pseudonym, values, facts)

    def log(self) -> tuple[dict[str, Any], ...]:
        """Every line of the log, whose chain was found whole when the vault was opened."""
        return self._log.lines()

    def save(self, event: str, detail: Mapping[str, Any]) -> None:
        """Write crosswalk, log line and registry, in this order; killed between, nothing is lost.

        Args:
            event: one word.
            detail: counts and digests; never an identifier.
        """
        self._registry.marks["crosswalk"] = vault_records.append(
            self.path / CROSSWALK, self._pending
        )
        self._pending.clear()
        self._registry.marks["log"] = list(self._log.append(event, detail))
        self._keep()

    def _keep(self) -> None:
        content = self._registry.to_bytes()
        sealed.write(self.path / REGISTRY_FILE, self._key.subkey("registry"), content)

    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._key.subkey("signature"))


@dataclass(frozen=True, slots=True)
class Opened:
    """A vault opened by its designated opener."""

    vault: Vault
    reader: Reader = field(repr=False)

    def crosswalk(self, pseudonym: Pseudonym | None = None) -> Iterator[Entry]:
        """Who is who, every study once; of one pseudonym or of all.

        Raises:
            VaultError: a record was changed.
        """
        return self.reader.crosswalk(pseudonym)

    def remembered(self, pseudonym: Pseudonym) -> Remembered:
        """Everything removed from the files of a person, over all batches.

        Raises:
            VaultError: a record was changed.
        """
        return self.reader.remembered(pseudonym)

    def log(self) -> tuple[dict[str, Any], ...]:
        """Every line of the log, with the reasons of openings in plain."""
        return tuple(self._plain(line) for line in self.vault.log())

    def _plain(self, line: dict[str, Any]) -> dict[str, Any]:
        detail = dict(line["detail"])
        if "reason" in detail:
            detail["reason"] = self.reader.reason(detail["reason"])
        return {**line, "detail": detail}


def verify_signature(public_key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the signature of the content was made by the vault with that public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
