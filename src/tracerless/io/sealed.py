"""Private files: readable by their owner alone, encrypted where they hold who is who."""

import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tracerless.core.errors import VaultError
from tracerless.io.atomic import PARTIAL_PREFIX, disk_errors

_MAGIC = b"TRLV1\0"
_NONCE_BYTES = 12


def subkey(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose inside the vault."""
    return hmac.digest(secret, b"tracerless/vault/" + purpose.encode(), "sha256")


def write(path: Path, key: bytes, content: bytes) -> None:
    """Encrypt and write, or leave the old file as it was."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    write_private(path, _MAGIC + nonce + AESGCM(key).encrypt(nonce, content, _MAGIC))


def read(path: Path, key: bytes) -> bytes | None:
    """Decrypt; None when there is no file.

    Raises:
        VaultError: the file was changed, or is sealed with another key.
    """
    if not path.is_file():
        return None
    sealed = path.read_bytes()
    body = sealed.removeprefix(_MAGIC)
    try:
        return AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _MAGIC)
    except (InvalidTag, ValueError):
        raise VaultError(
            f"{path} is damaged or belongs to another vault.",
            hint="Restore the vault from a backup.",
        ) from None


def write_private(path: Path, content: bytes) -> None:
    """Write for the owner's eyes only (mode 0600): the whole content, or nothing.

    Raises:
        StorageError: the disk refused.
    """
    with disk_errors(path.parent):
        handle, name = tempfile.mkstemp(prefix=PARTIAL_PREFIX, dir=path.parent)
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Whether a killed process left it behind."""
    return path.name.startswith(PARTIAL_PREFIX)
