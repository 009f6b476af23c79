"""The first line of everything: skill, slope, and coverage of the group that is held least."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tracerless.evaluate.panel import ALL

LEAST_PEOPLE = 5
"""A group of fewer people is no worst group."""


def headline(tables: Mapping[str, pd.DataFrame], model: str, *, domain: str, reference: str) -> str:
    """One sentence from the tables of an evaluation of synthesis.

    Args:
        tables: those that there are, by name.
        model: as the tables call it.
        domain: ``simulated`` or ``acquired``: where the people come from.
        reference: reference region of the main numbers.
    """
    parts = [
        _skill(tables.get("skill"), model, domain),
        _slope(tables.get("agreement"), model, reference),
        _coverage(tables.get("coverage"), model),
    ]
    said = "; ".join(filter(None, parts))
    return f"{said}." if said else f"{model}: nothing of skill, slope or coverage was measured."


def _skill(table: pd.DataFrame | None, model: str, domain: str) -> str:
    if table is None:
        return ""
    rows = table[(table["model"] == model) & (table["against"] == "mean") & (table["group"] == ALL)]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return (
        f"Skill against the training mean {row['value']:+.2f} (95 % interval {row['low']:+.2f} to "
        f"{row['high']:+.2f}, n = {row['n']} {domain} people)"
    )


def _slope(table: pd.DataFrame | None, model: str, reference: str) -> str:
    if table is None:
        return ""
    mine = (table["model"] == model) & (table["region"] == ALL) & (table["reference"] == reference)
    if not mine.any():
        return ""
    row = table[mine].iloc[0]
    return (
        f"slope of prediction on truth {row['slope']:.2f} ({row['slope_low']:.2f} to "
        f"{row['slope_high']:.2f}; 1 = differences between people come out in full)"
    )


def _coverage(table: pd.DataFrame | None, model: str) -> str:
    if table is None:
        return ""
    rows = table[(table["model"] == model) & (table["region"] == ALL)]
    whole = rows[rows["group"] == ALL]
    if whole.empty or not np.isfinite(whole.iloc[0]["coverage"]):
        return ""
    said = f"90 % intervals hold {whole.iloc[0]['coverage']:.0%} of the truth"
    groups = rows[(rows["group"] != ALL) & (rows["n"] >= LEAST_PEOPLE)]
    if groups.empty:
        return said
    worst = groups.iloc[int(groups["coverage"].to_numpy(dtype=float).argmin())]
    return f"{said}, in the worst group ({worst['group']}) {worst['coverage']:.0%}"
