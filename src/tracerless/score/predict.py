"""What a regression expects of a person, and how rare what was measured is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from tracerless.core.norm import Array, Design, Regression
from tracerless.score.design import decades, rows


@dataclass(frozen=True, slots=True)
class Held:
    """Of (n people, f measures): the expectation, and how far from it they are."""

    expected: Array
    distance: Array
    """(value - expectation) over the plain spread."""
    share: Array
    """Variance of the expectation over that of one person."""
    dof: Array

    @property
    def t(self) -> Array:
        """Distance over the standard deviation of a prediction; Student's t with ``dof``."""
        t: Array = self.distance / np.sqrt(1 + self.share)
        return t


@dataclass(frozen=True, slots=True)
class Predicted(Held):
    """The same with the normal score of t, which is the predictive z."""

    z: Array


def predict(
    how: Design,
    model: Regression,
    value: Array,
    people: pd.DataFrame,
    members: Array | None = None,
) -> Predicted:
    """Expectation and predictive z; arguments as for `hold`."""
    found = hold(how, model, value, people, members)
    return Predicted(
        found.expected, found.distance, found.share, found.dof, normal_score(found.t, found.dof)
    )


def hold(
    how: Design,
    model: Regression,
    value: Array,
    people: pd.DataFrame,
    members: Array | None = None,
) -> Held:
    """Values held against a regression.

    A member is held against the regression without itself, by the algebra of deleted residuals.

    Args:
        how: covariates.
        model: f columns.
        value: (n, f).
        people: n rows within reach of the design.
        members: (n,) 1 for a row that the regression was fitted on.

    Source:
        Cook, Weisberg 1982, Residuals and Influence in Regression, eq. 2.2.8 and 2.2.10.
    """
    x = rows(how, people)
    spread = model.sd * np.exp(np.outer(decades(how, people), model.sd_slope))
    leverage = np.einsum("np,pq,nq->n", x, model.leverage, x)
    share = np.outer(leverage, model.ratio) + model.extra
    expected = x @ model.coefficients + model.shift
    distance = (value - expected) / spread
    dof = np.broadcast_to(model.dof, distance.shape).copy()
    own = np.zeros(len(value), dtype=bool) if members is None else members > 0
    if own.any():
        left = np.maximum(1 - share[own], 1e-9)
        deleted = distance[own] / left
        known = np.isfinite(deleted)
        squares = dof[own] - np.where(known, distance[own] * deleted, 0)
        narrower = np.sqrt(np.maximum(squares, 1e-9) / (dof[own] - 1))
        expected[own] = value[own] - deleted * spread[own]
        distance[own] = deleted / narrower
        share[own] = share[own] / left
        dof[own] -= 1
    return Held(expected, distance, share, dof)


def normal_score(t: Array, dof: Array) -> Array:
    """The standard normal deviate as rare as a t; exact in both tails."""
    tail = stats.t.sf(np.abs(t), np.broadcast_to(dof, t.shape))
    score: Array = -np.sign(t) * special.ndtri(tail)
    return score
