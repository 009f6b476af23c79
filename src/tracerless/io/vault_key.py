"""``key.json`` of a vault: the secret, locked, and beside it what may stand in the open.

What stands in the open (public id, opener's public key, opener's name, how it is unlocked) is bound
to the locked secret: whoever exchanges the opener's key for his own makes the vault unusable.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tracerless.core.errors import VaultError
from tracerless.io import openers, sealed

FILE = "key.json"
FORMAT = 2


@dataclass(frozen=True, slots=True)
class VaultKey:
    """The unlocked secret of a vault, and whom it is sealed to; the repr shows no secret.

    Args:
        key_id: public id of the secret; a dataset records it.
        secret: 32 bytes from which every other key derives.
        opener_public: X25519 public key of the opener, 32 bytes.
        opener: the designated opener's name; empty when any holder of the key may open.
    """

    key_id: str
    secret: bytes = field(repr=False)
    opener_public: bytes = field(repr=False)
    opener: str = ""

    @classmethod
    def create(cls, vault: Path, *, opener: str, pem: Path | None, passphrase: str) -> Self:
        """Make the keys of a new vault; ``key.json`` last, for it makes the folder a vault.

        Args:
            vault: the folder, which exists.
            opener: the designated opener's name, or empty.
            pem: where the opener's private key goes; None for the configuration folder.
            passphrase: locks that file; empty leaves it readable by its owner.

        Raises:
            VaultError: a key would lie in the vault, or its file exists.
        """
        secret = secrets.token_bytes(32)
        key_id, lock = _key_id(secret), openers.Lock.new()
        public = openers.new_opener(pem or openers.opener_path(key_id), passphrase, vault)
        facts = {
            "format": FORMAT,
            "id": key_id,
            "opener": opener,
            "opener_public": public.hex(),
            "lock": lock.plain(),
        }
        key = openers.new_unlock_key(lock, key_id, vault)
        locked = sealed.lock(key, secret, _bound(facts))
        content = json.dumps({**facts, "locked": locked.hex()}, ensure_ascii=False)
        sealed.write_private(vault / FILE, content.encode())
        return cls(key_id, secret, public, opener)

    @classmethod
    def read(cls, vault: Path) -> Self:
        """Unlock the keys of a vault.

        Raises:
            VaultError: the file is damaged or of another format, or the unlock key is missing or
                another one.
        """
        facts = _facts(vault)
        try:
            locked = bytes.fromhex(facts.pop("locked"))
            lock, key_id = openers.Lock.from_plain(facts["lock"]), str(facts["id"])
            public, opener = bytes.fromhex(facts["opener_public"]), str(facts["opener"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged(vault) from None
        secret = sealed.unlock(openers.unlock_key(lock, key_id), locked, _bound(facts))
        if secret is None:
            raise VaultError(
                f"The key in {vault} is damaged, or the unlock key is not that of this vault.",
                hint="Give the right passphrase, or restore the vault and its unlock key.",
            )
        return cls(key_id, secret, public, opener)

    def subkey(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose."""
        return sealed.subkey(self.secret, purpose)


def exists(vault: Path) -> bool:
    """Whether the folder holds a vault, readable or not."""
    return (vault / FILE).exists()


def _facts(vault: Path) -> dict[str, Any]:
    try:
        facts = json.loads((vault / FILE).read_bytes())
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or "format" not in facts:
        raise _damaged(vault)
    if facts["format"] != FORMAT:
        raise VaultError(
            f"The vault {vault} has format {facts['format']!r}; this version reads {FORMAT}.",
            hint="De-identify again with a new vault and dataset, or use the version that made it.",
        )
    return facts


def _bound(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True).encode()


def _key_id(secret: bytes) -> str:
    return hmac.digest(secret, b"tracerless/public-id", "sha256").hex()[:16]


def _damaged(vault: Path) -> VaultError:
    return VaultError(
        f"The key in {vault} is damaged.",
        hint="Restore the vault from a backup; without its key nobody can be joined again.",
    )
