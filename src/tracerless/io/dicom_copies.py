"""Files that claim to be one instance: true copies are left out once, contradictions block."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from tracerless.core.source import Problem
from tracerless.io import dicom_gate, dicom_read, tags
from tracerless.io.headers import Header

SeriesKey = tuple[str, str, str, str]
"""Person, study, series, SOP class."""


def key_of(header: Header) -> SeriesKey:
    """What a header is grouped by."""
    return header.person, header.study, header.series, header.sop_class


def without_copies(members: Sequence[Header]) -> tuple[list[Header], int, list[Problem]]:
    """One header per instance of a series, how many copies went, and what contradicts itself."""
    first: dict[str, Header] = {}
    equal = different = 0
    for each in members:
        kept = first.setdefault(each.instance or str(each.path), each)
        if kept is each:
            continue
        if same_content(kept, each):
            equal += 1
        else:
            different += 1
    problems = [dropped(equal)] if equal else []
    if different:
        text = f"{different} files repeat the identity of another with other pixels or geometry."
        problems.append(Problem("duplicate", text, blocking=True))
    return list(first.values()), equal, problems


def dropped(n: int) -> Problem:
    """What is said of a series whose copies were left out."""
    return Problem("duplicate", f"{n} files are copies of another and are left out.")


def same_content(a: Header, b: Header) -> bool:
    """Whether two files show the same pixels at the same place and time, in the same units."""
    facts = ((h.units, h.frame_of_reference, h.contrast, h.echo_ms, h.n_frames) for h in (a, b))
    first, second = facts
    if first != second or a.claim.contradicts(b.claim):
        return False
    nowhere = Path()
    planes = [[replace(each, path=nowhere) for each in h.slices] for h in (a, b)]
    return planes[0] == planes[1] and same_pixels(a.path, b.path)


def same_pixels(a: Path, b: Path) -> bool:
    """Whether two files hold the same stored numbers, however they are encoded."""
    first, second = (dicom_read.read(path, pixels=True) for path in (a, b))
    if isinstance(first, dicom_read.Rejection) or isinstance(second, dicom_read.Rejection):
        return False
    if dicom_gate.transfer_syntax(first) == dicom_gate.transfer_syntax(second):
        return bool(tags.value(first, "PixelData") == tags.value(second, "PixelData"))
    return _same_numbers(first, second)


def _same_numbers(first: Dataset, second: Dataset) -> bool:
    try:
        return bool(np.array_equal(pixel_array(first), pixel_array(second)))
    except tags.MISREAD:
        return False


def across(
    shared: Mapping[SeriesKey, set[str]], members: Callable[[SeriesKey], Sequence[Header]]
) -> tuple[dict[SeriesKey, list[Problem]], set[SeriesKey], int]:
    """What is wrong with series that share instances, those that are copies, and their files.

    A series all of whose instances stand with equal content in another of the same study is a copy.
    Any other sharing blocks both: which one is right, or whose it is, cannot be told.

    Args:
        shared: by series, the instances that other series hold too.
        members: gives the headers of a series.
    """
    problems: dict[SeriesKey, list[Problem]] = defaultdict(list)
    copies: set[SeriesKey] = set()
    n_files = 0
    for one, other in _pairs(shared):
        if copies.isdisjoint((one, other)):
            a, b = ({h.instance: h for h in members(key)} for key in (one, other))
            common = sorted(set(a) & set(b) - {""})
            is_equal = one[:2] == other[:2] and all(same_content(a[i], b[i]) for i in common)
            smaller = one if len(a) < len(b) else other
            if is_equal and len(common) == min(len(a), len(b)):
                copies.add(smaller)
                n_files += len(members(smaller))
                problems[other if smaller is one else one].append(dropped(len(members(smaller))))
                continue
            for key in (one, other):
                problems[key].append(_elsewhere(len(common)))
    return {key: found for key, found in problems.items() if key not in copies}, copies, n_files


def _elsewhere(n: int) -> Problem:
    text = f"{n} instances have the identity of instances in another series."
    return Problem("duplicate", text, blocking=True)


def _pairs(shared: Mapping[SeriesKey, set[str]]) -> Iterable[tuple[SeriesKey, SeriesKey]]:
    homes: dict[str, list[SeriesKey]] = defaultdict(list)
    for key in sorted(shared):
        for instance in shared[key]:
            homes[instance].append(key)
    pairs = {
        (one, other)
        for keys in homes.values()
        for place, one in enumerate(keys)
        for other in keys[place + 1 :]
    }
    return sorted(pairs)
