"""Curves and tables of calls: ROC, calibration, decisions, confusion, predictive values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.diagnose.assess_judged import Judged
from tracerless.statistics import calibration, decisions, discrimination
from tracerless.statistics.resampling import Array, wilson

THRESHOLDS: Array = np.arange(5, 96) / 100
"""Of decision curves."""
_GRID: Array = np.arange(101) / 100
_BINS, _PER_BIN, _FEWEST = 10, 20, 3


def roc(every: Sequence[Judged]) -> pd.DataFrame:
    """Table ``roc``: true-positive share at every hundredth of false positives, mean of repeats.

    ``threshold`` is the mean of those that give it.
    """
    tables = []
    for one in every:
        for number in one.shown:
            curves = [
                _on_grid(*discrimination.roc(one.truth == number, each[:, number]))
                for each in one.probability
            ]
            true, threshold = np.mean(curves, axis=0)
            tables.append(_named(one, number, _GRID, true, threshold))
    return _table("roc", [row for table in tables for row in table])


def _on_grid(false: Array, true: Array, threshold: Array) -> tuple[Array, Array]:
    """The curve read at the grid: at a vertical step its upper end."""
    last = np.searchsorted(false, _GRID, side="right") - 1
    ahead = np.minimum(last + 1, len(false) - 1)
    width = np.where(false[ahead] > false[last], false[ahead] - false[last], 1.0)
    share = (_GRID - false[last]) / width
    height = true[last] + share * (true[ahead] - true[last])
    return height, np.minimum(threshold[last], 1.0)


def _named(one: Judged, number: int, *columns: Array) -> list[tuple[Any, ...]]:
    head = (one.arm, one.model, one.classes[number])
    return [(*head, *(float(value) for value in row)) for row in zip(*columns, strict=True)]


def calibration_table(every: Sequence[Judged]) -> pd.DataFrame:
    """Table ``calibration``: ten bins of equal size, fewer where a bin would hold under 20 rows.

    Repeats are laid together; ``n`` and the interval are those of one repeat.
    """
    rows = []
    for one in every:
        n, repeats = len(one.truth), len(one.probability)
        n_bins = int(np.clip(n // _PER_BIN, _FEWEST, _BINS))
        for number in one.shown:
            positive = np.tile(one.truth == number, repeats)
            bins = calibration.reliability(positive, one.probability[:, :, number].ravel(), n_bins)
            for predicted, observed, _, _, many in bins.to_numpy(dtype=np.float64):
                share = wilson(observed * many / repeats, many / repeats)
                head = (one.arm, one.model, one.classes[number], float(predicted))
                rows.append((*head, *share, round(float(many) / repeats, 1)))
    return _table("calibration", rows)


def decision_curve(every: Sequence[Judged]) -> pd.DataFrame:
    """Table ``decision_curve`` of being positive (another class than the first)."""
    rows = []
    for one in every:
        benefit = np.mean(
            [decisions.net_benefit(one.positive, each, THRESHOLDS) for each in one.suspicion],
            axis=0,
        )
        every_one = decisions.treat_all(float(one.positive.mean()), THRESHOLDS)
        rows += [
            (one.arm, one.model, *(float(value) for value in row))
            for row in zip(THRESHOLDS, benefit, every_one, strict=True)
        ]
    return _table("decision_curve", rows)


def confusion(every: Sequence[Judged]) -> pd.DataFrame:
    """Table ``confusion``: rows of each true and called class, mean over repeats."""
    rows = []
    for one in every:
        for truth, name in enumerate(one.classes):
            own = one.called[:, one.truth == truth]
            for said, other in enumerate(one.classes):
                n = round(float((own == said).sum(axis=1).mean()), 2)
                rows.append((one.arm, one.model, name, other, n))
    return _table("confusion", rows)


def predictive_values(one: Judged, settings: Mapping[str, float]) -> pd.DataFrame:
    """Table ``predictive_values``: what a call means at stated prevalences.

    Args:
        one: the model.
        settings: prevalence of being positive by the words for where.
    """
    pairs = [discrimination.rates(one.positive, called != 0) for called in one.called]
    found, passed = (float(np.mean([pair[side][0] for pair in pairs])) for side in (0, 1))
    n_positive, n_negative = _people(one)
    rows = []
    for words, prevalence in settings.items():
        both = decisions.predictive_values(
            found, passed, prevalence, n_positive=n_positive, n_negative=n_negative
        )
        rows += [
            (words, prevalence, quantity, *interval)
            for quantity, interval in zip(("PPV", "NPV"), both, strict=True)
        ]
    return _table("predictive_values", rows)


def _people(one: Judged) -> tuple[int, int]:
    """How many people were ever positive, and never."""
    ill = {who for who, is_ill in zip(one.person, one.positive, strict=True) if is_ill}
    well = set(one.person) - ill
    return max(len(ill), 1), max(len(well), 1)


def _table(name: str, rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(TABLES[name]))
