"""Of whom a model may speak: nobody far from the people it learned from."""

import math

import numpy as np
import pandas as pd

from tracerless.core.classifier import Preparation, Reach, Scorer
from tracerless.core.steps import Array
from tracerless.diagnose.models import sensitivity
from tracerless.diagnose.prepare import Inputs
from tracerless.statistics.steps import shrunk_correlation

SHARE_BEYOND = 0.01
"""Of people like those in training, as many lie beyond the farthest distance."""
_COVARIATES = ("age", "education_years")


def precision(x: Array) -> Array:
    """(q, q) inverse of the shrunk correlation of (n, q) standardized inputs."""
    return np.asarray(np.linalg.inv(shrunk_correlation(x)), dtype=np.float64)


def distance(inverse: Array, x: Array) -> Array:
    """(n,) squared Mahalanobis distance of (n, q) inputs from the training mean."""
    result: Array = np.einsum("nq,qr,nr->n", x, inverse, x, optimize=True)
    return result


def farthest(held_out: Array) -> float:
    """The distance that one in a hundred held-out people exceeds; fewer than 99: the largest."""
    rank = math.ceil((len(held_out) + 1) * (1 - SHARE_BEYOND))
    return float(np.sort(held_out)[min(rank, len(held_out)) - 1])


def fit_reach(
    scorer: Scorer,
    inputs: Inputs,
    people: pd.DataFrame,
    *,
    made: Preparation,
    held_out: Array,
    max_missing: float,
) -> Reach:
    """What the training rows span.

    Args:
        scorer: whose weight may be missing.
        inputs: of the training rows.
        people: of the training rows.
        made: their preparation.
        held_out: (n,) distances of rows from models that did not see them.
        max_missing: share of the weight that may be missing.
    """
    moved = sensitivity(scorer, inputs.values)[: len(made.keys)]
    low, high = {}, {}
    for name in _COVARIATES:
        known = pd.to_numeric(people[name], errors="coerce").dropna()
        if name in made.keys and len(known):
            low[name], high[name] = float(known.min()), float(known.max())
    return Reach(
        precision=precision(inputs.values),
        farthest=farthest(held_out),
        weight=moved / moved.sum() if moved.sum() > 0 else moved,
        max_missing=max_missing,
        low=low,
        high=high,
        sexes=tuple(sorted(set(people["sex"].fillna("").astype(str)) - {""})),
    )


def beyond(reach: Reach, inputs: Inputs, people: pd.DataFrame) -> list[str]:
    """For every row, why the model should not answer; empty where it may."""
    away = distance(reach.precision, inputs.values)
    missing = inputs.holes @ reach.weight
    reasons = []
    for number in range(len(people)):
        reason = _covariates(reach, people.iloc[number])
        if not reason and missing[number] > reach.max_missing:
            reason = (
                f"{missing[number]:.0%} of the model's weight hangs on values that are missing; "
                f"{reach.max_missing:.0%} may."
            )
        if not reason and away[number] > reach.farthest:
            reason = (
                f"Unlike anybody in training: squared distance {away[number]:.0f}, "
                f"at most {reach.farthest:.0f} is answered."
            )
        reasons.append(reason)
    return reasons


def _covariates(reach: Reach, person: "pd.Series") -> str:
    for name, low in reach.low.items():
        value = pd.to_numeric(person[name], errors="coerce")
        high = reach.high[name]
        if pd.isna(value):
            if name == "age":
                return "age is missing."
        elif not low <= value <= high:
            return f"{name}={value:g} is outside {low:g}-{high:g}, the people it learned from."
    sex = "" if pd.isna(person["sex"]) else str(person["sex"])
    if sex and sex not in reach.sexes:
        return f"sex {sex} was not among the people it learned from."
    return ""
