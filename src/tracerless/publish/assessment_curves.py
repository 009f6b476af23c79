"""Curves and tables of one evaluation: discrimination, calibration, decisions, confusion."""

from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from tracerless.core.study import Arm
from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import (
    View,
)
from tracerless.publish.charts_curves import Curve, calibration_chart, decision_chart, roc_chart
from tracerless.publish.markup import heading, paragraph, text, zh

TOGETHER = 3
"""Curves of so many classes fit into one chart."""


def discrimination(look: View) -> str:
    """ROC curves: of all arms where there are two classes, of every class else."""
    found = look.of_chosen("roc")
    if found.empty:
        return ""
    classes = list(dict.fromkeys(found["class"].astype(str)))
    arm = look.shown_arm("roc")
    if len(classes) == 1:
        drawn = _roc_of_arms(found, classes[0], look)
    else:
        curves = _class_curves(found[found["arm"] == arm])
        drawn = _apart(
            curves,
            lambda several, width: roc_chart(
                [curve for _, curve in several],
                [_sizes(name, look) for name, _ in several],
                "ROC of each class against the rest",
                width=width,
            ),
        )
    return (
        f"<section>{heading('ROC', '接收者操作特徵曲線')}{led(look, arm)}{drawn}"
        f"{paragraph(*_BAND, kind='note')}</section>"
    )


_BAND: words.Words = (
    "Pale band: both rates with their joint 95 % interval at each point. A curve holds for the "
    "people of this evaluation; a threshold chosen from it is not one chosen in training.",
    "淺色帶為曲線各點之 95 % 聯合區間；由此曲線選出之閾值不算訓練時所定。",
)


def calibration(look: View) -> str:
    """Reliability of the leading model on its fullest arm."""
    arm = look.shown_arm("calibration")
    found = look.table("calibration")
    found = found[found["arm"] == arm]
    models = [m for m in dict.fromkeys(found["model"].astype(str)) if _is_of(m, look.chosen)]
    if not models:
        return ""
    several = len(models) > 1
    charts = [_calibration_of(model, found, several=several) for model in models]
    drawn = _grid(charts, 3) if several and not is_crowded(look) else "".join(charts)
    return (
        f"<section>{heading('Calibration', '校準')}{led(look, arm)}{drawn}"
        f"{paragraph(*_CALIBRATED, kind='note')}</section>"
    )


_CALIBRATED: words.Words = (
    "On the line: of people told 30 %, 30 % have it. Above it risks are told too low, below it too "
    "high. Size of a dot: people; whisker: 95 % interval.",
    "線上表示預測與實際相符；線上方為低估，下方為高估。點之大小為人數，豎線為 95 % 區間。",
)


def _is_of(model: str, chosen: str) -> bool:
    """Whether it is that model: as it is, recalibrated, or at a horizon."""
    return model == chosen or model.startswith((f"{chosen}, ", f"{chosen} @ "))


def _calibration_of(model: str, found: pd.DataFrame, *, several: bool) -> str:
    named = words.both(words.MODELS, model)
    title = f"<h3>{text(named[0])}{zh(named[1])}</h3>" if several else ""
    return title + _apart(
        _class_curves(found[found["model"].astype(str) == model]),
        lambda some, width: calibration_chart(
            [curve for _, curve in some], f"Calibration of {named[0]}", width=width
        ),
        400 if several else 600,
    )


def decisions(look: View) -> str:
    """Decision curves of all arms that may be results."""
    found = look.table("decision_curve")
    found = found[found["arm"] != Arm.LEAKY]
    models = [m for m in dict.fromkeys(found["model"].astype(str)) if _is_of(m, look.chosen)]
    if not models:
        return ""
    shown = [look.chosen] if look.chosen in models else models
    drawn = "".join(_decision_of(model, found) for model in shown)
    return (
        f"<section>{heading('Decision curve', '決策曲線')}{drawn}"
        f"{paragraph(*_NET, kind='note')}</section>"
    )


def _decision_of(model: str, found: pd.DataFrame) -> str:
    named = words.both(words.MODELS, model)
    own = found[found["model"].astype(str) == model]
    arms = words.in_order(words.ARMS, [str(each) for each in own["arm"]])
    drawn = decision_chart([_arm_curve(arm, own) for arm in arms], f"Net benefit of {named[0]}")
    return f'<p class="lead">{text(named[0])}{zh(named[1])}</p>{drawn}'


_NET: words.Words = (
    "Net benefit: people rightly treated as ill, less those wrongly so, weighed by the threshold. "
    "Use a model only at thresholds where it lies above both treating everybody and nobody; "
    "differences between curves are in the table of increments, with their intervals.",
    "淨效益高於「全部處置」與「全不處置」時，模型方有用處。曲線間差異之區間見增益表。",
)


def _roc_of_arms(found: pd.DataFrame, name: str, look: View) -> str:
    arms = words.in_order(words.ARMS, [str(each) for each in found["arm"]])
    lead = look.shown_arm("roc")
    ordered = [lead, *(arm for arm in arms if arm != lead)]
    curves = [_arm_curve(arm, found) for arm in ordered]
    people = [_sizes(name, look) if arm == lead else (0.0, 0.0) for arm in ordered]
    return roc_chart(curves, people, f"ROC of {look.chosen} by arm")


def _class_curves(found: pd.DataFrame) -> list[tuple[str, Curve]]:
    """One curve a class, by its name."""
    named = found["class"].astype(str)
    classes = words.in_order(words.CLASSES, list(named))
    return [
        (name, Curve(words.english(words.CLASSES, name), color, found[named == name]))
        for name, color in zip(classes, _colors(len(classes)), strict=True)
    ]


def _apart(
    curves: list[tuple[str, Curve]],
    draw: Callable[[list[tuple[str, Curve]], int], str],
    width: int = 600,
) -> str:
    """Few curves in one chart, more in a chart each."""
    if len(curves) <= TOGETHER:
        return draw(curves, width)
    columns = 2 if len(curves) == 4 else 3
    return _grid([draw([each], 1200 // columns) for each in curves], columns)


def _grid(charts: Sequence[str], columns: int) -> str:
    style = f"display:grid;grid-template-columns:repeat({columns},1fr);gap:12px"
    inside = "".join(f"<div>{chart}</div>" for chart in charts)
    return f'<div style="{style}">{inside}</div>'


def is_updated(look: View) -> bool:
    """Whether calibration is shown as it is and recalibrated."""
    models = look.table("calibration")["model"].astype(str)
    return sum(_is_of(model, look.chosen) for model in set(models)) > 1


def is_crowded(look: View) -> bool:
    """Whether curves of classes need a chart each, and their sections the whole width."""
    tables = (look.of_chosen(name) for name in ("roc", "calibration"))
    return any(found["class"].nunique() > TOGETHER for found in tables)


def _sizes(name: str, look: View) -> tuple[float, float]:
    """People with and without a class, as far as they are known: scans count once a person."""
    classes = look.fact("classes", {})
    if name not in classes:
        return 0.0, 0.0
    n = float(sum(classes.values()))
    a_person = min(float(look.fact("n_people", n)) / n, 1.0) if n else 0.0
    return classes[name] * a_person, (n - classes[name]) * a_person


def _arm_curve(arm: str, found: pd.DataFrame) -> Curve:
    dash = "5 4" if arm == Arm.LEAKY else ""
    color = words.ARM_COLORS.get(arm, words.PALETTE[1])
    return Curve(words.english(words.ARMS, arm), color, found[found["arm"] == arm], dash)


def led(look: View, arm: str = "") -> str:
    """Which model and arm stand below."""
    model, known = words.both(words.MODELS, look.chosen), words.both(words.ARMS, arm)
    what = f"{model[0]}, {known[0]}" if arm else model[0]
    return f'<p class="lead">{text(what)}{zh(known[1] if arm else model[1])}</p>'


def _colors(n: int) -> Iterator[str]:
    return (words.PALETTE[each % len(words.PALETTE)] for each in range(n))
