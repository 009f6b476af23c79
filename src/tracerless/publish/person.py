"""One person's block: what the models say of a scan, how far it goes, and what it rests on."""

import math

import pandas as pd

from tracerless.core.decision import Decision
from tracerless.core.risk import Outlook
from tracerless.publish import assessment_texts as words
from tracerless.publish import person_texts as said
from tracerless.publish.assessment_numbers import share
from tracerless.publish.charts_bars import Length, bars
from tracerless.publish.charts_curves import Curve, risk_chart
from tracerless.publish.markup import bullets, cell, heading, paragraph, row, table, text, zh

_IN, _OUT = "#17417e", "#aab4c5"


def person_block(
    decision: Decision | None = None,
    *,
    outlook: Outlook | None = None,
    n_similar: int | None = None,
) -> str:
    """Sections for the page of a session; empty when no model says anything.

    What norms say of the scan stands in the page's own sections (`against_section`).

    Args:
        decision: of a diagnosis model.
        outlook: of a risk model.
        n_similar: people without disease of about that age and the same sex; None when unknown.
    """
    parts = [
        _diagnosis(decision) if decision is not None else "",
        _future(outlook) if outlook is not None else "",
    ]
    there = "".join(parts)
    if not there:
        return ""
    return f"{there}{_similar(n_similar)}{paragraph(*said.RESEARCH, kind='plainly')}"


def _similar(n_similar: int | None) -> str:
    if n_similar is None:
        return ""
    english, chinese = said.SIMILAR if n_similar else said.NOBODY
    return paragraph(english.format(n=n_similar), chinese.format(n=n_similar), kind="lead")


def _diagnosis(decision: Decision) -> str:
    head = heading(f"What model {decision.model} says", "模型判讀")
    notes = bullets(decision.notes)
    if decision.abstains:
        no = f"{said.ABSTAINS[0]} {decision.abstains}"
        return f"<section>{head}{paragraph(no, said.ABSTAINS[1], kind='plainly')}{notes}</section>"
    english = " or ".join(words.english(words.CLASSES, name) for name in decision.likely)
    chinese = "或".join(words.both(words.CLASSES, name)[1] or name for name in decision.likely)
    meaning = [each.format(level=decision.level) for each in said.LIKELY]
    return (
        f"<section>{head}{paragraph(english or 'Nothing is likely.', chinese, kind='headline')}"
        f'<div class="two"><div>{_probabilities(decision)}</div>'
        f"<div>{_contributions(decision)}</div></div>"
        f"{notes}{paragraph(meaning[0], meaning[1], kind='note')}</section>"
    )


def _probabilities(decision: Decision) -> str:
    order = sorted(decision.probability, key=lambda name: -decision.probability[name])
    lengths = [
        Length(
            words.english(words.CLASSES, name),
            decision.probability[name],
            f"{decision.probability[name]:.0%}{' likely' if name in decision.likely else ''}",
            _IN if name in decision.likely else _OUT,
        )
        for name in order
    ]
    return bars(lengths, "calibrated probability", "Probability by diagnosis", ends=[1.0])


def _contributions(decision: Decision) -> str:
    if not decision.contributions or not decision.likely:
        return ""
    order = sorted(decision.contributions.items(), key=lambda each: -abs(each[1]))[:10]
    lengths = [
        Length(group, value, f"{value:+.2f}", "#0072b2" if value > 0 else "#c77800")
        for group, value in order
    ]
    english, chinese = words.both(words.CLASSES, decision.likely[0])
    drawn = bars(lengths, "change of the log odds", f"What speaks for and against {english}")
    note = (said.CHANGES[0].format(first=english), said.CHANGES[1].format(first=chinese or english))
    return f"{drawn}{paragraph(*note, kind='note')}{_turning(decision)}"


def _turning(decision: Decision) -> str:
    """Which group of predictors, were it average, would make another diagnosis as likely."""
    first, second = _first_two(decision)
    if not second:
        return ""
    apart = math.log(max(decision.probability[first], 1e-9)) - math.log(
        max(decision.probability[second], 1e-9)
    )
    turning = [group for group, value in decision.contributions.items() if value > apart]
    names = [words.english(words.CLASSES, name) for name in (first, second)]
    if not turning:
        told = f"No single group of values decides between {names[0]} and {names[1]}."
        return paragraph(told, "無單一群組足以改變排序。", kind="note")
    told = (
        f"Were only {' or '.join(sorted(turning))} average, {names[1]} would be at least as "
        f"probable as {names[0]}."
    )
    return paragraph(told, "若僅該群組數值為平均，第二診斷之機率將不低於第一診斷。", kind="note")


def _first_two(decision: Decision) -> tuple[str, str]:
    order = sorted(decision.probability, key=lambda name: -decision.probability[name])
    first = decision.likely[0]
    rest = [name for name in order if name != first]
    return first, rest[0] if rest else ""


def _future(outlook: Outlook) -> str:
    head = heading(f"Risk of dementia, model {outlook.model}", "未來失智風險")
    notes = bullets(outlook.notes)
    if outlook.abstains:
        no = f"{said.ABSTAINS[0]} {outlook.abstains}"
        return f"<section>{head}{paragraph(no, said.ABSTAINS[1], kind='plainly')}{notes}</section>"
    points = pd.DataFrame(
        {"years": outlook.years, "value": outlook.risk, "low": outlook.low, "high": outlook.high},
        dtype=float,
    )
    start = pd.DataFrame([{"years": 0.0, "value": 0.0, "low": 0.0, "high": 0.0}])
    curve = Curve("dementia", "#b00020", pd.concat([start, points], ignore_index=True))
    chinese = said.BANDS.get(outlook.band, "")
    label = f'<p class="headline">{text(outlook.band)} risk{zh(chinese)}</p>'
    return (
        f"<section>{head}{label if outlook.band else ''}"
        f'<div class="two"><div>{risk_chart(curve, "Risk of dementia over years")}</div>'
        f"<div>{_horizons(outlook)}</div></div>{notes}"
        f"{paragraph(*said.FUTURE, kind='note')}</section>"
    )


def _horizons(outlook: Outlook) -> str:
    heads = [
        ("Years", "年"),
        ("Risk of dementia (95 % interval)", "失智風險與區間"),
        ("Death without it", "未失智而死亡"),
    ]
    risks = zip(outlook.risk, outlook.low, outlook.high, strict=True)
    deaths = zip(outlook.death, outlook.death_low, outlook.death_high, strict=True)
    rows = (
        row([cell(f"{years:g}", kind="num", sort=years), _share(*risk), _share(*death)])
        for years, risk, death in zip(outlook.years, risks, deaths, strict=True)
    )
    return table(heads, rows, key="horizons", n_words=0)


def _share(value: float, low: float, high: float) -> str:
    return cell(share(value, low, high), kind="num", sort=value)
