"""Values so plain that their bytes alone tell what becomes of them.

Every answer here is what `Walk` would answer, and only given where the bytes leave no doubt; the
tests hold the two against each other.
"""

import functools
import math
import re
import struct
from dataclasses import dataclass

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from tracerless.deidentify.actions import Action, Rule
from tracerless.deidentify.change import changed
from tracerless.deidentify.keys import hash_uid
from tracerless.deidentify.removed import Removed, is_public_uid
from tracerless.deidentify.splice_judge import NOTHING
from tracerless.deidentify.walk import Walk

Answer = tuple[bytes, str, frozenset[Removed]]
"""(the value that is written, what was done, what does not cross)."""

_NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?"
_WHOLE = rb"[+-]?\d{1,9}"
_SHAPES = {
    b"DS": re.compile(_NUMBER + rb"(?:\\" + _NUMBER + rb")* ?"),
    b"IS": re.compile(_WHOLE + rb"(?:\\" + _WHOLE + rb")* ?"),
    b"TM": re.compile(rb"\d{6}(?:\.\d{1,6})? ?"),
    b"DA": re.compile(rb"\d{8}"),
    b"DT": re.compile(rb"\d{14}(?:\.\d{1,6})? ?"),
}
_SIZES = {b"US": 2, b"SS": 2, b"UL": 4, b"SL": 4}
_FLOATS = {b"FL": "f", b"FD": "d"}
_LONG_NUMBER = re.compile(rb"(?<![\d.eE+\-])\d{6,}(?![\d.eE])")
_UID = re.compile(rb"[0-9.]{1,64}\0?")
_TABLES = frozenset((0x00281101, 0x00281102, 0x00281103, 0x00283002))
"""Descriptors of lookup tables: their first number is read in a way of its own."""


def head(tag: int, vr: bytes, length: int) -> bytes:
    """The head of an element of a short type, explicit little endian."""
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, length)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is ordered for one tag: its rule, its type by the dictionary, and its keyword."""

    tag: int
    action: Action
    vr: bytes
    vrs: tuple[bytes, ...]
    keyword: str
    is_sequence: bool


@functools.lru_cache(maxsize=1 << 14)
def plan_of(tag: int, rule: Rule | None) -> Plan:
    """The plan for a standard tag; unlisted ones go."""
    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
    action = rule.action if rule else Action.REMOVE
    vrs = tuple(each.encode() for each in vr.split(" or "))
    keyword = keyword_for_tag(tag) or "unknown"
    return Plan(tag, action, vr.encode(), vrs, keyword, vr == "SQ" and action is Action.KEEP)


def answer(plan: Plan, vr: bytes, value: bytes, walk: Walk) -> Answer | None:
    """What becomes of a plain value; None when that takes a closer look.

    Args:
        plan: for its tag.
        vr: as the file states it, or the dictionary where the file does not.
        value: as stored, padded to even length.
        walk: for the keys and the person; nothing is counted in it.
    """
    if vr not in plan.vrs or not value:
        return None
    if vr == b"UI" and plan.action in (Action.KEEP, Action.HASH_UID):
        return _uid(plan, value, walk)
    if plan.action not in (Action.KEEP, Action.SHIFT) or not is_plain(plan.tag, vr, value):
        return None
    if vr in (b"DS", b"IS") and _LONG_NUMBER.search(value):
        return None  # may be a chart number
    if plan.action is Action.KEEP:
        return value, Action.KEEP, NOTHING
    return _moved(plan, value, walk) if vr in (b"DA", b"DT") else None


def is_plain(tag: int, vr: bytes, value: bytes) -> bool:
    """Whether the value reads and writes as itself, whatever the rest of the file says."""
    if len(value) % 2 or not value:
        return False
    shape = _SHAPES.get(vr)
    if shape is not None:
        return shape.fullmatch(value) is not None
    size = _SIZES.get(vr)
    if size is not None:
        return not len(value) % size and tag not in _TABLES
    sign = _FLOATS.get(vr)
    if sign is None or len(value) % struct.calcsize(sign):
        return False
    numbers = struct.unpack(f"<{len(value) // struct.calcsize(sign)}{sign}", value)
    return all(map(math.isfinite, numbers))


def _uid(plan: Plan, value: bytes, walk: Walk) -> Answer | None:
    if _UID.fullmatch(value) is None or len(value) % 2:
        return None
    uid = value.rstrip(b"\0").decode("ascii")
    if is_public_uid(uid):
        return value, Action.KEEP, NOTHING
    new = hash_uid(walk.keys.uid, uid).encode("ascii")
    return new + b"\0" * (len(new) % 2), Action.HASH_UID, frozenset(((plan.keyword, uid),))


def _moved(plan: Plan, value: bytes, walk: Walk) -> Answer | None:
    old = value.rstrip(b" ").decode("ascii")
    new = changed(old, Action.SHIFT, walk.profile, walk.person, walk.known)
    if not new or new == old:
        return None
    return (
        (new + " " * (len(new) % 2)).encode("ascii"),
        Action.SHIFT,
        frozenset(((plan.keyword, old),)),
    )
