"""Missing values and scale: fitted on training rows, used on any.

Shared by diagnosis and risk, so that both treat a missing value alike.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.steps import Array, Imputer, Scaler

__all__ = [
    "Imputer",
    "Scaler",
    "fit_imputer",
    "fit_scaler",
    "impute",
    "indicator",
    "scale",
    "shrunk_correlation",
]

MIN_SHARE = 0.05
"""Share of rows that must lack a column before the lack itself becomes a predictor."""
MIN_ROWS = 10
"""Rows that must lack it, and rows that must have it, for the same."""
_LEAST_EIGENVALUE = 1e-3


def indicator(name: str) -> str:
    """The column that says (1) where ``name`` is missing."""
    return f"missing_{name}"


def fit_imputer(table: pd.DataFrame) -> Imputer:
    """Learn what stands for missing values.

    Args:
        table: (n, p) training rows; NaN where nothing was measured. A column that nobody has is
            taken as constant.

    Raises:
        ModelError: no rows.
    """
    values = _floats(table)
    mean, sd = _moments(values)
    correlation = shrunk_correlation((values - mean) / sd)
    names = tuple(str(name) for name in table.columns)
    return Imputer(names, mean, correlation * np.outer(sd, sd), _indicators(names, values))


def impute(imputer: Imputer, table: pd.DataFrame) -> pd.DataFrame:
    """The table without holes, and one column more for each indicator.

    A missing value becomes its expectation under a joint normal distribution given what the row
    has; a row that has nothing becomes the training mean.

    Args:
        imputer: fitted.
        table: (n, p) with the imputer's columns; same index comes back.
    """
    values = _floats(table[list(imputer.names)])
    holes = np.isnan(values)
    filled = np.where(holes, imputer.center, values)
    if holes.any():
        sd = np.sqrt(np.diag(imputer.covariance))
        precision = _inverse(imputer.covariance / np.outer(sd, sd))
        _fill((filled - imputer.center) / sd, holes, precision, out=filled, imputer=imputer)
    columns = [imputer.names.index(name) for name in imputer.indicators]
    return pd.DataFrame(
        np.hstack([filled, holes[:, columns].astype(np.float64)]),
        index=table.index,
        columns=[*imputer.names, *map(indicator, imputer.indicators)],
    )


def fit_scaler(table: pd.DataFrame) -> Scaler:
    """Mean and standard deviation of (n, p) training rows without holes.

    Raises:
        ModelError: no rows.
    """
    mean, sd = _moments(_floats(table))
    return Scaler(tuple(str(name) for name in table.columns), mean, sd)


def scale(scaler: Scaler, table: pd.DataFrame) -> pd.DataFrame:
    """The scaler's columns in standard deviations from the training mean; same index."""
    values = (_floats(table[list(scaler.names)]) - scaler.mean) / scaler.sd
    return pd.DataFrame(values, index=table.index, columns=list(scaler.names))


def shrunk_correlation(z: Array) -> Array:
    """Correlation of (n, p) standardized values, shrunk toward none; positive definite.

    Each pair counts where both were measured (NaN elsewhere).

    Source:
        Schaefer and Strimmer, Stat Appl Genet Mol Biol 2005 (target D). Deviates: the sampling
        variance of a correlation is taken as (1 - r^2)^2 / (n - 1), and eigenvalues below 0.001,
        which pairwise counting can give, are lifted.
    """
    seen = ~np.isnan(z)
    filled = np.where(seen, z, 0.0)
    pairs = seen.T.astype(np.float64) @ seen
    correlation = np.clip(filled.T @ filled / np.maximum(pairs, 1), -1, 1)
    np.fill_diagonal(correlation, 0.0)
    squares = float((correlation**2).sum())
    noise = float(((1 - correlation**2) ** 2 / np.maximum(pairs - 1, 1))[correlation != 0].sum())
    share = min(max(noise / squares, 0.01), 1.0) if squares > 0 else 1.0
    shrunk = (1 - share) * correlation + np.eye(len(correlation))
    lowest, vectors = np.linalg.eigh(shrunk)
    if len(lowest) and lowest[0] < _LEAST_EIGENVALUE:
        shrunk = (vectors * np.maximum(lowest, _LEAST_EIGENVALUE)) @ vectors.T
        spread = np.sqrt(np.diag(shrunk))
        shrunk = shrunk / np.outer(spread, spread)
    result: Array = (shrunk + shrunk.T) / 2
    return result


def _fill(
    standard: Array, holes: NDArray[np.bool_], precision: Array, *, out: Array, imputer: Imputer
) -> None:
    """Write conditional means into the holes of ``out``, pattern by pattern."""
    sd = np.sqrt(np.diag(imputer.covariance))
    patterns, which = np.unique(holes, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        rows = np.flatnonzero(which.reshape(-1) == number)
        pull = precision[np.ix_(pattern, ~pattern)] @ standard[np.ix_(rows, ~pattern)].T
        expected = -np.linalg.solve(precision[np.ix_(pattern, pattern)], pull).T
        out[np.ix_(rows, pattern)] = imputer.center[pattern] + expected * sd[pattern]


def _indicators(names: tuple[str, ...], values: Array) -> tuple[str, ...]:
    holes = np.isnan(values)
    n_holes = holes.sum(axis=0)
    least = max(MIN_SHARE * len(values), MIN_ROWS)
    chosen: dict[bytes, str] = {}
    for column, name in enumerate(names):
        if least <= n_holes[column] <= len(values) - MIN_ROWS:
            chosen.setdefault(holes[:, column].tobytes(), name)
    return tuple(chosen.values())


def _moments(values: Array) -> tuple[Array, Array]:
    seen = ~np.isnan(values)
    n = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, values, 0).sum(axis=0) / n
    away = np.where(seen, values - mean, 0)
    sd = np.sqrt((away**2).sum(axis=0) / n)
    flat = sd <= 1e-12 * np.maximum(np.abs(mean), 1)
    return mean, np.where(flat, 1.0, sd)


def _inverse(matrix: Array) -> Array:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _floats(table: pd.DataFrame) -> Array:
    if not len(table):
        raise ModelError("A step cannot be learned from, or used on, no rows.")
    return table.to_numpy(dtype=np.float64)
