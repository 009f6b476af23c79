"""How far one contrast lies off another: where they agree best when one of them is moved."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

N_BINS = 24
"""Classes of intensity of the contrast that stays, equally frequent in the brain."""
MAX_STEPS = 8
"""How many voxels the search may walk along each axis."""
_MIN_VOXELS = 500

Step = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shift:
    """Where one contrast fits another best.

    Args:
        mm: (x, y, z) by which it lies off; 0 when they lie upon each other.
        agreement: share of its variance that the other explains there, 0-1.
        here: the same where they lie now.
    """

    mm: tuple[float, float, float]
    agreement: float
    here: float


def shift(
    still: NDArray[np.float32],
    moved: NDArray[np.float32],
    brain: NDArray[np.bool_],
    *,
    spacing_mm: float,
) -> Shift | None:
    """Where a contrast fits another best, searched from where it lies, to a fraction of a voxel.

    Agreement is the correlation ratio: the share of its variance within the brain that classes of
    the other's intensity explain; it asks for no likeness of the two. The search walks uphill one
    voxel at a time and ends with a parabola through the neighbors.

    Args:
        still: (I, J, K) any unit; NaN where nothing is known.
        moved: likewise, on the same isotropic RAS+ grid.
        brain: (I, J, K).
        spacing_mm: voxel edge, about 4.

    Returns:
        None where too little of the brain is seen by both.

    Source:
        Roche 1998 (MICCAI, LNCS 1496:1115), correlation ratio of two modalities.
    """
    pair = _Classes(still, moved, brain)
    here: Step = (0, 0, 0)
    start = pair.agreement(here)
    if not np.isfinite(start):
        return None
    for _ in range(3 * MAX_STEPS):
        best = max([here, *_around(here)], key=pair.agreement)
        if best == here:
            break
        here = best
    x, y, z = (spacing_mm * float(here[axis] + _peak(pair, here, axis)) for axis in range(3))
    return Shift((x, y, z), pair.agreement(here), start)


def _around(here: Step) -> list[Step]:
    steps = []
    for axis in range(3):
        for way in (-1, 1):
            place = list(here)
            place[axis] += way
            if abs(place[axis]) <= MAX_STEPS:
                steps.append((place[0], place[1], place[2]))
    return steps


def _peak(pair: "_Classes", here: Step, axis: int) -> float:
    """Where a parabola through three agreements along an axis is highest, voxels, within half."""
    values = []
    for way in (-1, 0, 1):
        place = list(here)
        place[axis] += way
        values.append(pair.agreement((place[0], place[1], place[2])))
    low, middle, high = values
    bend = low - 2 * middle + high
    if not bend < 0:
        return 0.0
    return float(np.clip((low - high) / (2 * bend), -0.5, 0.5))


@dataclass(slots=True, eq=False)
class _Classes:
    """Classes of intensity, and how well they explain the moved contrast at any step."""

    still: NDArray[np.float32]
    moved: NDArray[np.float32]
    brain: NDArray[np.bool_]
    _known: dict[Step, float] = field(default_factory=dict)
    _places: NDArray[np.int64] = field(init=False)
    _bins: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        """Sort the voxels into classes once."""
        known = self.brain & np.isfinite(self.still)
        self._places = np.argwhere(known)
        values = self.still[known]
        edges = np.quantile(values, np.linspace(0, 1, N_BINS + 1)[1:-1]) if values.size else [0.0]
        self._bins = np.digitize(values, edges)

    def agreement(self, step: Step) -> float:
        """Share of the variance that the classes explain when it is read ``step`` voxels on."""
        if step not in self._known:
            self._known[step] = self._measured(step)
        return self._known[step]

    def _measured(self, step: Step) -> float:
        place = self._places + np.array(step)
        inside = ((place >= 0) & (place < self.moved.shape)).all(axis=1)
        i, j, k = place[inside].T
        values = self.moved[i, j, k].astype(np.float64)
        seen = np.isfinite(values)
        values, bins = values[seen], self._bins[inside][seen]
        if len(values) < _MIN_VOXELS:
            return float("-inf")
        counts = np.bincount(bins, minlength=N_BINS)
        sums = np.bincount(bins, weights=values, minlength=N_BINS)
        grand = values.sum() ** 2 / len(values)
        between = float((sums**2 / np.maximum(counts, 1)).sum() - grand)
        whole = float((values**2).sum() - grand)
        return between / whole if whole > 0 else float("-inf")


def mirrored(
    still: NDArray[np.float32],
    moved: NDArray[np.float32],
    brain: NDArray[np.bool_],
    *,
    middle_vox: float,
    spacing_mm: float,
) -> float | None:
    """How much worse a contrast fits another with left and right exchanged.

    Args:
        still: as ``shift``.
        moved: as ``shift``.
        brain: as ``shift``.
        middle_vox: where along the first axis the middle of the template lies.
        spacing_mm: as ``shift``.

    Returns:
        Difference in the logarithm of the variance that is not explained; below 0 it fits better
        when exchanged. None where too little of the brain is seen by both.
    """
    found = [shift(still, each, brain, spacing_mm=spacing_mm) for each in _sides(moved, middle_vox)]
    left = [max(1 - each.agreement, 1e-6) for each in found if each is not None]
    return math.log(left[1] / left[0]) if len(left) == len(found) else None


def _sides(
    array: NDArray[np.float32], middle_vox: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(I, J, K) as it is and mirrored; one as smooth as the other, for a blur fits better."""
    low, share = divmod(2 * middle_vox, 1.0)
    places = np.arange(len(array))
    mirror = (1 - share) * _at(array, int(low) - places) + share * _at(array, int(low) + 1 - places)
    lost = share * (1 - share)
    beside = _at(array, places - 1) + _at(array, places + 1)
    same = (1 - lost) * array + lost / 2 * beside if lost else array
    return same.astype(np.float32), mirror.astype(np.float32)


def _at(array: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Planes along the first axis; NaN beyond its ends."""
    found: NDArray[np.float32] = array[places.clip(0, len(array) - 1)]
    found[(places < 0) | (places >= len(array))] = np.nan
    return found


def halves(brain: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
    """The brain's half on either side of its center along each axis: six of (I, J, K)."""
    center = np.argwhere(brain).mean(axis=0)
    parts = []
    for axis in range(3):
        shape = [-1 if a == axis else 1 for a in range(3)]
        beyond = (np.arange(brain.shape[axis]) > center[axis]).reshape(shape)
        parts += [brain & beyond, brain & ~beyond]
    return tuple(parts)


def off_mm(found: Sequence[tuple[Shift, ...]], *, usual_from: int) -> NDArray[np.float64]:
    """How far each lies off in the worst of its parts, (n,) mm, against what is usual.

    Args:
        found: one a session, for each the same parts of the brain.
        usual_from: from so many sessions on, the median shift of a part counts as none: blur, and
            how the contrasts differ, move the best place a little, in everybody alike.
    """
    if not found:
        return np.zeros(0)
    shifts = np.array([[part.mm for part in each] for each in found])
    usual = np.median(shifts, axis=0) if len(found) >= usual_from else np.zeros(3)
    return np.asarray(np.linalg.norm(shifts - usual, axis=-1).max(axis=-1))
