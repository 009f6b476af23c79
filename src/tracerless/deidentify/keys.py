"""Keyed digests: the same secret gives the same pseudonym and the same UID, another secret others.

Nothing here is ever unkeyed: a plain digest of a chart number can be undone by trying all of them.
"""

import hmac
from dataclasses import dataclass, field
from typing import Self

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym

ALPHABET = "123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""31 signs of Crockford's base 32: no I, L, O, U, and no 0; prime, so that checking is exact."""

FIRST = ALPHABET[9:]
"""A pseudonym starts with a letter, so that no table reads it as a number."""

LENGTH = 10
"""Signs of a pseudonym: a letter, eight more, and the check sign; about 2 * 10**13 of them."""

SECRET_BYTES = 32

IN_HOUSE = "inhouse"
"""The linkage domain of a hospital's own datasets."""

FURTHEST_DAYS = 3650
"""Dates move into the past by 1 to this many days."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One key per purpose, each derived from the vault's secret; the repr shows none of them."""

    uid: bytes = field(repr=False)
    person: bytes = field(repr=False)
    source: bytes = field(repr=False)
    date: bytes = field(repr=False)

    @classmethod
    def from_secret(cls, secret: bytes, domain: str = IN_HOUSE) -> Self:
        """Derive the keys.

        Args:
            secret: of the vault.
            domain: whom the pseudonyms are for; those of different domains cannot be linked.

        Raises:
            VaultError: the secret is shorter than ``SECRET_BYTES``.
        """
        if len(secret) < SECRET_BYTES:
            raise VaultError(f"A secret has at least {SECRET_BYTES} bytes, got {len(secret)}.")
        names = ("uid", "person", "source", "date")
        prefix = "" if domain == IN_HOUSE else f"{domain}/"
        return cls(**{name: derive(secret, prefix + name) for name in names})


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose; keys of different purposes tell nothing of each other."""
    return hmac.digest(secret, b"tracerless/1/" + purpose.encode(), "sha256")


def hash_uid(key: bytes, uid: str) -> str:
    """The UID that stands for ``uid`` past the border: equal in, equal out.

    Source: DICOM PS3.5 B.2 (a UUID under 2.25, at most 44 signs); RFC 9562 section 5.8 (version 8).
    """
    number = int.from_bytes(hmac.digest(key, b"uid\0" + uid.encode(), "sha256")[:16], "big")
    number &= ~(0xF << 76) & ~(0x3 << 62)
    return f"2.25.{number | (0x8 << 76) | (0x2 << 62)}"


def pseudonym(key: bytes, person: str) -> Pseudonym:
    """The pseudonym of a person: ten signs, the last of which checks the others."""
    number = int.from_bytes(hmac.digest(key, b"person\0" + person.encode(), "sha256"), "big")
    number, first = divmod(number, len(FIRST))
    signs = [FIRST[first]]
    for _ in range(LENGTH - 2):
        number, digit = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[digit])
    body = "".join(signs)
    return Pseudonym(body + check_sign(body))


def shift_days(key: bytes, person: Pseudonym) -> int:
    """By how many whole days the dates of a person move: -1 to -``FURTHEST_DAYS``, never 0."""
    digest = hmac.digest(key, b"days\0" + str(person).encode(), "sha256")
    return -1 - int.from_bytes(digest, "big") % FURTHEST_DAYS


def check_sign(body: str) -> str:
    """The last sign of a pseudonym: any one sign changed, or two signs swapped, gives another."""
    total = sum(weight * ALPHABET.index(sign) for weight, sign in enumerate(body, start=2))
    return ALPHABET[total % len(ALPHABET)]


def is_pseudonym(text: str) -> bool:
    """Whether the text can be a pseudonym: its signs, its length, and its check sign."""
    known = len(text) == LENGTH and text[0] in FIRST and set(text) <= set(ALPHABET)
    return known and check_sign(text[:-1]) == text[-1]


def source_digest(key: bytes, *parts: str) -> str:
    """A digest of 24 hexadecimal digits that knows a source again and says nothing about it."""
    text = "\x1f".join(parts)
    return hmac.digest(key, b"source\0" + text.encode(), "sha256").hex()[:24]
