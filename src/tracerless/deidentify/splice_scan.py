"""Where the elements of a DICOM file lie: tags and lengths alone, no value is looked at.

The scanner understands the usual and nothing else: explicit or implicit little endian, tags that
ascend, lengths that fit. Whatever else it meets, it says None, and the whole file goes another way.
"""

from struct import Struct

from pydicom.datadict import dictionary_has_tag, dictionary_VR

PIXELS = 0x7FE00010
UNDEFINED = 0xFFFFFFFF
MAX_DEPTH = 16
"""Sequences nested deeper than this are left to the reader that takes its time."""

ALONE = frozenset((0x00080005, 0x00280103, 0x00283006))
"""An item that holds a character set, the sign of pixels or the data of a lookup table is read
differently from its surroundings."""

Element = tuple[int, int, int, int]
"""(tag, where the element starts, where its value starts, where the element ends)."""

_EXPLICIT = Struct("<HH2sH").unpack_from
_IMPLICIT = Struct("<HHL").unpack_from
_LENGTH = Struct("<L").unpack_from
_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN"))
_LONG |= frozenset((b"UR", b"UT", b"UV"))
_SHORT = frozenset((b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO"))
_SHORT |= frozenset((b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"))

_SYNTAXES = (b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1\0")
"""Implicit and explicit little endian, as stored."""

_DELIMITERS = 0xFFFE
OPEN = b"\xff\xff\xff\xff"
"""The length of a value that its delimiter ends."""

ITEM = b"\xfe\xff\x00\xe0"
_ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


class UnusualError(Exception):
    """The bytes are not understood here; says nothing about whether they are right."""


def elements(content: bytes, place: int, end: int, *, implicit: bool, depth: int) -> list[Element]:
    """The elements of one level.

    Args:
        content: the file.
        place: where the first element starts.
        end: where the level must end; the pixel data element ends the top level before.
        implicit: whether types are left out.
        depth: 0 at the top.

    Raises:
        UnusualError: anything but ascending tags and fitting lengths.
    """
    found = []
    last = 0x00030000
    step = _implicit if implicit else _explicit
    while place < end:
        tag, value, stop = step(content, place)
        if tag <= last:
            raise UnusualError
        if tag >= 0x7FE00000 and depth == 0:
            if tag != PIXELS:
                raise UnusualError
            found.append((tag, place, value, stop))
            return found
        if stop == UNDEFINED:
            stop = sequence_end(content, value, end, implicit=implicit, depth=depth)
        if stop > end:
            raise UnusualError
        found.append((tag, place, value, stop))
        last, place = tag, stop
    if depth == 0:
        raise UnusualError
    return found


def header(content: bytes) -> tuple[list[Element], int, bool]:
    """(elements of the file meta, where the dataset starts, whether it leaves types out).

    Raises:
        UnusualError: no preamble, a file meta that is not as it must be, or a transfer syntax other
            than the two plain ones.
    """
    group, number, vr, length = _EXPLICIT(content, 132)
    if content[128:132] != b"DICM" or (group, number, vr, length) != (2, 0, b"UL", 4):
        raise UnusualError
    end = 144 + int(_LENGTH(content, 140)[0])
    place, last, syntax = 144, 0x00020000, None
    found = []
    while place < end:
        tag, value, stop = _explicit(content, place)
        if not last < tag < 0x00030000 or stop > end:
            raise UnusualError
        if tag == 0x00020010:
            syntax = content[value:stop]
        found.append((tag, place, value, stop))
        last, place = tag, stop
    if syntax not in _SYNTAXES or place != end or content[end : end + 2] == b"\x02\0":
        raise UnusualError
    implicit = syntax == _SYNTAXES[0]
    if looks_typed(content, end) == implicit:
        raise UnusualError
    return found, end, implicit


def looks_typed(content: bytes, place: int) -> bool:
    """Whether the reader would take an element for one that states its type."""
    sign, other = content[place + 4 : place + 6]
    return 0x40 < sign < 0x5B and 0x40 < other < 0x5B


def ends_well(content: bytes, place: int) -> bool:
    """Whether what follows the pixels can be left behind unread."""
    left = len(content) - place
    if left < 8:
        return True
    group, number = _EXPLICIT(content, place)[:2]
    return left >= 12 and (group << 16 | number) > PIXELS


def items(
    content: bytes, element: Element, *, implicit: bool, depth: int
) -> list[tuple[int, int, list[Element]]]:
    """(start of the content, its end, its elements) of every item of a sequence.

    Raises:
        UnusualError: as `elements`.
    """
    _, _, place, stop = element
    if depth >= MAX_DEPTH:
        raise UnusualError
    (length,) = _LENGTH(content, place - 4)
    end = stop - 8 if length == UNDEFINED else stop
    found = []
    while place < end:
        begin, place, closed = _item(content, place, end, implicit=implicit, depth=depth)
        inner = elements(content, begin, closed, implicit=implicit, depth=depth + 1)
        found.append((begin, closed, inner))
    if place != end:
        raise UnusualError
    return found


def explicit_element(content: bytes, place: int) -> Element:
    """The element of the top level that starts at ``place`` and states its type.

    Raises:
        UnusualError: as `elements`.
    """
    tag, value, stop = _explicit(content, place)
    if stop == UNDEFINED and tag != PIXELS:
        stop = sequence_end(content, value, len(content), implicit=False, depth=0)
    if stop > len(content) and tag != PIXELS:
        raise UnusualError
    return tag, place, value, stop


def implicit_element(content: bytes, place: int) -> Element:
    """The element of the top level that starts at ``place`` and leaves its type out.

    Raises:
        UnusualError: as `elements`.
    """
    tag, value, stop = _implicit(content, place)
    if stop == UNDEFINED:
        stop = sequence_end(content, value, len(content), implicit=True, depth=0)
    if stop > len(content) and tag != PIXELS:
        raise UnusualError
    return tag, place, value, stop


def sequence_end(content: bytes, place: int, end: int, *, implicit: bool, depth: int) -> int:
    """Where a sequence of undefined length ends, behind its delimiter.

    Raises:
        UnusualError: as `elements`.
    """
    if depth >= MAX_DEPTH:
        raise UnusualError
    while not content.startswith(_SEQUENCE_END, place):
        begin, after, closed = _item(content, place, end, implicit=implicit, depth=depth)
        if after != closed + 8:
            elements(content, begin, closed, implicit=implicit, depth=depth + 1)
        place = after
    return place + 8


def _item(
    content: bytes, place: int, end: int, *, implicit: bool, depth: int
) -> tuple[int, int, int]:
    """(start of the item's content, start of what follows the item, end of its content)."""
    if not content.startswith(ITEM, place) or place + 8 > end:
        raise UnusualError
    (length,) = _LENGTH(content, place + 4)
    begin = place + 8
    if length != UNDEFINED:
        if begin + length > end:
            raise UnusualError
        return begin, begin + length, begin + length
    closed = _item_end(content, begin, end, implicit=implicit, depth=depth)
    return begin, closed + 8, closed


def _item_end(content: bytes, place: int, end: int, *, implicit: bool, depth: int) -> int:
    step = _implicit if implicit else _explicit
    last = 0x00030000
    while not content.startswith(_ITEM_END, place):
        tag, value, stop = step(content, place)
        if stop == UNDEFINED:
            stop = sequence_end(content, value, end, implicit=implicit, depth=depth + 1)
        if stop > end or tag <= last:
            raise UnusualError
        last, place = tag, stop
    return place


def _explicit(content: bytes, place: int) -> tuple[int, int, int]:
    group, number, vr, length = _EXPLICIT(content, place)
    if vr in _SHORT:
        return group << 16 | number, place + 8, place + 8 + length
    if vr not in _LONG or length:
        raise UnusualError
    (length,) = _LENGTH(content, place + 8)
    if length != UNDEFINED:
        return group << 16 | number, place + 12, place + 12 + length
    if vr != b"SQ" and (group << 16 | number) != PIXELS:
        raise UnusualError
    return group << 16 | number, place + 12, UNDEFINED


def _implicit(content: bytes, place: int) -> tuple[int, int, int]:
    group, number, length = _IMPLICIT(content, place)
    tag = group << 16 | number
    if group == _DELIMITERS:
        raise UnusualError
    if length != UNDEFINED:
        return tag, place + 8, place + 8 + length
    named = dictionary_has_tag(tag)
    if (named and dictionary_VR(tag) != "SQ") or not content.startswith(ITEM, place + 8):
        raise UnusualError
    return tag, place + 8, UNDEFINED
