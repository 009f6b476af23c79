"""One walk through the tree of an instance, and what becomes of each element."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from tracerless.deidentify import codes, csa, patterns, private, removed
from tracerless.deidentify.actions import Action, Rule
from tracerless.deidentify.change import CHANGES, DUMMIES, changed
from tracerless.deidentify.codes import CODE_PARTS, CODE_TAGS, MEANING_TAG, SCHEMES
from tracerless.deidentify.conform import TEXT_VRS, conforms, fits
from tracerless.deidentify.keys import Keys, hash_uid
from tracerless.deidentify.known import KnownValues, texts
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.removed import Removed, is_public_uid
from tracerless.deidentify.values import Audit, CleanIdentity

MAX_DEPTH = 16
"""Sequences nested deeper than this are not understood."""

_UNREADABLE = (ValueError, TypeError, NotImplementedError, KeyError)
_REPLACEMENT = "\ufffd"
"""Stands in a text whose bytes are not of the code that its label says."""


class TooDeepError(Exception):
    """The nesting ends the walk."""


@dataclass(slots=True)
class Walk:
    """A walk through one instance; counts what is done and gathers what does not cross."""

    profile: Profile
    sop_class: str
    keys: Keys
    person: CleanIdentity
    known: KnownValues
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    removed: set[Removed] = field(default_factory=set, repr=False)

    def audit(self) -> Audit:
        """What has been done so far."""
        counts: dict[str, dict[str, int]] = {}
        for (action, keyword), n in self.counts.items():
            counts.setdefault(action, {})[keyword] = n
        return Audit(counts)

    def level(self, dataset: Dataset, depth: int) -> Dataset:
        """One level of the tree, rebuilt from what may cross.

        Raises:
            TooDeepError: deeper than ``MAX_DEPTH``.
        """
        if depth > MAX_DEPTH:
            raise TooDeepError
        if depth and any(tag in dataset for tag in CODE_TAGS):
            return self._code(dataset, depth)
        clean = Dataset()
        for tag in _tags(dataset):
            if tag & 0x10000:
                continue
            element = self.element(dataset, tag, depth)
            if element is not None:
                clean.add(element)
        for keyword in private.copy_allowed(dataset, clean, self.profile):
            self.counts[Action.KEEP, keyword] += 1
        n_removed = private.n_fields(dataset) - private.n_fields(clean)
        if n_removed:
            self.counts[Action.REMOVE, "private"] += n_removed
        self.removed.update(private.left_behind(dataset, clean, self.profile))
        return clean

    def mosaic(self, dataset: Dataset, clean: Dataset) -> None:
        """Carry over which way the slices of a Siemens mosaic run."""
        normal = csa.slice_normal(dataset) if private.is_mosaic(clean) else None
        if normal is not None:
            csa.write_slice_normal(clean, normal)
            self.counts[Action.KEEP, "SliceNormalVector"] += 1

    def _code(self, item: Dataset, depth: int) -> Dataset:
        """A coded item: code, scheme, cleaned meaning, and the codes that modify it.

        A local code goes whole: its scheme names the hospital, and its value may be anything.
        """
        clean = Dataset()
        is_public = codes.scheme(item) in SCHEMES
        for tag in _tags(item):
            element = None
            if tag in CODE_PARTS and is_public:
                element = self._part(item, tag)
            elif tag not in CODE_PARTS and _is_sequence(tag):
                element = self.element(item, tag, depth)
            else:
                self._gone(item, tag)
            if element is not None:
                clean.add(element)
        return clean

    def _part(self, item: Dataset, tag: int) -> DataElement | None:
        """One part of a public code; a meaning is a text like any other, whatever its code."""
        element = self._read(item, tag)
        if element is None or tag == MEANING_TAG:
            return None if element is None else self._meaning(item, element)
        if not all(codes.SHAPES[tag].fullmatch(text) for text in texts(element.value)):
            self._gone(item, tag)
            return None
        return self._kept(element, 0, is_scrubbed=False)

    def _meaning(self, item: Dataset, element: DataElement) -> DataElement | None:
        made = self._changed(element, Action.CLEAN)
        code = item.get(CODE_TAGS[0])
        if made.is_empty and code is not None:
            value = self._kept(code, 0)
            made.value = str(value.value or "") if value is not None else ""
        return made

    def element(self, dataset: Dataset, tag: int, depth: int) -> DataElement | None:
        """What becomes of one standard attribute of a level; None: it goes."""
        rule = self.profile.rule(self.sop_class, tag)
        action = rule.action if rule else Action.REMOVE
        if depth and action in (Action.PSEUDONYM, Action.EMPTY):
            action = Action.REMOVE
        if rule is None or action is Action.REMOVE:
            self._gone(dataset, tag)
            return None
        if action in (Action.PSEUDONYM, Action.EMPTY, Action.DUMMY):
            self._remember(dataset, tag)
            return self._made(rule, action)
        element = self._read(dataset, tag)
        if element is None:
            return None
        if action is Action.HASH_UID:
            return self._hashed(element)
        if action in CHANGES:
            return self._changed(element, action)
        return self._kept(element, depth)

    def _read(self, dataset: Dataset, tag: int) -> DataElement | None:
        try:
            return dataset[tag]
        except _UNREADABLE:
            self._count("invalid", tag)
            return None

    def _gone(self, dataset: Dataset, tag: int) -> None:
        self._count(Action.REMOVE, tag)
        self._remember(dataset, tag)

    def _remember(self, dataset: Dataset, tag: int) -> None:
        try:
            element = dataset[tag]
        except _UNREADABLE:
            return  # a value that cannot be read holds no text that could be looked for
        self._lost(element)

    def _lost(self, element: DataElement) -> None:
        self.removed.update(removed.values(element, keyword_for_tag(element.tag) or "unknown"))

    def _made(self, rule: Rule, action: Action) -> DataElement:
        self._count(action, rule.tag)
        vr = dictionary_VR(rule.tag)
        value = str(self.person.pseudonym) if action is Action.PSEUDONYM else None
        if action is Action.DUMMY:
            value = DUMMIES.get(vr)
        return DataElement(rule.tag, vr, value)

    def _blank(self, tag: int) -> DataElement:
        """Without a value; with a fixed one where the object requires it."""
        vr = dictionary_VR(tag).split(" or ")[0]
        value = DUMMIES.get(vr) if self._required(tag) == "1" else None
        return DataElement(tag, vr, [] if vr == "SQ" else value)

    def _kept(
        self, element: DataElement, depth: int, *, is_scrubbed: bool = True
    ) -> DataElement | None:
        tag, vr, value = int(element.tag), str(element.VR), element.value
        if vr == "SQ" and dictionary_VR(tag) == "SQ":
            return self._sequence(element, depth)
        if dictionary_VR(tag) == "UI":
            return self._hashed(element)
        if not fits(tag, vr, value):
            self._count("invalid", tag)
            self._lost(element)
            return self._blank(tag)
        if self._identifies(tag, vr, texts(value)):
            self._count("redact", tag)
            self._lost(element)
            return self._blank(tag)
        is_text = vr in TEXT_VRS and dictionary_VR(tag) in TEXT_VRS
        if is_text and is_scrubbed and not self._is_typed(tag):
            words = [patterns.scrubbed(text) for text in texts(value)]
            if words != texts(value):
                return self._scrubbed(element, words)
        self._count("blank" if element.is_empty else Action.KEEP, tag)
        return DataElement(tag, vr, value)

    def _sequence(self, element: DataElement, depth: int) -> DataElement | None:
        tag = int(element.tag)
        items = [self.level(item, depth + 1) for item in element.value]
        coded = [any(code in item for code in CODE_TAGS) for item in element.value]
        left = codes.surviving([len(item) > 0 for item in items], coded)
        if items and not left and self._required(tag) != "2":
            self._count(Action.REMOVE, tag)
            return None
        self._count(Action.KEEP, tag)
        return DataElement(tag, "SQ", Sequence(items[place] for place in left))

    def _required(self, tag: int) -> str:
        rule = self.profile.rule(self.sop_class, tag)
        return rule.required if rule else ""

    def _scrubbed(self, element: DataElement, words: list[str]) -> DataElement:
        """A machine's text without words that no machine writes."""
        self._count("redact", int(element.tag))
        self._lost(element)
        kept = [text for text in words if text]
        if not kept:
            return self._blank(int(element.tag))
        return DataElement(element.tag, element.VR, kept[0] if len(kept) == 1 else kept)

    def _is_typed(self, tag: int) -> bool:
        return keyword_for_tag(tag) in self.profile.doubtful

    def _changed(self, element: DataElement, action: Action) -> DataElement:
        """A value that crosses as another: a date that moves, a text that loses words."""
        tag, vr, value = int(element.tag), str(element.VR), element.value
        old = texts(value)
        if not fits(tag, vr, value):
            self._count("invalid", tag)
            self._lost(element)
            return self._blank(tag)
        new = [changed(text, action, self.profile, self.person, self.known) for text in old]
        if old != new:
            self._lost(element)
        self._count(action if old else "blank", tag)
        kept = [text for text in new if text]
        single = kept[0] if len(kept) == 1 else kept or None
        return DataElement(tag, dictionary_VR(tag).split(" or ")[0], single)

    def _identifies(self, tag: int, vr: str, values: list[str]) -> bool:
        """Whether a kept value repeats an identifier, looks like one, or cannot be read."""
        if vr == "CS":
            return any(self.known.fill(text, self.profile.vocabulary) for text in values)
        if vr in ("IS", "DS"):
            return any(self.known.number(text) for text in values)
        text = " ".join(values)
        if vr not in TEXT_VRS or not text:
            return False
        return (
            _REPLACEMENT in text
            or self.known.occur_in(text)
            or patterns.identifies(text, is_typed=self._is_typed(tag))
        )

    def _hashed(self, element: DataElement) -> DataElement | None:
        tag, value = int(element.tag), element.value
        if str(element.VR) != "UI" or not conforms("UI", value):
            self._count("invalid", tag)
            self._lost(element)
            return None
        many = list(value) if isinstance(value, MultiValue) else [value]
        standard = all(is_public_uid(str(uid)) for uid in many if uid)
        self._count(Action.KEEP if standard else Action.HASH_UID, tag)
        if not standard:
            self._lost(element)
        uids = [self._uid(str(uid)) for uid in many if uid]
        return DataElement(tag, "UI", uids if len(uids) > 1 else "".join(uids))

    def _uid(self, uid: str) -> str:
        return uid if is_public_uid(uid) else hash_uid(self.keys.uid, uid)

    def _count(self, action: str, tag: int) -> None:
        self.counts[str(action), keyword_for_tag(tag) or "unknown"] += 1


def _is_sequence(tag: int) -> bool:
    is_known = tag & 0x10000 == 0 and dictionary_has_tag(tag)
    return is_known and dictionary_VR(tag) == "SQ"


def _tags(dataset: Dataset) -> Iterator[int]:
    """Tags in order, group lengths left out: they count bytes that are no longer there."""
    return (int(tag) for tag in sorted(dataset.keys()) if tag.element != 0)
