"""How wide the 90 % interval about each voxel is, by region, in every group of people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import Calibration, owners
from tracerless.synthesize.conformal import MIN_PEOPLE, Scores, factors
from tracerless.synthesize.expected import half
from tracerless.synthesize.scale import FLOOR_SUVR, Array, best_gains, scale_of, sizes

_JUDGED_A_REGION = 64
"""Voxels of each region whose errors set its factor; they are much alike within one."""


@dataclass(frozen=True, slots=True)
class VoxelWidth:
    """For one set of inputs: half-width = factor sqrt(error² + (gain dev.)² + (gain spread)²).

    Args:
        gain: share of a predicted deviation that adds to the error.
        gain_spread: likewise of the members' disagreement.
        factors: (1 + R,) outside every region, then in each.
    """

    gain: float
    gain_spread: float
    factors: tuple[float, ...]

    def scale(
        self,
        error: NDArray[np.floating],
        deviation: NDArray[np.floating],
        spread: NDArray[np.floating] | None,
    ) -> Array:
        """(V,) half-widths before the factors, SUVR; arguments (V,), ``spread`` may be None."""
        return scale_of(error, deviation, spread, (self.gain, self.gain_spread))


@dataclass(frozen=True, slots=True, eq=False)
class VoxelError:
    """Errors of the voxels, and how they become half-widths.

    Args:
        size: (V,) root mean square error, SUVR; NaN where fewer than ``MIN_PEOPLE`` were seen.
        width: with the inputs that were judged.
    """

    size: NDArray[np.float32]
    width: VoxelWidth


def voxel_error(
    truth: NDArray[np.floating],
    predicted: NDArray[np.floating],
    calibration: Calibration,
    *,
    labels: NDArray[np.integer],
    people: Sequence[Pseudonym],
    spread: NDArray[np.floating] | None = None,
    groups: Sequence[str] = (),
) -> VoxelError:
    """Root mean square error of every voxel, and factors by region that hold every group.

    Args:
        truth: (m, V) acquired minus expected in the brain's voxels, SUVR; NaN where not seen.
        predicted: (m, V) predicted minus expected, before calibration.
        calibration: of the fullest set of inputs.
        labels: (V,) 0 outside every region, else 1 + its place among the regions.
        people: whose rows.
        spread: (m, V) disagreement, SUVR; None = none.
        groups: diagnoses of the rows, empty where unknown; none = no groups.
    """
    owner, n = owners(people)
    slopes = np.array([calibration.slope, *(calibration.slopes or [])], dtype=np.float32)
    slope = slopes[np.where(labels < len(slopes), labels, 0)]
    size = _voxel_sizes(truth, predicted, slope, owner)
    judged = _judged(labels)
    few_truth, few_predicted = (a[:, judged].astype(np.float64) for a in (truth, predicted))
    few_spread = None if spread is None else spread[:, judged].astype(np.float64)
    deviation = slope[judged] * few_predicted
    error = np.where(np.isfinite(size[judged]), few_truth - deviation, np.nan)
    base, others = sizes(error, owner)
    gains = best_gains(error, base, deviation, few_spread)
    n_regions = 1 + int(labels.max(initial=0))
    if n < MIN_PEOPLE or not np.isfinite(error).any():
        return VoxelError(size, VoxelWidth(*gains, (float("nan"),) * n_regions))
    score = np.abs(error) / scale_of(others, deviation, few_spread, gains)
    named = np.array(list(groups) or [""] * len(truth), dtype=np.str_)
    scores = Scores(score, labels[judged].astype(np.intp), owner, named)
    return VoxelError(size, VoxelWidth(*gains, tuple(map(float, factors(scores, n_regions)[0]))))


def _judged(labels: NDArray[np.integer]) -> NDArray[np.intp]:
    """Some voxels of every region, evenly taken."""
    chosen = []
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        chosen.append(mine[:: max(1, len(mine) // _JUDGED_A_REGION)])
    return np.concatenate(chosen)


def _voxel_sizes(
    truth: NDArray[np.floating],
    predicted: NDArray[np.floating],
    slope: NDArray[np.float32],
    owner: NDArray[np.intp],
) -> NDArray[np.float32]:
    """(V,) person by person: a copy of everything at full precision would not fit."""
    total, count, people = (np.zeros(truth.shape[1]) for _ in range(3))
    everyone = np.unique(owner)
    for person in everyone:
        mine = owner == person
        error = truth[mine].astype(np.float64) - slope * predicted[mine]
        known = np.isfinite(error)
        total += (np.where(known, error, 0) ** 2).sum(axis=0)
        count += known.sum(axis=0)
        people += known.any(axis=0)
    size = np.sqrt(total / np.maximum(count, 1))
    enough = people >= min(MIN_PEOPLE, len(everyone))
    return half(np.where(enough, np.maximum(size, FLOOR_SUVR), np.nan))
