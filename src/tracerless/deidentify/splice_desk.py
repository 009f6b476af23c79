"""Where the files of one person, policy and contrast are worked on.

A `Case` is what files share that agree in everything the answers hang on: the elements that decide
whether they may cross, the identifiers they state, and their character set.
"""

from pydicom import Dataset

from tracerless.core.volume import Contrast
from tracerless.deidentify.actions import Action
from tracerless.deidentify.engine import require_offset
from tracerless.deidentify.keys import Keys
from tracerless.deidentify.known import known_values
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.splice_gate import (
    ASKED,
    SLACK_BYTES,
    SOP_CLASS,
    SOP_INSTANCE,
    Verdict,
    verdict,
)
from tracerless.deidentify.splice_judge import NOTHING, Part, encoded, hush, parsed, split
from tracerless.deidentify.splice_learn import learn
from tracerless.deidentify.splice_meta import Container
from tracerless.deidentify.splice_scan import (
    PIXELS,
    UNDEFINED,
    Element,
    UnusualError,
    ends_well,
    looks_typed,
)
from tracerless.deidentify.splice_scope import CHARACTER_SET, PIXEL_SIGN, Key, Scope
from tracerless.deidentify.splice_suv import Uptake
from tracerless.deidentify.splice_template import Fit, Template
from tracerless.deidentify.splice_vendor import tag_of
from tracerless.deidentify.stamp import stamp
from tracerless.deidentify.values import CleanIdentity

MOST_CASES = 32
MOST_SCOPES = 8
"""Cases of a desk, and scopes of all desks, that are remembered at a time."""

MOST_TEMPLATES = 4
"""Series that are followed at a time."""

_PIXEL_PART: Part = (b"", ((("keep", "PixelData"), 1),), NOTHING)


class Case:
    """Files that share a scope and a verdict."""

    def __init__(self, desk: "Desk", raws: dict[int, bytes], *, implicit: bool) -> None:
        asked = {tag: raw for tag, raw in raws.items() if tag in ASKED}
        self.verdict: Verdict = verdict(
            asked, profile=desk.profile, keys=desk.keys, person=desk.person, implicit=implicit
        )
        self.implicit = implicit
        self.sop_class = str(parsed(raws[SOP_CLASS], {}, implicit=implicit)[SOP_CLASS].value)
        self.stamps = desk.stamps
        if self.sop_class not in desk.profile.by_class:
            raise UnusualError
        self.scope = desk.scope(raws, self.sop_class, implicit=implicit)
        self.uptake = Uptake.of(self.scope)
        self._last: dict[int, bytes] = {}
        self._free = {SOP_INSTANCE}
        self.template: Template | None = None

    def learn(self, content: bytes, found: list[Element]) -> None:
        """Know the next file of the series by this one and the one before.

        Args:
            content: the file.
            found: its elements but the pixels.

        Raises:
            UnusualError: one of them cannot be judged here.
        """
        raws = {tag: content[start:stop] for tag, start, _, stop in found}
        last, self._last = self._last, raws
        if not last or (self.uptake is not None and self.uptake.TAG in raws):
            return
        changed = {tag for tag in raws.keys() | last.keys() if raws.get(tag) != last.get(tag)}
        if self.template is None or not changed <= self._free:
            self._free |= changed
            self.template = learn(
                self.scope,
                self.uptake,
                self.stamps,
                content=content,
                found=found,
                free=self._free,
                counted=_PIXEL_PART,
            )

    def pixels(self, content: bytes, element: Element) -> tuple[bytes, memoryview, bytes]:
        """(head, value, padding) of the pixel data as it is written.

        Raises:
            UnusualError: they are compressed, cut short, or longer than declared by far.
        """
        _, start, value, stop = element
        vr = b"OW" if self.implicit else content[start + 4 : start + 6]
        plan = self.scope.plan(PIXELS)
        wanted, length = self.verdict.n_bytes, stop - value
        is_whole = stop != UNDEFINED and stop <= len(content) and length >= wanted
        if not is_whole or length > wanted + SLACK_BYTES or vr not in (b"OB", b"OW"):
            raise UnusualError
        if plan.action is not Action.KEEP or not ends_well(content, stop):
            raise UnusualError
        if self.implicit and looks_typed(content, start):
            raise UnusualError
        if length > wanted + wanted % 2:
            length = wanted
        n_written = length + length % 2
        head = b"\xe0\x7f\x10\x00" + vr + b"\0\0" + n_written.to_bytes(4, "little")
        return head, memoryview(content)[value : value + length], b"\0" * (length % 2)

    def parts(self, content: bytes, found: list[Element]) -> list[Part]:
        """What becomes of every element but the pixels, which are counted.

        Raises:
            UnusualError: one of them cannot be judged here.
        """
        if self.scope.is_new:
            self.scope.prime(content, found)
        return [*self.scope.level(content, found, 0), _PIXEL_PART]

    def written(self, parts: list[Part], raws: dict[int, bytes]) -> dict[int, bytes]:
        """What is written, by tag; of vendor fields by the first of each group.

        Args:
            parts: of the whole file.
            raws: encoded elements of the file that the uptake factor may follow from.
        """
        found = {tag_of(part[0]): part[0] for part in parts if part[0]}
        found.update(self.stamps)
        if self.uptake is not None:
            mapping = self.uptake.mapping(raws)
            if mapping is not None:
                found[self.uptake.TAG] = mapping
        return dict(sorted(found.items()))


class Desk:
    """The files of one person under one policy, one key and one contrast."""

    def __init__(
        self,
        profile: Profile,
        keys: Keys,
        person: CleanIdentity,
        contrast: Contrast,
        *,
        scopes: dict[Key, Scope],
        container: Container,
    ) -> None:
        require_offset(profile, person)
        self.profile, self.keys, self.person = profile, keys, person
        self.watched = ASKED | {CHARACTER_SET, *profile.hunted}
        self._cases: dict[tuple[bool, bytes], Case] = {}
        self._templates: list[tuple[Case, Template]] = []
        self._scopes = scopes
        self.container = container
        stamped = Dataset()
        with hush():
            stamp(stamped, profile, person.pseudonym, contrast)
        self.stamps = split(encoded(stamped))

    def case(self, content: bytes, found: list[Element], *, implicit: bool) -> Case:
        """The case of a file.

        Raises:
            UnusualError: whether it may cross cannot be told here.
        """
        watched = self.watched
        raws = {tag: content[start:stop] for tag, start, _, stop in found if tag in watched}
        key = (implicit, b"".join(raws.values()))
        case = self._cases.get(key)
        if case is None:
            if SOP_CLASS not in raws:
                raise UnusualError
            while len(self._cases) >= MOST_CASES:
                del self._cases[next(iter(self._cases))]
            case = self._cases[key] = Case(self, raws, implicit=implicit)
        return case

    def fit(self, content: bytes, place: int, *, implicit: bool) -> tuple[Case, Fit] | None:
        """A file that fits a template of the files before, and its case.

        Raises:
            UnusualError: one of its elements cannot be judged here.
        """
        for case, template in self._templates:
            fit = template.fit(content, place) if case.implicit == implicit else None
            if fit is not None:
                return case, fit
        return None

    def learn(self, case: Case, content: bytes, found: list[Element]) -> None:
        """Know the next file of the series by this one.

        Raises:
            UnusualError: one of its elements cannot be judged here.
        """
        case.learn(content, found)
        others = [each for each in self._templates if each[0] is not case]
        own = [(case, case.template)] if case.template is not None else []
        self._templates = [*own, *others][:MOST_TEMPLATES]

    def scope(self, raws: dict[int, bytes], sop_class: str, *, implicit: bool) -> Scope:
        """The answers that files with these elements share."""
        context = {tag: raws[tag] for tag in (CHARACTER_SET, PIXEL_SIGN) if tag in raws}
        stated = b"".join(raw for tag, raw in raws.items() if tag not in context)
        dataset = parsed(stated, context, implicit=implicit)
        with hush():
            known = known_values(dataset, self.profile.hunted)
        around = tuple(context.items())
        key = Key(self.profile, self.keys, self.person, sop_class, known, implicit, around)
        if key not in self._scopes:
            while len(self._scopes) >= MOST_SCOPES:
                del self._scopes[next(iter(self._scopes))]
            self._scopes[key] = Scope(key)
        return self._scopes[key]
