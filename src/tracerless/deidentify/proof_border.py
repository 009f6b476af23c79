"""Whether a file holds what its policy lets through and nothing else, and says truly what was done.

The rules are asked anew, element by element; nothing is taken from the code that wrote the file.
Equal elements of one series are judged once.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.deidentify import csa, suv
from tracerless.deidentify.actions import Action, PrivateRule, Rule
from tracerless.deidentify.change import DUMMIES, capped_age
from tracerless.deidentify.codes import CODE_PARTS, CODE_TAGS, MEANING_TAG
from tracerless.deidentify.confidentiality import CLEAN_FEATURES
from tracerless.deidentify.conform import conforms
from tracerless.deidentify.container import IMPLEMENTATION_NAME, IMPLEMENTATION_UID
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.proof_pixels import layout, pixel_element
from tracerless.deidentify.proof_scan import PIXELS, Element, Level, Tree, level_of
from tracerless.deidentify.proof_values import Common
from tracerless.deidentify.removed import is_public_uid
from tracerless.deidentify.stamp import stamp

OWN_ROOT = "2.25."
"""Under which every UID of ours is made."""

META = frozenset({0x00020000, 0x00020001, 0x00020002, 0x00020003})
META |= {0x00020010, 0x00020012, 0x00020013}
"""All that a file meta may hold."""

_MAPPING = 0x00409096
_OWN_MAPPING = frozenset(
    {0x00283003, 0x004008EA, 0x00409210, 0x00409211, 0x00409216, 0x00409224, 0x00409225}
)
_CODES, _FACE = 0x00120064, 0x00280302
_ELSEWHERE = PIXELS | {_CODES}
_CODE_OF = (0x00080100, 0x00080102)
_CAPTIONS = re.compile(r"-?\d\.\d{8}")

Problem = tuple[str, str]
"""(kind, keyword)."""


@dataclass(slots=True)
class Policy:
    """What the files of one series are held against.

    Args:
        profile: the policy that the dataset records.
        pseudonym: of the folder that the series lies in.
        contrast: of its sidecar.
        later: codes of what may have been done to pixels afterwards.
    """

    profile: Profile
    pseudonym: Pseudonym
    contrast: Contrast
    later: tuple[str, ...] = ()
    _judged: dict[tuple[int, str, bool, bytes], tuple[Problem, ...]] = field(
        default_factory=dict, repr=False
    )
    _stamp: Level = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Write the stamp that every file has to carry."""
        clean = Dataset()
        stamp(clean, self.profile, self.pseudonym, self.contrast)
        clean.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
        self._stamp = level_of(clean)

    def problems(self, tree: Tree) -> Iterator[Problem]:
        """Everything in a file that should not be so."""
        yield from _around(tree)
        yield from self._stamped(tree.body)
        sop_class = tree.body[0x00080016].text if 0x00080016 in tree.body else ""
        if sop_class not in self.profile.by_class:
            yield "class", "SOPClassUID"
            return
        rules = self.profile.by_class[sop_class]
        for tag, element in tree.body.items():
            if tag not in self._stamp and tag not in _ELSEWHERE:
                yield from self._element(element, tree.body, rules, depth=0)

    def _stamped(self, body: Level) -> Iterator[Problem]:
        done = _codes(body)
        is_faceless = CLEAN_FEATURES in done
        for tag, wanted in self._stamp.items():
            held = body.get(tag)
            if held is None:
                yield "stamp-missing", keyword_for_tag(tag)
            elif tag == _FACE and is_faceless:
                if held.text.strip() != "NO":
                    yield "stamp-untrue", keyword_for_tag(tag)
            elif tag != _CODES and held.text.strip() != wanted.text.strip():
                yield "stamp-untrue", keyword_for_tag(tag)
        if done - {*self.later} != _codes(self._stamp):
            yield "stamp-untrue", keyword_for_tag(_CODES)
        is_shown = _FACE in self._stamp and self._stamp[_FACE].text.strip() == "YES"
        if self.profile.faces == "remove" and is_shown and not is_faceless:
            yield "face-kept", keyword_for_tag(_FACE)

    def _element(
        self, element: Element, level: Level, rules: Mapping[int, Rule], *, depth: int
    ) -> Iterator[Problem]:
        tag = element.tag
        if element.vr == "SQ":
            yield from self._sequence(element, level, rules, depth)
            return
        key = (tag, element.vr, depth > 0, element.raw)
        if tag >> 16 & 1:
            yield from self._private(element, level)
            return
        if key not in self._judged:
            rule = rules.get(tag)
            self._judged[key] = tuple(self._leaf(element, rule, depth))
        yield from self._judged[key]

    def _sequence(
        self, element: Element, level: Level, rules: Mapping[int, Rule], depth: int
    ) -> Iterator[Problem]:
        tag = element.tag
        if tag >> 16 & 1:
            yield from self._private(element, level)
        elif not self._crosses(rules.get(tag), tag, depth):
            yield "not-listed", _name(tag)
            return
        for item in element.items:
            if tag == _MAPPING and self.profile.suv == "carry" and _is_own_mapping(item):
                continue
            if any(part in item for part in CODE_TAGS):
                yield from self._code(item, rules, depth + 1)
                continue
            for inner in item.values():
                yield from self._element(inner, item, rules, depth=depth + 1)

    def _code(self, item: Level, rules: Mapping[int, Rule], depth: int) -> Iterator[Problem]:
        """A coded item: its parts, a meaning of known words, and codes that modify it."""
        for inner in item.values():
            if inner.vr == "SQ":
                yield from self._element(inner, item, rules, depth=depth)
            elif inner.tag not in CODE_PARTS:
                yield "not-listed", _name(inner.tag)
        meaning = item[MEANING_TAG].text.strip() if MEANING_TAG in item else ""
        codes = {item[tag].text.strip() for tag in CODE_TAGS if tag in item}
        if meaning not in codes and not self._is_clean(meaning):
            yield "not-clean", _name(MEANING_TAG)

    def _is_clean(self, text: str) -> bool:
        """Whether a text is made of the policy's words alone."""
        plain = text.encode("latin-1", "replace").decode("utf-8", "replace")
        common = Common(vocabulary=self.profile.vocabulary)
        return all(common.holds(each) for each in plain.split("\\"))

    def _crosses(self, rule: Rule | None, tag: int, depth: int) -> bool:
        if tag == _MAPPING and self.profile.suv == "carry":
            return True
        return rule is not None and rule.action in {Action.KEEP, Action.EMPTY, Action.DUMMY}

    def _leaf(self, element: Element, rule: Rule | None, depth: int) -> Iterator[Problem]:
        name = _name(element.tag)
        if not dictionary_has_tag(element.tag) or element.tag & 0xFFFF == 0:
            yield "not-listed", name
            return
        if rule is None or rule.action is Action.REMOVE:
            yield "not-listed", name
            return
        text = element.text.strip()
        declared = dictionary_VR(element.tag)
        is_kin = element.vr in declared or {element.vr, *declared.split(" or ")} <= _BINARY
        if not is_kin or not all(conforms(element.vr, each) for each in text.split("\\")):
            yield "type", name
        if element.vr == "UI" and not _are_ours(text):
            yield "old-uid", name
        if text and not self._follows(rule.action, text, depth):
            yield f"not-{rule.action.value}", name

    def _follows(self, action: Action, text: str, depth: int) -> bool:
        """Whether a value is one that the action could have made."""
        each, cap = text.split("\\"), self.profile.age_cap
        made: dict[Action, Callable[[], bool]] = {
            Action.EMPTY: lambda: False,
            Action.PSEUDONYM: lambda: depth == 0 and text == str(self.pseudonym),
            Action.DUMMY: lambda: {*each} <= {*DUMMIES.values()},
            Action.CLEAN: lambda: self._is_clean(text),
            Action.YEAR: lambda: all(one[4:8] in {"0101", ""} for one in each),
            Action.CAP_AGE: lambda: all(one == capped_age(one, cap) for one in each),
        }
        return made[action]() if action in made else True

    def _private(self, element: Element, level: Level) -> Iterator[Problem]:
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if 0x10 <= number <= 0xFF:
            creator = element.text.strip()
            known = any((g, c) == (group, creator) for g, c, _ in self.profile.private)
            if not known and (group, creator) != (csa.GROUP, csa.CREATOR):
                yield "private-creator", f"private:{group:04X}"
            return
        holder = level.get((group << 16) + (number >> 8))
        creator = holder.text.strip() if holder else ""
        name = f"private:{group:04X}:{number & 0xFF:02X}"
        if (group, creator, number & 0xFF) == (csa.GROUP, csa.CREATOR, csa.IMAGE_HEADER):
            if not _is_bare_header(element.raw):
                yield "private-field", name
            return
        rule = self.profile.private.get((group, creator, number & 0xFF))
        if rule is None:
            yield "private-field", name
        elif not _fits_private(rule, element):
            yield "private-value", name


def _fits_private(rule: PrivateRule, element: Element) -> bool:
    """Whether a vendor's field holds a word of its list, or a number."""
    texts = [each.strip() for each in element.text.split("\\")]
    if rule.values:
        return {*texts} <= {*rule.values, ""}
    return rule.vr not in {"DS", "IS"} or all(conforms("DS", each) for each in texts)


_BINARY = frozenset({"OB", "OW", "OF", "OD", "OL", "UN", "US", "SS"})


def _around(tree: Tree) -> Iterator[Problem]:
    """The bytes around the attributes."""
    if tree.preamble.strip(b"\0") or not tree.preamble:
        yield "preamble", "preamble"
    if tree.trailing:
        yield "trailing-bytes", "behind the last attribute"
    if tree.repeats:
        yield "repeated-attribute", "attribute"
    for tag in tree.meta.keys() - META:
        yield "file-meta", _name(tag)
    wanted = {0x00020012: str(IMPLEMENTATION_UID), 0x00020013: IMPLEMENTATION_NAME}
    for tag, top in ((0x00020002, 0x00080016), (0x00020003, 0x00080018)):
        wanted[tag] = tree.body[top].text if top in tree.body else "?"
    for tag, text in wanted.items():
        if tag not in tree.meta or tree.meta[tag].text.strip() != text:
            yield "file-meta", _name(tag)
    yield from _behind_pixels(tree.body)


def _behind_pixels(body: Level) -> Iterator[Problem]:
    shape, element = layout(body), pixel_element(body)
    if element is None or shape is None:
        yield "no-pixels", "PixelData"
    elif not element.fragments:
        extra = element.raw[shape.n_bytes :]
        if len(extra) > shape.n_bytes % 2 or extra.strip(b"\0"):
            yield "trailing-bytes", "PixelData"
        if len(element.raw) < shape.n_bytes:
            yield "no-pixels", "PixelData"


def _is_bare_header(raw: bytes) -> bool:
    """Whether a Siemens header is the one that we write: a direction and nothing else."""
    numbers = [float(each) for each in _CAPTIONS.findall(raw.decode("latin-1"))]
    if len(numbers) != 3:
        return False
    again = Dataset()
    csa.write_slice_normal(again, (numbers[0], numbers[1], numbers[2]))
    return bytes(again.private_block(csa.GROUP, csa.CREATOR)[csa.IMAGE_HEADER].value) == raw


def _are_ours(text: str) -> bool:
    """Whether every UID is a keyed digest, or one that the standard itself assigned."""
    uids = filter(None, (uid.strip() for uid in text.split("\\")))
    return all(uid.startswith(OWN_ROOT) or is_public_uid(uid) for uid in uids)


def _is_own_mapping(item: Level) -> bool:
    """Whether a mapping is the one to SUV that the border writes: its numbers, unit and name."""
    units = item[0x004008EA].items if 0x004008EA in item else ()
    texts = {item[tag].text.strip() for tag in (0x00283003, 0x00409210) if tag in item}
    unit = {inner.text.strip() for each in units for inner in each.values()}
    named = {suv.UNIT, "UCUM", "Standardized Uptake Value body weight"}
    return item.keys() <= _OWN_MAPPING and texts <= {"SUVbw"} and unit <= named


def _codes(body: Level) -> set[str]:
    """Codes of what an instance says was done to it; one of another scheme counts as itself."""
    items = body[_CODES].items if _CODES in body else []
    texts = [[item[t].text.strip() if t in item else "" for t in _CODE_OF] for item in items]
    return {value if scheme == "DCM" else f"{scheme} {value}" for value, scheme in texts}


def _name(tag: int) -> str:
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
