"""A norm carried to another scanner by a few of its normal people."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import special

from tracerless.core.errors import DatasetError
from tracerless.core.norm import Array, Norm, NormModel, Regression
from tracerless.score.apply import predicted
from tracerless.score.design import outside
from tracerless.score.fit import other_references

R = TypeVar("R", bound=Regression)
MIN_LOCAL = 10
"""Normal people of the new scanner; 15 are better."""


def transferred(
    norm: Norm,
    key: str,
    values: pd.DataFrame,
    people: pd.DataFrame,
    reference_means: pd.DataFrame | None = None,
    *,
    digests: Sequence[str] = (),
) -> Norm:
    """The norm with location and spread of another scanner or reconstruction.

    Offset and spread of every measure are estimated from the local people and shrunk towards what
    all measures have in common; what stays unsure of both goes into the predictive variance and
    its degrees of freedom. Location is never moved alone.

    Args:
        norm: of the old scanner.
        key: name of the new norm.
        values: (k local normal people, the norm's measures), complete.
        people: same index; the norm's covariates.
        reference_means: as for `fit.norm`.
        digests: ``person_digest`` of each local person.

    Raises:
        DatasetError: fewer than `MIN_LOCAL` local people, or one outside the norm's covariates.

    Source:
        Johnson, Li, Rabinovic 2007, Biostatistics 8:118 (empirical Bayes for location and scale).
        Deviates: posterior variances are kept and enter the prediction.
    """
    if len(values) < MIN_LOCAL:
        raise DatasetError(
            f"{len(values)} normal people of the new scanner; a transfer needs {MIN_LOCAL}.",
            hint="Scan more normal people there (15 are better), or report ratios only.",
        )
    reasons = [r for r in outside(norm.design, norm.models[norm.measured.reference], people) if r]
    if reasons:
        raise DatasetError(
            f"{len(reasons)} of the local people are outside the norm: {reasons[0]}.",
            hint="Leave them out.",
        )
    values = values[list(norm.names)]
    tables = {norm.measured.reference: values}
    if reference_means is not None:
        others = other_references(values, reference_means, norm.data_driven)
        tables |= {name: table for name, table in others.items() if name in norm.models}
    models = {
        name: _moved(norm, norm.models[name], table, people) for name, table in tables.items()
    }
    return replace(
        norm,
        key=key,
        models=models,
        n_local=len(values),
        calibration=None,
        ceilings={},
        people=tuple(sorted({*norm.people, *digests})),
    )


def _moved(norm: Norm, model: NormModel, values: pd.DataFrame, people: pd.DataFrame) -> NormModel:
    """One model with the new scanner's location and spread."""
    residuals = predicted(norm, model, values, people).distance
    return moved(model, residuals.mean(axis=0), residuals.var(axis=0, ddof=1), len(residuals))


def moved(model: R, mean: Array, variance: Array, k: int) -> R:
    """A regression with the location and spread of k local people.

    Args:
        model: of the old scanner, f columns.
        mean: (f,) of the local people's distances in its standard deviations.
        variance: (f,) of the same, unbiased.
        k: local people.
    """
    scale2, scale_dof, borrowed = _spreads(variance, k - 1)
    location, unsure = _locations(mean, scale2 / k)
    return replace(
        model,
        sd=model.sd * np.sqrt(scale2),
        shift=model.shift + location * model.sd,
        extra=unsure / scale2,
        ratio=model.ratio / scale2,
        dof=1 / (borrowed**2 / model.dof + 1 / scale_dof),
    )


def _locations(mean: Array, error2: Array) -> tuple[Array, Array]:
    """(posterior mean, posterior variance) of each offset under a normal prior of all."""
    center = float(mean.mean())
    between = max(float(mean.var(ddof=1) - error2.mean()), 1e-6) if len(mean) > 1 else 1e6
    weight = between / (between + error2)
    return center + weight * (mean - center), weight * error2


def _spreads(variance: Array, dof: int) -> tuple[Array, float, float]:
    """Posterior variance ratios, their degrees of freedom, and which part of them is borrowed.

    The prior is a scaled inverse chi-square of all measures; its degrees of freedom follow from the
    scatter of the log variances. What is borrowed leans on the old scanner's spread of the measure.

    Source:
        Smyth 2004, Stat Appl Genet Mol Biol 3:3, section 6.2 (moments of log variances).
    """
    log = np.log(np.maximum(variance, 1e-12))
    e = log - special.digamma(dof / 2) + np.log(dof / 2)
    scatter = float(e.var(ddof=1)) if len(e) > 1 else 0.0
    excess = scatter - float(special.polygamma(1, dof / 2))
    prior = 2 * inverse_trigamma(excess) if excess > 0 else 1e3
    prior = min(prior, 1e3)
    common = float(np.exp(e.mean() + special.digamma(prior / 2) - np.log(prior / 2)))
    posterior = (prior * common + dof * variance) / (prior + dof)
    # measures hang together, so a common part is known no better than the local people allow
    return posterior, min(prior + dof, 3.0 * dof), prior / (prior + dof)


def inverse_trigamma(y: float) -> float:
    """The x whose trigamma is y, by Newton's steps on 1 / trigamma."""
    x = 0.5 + 1 / y
    for _ in range(50):
        tri = float(special.polygamma(1, x))
        step = tri * (1 - tri / y) / float(special.polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return x
