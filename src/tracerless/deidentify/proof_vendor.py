"""Vendors' numbers that measurements hang on: scale factors and labels of Philips, GE and Siemens.

Read by creator, whatever block they lie in, and whatever an archive made of their type.
"""

import math
import struct
from collections.abc import Mapping
from typing import NamedTuple

from tracerless.deidentify.proof_scan import Element, Level

_SIZES = {"FL": "f", "FD": "d", "SL": "l", "US": "H"}
_TEXTS = frozenset({"DS", "IS"})


class Field(NamedTuple):
    """A vendor's number: its place and its type."""

    group: int
    creator: str
    offset: int
    vr: str

    @property
    def name(self) -> str:
        """How a fact is called."""
        return f"vendor:{self.group:04X}:{self.creator}:{self.offset:02X}"


FIELDS = (
    Field(0x2005, "Philips MR Imaging DD 001", 0x0D, "FL"),
    Field(0x2005, "Philips MR Imaging DD 001", 0x0E, "FL"),
    Field(0x2001, "Philips Imaging DD 001", 0x08, "IS"),
    Field(0x7053, "Philips PET Private Group", 0x00, "DS"),
    Field(0x7053, "Philips PET Private Group", 0x09, "DS"),
    Field(0x0043, "GEMS_PARM_01", 0xA5, "IS"),
    Field(0x0057, "SIEMENS MED NM", 0x02, "FL"),
    Field(0x0057, "SIEMENS MED NM", 0x06, "FL"),
    Field(0x0057, "SIEMENS MED NM", 0x07, "FL"),
)
"""Scale and intercept, phase (label or control), SUV and activity factors, label duration."""


def vendor_numbers(header: Level) -> dict[str, list[float]]:
    """The numbers of ``FIELDS`` that a header holds at its top, by name."""
    places = blocks(header)
    found = {}
    for field in FIELDS:
        element = private(header, places, (field.group, field.creator, field.offset))
        numbers = None if element is None else _numbers(element, field.vr)
        if numbers:
            found[field.name] = numbers
    return found


def blocks(level: Level) -> dict[tuple[int, str], int]:
    """Where the private blocks of a level lie: number of the block by group and creator."""
    return {
        (tag >> 16, element.text.strip()): tag & 0xFF
        for tag, element in level.items()
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
    }


def private(
    level: Level, places: Mapping[tuple[int, str], int], field: tuple[int, str, int]
) -> Element | None:
    """A vendor's field: group, creator and offset; None when it is not there."""
    group, creator, offset = field
    block = places.get((group, creator))
    return None if block is None else level.get(group << 16 | block << 8 | offset)


def _numbers(element: Element, vr: str) -> list[float] | None:
    """Its numbers, when it is of that type or of none; a type of another kind does not cross."""
    if element.vr not in {vr, "UN"}:
        return None
    try:
        if vr in _TEXTS:
            text = element.raw.rstrip(b"\0 ").decode("ascii")
            numbers = [float(each) for each in text.split("\\")]
        else:
            kind = _SIZES[vr]
            n = len(element.raw) // struct.calcsize(kind)
            numbers = list(map(float, struct.unpack(f"<{n}{kind}", element.raw)))
    except (ValueError, struct.error):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
