"""What the next file of a series will most likely hold, in runs that are compared whole.

Between two files of a series a handful of elements change: the instance UID, places, times, private
headers. All others form runs of bytes that repeat, and a run that repeats gives the same clean
bytes, the same counts and the same removed values. A template knows the runs of the files seen last
and the elements between them; a file that differs in anything else does not fit and is scanned.
"""

from dataclasses import dataclass, field

from tracerless.deidentify.removed import Removed
from tracerless.deidentify.splice_judge import NOTHING, Counts, Part
from tracerless.deidentify.splice_scan import Element, explicit_element, implicit_element
from tracerless.deidentify.splice_scope import Scope
from tracerless.deidentify.splice_steps import OTHER, Step, Taken
from tracerless.deidentify.splice_suv import Uptake
from tracerless.deidentify.values import Audit

_PIXELS = b"\xe0\x7f\x10\x00"
_MOST_AUDITS = 1000


@dataclass(frozen=True, slots=True)
class Fit:
    """A file that fits a template.

    Args:
        written: what is written of it, but the pixels.
        uid: of the clean instance.
        pixels: the pixel data element.
        audit: what was done.
        lost: what does not cross.
    """

    written: list[bytes]
    uid: bytes
    pixels: Element
    audit: Audit
    lost: frozenset[Removed]


@dataclass(slots=True, eq=False)
class Template:
    """The runs of files that share a scope, and the elements between them.

    Args:
        scope: judges what changes.
        uptake: writes the uptake mapping; None where there is none.
        steps: through a file.
        sources: encoded elements in the runs that the uptake factor follows from, by tag.
        counts: what is done to the runs.
        lost: what of the runs does not cross.
    """

    scope: Scope
    uptake: Uptake | None
    steps: tuple[Step, ...]
    sources: dict[int, bytes]
    counts: Counts
    lost: frozenset[Removed]
    _audits: dict[tuple[Counts, ...], Audit] = field(default_factory=dict)

    def fit(self, content: bytes, place: int) -> Fit | None:
        """What becomes of a file that fits; None when it does not.

        Args:
            content: the file.
            place: where its dataset starts.

        Raises:
            UnusualError: one of its elements cannot be judged here.
        """
        taken = Taken(sources=self.sources.copy())
        for step in self.steps:
            place = step.take(content, place, taken)
            if place == OTHER:
                return None
        if not taken.uid or not content.startswith(_PIXELS, place):
            return None
        if self.uptake is not None:
            raws = {tag: raw for tag, raw in taken.sources.items() if tag in Uptake.SOURCE}
            taken.written[taken.mapping] = self.uptake.mapping(raws) or b""
        read = implicit_element if self.scope.key.implicit else explicit_element
        lost = self.lost.union(*[part[2] for part in taken.parts if part[2]])
        audit = self._audit(taken.parts)
        return Fit(taken.written, taken.uid, read(content, place), audit, lost)

    def _audit(self, parts: list[Part]) -> Audit:
        key = tuple([part[1] for part in parts])
        audit = self._audits.get(key)
        if audit is None:
            if len(self._audits) > _MOST_AUDITS:
                self._audits.clear()
            audit = self.scope.audit([*parts, (b"", self.counts, NOTHING)])
            self._audits[key] = audit
        return audit
