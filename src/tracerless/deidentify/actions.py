"""The words of a policy: what can happen to an attribute, and the rows that order it."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What happens to one attribute."""

    KEEP = "keep"
    """The value crosses; inside a sequence every attribute is judged again."""
    REMOVE = "remove"
    """The attribute goes."""
    EMPTY = "empty"
    """The attribute stays without a value: its object requires it (Type 2)."""
    HASH_UID = "hash_uid"
    """The UID becomes its keyed digest."""
    PSEUDONYM = "pseudonym"
    """The pseudonym takes the place of the value."""
    SHIFT = "shift"
    """The date moves by the whole days of its person; the time of day stays."""
    YEAR = "year"
    """Of the date only the year stays: it becomes the first of January."""
    CLEAN = "clean"
    """Of the text only the words of the policy's vocabulary stay."""
    DUMMY = "dummy"
    """A fixed value of the same type: the object requires one (Type 1)."""
    CAP_AGE = "cap_age"
    """An age above the cap becomes the cap: so few people are older that age finds them."""


class Dates(StrEnum):
    """What a policy does to dates that it lets cross."""

    KEEP = "keep"
    SHIFT = "shift"
    YEAR = "year"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to ``tag``, why, and which part of the policy says so.

    ``required`` is ``1`` or ``2`` where the object cannot be without the attribute (its type).

    ``origin`` is ``seed``, ``E.1-1`` with its code and the options that changed it, ``technical``
    (a technical list), or ``profile`` (a row of the profile's own).
    """

    tag: int
    keyword: str
    action: Action
    reason_en: str
    reason_zh: str = ""
    origin: str = ""
    required: str = ""


@dataclass(frozen=True, slots=True)
class PrivateRule:
    """A vendor's field that crosses: matched by creator, never by the block it lies in.

    ``values`` closes the vocabulary of a coded field; numeric fields leave it empty. Of a sequence
    (``vr`` SQ) only the vendor fields inside that have rules of their own cross.
    """

    group: int
    creator: str
    offset: int
    vr: str
    keyword: str
    values: tuple[str, ...]
    reason_en: str
    reason_zh: str = ""
