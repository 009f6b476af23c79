"""How far synthetic PET can be trusted: intervals, planted lesions, stress, strange heads."""

import math

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish import synthesis_texts as said
from tracerless.publish.assessment_numbers import View
from tracerless.publish.charts import (
    COLORS,
    Axis,
    Frame,
    Key,
    chart,
    diagonal,
    dot,
    line,
    nice_axis,
    whisker,
)
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import cell, paragraph, row, table
from tracerless.publish.synthesis_parts import (
    interval_bar,
    note,
    of_model,
    plain_table,
    section,
)

NOMINAL = 0.9
_TOO_LOW = 0.05
"""A cell whose coverage lies so far below the nominal one, interval and all, is marked."""


def coverage(look: View) -> str:
    """Share of truths inside the 90 % intervals, by region and group."""
    found = of_model(look, "coverage")
    if found.empty:
        return ""
    groups = words.in_order(said.GROUPS, [str(each) for each in found["group"]])
    heads = [("Region", "腦區"), *(words.both(said.GROUPS, each) for each in groups)]
    cells = {(str(at["region"]), str(at["group"])): at for at in records(found)}
    rows = [
        row([cell(region), *(_covered(cells.get((region, group))) for group in groups)])
        for region in dict.fromkeys(found["region"].astype(str))
    ]
    body = table(heads, rows, key="coverage", n_words=1)
    return section(
        ("Do the 90 % intervals hold?", "90 % 預測區間是否成立"),
        _worst(found),
        body,
        note(_COVERAGE),
    )


_COVERAGE: words.Words = (
    "Below each share: half-width in SUVR and n; few people say little (8 of 8 may be 68 %). Red: "
    "even the upper end of the share's own interval lies more than 5 points below 90 %. Of so many "
    "cells some are low by chance: look for groups, not for cells.",
    "各格下方為區間半寬（SUVR）與人數；人數少則不確定（8 人中 8 人，下限約 68 %）。"
    "紅色表示其 95 % 信賴區間之上限仍低於 85 %。格數眾多，應觀察整組而非單格。",
)


def _worst(found: pd.DataFrame) -> str:
    whole = found[found["region"].astype(str) == "all"].dropna(subset=["coverage"])
    if whole.empty:
        return ""
    at = records(whole.sort_values("coverage", kind="stable"))[0]
    share, low, high = (float(at[each]) for each in ("coverage", "low", "high"))
    group, n = words.both(said.GROUPS, str(at["group"])), f"{float(at['n']):.0f}"
    bounds = f", {low:.0%} to {high:.0%}" if math.isfinite(low + high) else ""
    wide_en, wide_zh = _TOO_WIDE if low > NOMINAL + _TOO_LOW else ("", "")
    return paragraph(
        f"Least covered group: {group[0]}, {share:.0%} of its truths (n {n}{bounds}).{wide_en}",
        f"涵蓋最低之組別：{group[1] or group[0]}，{share:.0%}（{n} 人）。{wide_zh}",
        kind="lead",
    )


_TOO_WIDE: words.Words = (
    " All groups are held more often than promised: these intervals are wider than they need be.",
    "所有組別之涵蓋率皆高於所稱，區間偏寬。",
)


def _covered(at: object) -> str:
    if not isinstance(at, dict) or not math.isfinite(float(at["coverage"])):
        return '<td class="num zh">–</td>'
    share = float(at["coverage"])
    low = float(at["high"]) < NOMINAL - _TOO_LOW
    below = (
        f'<br><span class="zh">±{float(at["half_width"]):.2f}, n\u00a0{float(at["n"]):.0f}</span>'
    )
    kind = "num low" if low else "num"
    return f'<td class="{kind}" data-sort="{share!r}">{share:.0%}{below}</td>'


def abstention(look: View) -> str:
    """Error among the most certain: does a narrow interval mean a small error?"""
    found = of_model(look, "abstention").sort_values("kept")
    if found.empty:
        return ""
    frame = Frame(
        Axis(0, 1, 0.2, "share of people answered, narrowest intervals first"),
        nice_axis([0.0, *found["mae"].astype(float)], "MAE, SUVR"),
        height=320,
    )
    marks = [line(frame, found["kept"].astype(float), found["mae"].astype(float), "#17417e")]
    drawn = chart(frame, "Error against the share that is kept", marks)
    return section(("Does the model know when it errs?", "模型是否知道自己會錯"), drawn)


def planted(look: View) -> str:
    """Planted loss against loss that comes out, with and without a trace in the MR."""
    found = of_model(look, "planted")
    if found.empty:
        return ""
    whole = found[found["region"].astype(str) == "all"]
    drawn = _dose(whole if len(whole) else found)
    columns = (
        "correlate", "region", "loss", "n", "recovered", "low", "high",
        "n_low", "false_normal", "false_normal_low", "false_normal_high",
    )  # fmt: skip
    body = plain_table(found, columns, key="planted", n_words=2)
    return section(("Planted lesions", "植入病灶"), drawn, body, note(_PLANTED))


_PLANTED: words.Words = (
    "On the diagonal, all of a planted loss comes out. Without a trace in the MR nothing can: that "
    "line is the limit of any synthetic PET. Truly low: plantings that the acquired PET calls low "
    "against controls; the next column is the share of them that the synthetic PET, against its "
    "own controls, calls normal. Intervals resample people.",
    "對角線表示植入之下降完全重現；MR 無跡象者無從重現，此為任何合成 PET 之極限。"
    "「實際偏低」為實測 PET 相對於對照組偏低之植入次數，次欄為合成 PET 判為正常之比例；"
    "區間以受試者為單位重抽。",
)


def _dose(found: pd.DataFrame) -> str:
    top = max(0.4, float(found["loss"].astype(float).max()))
    frame = Frame(
        Axis(0, top, 0.1, "planted loss of uptake", ".1f"),
        nice_axis([0.0, top, *_lost(found, "low"), *_lost(found, "high")], "loss that comes out"),
    )
    marks, keys = [diagonal(frame)], []
    for n, correlate in enumerate(dict.fromkeys(found["correlate"].astype(str))):
        color = COLORS[n % len(COLORS)]
        part = found[found["correlate"].astype(str) == correlate].sort_values("loss")
        x, y = part["loss"].astype(float).tolist(), _lost(part, "recovered")
        marks.append(line(frame, x, y, color))
        bounds = zip(x, _lost(part, "low"), _lost(part, "high"), strict=True)
        marks += [whisker(frame, *each, color) for each in bounds]
        marks += [dot(frame, *at, color) for at in zip(x, y, strict=True)]
        keys.append(Key(words.english(said.CORRELATES, correlate), color))
    return chart(frame, "Dose and response of planted lesions", marks, keys)


def _lost(found: pd.DataFrame, share: str) -> list[float]:
    """The loss that comes out: a share of the planted one."""
    return (found[share].astype(float) * found["loss"].astype(float)).tolist()


def stress(look: View) -> str:
    """What worse scans do: skill by kind and level of stress."""
    found = of_model(look, "stress")
    if found.empty:
        return ""
    bars: list[Bar] = []
    for name in dict.fromkeys(found["stress"].astype(str)):
        bars.append(Bar(words.english(said.STRESSES, name), strong=True))
        for at in records(found[found["stress"].astype(str) == name]):
            flagged = float(at["flagged"])
            more = f", flagged {flagged:.0%}" if math.isfinite(flagged) else ""
            bars.append(
                interval_bar(str(at["level"]), at, color="#17417e", column="skill", more=more)
            )
    drawn = forest(bars, "skill against the mean", "Skill under stress", mark=0.0)
    columns = (
        "stress",
        "level",
        "n",
        "skill",
        "coverage",
        "flagged",
        "refused",
    )
    body = plain_table(found, columns, key="stress", n_words=2)
    return section(("Worse scans", "較差之影像"), drawn, body, note(_STRESS))


_STRESS: words.Words = (
    "MR of the same people, made worse; the acquired PET stays. A fall is no fault where the scans "
    "are flagged or refused; a skill below 0 that is not flagged is one. Refused sessions count in "
    "no skill.",
    "同一受試者之 MR 經劣化，實測 PET 不變。已示警或拒絕者，技能分數下降非缺失；"
    "技能分數低於 0 而未示警方為缺失。拒絕者不計入技能分數。",
)


def strange(look: View) -> str:
    """Heads that the model must not speak of: how many are flagged or refused."""
    found = of_model(look, "strange")
    columns = (
        "case",
        "n",
        "flagged",
        "refused",
    )
    body = plain_table(found, columns, key="strange", n_words=1)
    title = ("Heads unlike the training people", "異於訓練資料之影像")
    return section(title, body, note(_STRANGE)) if len(found) else ""


_STRANGE: words.Words = (
    "Flagged and refused together should be near 1 in every case, and near 0.05 in the first row. "
    "All cases are made of the same people: 8 of 8 caught may be 68 % of others.",
    "各情況之示警加拒絕應接近 1，首列（誤報）應接近 0.05。"
    "各情況皆由相同受試者製成；8 人中 8 人，下限約 68 %。",
)
