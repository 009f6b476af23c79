"""What is wrong with the meaning of a series: units, scale, side, how much of it is here."""

from collections.abc import Iterator, Sequence

from tracerless.core.source import Problem
from tracerless.core.volume import Contrast
from tracerless.io import declared, dicom_gate
from tracerless.io.arrange import Stack
from tracerless.io.headers import Header
from tracerless.io.slices import NO_SLOPE

FEWEST_PLACES = 3
"""Of fewer slices nobody expects a whole volume."""

_ANATOMY = (Contrast.T1W, Contrast.T2W, Contrast.FLAIR)


def judged(members: Sequence[Header], stack: Stack | Problem, *, is_whole: bool) -> list[Problem]:
    """Problems of meaning, the blocking and the others.

    Args:
        members: headers of one series, at least one.
        stack: what they form.
        is_whole: whether they are all that came under one UID.
    """
    first = members[0]
    found = [*_units(members), *_scale(members)]
    if first.slices and "SideUnverified" in first.slices[0].assumed:
        text = "The file does not say how slices lie: left and right are unverified."
        found.append(Problem("orientation", text))
    if isinstance(stack, Stack):
        found += [*_ends(members, stack, is_whole=is_whole), *_repeats(first, stack)]
        if not is_whole and stack.shape[2] < FEWEST_PLACES:
            text = f"A scrap of {stack.shape[2]} places that differ from the rest of their series."
            found.append(Problem("geometry", text, blocking=True))
    if first.ask:
        text = f"What it shows is unknown: {first.reason}."
        found.append(Problem("unknown", text, blocking=True))
    return found


def _units(members: Sequence[Header]) -> Iterator[Problem]:
    """Whether PET says, everywhere alike, what its numbers are."""
    first = members[0]
    if first.modality != "PT":
        return
    if first.sop_class in (dicom_gate.ENHANCED_PT, dicom_gate.LEGACY_PT):
        text = (
            "Enhanced multi-frame PET keeps its units and times elsewhere and is not read. "
            "Export the series as classic PET, one file a slice."
        )
        yield Problem("units", text, blocking=True)
        return
    if not first.units:
        text = (
            "PET without Units (0054,1001): whether its numbers are activity or counts is unknown. "
            "Export the series again with Units, or correct the header."
        )
        yield Problem("units", text, blocking=True)
    elif len({each.units for each in members}) > 1:
        yield Problem("units", "Files of one series are in different units.", blocking=True)


def _scale(members: Sequence[Header]) -> Iterator[Problem]:
    """Whether every slice says how stored numbers become its own."""
    n = sum(each.scale == NO_SLOPE for header in members for each in header.slices)
    if n:
        text = f"{n} slices have no usable rescale slope: it is zero, no number, or not in a PET."
        yield Problem("units", text, blocking=True)


def _repeats(first: Header, stack: Stack) -> Iterator[Problem]:
    """Whether an anatomical series holds more than one volume."""
    if first.contrast in _ANATOMY and len(stack.frames) > 1:
        text = (
            f"{len(stack.frames)} volumes in one anatomical series: are they repeats of one scan?"
        )
        yield Problem("duplicate", text)


def _ends(members: Sequence[Header], stack: Stack, *, is_whole: bool) -> Iterator[Problem]:
    """Slices that lack at an end, where a gap in the stack cannot show it.

    A PET that says how many slices it has and lacks some is kept out: nothing else tells how much
    of the head is gone. MR says so only in fields of its vendors, or by the count of its
    instances; there it is a warning, and the coverage of each region is measured later.
    """
    first, n_here = members[0], stack.shape[2]
    if n_here < FEWEST_PLACES:
        return
    if first.modality == "PT":
        if first.n_slices_declared > n_here and not stack.missing:
            text = f"{first.n_slices_declared} slices are declared, {n_here} are here."
            yield Problem("gap", text, blocking=True)
        return
    if first.sop_class != dicom_gate.MR or any(len(each.slices) != 1 for each in members):
        return
    n_declared = declared.n_places(first.path)
    if n_declared > n_here:
        text = f"The scanner declares {n_declared} slices, {n_here} are here: an end is cut off."
        yield Problem("gap", text)
    elif is_whole and not n_declared and (lacking := _numbers_before(members, stack)):
        text = f"Instances are numbered from {lacking + 1}: slices may lack at an end."
        yield Problem("gap", text)


def _numbers_before(members: Sequence[Header], stack: Stack) -> int:
    """Instance numbers that lie before the first, where numbers follow the places of one frame."""
    numbers = sorted(each.slices[0].clock.instance for each in members)
    is_counted = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    before = numbers[0] - 1
    if len(stack.frames) > 1 or stack.missing or not is_counted:
        return 0
    return before if 0 < before < len(numbers) else 0
