"""Private files and sealed records: readable by their owner alone, encrypted at rest.

Two kinds of encryption. `write` and `read` use a key that the pipeline holds (AES-256-GCM). `seal`
uses only the opener's *public* key: what it makes, the pipeline itself cannot read again.

Source:
    NIST SP 800-38D (AES-GCM); RFC 7748 (X25519); RFC 5869 (HKDF). The sealing is the usual
    ephemeral-static scheme (as in RFC 9180, base mode), with the library's own primitives.
"""

import hmac
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tracerless.core.errors import VaultError
from tracerless.io.atomic import PARTIAL_PREFIX, disk_errors

_MAGIC = b"TRLV2\0"
_NONCE_BYTES = 12
PUBLIC_BYTES = 32
"""Length of an X25519 public key."""


def subkey(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose inside the vault."""
    return hmac.digest(secret, b"tracerless/vault/" + purpose.encode(), "sha256")


def write(path: Path, key: bytes, content: bytes) -> None:
    """Encrypt and write, or leave the old file as it was."""
    write_private(path, lock(key, content, b""))


def read(path: Path, key: bytes) -> bytes | None:
    """Decrypt; None when there is no file.

    Raises:
        VaultError: the file was changed, or is sealed with another key.
    """
    if not path.is_file():
        return None
    content = unlock(key, path.read_bytes(), b"")
    if content is None:
        raise VaultError(
            f"{path} is damaged or belongs to another vault.",
            hint="Restore the vault from a backup.",
        )
    return content


def lock(key: bytes, content: bytes, bound_to: bytes) -> bytes:
    """Encrypt; ``bound_to`` stays in the open elsewhere, and cannot be changed unnoticed."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _MAGIC + nonce + AESGCM(key).encrypt(nonce, content, _MAGIC + bound_to)


def unlock(key: bytes, locked: bytes, bound_to: bytes) -> bytes | None:
    """Decrypt; None when the key is another, or anything was changed."""
    body = locked.removeprefix(_MAGIC)
    try:
        return AESGCM(key).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _MAGIC + bound_to)
    except (InvalidTag, ValueError):
        return None


def seal(public: bytes, content: bytes, bound_to: bytes) -> bytes:
    """Encrypt for the holder of the opener's private key; nobody else can undo it.

    Args:
        public: the opener's X25519 public key, 32 bytes.
        content: what only the opener may read.
        bound_to: says what the record is and whose; another one does not decrypt it.
    """
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    own = ephemeral.public_key().public_bytes_raw()
    return own + lock(_sealing_key(shared, own, public), content, bound_to)


def unseal(private: X25519PrivateKey, sealed: bytes, bound_to: bytes) -> bytes | None:
    """Undo `seal`; None when the key is another, or anything was changed."""
    if len(sealed) <= PUBLIC_BYTES:
        return None
    theirs = sealed[:PUBLIC_BYTES]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError:  # a point of low order, which no honest sender makes
        return None
    key = _sealing_key(shared, theirs, private.public_key().public_bytes_raw())
    return unlock(key, sealed[PUBLIC_BYTES:], bound_to)


def _sealing_key(shared: bytes, ephemeral: bytes, opener: bytes) -> bytes:
    derived = HKDF(SHA256(), 32, salt=ephemeral + opener, info=b"tracerless/opener")
    return derived.derive(shared)


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
