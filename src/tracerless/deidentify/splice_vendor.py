"""Vendor fields by their bytes: the allowed ones written, of the others what they held.

What becomes of a field hangs on the names of creators in its group and on its own bytes, so that
is what an answer is remembered by.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tracerless.deidentify.private import MOSAIC
from tracerless.deidentify.profile import PrivateRule, Profile
from tracerless.deidentify.splice_fast import head, is_plain
from tracerless.deidentify.splice_judge import NOTHING, Counts, Part, split
from tracerless.deidentify.splice_lost import Loss
from tracerless.deidentify.splice_scan import (
    ALONE,
    ITEM,
    OPEN,
    Element,
    UnusualError,
    items,
)

LONGEST = 1 << 13
MOST = 8000
"""Fields of more bytes are not remembered, and no more than this many at a time."""

Judge = Callable[[bytes, int], Part]
Wanted = dict[int, tuple[PrivateRule, bytes] | None]
"""By number in the group: the rule and the written creator; None where a closer look is due."""

Field = tuple[tuple[tuple[int, bytes], ...], Counts, frozenset[tuple[str, str]]]
"""(what is written, by tag; what was done; what does not cross)."""

GONE: Counts = ((("remove", "private"), 1),)
"""What is done to a field that no rule lists."""
_UNLISTED = (PrivateRule(0, "", 0, "SQ", "", (), ""), b"")
_NUMBERS = frozenset((b"FL", b"FD", b"US", b"SS", b"UL", b"SL"))
_TEXTS = frozenset((b"DS", b"IS"))


@dataclass(frozen=True, slots=True)
class Frame:
    """The creators of one group.

    Args:
        names: encoded elements below the first block, by number in the group.
        heads: all of them.
        wanted: the fields that rules list.
    """

    names: dict[int, bytes]
    heads: bytes
    wanted: Wanted


def gone(lost: frozenset[tuple[str, str]] | None) -> Part:
    """The part for a field that no rule lists; None stands for one that the reader leaves out."""
    return (b"", (), NOTHING) if lost is None else (b"", GONE, lost)


class Vendor:
    """Answers of one scope for vendor fields."""

    def __init__(self, judge: Judge, loss: Loss, profile: Profile, *, implicit: bool) -> None:
        self._judge, self._loss, self._implicit = judge, loss, implicit
        self._rules = profile.private
        self._wanted: dict[bytes, Wanted] = {}
        self._memo: dict[tuple[bytes, bytes, bool], Field] = {}

    def frame(self, content: bytes, found: list[Element]) -> Frame:
        """What the answers for the fields of one group hang on.

        Args:
            content: the file.
            found: all elements of the group.

        Raises:
            UnusualError: a creator cannot be read here.
        """
        names = {tag & 0xFFFF: content[a:b] for tag, a, _, b in found if tag & 0xFFFF < 0x1000}
        heads = b"".join(names.values())
        wanted = self._wanted.get(heads)
        if wanted is None:
            wanted = self._wanted[heads] = self._rules_for(found[0][0] >> 16, names)
        return Frame(names, heads, wanted)

    def group(self, content: bytes, found: list[Element], depth: int) -> list[Part]:
        """What becomes of the vendor fields of one group of a level.

        Args:
            content: the file.
            found: all elements of the group.
            depth: of the level.

        Raises:
            UnusualError: one of them cannot be judged here.
        """
        frame = self.frame(content, found)
        parts = [self.creators(frame, depth)]
        written: dict[int, bytes] = {}
        for element in found:
            number = element[0] & 0xFFFF
            if number in frame.wanted:
                pieces, counts, lost = self.field(content, element, frame, depth)
                written.update(pieces)
                parts.append((b"", counts, lost))
            elif number >= 0x1000:
                holder = frame.names.get(number >> 8, b"")
                parts.append(gone(self._loss.vendor(content, element, holder, depth)))
        if written:
            parts.append((b"".join([written[tag] for tag in sorted(written)]), (), NOTHING))
        return parts

    def _rules_for(self, group: int, names: dict[int, bytes]) -> Wanted:
        wanted: Wanted = {}
        seen: set[str] = set()
        for number, raw in sorted(names.items()):
            creator = self._loss.creator(raw) if 0x10 <= number <= 0xFF else ""
            for (at, name, offset), rule in self._rules.items():
                if at == group and name == creator.strip():
                    is_sure = name == creator and creator not in seen and creator.isascii()
                    text = name.encode("ascii", "replace") + b" " * (len(name) % 2)
                    line = head(group << 16 | number, b"LO", len(text)) + text
                    wanted[number << 8 | offset] = (rule, line) if is_sure else None
            seen.add(creator)
        return wanted

    def creators(self, frame: Frame, depth: int) -> Part:
        """What the names of creators hold that does not cross.

        Raises:
            UnusualError: as `group`.
        """
        if not frame.heads:
            return b"", (), NOTHING
        key = (frame.heads, b"", depth > 0)
        if key not in self._memo:
            _, counts, lost = self._judge(frame.heads, depth)
            self._keep(key, ((), counts, lost))
        _, counts, lost = self._memo[key]
        return b"", counts, lost

    def field(self, content: bytes, element: Element, frame: Frame, depth: int) -> Field:
        """What becomes of a field that a rule lists.

        Raises:
            UnusualError: as `group`.
        """
        tag, start, value, stop = element
        raw = content[start:stop]
        if tag >> 16 == MOSAIC[0] and tag & 0xFF == MOSAIC[2] and depth == 0:
            _refuse_mosaic(content[value:stop])
        key = (frame.heads, raw, depth > 0)
        field = self._memo.get(key)
        if field is None:
            known = frame.wanted[tag & 0xFFFF]
            field = self._plain(content, element, known)
            field = field or self._sequence(content, element, known, depth)
            field = field or self._judged(frame.heads, raw, depth)
            if len(raw) <= LONGEST:
                self._keep(key, field)
        return field

    def _plain(
        self, content: bytes, element: Element, known: tuple[PrivateRule, bytes] | None
    ) -> Field | None:
        """The answer for a plain number of the type that its rule names."""
        tag, start, at, stop = element
        if known is None or at - start != 8 or known[0].values:
            return None
        rule, line = known
        vr, value = rule.vr.encode(), content[at:stop]
        stated = self._type(content, element, line)
        is_stated = stated == vr or (stated == b"UN" and vr in _NUMBERS)
        if not is_stated or vr not in _NUMBERS | _TEXTS or not is_plain(tag, vr, value):
            return None
        if vr in _NUMBERS and value.strip(b"\0 ").isalnum():
            return None
        pieces = ((tag_of(line), line), (tag, head(tag, vr, len(value)) + value))
        return pieces, ((("keep", rule.keyword), 1),), NOTHING

    def _type(self, content: bytes, element: Element, line: bytes) -> bytes:
        if self._implicit and content.startswith(OPEN, element[1] + 4):
            return b"SQ"
        stated = content[element[1] + 4 : element[1] + 6]
        if self._implicit or stated == b"UN":
            return self._loss.type(element[0], line_holder(line, implicit=self._implicit))
        return stated

    def _sequence(
        self,
        content: bytes,
        element: Element,
        known: tuple[PrivateRule, bytes] | None,
        depth: int,
    ) -> Field | None:
        """The answer for a vendor's sequence: of its items nothing but the listed fields."""
        if known is None or known[0].vr != "SQ":
            return None
        rule, line = known
        if self._type(content, element, line) != b"SQ":
            return None
        try:
            inner = items(content, element, implicit=self._implicit, depth=depth)
        except UnusualError:
            return None
        holder = line_holder(line, implicit=self._implicit)
        lost = self._loss.vendor(content, element, holder, depth)
        made = [self._item(content, found, depth + 1) for _, _, found in inner]
        counts = [each for _, kept in made for each in kept]
        if None in counts or lost is None:
            return None
        if not counts:
            return (), GONE, lost
        body = b"".join([ITEM + len(out).to_bytes(4, "little") + out for out, _ in made])
        front = head(element[0], b"SQ", 0) + len(body).to_bytes(4, "little")
        done = Counter(each for each in counts if each is not None)
        pieces = ((tag_of(line), line), (element[0], front + body))
        return pieces, ((("keep", rule.keyword), 1), *done.items()), lost

    def _item(
        self, content: bytes, found: list[Element], depth: int
    ) -> tuple[bytes, list[tuple[str, str] | None]]:
        """(what is written of an item, what was kept; None among it: it takes a closer look)."""
        if any(element[0] in ALONE for element in found):
            return b"", [None]
        written: dict[int, bytes] = {}
        kept: list[tuple[str, str] | None] = []
        for group in sorted({element[0] >> 16 for element in found if element[0] & 0x10000}):
            inside = [element for element in found if element[0] >> 16 == group]
            frame = self.frame(content, inside)
            for element in inside:
                rule = frame.wanted.get(element[0] & 0xFFFF, _UNLISTED)
                if rule is None:
                    return b"", [None]
                if rule[0].vr != "SQ":
                    pieces, counts, _ = self.field(content, element, frame, depth)
                    written.update(pieces)
                    kept += [what for what, _ in counts] if pieces else []
        return b"".join([written[tag] for tag in sorted(written)]), kept

    def _judged(self, heads: bytes, raw: bytes, depth: int) -> Field:
        out, counts, lost = self._judge(heads + raw, depth)
        return tuple(split(out).items()), counts, lost

    def _keep(self, key: tuple[bytes, bytes, bool], field: Field) -> None:
        if len(self._memo) >= MOST:
            self._memo.clear()
        self._memo[key] = field


def _refuse_mosaic(n_slices: bytes) -> None:
    """Leave a sheet of many slices to those who carry over which way they run."""
    if n_slices not in (b"\1\0", b"\0\0"):
        raise UnusualError


def line_holder(line: bytes, *, implicit: bool) -> bytes:
    """A written creator as the file would hold it."""
    return line[:4] + (len(line) - 8).to_bytes(4, "little") + line[8:] if implicit else line


def tag_of(line: bytes) -> int:
    """The tag of a written element."""
    return int.from_bytes(line[:2], "little") << 16 | int.from_bytes(line[2:4], "little")
