"""How good synthetic PET is: against what needs no MR, region by region, and by what is shown."""

import math
from collections.abc import Iterator

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish import synthesis_texts as said
from tracerless.publish import texts
from tracerless.publish.assessment_numbers import View, p_value, words_cell
from tracerless.publish.charts import COLORS
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import banner, cell, measure, paragraph, row, table, text, zh
from tracerless.publish.synthesis_parts import (
    ALL,
    Rows,
    grouped_forest,
    interval_bar,
    note,
    of_model,
    plain_table,
    section,
)

_MEASURES = ("mae", "mae_mean", "bias", "icc", "ccc", "slope", "calibration", "sd_ratio")
_BOUNDED = ("icc", "slope", "calibration", "sd_ratio")
"""Measures of agreement whose interval is shown; those of all others are in the table kept."""


def opening(look: View) -> Iterator[str]:
    """Banner, headline, and what must be known before any number is read."""
    yield banner(synthetic=True)
    yield f"<h1>Synthetic FDG-PET: {text(look.assessment.key)}{zh('合成 FDG-PET 評估')}</h1>"
    english, chinese = (str(look.fact(name, "")) for name in ("headline", "headline_zh"))
    yield paragraph(english, chinese, kind="headline")
    if str(look.fact("domain", "")) == "simulated":
        yield paragraph(*said.SIMULATED, kind="plainly")
    if look.fact("marked_for_cognition"):
        yield paragraph(*texts.COGNITION, kind="plainly")
    if str(look.fact("learned_from", "all")) != "all":
        english, chinese = said.TWIN
        people = str(look.fact("learned_from"))
        yield paragraph(english.format(people), chinese.format(people), kind="plainly")
    yield paragraph(*said.NOT_ACQUIRED, kind="lead")


def claims(look: View) -> str:
    """What may be said of AD from the synthetic scan, with the numbers that say it."""
    parts = []
    for at in records(look.table("claims")):
        verdict = words.both(said.VERDICTS, str(at["verdict"]))
        parts.append(paragraph(f"{at['claim']}: {verdict[0]}.", verdict[1], kind="plainly"))
        parts.append(paragraph(str(at["sentence_en"]), str(at["sentence_zh"])))
    return section(("What may be claimed", "可作之宣稱"), *parts)


def skill(look: View) -> str:
    """Skill against the mean, against age and sex, against linear MR; by group."""
    found = of_model(look, "skill")
    if found.empty:
        return ""
    drawn = grouped_forest(
        found, "group", "skill", "Skill of the model against each rival, by group"
    )
    return section(
        ("Skill: 1 - MAE / MAE of a rival, over regions", "技能分數"), drawn, note(_SKILL)
    )


_SKILL: words.Words = (
    "0 = no better than that rival, 1 = exact. Intervals resample people. The population mean "
    "knows nothing of the person; a model that does not beat it adds nothing.",
    "0 表示不優於比較基準，1 表示完全一致；區間以受試者為單位重抽。",
)


def inputs(look: View) -> str:
    """What each set of inputs is worth, and what a missing one costs."""
    every = look.table("inputs")
    is_rival = every["model"].astype(str).isin(said.MODELS)
    found = every[~is_rival | (every["how"].astype(str) == said.ALONE)]
    if found.empty:
        return ""
    bars: list[Bar] = []
    for how in dict.fromkeys(found["how"].astype(str)):
        bars.append(Bar(words.english(said.HOW, how), strong=True))
        for n, at in enumerate(records(found[found["how"].astype(str) == how])):
            p = float(at["p"])
            more = f", p {p_value(p)}" if math.isfinite(p) else ""
            color = COLORS[n % len(COLORS)]
            bars.append(interval_bar(str(at["inputs"]), at, color=color, column="skill", more=more))
    drawn = forest(bars, "skill against the mean", "Skill by what the model is shown", mark=0.0)
    return section(("What each input is worth", "各輸入之貢獻"), drawn, note(_INPUTS))


_INPUTS: words.Words = (
    "p: paired with all inputs, corrected for the number of sets. A set of inputs "
    "that does not beat the mean is refused by the model, by name.",
    "p 為與全部輸入之配對比較（已校正）；不優於平均之輸入組合，模型一律拒絕。",
)


def agreement(look: View) -> str:
    """Agreement by region for the first atlas and reference; all others in one line each."""
    found = of_model(look, "agreement")
    if found.empty:
        return ""
    pairs = list(dict.fromkeys(zip(found["atlas"], found["reference"], strict=True)))
    first = found[(found["atlas"] == pairs[0][0]) & (found["reference"] == pairs[0][1])]
    lead = f"Atlas {pairs[0][0]}, reference {pairs[0][1]}; SUVR; 95 % intervals over people."
    return section(
        ("Agreement by region", "各腦區一致性"),
        _across(found, pairs),
        paragraph(lead, f"圖譜 {pairs[0][0]}，參考區 {pairs[0][1]}。", kind="lead"),
        _slopes(first),
        _by_region(first),
        note(_AGREE),
    )


_AGREE: words.Words = (
    "Limits of agreement hold 95 % of differences. Slope: of synthetic on acquired over people; "
    "below 1, differences between people are flattened. No prediction from MR reaches 1: the best "
    "one has the share of the variance that MR explains, and noise in the acquired PET lowers it "
    "further. Truth on pred.: slope of acquired on synthetic, 1 where a difference that is "
    "predicted is there, on average. SD ratio: spread of synthetic over spread of acquired.",
    "一致性界限涵蓋 95 % 之差異。斜率為合成對實測：小於 1 表示個體差異被壓縮；"
    "僅憑 MR 之最佳預測亦不及 1（等於 MR 可解釋之變異比例，且實測 PET 之雜訊使其更低）。"
    "實測對合成斜率為 1 表示預測之差異平均屬實。標準差比為合成離散度與實測離散度之比。",
)


def _across(found: pd.DataFrame, pairs: list[tuple[str, str]]) -> str:
    rows = []
    for atlas, reference in pairs:
        part = found[(found["atlas"] == atlas) & (found["reference"] == reference)]
        part = part[part["region"].astype(str) != ALL]
        middle = part[[*_MEASURES]].median()
        rows.append({"frame": f"{atlas} / {reference}", "regions": len(part), **middle.to_dict()})
    head = paragraph("Median over regions.", "各腦區之中位數。", kind="lead")
    columns = ("frame", "regions", *_MEASURES)
    return head + plain_table(pd.DataFrame(rows), columns, key="frames", n_words=1)


def _by_region(first: pd.DataFrame) -> str:
    """All regions together in the first row; what matters with its interval below it."""
    columns = ("region", "n", "mae", "mae_mean", "bias", "limits", *_BOUNDED)
    whole = first["region"].astype(str) == ALL
    rows = [
        row([
            words_cell(*words.both(said.REGIONS, str(at["region"]))),
            cell(f"{float(at['n']):.0f}", kind="num", sort=float(at["n"])),
            *(measure(float(at[name]), 3) for name in ("mae", "mae_mean", "bias")),
            f'<td class="num" style="white-space:nowrap">{float(at["agree_low"]):.2f} to '
            f"{float(at['agree_high']):.2f}</td>",
            *(_bounded(at, name) for name in _BOUNDED),
        ])
        for at in records(pd.concat([first[whole], first[~whole]]))
    ]  # fmt: skip
    return table([said.HEADS[name] for name in columns], rows, key="agreement", n_words=1)


def _bounded(at: Rows, name: str) -> str:
    value, low, high = (float(at[f"{name}{end}"]) for end in ("", "_low", "_high"))
    if not math.isfinite(value):
        return '<td class="num zh">–</td>'
    span = f"{low:.2f} to {high:.2f}" if math.isfinite(low + high) else "no interval"
    below = f'<br><span class="zh" style="white-space:nowrap">{span}</span>'
    return f'<td class="num" data-sort="{value!r}">{value:.2f}{below}</td>'


def _slopes(first: pd.DataFrame) -> str:
    bars = [
        Bar(
            words.english(said.REGIONS, str(at["region"])),
            float(at["slope"]), float(at["slope_low"]), float(at["slope_high"]),
            f"{float(at['slope']):.2f} ({float(at['slope_low']):.2f} to "
            f"{float(at['slope_high']):.2f})",
        )
        for at in records(first.sort_values("slope", kind="stable"))
    ]  # fmt: skip
    return forest(bars, "slope of synthetic on acquired", "Slope by region", mark=1.0)


def voxels(look: View) -> str:
    """Voxel measures inside the brain; said beside what an erased lesion does to them."""
    found = look.table("voxels")
    if found.empty:
        return ""
    columns = (
        "model",
        "group",
        "metric",
        "value",
        "low",
        "high",
        "n",
    )
    body = plain_table(found, columns, key="voxels", n_words=3)
    return section(("Voxels inside the brain", "腦內體素"), body, note(_VOXELS))


_VOXELS: words.Words = (
    "Voxel measures cannot see a disease: an image with the lesion erased scores higher than the "
    "right one with fresh noise. They are shown for comparison with other reports only.",
    "體素指標看不見疾病：抹除病灶之影像得分反而較高；僅供與其他報告比較。",
)


def flags(look: View) -> str:
    """Do abnormal regions come out as abnormal, against two norms?"""
    found = of_model(look, "z_flags")
    columns = (
        "norm",
        "group",
        "metric",
        "value",
        "low",
        "high",
    )
    body = plain_table(found, columns, key="z_flags", n_words=3)
    return section(("Abnormal regions", "異常腦區"), body, note(_FLAGS)) if len(found) else ""


_FLAGS: words.Words = (
    "A region is flagged when 1 in 20 normal people is lower (z below -1.645). Synthetic uptake is "
    "pulled toward the mean: it needs a norm of synthetic scans of its own. By chance: as many "
    "flags in every region, dealt at random. Flags of normal people are false alarms.",
    "低於 95 % 正常人之腦區標為異常（z < -1.645）。合成影像趨向平均，須以合成影像自身之常模判讀。"
    "「隨機」為各腦區標示數相同、隨機分配時之值；正常人之標示皆為誤報。",
)


def asymmetry(look: View) -> str:
    """Left against right: does the lower side come out on the right side?"""
    found = of_model(look, "asymmetry")
    columns = (
        "region",
        "n",
        "same_sign",
        "low",
        "high",
        "icc",
        "bias",
    )
    own = {
        "region": ("Region pair", "左右腦區"),
        "n": ("Clear in acquired PET", "實測明顯不對稱次數"),
        "bias": ("Bias, percent", "偏差（%）"),
    }
    body = plain_table(found, columns, key="asymmetry", n_words=1, heads=own)
    return section(("Left against right", "左右不對稱"), body, note(_SIDES)) if len(found) else ""


_SIDES: words.Words = (
    "Same side lower: among sessions whose acquired asymmetry is at least 2 %; 0.5 is chance.",
    "同側較低：僅計實測不對稱達 2 % 者；0.5 為隨機。",
)
