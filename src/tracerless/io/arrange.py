"""Slices in any order become a stack: places along the normal, frames in time, and what is wrong.

Works alike for classic slices, frames of enhanced objects, tiles of mosaics and NM frames.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.source import Problem
from tracerless.io.slices import LPS_TO_RAS, Slice, plane

SAME_PLACE_MM = 0.02
"""Slices closer than this along the normal lie at one place."""
UNEVEN = 0.1
"""A distance may differ from a whole number of steps by this part of a step."""
SAME_DIRECTION = 2e-3
"""Direction cosines of one geometry differ by less than this."""
SAME_SPACING = 1e-3
"""Pixel spacings of one geometry differ by less than this part."""
MAX_PLACES = 4096


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in order.

    Args:
        frames: per time, per place along the normal: a slice, or None where one is missing.
        affine: (4, 4) voxel (column, row, place) -> RAS+ mm.
        missing: places without a slice in any frame.
        extra: slices for whose place and time there is already another.
        problems: what is wrong with the stack.
    """

    frames: tuple[tuple[Slice | None, ...], ...]
    affine: NDArray[np.float64]
    missing: tuple[int, ...]
    extra: tuple[Slice, ...]
    problems: tuple[Problem, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Columns, rows, places."""
        first = next(each for frame in self.frames for each in frame if each is not None)
        return first.shape[1], first.shape[0], len(self.frames[0])


def same_geometry(a: Slice, b: Slice) -> bool:
    """Whether two slices can belong to one stack: matrix, spacing, direction, in-plane corner."""
    spacing = _apart(a.spacing_mm, b.spacing_mm)
    if a.shape != b.shape or spacing > SAME_SPACING * max(a.spacing_mm):
        return False
    if a.orientation is None or b.orientation is None:
        return a.orientation == b.orientation
    if _apart(a.orientation, b.orientation) > SAME_DIRECTION:
        return False
    if a.position is None or b.position is None:
        return a.position == b.position
    step = [q - p for p, q in zip(a.position, b.position, strict=True)]
    across, down = a.orientation[:3], a.orientation[3:]
    aside = max(abs(_dot(axis, step)) for axis in (across, down))
    allowed = 0.25 * max(*a.spacing_mm, 0.1) + SAME_DIRECTION * math.hypot(*step)
    return aside <= allowed


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(p * q for p, q in zip(a, b, strict=True))


def _apart(a: Sequence[float], b: Sequence[float]) -> float:
    """The largest difference between two equally long tuples."""
    return max(abs(p - q) for p, q in zip(a, b, strict=True))


def by_geometry(slices: Iterable[Slice]) -> list[list[Slice]]:
    """The slices in groups of one geometry each, in the order of first appearance."""
    found: list[list[Slice]] = []
    for each in slices:
        home = next((group for group in found if same_geometry(group[0], each)), None)
        if home is None:
            found.append([each])
        else:
            home.append(each)
    return found


def arrange(slices: Sequence[Slice]) -> Stack | Problem:
    """The stack that slices of one geometry form, or the blocking problem that keeps them from it.

    Args:
        slices: of one geometry (`by_geometry`); any order.
    """
    first = slices[0]
    if first.orientation is None or any(each.position is None for each in slices):
        return Problem("orientation", "Slices do not say where they lie.", blocking=True)
    if min(first.spacing_mm) <= 0:
        return Problem("geometry", "Slices do not say how large a pixel is.", blocking=True)
    normal = plane(first.orientation)[2]
    along = np.array([np.array(each.position) @ normal for each in slices])
    places, step_mm = _places(along, first.depth_mm)
    if places is None:
        text = f"{len(set(along.round(2)))} places along the normal are unevenly spaced."
        return Problem("geometry", text, blocking=True)
    frames, extra, problems = _in_time(slices, places)
    missing = sorted(set(range(max(places) + 1)) - set(places))
    if missing:
        problems.append(_gap(missing, max(places) + 1))
    affine = _affine(slices, places, step_mm)
    return Stack(frames, affine, tuple(missing), tuple(extra), tuple(problems))


def _places(along: NDArray[np.float64], depth_mm: float) -> tuple[list[int] | None, float]:
    """Index of the place of each slice and the step, mm; no indices where steps are uneven."""
    ordered = np.sort(along)
    gaps = np.diff(ordered)
    gaps = gaps[gaps > SAME_PLACE_MM]
    if gaps.size == 0:
        return [0] * len(along), depth_mm or 1.0
    step = float(np.median(gaps[gaps < 1.5 * gaps.min()]))  # a gap spans several steps
    index = (along - ordered[0]) / step
    span = float(np.ptp(index))
    if span > MAX_PLACES:
        return None, step
    if span > 0 and round(span) > 0:  # refine by the whole length, so that no error adds up
        step *= span / round(span)
        index = (along - ordered[0]) / step
    if np.abs(index - index.round()).max() > UNEVEN:
        return None, step
    return [int(each) for each in index.round()], step


def _gap(missing: Sequence[int], n_places: int) -> Problem:
    places = ", ".join(str(k) for k in missing[:5]) + (" ..." if len(missing) > 5 else "")
    one = len(missing) == 1
    verb = "is" if one else "are"
    text = f"{len(missing)} of {n_places} slices {verb} missing, at place {places} counted from 0."
    return Problem("gap", text, blocking=not one)


def _in_time(
    slices: Sequence[Slice], places: Sequence[int]
) -> tuple[tuple[tuple[Slice | None, ...], ...], list[Slice], list[Problem]]:
    """Frames by time, slices that are too many, and problems."""
    at_place: dict[int, list[Slice]] = defaultdict(list)
    for each, place in zip(slices, places, strict=True):
        at_place[place].append(each)
    n_times = max(len(each) for each in at_place.values())
    n_places = max(places) + 1
    key = _clock(at_place, n_times)
    if key is None and len({len(each) for each in at_place.values()}) > 1:
        return _first_of_each(at_place, n_places)
    rows: dict[object, list[Slice | None]] = {}
    for place, many in at_place.items():
        ordered = sorted(many, key=_order)
        for rank, each in enumerate(ordered):
            time = rank if key is None else key(each)
            rows.setdefault(time, [None] * n_places)[place] = each
    frames = [rows[time] for time in sorted(rows, key=_sortable)]
    whole = [frame for frame in frames if _n(frame) == len(at_place)]
    problems = []
    if len(whole) < len(frames):
        text = f"{len(frames) - len(whole)} of {len(frames)} frames in time lack slices."
        problems.append(Problem("gap", text, blocking=not whole or len(whole) < len(frames) - 1))
    return tuple(tuple(frame) for frame in whole or frames), [], problems


def _n(frame: Sequence[Slice | None]) -> int:
    return sum(each is not None for each in frame)


def _first_of_each(
    at_place: dict[int, list[Slice]], n_places: int
) -> tuple[tuple[tuple[Slice | None, ...], ...], list[Slice], list[Problem]]:
    """One frame; some places hold more slices than others and nothing tells them apart."""
    frame: list[Slice | None] = [None] * n_places
    extra = []
    for place, many in at_place.items():
        frame[place], *more = sorted(many, key=_order)
        extra.extend(more)
    text = f"{len(extra)} slices share place and time with another."
    return (tuple(frame),), extra, [Problem("duplicate", text, blocking=True)]


_CLOCKS: tuple[Callable[[Slice], tuple[object, ...]], ...] = (
    lambda each: (each.clock.temporal, each.clock.label),
    lambda each: (each.clock.acquisition, each.clock.label),
    lambda each: (each.clock.moment,),
)
"""What may tell frames apart, best first."""


def _clock(
    at_place: dict[int, list[Slice]], n_times: int
) -> Callable[[Slice], tuple[object, ...]] | None:
    """The first clock under which no two slices at one place coincide and few are missing."""
    for key in _CLOCKS:
        times = {key(each) for many in at_place.values() for each in many}
        unique = all(len({key(e) for e in many}) == len(many) for many in at_place.values())
        if unique and len(times) == n_times:
            return key
    return None


def _order(each: Slice) -> tuple[object, ...]:
    clock = each.clock
    return (
        clock.temporal or 0, clock.acquisition or 0, clock.instance, clock.moment, clock.label
    )  # fmt: skip


def _sortable(time: object) -> tuple[str, ...]:
    parts = time if isinstance(time, tuple) else (time,)
    return tuple(f"{p:09d}" if isinstance(p, int) else str(p) for p in parts)


def _affine(slices: Sequence[Slice], places: Sequence[int], step_mm: float) -> NDArray[np.float64]:
    """(4, 4) voxel -> RAS+ mm from the first and the last place."""
    low, high = int(np.argmin(places)), int(np.argmax(places))
    first, last = slices[low], slices[high]
    axes = plane(first.orientation or ())
    step = axes[2] * step_mm
    if places[high] > places[low]:
        whole = np.array(last.position) - np.array(first.position)
        step = whole / (places[high] - places[low])
    affine = np.eye(4)
    affine[:3, 0] = axes[0] * first.spacing_mm[1]
    affine[:3, 1] = axes[1] * first.spacing_mm[0]
    affine[:3, 2] = step
    affine[:3, 3] = np.array(first.position)
    result: NDArray[np.float64] = LPS_TO_RAS @ affine
    return result
