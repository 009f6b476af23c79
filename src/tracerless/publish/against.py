"""What a norm says of one session: surface projections, z of every measure, clinical indices."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tracerless.core.prediction import SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH
from tracerless.core.volume import Contrast
from tracerless.publish import texts
from tracerless.publish.forest import Named, forest
from tracerless.publish.markup import (
    bullets,
    cell,
    cell_zh,
    figure,
    heading,
    measure,
    paragraph,
    row,
    table,
)

COGNITION = "cognition"
MANY = 10
"""Pairs of regions whose asymmetry is shown at most: those farthest from expected."""

INDICES: Mapping[str, tuple[str, str]] = {
    "severity": ("Severity: mean of -z below zero in the AD meta-region", "嚴重度"),
    "extent": ("Extent: % of the AD meta-region with z below -2", "範圍"),
    "ratio": ("Ratio: extent in the meta-region over that of the brain", "比值"),
    "cingulate_island_ratio": ("Cingulate island ratio", "扣帶迴島比值"),
    "convergence_AD": ("Convergence on the AD pattern of this dataset", "阿茲海默型態相似度"),
}
_ASYMMETRY = "AI_"


@dataclass(frozen=True, slots=True, eq=False)
class Against:
    """One norm's z of one session.

    Args:
        norm: its name.
        contrast: what was measured, or ``cognition``.
        n: normal people behind it.
        family_cut: z below which any measure of a normal person falls with a chance of 5 %.
        table: index = measure, columns of ``score.SCORE_COLUMNS``.
        names: how the measures are called.
        indices: index = index, columns value, expected, z, z_low, z_high, percentile, reason.
        picture: surface projections, PNG; empty where there is none.
        slices: the map of z as slices, PNG; likewise.
        in_norm: whether the scan is one of the norm's, and was left out of it here.
        simulated: whether the norm's people are simulated.
    """

    norm: str
    contrast: str
    n: int
    family_cut: float
    table: pd.DataFrame
    names: Mapping[str, Named]
    indices: pd.DataFrame
    picture: bytes = b""
    slices: bytes = b""
    in_norm: bool = False
    simulated: bool = False


def against_section(each: Against) -> str:
    """The section of a session page: banner, projections, forest plot, indices."""
    of = "認知測驗" if each.contrast == COGNITION else each.contrast
    title = "tests" if each.contrast == COGNITION else _title(each.contrast)
    parts = [heading(f"Against the normal: {title}", f"與常模比較：{of}"), *_said(each)]
    if each.picture:
        parts.append(_projections(each))
    if each.table["z"].notna().any():
        what = f"z of {title} against norm {each.norm}"
        parts.append(forest(each.table, each.names, each.family_cut, what))
        parts.append(paragraph(*_note(each), kind="note"))
    if len(each.indices):
        parts.append(_indices(each))
    return f"<section>{''.join(parts)}</section>"


def z_column(sessions: Sequence[Against], contrast: Contrast) -> pd.Series | None:
    """By region key, z of that contrast from the first norm that has it; or None."""
    for each in sessions:
        if each.contrast == contrast and each.table["z"].notna().any():
            return each.table["z"]
    return None


def _title(contrast: str) -> str:
    return texts.title(Contrast(contrast)) if contrast in set(Contrast) else contrast


def _said(each: Against) -> Iterator[str]:
    """What must be read before any number."""
    if each.contrast == Contrast.SYNTHETIC_FDG:
        yield paragraph(SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH, kind="plainly")
    if each.simulated:
        yield paragraph(
            "The norm was made from SIMULATED people. It says nothing about real ones.",
            "常模來自模擬資料，不適用於真實受檢者。",
            kind="plainly",
        )
    reasons = [str(r) for r in dict.fromkeys(each.table["reason"]) if isinstance(r, str) and r]
    yield bullets(reasons)
    lead = f"Norm {each.norm}: {each.n} normal people; expectations allow for its covariates."
    n_low, n_beyond = int(each.table["below_2"].sum()), int(each.table["below_family"].sum())
    if each.table["z"].notna().any():
        lead += (
            f" Of {int(each.table['z'].notna().sum())} measures {n_low} lie below -2, {n_beyond} "
            f"below {each.family_cut:.2f}, which a normal person passes anywhere with a chance of "
            "5 %."
        )
    if each.in_norm:
        lead += " This scan is one of the norm's and was left out of it here."
    yield paragraph(lead, kind="lead")


def _projections(each: Against) -> str:
    label = ""
    if each.contrast == Contrast.SYNTHETIC_FDG:
        label = f"{SYNTHETIC_LABEL_EN}. {SYNTHETIC_LABEL_ZH}. "
    alt = f"{label}Surface projections of {_title(each.contrast)}: uptake and z, eight views."
    note = paragraph(
        "Stereotactic surface projections: at each point of the template's surface the highest "
        "value down to 13.5 mm below it, and its z against the same peaks of the normal people. "
        "All pictures share one color scale of z; grey is within 1.5 of expected.",
        "立體定位表面投影：各點為表面下 13.5 毫米內之最高值及其 z；所有影像使用同一色階。",
        kind="note",
    )
    drawn = f'<div class="pictures single">{figure(each.picture, alt)}</div>{note}'
    if not each.slices:
        return drawn
    alt = f"{label}Map of z of {_title(each.contrast)}, slices."
    return f'{drawn}<div class="pictures single">{figure(each.slices, alt)}</div>'


def _note(each: Against) -> tuple[str, str]:
    english = (
        "z is the normal score of Student's predictive t; its interval holds the true distance in "
        "95 of 100 cases and widens with fewer normal people."
    )
    chinese = "z 由預測 t 分布換算；常模人數愈少，區間愈寬。"
    if each.contrast != COGNITION:
        english += (
            " The grey bar is the range of z over all reference regions: where it is wide, the "
            "finding hangs on the choice."
        )
        chinese += "灰色長條為不同參考區所得 z 之範圍。"
    return english, chinese


def _indices(each: Against) -> str:
    head = [
        ("Index", "指標"), ("Chinese name", "中文名"), ("Value", "數值"),
        ("Expected", "預期值"), ("z", "z"), ("95 % low", "下限"), ("95 % high", "上限"),
        ("Percentile", "百分位"),
    ]  # fmt: skip
    note = paragraph(
        "Asymmetry: 200 (left - right) / (left + right), + = more on the left; at most "
        f"{MANY} pairs, those farthest from expected. Severity, extent and ratio are told against "
        "the norm's own people, each left out once: their definitions are those of known programs, "
        "their regions are not, so cut-offs from elsewhere do not hold.",
        "不對稱指標：正值表示左側較高。各指標之腦區與其他軟體不同，不可套用其切截值。",
        kind="note",
    )
    key = "indices-" + "".join(filter(str.isalnum, each.norm))
    return f"<h3>Indices</h3>{table(head, _index_rows(each), key=key, n_words=2)}{note}"


def _index_rows(each: Against) -> Iterator[str]:
    sides = each.indices[[str(key).startswith(_ASYMMETRY) for key in each.indices.index]]
    rest = each.indices.drop(index=sides.index)
    farthest = sides.reindex(sides["z"].abs().sort_values(ascending=False).index).head(MANY)
    for key, values in pd.concat([rest, farthest]).iterrows():
        yield row(_index_cells(str(key), values))


def _index_cells(key: str, values: "pd.Series") -> Iterator[str]:
    if key.startswith(_ASYMMETRY):
        name = key.removeprefix(_ASYMMETRY).replace("_", " ")
        english, chinese = f"Asymmetry of {name}, %", "不對稱"
    else:
        english, chinese = INDICES.get(key, (key, ""))
    yield cell(english)
    yield cell_zh(chinese)
    yield measure(float(values["value"]))
    yield measure(float(values["expected"]))
    for name in ("z", "z_low", "z_high"):
        yield measure(float(values[name]), 2, signed=True)
    share = float(values["percentile"])
    yield cell(f"{share:.1f}" if math.isfinite(share) else "–", kind="num", sort=share)
