"""How far an evaluation can be trusted: other splits, shuffled labels, leakage, other methods."""

import math
from collections.abc import Mapping
from typing import Any

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import (
    View,
    number_cell,
    p_value,
    quantiles,
    spread,
    words_cell,
)
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import strip
from tracerless.publish.markup import cell, heading, paragraph, row, table, text

_SINGLE = {"0", "single", "specification", "spec"}


def splits(look: View) -> str:
    """The one random split of the specification, among the splits that it might have been."""
    found, metric = look.table("single_split"), look.metric_of("single_split")
    found = found[found["metric"].astype(str) == metric]
    if found.empty:
        return ""
    is_single = found["split"].astype(str).isin(_SINGLE)
    single, others = found.loc[is_single, "value"], found.loc[~is_single, "value"]
    middle, low, high = quantiles(others)
    name = words.english(words.METRIC_NAMES, metric)
    special = None
    said = (
        f"{len(others)} random splits of the same people: "
        f"95 % of them between {low:.2f} and {high:.2f}."
    )
    han = f"同一批受試者之 {len(others)} 次隨機切分，95 % 介於 {low:.2f} 至 {high:.2f}。"
    if len(single) and not look.is_small:
        special = ("the specification's split", float(single.iloc[0]))
        said += f" The specification's one split gives {special[1]:.2f}: chance within that range."
        han += f"規格書之單次切分為 {special[1]:.2f}，僅屬其中之一。"
    drawn = strip([float(v) for v in others], name, f"{name} of random splits", special=special)
    if not math.isfinite(middle):
        drawn, han = "", "未另作切分，故單次切分不予呈現。"
        said = "No other split was drawn, so the single split says nothing and is withheld."
    return (
        f"<section>{heading('One random split is not evidence', '單次隨機切分不足為證')}"
        f"{paragraph(said, han, kind='lead')}{drawn}"
        f"{paragraph(*_SPLIT, kind='note')}</section>"
    )


_SPLIT: words.Words = (
    "Whoever reports one split can report any of these. The results of this page come from "
    "repeated, nested cross-validation over people.",
    "只報告一次切分者，可任選其一。本頁結果來自以人為單位之重複巢狀交叉驗證。",
)


def sentinel(look: View) -> str:
    """The whole procedure on shuffled labels: it must find nothing."""
    found, metric = look.table("sentinel"), look.metric_of("sentinel")
    found = found[found["metric"].astype(str) == metric]
    if found.empty:
        return ""
    _, low, high = quantiles(found["value"])
    chance = words.NEUTRAL.get(metric, 0.5)
    stated, of_what = look.fact("sentinel", {}), "95 % of them"
    if isinstance(stated, Mapping) and {"low", "high"} <= set(stated):
        low, high, of_what = float(stated["low"]), float(stated["high"]), "interval of their mean"
    holds = low <= chance <= high
    mark = _verdict("pass" if holds else "fail", "通過" if holds else "不合格")
    name = words.english(words.METRIC_NAMES, metric)
    told = (
        f"{len(found)} runs with shuffled labels: {name} {low:.2f} to {high:.2f} ({of_what}), "
        f"{'which holds' if holds else 'which does NOT hold'} {chance:g}."
    )
    failed = "" if holds else ' class="failed"'
    held = "包含" if holds else "不包含"
    han = f"打亂標籤 {len(found)} 次：{low:.2f} 至 {high:.2f}，{held} {chance:g}。"
    if not holds:
        told += " The procedure finds what is not there: no number of this page can be trusted."
    drawn = strip([float(v) for v in found["value"]], name, "Shuffled labels", mark=chance)
    return (
        f"<section{failed}>"
        f"{heading('Sentinel: shuffled labels', '哨兵：打亂標籤')}<p>{mark}</p>"
        f"{paragraph(told, han, kind='lead')}{drawn}"
        f"{paragraph(*_SENTINEL, kind='note')}</section>"
    )


_SENTINEL: words.Words = (
    "If information leaked from test to training, labels without meaning would seem predictable.",
    "若測試資訊洩漏至訓練，則無意義之標籤亦將看似可預測。",
)


def audit(look: View, title: words.Words = ("Leakage audit", "洩漏稽核")) -> str:
    """What checks found: of leakage, and whatever else stands in the table ``findings``."""
    found = look.table("findings")
    if found.empty:
        return ""
    heads = [("Check", "檢查"), ("Verdict", "結果"), ("What", "說明"), ("Next", "下一步")]
    rows = (_finding(each) for each in records(found))
    bad = int((found["verdict"].astype(str) == "found").sum())
    open_ = int((found["verdict"].astype(str) == "not checked").sum())
    told = f"{len(found)} checks: {bad} found something, {open_} could not be made."
    han = f"{len(found)} 項檢查：{bad} 項有發現，{open_} 項無法檢查。"
    failed = ' class="failed"' if bad else ""
    return (
        f"<section{failed}>{heading(*title)}"
        f"{paragraph(told, han, kind='lead')}"
        f"{table(heads, rows, key='audit', n_words=4)}</section>"
    )


def _finding(each: Mapping[str, Any]) -> str:
    verdict = str(each["verdict"])
    kinds = {"pass": ("pass", "通過"), "found": ("fail", "發現")}
    kind, chinese = kinds.get(verdict, ("review", "未檢查"))
    marked = f"<td>{_verdict(kind, chinese, verdict)}</td>"
    return row([cell(each["check"]), marked, cell(each["what"]), cell(each["next"] or "–")])


def _verdict(kind: str, chinese: str, english: str = "") -> str:
    beside = f' <span class="zh" lang="zh-Hant-TW">{text(chinese)}</span>'
    return f'<span class="verdict {kind}">{text(english or kind)}{beside}</span>'


def second_looks(look: View) -> str:
    """The same quantities by another method; empty where none was tried."""
    parts = [_two_intervals(look), _over_folds(look), _between_models(look)]
    if not any(parts):
        return ""
    head = heading("The same by other methods", "以其他方法複核")
    return f"<section>{head}{''.join(parts)}</section>"


def _two_intervals(look: View) -> str:
    """Areas with the interval of the table and that of drawing people anew."""
    drawn = look.fact("auc_bootstrap")
    if not drawn:
        return ""
    main = look.table("performance")
    main = main[main["metric"] == "auc"]
    first = {(str(each["arm"]), str(each["model"])): each for each in records(main)}
    rows = [
        row(
            [
                words_cell(*words.both(words.MODELS, str(each["model"]))),
                words_cell(*words.both(words.ARMS, str(each["arm"]))),
                number_cell(first[str(each["arm"]), str(each["model"])], look),
                number_cell(_known(each), look),
            ]
        )
        for each in drawn
        if (str(each["arm"]), str(each["model"])) in first and each["model"] not in words.BLIND
    ]
    heads = [
        ("Model", "模型"),
        ("Knows", "所知"),
        ("AUC as above", "如上表"),
        ("AUC, bootstrap of people", "以人為單位之拔靴法"),
    ]
    return table(heads, rows, key="two-intervals", n_words=2)


def _over_folds(look: View) -> str:
    told = [
        f"{words.english(words.MODELS, str(each['model']))} {_shown(each, look)}, "
        f"p {p_value(_known(each)['p'])}"
        for each in look.fact("corrected_t") or ()
    ]
    said = "Increment of the image over cognition, fold by fold, corrected t"
    english = f"{said}: {'; '.join(told)}." if told else ""
    return paragraph(english, "影像在認知測驗之外之增益，逐折比較、校正 t 檢定。", kind="note")


def _between_models(look: View) -> str:
    told = [
        f"{words.english(words.MODELS, str(each['model']))} less "
        f"{words.english(words.MODELS, str(each['against']))} on "
        f"{words.english(words.ARMS, str(each['arm']))} {_shown(each, look)}"
        for each in look.fact("model_difference") or ()
    ]
    said = f"Difference in AUC between models: {'; '.join(told)}."
    return paragraph(said if told else "", "模型間曲線下面積之差異。", kind="note")


def _shown(each: Mapping[str, Any], look: View) -> str:
    known = _known(each)
    return spread(known["value"], known["low"], known["high"], small=look.is_small, signed=True)


def _known(each: Mapping[str, Any]) -> dict[str, float]:
    """Numbers of a record as it was kept: what was no number is NaN again."""
    names = ("value", "low", "high", "p")
    return {name: math.nan if each.get(name) is None else float(each[name]) for name in names}
