"""The people whom a model served worst, one sentence each: what a gallery shows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.evaluate.panel import Panel

N_WORST = 6


def failures_table(
    panel: Panel, who: str, *, visits: Sequence[str], doubts: Sequence[str]
) -> pd.DataFrame:
    """The people with the largest error in one region, in half-widths of its interval.

    Without intervals, in SUVR. One visit a person.

    Args:
        panel: over the main atlas and reference.
        who: predicted.
        visits: (N,) of the sessions.
        doubts: (N,) what the model itself said against its volume; empty where nothing.
    """
    error = panel.predicted[who] - panel.truth
    width = panel.half_widths.get(who, np.full_like(error, np.nan))
    has_width = np.isfinite(width).any()
    size = np.where(np.isfinite(error), np.abs(error) / (width if has_width else 1.0), np.nan)
    size = np.where(np.isfinite(size), size, -1.0)
    rows: list[tuple[str | float, ...]] = []
    taken: set[str] = set()
    for at in np.argsort(-size.max(axis=1), kind="stable"):
        person, region = panel.people[at], int(size[at].argmax())
        if person in taken or size[at, region] < 0 or len(rows) == N_WORST:
            continue
        taken.add(person)
        off, half = float(error[at, region]), float(width[at, region])
        frame = (person, visits[at], panel.groups[at], panel.regions[region], off, half)
        rows.append((*frame, _why(off, half, doubts[at])))
    return pd.DataFrame(rows, columns=[*TABLES["failures"]])


def _why(error: float, half_width: float, doubt: str) -> str:
    side = "too high" if error > 0 else "too low"
    said = f"{abs(error):.2f} SUVR {side}"
    if np.isfinite(half_width):
        times = abs(error) / half_width
        held = "inside its 90 % interval" if times <= 1 else f"{times:.1f} times its half-width"
        said = f"{said}, {held}"
    if doubt:
        return f"{said}; the model had warned: {doubt}"
    return f"{said}; the model gave no warning"
