"""Pages of risk: absolute risk at every horizon, bands, and what happened in them."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import View, counted, number_cell, share, words_cell
from tracerless.publish.charts_curves import Curve, incidence_chart
from tracerless.publish.charts_data import records
from tracerless.publish.markup import cell, heading, paragraph, row, table, text, zh

BAND_COLORS = ("#1e7d4b", "#c77800", "#b00020", "#7a4f9a")
EVERYBODY = "everybody"
FEW_EVENTS = 10


def absolute_risk(look: View) -> str:
    """Told and observed risk, and every measure, at each horizon."""
    found = look.table("absolute_risk")
    if found.empty:
        return ""
    quantities = words.in_order(words.QUANTITIES, [str(each) for each in found["quantity"]])
    first = [name for name in ("predicted", "observed") if name in quantities]
    quantities = [*first, *(name for name in quantities if name not in first)]
    heads = [("Model", "模型"), ("Years", "年")]
    heads += [words.both(words.QUANTITIES, name) for name in quantities]
    rows = (
        _horizon_row(part, quantities, look)
        for _, part in found.groupby(["model", "years"], sort=False)
    )
    return (
        f"<section>{heading('Absolute risk at each horizon', '各時間點之絕對風險')}"
        f"{table(heads, rows, key='absolute-risk', n_words=1)}"
        f"{paragraph(*_ABSOLUTE, kind='note')}</section>"
    )


_ABSOLUTE: words.Words = (
    "Observed risk: Aalen-Johansen, death as a competing event, so that the dead do not count as "
    "people who might still fall ill. A horizon beyond follow-up is not told.",
    "觀察風險以 Aalen-Johansen 估計，死亡為競爭事件；超出追蹤期之時間點不予呈現。",
)


def bands(look: View) -> str:
    """Bands on absolute risk: how many, what was told, what was seen."""
    found = look.table("bands")
    if found.empty:
        return ""
    heads = [
        ("Band", "分層"),
        ("Reading", "判讀"),
        ("Told risk", "預測風險"),
        ("People", "人數"),
        ("Events", "事件"),
        ("Observed (95 % interval)", "觀察風險與區間"),
    ]
    rows = (_band_row(each, look) for each in records(found))
    note = (
        "Bands are cut on absolute risk, not on a score. "
        "Where the observed interval leaves the band's range, the model's risks do not hold there."
    )
    han = "分層依絕對風險而非分數；觀察區間若超出該層範圍，則預測於此不成立。"
    return (
        f"<section>{heading('Bands of risk', '風險分層')}"
        f"{table(heads, rows, key='bands', n_words=2)}"
        f"{paragraph(note, han, kind='note')}</section>"
    )


def incidence(look: View) -> str:
    """Cumulative incidence of dementia and of death without it, by band."""
    found = look.table("incidence")
    if found.empty:
        return ""
    events = list(dict.fromkeys(found["event"].astype(str)))
    charts = "".join(f"<div>{_incidence_of(event, found)}</div>" for event in events)
    note = "Steps: Aalen-Johansen; pale: 95 % interval at each time, wide where few are left."
    return (
        f"<section>{heading('What happened', '累積發生率')}"
        f'<div class="two">{charts}</div>'
        f"{paragraph(note, '階梯為 Aalen-Johansen 估計，淺色為各時點 95 % 區間。', kind='note')}"
        "</section>"
    )


def _incidence_of(event: str, found: pd.DataFrame) -> str:
    part = found[found["event"].astype(str) == event]
    names = list(dict.fromkeys(part["band"].astype(str)))
    banded = [name for name in names if name != EVERYBODY]
    curves = [
        Curve(name, _band_color(name, banded), part[part["band"].astype(str) == name])
        for name in names
    ]
    named, chinese = words.both(words.CLASSES, event)
    drawn = incidence_chart(curves, named, f"Cumulative incidence of {named}")
    return f"<h3>{text(named)}{zh(chinese)}</h3>{drawn}"


def _band_color(name: str, banded: list[str]) -> str:
    if name == EVERYBODY:
        return words.PALETTE[0]
    return BAND_COLORS[banded.index(name) % len(BAND_COLORS)]


def _horizon_row(part: pd.DataFrame, quantities: list[str], look: View) -> str:
    first = records(part)[0]
    model, years = str(first["model"]), float(first["years"])
    cells = {str(each["quantity"]): each for each in records(part)}
    shown = f"{years:g}" if math.isfinite(years) else "all"
    return row(
        [
            words_cell(*words.both(words.MODELS, model)),
            cell(shown, kind="num", sort=years),
            *(
                _quantity(name, cells[name], look) if name in cells else cell("–", kind="num")
                for name in quantities
            ),
        ]
    )


def _quantity(name: str, each: Mapping[str, Any], look: View) -> str:
    """Risks as percent, measures as numbers."""
    if name not in {"predicted", "observed"}:
        return number_cell(each, look)
    ends = (float(each["value"]), float(each["low"]), float(each["high"]))
    return cell(share(*ends, small=look.is_small), kind="num", sort=ends[0])


def _band_row(each: Mapping[str, Any], look: View) -> str:
    ends = (float(each["observed"]), float(each["low"]), float(each["high"]))
    low, high = float(each["low_risk"]), float(each["high_risk"])
    events = float(each["events"])
    return row(
        [
            cell(each["band"]),
            words_cell(*_reading(events, ends, (low, high))),
            cell(f"{low:.0%} to {high:.0%}", kind="num", sort=low),
            cell(counted(float(each["n"])), kind="num", sort=float(each["n"])),
            cell(counted(events), kind="num", sort=events),
            cell(share(*ends, small=look.is_small), kind="num", sort=ends[0]),
        ]
    )


def _reading(
    events: float, ends: tuple[float, float, float], told: tuple[float, float]
) -> words.Words:
    _, low, high = ends
    if not (math.isfinite(low) and math.isfinite(high)):
        return "not told", "不予呈現"
    if low > told[1]:
        return "more fell ill than told", "實際高於預測"
    if high < told[0]:
        return "fewer fell ill than told", "實際低於預測"
    if events < FEW_EVENTS:
        return "agrees, on few events", "相符，但事件少"
    return "agrees", "相符"
