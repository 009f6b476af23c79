"""Whether a value is of the type that its attribute declares: a date field can hide a name."""

import re

from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue

_SHAPES = {
    "AS": re.compile(r"(\d{3}[DWMY])?"),
    "CS": re.compile(r"[A-Za-z0-9 _.+/\-]{0,16}"),
    "DA": re.compile(r"(\d{8}|\d{4}\.\d{2}\.\d{2})?"),
    "DS": re.compile(r"([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)?"),
    "DT": re.compile(r"(\d{4,14}(\.\d{1,6})?([+-]\d{4})?)?"),
    "IS": re.compile(r"([+-]?\d+)?"),
    "TM": re.compile(r"(\d{2,6}(\.\d{1,6})?|\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?"),
    "UI": re.compile(r"[0-9.]{0,64}"),
}

TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT", "AE", "UR"})
"""Types that hold text typed by people."""

_BINARY_VRS = frozenset(
    {"AT", "FL", "FD", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV"}
    | {"OB or OW", "US or OW", "US or SS", "US or SS or OW"}
)


def fits(tag: int, vr: str, value: object) -> bool:
    """Whether the value is what the dictionary says the attribute holds.

    A file states its own types, so a date can be declared to be text and hold a name: then it has
    to look like a date all the same.
    """
    expected = dictionary_VR(tag)
    same_kind = vr in expected.split(" or ") or {vr, expected} <= TEXT_VRS or vr == expected
    if same_kind or ({vr, *expected.split(" or ")} <= _BINARY_VRS):
        return conforms(vr, value)
    return expected in _SHAPES and not isinstance(value, bytes) and conforms(expected, value)


def conforms(vr: str, value: object) -> bool:
    """Whether every value has the shape of its value representation; text always has.

    Source: DICOM PS3.5 table 6.2-1. Deviates: CS may hold small letters and ``.+/-`` (vendors
    write them), DA the dots and TM the colons of the older standard.
    """
    if vr in TEXT_VRS or vr in _BINARY_VRS:
        return True
    shape = _SHAPES.get(vr)
    if shape is None:
        return False
    many = value if isinstance(value, MultiValue) else [value]
    return all(each is None or shape.fullmatch(str(each).strip()) is not None for each in many)
