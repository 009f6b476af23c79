"""What is remembered of one person's files of one kind: which bytes become which.

A series repeats nearly all of its elements from file to file, and one enhanced object repeats them
from frame to frame. Each is judged once; after that its bytes alone find the answer. A scope holds
answers for one policy, key, person, class, character set and set of known identifiers: in another
of any of these the same bytes may become something else, so they are never shared.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pydicom import Dataset

from tracerless.deidentify.actions import Action
from tracerless.deidentify.codes import CODE_TAGS, surviving
from tracerless.deidentify.keys import Keys
from tracerless.deidentify.known import KnownValues
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.removed import Removed
from tracerless.deidentify.splice_fast import Plan, answer, head, plan_of
from tracerless.deidentify.splice_judge import NOTHING, Counts, Part, judged, judged_alone, parsed
from tracerless.deidentify.splice_lost import Loss
from tracerless.deidentify.splice_scan import ALONE, ITEM, Element, UnusualError, items
from tracerless.deidentify.splice_vendor import Vendor, tag_of
from tracerless.deidentify.values import Audit, CleanIdentity
from tracerless.deidentify.walk import Walk

CHARACTER_SET, PIXEL_SIGN = 0x00080005, 0x00280103
_LUT_DATA = 0x00283006
_CODES = frozenset(CODE_TAGS)

LONGEST = 1 << 14
"""Pieces of more bytes are not remembered."""
MOST = 1 << 25
"""Bytes that one scope remembers before it starts afresh."""
_ENTRY = 400
"""Bytes that an entry takes besides what it holds."""


@dataclass(frozen=True, slots=True)
class Key:
    """What an answer depends on besides the bytes of the piece.

    Args:
        profile, keys, person: as for `instance`.
        sop_class: UID.
        known: what identifies the person.
        implicit: whether the file leaves types out.
        around: encoded character set and sign of pixels, by tag, where the file states them.
    """

    profile: Profile
    keys: Keys = field(repr=False)
    person: CleanIdentity = field(repr=False)
    sop_class: str
    known: KnownValues = field(repr=False)
    implicit: bool
    around: tuple[tuple[int, bytes], ...] = field(repr=False)


class WholeError(Exception):
    """A sequence has to be read with everything around it, from the top level down.

    The type of a number can hang on the sign of the pixels, and how the reader carries that sign
    into items hangs on how the sequences around them are encoded.
    """


class Scope:
    """Answers for one `Key`."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.around: Mapping[int, bytes] = dict(key.around)
        self._rules = key.profile.by_class[key.sop_class]
        self._walk = self.walk()
        self._plans: dict[int, Plan] = {}
        self._memo: tuple[dict[bytes, Part], dict[bytes, Part]] = ({}, {})
        self._coded: dict[bytes, Part] = {}
        self.loss = Loss(self.around, implicit=key.implicit)
        self.vendor = Vendor(self.judge, self.loss, key.profile, implicit=key.implicit)
        self._audits: dict[Counts, Audit] = {}
        self._held = 0

    def walk(self) -> Walk:
        """A new walk by the rules of this scope."""
        key = self.key
        return Walk(key.profile, key.sop_class, key.keys, key.person, key.known)

    def prime(self, content: bytes, found: Iterable[Element]) -> None:
        """Judge what the first file of a scope holds in one reading instead of many.

        Raises:
            UnusualError: the reader or the writer stumbles.
        """
        raws = {}
        for element in found:
            tag, start, value, stop = element
            plan = self.plan(tag)
            raw = content[start:stop]
            vr = plan.vr if self.key.implicit else content[start + 4 : start + 6]
            is_asked = (
                tag & 0xFFFF
                and tag != _LUT_DATA
                and not tag & 0x10000
                and plan.action is not Action.REMOVE
            )
            if is_asked and value - start == 8 and vr != b"SQ" and not self._plain(plan, vr, raw):
                raws[tag] = raw
        dataset = self.parsed(b"".join(raws.values()), raws)
        for tag, part in judged_alone(dataset, raws, 0, self.walk).items():
            self._keep(self._memo[0], raws[tag], part)

    @property
    def is_new(self) -> bool:
        """Whether nothing has been judged yet."""
        return not self._memo[0]

    def level(self, content: bytes, found: Iterable[Element], depth: int) -> list[Part]:
        """What becomes of each element of a level, in order.

        Raises:
            UnusualError: one of them cannot be judged here.
        """
        parts = []
        vendor: list[Element] = []
        memo = self._memo[depth > 0]
        for element in found:
            tag, start, _, stop = element
            if tag & 0x10000:
                if vendor and vendor[-1][0] >> 16 != tag >> 16:
                    parts += self.vendor.group(content, vendor, depth)
                    vendor = []
                vendor.append(element)
                continue
            if vendor:
                parts += self.vendor.group(content, vendor, depth)
                vendor = []
            if tag & 0xFFFF:
                raw = content[start:stop]
                parts.append(memo.get(raw) or self._piece(content, element, raw, depth))
        if vendor:
            parts += self.vendor.group(content, vendor, depth)
        return parts

    def part(self, content: bytes, element: Element, raw: bytes) -> Part:
        """What becomes of one standard element of the top level.

        Raises:
            UnusualError: as `level`.
        """
        return self._memo[0].get(raw) or self._piece(content, element, raw, 0)

    def _piece(self, content: bytes, element: Element, raw: bytes, depth: int) -> Part:
        plan = self.plan(element[0])
        if plan.tag == _LUT_DATA:
            raise UnusualError
        if plan.action is Action.REMOVE:
            lost = self.loss.standard(content, element, depth)
            done: Counts = (((str(Action.REMOVE), plan.keyword), 1),)
            part = (b"", (), NOTHING) if lost is None else (b"", done, lost)
        else:
            part = self._staying(content, element, raw, depth)
        self._keep(self._memo[depth > 0], raw, part)
        return part

    def _staying(self, content: bytes, element: Element, raw: bytes, depth: int) -> Part:
        tag, start, value, _ = element
        plan = self.plan(tag)
        vr = plan.vr if self.key.implicit else content[start + 4 : start + 6]
        if plan.is_sequence and vr == b"SQ":
            try:
                return self._sequence(content, element, plan, depth)
            except WholeError:
                if depth:
                    raise
                return self._alone(raw, tag, depth)
        if depth and (plan.vr == b"SQ" or (len(plan.vrs) > 1 and vr not in plan.vrs)):
            raise WholeError
        is_short = value - start == 8 and len(raw) <= LONGEST
        plain = self._plain(plan, vr, raw) if is_short else None
        return plain or self._alone(raw, tag, depth)

    def _alone(self, raw: bytes, tag: int, depth: int) -> Part:
        return judged_alone(self.parsed(raw, depth=depth), (tag,), depth, self.walk)[tag]

    def plan(self, tag: int) -> Plan:
        """What is ordered for a standard tag."""
        plan = self._plans.get(tag)
        if plan is None:
            plan = self._plans[tag] = plan_of(tag, self._rules.get(tag))
        return plan

    def _plain(self, plan: Plan, vr: bytes, raw: bytes) -> Part | None:
        found = answer(plan, vr, raw[8:], self._walk)
        if found is None:
            return None
        value, action, lost = found
        return head(plan.tag, vr, len(value)) + value, (((str(action), plan.keyword), 1),), lost

    def _sequence(self, content: bytes, element: Element, plan: Plan, depth: int) -> Part:
        """What becomes of a sequence whose items are judged by their elements.

        Raises:
            WholeError: its items are read differently from their surroundings.
        """
        try:
            inside = items(content, element, implicit=self.key.implicit, depth=depth)
        except UnusualError as error:
            raise WholeError from error
        parts: list[Part] = []
        bodies, coded = [], []
        for begin, closed, found in inside:
            tags = {each[0] for each in found}
            if not ALONE.isdisjoint(tags):
                raise WholeError
            if _CODES.isdisjoint(tags):
                inner = self.level(content, found, depth + 1)
            else:
                inner = [self._item(content[begin:closed], tags, depth + 1)]
            bodies.append(b"".join([part[0] for part in inner]))
            coded.append(not _CODES.isdisjoint(tags))
            parts += inner
        counts, lost = total(parts)
        left = surviving([bool(body) for body in bodies], coded)
        if bodies and not left and self._rules[plan.tag].required != "2":
            return b"", (*counts, (("remove", plan.keyword), 1)), lost
        kept = [bodies[place] for place in left]
        body = b"".join([ITEM + len(each).to_bytes(4, "little") + each for each in kept])
        front = head(plan.tag, b"SQ", 0) + len(body).to_bytes(4, "little")
        return front + body, (*counts, (("keep", plan.keyword), 1)), lost

    def _item(self, raw: bytes, tags: set[int], depth: int) -> Part:
        """What becomes of a coded item."""
        part = self._coded.get(raw)
        nests = self.key.implicit and any(self.plan(tag).vr == b"SQ" for tag in tags)
        if nests or (not self.key.implicit and b"UN\0\0" in raw):
            raise WholeError
        if part is None:
            part = self.judge(raw, depth)
            self._keep(self._coded, raw, part)
        return part

    def judge(self, raw: bytes, depth: int) -> Part:
        """What `Walk` makes of a piece that lies in a level of that depth.

        Raises:
            UnusualError: it cannot be judged alone.
        """
        return judged(self.parsed(raw, depth=depth), depth, self.walk())

    def parsed(self, raw: bytes, own: Collection[int] = (), *, depth: int = 0) -> Dataset:
        """The elements of a piece.

        Args:
            raw: encoded elements of one level.
            own: their tags, where there are several and some of the standard.
            depth: of the level.

        Raises:
            UnusualError: the reader stumbles.
        """
        held = own or (tag_of(raw),)
        around = {tag: each for tag, each in self.around.items() if tag not in held}
        return parsed(raw, around, implicit=self.key.implicit, depth=depth)

    def audit(self, parts: list[Part]) -> Audit:
        """The counts of all parts together."""
        counts = tuple(sorted(total(parts)[0]))
        audit = self._audits.get(counts)
        if audit is None:
            sorted_counts: dict[str, dict[str, int]] = {}
            for (action, keyword), n in counts:
                sorted_counts.setdefault(action, {})[keyword] = n
            audit = self._audits[counts] = Audit(sorted_counts)
        return audit

    def _keep(self, memo: dict[bytes, Part], raw: bytes, part: Part) -> None:
        if len(raw) > LONGEST:
            return
        self._held += len(raw) + len(part[0]) + _ENTRY
        if self._held > MOST:
            self._held = 0
            for each in (*self._memo, self._coded, self._audits):
                each.clear()
        memo[raw] = part


def total(parts: list[Part]) -> tuple[Counts, frozenset[Removed]]:
    """The counts, and what does not cross, of all parts together."""
    counter: Counter[tuple[str, str]] = Counter()
    for counts, n in Counter([part[1] for part in parts]).items():
        for what, many in counts:
            counter[what] += many * n
    return tuple(counter.items()), NOTHING.union(*[part[2] for part in parts if part[2]])
