"""Covariates as rows of a regression, and the refusal to go beyond the people behind a norm."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.errors import DatasetError, did_you_mean
from tracerless.core.norm import Array, Design, Regression

COVARIATES = ("age", "sex", "education_years")
MIN_FOR_SPLINE = 60
"""From so many people on, age counts by a natural cubic spline of 3 degrees of freedom."""
N_KNOTS = 4
MIN_OF_A_SEX = 3
"""A sex with fewer people in the norm is outside it."""


def design(people: pd.DataFrame, covariates: Sequence[str]) -> Design:
    """The design that these people carry.

    Args:
        people: one row a person; complete in the covariates.
        covariates: among `COVARIATES`.

    Raises:
        DatasetError: an unknown covariate, or one that does not vary.
    """
    for name in covariates:
        if name not in COVARIATES:
            raise DatasetError(f"No covariate {name!r}.", hint=did_you_mean(name, COVARIATES))
    numeric = [name for name in covariates if name != "sex"]
    counts = people["sex"].value_counts() if "sex" in covariates else pd.Series(dtype=int)
    sexes = tuple(sorted(str(sex) for sex, n in counts.items() if n >= MIN_OF_A_SEX))
    for name in numeric:
        if not people[name].std() > 0:
            raise DatasetError(
                f"{name} is the same in all {len(people)} normal people.",
                hint=f"Leave out the covariate {name}, or add people.",
            )
    spline = "age" in covariates and len(people) >= MIN_FOR_SPLINE
    shares = np.linspace(0.05, 0.95, N_KNOTS)
    knots = np.unique(np.quantile(people["age"], shares)) if spline else np.zeros(0)
    return Design(
        covariates=tuple(covariates),
        center={name: float(people[name].mean()) for name in numeric},
        knots=tuple(float(k) for k in knots) if len(knots) == N_KNOTS else (),
        low={name: float(people[name].min()) for name in numeric},
        high={name: float(people[name].max()) for name in numeric},
        sexes=sexes,
    )


def rows(how: Design, people: pd.DataFrame) -> Array:
    """(n, p): 1, then each covariate; sex is -.5 for F and .5 for M, and absent with one sex.

    Source:
        Natural cubic spline in the truncated-power form: Hastie, Tibshirani, Friedman, Elements of
        Statistical Learning, 2nd ed., eq. 5.4-5.5.
    """
    columns = [np.ones(len(people))]
    for name in how.covariates:
        if name == "sex":
            if len(how.sexes) > 1:
                columns.append(np.where(people["sex"] == "M", 0.5, -0.5))
            continue
        values = people[name].to_numpy(dtype=np.float64)
        columns.append((values - how.center[name]) / 10.0)
        if name == "age" and how.knots:
            columns += _bends(values, how.knots)
    return np.column_stack(columns)


def decades(how: Design, people: pd.DataFrame) -> Array:
    """(n,) age beyond the norm's center, in decades; zeros where age is no covariate."""
    if "age" not in how.covariates:
        return np.zeros(len(people))
    ages: Array = (people["age"].to_numpy(dtype=np.float64) - how.center["age"]) / 10.0
    return ages


def outside(how: Design, model: Regression, people: pd.DataFrame) -> list[str]:
    """For every person, why the norm does not reach them; empty where it does."""
    reasons = [_outside(how, row) for row in people.to_dict("records")]
    reached = [n for n, reason in enumerate(reasons) if not reason]
    if reached:
        x = rows(how, people.iloc[reached])
        leverage = np.einsum("np,pq,nq->n", x, model.leverage, x)
        joint = " and ".join(how.covariates)
        for n, height in zip(reached, leverage, strict=True):
            if height > model.max_leverage * (1 + 1e-9):
                reasons[n] = f"{joint} together lie outside those of the norm's people"
    return reasons


def _outside(how: Design, person: Mapping[Hashable, Any]) -> str:
    for name in how.covariates:
        value = person.get(name)
        if value in (None, "") or pd.isna(value):
            return f"{name} is missing"
        if name == "sex":
            if str(value) not in how.sexes:
                return f"sex {value} has fewer than {MIN_OF_A_SEX} people in the norm"
        elif not how.low[name] <= float(value) <= how.high[name]:
            low, high = how.low[name], how.high[name]
            return f"{name}={float(value):g} is outside the norm's {low:g}-{high:g}"
    return ""


def _bends(age: Array, knots: Sequence[float]) -> list[Array]:
    """The columns of a natural cubic spline beside the straight line, scaled to decades."""
    last = knots[-1]

    def bend(knot: float) -> Array:
        up: Array = np.maximum(age - knot, 0) ** 3 - np.maximum(age - last, 0) ** 3
        return up / (last - knot) / 100.0

    return [bend(knot) - bend(knots[-2]) for knot in knots[:-2]]
