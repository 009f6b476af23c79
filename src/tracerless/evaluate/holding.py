"""Whether intervals hold what they promise, by region and group; what abstaining would buy."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.seeds import generator
from tracerless.evaluate.agreement import Calls
from tracerless.evaluate.panel import ALL, Cells, Panel, draws
from tracerless.statistics.resampling import wilson

KEPT = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Shares of people that are answered, those with the narrowest intervals first."""


def coverage_table(panel: Panel, calls: Calls) -> pd.DataFrame:
    """Share of truths inside the 90 % intervals, by region and group.

    A single region is a share of people (Wilson's interval); over all regions people are drawn,
    for the regions of a person err together.
    """
    rows = []
    for who in panel.half_widths:
        seen = np.isfinite(_inside(panel, who)[0])
        spoken = panel.rows(np.asarray(seen.any(axis=1), dtype=np.bool_))
        for group, mine in spoken.by_group():
            inside, width = _inside(mine, who)
            known = np.isfinite(inside)
            if not known.any():
                continue
            rows.append((calls(who), ALL, group, *_together(mine, inside, width, group)))
            for at, region in enumerate(panel.regions):
                n = int(known[:, at].sum())
                if n:
                    share = wilson(float(np.nansum(inside[:, at])), n)
                    wide = float(np.nanmean(width[:, at]))
                    rows.append((calls(who), region, group, n, *share, wide))
    return pd.DataFrame(rows, columns=[*TABLES["coverage"]])


def _together(
    panel: Panel, inside: Cells, width: Cells, group: str
) -> tuple[int, float, float, float, float]:
    drawn = draws(panel.people, "coverage", group)
    hits = drawn.weights @ np.nansum(inside, axis=1)
    tried = drawn.weights @ np.isfinite(inside).sum(axis=1)
    shares = np.where(tried > 0, hits / np.maximum(tried, 1e-12), np.nan)
    return drawn.n_people, *drawn.share(shares), float(np.nanmean(width))


def abstention_table(panel: Panel, calls: Calls) -> pd.DataFrame:
    """Error and coverage of those who are answered, when the widest intervals are not.

    Among equal widths the order is drawn.
    """
    rows = []
    for who in panel.half_widths:
        inside, width = _inside(panel, who)
        error = np.abs(panel.predicted[who] - panel.truth)
        able = np.flatnonzero(np.isfinite(inside).any(axis=1) & np.isfinite(error).any(axis=1))
        ties = generator("abstention", len(able)).random(len(able))
        order = able[np.lexsort((ties, _means(width[able])))]
        for share in KEPT:
            kept = order[: max(round(share * len(order)), 1)]
            if len(order):
                mae, held = float(np.nanmean(error[kept])), float(np.nanmean(inside[kept]))
                rows.append((calls(who), share, mae, held))
    return pd.DataFrame(rows, columns=[*TABLES["abstention"]])


def _inside(panel: Panel, who: str) -> tuple[Cells, Cells]:
    """(N, R) 1 where the interval holds the truth, 0 where not; its half-width, SUVR."""
    width = panel.half_widths[who]
    error = np.abs(panel.predicted[who] - panel.truth)
    known = np.isfinite(error) & np.isfinite(width)
    inside = np.where(known, (error <= np.where(known, width, 0.0)).astype(np.float64), np.nan)
    return inside, np.where(known, width, np.nan)


def _means(rows: Cells) -> NDArray[np.float64]:
    """Mean of the known cells of each row; each holds one at least."""
    known = np.isfinite(rows)
    means: NDArray[np.float64] = np.where(known, rows, 0.0).sum(axis=1) / known.sum(axis=1)
    return means
