"""How far a prediction may leave the expected map, learned from people kept out of training."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.core.volume import MR_INPUTS, Contrast

MAX_SLOPE = 1.5
_MOST_FOLDS = 20

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What was measured of people and what weights that never saw them predicted.

    Args:
        truth: (n, R) acquired minus the person's expected map, SUVR; NaN where not seen.
        predicted: (n, R) likewise, before calibration.
        people: whose rows.
        spread: (n, R) disagreement of members, samples or bounds, SUVR; NaN, or None, where there
            is none.
        groups: diagnoses of the rows, empty where unknown; no groups at all when left out.
    """

    truth: Array
    predicted: Array
    people: tuple[Pseudonym, ...]
    spread: Array | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """For one set of inputs: SUVR = expected + slope x (prediction - expected).

    Args:
        slope: 0-``MAX_SLOPE``, over all regions; 0 = these inputs told nothing.
        skill: 1 - MAE / MAE of the expected map over regions, each held-out person predicted with
            the slopes of the others; None when too few people were held out.
        n: held-out people.
        slopes: (R,) each region's own, shrunk to the common one; empty = ``slope`` everywhere.
        works: whether predictions from these inputs beat the expected map by more than chance.
    """

    slope: float
    skill: float | None
    n: int
    slopes: tuple[float, ...] = ()
    works: bool = True

    def applied(self, predicted: Array) -> Array:
        """(n, R) or (R,) deviations, calibrated."""
        factor = np.array(self.slopes) if self.slopes else np.float64(self.slope)
        calibrated: Array = factor * predicted
        return calibrated


UNCALIBRATED = Calibration(1.0, None, 0)


def subsets() -> tuple[tuple[Contrast, ...], ...]:
    """Every non-empty set of inputs, the fullest first."""
    sizes = range(len(MR_INPUTS), 0, -1)
    return tuple(s for n in sizes for s in itertools.combinations(MR_INPUTS, n))


def subset_key(inputs: Sequence[Contrast]) -> str:
    """``T1w+T2w+cbf`` and so on."""
    return "+".join(inputs)


def calibrations(pairs: Mapping[str, Shown]) -> dict[str, Calibration]:
    """Of every set of inputs, by ``subset_key``."""
    return {key: calibrate(each.truth, each.predicted, each.people) for key, each in pairs.items()}


def calibrate(truth: Array, predicted: Array, people: Sequence[Pseudonym]) -> Calibration:
    """Least-squares slopes of truth on prediction, both as deviations from the expected map.

    Regions share what they have in common: each slope is drawn to the common one, the more the
    less is known of it. A set of inputs that does not beat the expected map by more than one
    standard error over people gets slope 0 and does not work.

    Args:
        truth: (N, R) SUVR of the acquired minus the expected, NaN where a region was not seen.
        predicted: (N, R) SUVR of the prediction minus the expected.
        people: whose rows.

    Source:
        Efron, Morris 1973, J Am Stat Assoc 68:117 (shrinkage to a common value); DerSimonian,
        Laird 1986, Control Clin Trials 7:177 (how much the values differ beyond their errors).
    """
    owner, n = owners(people)
    if n < 2:
        return UNCALIBRATED
    t, p, shrunk = _crossed(truth, predicted, owner)
    per_row = (np.abs(t) - np.abs(t - shrunk)).sum(axis=1)
    gains = np.bincount(owner, weights=per_row)
    standard_error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5
    if not np.mean(gains) > standard_error:
        return Calibration(0.0, skill(t, shrunk), n, works=False)
    slope, slopes = _slopes(t, p, owner)
    return Calibration(slope, skill(t, shrunk), n, tuple(map(float, slopes)))


def cross_fitted(truth: Array, predicted: Array, people: Sequence[Pseudonym]) -> Array:
    """(n, R) predicted deviations, each person's calibrated by the slopes of the others.

    Args:
        truth: as `calibrate`.
        predicted: as `calibrate`.
        people: whose rows; two at least.
    """
    return _crossed(truth, predicted, owners(people)[0])[2]


def skill(truth: Array, predicted: Array) -> float:
    """1 - MAE / MAE of the expected map; arguments are deviations from it, without NaN."""
    base = float(np.abs(truth).sum())
    return 1 - float(np.abs(truth - predicted).sum()) / base if base > 0 else 0.0


def owners(people: Sequence[Pseudonym]) -> tuple[NDArray[np.intp], int]:
    """(n,) number of each row's person, and how many people there are."""
    names, owner = np.unique([str(person) for person in people], return_inverse=True)
    return owner.astype(np.intp), len(names)


def _crossed(truth: Array, predicted: Array, owner: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """Truth and prediction with 0 where either is unknown, and the cross-fitted prediction."""
    known = np.isfinite(truth) & np.isfinite(predicted)
    t, p = np.where(known, truth, 0.0), np.where(known, predicted, 0.0)
    shrunk = np.zeros_like(p)
    fold_of = owner % min(int(owner.max()) + 1, _MOST_FOLDS)
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        shrunk[mine] = _slopes(t[~mine], p[~mine], owner[~mine])[1] * p[mine]
    return t, p, shrunk


def _slopes(truth: Array, predicted: Array, owner: NDArray[np.intp]) -> tuple[float, Array]:
    """The common slope, and (R,) slopes of the regions drawn to it."""
    power = (predicted**2).sum(axis=0)
    total = float(power.sum())
    if total <= 0:
        return 0.0, np.zeros(truth.shape[1])
    common = float((truth * predicted).sum()) / total
    able = power > 1e-6 * power.max()
    own = np.divide((truth * predicted).sum(axis=0), power, out=np.full_like(power, common),
                    where=able)  # fmt: skip
    error = _variance(truth - own * predicted, predicted, owner)
    variance = np.divide(error, power**2, out=np.full_like(power, np.inf), where=able)
    weight = _differ(own, variance, common) if able.sum() > 2 else np.zeros_like(power)
    slopes = common + weight * (own - common)
    return _bounded(common), np.clip(slopes, 0.0, MAX_SLOPE)


def _variance(residual: Array, predicted: Array, owner: NDArray[np.intp]) -> Array:
    """(R,) variance of sum(residual x predicted), people as the independent unit.

    Widened for few people, whose residuals are too small because the slope was fitted to them.
    """
    score = residual * predicted
    sums = np.zeros((int(owner.max()) + 1, score.shape[1]))
    np.add.at(sums, owner, score)
    n = len(np.unique(owner))
    found: Array = (sums**2).sum(axis=0) * n / max(n - 3, 1)
    return found


def _differ(own: Array, variance: Array, common: float) -> Array:
    """(R,) share of each region's own slope that is kept, 0-1."""
    usable = np.isfinite(variance) & (variance > 0)
    if usable.sum() < 3:
        return np.zeros_like(own)
    inverse = np.where(usable, 1 / np.where(usable, variance, 1), 0.0)
    heterogeneity = float((inverse * (own - common) ** 2).sum())
    scale = float(inverse.sum() - (inverse**2).sum() / inverse.sum())
    between = max(0.0, (heterogeneity - (int(usable.sum()) - 1)) / scale) if scale > 0 else 0.0
    share: Array = np.where(usable, between / (between + np.where(usable, variance, np.inf)), 0.0)
    return share


def _bounded(slope: float) -> float:
    return min(max(slope, 0.0), MAX_SLOPE)
