"""Numbers that say whether a prepared session may be used, and the limits they are held to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid
from tracerless.core.session import Native
from tracerless.core.transform import PointMap
from tracerless.core.volume import Volume
from tracerless.prepare.looks import looks

__all__ = [
    "LIMITS",
    "Limit",
    "correlation",
    "coverage",
    "dice",
    "doubts",
    "judge",
    "left_right_kept",
    "looks",
    "negative_share",
]


@dataclass(frozen=True, slots=True)
class Limit:
    """A number is to lie within ``low``-``high``; outside ``fail_low``-``fail_high`` it blocks.

    ``what`` names the number in words; ``then`` is the next move, one sentence.
    """

    what: str
    low: float
    high: float
    fail_low: float = -np.inf
    fail_high: float = np.inf
    then: str = ""

    @property
    def span(self) -> str:
        """The range in words."""
        if np.isinf(self.high):
            return f"at least {self.low:g}"
        return f"{self.low:g}-{self.high:g}"


_LOOK = "Look at the contact sheet."
_SWAPPED = "Check what the series shows: another contrast may bear its name."
_AWAY = "Look at the contact sheet: the volume lies beside the T1; check the header's position."
_EMPTY = "Zeros stand for what was not measured; export the series again without padding."
_SIDES = "Left and right seem swapped between this series and the T1: find out which one is wrong."
_NEGATIVE = "Check how the series was reconstructed, corrected and scaled."

LIMITS: Mapping[str, Limit] = {
    "brain_ml": Limit("the brain mask in the T1's own space, ml", 1000, 1800, 800, 2000, _LOOK),
    "t1_dice": Limit("overlap (Dice) of brain and template brain", 0.94, 1.0, 0.90, then=_LOOK),
    "t1_correlation": Limit(
        "correlation of T1 and template within the brain", 0.60, 1.0, 0.40, then=_LOOK
    ),
    "left_right": Limit("left and right kept by the map (1 = kept)", 1.0, 1.0, 1.0),
    "negative_share": Limit("share of the brain with negative blood flow", 0.0, 0.15, -1.0),
    "coverage_T1w": Limit("share of the brain inside the field of view", 0.97, 1.0, then=_LOOK),
    "coverage": Limit("share of the brain inside the field of view", 0.90, 1.0),
    "tissue_T1w": Limit("white over grey matter", 1.1, np.inf, 1.0, then=_SWAPPED),
    "tissue_T2w": Limit("CSF over white matter", 1.5, np.inf, 1.0, then=_SWAPPED),
    "tissue_cbf": Limit("grey over white matter", 1.2, np.inf, then=_LOOK),
    "tissue_ECD": Limit("grey over white matter", 0.9, np.inf, then=_LOOK),
    "tissue_HMPAO": Limit("grey over white matter", 0.9, np.inf, then=_LOOK),
    "tissue": Limit("grey over white matter", 1.05, np.inf, 1.0, then=_SWAPPED),
    "zeros": Limit("share of exact zeros in the brain", 0.0, 0.01, -1.0, 0.10, _EMPTY),
    "edges_T1w": Limit("edges along those of the template", 0.80, 1.0, 0.65, then=_LOOK),
    "edges_T2w": Limit("edges along those of the T1", 0.75, 1.0, 0.60, then=_AWAY),
    "edges": Limit("edges along those of the T1", 0.62, 1.0, 0.57, then=_AWAY),
    "below": Limit("share of the brain with negative uptake", 0.0, 0.02, -1.0, 0.15, _NEGATIVE),
    "sides": Limit("fit to the T1, less that of the mirror image", 0.0, 1.0, -0.01, then=_SIDES),
    "offset": Limit("distance to where its edges fit better, mm", 0.0, 4.0, -1.0, 8.0, _AWAY),
}
"""Limits by a number's name, else by the first part of it (``coverage_FDG``: ``coverage``).

Source: brain masks of deepbet are 1430-1790 ml on five real heads (intracranial volume of adults
1.1-1.8 l). Measured on two real heads at 2 mm: Dice .967-.977 and correlation .73-.74; with a map
shifted on purpose, Dice .95 / .90 / .65 and correlation .41 / .19 / -.12 at 4 / 8 / 30 mm. The
share of negative flow is a rule of thumb. Looks (`prepare.looks`), on one real and four simulated
people: white over grey in T1 1.28-1.66, CSF over white in T2 3.3-4.1, grey over white in blood flow
1.5-3.7 and in FDG 1.14-1.53 (simulated SPECT .96-1.09, so that never blocks); edges of T1 .91-.99,
T2 .95-.99, flow and FDG .67-.83, and .48-.56 when moved by 30 mm; offsets at most 2.1 mm, and right
within 2.1 mm after moves of 4-16 mm. Sides: .077 and .153 in a real person, .007-.026 in simulated
ones, whose brains are more symmetric.
"""


TOGETHER = frozenset({"t1_dice", "t1_correlation", "edges_T1w"})
"""Numbers that block when all are doubted at once: half a head is stretched over the template."""


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


def doubts(native: Native) -> tuple[str, ...]:
    """One sentence for everything about the series that is worth a review.

    Of recognition, of slices and frames that hold nothing, and of series that could not be read.
    """
    said = [str(each.sidecar.get("ContrastDoubt", "")) for each in native.series]
    said += [
        f"{each.contrast}: {text}."
        for each in native.series
        for field, text in _FLAWS.items()
        if each.sidecar.get(field)
    ]
    return tuple(dict.fromkeys(text for text in (*said, *native.left_out) if text))


_FLAWS = {
    "EmptyFrames": "frames of one single value",
    "EmptySlices": "blank slices between others",
    "NonFiniteVoxels": "voxels without a number",
    "InterpolatedSlices": "a missing slice was filled from its neighbors",
    "MissingEnd": "the end of the stack is missing; coverage tells which regions",
}
"""Flags of `io.pixels` in a sidecar, in words."""


def judge(numbers: Mapping[str, float]) -> tuple[str, tuple[str, ...]]:
    """The verdict (pass, review or fail) and one sentence for each number outside its limits.

    A number is held to the limit of its name, else to that of its first part
    (``coverage_FDG``: ``coverage``); one without a limit is only told. Numbers that are doubted
    ``TOGETHER`` fail, though each alone would be for review.
    """
    verdict, reasons, doubted = "pass", [], set()
    for name, value in numbers.items():
        limit = LIMITS.get(name) or LIMITS.get(name.partition("_")[0])
        if limit is None or limit.low <= value <= limit.high:
            continue
        blocks = not limit.fail_low <= value <= limit.fail_high
        verdict = "fail" if blocks or verdict == "fail" else "review"
        doubted.add(name)
        wanted = f"{name}={value:.4g}: {limit.what} should be {limit.span}."
        reasons.append(f"{wanted} {limit.then}".strip())
    if doubted >= TOGETHER:
        verdict = "fail"
        reasons.append(
            f"{', '.join(sorted(TOGETHER))} agree that the T1 does not fit the template: part of "
            "the brain may be missing. Look at the contact sheet."
        )
    return verdict, tuple(reasons)
