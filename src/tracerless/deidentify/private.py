"""Vendor fields that cross: numbers, and words of closed lists, each found by its creator.

Archives renumber private blocks, so a field's address tells nothing; and archives rewrite the
type of what they do not know to UN, so the bytes are read by the type that the profile declares.
"""

import struct
from collections.abc import Iterator
from typing import Any

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from tracerless.deidentify import removed
from tracerless.deidentify.conform import conforms
from tracerless.deidentify.profile import PrivateRule, Profile
from tracerless.deidentify.removed import Removed

_NUMBERS = {"FL": "f", "FD": "d", "US": "H", "SS": "h", "UL": "I", "SL": "i"}

_SHORTEST_SPELLED = 4
"""Fewer bytes than this are numbers, whatever letters they would make."""

_ALIKE = frozenset({"US", "SS", "UL", "SL"})
"""Whole numbers in bytes: software releases of one vendor differ in which they write."""

MOSAIC = (0x0019, "SIEMENS MR HEADER", 0x0A)


def copy_allowed(source: Dataset, target: Dataset, profile: Profile) -> list[str]:
    """Write the allowed vendor fields of one level into ``target``; the keywords of those kept.

    They stay in the block where they lie, for the readers that go by address. Of a vendor's
    sequence nothing but the allowed vendor fields inside survives.
    """
    kept = _copy_values(source, target, profile)
    for rule in _present(source, profile):
        if rule.vr == "SQ":
            items, inner = _items(source, rule, profile)
            if inner:
                _put(source, target, rule, items)
                kept += [rule.keyword, *inner]
    return kept


def _copy_values(source: Dataset, target: Dataset, profile: Profile) -> list[str]:
    kept = []
    for rule in _present(source, profile):
        value = None if rule.vr == "SQ" else _value(source, rule)
        if value is not None:
            _put(source, target, rule, value)
            kept.append(rule.keyword)
    return kept


def _put(source: Dataset, target: Dataset, rule: PrivateRule, value: object) -> None:
    start = source.private_block(rule.group, rule.creator).block_start
    target.add_new((rule.group, start >> 8), "LO", rule.creator)
    target.add_new((rule.group, start + rule.offset), rule.vr, value)


def _items(source: Dataset, rule: PrivateRule, profile: Profile) -> tuple[Sequence, list[str]]:
    """The items of a vendor's sequence, each with its allowed fields, and what those are."""
    try:
        element = source.private_block(rule.group, rule.creator)[rule.offset]
    except KeyError:
        return Sequence(), []
    items, kept = [], []
    for inner in element.value if element.VR == "SQ" else ():
        item = Dataset()
        kept += _copy_values(inner, item, profile)
        items.append(item)
    return Sequence(items), kept


def left_behind(source: Dataset, clean: Dataset, profile: Profile) -> Iterator[Removed]:
    """The text-like values of the vendor fields of one level that did not cross.

    Names of creators count too, but for those that the profile knows.
    """
    known = {creator for _, creator, _ in profile.private}
    for tag in sorted(source.keys()):
        if not tag.is_private:
            continue
        try:
            element = source[tag]
        except (ValueError, TypeError, NotImplementedError, KeyError):
            continue  # a value that cannot be read holds no text that could be looked for
        is_known = tag.element < 0x1000 and str(element.value) in known
        if not is_known and (tag not in clean or element.VR == "SQ"):
            yield from removed.values(element, removed.private_name(source, tag))


def n_fields(dataset: Dataset) -> int:
    """How many vendor fields one level holds; names of creators do not count."""
    return sum(tag.is_private and tag.element >= 0x1000 for tag in dataset.keys())  # noqa: SIM118


def is_mosaic(clean: Dataset) -> bool:
    """Whether the instance is a Siemens mosaic: many slices in one plane."""
    group, creator, offset = MOSAIC
    try:
        return int(clean.private_block(group, creator)[offset].value) > 1
    except (KeyError, TypeError, ValueError):
        return False


def _present(dataset: Dataset, profile: Profile) -> list[PrivateRule]:
    """The rules whose creator has a block in this level, in a fixed order."""
    groups = {tag.group for tag in dataset.keys() if tag.is_private}  # noqa: SIM118
    return [
        rule
        for (group, creator, _), rule in sorted(profile.private.items())
        if group in groups and creator in dataset.private_creators(group)
    ]


def _value(dataset: Dataset, rule: PrivateRule) -> object | None:
    """The value of an allowed field when it is there and is what the rule says; else None."""
    try:
        element = dataset.private_block(rule.group, rule.creator)[rule.offset]
        if element.VR not in ("UN", rule.vr) and not {str(element.VR), rule.vr} <= _ALIKE:
            return None
        value = _decoded(element.value, rule) if element.VR == "UN" else element.value
    except (KeyError, ValueError, TypeError, struct.error, UnicodeDecodeError):
        return None
    many = list(value) if isinstance(value, MultiValue | list) else [value]
    if rule.vr in _NUMBERS and _spells(many, rule):
        return None
    if rule.values:
        return value if all(str(v).strip() in rule.values for v in many) else None
    is_number = all(isinstance(v, int | float) or _is_number_text(v) for v in many)
    return value if many and is_number and conforms(rule.vr, value) else None


def _spells(numbers: list[Any], rule: PrivateRule) -> bool:
    """Whether the bytes of a binary field are a text: a chart number can be read as numbers."""
    try:
        content = struct.pack(f"<{len(numbers)}{_NUMBERS[rule.vr]}", *numbers)
    except struct.error:
        return True  # not numbers of that type at all
    text = content.strip(b"\0 ")
    return len(text) >= _SHORTEST_SPELLED and (text.isdigit() or (len(text) > 7 and text.isalnum()))


def _is_number_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and conforms("DS", value)


def _decoded(content: bytes, rule: PrivateRule) -> object:
    if rule.vr in _NUMBERS:
        size = struct.calcsize(_NUMBERS[rule.vr])
        numbers = struct.unpack(f"<{len(content) // size}{_NUMBERS[rule.vr]}", content)
        return list(numbers) if len(numbers) > 1 else numbers[0]
    texts = content.decode("ascii").rstrip("\0 ").split("\\")
    return texts if len(texts) > 1 else texts[0]
