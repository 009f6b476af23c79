"""What one set of predictors adds to another, on the same people."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.errors import ModelError
from tracerless.core.study import Arm
from tracerless.diagnose.assess_judged import Judged
from tracerless.diagnose.assess_measures import BOOTSTRAPPED, SMALL, auc_moved
from tracerless.statistics import decisions, discrimination
from tracerless.statistics.resampling import Array, Interval, Resample, corrected_t

PAIRS: tuple[tuple[Arm, Arm], ...] = (
    (Arm.COGNITION, Arm.BOTH),
    (Arm.IMAGE, Arm.BOTH),
    (Arm.DEMOGRAPHICS, Arm.IMAGE),
    (Arm.DEMOGRAPHICS, Arm.COGNITION),
    (Arm.BOTH, Arm.LEAKY),
)
"""The first is the headline: what the image adds to cognition."""

BENEFIT_AT = (0.2, 0.5)
"""Thresholds at which the gain in net benefit is said."""


def increments(every: Sequence[Judged], drawn: Resample) -> pd.DataFrame:
    """Table ``increments``: second arm less first, of each model.

    ``auc`` by DeLong on paired rows (widened to the bootstrap's interval under a hundred people);
    ``log_loss`` and ``brier`` (below 0 is better), ``balanced_accuracy`` and
    ``net_benefit@…`` (above 0 is better) by drawing people.

    Raises:
        ModelError: arms were not judged on the same rows.
    """
    rows = []
    by = {(one.arm, one.model): one for one in every}
    models = list(dict.fromkeys(one.model for one in every))
    for before, after in PAIRS:
        for model in models:
            pair = by.get((before.value, model)), by.get((after.value, model))
            if pair[0] is not None and pair[1] is not None and model != "prevalence":
                rows += _pair(pair[0], pair[1], drawn)
    return pd.DataFrame(rows, columns=list(TABLES["increments"]))


def between_models(every: Sequence[Judged]) -> list[dict[str, Any]]:
    """Area of each model less that of the one before it, on the same arm (DeLong)."""
    found = []
    for arm in dict.fromkeys(one.arm for one in every):
        mine = [one for one in every if one.arm == arm and one.model != "prevalence"]
        for one, other in itertools.pairwise(mine):
            interval, p = _auc(one, other)
            found.append(
                {
                    "arm": arm,
                    "model": other.model,
                    "against": one.model,
                    **interval._asdict(),
                    "p": p,
                }
            )
    return found


def over_folds(
    before: Judged, after: Judged, fold: NDArray[np.intp]
) -> tuple[Interval, float] | None:
    """Mean gain in area over the folds by the corrected t test; None where a fold lacks a class.

    Args:
        before: judged on the same rows and folds.
        after: as ``before``.
        fold: (repeats, n).
    """
    gains = []
    for repeat, dealt in enumerate(fold):
        for number in np.unique(dealt):
            inside = dealt == number
            try:
                gains.append(_within(after, repeat, inside) - _within(before, repeat, inside))
            except ModelError:
                return None
    return corrected_t(np.array(gains), test_share=1 / len(np.unique(fold)))


def _within(one: Judged, repeat: int, inside: NDArray[np.bool_]) -> float:
    areas = [
        discrimination.auc(one.truth[inside] == number, one.probability[repeat, inside, number])
        for number in one.shown
    ]
    return float(np.mean(areas))


def _pair(before: Judged, after: Judged, drawn: Resample) -> list[tuple[Any, ...]]:
    if not np.array_equal(before.truth, after.truth) or before.person != after.person:
        raise ModelError(f"{before.arm} and {after.arm} were not judged on the same rows.")
    head = before.arm, after.arm, before.model
    area, p = _auc(before, after)
    if len(set(before.person)) < SMALL:
        drawn_area, _ = drawn.interval(_gain(before, after, BOOTSTRAPPED["auc"]))
        area = Interval(area.value, min(area.low, drawn_area.low), max(area.high, drawn_area.high))
    rows: list[tuple[Any, ...]] = [(*head, "auc", *area, p)]
    for name, how in _DRAWN.items():
        interval, p = drawn.interval(_gain(before, after, how))
        rows.append((*head, name, *interval, p))
    return rows


def _auc(before: Judged, after: Judged) -> tuple[Interval, float]:
    (one, moved), (two, also) = auc_moved(before), auc_moved(after)
    difference = (also - moved)[:, None]
    variance = float(discrimination.clustered(difference, before.person)[0, 0])
    return discrimination.difference_interval(two - one, variance)


def _gain(
    before: Judged, after: Judged, how: Callable[[Judged, Array], Array]
) -> Callable[[Array], Array]:
    return lambda weights: how(after, weights) - how(before, weights)


def _benefit(threshold: float) -> Callable[[Judged, Array], Array]:
    at = np.array([threshold])

    def measure(one: Judged, weights: Array) -> Array:
        every = [
            decisions.net_benefit(one.positive, each, at, weights)[:, 0] for each in one.suspicion
        ]
        return np.asarray(np.mean(every, axis=0))

    return measure


_DRAWN: Mapping[str, Callable[[Judged, Array], Array]] = {
    **{name: BOOTSTRAPPED[name] for name in ("log_loss", "brier", "balanced_accuracy")},
    **{f"net_benefit@{at:.2f}": _benefit(at) for at in BENEFIT_AT},
}
