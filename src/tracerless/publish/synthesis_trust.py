"""How far synthetic PET can be trusted: intervals, planted lesions, stress, strange heads."""

import math

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish import synthesis_texts as said
from tracerless.publish.assessment_numbers import View, p_value
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
from tracerless.publish.charts_curves import Curve, learning_chart
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
from tracerless.publish.synthesis_skill import curve_names

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
        ("Do the 90 % intervals hold?", "90 % 區間是否成立"), _worst(found), body, note(_COVERAGE)
    )


_COVERAGE: words.Words = (
    "Below each share: half-width in SUVR and n. Red: even the upper end of the share's own "
    "interval lies more than 5 points below 90 %.",
    "各格下方為區間半寬（SUVR）與人數；紅色表示明顯低於 90 %。",
)


def _worst(found: pd.DataFrame) -> str:
    whole = found[found["region"].astype(str) == "all"].dropna(subset=["coverage"])
    if whole.empty:
        return ""
    at = records(whole.sort_values("coverage", kind="stable"))[0]
    share, group = float(at["coverage"]), words.both(said.GROUPS, str(at["group"]))
    return paragraph(
        f"Least covered group: {group[0]}, {share:.0%} of its truths.",
        f"涵蓋最低之組別：{group[1] or group[0]}，{share:.0%}。",
        kind="lead",
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
        Axis(0, 1, 0.2, "share of region values kept, the most certain first"),
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
        "correlate",
        "region",
        "loss",
        "n",
        "recovered",
        "low",
        "high",
        "false_normal",
    )
    body = plain_table(
        found, columns, key="planted", n_words=2, names={**said.NAMES, "region": said.REGIONS}
    )
    return section(("Planted lesions", "植入病灶"), drawn, body, note(_PLANTED))


_PLANTED: words.Words = (
    "On the diagonal, all of a planted loss comes out. Without a trace in the MR nothing can: that "
    "line is the limit of any synthetic PET.",
    "對角線表示植入之下降完全重現；MR 無跡象者無從重現，此為任何合成 PET 之極限。",
)


def _dose(found: pd.DataFrame) -> str:
    top = max(0.4, float(found["loss"].astype(float).max()))
    frame = Frame(
        Axis(0, top, 0.1, "planted loss of uptake", ".1f"),
        Axis(min(0.0, float(found["low"].astype(float).min())), top, 0.1, "loss that comes out"),
    )
    marks, keys = [diagonal(frame)], []
    for n, correlate in enumerate(dict.fromkeys(found["correlate"].astype(str))):
        color = COLORS[n % len(COLORS)]
        part = found[found["correlate"].astype(str) == correlate].sort_values("loss")
        marks.append(
            line(frame, part["loss"].astype(float), part["recovered"].astype(float), color)
        )
        for at in records(part):
            x, y = float(at["loss"]), float(at["recovered"])
            marks.append(whisker(frame, x, float(at["low"]), float(at["high"]), color))
            marks.append(dot(frame, x, y, color))
        keys.append(Key(words.english(said.CORRELATES, correlate), color))
    return chart(frame, "Dose and response of planted lesions", marks, keys)


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
    return section(("Worse scans", "較差之影像"), drawn, body)


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
    return section(title, body) if len(found) else ""


def policy(look: View) -> str:
    """What age, sex and cognition add as inputs."""
    found = look.table("covariate_policy")
    if found.empty:
        return ""
    bars = [
        interval_bar(
            words.english(said.POLICIES, str(at["policy"])), at, color="#17417e", column="skill",
            more=f", {float(at['against_images']):+.3f}, p {p_value(float(at['p']))}",
        )
        for at in records(found)
    ]  # fmt: skip
    drawn = forest(bars, "skill against the mean", "Skill by what is looked at beside MR", mark=0.0)
    return section(("Beside the MR", "MR 以外之輸入"), drawn, note(_POLICY))


_POLICY: words.Words = (
    "The last number is the gain over images only. Cognition as an input lets the diagnosis leak "
    "into the picture; it is never the default.",
    "認知測驗作為輸入會使診斷洩漏至影像，故非預設。",
)


def adaptation(look: View) -> str:
    """A site left out of training, and what a few of its own pairs bring."""
    found = look.table("adaptation")
    columns = (
        "site",
        "n_adapted",
        "n",
        "skill",
        "low",
        "high",
        "slope",
        "coverage",
    )
    body = plain_table(found, columns, key="adaptation", n_words=1)
    title = ("Another scanner, and few pairs of its own", "其他儀器與少量自有配對")
    return section(title, body) if len(found) else ""


def sizes(look: View) -> str:
    """Skill over the number of pairs learned from."""
    found = look.table("learning_curve")
    found = found[found["metric"].astype(str) == "skill"]
    if found.empty:
        return ""
    curves = [Curve(name, color, part) for name, color, part in curve_names(found)]
    drawn = learning_chart(curves, "skill", "Skill over the number of pairs")
    return section(("How many pairs are enough", "所需配對數"), drawn)


def sameness(look: View) -> str:
    """Determinism, parity of back ends, and nearness to training people."""
    parity, near = look.table("parity"), look.table("memorisation")
    parts = []
    if len(parity):
        parts.append(plain_table(parity, _PARITY, key="parity", n_words=3))
    if len(near):
        parts.append(plain_table(near, _NEAR, key="memorisation", n_words=2))
    return section(("The same answer every time, and nobody copied", "可重現性與記憶檢查"), *parts)


_PARITY = ("what", "against", "verdict", "largest_suvr", "limit_suvr")
_NEAR = ("distance", "verdict", "to_training", "to_unseen")
