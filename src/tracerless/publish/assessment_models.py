"""What the model answers with, and what it goes by: sets, abstention, importance."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import View, counted, share, spread, words_cell
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import cell, heading, paragraph, row, table
from tracerless.statistics.resampling import wilson

KINDS: dict[str, words.Words] = {
    "region": ("regions", "腦區"),
    "test": ("tests", "測驗"),
    "person": ("person", "個人"),
}
KIND_COLORS = {"region": "#0072b2", "test": "#c77800", "person": "#7b8494"}
_SHARES = ("single", "abstained")
STABLE = 0.5
"""Rank correlation over folds below which an order of importance is not to be quoted."""


def sets(look: View) -> str:
    """How often the set of likely classes holds the truth, class by class."""
    found = look.table("sets")
    if found.empty:
        return ""
    level = float(look.fact("level", 0.9))
    lines = records(found)
    bars = [_set_bar(each, look) for each in lines]
    heads = [
        ("Class", "類別"),
        ("People", "人數"),
        ("Holds the truth (95 % interval)", "涵蓋真值"),
        ("Classes in a set, mean", "平均類別數"),
        ("One class only", "單一類別"),
        ("No answer", "不作答"),
    ]
    note = (
        f"A set is meant to hold the truth in {level:.0%} of each class, rare ones included. One "
        "class in it is an answer, several are an honest doubt; no answer: the scan or the person "
        "lies beyond what the model has seen."
    )
    return (
        f"<section>{heading('Sets of likely diagnoses', '可能診斷之集合')}"
        f"{forest(bars, 'share of sets that hold the truth', 'Coverage by class', mark=level)}"
        f"{table(heads, (_set_row(each, look) for each in lines), key='sets', n_words=1)}"
        f"{paragraph(note, '集合於各類別中涵蓋真值之比例應達所定水準。', kind='note')}</section>"
    )


def importance(look: View) -> str:
    """What the model goes by, in groups, with the stability of their order over folds."""
    found = look.table("importance")
    if found.empty:
        return ""
    lines = sorted(records(found), key=lambda each: -float(each["value"]))
    bars = [_importance_bar(each, look) for each in lines]
    note = (
        "Loss on held-out people when a group's values are shuffled together. Regions go along "
        "with each other, so groups are told, not single regions. What a model goes by is not what "
        "causes a disease."
    )
    drawn = forest(bars, "rise of the loss when shuffled", "Importance by group", mark=0.0)
    return (
        f"<section>{heading('What the model goes by', '模型所依據')}"
        f"{paragraph(*_order(found), kind='lead')}{drawn}"
        f"{paragraph(note, '以群組打亂後損失之上升表示；非因果關係。', kind='note')}</section>"
    )


def _order(found: pd.DataFrame) -> words.Words:
    """Whether the order of importance is the same in all folds."""
    known = found["stability"].astype(float).dropna()
    if known.empty:
        return "", ""
    stability = float(known.mean())
    alike = ("the order is much the same in all folds", "各折順序大致相同")
    unlike = (
        "the order changes from fold to fold and is not to be quoted",
        "各折順序不一，不宜引用",
    )
    english, chinese = alike if stability >= STABLE else unlike
    return (
        f"Rank correlation between folds {stability:.2f}: {english}.",
        f"折間等級相關 {stability:.2f}：{chinese}。",
    )


def _set_bar(each: Mapping[str, Any], look: View) -> Bar:
    ends = (float(each["coverage"]), float(each["low"]), float(each["high"]))
    name = words.english(words.CLASSES, str(each["class"]))
    return Bar(
        f"{name} (n = {counted(float(each['n']))})", *ends, share(*ends, small=look.is_small)
    )


def _set_row(each: Mapping[str, Any], look: View) -> str:
    ends = (float(each["coverage"]), float(each["low"]), float(each["high"]))
    return row(
        [
            words_cell(*words.both(words.CLASSES, str(each["class"]))),
            cell(counted(float(each["n"])), kind="num", sort=float(each["n"])),
            cell(share(*ends, small=look.is_small), kind="num", sort=ends[0]),
            cell(f"{float(each['mean_size']):.2f}", kind="num", sort=float(each["mean_size"])),
            *(_share_of_people(float(each[name]), float(each["n"]), look) for name in _SHARES),
        ]
    )


def _share_of_people(value: float, n: float, look: View) -> str:
    return cell(share(*wilson(value * n, n), small=look.is_small), kind="num", sort=value)


def _importance_bar(each: Mapping[str, Any], look: View) -> Bar:
    kind = str(each["kind"])
    name = f"{each['group']} ({words.english(KINDS, kind)})"
    ends = (float(each["value"]), float(each["low"]), float(each["high"]))
    said = spread(*ends, small=look.is_small, signed=True)
    return Bar(name, *ends, said, KIND_COLORS.get(kind, words.PALETTE[0]))
