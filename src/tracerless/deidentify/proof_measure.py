"""Whether an instance still measures: its facts on both sides of the border, compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracerless.deidentify.proof_facts import InstanceFacts
from tracerless.deidentify.proof_findings import Finding
from tracerless.deidentify.proof_pixels import BLOCKS, SHORT, TILE_BLOCKS
from tracerless.deidentify.proof_suv import same
from tracerless.deidentify.proof_told import DATES, LINKS, TIMES, TOLD, Value
from tracerless.deidentify.proof_values import date_of

MOST_CHANGED = 0.75
"""Share of the blocks of a series that taking off a face may touch."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What was done to pixels on purpose, as the series' sidecar states it.

    Args:
        boxes: blanked rectangles, of every frame.
        is_defaced: whether the face was taken off.
        is_unrolled: whether mosaics became slices.
        is_faceless: whether a face was looked for, and taken off where there was one.
    """

    boxes: tuple[tuple[int, int, int, int], ...] = ()
    is_defaced: bool = False
    is_unrolled: bool = False
    is_faceless: bool = False

    @property
    def side(self) -> int:
        """Blocks along each side of a frame that its facts need."""
        if not self.is_defaced:
            return 0
        return TILE_BLOCKS if self.is_unrolled else BLOCKS


def declared_of(sidecar: Mapping[str, Any]) -> Declared:
    """What the record of a series says was done to its pixels."""
    boxes = sidecar.get("cleaned_boxes")
    return Declared(
        tuple(_box(each) for each in (boxes if isinstance(boxes, list) else ())),
        is_defaced=bool(sidecar.get("defaced")),
        is_unrolled=bool(sidecar.get("unrolled")),
        is_faceless=bool(sidecar.get("defaced") or sidecar.get("face")),
    )


@dataclass(frozen=True, slots=True)
class Promised:
    """What a policy keeps besides geometry, pixels, scale and intervals.

    Args:
        suv: whether SUV can be computed afterwards where it could before.
        times: names of the times of day that cross as they are.
        vendor: names of vendors' numbers that cross.
    """

    suv: bool
    times: frozenset[str] = frozenset(TIMES)
    vendor: frozenset[str] = frozenset()


def _box(stated: object) -> tuple[int, int, int, int]:
    """A rectangle as it is stated; an empty one, behind which nothing hides, when it is none."""
    if isinstance(stated, list) and len(stated) == 4 and all(type(n) is int for n in stated):
        return (stated[0], stated[1], stated[2], stated[3])
    return (0, 0, 0, 0)


def compare(
    before: InstanceFacts,
    after: Mapping[str, Value],
    file: str,
    *,
    declared: Declared,
    promised: Promised,
) -> Iterator[Finding]:
    """What is not as it was.

    Args:
        before: remembered from the identified instance.
        after: taken from the clean one.
        file: its path inside the dataset.
        declared: changes of pixels that were made on purpose.
        promised: what the policy promises to keep.
    """
    for topic, name in _changed(before.values, after, promised):
        yield Finding("measures", topic, file, name)
    if not _keeps_suv(before, after, carries_suv=promised.suv):
        yield Finding("measures", "suv", file, "SUVbw")
    if not _keeps_pixels(before.values, after, declared):
        yield Finding("measures", "pixels", file, "PixelData")


def compare_blocks(
    pairs: Sequence[tuple[Mapping[str, Value], Mapping[str, Value]]], folder: str
) -> Iterator[Finding]:
    """Whether a series whose face was taken off is still the same in its other parts.

    Args:
        pairs: facts of every instance, before and after.
        folder: of the series.
    """
    changed = total = 0
    for before, after in pairs:
        one, other = ("".join(_texts(facts.get("blocks"))) for facts in (before, after))
        blocks = [
            (one[at : at + SHORT], other[at : at + SHORT]) for at in range(0, len(one), SHORT)
        ]
        total += len(blocks)
        changed += sum(a != b for a, b in blocks)
        if len(one) != len(other) or not one:
            yield Finding("measures", "pixels", folder, "blocks")
            return
    if changed > MOST_CHANGED * total:
        yield Finding("measures", "pixels", folder, "more than a face")


def links(
    before: Sequence[InstanceFacts], after: Mapping[str, Mapping[str, Value]]
) -> list[Finding]:
    """Frames of reference and studies of a person that were one and are two, or the reverse.

    Args:
        before: remembered.
        after: facts by UID.
    """
    found = []
    for name in LINKS:
        pairs = {
            (str(each.values[name]), str(after[each.uid][name]))
            for each in before
            if name in each.values and name in after.get(each.uid, {})
        }
        lost = [
            e for e in before if name in e.values and e.uid in after and name not in after[e.uid]
        ]
        is_one_to_one = len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
        if not is_one_to_one or lost:
            found.append(Finding("references", "link-changed", "", name))
    return found


def day_shifts(before: InstanceFacts, after: Mapping[str, Value]) -> set[int]:
    """By how many days the dates of an instance moved."""
    shifts = set()
    for name in DATES:
        old, new = date_of(str(before.values.get(name, ""))), date_of(str(after.get(name, "")))
        if old is not None and new is not None:
            shifts.add((new - old).days)
    return shifts


def _changed(
    before: Mapping[str, Value], after: Mapping[str, Value], promised: Promised
) -> Iterator[tuple[str, str]]:
    """(topic, name) of what the header no longer tells, or tells differently."""
    told = [(one.topic, one.name) for one in TOLD]
    for topic, name in (*told, *(("scale", name) for name in sorted(promised.vendor))):
        if not equal(before.get(name), after.get(name)):
            yield topic, name
    for name in sorted(promised.times):
        if after.get(name) and not _same_time(before.get(name), after[name]):
            yield "timing", name
    others = _texts(after.get("mapped"))
    for each in _texts(before.get("mapped")):
        if not any(_same_mapping(each, other) for other in others):
            yield "scale", "RealWorldValueMappingSequence"


def equal(one: Value | None, other: Value | None) -> bool:
    """Whether two facts are the same, numbers to a millionth; an absent one only equals another."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return same(float(one), float(other))
    return one == other


def _keeps_pixels(
    before: Mapping[str, Value], after: Mapping[str, Value], declared: Declared
) -> bool:
    if declared.is_defaced:
        return True  # judged over the whole series
    name = "outside" if declared.boxes else "pixels"
    return before.get(name) == after.get(name) and (name in before or "pixels" not in before)


def _keeps_suv(before: InstanceFacts, after: Mapping[str, Value], *, carries_suv: bool) -> bool:
    wanted = before.number("suv")
    if wanted is None:
        return True
    kept = [after[name] for name in ("suv", "suv_mapped") if name in after]
    if not kept:
        return not carries_suv
    return all(isinstance(each, float) and same(wanted, each) for each in kept)


def _same_time(before: Value | None, after: Value) -> bool:
    return str(before or "").strip().replace(":", "") == str(after).strip().replace(":", "")


def _same_mapping(one: str, other: str) -> bool:
    """Whether two mappings have one unit and equal numbers, missing ones included."""
    (*numbers, unit), (*others, other_unit) = one.split("|"), other.split("|")
    try:
        pairs = [
            tuple(float(text) if text else None for text in pair)
            for pair in zip(numbers, others, strict=True)
        ]
    except ValueError:
        return one == other
    return unit == other_unit and all(same(a, b) for a, b in pairs)


def _texts(value: Value | None) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
