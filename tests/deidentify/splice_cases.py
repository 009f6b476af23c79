"""Files written byte by byte, so that they can hold what no writer would write; and both ways."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deid_cases import MR, UID_ROOT
from hypothesis import strategies as st
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from tracerless.core.volume import Contrast
from tracerless.deidentify import (
    CleanIdentity,
    CleanInstance,
    Keys,
    Profile,
    Refusal,
    instance,
    splice,
    to_bytes,
)
from tracerless.deidentify.keys import pseudonym
from tracerless.io import dicom_read, profiles

NAMES = ("seed", "seed-strict", "ps315-basic", "research", "safe-harbor")
PROFILES = {name: Profile.parse(name, profiles.read(name)) for name in NAMES}
KEYS = Keys.from_secret(b"\x01" * 32)
PERSON = CleanIdentity(pseudonym(KEYS.person, "A123456789"), "01", shift_days=-77)
OTHER = CleanIdentity(pseudonym(KEYS.person, "B987654321"), "01", shift_days=-1234)

LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
UNDEFINED = 0xFFFFFFFF

Value = bytes | list[list["Cell"]]


@dataclass(frozen=True)
class Cell:
    """One element: value bytes, or the items of a sequence, each a list of cells."""

    tag: int
    vr: str
    value: Value
    is_open: bool = False


def written(cells: Sequence[Cell], *, implicit: bool) -> bytes:
    """Elements in order of their tags; the first of two with one tag."""
    first = {cell.tag: cell for cell in reversed(cells)}
    return b"".join(_one(first[tag], implicit=implicit) for tag in sorted(first))


def _one(cell: Cell, *, implicit: bool) -> bytes:
    value = cell.value
    if isinstance(value, list):
        value = b"".join(_item(item, cell.is_open, implicit=implicit) for item in value)
        value += b"\xfe\xff\xdd\xe0\0\0\0\0" if cell.is_open else b""
    length = UNDEFINED if cell.is_open and isinstance(cell.value, list) else len(value)
    head = struct.pack("<HH", cell.tag >> 16, cell.tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<L", length) + value
    if cell.vr in LONG:
        return head + cell.vr.encode() + b"\0\0" + struct.pack("<L", length) + value
    return head + cell.vr.encode() + struct.pack("<H", len(value) & 0xFFFF) + value


def _item(cells: list[Cell], is_open: bool, *, implicit: bool) -> bytes:
    content = written(cells, implicit=implicit)
    if is_open:
        return b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + content + b"\xfe\xff\x0d\xe0\0\0\0\0"
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(content)) + content


def whole(cells: Sequence[Cell], *, implicit: bool, preamble: bytes = b"\0" * 128) -> bytes:
    """A file: preamble, file meta, elements."""
    syntax = b"1.2.840.10008.1.2\0" if implicit else b"1.2.840.10008.1.2.1\0"
    meta = written(
        [
            Cell(0x00020001, "OB", b"\0\1"),
            Cell(0x00020002, "UI", MR.encode() + b"\0"),
            Cell(0x00020003, "UI", f"{UID_ROOT}1.1".encode()),
            Cell(0x00020010, "UI", syntax),
            Cell(0x00020016, "AE", b"PLANTEDAET"),
        ],
        implicit=False,
    )
    group = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(meta))
    return preamble + b"DICM" + group + meta + written(cells, implicit=implicit)


def padded(text: str, vr: str = "LO", encoding: str = "latin-1") -> bytes:
    content = text.encode(encoding, "replace")
    return content + (b"\0" if vr == "UI" else b" ") * (len(content) % 2)


def base(index: int = 1, sop_class: str = MR) -> list[Cell]:
    """The elements that every instance needs."""
    number = struct.Struct("<H").pack
    uids = {0x00080016: sop_class, 0x00080018: f"{UID_ROOT}1.{index}", 0x0020000D: f"{UID_ROOT}2",
            0x0020000E: f"{UID_ROOT}3"}  # fmt: skip
    texts = {0x00080008: ("CS", "ORIGINAL\\PRIMARY\\M"), 0x00080060: ("CS", "MR"),
             0x00100010: ("PN", "Chen^Planted"), 0x00100020: ("LO", "A123456789"),
             0x00080020: ("DA", "20180503"), 0x00080050: ("SH", "77889900"),
             0x00200013: ("IS", str(index)), 0x00280004: ("CS", "MONOCHROME2")}  # fmt: skip
    sizes = {0x00280002: 1, 0x00280010: 4, 0x00280011: 6, 0x00280100: 16, 0x00280101: 16,
             0x00280102: 15, 0x00280103: index % 2}  # fmt: skip
    return [
        *(Cell(tag, "UI", padded(uid, "UI")) for tag, uid in uids.items()),
        *(Cell(tag, vr, padded(text)) for tag, (vr, text) in texts.items()),
        *(Cell(tag, "US", number(n)) for tag, n in sizes.items()),
        Cell(0x7FE00010, "OW", bytes(range(48))),
    ]


def outcome(content: bytes, folder: Path, profile: Profile) -> object:
    """What the slow way makes: bytes, counts and removed values; else what it says."""
    path = folder / "one.dcm"
    path.write_bytes(content)
    try:
        dataset = dicom_read.read(path, pixels=True)
        if isinstance(dataset, dicom_read.Rejection):
            return None
        made = instance(dataset, profile=profile, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
        if isinstance(made, CleanInstance):
            return to_bytes(made.dataset), made.audit.plain(), made.removed
    except (ValueError, TypeError, AttributeError, OSError, UserWarning, KeyError):
        return None
    return made


def spliced(
    content: bytes, profile: Profile, memo: splice.Memo, person: CleanIdentity = PERSON
) -> splice.Spliced | Refusal | None:
    return splice.instance(
        content, profile=profile, keys=KEYS, person=person, contrast=Contrast.T1W, memo=memo
    )


def agree(content: bytes, folder: Path, profile: Profile, memo: splice.Memo) -> bool:
    """Whether the fast way dared; asserts that it did nothing else than the slow way."""
    fast = spliced(content, profile, memo)
    if fast is None:
        return False
    slow = outcome(content, folder, profile)
    if isinstance(fast, Refusal):
        assert fast == slow
        return True
    assert isinstance(slow, tuple), "the slow way keeps it out"
    assert fast.audit.plain() == slow[1]
    assert fast.removed == slow[2]
    assert fast.content == slow[0]
    return True


TEXTS = (
    "", " ", "HEAD", "T1 MPRAGE", "Chen", "planted 77889900", "77889900", "77889900\\5",
    "0077889", "A123456789", "Dr. Wang", "AX",
    "20180503", "0912-345-678", "1.5", "-2.50e-3", "3\\4", " 7 ", "1\\\\2", "007", "abc", "1e999",
    "093000.25", "09:30", "20180503093000.5+0800", "2018", "19000101", "099Y", "045Y", "民國107年",
    "大文", "\x1b$B%d", "a\\b", "YES", "NONE", "DCM", "C-111A1", "FDG -- fluorodeoxyglucose",
    f"{UID_ROOT}77", "1.2.840.10008.1.2", "1.2.3\\1.2.840.10008.1.1", "x" * 70, "~`^=|", "1" * 40,
)  # fmt: skip
ENCODINGS = ("ascii", "latin-1", "utf-8", "big5", "gb18030")

CELLS = (
    0x00080000, 0x00080005, 0x00080008, 0x00080012, 0x00080021, 0x0008002A, 0x00080032, 0x00080070,
    0x00080080, 0x00080090, 0x00080100, 0x00080102, 0x00080104, 0x00081030, 0x0008103E, 0x00081090,
    0x00081115, 0x00081140, 0x00081150, 0x00081155, 0x00082112, 0x00082218, 0x00089007, 0x00089121,
    0x00100030, 0x00100040, 0x00101010, 0x00101030, 0x00102160, 0x00104000, 0x00120062, 0x00120063,
    0x00180015, 0x00180020, 0x00180050, 0x00180080, 0x00180081, 0x00181000, 0x00181020, 0x00181030,
    0x00181072, 0x00181078, 0x00181310, 0x00181314, 0x00189073, 0x00200010, 0x00200032, 0x00200037,
    0x00200052, 0x00200062, 0x00201041, 0x00204000, 0x00209056, 0x00209113, 0x00209157, 0x00209222,
    0x00280008, 0x00280030, 0x00280106, 0x00280107, 0x00280120, 0x00280301, 0x00281050, 0x00281052,
    0x00281053, 0x00281054, 0x00281055, 0x00283000, 0x00283002, 0x00283006, 0x00321060, 0x00324000,
    0x00400244, 0x00400253, 0x00400254, 0x00400275, 0x00400555, 0x00409096, 0x00409211, 0x00409216,
    0x00409224, 0x00409225, 0x00540016, 0x00540300, 0x00541001, 0x00880140, 0x04000561, 0x20500020,
    0x52009229, 0x52009230, 0x60000010, 0x60003000, 0x00100010, 0x00200013, 0x00280004,
    0x00080001, 0x00189999, 0x00081199, 0x00280103,
)  # fmt: skip
"""Attributes that are kept, changed, hashed, emptied or removed; some that do not exist."""

CREATORS = ("SIEMENS MR HEADER", "SIEMENS CSA HEADER", "GEMS_PARM_01", "Philips Imaging DD 001",
            "Philips MR Imaging DD 005", "PLANTED 1.0", "", "SIEMENS MR SDI 02")  # fmt: skip


@st.composite
def values(draw: st.DrawFn, vr: str) -> bytes:
    """Bytes as the type wants them, or any."""
    sizes = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "AT": 4, "OW": 2, "OB": 1}
    kind = draw(st.sampled_from(("right", "right", "right", "text", "any")))
    if kind == "any":
        return draw(st.binary(max_size=9))
    if kind == "right" and vr in sizes:
        return (
            draw(st.binary(min_size=0, max_size=3))[:0]
            + bytes(
                draw(st.lists(st.sampled_from((0, 0, 1, 65, 0x80, 0xF0)), min_size=0, max_size=3))
            )
            * sizes[vr]
        )
    text = draw(st.sampled_from(TEXTS))
    content = text.encode(draw(st.sampled_from(ENCODINGS)), "ignore")
    tail = draw(st.sampled_from((b" ", b"\0", b"  ", b""))) if len(content) % 2 else b""
    return content + tail


@st.composite
def cells(draw: st.DrawFn, depth: int = 0) -> list[Cell]:
    """A few elements of one level, vendor blocks and sequences among them."""
    found = [draw(_standard(depth)) for _ in range(draw(st.integers(0, 5)))]
    for _ in range(draw(st.integers(0, 2))):
        found += draw(_block(depth))
    return found


@st.composite
def _standard(draw: st.DrawFn, depth: int) -> Cell:
    tag = draw(st.sampled_from(CELLS))
    right = dictionary_VR(tag) if dictionary_has_tag(tag) else "LO"
    vr = draw(st.sampled_from([*right.split(" or ")] * 6 + ["UN", "LO", "DA", "OB"]))
    if vr == "SQ":
        return Cell(tag, vr, draw(_items(depth)), draw(st.booleans()))
    return Cell(tag, vr, draw(values(vr)))


@st.composite
def _items(draw: st.DrawFn, depth: int) -> list[list[Cell]]:
    if depth >= 3:
        return [[]] * draw(st.integers(0, 1))
    return [draw(cells(depth + 1)) for _ in range(draw(st.integers(0, 2)))]


@st.composite
def _block(draw: st.DrawFn, depth: int) -> list[Cell]:
    group = draw(st.sampled_from((0x0019, 0x0021, 0x0029, 0x0043, 0x2001, 0x2005))) << 16
    block = draw(st.sampled_from((0x10, 0x11, 0xE1)))
    found = []
    if draw(st.integers(0, 7)):
        name = padded(draw(st.sampled_from(CREATORS)))
        found.append(Cell(group | block, draw(st.sampled_from(("LO", "LO", "LO", "UN"))), name))
    for _ in range(draw(st.integers(0, 3))):
        offset = draw(st.sampled_from((0x0B, 0x0C, 0x0D, 0x0E, 0x10, 0x29, 0x39, 0xA3, 0xA5, 0xFE)))
        vr = draw(
            st.sampled_from(("DS", "IS", "CS", "FD", "FL", "US", "SL", "LO", "UN", "OB", "SQ"))
        )
        tag = group | block << 8 | offset
        if vr == "SQ":
            found.append(Cell(tag, vr, draw(_items(depth)), draw(st.booleans())))
        else:
            found.append(Cell(tag, vr, draw(values(vr))))
    return found
