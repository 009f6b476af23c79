"""Whom an evaluation rests on: groups of people, missing values, how many there are."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import (
    WITHHELD,
    View,
    counted,
    measure_cells,
    spread,
    words_cell,
)
from tracerless.publish.charts_curves import Curve, learning_chart
from tracerless.publish.charts_data import cell_of, records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import cell, heading, paragraph, row, table, zh

MIN_EVENTS = 10
"""Events per parameter below which a page warns."""
_MISSING_SHOWN = 0.005
_MISSING_ROWS = 12


def subgroups(look: View) -> str:
    """The leading measure in every group, or why it is not told."""
    whole = look.table("subgroups")
    metric = look.metric_of("subgroups")
    found = whole[whole["metric"].astype(str).isin(["", metric])]
    if found.empty:
        return ""
    bars = []
    for by in words.in_order(words.GROUPINGS, [str(each) for each in found["by"]]):
        bars.append(Bar(words.english(words.GROUPINGS, by), strong=True))
        own = sorted(records(found[found["by"] == by]), key=_place)
        bars += [_group_bar(each, look) for each in own]
    name = words.english(words.METRIC_NAMES, metric)
    neutral = words.NEUTRAL.get(metric)
    return (
        f"<section>{heading('Groups of people', '次群體')}"
        f"{forest(bars, name, f'{name} in groups of people', mark=neutral)}"
        f"{_more_of_groups(whole[whole['value'].notna()], look)}"
        f"{paragraph(*_GROUPS, kind='note')}</section>"
    )


_GROUPS: words.Words = (
    "Groups under 20 people, or with one class only, are not told. Intervals that overlap do not "
    "show that groups are alike; many groups looked at at once make a chance difference likely.",
    "少於 20 人或僅單一類別之群體不予呈現。區間重疊不代表群體間相同。",
)


def _more_of_groups(found: pd.DataFrame, look: View) -> str:
    """Every measure of every group that is told; empty where there is only the leading one."""
    metrics = words.in_order(words.METRIC_NAMES, [str(each) for each in found["metric"]])
    if len(metrics) < 2:
        return ""
    heads = [("By", "依"), ("Group", "群體"), ("People", "人數")]
    heads += [words.both(words.METRIC_NAMES, metric) for metric in metrics]
    parts = found.groupby(["by", "group"], sort=False)
    rows = (_group_row(records(part), metrics, look) for _, part in parts)
    return table(heads, rows, key="groups", n_words=2)


def _group_row(lines: list[dict[str, Any]], metrics: list[str], look: View) -> str:
    cells = {str(each["metric"]): each for each in lines}
    first, n = lines[0], float(lines[0]["n"])
    return row(
        [
            words_cell(*words.both(words.GROUPINGS, str(first["by"]))),
            cell(first["group"]),
            cell(counted(n), kind="num", sort=n),
            *measure_cells(cells, metrics, look),
        ]
    )


def missingness(look: View) -> str:
    """Share of values missing by predictor and class, where it is worth telling."""
    found = look.table("missingness")
    if found.empty:
        return ""
    grid = found.pivot_table(index="predictor", columns="class", values="share", sort=False)
    some = grid[(grid > _MISSING_SHOWN).any(axis=1)]
    classes = words.in_order(words.CLASSES, [str(each) for each in grid.columns])
    heads = [("Predictor", "預測因子"), *(words.both(words.CLASSES, c) for c in classes)]
    rows = (
        row([cell(name), *(_share_cell(cell_of(some, name, each)) for each in classes)])
        for name in some.index
    )
    told = f"{len(some)} predictors are missing in more than {_MISSING_SHOWN:.1%} of some class."
    han = f"{len(some)} 項預測因子在某類別中之缺失率高於 {_MISSING_SHOWN:.1%}。"
    body = table(heads, rows, key="missingness", n_words=1) if len(some) else ""
    if len(some) > _MISSING_ROWS:
        body = f"<details><summary>Show the table{zh('顯示表格')}</summary>{body}</details>"
    note = (
        "Missing more often in one class than in another, a gap itself tells the class: models "
        "then learn who was tested, not how they did."
    )
    return (
        f"<section>{heading('Missing values', '缺失值')}{paragraph(told, han, kind='lead')}{body}"
        f"{paragraph(note, '若缺失率因類別而異，缺失本身即洩漏類別。', kind='note')}</section>"
    )


def size(look: View) -> str:
    """Learning curve and events per parameter."""
    curve = _learning(look)
    events = _events(look)
    if not curve and not events:
        return ""
    return f"<section>{heading('Sample size', '樣本數')}{events}{curve}</section>"


def _place(each: Mapping[str, Any]) -> tuple[bool, str]:
    """Groups in the order of their names, those that are open downwards first."""
    name = str(each["group"])
    return not name.startswith(("under", "none", "0")), name


def _group_bar(each: Mapping[str, Any], look: View) -> Bar:
    said = spread(each["value"], each["low"], each["high"], small=look.is_small)
    if said in {"–", WITHHELD}:
        said = str(each["reason"] or said)
    return Bar(
        f"{each['group']} (n = {counted(float(each['n']))})",
        each["value"],
        each["low"],
        each["high"],
        said,
    )


def _share_cell(value: float) -> str:
    shown = "–" if math.isnan(value) else f"{value:.0%}"
    return cell(shown, kind="num low" if value > 0.2 else "num", sort=value)


def _learning(look: View) -> str:
    found, metric = look.table("learning_curve"), look.metric_of("learning_curve")
    found = found[found["metric"].astype(str) == metric]
    if found["n"].nunique() < 2:  # one size shows no course
        return ""
    models = list(dict.fromkeys(found["model"].astype(str)))
    curves = [
        Curve(
            words.english(words.MODELS, model),
            words.PALETTE[n % len(words.PALETTE)],
            found[found["model"].astype(str) == model],
        )
        for n, model in enumerate(models)
    ]
    name = words.english(words.METRIC_NAMES, metric)
    drawn = learning_chart(curves, name, f"{name} over the number of people")
    note = "Where it still rises at its right end, more people would help more than another model."
    return (
        f"<h3>Learning curve{zh('學習曲線')}</h3>{drawn}"
        f"{paragraph(note, '右端若仍上升，增加人數優於更換模型。', kind='note')}"
    )


def _events(look: View) -> str:
    stated = look.fact("events_per_parameter")
    if stated is None:
        return ""
    each = stated if isinstance(stated, Mapping) else {look.chosen: stated}
    order = words.in_order({**words.ARMS, **words.MODELS}, [str(name) for name in each])
    rows = (_events_row(name, each[name]) for name in order)
    heads = [
        ("Model or arm", "模型或欄"),
        ("Reading", "判讀"),
        ("Events per parameter", "每參數事件數"),
    ]
    return table(heads, rows, key="events", n_words=2)


def _events_row(name: str, value: Any) -> str:
    n = float(value) if isinstance(value, (int, float)) else math.nan
    enough = n >= MIN_EVENTS
    few = (f"below {MIN_EVENTS}: rests on its penalty", "不足，仰賴懲罰項")
    reading = words_cell(*(("enough", "足夠") if enough else few))
    shown = f"{n:.1f}" if math.isfinite(n) else str(value)
    known = {**words.ARMS, **words.MODELS}
    return row(
        [
            words_cell(*words.both(known, name)),
            reading,
            cell(shown, kind="num" if enough else "num low", sort=n),
        ]
    )
