"""What scanners add to regions and stretch in them, by empirical Bayes, inside a fold."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.steps import Array, Harmonizer

MIN_ROWS = 10
"""Training rows that a scanner needs before anything is taken out of its values."""


def fit_harmonizer(
    values: pd.DataFrame,
    people: pd.DataFrame,
    *,
    scanner: NDArray[np.str_],
    truth: NDArray[np.intp],
) -> tuple[Harmonizer | None, str]:
    """(fitted step, note): None where there is nothing to tell apart.

    Age, sex and diagnosis stand in the regression beside the scanners, so that their effect stays
    in the values; a diagnosis is not needed when the step is used.

    Args:
        values: (n, f) ratios of training rows; rows with a hole are left out.
        people: ``age`` and ``sex``; same index.
        scanner: (n,) empty where unknown.
        truth: (n,) class.

    Source:
        The model of Johnson, Li and Rabinovic, Biostatistics 2007 (ComBat): shift and stretch of
        one scanner share a prior over regions. Deviates: the prior of the stretch is normal on its
        logarithm, whose sampling variance is 1 / (2 dof).
    """
    whole = values.notna().all(axis=1).to_numpy()
    counts = {name: int((whole & (scanner == name)).sum()) for name in sorted(set(scanner) - {""})}
    known = tuple(name for name, n in counts.items() if n >= MIN_ROWS)
    if len(known) < 2:
        return None, ""
    used = whole & np.isin(scanner, known)
    own = np.equal.outer(scanner[used], np.array(known)).astype(np.float64)
    covariates, center = _covariates(people[used])
    classes = np.equal.outer(truth[used], np.unique(truth[used])[1:]).astype(np.float64)
    design = np.hstack([own, covariates, classes - classes.mean(axis=0)])
    varying = np.ptp(design, axis=0) > 0
    if np.linalg.matrix_rank(design[:, varying]) < varying.sum():
        return None, (
            "Scanners and diagnoses coincide: what a scanner adds cannot be told from disease, "
            "and was left in."
        )
    y: Array = values[used].to_numpy(dtype=np.float64)
    weights = np.zeros((design.shape[1], y.shape[1]))
    weights[varying] = np.linalg.lstsq(design[:, varying], y, rcond=None)[0]
    shift, stretch, mean = _empirical_bayes(y - design @ weights, own, weights[: len(known)])
    slopes = weights[len(known) : len(known) + 2]
    names = tuple(str(name) for name in values.columns)
    return Harmonizer(names, known, shift, stretch, np.vstack([mean, slopes]), center), ""


def harmonize(
    step: Harmonizer, values: pd.DataFrame, people: pd.DataFrame, *, scanner: NDArray[np.str_]
) -> pd.DataFrame:
    """Values without what their scanner adds and stretches; unknown scanners pass unchanged."""
    covariates, _ = _covariates(people, step.center)
    expected = step.expected[0] + covariates @ step.expected[1:]
    place = {name: number for number, name in enumerate(step.scanners)}
    rows = np.array([place.get(str(name), -1) for name in scanner], dtype=np.intp)
    known = rows >= 0
    out: Array = values[list(step.names)].to_numpy(dtype=np.float64).copy()
    away = out[known] - expected[known] - step.shift[rows[known]]
    out[known] = expected[known] + away / step.stretch[rows[known]]
    return pd.DataFrame(out, index=values.index, columns=list(step.names))


def _empirical_bayes(residuals: Array, own: Array, effects: Array) -> tuple[Array, Array, Array]:
    """(shift, stretch, mean) of (s, f) effects, each scanner shrunk toward its own mean."""
    n = own.sum(axis=0)[:, None]
    mean = (n * effects).sum(axis=0) / n.sum()
    sd = np.sqrt(np.maximum((residuals**2).mean(axis=0), 1e-24))
    spread = np.sqrt(np.maximum((own.T @ residuals**2) / (n - 1), 1e-24))
    shift = _shrunk((effects - mean) / sd, (spread / sd) ** 2 / n) * sd
    log = np.log(spread)
    log = log - (n * log).sum(axis=0) / n.sum()
    stretch = np.exp(_shrunk(log, np.broadcast_to(1 / (2 * (n - 1)), log.shape)))
    return shift, stretch, mean


def _shrunk(found: Array, noise: Array) -> Array:
    """Row by row toward the row's mean, as far as noise explains how it varies over regions."""
    center = found.mean(axis=1, keepdims=True)
    between = np.maximum(found.var(axis=1, keepdims=True) - noise.mean(axis=1, keepdims=True), 0)
    result: Array = center + (found - center) * between / (between + noise)
    return result


def _covariates(
    people: pd.DataFrame, center: tuple[float, float] | None = None
) -> tuple[Array, tuple[float, float]]:
    age = pd.to_numeric(people["age"], errors="coerce").to_numpy(dtype=np.float64)
    sex = people["sex"].fillna("").astype(str).to_numpy()
    male = np.where(sex == "", np.nan, (sex == "M").astype(np.float64))
    if center is None:
        center = (_mean(age), _mean(male))
    columns = [np.nan_to_num(age - center[0]), np.nan_to_num(male - center[1])]
    return np.column_stack(columns), center


def _mean(values: Array) -> float:
    seen = values[~np.isnan(values)]
    return float(seen.mean()) if len(seen) else 0.0
