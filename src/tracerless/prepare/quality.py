"""Numbers that say whether a prepared session may be used, and the limits they are held to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid
from tracerless.core.transform import PointMap
from tracerless.core.volume import Volume


@dataclass(frozen=True, slots=True)
class Limit:
    """A number is to lie within ``low``-``high``; outside ``fail_low``-``fail_high`` it blocks."""

    what: str
    low: float
    high: float
    fail_low: float = -np.inf
    fail_high: float = np.inf


LIMITS: Mapping[str, Limit] = {
    "brain_ml": Limit("the brain mask in the T1's own space, ml", 1000, 1800, 800, 2000),
    "t1_dice": Limit("overlap (Dice) of brain and template brain", 0.94, 1.0, 0.90),
    "t1_correlation": Limit("correlation of T1 and template within the brain", 0.60, 1.0, 0.40),
    "left_right": Limit("left and right kept by the map (1 = kept)", 1.0, 1.0, 1.0),
    "negative_share": Limit("share of the brain with negative blood flow", 0.0, 0.15, -1.0),
    "coverage": Limit("share of the brain inside the field of view", 0.90, 1.0),
}
"""Limits by the first part of a number's name.

Source: brain masks of deepbet are 1430-1790 ml on five real heads (intracranial volume of adults
1.1-1.8 l). Measured on two real heads at 2 mm: Dice .967-.977 and correlation .73-.74; with a map
shifted on purpose, Dice .95 / .90 / .65 and correlation .41 / .19 / -.12 at 4 / 8 / 30 mm. The
share of negative flow is a rule of thumb.
"""


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Twice the common voxels over the sum of both, 0-1."""
    return float(2 * (one & other).sum() / max(int(one.sum()) + int(other.sum()), 1))


def correlation(volume: Volume, other: Volume, where: NDArray[np.bool_]) -> float:
    """Pearson correlation of two volumes on one grid where both are known; 0 when one is flat."""
    known = where & np.isfinite(volume.array) & np.isfinite(other.array)
    one, two = volume.array[known].astype(np.float64), other.array[known].astype(np.float64)
    if one.size < 2 or one.std() == 0 or two.std() == 0:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def coverage(volume: Volume, brain: NDArray[np.bool_]) -> float:
    """Share of the brain (I, J, K) where the volume is known, 0-1."""
    return float(np.isfinite(volume.array[brain]).mean())


def negative_share(volume: Volume, brain: NDArray[np.bool_]) -> float:
    """Share of the known brain voxels with a negative value, 0-1."""
    inside = volume.array[brain & np.isfinite(volume.array)]
    return float((inside < 0).mean()) if inside.size else 0.0


def left_right_kept(to_native: PointMap, grid: Grid, brain: NDArray[np.bool_]) -> float:
    """1 when right stays right, front stays front and up stays up through the map, else 0.

    The map is differentiated around the brain's center over 20 mm. The template is mirror
    symmetric, so no similarity can tell a mirrored brain; what can be checked is that the map
    mirrors nothing. A series whose header states a wrong side is beyond this check.
    """
    center = np.argwhere(brain).mean(axis=0) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    steps = np.vstack((np.eye(3), -np.eye(3))) * 20.0
    moved = to_native((center + steps).astype(np.float32)).astype(np.float64)
    slope = (moved[:3] - moved[3:]).T / 40.0
    upright = (np.diag(slope) > 0).all() and np.linalg.det(slope) > 0
    return 1.0 if upright else 0.0


def judge(numbers: Mapping[str, float]) -> tuple[str, tuple[str, ...]]:
    """The verdict (pass, review or fail) and one sentence for each number outside its limits.

    ``coverage_<contrast>`` is held to the limit of ``coverage``.
    """
    verdict, reasons = "pass", []
    for name, value in numbers.items():
        limit = LIMITS.get(name) or LIMITS.get(name.partition("_")[0])
        if limit is None or limit.low <= value <= limit.high:
            continue
        blocks = not limit.fail_low <= value <= limit.fail_high
        verdict = "fail" if blocks or verdict == "fail" else "review"
        reasons.append(f"{name}={value:.3g}: {limit.what} should be {limit.low:g}-{limit.high:g}.")
    return verdict, tuple(reasons)
