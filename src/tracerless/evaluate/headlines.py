"""The first line of everything: skill, slope, and coverage of the group that is held least."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.prediction import FEWEST_OF_A_GROUP
from tracerless.evaluate.panel import ALL

Words = tuple[str, str]
"""English and Traditional Chinese."""


def headline(
    tables: Mapping[str, pd.DataFrame], model: str, *, domain: str, reference: str
) -> Words:
    """One sentence from the tables of an evaluation of synthesis, in both languages.

    Args:
        tables: those that there are, by name.
        model: as the tables call it.
        domain: ``simulated`` or ``acquired``: where the people come from.
        reference: reference region of the main numbers.
    """
    parts = [
        _skill(_rows(tables, "skill", model, against="mean", group=ALL), domain),
        _slope(_rows(tables, "agreement", model, region=ALL, reference=reference)),
        _coverage(_rows(tables, "coverage", model, region=ALL)),
    ]
    english, chinese = (
        each.join(filter(None, said))
        for each, said in zip(("; ", "；"), zip(*parts, strict=True), strict=True)
    )
    if not english:
        return (
            f"{model}: nothing of skill, slope or coverage was measured.",
            f"{model}：未量測技能分數、斜率與涵蓋率。",
        )
    return f"{english}.", f"{chinese}。"


def _rows(
    tables: Mapping[str, pd.DataFrame], name: str, model: str, **where: str
) -> list[dict[str, Any]]:
    found = tables.get(name)
    if found is None:
        return []
    for column, value in {"model": model, **where}.items():
        found = found[found[column] == value]
    return [{str(k): v for k, v in row.items()} for row in found.to_dict("records")]


_PEOPLE: Mapping[str, str] = {"simulated": "名模擬受試者", "acquired": "名真實受試者"}


def _skill(rows: list[dict[str, Any]], domain: str) -> Words:
    if not rows:
        return "", ""
    row = rows[0]
    english, chinese = _span(row["low"], row["high"], "+.2f", "95 % interval ", "95 % 信賴區間 ")
    people = _PEOPLE.get(domain, "名受試者")
    return (
        f"Skill against the training mean {row['value']:+.2f} ({english}, n = {row['n']:.0f} "
        f"{domain} people)",
        f"相對於訓練平均之技能分數 {row['value']:+.2f}（{chinese}，{row['n']:.0f} {people}）",
    )


def _slope(rows: list[dict[str, Any]]) -> Words:
    if not rows or not math.isfinite(rows[0]["slope"]):
        return "", ""
    row = rows[0]
    english, chinese = _span(row["slope_low"], row["slope_high"], ".2f")
    return (
        f"slope of prediction on truth {row['slope']:.2f} ({english}; 1 = differences between "
        "people come out in full)",
        f"合成對實測之斜率 {row['slope']:.2f}（{chinese}；1 表示個體差異完全重現）",
    )


def _coverage(rows: list[dict[str, Any]]) -> Words:
    whole = [row for row in rows if row["group"] == ALL and np.isfinite(row["coverage"])]
    if not whole:
        return "", ""
    held = whole[0]["coverage"]
    english = f"90 % intervals hold {held:.0%} of the truth"
    chinese = f"90 % 預測區間涵蓋 {held:.0%} 之實測值"
    groups = [row for row in rows if row["group"] != ALL and row["n"] >= FEWEST_OF_A_GROUP]
    if not groups:
        return english, chinese
    worst = min(groups, key=lambda row: row["coverage"])
    name, n, share = worst["group"], f"{worst['n']:.0f}", f"{worst['coverage']:.0%}"
    return (
        f"{english}, in the worst group ({name}, n = {n}) {share}",
        f"{chinese}，最低之組別（{name}，{n} 人）為 {share}",
    )


def _span(low: float, high: float, form: str, name: str = "", zh_name: str = "") -> Words:
    """Bounds in words; too few people have none."""
    if not math.isfinite(low + high):
        return "too few people for an interval", "人數過少，無信賴區間"
    return (
        f"{name}{low:{form}} to {high:{form}}",
        f"{zh_name}{low:{form}} 至 {high:{form}}",
    )
