"""How good synthetic PET is: against what needs no MR, region by region, and by what is shown."""

import math
from collections.abc import Iterator

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish import synthesis_texts as said
from tracerless.publish.assessment_numbers import View, p_value
from tracerless.publish.charts import COLORS
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import banner, paragraph, text, zh
from tracerless.publish.synthesis_parts import (
    grouped_forest,
    interval_bar,
    model_name,
    note,
    of_model,
    plain_table,
    section,
)

_AGREEMENT = (
    "region", "n", "mae", "mae_mean", "bias", "agree_low", "agree_high", "icc", "ccc",
    "slope", "sd_ratio",
)  # fmt: skip


def opening(look: View) -> Iterator[str]:
    """Banner, headline, and what must be known before any number is read."""
    yield banner(synthetic=True)
    yield f"<h1>Synthetic FDG-PET: {text(look.assessment.key)}{zh('合成 FDG-PET 評估')}</h1>"
    yield paragraph(str(look.fact("headline", "")), kind="headline")
    if str(look.fact("domain", "")) == "simulated":
        yield paragraph(*said.SIMULATED, kind="plainly")
    if look.fact("marked_for_cognition"):
        yield paragraph(*said.COGNITION, kind="plainly")
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
    "0 表示不優於對照，1 表示完全一致；區間以人為單位重抽。",
)


def inputs(look: View) -> str:
    """What each set of inputs is worth, and what a missing one costs."""
    found = of_model(look, "inputs")
    if found.empty:
        return ""
    bars: list[Bar] = []
    for how in dict.fromkeys(found["how"].astype(str)):
        bars.append(Bar(how, strong=True))
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
    lead = f"Atlas {pairs[0][0]}, reference {pairs[0][1]}; SUVR."
    return section(
        ("Agreement by region", "各腦區一致性"),
        _across(found, pairs),
        paragraph(lead, f"圖譜 {pairs[0][0]}，參考區 {pairs[0][1]}。", kind="lead"),
        _slopes(first),
        plain_table(first, _AGREEMENT, key="agreement", n_words=1),
        note(_AGREE),
    )


_AGREE: words.Words = (
    "Limits of agreement hold 95 % of differences. Slope of synthetic on acquired over people: "
    "below 1, differences between people are flattened. SD ratio: spread of synthetic over spread "
    "of acquired.",
    "一致界限涵蓋 95 % 之差異；斜率小於 1 表示個體差異被壓縮。",
)


def _across(found: pd.DataFrame, pairs: list[tuple[str, str]]) -> str:
    rows = []
    for atlas, reference in pairs:
        part = found[(found["atlas"] == atlas) & (found["reference"] == reference)]
        middle = part[["mae", "mae_mean", "bias", "icc", "ccc", "slope", "sd_ratio"]].median()
        rows.append({"frame": f"{atlas} / {reference}", "regions": len(part), **middle.to_dict()})
    columns = ("frame", "regions", *(each for each in _AGREEMENT if each in rows[0]))
    head = paragraph("Median over regions.", "各腦區之中位數。", kind="lead")
    return head + plain_table(pd.DataFrame(rows), columns, key="frames", n_words=1)


def _slopes(first: pd.DataFrame) -> str:
    bars = [
        Bar(
            str(at["region"]), float(at["slope"]), float(at["slope_low"]), float(at["slope_high"]),
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
    "Synthetic uptake is pulled toward the mean: it needs a norm of synthetic scans of its own.",
    "合成影像趨向平均，須以合成影像自身之常模判讀。",
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
    own = {"region": ("Region pair", "左右腦區"), "icc": ("ICC", "組內相關")}
    body = plain_table(found, columns, key="asymmetry", n_words=1, heads=own)
    return section(("Left against right", "左右不對稱"), body) if len(found) else ""


def curve_names(found: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Parts of a table by model: name, color, rows."""
    for n, model in enumerate(dict.fromkeys(found["model"].astype(str))):
        part = found[found["model"].astype(str) == model]
        yield model_name(model)[0], COLORS[n % len(COLORS)], part
