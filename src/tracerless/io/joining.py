"""Which series are pieces of one volume that an archive tore apart.

Pieces are of one visit, show the same with the same echo in the same frame of reference and
geometry, lie at places of which no two coincide, were taken together, and fit into one even stack.
All of it must hold: two scans that merely continue each other are two scans.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracerless.io.arrange import SAME_PLACE_MM, same_geometry
from tracerless.io.dicom_copies import SeriesKey
from tracerless.io.headers import Header
from tracerless.io.slices import Slice, plane

MAX_PIECES = 16
"""More series than this that could belong together are left apart: comparing them takes long."""

AS_DECLARED = 0.1
"""A distance between slices may differ from the declared one by this part."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What is remembered of a series that may be a piece; its repr shows no identifier.

    Args:
        key: what its headers are grouped by.
        look: what pieces of one volume have in common.
        first: one of its slices.
        along: (n,) places of its slices along the normal of the first, mm, ascending.
        moments: the first and the last time of acquisition as date and time; empty when unknown.
        numbers: of the series and of the acquisition, as the scanner counted.
        n_declared: slices that the whole PET has by its header; 0 when not stated.
    """

    key: SeriesKey = field(repr=False)
    look: tuple[object, ...] = field(repr=False)
    first: Slice = field(repr=False)
    along: NDArray[np.float64] = field(repr=False)
    moments: tuple[str, str] = field(repr=False)
    numbers: tuple[int, int | None]
    n_declared: int


def piece(key: SeriesKey, members: Sequence[Header]) -> Piece | None:
    """The series as a piece; None where it cannot be one: several frames, or without a place."""
    one = members[0]
    slices = [each.slices[0] for each in members if len(each.slices) == 1]
    unplaced = any(s.position is None or s.orientation is None for s in slices)
    if not slices or len(slices) < len(members) or unplaced or not one.frame_of_reference:
        return None
    first = slices[0]
    along = np.sort(np.array([s.position for s in slices]) @ plane(first.orientation or ())[2])
    if not np.isfinite(along).all() or (np.diff(along) <= SAME_PLACE_MM).any():
        return None
    times = sorted(each.clock.moment for each in slices)
    return Piece(
        key=key,
        look=(
            *(key[0], key[1], key[3], one.contrast, one.echo_ms, one.units),
            one.frame_of_reference,
        ),
        first=first,
        along=along,
        moments=(times[0], times[-1]),
        numbers=(one.series_number, first.clock.acquisition),
        n_declared=one.n_slices_declared,
    )


def together(pieces: Iterable[Piece]) -> list[tuple[SeriesKey, ...]]:
    """Keys of series that may be one volume, in groups of two and more.

    Whether they form one even stack is for the caller to see: that takes every header.
    """
    by_look: dict[tuple[object, ...], list[Piece]] = defaultdict(list)
    for each in pieces:
        by_look[each.look].append(each)
    found = []
    for group in by_look.values():
        left = group if len(group) <= MAX_PIECES else []
        while len(left) > 1:
            home = left[:1]
            for other in left[1:]:
                if all(_belong(each, other) for each in home):
                    home.append(other)
            if len(home) > 1:
                found.append(tuple(each.key for each in home))
            left = [each for each in left if not any(each is one for one in home)]
    return found


def _belong(a: Piece, b: Piece) -> bool:
    """Whether two series can lie in one volume: geometry, no common place, taken together."""
    if not same_geometry(a.first, b.first):
        return False
    nearest = _nearest_mm(a.along, b.along)
    if nearest <= SAME_PLACE_MM:
        return False
    if a.n_declared and a.n_declared == b.n_declared:
        return a.n_declared == len(a.along) + len(b.along)
    if "" in (*a.moments, *b.moments):
        return a.numbers == b.numbers
    if _is_comb(a, b, nearest):
        return True
    return a.moments[0] <= b.moments[1] and b.moments[0] <= a.moments[1]


def _nearest_mm(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The smallest distance between a place of one and a place of the other, both ascending."""
    after = np.searchsorted(b, a)
    above = b[np.minimum(after, len(b) - 1)]
    below = b[np.maximum(after - 1, 0)]
    return float(np.minimum(np.abs(above - a), np.abs(below - a)).min())


def _is_comb(a: Piece, b: Piece, nearest_mm: float) -> bool:
    """Whether slices of one lie between those of the other, as far apart as slices declare.

    Every second slice of a 2D scan is often taken in a later pass. Two scans that are shifted by
    half a slice lie closer together than they declare.
    """
    is_between = a.along.min() < b.along.max() and b.along.min() < a.along.max()
    declared = a.first.depth_mm
    return is_between and abs(nearest_mm - declared) <= AS_DECLARED * declared
