"""Scores with a ceiling: where many normal people reach the best one, percentiles are counted."""

from collections.abc import Mapping, Sequence

import numpy as np

from tracerless.core.norm import Array, Ceiling

MIN_SHARE = 0.15
"""From this share of normal people at the best score on, a test has a ceiling.

Source:
    Terwee et al. 2007, J Clin Epidemiol 60:34, criterion for floor and ceiling effects.
"""


def ceilings(
    names: Sequence[str], value: Array, residuals: Array, limits: Mapping[str, float]
) -> dict[str, Ceiling]:
    """The measures that have a ceiling.

    Args:
        names: of the f measures.
        value: (n, f) of the normal people.
        residuals: (n, f) from their expectation.
        limits: best possible score of a measure; measures without one have no ceiling.
    """
    found = {}
    for column, name in enumerate(names):
        if name in limits:
            share = float(np.mean(value[:, column] == limits[name]))
            if share >= MIN_SHARE:
                ordered = tuple(float(each) for each in np.sort(residuals[:, column]))
                found[name] = Ceiling(float(limits[name]), share, ordered)
    return found


def percentiles(
    known: Mapping[str, Ceiling], names: Sequence[str], expected: Array, value: Array
) -> Array:
    """(n, f) percent of normal people of that age, sex and schooling who score lower.

    Each normal person's residual is put on the expectation and cut off at the best score; who is
    equal counts by half. NaN for measures without a ceiling and where nothing was measured.
    """
    share = np.full(value.shape, np.nan)
    for column, name in enumerate(names):
        if name in known:
            each = known[name]
            scored = expected[:, column, None] + np.array(each.residuals)
            is_best_high = each.limit >= np.nanmedian(expected[:, column])
            cut = np.minimum if is_best_high else np.maximum
            share[:, column] = _counted(cut(scored, each.limit), value[:, column])
    return share


def _counted(normal: Array, value: Array) -> Array:
    """Share below and half the equal ones, percent; scores differ from half a point on."""
    apart = normal - value[:, None]
    counted: Array = 100 * ((apart < -0.5).mean(axis=1) + (np.abs(apart) <= 0.5).mean(axis=1) / 2)
    return np.where(np.isfinite(value), counted, np.nan)
