"""Tables of skill and agreement: every number with an interval over people."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.evaluate.measures import absolute, skills
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
        for who, rivals in against.items():
            for rival in rivals:
                able = mine.rows(mine.known(who) & mine.known(rival))
                drawn = draws(able.people, "skill", group)
                value, low, high = drawn.interval(skill_draws(able, who, rival, drawn))
                row = (calls(who), calls(rival), group, value, low, high, drawn.n_people)
                rows.append(row)
    return pd.DataFrame(rows, columns=[*TABLES["skill"]])


def skill_draws(panel: Panel, who: str, rival: str, drawn: Draws) -> Cells:
    """(K,) skill of one predictor against another, by draw of people."""
    pair = absolute(panel.truth, panel.predicted[who], panel.predicted[rival])
    return skills(*pair, drawn.weights)


def agreement_table(
    panel: Panel, *, atlas: str, reference: str, mean: str, calls: Calls
) -> pd.DataFrame:
    """Bias, limits, ICC, CCC, both slopes and spread by region, and over all regions.

    Every measure with its interval over people.

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
    measures = (
        each.bias, *each.limits(), each.icc(), each.ccc(), each.slope, each.calibration,
        each.sd_ratio,
    )  # fmt: skip
    for at, region in enumerate(regions):
        n = each.n[0, at]
        yield (
            region,
            0 if np.isnan(n) else round(float(n)),
            *(bound for one in measures for bound in drawn.interval(one[:, at])),
            float(each.mae[0, at]),
            float(base.mae[0, at]),
        )
