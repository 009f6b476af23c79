"""What the pipeline hands to the opener through the vault: who is who, and what was removed."""

import base64
import hashlib
import hmac
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym
from tracerless.io import sealed, vault_records
from tracerless.io.vault_key import VaultKey

CROSSWALK = "crosswalk.bin"
REMEMBERED = "remembered"

RECENT = 100_000
"""Values whose repetition is noticed while writing, so that memory stays flat."""

Facts = Mapping[str, Any] | bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One study of one person; its repr identifies nobody."""

    pseudonym: str
    domain: str
    visit: str
    person: str = field(repr=False)
    study: str = field(repr=False)
    study_date: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was removed from a person's files, and facts about them; identifies.

    Args:
        values: (keyword, value).
        facts: in the order in which they came; what came twice stands once, at its last place.
    """

    values: frozenset[tuple[str, str]] = field(repr=False)
    facts: tuple[Facts, ...] = field(repr=False)


@dataclass(slots=True)
class Sealer:
    """Writes for the opener's eyes; holds the public half only."""

    path: Path
    key: VaultKey
    _recent: OrderedDict[bytes, None] = field(default_factory=OrderedDict, repr=False)
    _batch: Path | None = None
    _end: int = 0

    def entry(self, entry: Entry) -> vault_records.Record:
        """A record of the crosswalk."""
        return _sealed(self.key, "crosswalk", entry.pseudonym, asdict(entry))

    def remember(
        self, pseudonym: Pseudonym, values: Iterable[tuple[str, str]], facts: Facts
    ) -> None:
        """Add one record to the file of this batch; values that came just before are left out.

        Raises:
            StorageError: the disk refused.
        """
        fresh = sorted({value for value in values if self._is_fresh(pseudonym, value)})
        if not fresh and not facts:
            return
        content = {"values": fresh, "facts": _plain(facts)}
        record = _sealed(self.key, REMEMBERED, str(pseudonym), content)
        if self._batch is None:
            self._batch = _next_batch(self.path / REMEMBERED)
        self._end = vault_records.append(self._batch, [record], start=self._end)

    def _is_fresh(self, pseudonym: Pseudonym, value: tuple[str, str]) -> bool:
        mark = hashlib.blake2b(repr((str(pseudonym), *value)).encode(), digest_size=12).digest()
        if mark in self._recent:
            self._recent.move_to_end(mark)
            return False
        self._recent[mark] = None
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what was sealed to the opener; exists only while a vault is opened by name."""

    path: Path
    key: VaultKey
    private: X25519PrivateKey = field(repr=False)

    def crosswalk(self, pseudonym: Pseudonym | None = None) -> Iterator[Entry]:
        """Who is who, every study once; of one pseudonym or of all.

        Raises:
            VaultError: a record was changed.
        """
        seen = set()
        for content in self._contents(self.path / CROSSWALK, "crosswalk", pseudonym):
            entry = Entry(**content)
            if entry not in seen:
                seen.add(entry)
                yield entry

    def remembered(self, pseudonym: Pseudonym) -> Remembered:
        """Everything removed from the files of a person, over all batches.

        Raises:
            VaultError: a record was changed.
        """
        values: set[tuple[str, str]] = set()
        facts: dict[str, Facts] = {}
        for batch in batches(self.path):
            for content in self._contents(batch, REMEMBERED, pseudonym):
                values.update((keyword, value) for keyword, value in content["values"])
                if content["facts"]:
                    same = json.dumps(content["facts"], sort_keys=True)
                    facts.pop(same, None)
                    facts[same] = _rich(content["facts"])
        return Remembered(frozenset(values), tuple(facts.values()))

    def reason(self, text: str) -> str:
        """Why somebody opened the vault, from a line of its log."""
        return str(_unsealed(self, "reason", bytes(vault_records.TAG_BYTES), bytes.fromhex(text)))

    def _contents(self, path: Path, kind: str, pseudonym: Pseudonym | None) -> Iterator[Any]:
        wanted = None if pseudonym is None else tag(self.key, str(pseudonym))
        for own, body in vault_records.read(path, wanted):
            yield _unsealed(self, kind, own, body)


def sealed_reason(key: VaultKey, reason: str) -> str:
    """A reason as the log holds it: people write names into reasons, so it is sealed."""
    bound = _bound(key, "reason", bytes(vault_records.TAG_BYTES))
    return sealed.seal(key.opener_public, zlib.compress(json.dumps(reason).encode()), bound).hex()


def batches(path: Path) -> list[Path]:
    """Files of remembered values, oldest first."""
    return sorted((path / REMEMBERED).glob("*.bin"))


def tag(key: VaultKey, pseudonym: str) -> bytes:
    """Finds the records of a person again without opening them."""
    digest = hmac.digest(key.subkey("tag"), pseudonym.encode(), "sha256")
    return digest[: vault_records.TAG_BYTES]


def _sealed(key: VaultKey, kind: str, pseudonym: str, content: Any) -> vault_records.Record:
    own = tag(key, pseudonym)
    plain = zlib.compress(json.dumps(content, sort_keys=True, ensure_ascii=False).encode(), 6)
    return own, sealed.seal(key.opener_public, plain, _bound(key, kind, own))


def _unsealed(reader: Reader, kind: str, own: bytes, body: bytes) -> Any:
    plain = sealed.unseal(reader.private, body, _bound(reader.key, kind, own))
    if plain is None:
        raise VaultError(
            f"A sealed record of vault {reader.key.key_id} is damaged.",
            hint="Restore the vault from a backup.",
        )
    return json.loads(zlib.decompress(plain))


def _bound(key: VaultKey, kind: str, own: bytes) -> bytes:
    return f"{key.key_id}/{kind}/".encode() + own


def _next_batch(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    last = max((int(path.stem) for path in folder.glob("*.bin")), default=0)
    return folder / f"{last + 1:06d}.bin"


def _plain(facts: Facts) -> dict[str, Any]:
    if isinstance(facts, bytes):
        return {"bytes": base64.b64encode(facts).decode()} if facts else {}
    return {"facts": dict(facts)} if facts else {}


def _rich(plain: Mapping[str, Any]) -> Facts:
    return base64.b64decode(plain["bytes"]) if "bytes" in plain else dict(plain["facts"])
