"""Left against right: whether the synthetic PET is asymmetric where the acquired one is."""

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.evaluate.moments import Moments
from tracerless.evaluate.panel import ALL, Cells, draws
from tracerless.statistics.resampling import wilson

CLEAR_PERCENT = 2.0
"""Acquired asymmetry below this is noise, and its sign means nothing, percent."""


def asymmetry_table(
    truth: pd.DataFrame, predicted: pd.DataFrame, *, people: tuple[str, ...], who: str
) -> pd.DataFrame:
    """Same sign and agreement of 200 (L - R) / (L + R), by pair of regions.

    Args:
        truth: (N, P) percent, one column a pair; NaN where a side was not seen.
        predicted: likewise.
        people: (N,) whose row.
        who: what the table calls who predicts.

    Returns:
        ``same_sign`` among the ``n`` sessions whose acquired asymmetry is clear
        (``CLEAR_PERCENT``), with its interval; ICC(2,1) and bias over all, percent.
    """
    t, p = (each.to_numpy(dtype=np.float64) for each in (truth, predicted))
    drawn = draws(people, "asymmetry")
    once = Moments.of(t, p, drawn.weights[:1])
    clear = np.isfinite(t) & np.isfinite(p) & (np.abs(t) >= CLEAR_PERCENT)
    same = clear & (np.sign(t) == np.sign(p))
    rows = []
    for at, pair in enumerate(truth.columns):
        n = int(clear[:, at].sum())
        share = wilson(float(same[:, at].sum()), n)
        rows.append((who, str(pair), n, *share, _first(once.icc(), at), _first(once.bias, at)))
    shares = drawn.weights @ same.sum(axis=1), drawn.weights @ clear.sum(axis=1)
    some = shares[1] > 0
    found = np.where(some, shares[0] / np.where(some, shares[1], 1.0), np.nan)
    together = once.together()
    whole = (_first(together.icc(), 0), _first(together.bias, 0))
    rows.append((who, ALL, int(clear.sum()), *drawn.share(found), *whole))
    return pd.DataFrame(rows, columns=[*TABLES["asymmetry"]])


def _first(found: Cells, at: int) -> float:
    return float(found[0, at])
