"""How wide a prediction's 90 % interval is, from people that the predicting weights never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import Calibration, Shown, cross_fitted, owners
from tracerless.synthesize.conformal import LEVEL, MIN_PEOPLE, Held, Scores, factors, quantile
from tracerless.synthesize.scale import Array, best_gains, n_seen, scale_of, sizes
from tracerless.synthesize.voxel_intervals import VoxelError, VoxelWidth, voxel_error

__all__ = ["LEVEL", "MIN_PEOPLE", "Interval", "VoxelError", "VoxelWidth", "interval", "intervals",
           "quantile", "voxel_error"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interval:
    """For one set of inputs: half-width = factor sqrt(base² + (gain dev.)² + (gain spread)²).

    A prediction far from the expected map errs more, and so does one that the members of an
    ensemble disagree on, so its interval is wider; without that the sick would be covered less
    than the well.

    Args:
        regions: keys.
        base: (R,) root mean square error by region, SUVR.
        gain: share of a predicted deviation that adds to the error.
        factor: (R,) what brings these widths to ``LEVEL`` in every group of people; 0 where fewer
            than ``MIN_PEOPLE`` were seen: nothing is said of that region.
        n: people behind it.
        gain_spread: share of the members' disagreement that adds to the error.
        held: the groups in which it holds.
        voxels: of the voxels; None where they were not judged.
    """

    regions: tuple[str, ...]
    base: tuple[float, ...]
    gain: float
    factor: tuple[float, ...]
    n: int
    gain_spread: float = 0.0
    held: Held = field(default_factory=Held)
    voxels: VoxelWidth | None = None

    def half_widths(self, deviation: Array, spread: Array | None = None) -> Array:
        """(R,) or (n, R) SUVR; NaN in a region of which nothing is said.

        Args:
            deviation: calibrated, from the expected map, of that shape.
            spread: the members' disagreement, of that shape; None or NaN = there is none.
        """
        scale = scale_of(np.array(self.base), deviation, spread, (self.gain, self.gain_spread))
        factor = np.array(self.factor)
        width: Array = np.where(factor > 0, factor, np.nan) * scale
        return width


def interval(
    truth: Array,
    predicted: Array,
    calibration: Calibration,
    *,
    regions: tuple[str, ...],
    people: Sequence[Pseudonym],
    spread: Array | None = None,
    groups: Sequence[str] = (),
) -> Interval | None:
    """Conformal half-widths by region; None when too few people were predicted.

    Each person is calibrated by the slopes, and scaled by the errors, of the others.

    Args:
        truth: (n, R) acquired minus expected, SUVR; NaN where a region was not seen.
        predicted: (n, R) predicted minus expected, before calibration.
        calibration: that prediction goes through.
        regions: keys of the columns.
        people: whose rows.
        spread: (n, R) disagreement of members, samples or bounds, SUVR; NaN = none.
        groups: diagnoses of the rows, empty where unknown; none = no groups.

    Source:
        Lei, G'Sell, Rinaldo, Tibshirani, Wasserman 2018, J Am Stat Assoc 113:1094 (conformal with
        locally scaled errors). Deviates: factors by group, the widest kept (``conformal``).
    """
    owner, n = owners(people)
    if n < MIN_PEOPLE:
        return None
    works = calibration.works and calibration.skill is not None
    deviation = cross_fitted(truth, predicted, people) if works else calibration.applied(predicted)
    error = truth - deviation
    base, others = sizes(error, owner)
    gains = best_gains(error, base, deviation, spread)
    score = np.abs(error) / scale_of(others, deviation, spread, gains)
    named = np.array(list(groups) or [""] * len(truth), dtype=np.str_)
    made, held = factors(Scores(score, np.arange(len(regions)), owner, named), len(regions))
    made = np.where(n_seen(score, owner) >= MIN_PEOPLE, made, 0.0)
    return Interval(
        regions,
        tuple(map(float, base)),
        gains[0],
        tuple(map(float, made)),
        n,
        gain_spread=gains[1],
        held=held,
    )


def intervals(
    pairs: Mapping[str, Shown],
    calibrations: Mapping[str, Calibration],
    regions: tuple[str, ...],
    voxels: VoxelError | None = None,
) -> dict[str, Interval]:
    """Of every set of inputs that enough people have; the voxels' widths follow the regions'.

    Args:
        pairs: by ``subset_key``, the fullest set first.
        calibrations: likewise.
        regions: keys of the columns.
        voxels: as judged with the fullest set.
    """
    made = {
        key: interval(
            each.truth,
            each.predicted,
            calibrations[key],
            regions=regions,
            people=each.people,
            spread=each.spread,
            groups=each.groups,
        )
        for key, each in pairs.items()
    }
    known = {key: each for key, each in made.items() if each is not None}
    if voxels is None or not np.isfinite(voxels.width.factors).all():
        return known
    typical = {key: float(np.nanmean(each.half_widths(np.zeros(1)))) for key, each in known.items()}
    fullest = next(iter(typical.values()), 1.0)
    return {
        key: replace(each, voxels=_wider(voxels.width, typical[key] / fullest))
        for key, each in known.items()
    }


def _wider(width: VoxelWidth, ratio: float) -> VoxelWidth:
    return replace(width, factors=tuple(each * ratio for each in width.factors))
