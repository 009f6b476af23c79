"""Tables of skill and agreement: every number with an interval over people."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.evaluate.moments import Moments
from tracerless.evaluate.panel import ALL, Cells, Draws, Panel, draws

Calls = Callable[[str], str]
"""What a table calls who predicts."""


def skill_table(panel: Panel, against: Mapping[str, tuple[str, ...]], calls: Calls) -> pd.DataFrame:
    """1 - error / error of a rival, over people and regions; 0 = no better than the rival.

    Args:
        panel: over the main atlas and reference.
        against: by who predicts, the rivals it is held against.
        calls: what the table calls them.
    """
    rows = []
    for group, mine in panel.by_group():
        drawn = draws(mine.people, "skill", group)
        for who, rivals in against.items():
            for rival in rivals:
                skills = skill_draws(mine, who, rival, drawn)
                value, low, high = drawn.interval(skills)
                row = (calls(who), calls(rival), group, value, low, high, drawn.n_people)
                rows.append(row)
    return pd.DataFrame(rows, columns=[*TABLES["skill"]])


def skill_draws(panel: Panel, who: str, rival: str, drawn: Draws) -> Cells:
    """(K,) skill of one predictor against another, by draw of people."""
    error, base = errors(panel, who, rival)
    mine = drawn.weights @ np.nansum(error, axis=1)
    theirs = drawn.weights @ np.nansum(base, axis=1)
    exact = theirs <= 0
    skills: Cells = np.where(exact, np.nan, 1 - mine / np.where(exact, 1.0, theirs))
    return skills


def errors(panel: Panel, who: str, rival: str) -> tuple[Cells, Cells]:
    """(N, R) absolute errors of two predictors, SUVR; NaN in the same cells."""
    error, base = (np.abs(panel.predicted[each] - panel.truth) for each in (who, rival))
    unknown = np.isnan(error) | np.isnan(base)
    return np.where(unknown, np.nan, error), np.where(unknown, np.nan, base)


def agreement_table(
    panel: Panel, *, atlas: str, reference: str, mean: str, calls: Calls
) -> pd.DataFrame:
    """Bias, limits of agreement, ICC, CCC, slope and spread by region, and over all regions.

    Args:
        panel: over that atlas and reference.
        atlas: its name.
        reference: its name.
        mean: who predicts the training mean, whose error stands beside.
        calls: what the table calls who predicts.
    """
    drawn = draws(panel.people, "agreement")
    base = Moments.of(panel.truth, panel.predicted[mean], drawn.weights)
    rows = []
    for who, predicted in panel.predicted.items():
        each = Moments.of(panel.truth, predicted, drawn.weights)
        frame = (calls(who), atlas, reference)
        rows += [(*frame, *row) for row in _rows(panel.regions, each, base, drawn)]
        rows += [(*frame, *row) for row in _rows((ALL,), each.together(), base.together(), drawn)]
    return pd.DataFrame(rows, columns=[*TABLES["agreement"]])


def _rows(
    regions: tuple[str, ...], each: Moments, base: Moments, drawn: Draws
) -> Iterator[tuple[str | float, ...]]:
    icc, slope, ccc, ratio = each.icc(), each.slope, each.ccc(), each.sd_ratio
    low, high = each.limits()
    for at, region in enumerate(regions):
        n = each.n[0, at]
        yield (
            region,
            0 if np.isnan(n) else round(float(n)),
            *drawn.interval(each.bias[:, at]),
            float(low[0, at]),
            float(high[0, at]),
            *drawn.interval(icc[:, at]),
            float(ccc[0, at]),
            *drawn.interval(slope[:, at]),
            float(ratio[0, at]),
            float(each.mae[0, at]),
            float(base.mae[0, at]),
        )
