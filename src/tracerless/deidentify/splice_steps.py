"""The steps of a template: each takes its part of a file, or says that the file is another.

A step is asked where the one before it ended. It answers where the next begins, and leaves behind
what is written and what was done; a negative place means that the file does not fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tracerless.deidentify.splice_judge import Part
from tracerless.deidentify.splice_lost import Loss
from tracerless.deidentify.splice_scan import Element
from tracerless.deidentify.splice_scope import Scope
from tracerless.deidentify.splice_vendor import Field, gone

Read = Callable[[bytes, int], Element]

SOP_INSTANCE = 0x00080018
OTHER = -1
"""The place that a step answers with when the file is another."""


@dataclass(slots=True)
class Taken:
    """What the steps have left behind so far.

    Args:
        written: clean elements in order.
        parts: of the elements that changed from file to file.
        sources: encoded elements that the uptake factor follows from, by tag.
        uid: of the clean instance.
        mapping: place in ``written`` for the uptake mapping, if any.
    """

    written: list[bytes] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    sources: dict[int, bytes] = field(default_factory=dict)
    uid: bytes = b""
    mapping: int = -1


class Step(Protocol):
    """One step."""

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Where the next step begins, or ``OTHER``."""
        ...


@dataclass(slots=True)
class Run:
    """Elements that repeat byte for byte, and what is written of them."""

    raw: bytes
    out: bytes

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Compare them whole."""
        if not content.startswith(self.raw, place):
            return OTHER
        taken.written.append(self.out)
        return place + len(self.raw)


@dataclass(slots=True)
class Free:
    """A standard element that changes, or is absent.

    Args:
        mark: its tag as stored.
        read: finds its end.
        scope: judges it.
        instead: written in its place, whatever it is; None where it is written itself.
    """

    mark: bytes
    read: Read
    scope: Scope
    instead: bytes | None

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Look it up by its bytes."""
        if self.instead is not None:
            taken.written.append(self.instead)
        if not content.startswith(self.mark, place):
            return place
        element = self.read(content, place)
        raw = content[place : element[3]]
        part = self.scope.part(content, element, raw)
        taken.parts.append(part)
        taken.sources[element[0]] = raw
        if self.instead is None:
            taken.written.append(part[0])
            if element[0] == SOP_INSTANCE:
                taken.uid = part[0][8:].rstrip(b"\0")
        return element[3]


@dataclass(slots=True)
class Length:
    """A group length: counts bytes that are no longer there, and is left out."""

    mark: bytes
    read: Read

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Step over it."""
        return self.read(content, place)[3] if content.startswith(self.mark, place) else place


@dataclass(slots=True)
class Left:
    """A vendor field that changes and that no rule lists.

    Args:
        mark: its tag as stored.
        read: finds its end.
        loss: finds what it held.
        holder: encoded name of its creator.
    """

    mark: bytes
    read: Read
    loss: Loss
    holder: bytes

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Remember what it held."""
        if not content.startswith(self.mark, place):
            return place
        element = self.read(content, place)
        taken.parts.append(gone(self.loss.vendor(content, element, self.holder, 0)))
        return element[3]


@dataclass(slots=True)
class Ruled:
    """A vendor field that changes and that a rule lists.

    Args:
        mark: its tag as stored.
        read: finds its end.
        judge: judges it among the creators of its group.
        expected: tags that were written of it before: its creator's and its own, or none.
    """

    mark: bytes
    read: Read
    judge: Callable[[bytes, Element], Field]
    expected: tuple[int, ...]

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Look it up; its creator is written already."""
        if not content.startswith(self.mark, place):
            return place
        element = self.read(content, place)
        pieces, counts, lost = self.judge(content, element)
        if tuple([tag for tag, _ in pieces]) != self.expected:
            return OTHER
        taken.parts.append((b"", counts, lost))
        taken.written += [out for tag, out in pieces if tag == element[0]]
        return element[3]


@dataclass(slots=True)
class Mapping:
    """The place of the uptake mapping."""

    def take(self, content: bytes, place: int, taken: Taken) -> int:
        """Hold the place."""
        taken.mapping = len(taken.written)
        taken.written.append(b"")
        return place
