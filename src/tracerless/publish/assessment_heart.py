"""First part of an evaluation page: what the image adds, and how good each model is."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from tracerless.core.study import Arm
from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import (
    View,
    in_chinese,
    measure_cells,
    p_value,
    spread,
    words_cell,
)
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import banner, cell, heading, paragraph, row, table, text, zh

Rows = Mapping[str, Any]


def headline(look: View) -> words.Words:
    """What the image adds to cognition, with its interval; English and Chinese.

    The run's own sentence is used only where the increment was not measured.
    """
    found = _increment(look)
    metric, model = look.metric, words.both(words.MODELS, look.chosen)
    if found is None:
        return _without_increment(look)
    name = words.both(words.METRIC_NAMES, metric)
    value, low, high = (float(found[each]) for each in ("value", "low", "high"))
    shown = spread(value, low, high, small=look.is_small, signed=True)
    verdict = _verdict(low, high)
    n = look.fact("n_people", look.fact("n", "?"))
    return (
        f"Image over cognition alone: {name[0]} {shown}, 95 % interval, {model[0]}, {n} people. "
        f"{verdict[0]}",
        f"影像在認知測驗之外：{name[1]} {in_chinese(shown)}"
        f"（95 % 區間，{model[1] or model[0]}，{n} 人）。"
        f"{verdict[1]}",
    )


def _without_increment(look: View) -> words.Words:
    """How a locked model does elsewhere; else what the run says, unless people are few."""
    arm = look.shown_arm("performance")
    found = look.of_chosen("performance", arm)
    found = found[found["metric"] == look.metric].dropna(subset=["value", "low", "high"])
    locked = str(look.fact("external_of", ""))
    if locked and not found.empty:
        at, name = records(found)[0], words.both(words.METRIC_NAMES, look.metric)
        shown = spread(at["value"], at["low"], at["high"], small=look.is_small)
        n = look.fact("n_people", look.fact("n", "?"))
        return (
            f"Locked model {locked} on {n} people it never saw: {name[0]} {shown}, 95 % interval.",
            f"鎖定模型 {locked} 用於 {n} 位從未見過之受試者：{name[1]} "
            f"{in_chinese(shown)}，95 % 區間。",
        )
    said = str(look.fact("headline", "")) if not look.is_small else ""
    return said or "What the image adds to cognition was not measured.", "未量測影像之增益。"


def opening(look: View) -> Iterator[str]:
    """Banner, headline, and what must be known before any number is read."""
    domain = str(look.fact("domain", ""))
    yield banner(synthetic=domain.startswith("synthetic"))
    risk = look.assessment.task == "risk"
    title = ("Risk of dementia", "失智症風險評估") if risk else ("Diagnosis", "診斷模型評估")
    key, contrast = look.assessment.key, str(look.fact("contrast", ""))
    named = key if contrast in key else f"{key} {contrast}"
    yield f"<h1>{title[0]}: {text(named)}{zh(title[1])}</h1>"
    yield paragraph(*headline(look), kind="headline")
    if look.is_small:
        n = look.fact("n_people", look.fact("n", "unknown number of"))
        english, chinese = words.SMALL_BANNER
        chinese = chinese.format(n=n, least=words.SMALL)
        yield paragraph(english.format(n=n, least=words.SMALL), chinese, kind="plainly")
    if domain == "simulated":
        yield paragraph(*words.SIMULATED, kind="plainly")
    if domain.startswith("synthetic"):
        yield paragraph(*words.SYNTHETIC, kind="plainly")
    if str(look.fact("validation", "")) == "external":
        yield paragraph(
            "External evaluation: a locked model on people it has never seen.",
            "外部驗證：以鎖定之模型評估從未見過之受試者。",
            kind="plainly",
        )
    yield paragraph(*(words.FUTURE if risk else words.CIRCULAR), kind="note")


def increments(look: View) -> str:
    """Differences between arms of one model; empty where none was measured."""
    found = look.table("increments")
    if found.empty:
        return ""
    shown = found[found["metric"].astype(str) == look.metric]
    bars = _step_bars(shown, look)
    metrics = [metric for metric in _in_order(found) if metric not in _IN_TABLES_ONLY]
    heads = [("Step", "比較"), ("Model", "模型"), ("p", "p 值")]
    heads += [_metric_words(metric) for metric in metrics]
    parts = found.groupby(["from_arm", "to_arm", "model"], sort=False)
    rows = (_step_row(records(part), metrics, look) for _, part in parts)
    name = words.english(words.METRIC_NAMES, look.metric)
    drawn = (
        forest(bars, f"difference in {name}", "Increments between arms", mark=0.0) if bars else ""
    )
    return (
        f"<section>{heading('What each kind of knowledge adds', '各類資訊之增益')}{drawn}"
        f"{table(heads, rows, key='increments', n_words=2)}"
        f"{paragraph(*_PAIRED, kind='note')}</section>"
    )


_IN_TABLES_ONLY = {"balanced_accuracy", "sensitivity", "specificity", "log_loss"}
"""Measures whose differences stay in the evaluation's tables."""
_PAIRED: words.Words = (
    "Paired: both arms predict the same people in the same folds. Above 0 the second is better; "
    "of errors (Brier score) below 0. p belongs to the first measure.",
    "配對比較：兩者於相同折中預測相同受試者。大於 0 表示後者較佳（誤差類指標則為小於 0）。",
)


def _step_bars(shown: pd.DataFrame, look: View) -> list[Bar]:
    bars = []
    for model in dict.fromkeys(shown["model"].astype(str)):
        bars.append(Bar(words.english(words.MODELS, model), strong=True))
        steps = shown[shown["model"].astype(str) == model]
        bars += [_step_bar(step, look) for step in records(steps)]
    return bars


def _step_bar(step: Rows, look: View) -> Bar:
    said = spread(step["value"], step["low"], step["high"], small=look.is_small, signed=True)
    color = words.ARM_COLORS.get(str(step["to_arm"]), words.PALETTE[1])
    return Bar(_step(step)[0], step["value"], step["low"], step["high"], said, color)


def _step_row(lines: list[dict[str, Any]], metrics: list[str], look: View) -> str:
    cells = {str(each["metric"]): each for each in lines}
    first, p = lines[0], float(cells.get(look.metric, {"p": math.nan})["p"])
    return row(
        [
            words_cell(*_step(first)),
            words_cell(*words.both(words.MODELS, str(first["model"]))),
            cell(p_value(p), kind="num", sort=p),
            *measure_cells(cells, metrics, look, signed=True),
        ]
    )


def _step(each: Rows) -> words.Words:
    """From which arm to which."""
    ends = [words.both(words.ARMS, str(each[end])) for end in ("from_arm", "to_arm")]
    return f"{ends[0][0]} → {ends[1][0]}", f"{ends[0][1]} → {ends[1][1]}"


def _in_order(found: pd.DataFrame) -> list[str]:
    return words.in_order(words.METRIC_NAMES, [str(each) for each in found["metric"]])


def _metric_words(metric: str) -> words.Words:
    name, _, at = metric.partition("@")
    if name == "net_benefit":
        return (f"Net benefit at {float(at):.0%}" if at else "Net benefit"), "淨效益"
    english, chinese = words.both(words.METRIC_NAMES, name)
    return (f"{english} at {at}" if at else english), chinese


def _increment(look: View) -> Rows | None:
    """The line of cognition to image + cognition for the leading model and measure, if known."""
    found = look.table("increments")
    is_it = (
        (found["from_arm"] == Arm.COGNITION)
        & (found["to_arm"] == Arm.BOTH)
        & (found["model"] == look.chosen)
        & (found["metric"] == look.metric)
    )
    found = found[is_it].dropna(subset=["value", "low", "high"])
    return None if found.empty else records(found)[0]


def _verdict(low: float, high: float) -> words.Words:
    if low > 0:
        return "It adds something.", "確有增益。"
    if high < 0:
        return "The model is worse with it.", "加入影像反而變差。"
    return "It may add nothing: the interval holds 0.", "區間包含 0，可能並無增益。"
