"""Who may open a vault: the designated opener, by name, with a reason and with the private key."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tracerless.core.errors import VaultError
from tracerless.io import openers
from tracerless.io.vault_key import VaultKey


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a vault stays closed: a word for the log, and the error for whoever asked."""

    why: str
    error: VaultError


_REFUSALS = {
    "no-name": ("no opener is named.", "Say who opens it: --opener NAME."),
    "no-reason": ("no reason is given.", "Say why: --reason TEXT."),
    "not-designated": ("that is not its designated opener.", "Ask the designated opener."),
    "wrong-key": ("the key given is not its opener's.", "Name the right file: --opener-key FILE."),
}


def opener_key(
    key: VaultKey, name: str, reason: str, *, pem: Path | None, passphrase: str
) -> X25519PrivateKey | Refused:
    """The opener's private key, or why the vault stays closed.

    Args:
        key: of the vault.
        name: of who asks.
        reason: why.
        pem: file of the private key; None takes it from the configuration folder.
        passphrase: of that file; empty takes it from the environment.
    """
    why = _why_not(key.opener, name, reason)
    if why:
        return _refused(why)
    try:
        private = openers.opener_key(pem or openers.opener_path(key.key_id), passphrase)
    except VaultError as error:
        return Refused("no-key", error)
    is_own = private.public_key().public_bytes_raw() == key.opener_public
    return private if is_own else _refused("wrong-key")


def _why_not(designated: str, name: str, reason: str) -> str:
    if not name:
        return "no-name"
    if not reason:
        return "no-reason"
    is_other = designated and name.casefold() != " ".join(designated.split()).casefold()
    return "not-designated" if is_other else ""


def _refused(why: str) -> Refused:
    text, hint = _REFUSALS[why]
    return Refused(why, VaultError(f"The vault stays closed: {text}", hint=hint))
