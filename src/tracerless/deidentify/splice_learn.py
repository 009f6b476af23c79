"""A template is made from two files of a series: what repeats is fixed, what does not is free."""

from collections.abc import Mapping as MappingOf
from functools import partial

from tracerless.deidentify.splice_judge import Part
from tracerless.deidentify.splice_scan import Element, explicit_element, implicit_element
from tracerless.deidentify.splice_scope import Scope, total
from tracerless.deidentify.splice_steps import (
    Free,
    Left,
    Length,
    Mapping,
    Ruled,
    Run,
    Step,
)
from tracerless.deidentify.splice_suv import Uptake
from tracerless.deidentify.splice_template import Template
from tracerless.deidentify.splice_vendor import Frame, gone


def learn(
    scope: Scope,
    uptake: Uptake | None,
    stamps: MappingOf[int, bytes],
    *,
    content: bytes,
    found: list[Element],
    free: set[int],
    counted: Part,
) -> Template | None:
    """The template of a series; None where names of vendors change from file to file.

    Args:
        scope: judges what changes.
        uptake: writes the uptake mapping; None where there is none.
        stamps: elements that are written whatever the file holds, by tag.
        content: a file.
        found: its elements but the pixels; no uptake mapping among them where ``uptake`` is.
        free: tags of elements that change, present or not.
        counted: a part for what is done to every file besides.

    Raises:
        UnusualError: an element cannot be judged here.
    """
    known = {element[0]: element for element in found}
    if any(tag & 0x10000 and (tag & 0xFFFF < 0x1000 or tag not in known) for tag in free):
        return None
    made = _Making(scope, content, known, free, counted)
    overlay = {**stamps, **made.creators()}
    if uptake is not None:
        overlay[Uptake.TAG] = b""
    for tag in sorted({*known, *free, *overlay}):
        if tag == Uptake.TAG and uptake is not None:
            made.steps.append(Mapping())
        elif tag in free:
            made.change(tag, overlay.get(tag))
        elif tag in known:
            made.fix(known[tag], overlay.get(tag))
        else:
            made.run(b"", overlay[tag])
    counts, lost = total(made.parts)
    return Template(scope, uptake, tuple(made.steps), made.sources, counts, lost)


class _Making:
    """Steps as they come."""

    def __init__(
        self,
        scope: Scope,
        content: bytes,
        known: dict[int, Element],
        free: set[int],
        counted: Part,
    ) -> None:
        self.steps: list[Step] = []
        self.parts: list[Part] = [counted]
        self.sources: dict[int, bytes] = {}
        self._scope, self._content, self._known, self._free = scope, content, known, free
        self._read = implicit_element if scope.key.implicit else explicit_element
        self._frames: dict[int, Frame] = {}
        for group in {tag >> 16 for tag in known if tag & 0x10000}:
            inside = [element for tag, element in known.items() if tag >> 16 == group]
            self._frames[group] = scope.vendor.frame(content, inside)

    def creators(self) -> dict[int, bytes]:
        """Names of vendors as they are written, by tag."""
        written = {}
        for group, frame in self._frames.items():
            self.parts.append(self._scope.vendor.creators(frame, 0))
            for number in frame.wanted:
                element = self._known.get(group << 16 | number)
                if element is not None:
                    pieces = self._scope.vendor.field(self._content, element, frame, 0)[0]
                    written.update({tag: out for tag, out in pieces if tag != element[0]})
        return written

    def fix(self, element: Element, instead: bytes | None) -> None:
        """An element that repeats."""
        tag, start, _, stop = element
        raw = self._content[start:stop]
        out = b""
        if tag & 0x10000:
            out = self._vendor(element)
        elif tag & 0xFFFF:
            part = self._scope.part(self._content, element, raw)
            self.parts.append(part)
            out = part[0]
            self.sources[tag] = raw
        self.run(raw, out if instead is None else instead)

    def change(self, tag: int, instead: bytes | None) -> None:
        """An element that changes or comes and goes."""
        mark = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
        if tag & 0x10000:
            self.steps.append(self._vendor_step(tag, mark))
        elif tag & 0xFFFF:
            self.steps.append(Free(mark, self._read, self._scope, instead))
        else:
            self.steps.append(Length(mark, self._read))

    def run(self, raw: bytes, out: bytes) -> None:
        """Add to the run that is open, or open one."""
        last = self.steps[-1] if self.steps else None
        if isinstance(last, Run):
            last.raw += raw
            last.out += out
        else:
            self.steps.append(Run(raw, out))

    def _vendor(self, element: Element) -> bytes:
        tag = element[0]
        number, frame = tag & 0xFFFF, self._frames[tag >> 16]
        if number in frame.wanted:
            pieces, counts, lost = self._scope.vendor.field(self._content, element, frame, 0)
            self.parts.append((b"", counts, lost))
            return b"".join(out for at, out in pieces if at == tag)
        if number >= 0x1000:
            holder = frame.names.get(number >> 8, b"")
            self.parts.append(gone(self._scope.loss.vendor(self._content, element, holder, 0)))
        return b""

    def _vendor_step(self, tag: int, mark: bytes) -> Step:
        number, frame = tag & 0xFFFF, self._frames[tag >> 16]
        if number not in frame.wanted:
            holder = frame.names.get(number >> 8, b"")
            return Left(mark, self._read, self._scope.loss, holder)
        vendor = self._scope.vendor
        pieces = vendor.field(self._content, self._known[tag], frame, 0)[0]
        expected = tuple(at for at, _ in pieces)
        return Ruled(mark, self._read, partial(vendor.field, frame=frame, depth=0), expected)
