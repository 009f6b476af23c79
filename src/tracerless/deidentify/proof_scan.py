"""A second pair of eyes: DICOM bytes as a tree of values, read without the code that wrote them.

Every byte of a file is accounted for: preamble, file meta, each value at each depth, pixels, and
whatever lies behind. Big-endian and deflated files are first rewritten by pydicom.
"""

import io
import logging
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.uid import ImplicitVRLittleEndian

from tracerless.core.errors import DicomError

PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
"""Float, double and integer pixels."""

PREAMBLE_BYTES = 128

MAX_DEPTH = 32

_LONG = {
    vr.encode(): vr
    for vr in ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
}
_TEXTS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UI")
_SHORT = {vr.encode(): vr for vr in (*_TEXTS, "AT", "FD", "FL", "SL", "SS", "UL", "US")}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_HEAD = struct.Struct("<HH2sH")
_TAG = struct.Struct("<HHL")
_LENGTH = struct.Struct("<L")
_REWRITTEN = frozenset({"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "SV": "q", "UV": "Q"}


@dataclass(slots=True)
class Element:
    """One attribute: ``raw`` is its value, or empty with ``items`` where it is a sequence.

    ``fragments`` are the pieces of encapsulated pixels, the offset table first.
    """

    tag: int
    vr: str
    raw: bytes = field(repr=False)
    items: Sequence["Level"] = field(default=(), repr=False)
    fragments: Sequence[bytes] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """Its value as text, numbers in decimal; several values are parted by a backslash."""
        kind = _NUMBERS.get(self.vr)
        if kind is not None:
            size = struct.calcsize("<" + kind)
            n = len(self.raw) // size
            return "\\".join(str(v) for v in struct.unpack(f"<{n}{kind}", self.raw[: n * size]))
        return self.raw.rstrip(b"\0 ").decode("latin-1")


Level = dict[int, Element]
"""One level of the tree, by tag; creators of private blocks are ordinary elements."""


@dataclass(slots=True)
class Tree:
    """A whole file, every byte of it.

    Args:
        preamble: its first 128 bytes; empty when it has none.
        meta: group 0002.
        body: the data set.
        repeats: values of tags that stand twice on one level, or out of order.
        trailing: what lies behind the last attribute.
    """

    preamble: bytes = field(repr=False)
    meta: Level
    body: Level = field(repr=False)
    repeats: list[bytes] = field(repr=False)
    trailing: bytes = field(repr=False)

    @property
    def syntax(self) -> str:
        """Transfer syntax UID; implicit little endian when none is stated."""
        element = self.meta.get(0x00020010)
        return element.text.strip() if element else str(ImplicitVRLittleEndian)


def scan(content: bytes) -> Tree:
    """The tree of a file's bytes.

    Raises:
        DicomError: the bytes are no DICOM, or break off within a value.
    """
    try:
        return _scan(content)
    except (struct.error, IndexError, RecursionError):
        raise DicomError("A file breaks off within a value, or is no DICOM.") from None


def level_of(dataset: pydicom.Dataset) -> Level:
    """The tree of a data set in memory, pixels left out.

    Raises:
        DicomError: it cannot be written, so nothing can be said of it.
    """
    bare = pydicom.Dataset({tag: dataset.get_item(tag) for tag in dataset.keys() - PIXELS})
    bare.set_original_encoding(*dataset.original_encoding)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            buffer = io.BytesIO()
            pydicom.dcmwrite(buffer, bare, implicit_vr=False, little_endian=True)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, NotImplementedError):
        raise DicomError("A data set holds a value that cannot be written.") from None
    reader = _Reader(buffer.getvalue(), is_explicit=True)
    return reader.level(0, len(reader.content), 0)[0]


def walk(level: Level, depth: int = 0) -> Iterator[tuple[Level, Element, int]]:
    """(level, element, depth) of everything, at any depth."""
    for element in level.values():
        yield level, element, depth
        for item in element.items:
            yield from walk(item, depth + 1)


def _scan(content: bytes) -> Tree:
    has_preamble = content[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM"
    preamble = content[:PREAMBLE_BYTES] if has_preamble else b""
    start = PREAMBLE_BYTES + 4 if has_preamble else 0
    head = _Reader(content, is_explicit=True)
    meta, start = head.level(start, len(content), 0, group=2)
    tree = Tree(preamble, meta, {}, head.repeats, b"")
    if tree.syntax in _REWRITTEN:
        return _rewritten(content, tree)
    is_explicit = (
        content[start + 4 : start + 6].isalpha() and content[start + 4 : start + 6].isupper()
    )
    if meta:
        is_explicit = tree.syntax != str(ImplicitVRLittleEndian)
    reader = _Reader(content, is_explicit=is_explicit)
    tree.body, end = reader.level(start, len(content), 0)
    tree.repeats += reader.repeats
    tree.trailing = content[end:]
    if not tree.body:
        raise DicomError("A file holds no attribute.")
    return tree


def _rewritten(content: bytes, tree: Tree) -> Tree:
    """The same through pydicom, for byte orders and packings that are not read here."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(content), force=True)
            body = level_of(dataset)
            for tag in PIXELS & dataset.keys():
                body[tag] = Element(tag, "OW", bytes(dataset[tag].value))
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, NotImplementedError):
        raise DicomError("A file in a rare byte order cannot be read.") from None
    return Tree(tree.preamble, tree.meta, body, tree.repeats, b"")


class _Reader:
    """Walks bytes in one encoding."""

    def __init__(self, content: bytes, *, is_explicit: bool) -> None:
        self.content = content
        self.is_explicit = is_explicit
        self.repeats: list[bytes] = []

    def level(self, at: int, end: int, depth: int, group: int = 0) -> tuple[Level, int]:
        """(elements, where they end): to ``end``, to an item's end, or out of ``group``."""
        if depth > MAX_DEPTH:
            raise RecursionError
        found: Level = {}
        last = -1
        while at + 8 <= end:
            high, low, vr, short = _HEAD.unpack_from(self.content, at)
            tag = high << 16 | low
            if tag == _ITEM_END:
                return found, at + 8
            if (group and high != group) or (tag < last and self._is_over(vr, depth)):
                return found, at
            name, length, at = self._head(tag, vr, short, at)
            element, at = self._value(tag, name, length, at, end, depth)
            if tag in found or tag < last:
                self.repeats.append(found[tag].raw if tag in found else element.raw)
            found[tag] = element
            last = tag
        return found, at

    def _is_over(self, vr: bytes, depth: int) -> bool:
        """Whether a tag out of order is none: something lies behind the last attribute."""
        return not depth and not (self.is_explicit and vr in {**_LONG, **_SHORT})

    def _value(
        self, tag: int, vr: str, length: int, at: int, end: int, depth: int
    ) -> tuple[Element, int]:
        """(the element whose value starts at ``at``, where the next one starts)."""
        if length != _UNDEFINED and vr != "SQ":
            stop = at + length
            if stop > end:
                raise IndexError
            return Element(tag, vr, self.content[at:stop]), stop
        if vr == "SQ" or tag not in PIXELS:
            items, at = self._items(at, end if length == _UNDEFINED else at + length, depth, vr)
            return Element(tag, "SQ", b"", items), at
        fragments, at = self._fragments(at)
        return Element(tag, vr, b"", fragments=fragments), at

    def _head(self, tag: int, vr: bytes, short: int, at: int) -> tuple[str, int, int]:
        """(type, length of the value, where it starts)."""
        if not self.is_explicit:
            return _implicit_vr(tag), _LENGTH.unpack_from(self.content, at + 4)[0], at + 8
        if vr in _LONG:
            return _LONG[vr], _LENGTH.unpack_from(self.content, at + 8)[0], at + 12
        return _SHORT.get(vr) or vr.decode("latin-1"), short, at + 8

    def _items(self, at: int, end: int, depth: int, vr: str) -> tuple[list[Level], int]:
        reader = self
        if vr == "UN" and self.is_explicit:  # PS3.5 6.2.2: implicit inside
            reader = _Reader(self.content, is_explicit=False)
            reader.repeats = self.repeats
        items: list[Level] = []
        while at + 8 <= end:
            high, low, length = _TAG.unpack_from(self.content, at)
            tag = high << 16 | low
            at += 8
            if tag == _SEQUENCE_END:
                return items, at
            if tag != _ITEM:
                raise IndexError
            stop = end if length == _UNDEFINED else at + length
            item, at = reader.level(at, stop, depth + 1)
            items.append(item)
        return items, at

    def _fragments(self, at: int) -> tuple[list[bytes], int]:
        fragments: list[bytes] = []
        while True:
            high, low, length = _TAG.unpack_from(self.content, at)
            at += 8
            if high << 16 | low != _ITEM:
                return fragments, at
            fragments.append(self.content[at : at + length])
            at += length


@lru_cache(maxsize=8192)
def _implicit_vr(tag: int) -> str:
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF < 0x100 else "UN"
    return dictionary_VR(tag)[:2] if dictionary_has_tag(tag) else "UN"
