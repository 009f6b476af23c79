"""The keys that open a vault: they lie outside it, so that a copied vault opens nothing.

The *unlock key* lets the pipeline work: a passphrase, or a file in the user's configuration folder.
The *opener's key* alone reads who is who: a PEM file, to be handed to the custodian of the vault.
Its own passphrase slows guessing little (PKCS 8 with PBKDF2, 2048 rounds): make it long, and keep
the file apart.

Source:
    RFC 7914 (scrypt); the costs are those that OWASP advises for passwords (N = 2**17, r = 8).
"""

import getpass
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tracerless.core.errors import VaultError
from tracerless.io import sealed

PASSPHRASE = "TRACERLESS_VAULT_PASSPHRASE"  # noqa: S105
"""Environment variable with the passphrase of the vault; set when a vault is made, it is used
instead of an unlock file."""

OPENER_PASSPHRASE = "TRACERLESS_OPENER_PASSPHRASE"  # noqa: S105
"""Environment variable with the passphrase of the opener's key."""

_COST = 2**17


@dataclass(frozen=True, slots=True)
class Lock:
    """How a vault is unlocked: by a passphrase (then with ``salt`` and ``cost``), or by a file."""

    salt: bytes = b""
    cost: int = 0

    @classmethod
    def new(cls) -> Self:
        """By passphrase when the environment holds one, else by file."""
        return cls(secrets.token_bytes(16), _COST) if os.environ.get(PASSPHRASE) else cls()

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The lock that `plain` described."""
        return cls(bytes.fromhex(plain["salt"]), int(plain["cost"]))

    def plain(self) -> dict[str, Any]:
        """For JSON; not secret."""
        return {"salt": self.salt.hex(), "cost": self.cost}

    @property
    def is_passphrase(self) -> bool:
        """Whether a passphrase unlocks it, rather than a file."""
        return bool(self.salt)


def config_folder() -> Path:
    """Where keys lie by default: ``tracerless`` in the user's configuration folder."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "tracerless"


def unlock_path(key_id: str) -> Path:
    """Where the unlock file of a vault lies."""
    return config_folder() / f"{key_id}.unlock"


def opener_path(key_id: str) -> Path:
    """Where the opener's key of a vault lies until it is handed to the custodian."""
    return config_folder() / f"{key_id}.opener.pem"


def advice(key_id: str, pem: Path | None = None) -> tuple[str, ...]:
    """What whoever makes a vault should do with its keys, in sentences.

    Args:
        key_id: public id of the vault.
        pem: file of the opener's key; None for the configuration folder.
    """
    unlock = unlock_path(key_id)
    opener = (
        f"The opener's key of vault {key_id} is {pem or opener_path(key_id)}: hand it to the "
        "custodian and delete it here. Without it nobody can ever say who is who."
    )
    keep = f"The unlock key is {unlock}: back it up apart from the vault."
    return (opener, keep) if unlock.is_file() else (opener,)


def new_unlock_key(lock: Lock, key_id: str, vault: Path) -> bytes:
    """Make the key that unlocks a new vault; without a passphrase it is written into its file."""
    if lock.is_passphrase:
        return _from_passphrase(lock, os.environ[PASSPHRASE])
    key = secrets.token_bytes(32)
    _write_key(unlock_path(key_id), key.hex().encode() + b"\n", vault)
    return key


def unlock_key(lock: Lock, key_id: str) -> bytes:
    """The key that unlocks a vault.

    Raises:
        VaultError: the passphrase is not given, or the unlock file is missing, damaged or open to
            others.
    """
    if lock.is_passphrase:
        return _from_passphrase(lock, _vault_passphrase(key_id))
    path = unlock_path(key_id)
    if not path.is_file():
        raise VaultError(
            f"Vault {key_id} is locked, and its unlock key {path} is missing.",
            hint="Restore that file from its backup (it lies outside the vault on purpose).",
        )
    require_private(path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise VaultError(
            f"The unlock key {path} is damaged.", hint="Restore that file from its backup."
        )
    return key


def new_opener(path: Path, passphrase: str, vault: Path) -> bytes:
    """Make the opener's key pair; the private key goes into ``path``, the public one comes back.

    Args:
        path: of the PEM file.
        passphrase: locks the file; empty leaves it readable by its owner.
        vault: where it must not lie.

    Raises:
        VaultError: the file exists, or would lie in the vault.
    """
    if path.exists():
        raise VaultError(f"{path} exists already.", hint="Name a new file for the opener's key.")
    private = X25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    kind = serialization.PrivateFormat.PKCS8
    pem = private.private_bytes(serialization.Encoding.PEM, kind, encryption)
    _write_key(path, pem, vault)
    return private.public_key().public_bytes_raw()


def opener_key(path: Path, passphrase: str = "") -> X25519PrivateKey:
    """The opener's private key in that file.

    Args:
        path: of the PEM file.
        passphrase: of the file; empty takes it from the environment.

    Raises:
        VaultError: the file is missing, open to others, locked by another passphrase, or no key.
    """
    if not path.is_file():
        raise VaultError(
            f"The opener's key {path} is missing.",
            hint="Ask the custodian of the vault for it, and name it with --opener-key.",
        )
    require_private(path)
    content, given = path.read_bytes(), passphrase or os.environ.get(OPENER_PASSPHRASE, "")
    password = given.encode() if b"ENCRYPTED" in content and given else None
    try:
        key = serialization.load_pem_private_key(content, password)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, X25519PrivateKey):
        raise VaultError(
            f"The opener's key {path} cannot be read with the passphrase given.",
            hint=f"Set {OPENER_PASSPHRASE}, or name the right file.",
        )
    return key


def require_private(path: Path) -> None:
    """Refuse a file or folder that others may read.

    Raises:
        VaultError: its mode lets others in.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise VaultError(
            f"{path} is open to others (mode {mode:04o}, expected none but the owner's).",
            hint=f"Run `chmod -R go-rwx {path}`.",
        )


def _vault_passphrase(key_id: str) -> str:
    given = os.environ.get(PASSPHRASE, "")
    if not given and sys.stdin is not None and sys.stdin.isatty():
        given = getpass.getpass(f"Passphrase of vault {key_id}: ")
    if not given:
        raise VaultError(
            f"Vault {key_id} is locked by a passphrase, and none is given.",
            hint=f"Set {PASSPHRASE}.",
        )
    return given


def _from_passphrase(lock: Lock, passphrase: str) -> bytes:
    return Scrypt(salt=lock.salt, length=32, n=lock.cost, r=8, p=1).derive(passphrase.encode())


def _write_key(path: Path, content: bytes, vault: Path) -> None:
    if vault.resolve() in path.resolve().parents:
        raise VaultError(
            f"{path} lies in the vault that it would open.",
            hint="Keep keys elsewhere: set XDG_CONFIG_HOME, or name another file.",
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed.write_private(path, content)
