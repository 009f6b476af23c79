"""A norm from the tables of normal people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.covariance import ledoit_wolf

from tracerless.core.errors import DatasetError
from tracerless.core.norm import Array, Design, Measured, Norm, NormModel
from tracerless.core.seeds import generator
from tracerless.score.calibrate import calibration
from tracerless.score.ceilings import ceilings
from tracerless.score.design import decades, design, rows
from tracerless.score.predict import predict
from tracerless.score.robust import huber
from tracerless.score.shape import bent, shapes

DATA_DRIVEN = "data_driven"
N_DATA_DRIVEN = 6
"""Regions that make the data-driven reference: those that scatter least over normal people."""
MIN_FOR_SPREAD = 120
"""From so many people on, the spread may change with age."""
MIN_TO_FIT = 3
"""People beyond the columns of the regression."""
FAMILY_CHANCE = 0.05
SD_LOG_NORMAL = 1.110720735
"""Standard deviation of log |z| of a standard normal z."""
_DRAWS, _CHUNK = 200_000, 20_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a norm is fitted, and what is known of its people.

    Args:
        confirmed_years: how long the people were followed and stayed normal.
        digests: ``person_digest`` of each of them.
        robust: whether outlying people count less (Huber).
        limits: best possible score of a measure, where there is one.
        turned: measures of which more is worse.
        shaped: whether z is bent where normal people's is not normal (`score.shape`).
    """

    confirmed_years: float = 0.0
    digests: tuple[str, ...] = ()
    robust: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    turned: tuple[str, ...] = ()
    shaped: bool = False


def norm(
    key: str,
    values: pd.DataFrame,
    people: pd.DataFrame,
    *,
    measured: Measured,
    covariates: Sequence[str],
    reference_means: pd.DataFrame | None = None,
    options: Options | None = None,
) -> Norm:
    """Fit a norm.

    Args:
        key: name of the norm; also the seed of its draws.
        values: (n people, f measures), complete; ratios to ``measured.reference`` for regions.
        people: same index; the covariates.
        measured: what the values are.
        covariates: among ``age``, ``sex``, ``education_years``.
        reference_means: same index, one column per reference region: the mean of the volume there
            in units of ``values``; so a ratio to another reference is a division.
        options: robustness, ceilings, and what is known of the people.

    Raises:
        DatasetError: too few people for the covariates, or a measure that does not vary.
    """
    _require_fit(values, covariates)
    how, chosen = design(people, covariates), options or Options()
    main = model(values, people, how, robust=chosen.robust)
    models = {measured.reference: main}
    steady: tuple[str, ...] = ()
    if reference_means is not None and len(values.columns) > N_DATA_DRIVEN:
        steady = _steadiest(values, main)
        for name, divided in other_references(values, reference_means, steady).items():
            if name != measured.reference:
                models[name] = model(divided, people, how, robust=chosen.robust)
    seed, names = f"norm {key}", tuple(str(name) for name in values.columns)
    signs = np.array([-1.0 if name in chosen.turned else 1.0 for name in names])
    cut = family_cut(main.correlation * np.outer(signs, signs), seed)
    y = values.to_numpy(dtype=np.float64)
    found = predict(how, main, y, people, np.ones(len(y)))
    curves = shapes(names, found.z) if chosen.shaped else {}
    residuals = y - predict(how, main, y, people).expected
    return Norm(
        key=key,
        measured=measured,
        names=names,
        design=how,
        models=models,
        n=len(values),
        n_local=0,
        family_cut=cut,
        data_driven=steady,
        confirmed_years=chosen.confirmed_years,
        seed=seed,
        people=tuple(sorted(chosen.digests)),
        robust=chosen.robust,
        calibration=calibration(bent(curves, names, found.z) * signs, cut),
        shapes=curves,
        turned=tuple(name for name in names if name in chosen.turned),
        ceilings=ceilings(names, y, residuals, chosen.limits),
    )


def model(
    values: pd.DataFrame, people: pd.DataFrame, how: Design, *, robust: bool = False
) -> NormModel:
    """Regression on the design; the spread may follow age when there are many people.

    With ``robust`` by Huber's estimate, else by least squares.
    """
    x, y = rows(how, people), values.to_numpy(dtype=np.float64)
    n, p = x.shape
    leverage: Array = np.linalg.pinv(x.T @ x).astype(np.float64)
    if robust:
        coefficients, sd = huber(x, y)
        residuals = y - x @ coefficients
    else:
        coefficients = leverage @ x.T @ y
        residuals = y - x @ coefficients
        sd = np.sqrt((residuals**2).sum(axis=0) / (n - p))
    slope = np.zeros(y.shape[1])
    if n >= MIN_FOR_SPREAD and "age" in how.covariates:
        along = decades(how, people)
        slope = spread_slopes(residuals / sd, along)
        residuals = residuals / np.exp(np.outer(along, slope))
        if not robust:
            sd = np.sqrt((residuals**2).sum(axis=0) / (n - p))
    f = y.shape[1]
    return NormModel(
        coefficients=coefficients,
        sd=sd,
        sd_slope=slope,
        leverage=leverage,
        max_leverage=float(np.einsum("np,pq,nq->n", x, leverage, x).max()),
        dof=np.full(f, float(n - p)),
        shift=np.zeros(f),
        extra=np.zeros(f),
        ratio=np.ones(f),
        correlation=_correlation(residuals),
    )


def other_references(
    values: pd.DataFrame, reference_means: pd.DataFrame, steady: Sequence[str]
) -> Mapping[str, pd.DataFrame]:
    """The same measures as ratios to every other reference, and to the steadiest regions."""
    divided = {
        str(name): values.div(reference_means[name], axis=0)
        for name in reference_means.columns
        if np.isfinite(reference_means[name]).all()
    }
    if steady:
        divided[DATA_DRIVEN] = values.div(values[list(steady)].mean(axis=1), axis=0)
    return divided


def family_cut(correlation: Array, seed: str) -> float:
    """The z that the lowest of all measures of a normal person falls below with a chance of 5 %.

    Each measure's predictive z is standard normal; their dependence is that of the residuals.
    """
    root = np.linalg.cholesky(correlation + 1e-9 * np.eye(len(correlation)))
    random = generator(seed, "family")
    lowest = np.concatenate(
        [
            (root @ random.standard_normal((len(correlation), _CHUNK))).min(axis=0)
            for _ in range(_DRAWS // _CHUNK)
        ]
    )
    return float(np.quantile(lowest, FAMILY_CHANCE))


def _steadiest(values: pd.DataFrame, of: NormModel) -> tuple[str, ...]:
    """Regions whose spread is smallest for their level."""
    share = of.sd / values.mean(axis=0).to_numpy(dtype=np.float64)
    order = np.argsort(share, kind="stable")[:N_DATA_DRIVEN]
    return tuple(sorted(str(values.columns[i]) for i in order))


def _correlation(residuals: Array) -> Array:
    """Correlation of the residuals, shrunk towards none as far as n demands (Ledoit, Wolf 2004)."""
    standard = residuals / np.maximum(residuals.std(axis=0), 1e-300)
    if residuals.shape[1] == 1:
        return np.ones((1, 1))
    covariance, _ = ledoit_wolf(standard, assume_centered=True)
    scale = np.sqrt(np.diag(covariance))
    correlation: Array = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def spread_slopes(standard: Array, along: Array) -> Array:
    """Change of log spread a decade, each measure's own shrunk towards the mean of all."""
    log_square = np.log(np.maximum(standard**2, 1e-12)) / 2
    centered = along - along.mean()
    own = centered @ log_square / (centered**2).sum()
    return shrunken(own, SD_LOG_NORMAL / float(np.sqrt((centered**2).sum())))


def shrunken(own: Array, error: float) -> Array:
    """Estimates of equal standard error, shrunk towards their mean as far as they scatter less."""
    between = max(float(own.var()) - error**2, 0.0)
    mean = float(own.mean())
    result: Array = mean + (own - mean) * between / (between + error**2)
    return result


def _require_fit(values: pd.DataFrame, covariates: Sequence[str]) -> None:
    n, needed = len(values), 1 + len(covariates) + MIN_TO_FIT
    if n < needed:
        raise DatasetError(
            f"{n} normal people with all of {', '.join(covariates) or 'no covariate'}; a norm "
            f"needs {needed}.",
            hint="Add normal people, or name fewer covariates.",
        )
    flat = [str(name) for name in values.columns if not values[name].std() > 0]
    if flat:
        raise DatasetError(
            f"{', '.join(flat)} has one single value in all {n} normal people.",
            hint="Leave it out: a spread cannot be told.",
        )
