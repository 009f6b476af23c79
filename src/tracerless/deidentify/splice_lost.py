"""What of the bytes that do not cross is text, so that it can be looked for afterwards.

The same answers as `removed` gives for whole datasets. Most of what goes is plain: numbers, bytes,
UIDs, ASCII text; the rest is read by the reader, once.
"""

import re
from collections.abc import Mapping

from pydicom.datadict import (
    dictionary_has_tag,
    dictionary_VR,
    keyword_for_tag,
    private_dictionary_VR,
)

from tracerless.deidentify import removed
from tracerless.deidentify.removed import LONGEST, Removed, is_public_uid
from tracerless.deidentify.splice_fast import is_plain
from tracerless.deidentify.splice_judge import NOTHING, hush, parsed
from tracerless.deidentify.splice_scan import ALONE, OPEN, Element, UnusualError, items

Lost = frozenset[Removed]

MOST = 8000
LONGEST_PIECE = 1 << 13
"""Answers that are remembered at a time, and bytes of a piece that is remembered."""
_SIZES = {b"US": 2, b"SS": 2, b"UL": 4, b"SL": 4, b"FL": 4, b"FD": 8}
_SIZES |= dict.fromkeys((b"OD", b"OF", b"OL", b"OV", b"OW"), 1)
_STRINGS = frozenset((b"DS", b"IS", b"TM"))
_WORDS = frozenset((b"LO", b"SH", b"ST", b"LT", b"UT", b"UC"))
_ASCII = re.compile(rb"[\x20-\x5b\x5d-\x7d]+\0?")
_CODED = re.compile(rb"[\x20-\x7e]+\0?")
_UID = re.compile(rb"[0-9.]{1,64}\0?")


class Loss:
    """Answers for files of one character set and sign of pixels.

    Args:
        around: encoded character set and sign of pixels, by tag.
        implicit: whether types are left out.
    """

    def __init__(self, around: Mapping[int, bytes], *, implicit: bool) -> None:
        self._around, self._implicit = around, implicit
        self._memo: dict[bytes, Lost | None] = {}
        self._types: dict[tuple[bytes, int], bytes] = {}
        self._creators: dict[bytes, str] = {}
        self._fields: dict[tuple[bytes, int, bytes], tuple[bytes, str, bytes]] = {}

    def standard(self, content: bytes, element: Element, depth: int) -> Lost | None:
        """What a standard attribute held; None when the reader leaves it out, as if absent.

        Raises:
            UnusualError: it cannot be read here.
        """
        tag, start, _, _ = element
        vr = _standard(tag) if self._implicit else content[start + 4 : start + 6]
        if vr == b"UN":
            vr = b""  # the reader knows better
        if self._implicit and content.startswith(OPEN, start + 4):
            vr = b"SQ"
        return self._of(content, element, (vr, keyword_for_tag(tag) or "unknown", b""), depth)

    def vendor(self, content: bytes, element: Element, holder: bytes, depth: int) -> Lost | None:
        """What a vendor field held; None when the reader leaves it out, as if absent.

        Args:
            content: the file.
            element: of the field.
            holder: encoded name of its creator; empty when it has none.
            depth: of the level it lies in.

        Raises:
            UnusualError: it cannot be read here.
        """
        tag, start, _, _ = element
        stated = content[start + 4 : start + 6]
        if self._implicit:
            stated = b"SQ" if content.startswith(OPEN, start + 4) else b"UN"
        what = self._fields.get((holder, tag, stated))
        if what is None:
            vr = self.type(tag, holder) if stated == b"UN" else stated
            name = f"private:{tag >> 16:04X}:{self.creator(holder)}:{tag & 0xFF:02X}"
            what = self._fields[holder, tag, stated] = (vr, name, holder)
        return self._of(content, element, what, depth)

    def _of(
        self, content: bytes, element: Element, what: tuple[bytes, str, bytes], depth: int
    ) -> Lost | None:
        tag, start, value, stop = element
        vr, name, holder = what
        if vr == b"SQ":
            found = self._sequence(content, element, depth)
        else:
            found = self._plain(tag, vr, name, content[value:stop])
        if found is not None:
            return found
        raw = holder + content[start:stop]
        if raw in self._memo:
            return self._memo[raw]
        lost = self._read(raw, tag, name, depth)
        self._keep(raw, lost)
        return lost

    def _plain(self, tag: int, vr: bytes, name: str, value: bytes) -> Lost | None:
        size = _SIZES.get(vr)
        is_number = size is not None and not len(value) % size
        if not value or is_number or (vr in _STRINGS and is_plain(tag, vr, value)):
            return NOTHING
        if vr in (b"OB", b"UN"):
            return frozenset(removed.hidden(value, name))
        return _said(vr, name, value)

    def _sequence(self, content: bytes, element: Element, depth: int) -> Lost | None:
        raw = content[element[1] : element[3]]
        known = self._memo.get(raw)
        if known is not None:
            return known
        try:
            inner = items(content, element, implicit=self._implicit, depth=depth)
        except UnusualError:
            return None
        if any(each[0] in ALONE for _, _, found in inner for each in found):
            return None
        lost = NOTHING.union(*[self.level(content, found, depth + 1) for _, _, found in inner])
        self._keep(raw, lost)
        return lost

    def level(self, content: bytes, found: list[Element], depth: int) -> Lost:
        """What the elements of a level held that goes as a whole.

        Raises:
            UnusualError: it cannot be read here.
        """
        holders = {tag: content[a:b] for tag, a, _, b in found if _is_holder(tag)}
        lost: list[Lost | None] = []
        for element in found:
            tag = element[0]
            if tag & 0x10000:
                group, number = tag & 0xFFFF0000, tag & 0xFFFF
                holder = holders.get(group | number >> 8, b"") if number >= 0x1000 else b""
                lost.append(self.vendor(content, element, holder, depth))
            else:
                lost.append(self.standard(content, element, depth))
        return NOTHING.union(*filter(None, lost))

    def _read(self, raw: bytes, tag: int, name: str, depth: int) -> Lost | None:
        around = {at: held for at, held in self._around.items() if at != tag}
        dataset = parsed(raw, around, implicit=self._implicit, depth=depth)
        if tag not in dataset:
            return None
        with hush():
            return frozenset(removed.values(dataset[tag], name))

    def type(self, tag: int, holder: bytes) -> bytes:
        """The type that the reader gives to a vendor field that states none."""
        found = self._types.get((holder, tag))
        if found is None:
            found = b"LO" if _is_holder(tag) else b"UN"
            if found == b"UN" and holder:
                try:
                    found = private_dictionary_VR(tag, self.creator(holder)).encode()
                except KeyError:
                    found = b"UN"
            self._types[holder, tag] = found
        return found

    def creator(self, holder: bytes) -> str:
        """The name that an encoded creator states; empty for none."""
        found = self._creators.get(holder)
        if found is None:
            found = ""
            if holder:
                dataset = parsed(holder, self._around, implicit=self._implicit)
                found = next((str(element.value) for element in dataset), "")
            self._creators[holder] = found
        return found

    def _keep(self, raw: bytes, lost: Lost | None) -> None:
        if len(raw) > LONGEST_PIECE:
            return
        if len(self._memo) >= MOST:
            self._memo.clear()
        self._memo[raw] = lost


def _is_holder(tag: int) -> bool:
    """Whether the element names the creator of a block of vendor fields."""
    return bool(tag & 0x10000) and 0x10 <= tag & 0xFFFF <= 0xFF


def _standard(tag: int) -> bytes:
    return dictionary_VR(tag).encode() if dictionary_has_tag(tag) else b""


def _said(vr: bytes, name: str, value: bytes) -> Lost | None:
    """What a value of plain signs says; None when it holds others."""
    if vr == b"CS" and _CODED.fullmatch(value):
        return NOTHING
    if vr == b"UI" and _UID.fullmatch(value):
        uid = value.rstrip(b"\0").decode("ascii")
        return NOTHING if is_public_uid(uid) else frozenset(((name, uid),))
    if vr in _WORDS and _ASCII.fullmatch(value):
        text = value.rstrip(b"\0 ").decode("ascii").strip()
        return frozenset(((name, text[:LONGEST]),)) if text else NOTHING
    return None
