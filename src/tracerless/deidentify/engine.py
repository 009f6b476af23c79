"""The walk over one instance: every attribute at every depth meets the profile's rules.

What no rule lists does not cross. Nothing is edited in place: the clean instance is built up from
what may cross, so a forgotten case is a missing attribute, never a leak.
"""

import contextlib
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from tracerless.core.volume import Contrast
from tracerless.deidentify import csa, private
from tracerless.deidentify.conform import TEXT_VRS, conforms, fits
from tracerless.deidentify.container import file_meta, stamp, trim_pixels
from tracerless.deidentify.keys import Keys, hash_uid
from tracerless.deidentify.known import KnownValues, known_values
from tracerless.deidentify.profile import Action, Profile, Rule
from tracerless.deidentify.refuse import refusal, undecodable
from tracerless.deidentify.values import Audit, CleanIdentity, CleanInstance, Refusal

CODE_TAGS = (0x00080100, 0x00080119, 0x00080120)
"""CodeValue, LongCodeValue, URNCodeValue: an item that holds one is a code."""

CODE_PARTS = (*CODE_TAGS, 0x00080102, 0x00080103, 0x00080104)
"""What is left of a coded item: the code, its scheme and version, and its meaning."""

STANDARD_UID_ROOT = "1.2.840.10008."
"""UIDs that the standard itself assigns; they name kinds, not things."""

MAX_DEPTH = 16
"""Sequences nested deeper than this are not understood."""


def instance(
    dataset: Dataset,
    *,
    profile: Profile,
    keys: Keys,
    person: CleanIdentity,
    contrast: Contrast,
) -> CleanInstance | Refusal:
    """The part of an instance that may cross the border, stamped with what was done.

    Args:
        dataset: with pixels and file meta; left as it is.
        profile: the policy.
        keys: of the vault.
        person: who it belongs to past the border.
        contrast: decided before the border; becomes the series description.

    Returns:
        The clean instance, or why it stays outside.
    """
    with _silent_reader():
        reason = refusal(dataset, profile)
        if reason is not None:
            return reason
        known = known_values(dataset, profile.hunted)
        walk = _Walk(profile, str(dataset.SOPClassUID), keys, person, known)
        try:
            clean = walk.level(dataset, 0)
            walk.mosaic(dataset, clean)
        except _TooDeepError:
            return Refusal("unreadable", f"Sequences are nested deeper than {MAX_DEPTH}.")
        reason = undecodable(clean)
        if reason is not None:
            return reason
        clean.file_meta = file_meta(dataset, clean)
        trim_pixels(clean)
        stamp(clean, profile, person.pseudonym, contrast)
    return CleanInstance(clean, walk.audit())


@contextlib.contextmanager
def _silent_reader() -> Iterator[None]:
    """The reader quotes values that break their type, in warnings and in its log; not here."""
    reader = logging.getLogger("pydicom")
    level = reader.level
    reader.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        reader.setLevel(level)


class _TooDeepError(Exception):
    """The nesting ends the walk."""


@dataclass(slots=True)
class _Walk:
    profile: Profile
    sop_class: str
    keys: Keys
    person: CleanIdentity
    known: KnownValues
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def audit(self) -> Audit:
        """What has been done so far."""
        counts: dict[str, dict[str, int]] = {}
        for (action, keyword), n in self.counts.items():
            counts.setdefault(action, {})[keyword] = n
        return Audit(counts)

    def level(self, dataset: Dataset, depth: int) -> Dataset:
        """One level of the tree, rebuilt from what may cross."""
        if depth > MAX_DEPTH:
            raise _TooDeepError
        if depth and any(tag in dataset for tag in CODE_TAGS):
            return self._code(dataset)
        clean = Dataset()
        for tag in _tags(dataset):
            element = None if tag & 0x10000 else self._element(dataset, tag, depth)
            if element is not None:
                clean.add(element)
        for keyword in private.copy_allowed(dataset, clean, self.profile):
            self.counts[Action.KEEP, keyword] += 1
        n_removed = private.n_fields(dataset) - private.n_fields(clean)
        if n_removed:
            self.counts[Action.REMOVE, "private"] += n_removed
        return clean

    def mosaic(self, dataset: Dataset, clean: Dataset) -> None:
        """Carry over which way the slices of a Siemens mosaic run."""
        normal = csa.slice_normal(dataset) if private.is_mosaic(clean) else None
        if normal is not None:
            csa.write_slice_normal(clean, normal)
            self.counts[Action.KEEP, "SliceNormalVector"] += 1

    def _code(self, item: Dataset) -> Dataset:
        clean = Dataset()
        for tag in _tags(item):
            if tag in CODE_PARTS:
                element = self._kept(item[tag], 0)
                if element is not None:
                    clean.add(element)
            else:
                self._count(Action.REMOVE, tag)
        return clean

    def _element(self, dataset: Dataset, tag: int, depth: int) -> DataElement | None:
        rule = self.profile.rule(self.sop_class, tag)
        action = rule.action if rule else Action.REMOVE
        if depth and action in (Action.PSEUDONYM, Action.EMPTY):
            action = Action.REMOVE
        if rule is None or action is Action.REMOVE:
            self._count(Action.REMOVE, tag)
            return None
        if action is Action.PSEUDONYM:
            return self._made(rule, str(self.person.pseudonym), action)
        if action is Action.EMPTY:
            return self._made(rule, None, action)
        try:
            element = dataset[tag]
        except (ValueError, TypeError, NotImplementedError, KeyError):
            self._count("invalid", tag)
            return None
        if action is Action.HASH_UID:
            return self._hashed(element)
        return self._kept(element, depth)

    def _made(self, rule: Rule, value: str | None, action: Action) -> DataElement:
        self._count(action, rule.tag)
        return DataElement(rule.tag, dictionary_VR(rule.tag), value)

    def _blank(self, tag: int) -> DataElement:
        vr = dictionary_VR(tag).split(" or ")[0]
        return DataElement(tag, vr, [] if vr == "SQ" else None)

    def _kept(self, element: DataElement, depth: int) -> DataElement | None:
        tag, vr, value = int(element.tag), str(element.VR), element.value
        if vr == "SQ" and dictionary_VR(tag) == "SQ":
            self._count(Action.KEEP, tag)
            return DataElement(tag, "SQ", Sequence(self.level(i, depth + 1) for i in value))
        if dictionary_VR(tag) == "UI":
            return self._hashed(element)
        if not fits(tag, vr, value):
            self._count("invalid", tag)
            return self._blank(tag)
        if self._repeats_identifier(vr, value):
            self._count("redact", tag)
            return self._blank(tag)
        self._count("blank" if element.is_empty else Action.KEEP, tag)
        return DataElement(tag, vr, value)

    def _repeats_identifier(self, vr: str, value: object) -> bool:
        texts = [str(v) for v in value] if isinstance(value, MultiValue) else [str(value)]
        if vr in TEXT_VRS:
            return self.known.occur_in(" ".join(texts))
        return vr == "CS" and any(self.known.fill(text) for text in texts)

    def _hashed(self, element: DataElement) -> DataElement | None:
        tag, value = int(element.tag), element.value
        if str(element.VR) != "UI" or not conforms("UI", value):
            self._count("invalid", tag)
            return None
        many = list(value) if isinstance(value, MultiValue) else [value]
        standard = all(str(uid).startswith(STANDARD_UID_ROOT) for uid in many if uid)
        self._count(Action.KEEP if standard else Action.HASH_UID, tag)
        uids = [self._uid(str(uid)) for uid in many if uid]
        return DataElement(tag, "UI", uids if len(uids) > 1 else "".join(uids))

    def _uid(self, uid: str) -> str:
        return uid if uid.startswith(STANDARD_UID_ROOT) else hash_uid(self.keys.uid, uid)

    def _count(self, action: str, tag: int) -> None:
        self.counts[str(action), keyword_for_tag(tag) or "unknown"] += 1


def _tags(dataset: Dataset) -> Iterator[int]:
    """Tags in order, group lengths left out: they count bytes that are no longer there."""
    return (int(tag) for tag in sorted(dataset.keys()) if tag.element != 0)
