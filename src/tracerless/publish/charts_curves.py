"""Curves of an evaluation: ROC, calibration, decision, learning, incidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tracerless.publish.charts import (
    Axis,
    Frame,
    Key,
    band,
    chart,
    diagonal,
    dot,
    line,
    nice_axis,
    stroke,
    whisker,
)
from tracerless.publish.charts_data import records
from tracerless.statistics.resampling import wilson

_SHARES = ".1f"
_JOINT = 0.975
_TREAT_ALL = "#9aa3b2"


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve: its points, what it is called, how it is drawn."""

    name: str
    color: str
    points: pd.DataFrame
    dash: str = ""


def roc_chart(
    curves: Sequence[Curve],
    people: Sequence[tuple[float, float]],
    title: str,
    *,
    width: int = 600,
) -> str:
    """ROC curves, each with the band in which it lies where its numbers of people are given.

    The band joins, at every point, the 97.5 % Wilson intervals of both rates, so that the pair
    lies within with at least 95 %. It treats the curve as given at that point and does not hold
    for the curve as a whole.

    Args:
        curves: points ``false_positive`` and ``true_positive``.
        people: of each curve, how many are behind its true- and its false-positive rates; where
            one is 0, no band is drawn.
        title: read aloud instead of the drawing.
        width: of the drawing, px.

    Source:
        Fawcett 2006, Pattern Recognit Lett 27:861; intervals Wilson 1927.
    """
    frame = Frame(
        Axis(0, 1, 0.2, "false-positive rate (1 - specificity)", _SHARES),
        Axis(0, 1, 0.2, "true-positive rate (sensitivity)", _SHARES),
        width,
        _height(width),
    )
    marks = [diagonal(frame)]
    marks += [
        _roc_band(frame, curve, *n) for curve, n in zip(curves, people, strict=True) if min(n) > 0
    ]
    for curve in reversed(curves):
        points = curve.points.sort_values(["false_positive", "true_positive"], kind="stable")
        xs = [0.0, *points["false_positive"].astype(float), 1.0]
        ys = [0.0, *points["true_positive"].astype(float), 1.0]
        marks.append(line(frame, xs, ys, curve.color, dash=curve.dash))
    return chart(frame, title, marks, _keys(curves))


def calibration_chart(curves: Sequence[Curve], title: str, *, width: int = 600) -> str:
    """Observed against predicted, with intervals; the diagonal is where both agree.

    Args:
        curves: points ``predicted``, ``observed``, ``low``, ``high`` and ``n``; a point without
            an interval is left out.
        title: read aloud instead of the drawing.
        width: of the drawing, px.
    """
    top = _top([curve.points[name] for curve in curves for name in ("predicted", "high")])
    step = 0.2 if top > 0.5 else 0.1 if top > 0.2 else 0.05
    form = ".2f" if step < 0.1 else _SHARES
    frame = Frame(
        Axis(0, top, step, "predicted probability", form),
        Axis(0, top, step, "observed share", form),
        width,
        _height(width),
    )
    marks = [diagonal(frame)]
    for curve in curves:
        points = curve.points.dropna(subset=["predicted", "observed", "low", "high"])
        points = points.sort_values("predicted", kind="stable")
        largest = max([float(n) for n in points["n"]], default=1.0)
        marks.append(line(frame, points["predicted"], points["observed"], curve.color))
        for at in records(points):
            marks.append(whisker(frame, at["predicted"], at["low"], at["high"], curve.color))
            size = 3 + 3 * math.sqrt(max(float(at["n"]), 0.0) / largest)
            marks.append(dot(frame, at["predicted"], at["observed"], curve.color, size=size))
    return chart(frame, title, marks, _keys(curves))


def decision_chart(curves: Sequence[Curve], title: str) -> str:
    """Net benefit over thresholds, beside treating everybody and nobody.

    Args:
        curves: points ``threshold``, ``net_benefit`` and ``treat_all``.
        title: read aloud instead of the drawing.

    Source:
        Vickers, Elkin 2006, Med Decis Making 26:565.
    """
    gains = [float(v) for curve in curves for v in curve.points["net_benefit"]]
    everybody = curves[0].points.sort_values("threshold")
    top = max([*gains, *everybody["treat_all"].astype(float), 0.02])
    up = nice_axis([-0.15 * top, top], "net benefit")
    ends = [float(v) for curve in curves for v in curve.points["threshold"]]
    frame = Frame(nice_axis([0.0, *ends], "threshold probability"), up)
    kept = everybody[everybody["treat_all"].astype(float) >= up.low]
    marks = [
        stroke(
            frame.x(frame.across.low), frame.y(0), frame.x(frame.across.high), frame.y(0), "#555"
        ),
        line(frame, kept["threshold"], kept["treat_all"], _TREAT_ALL, dash="2 4"),
    ]
    for curve in reversed(curves):
        points = curve.points.sort_values("threshold")
        shown = points[points["net_benefit"].astype(float) >= up.low]
        marks.append(
            line(frame, shown["threshold"], shown["net_benefit"], curve.color, dash=curve.dash)
        )
    extra = [Key("everybody is treated as ill", _TREAT_ALL, "2 4"), Key("nobody is", "#555")]
    return chart(frame, title, marks, [*_keys(curves), *extra])


def learning_chart(curves: Sequence[Curve], metric: str, title: str) -> str:
    """A measure over the number of people learned from, with intervals.

    Args:
        curves: points ``n``, ``value``, ``low``, ``high``; one without an interval is left out.
        metric: name of the measure.
        title: read aloud instead of the drawing.
    """
    known = [
        curve.points.dropna(subset=["value", "low", "high"]).sort_values("n") for curve in curves
    ]
    ends = [float(v) for points in known for name in ("low", "high") for v in points[name]]
    people = [float(n) for points in known for n in points["n"]]
    across = nice_axis([0.0, *people], "people learned from")
    frame = Frame(across, nice_axis(ends, metric, least=0.1), height=360)
    marks = []
    for curve, points in zip(curves, known, strict=True):
        marks += _banded(frame, points, "n", curve.color)
        marks += [dot(frame, at["n"], at["value"], curve.color) for at in records(points)]
    return chart(frame, title, marks, _keys(curves))


def incidence_chart(curves: Sequence[Curve], event: str, title: str) -> str:
    """Cumulative incidence over years as steps, each with its interval.

    Args:
        curves: points ``years``, ``value``, ``low``, ``high``.
        event: what happens.
        title: read aloud instead of the drawing.
    """
    top = _top([curve.points[name] for curve in curves for name in ("value", "high")])
    years = [float(v) for curve in curves for v in curve.points["years"]]
    frame = Frame(
        nice_axis([0.0, *years], "years since the scan"),
        nice_axis([0.0, top], f"share with {event}"),
        height=360,
    )
    marks = []
    for curve in curves:
        stepped = _steps(curve.points.sort_values("years"))
        marks += _banded(frame, stepped, "years", curve.color)
    return chart(frame, title, marks, _keys(curves))


def risk_chart(curve: Curve, title: str) -> str:
    """One person's absolute risk over years, with its interval at each horizon.

    Args:
        curve: points ``years``, ``value``, ``low``, ``high``, from year 0 on.
        title: read aloud instead of the drawing.
    """
    top = _top([curve.points["value"], curve.points["high"]])
    points = curve.points.sort_values("years")
    frame = Frame(
        nice_axis([0.0, *points["years"].astype(float)], "years from the scan"),
        nice_axis([0.0, top], "risk of dementia"),
        height=320,
    )
    marks = _banded(frame, points, "years", curve.color)
    for at in records(points):
        marks.append(whisker(frame, at["years"], at["low"], at["high"], curve.color))
        marks.append(dot(frame, at["years"], at["value"], curve.color))
    return chart(frame, title, marks)


def _banded(frame: Frame, points: pd.DataFrame, across: str, color: str) -> list[str]:
    xs = points[across].astype(float)
    low = list(zip(xs, points["low"].astype(float), strict=True))
    high = list(zip(xs, points["high"].astype(float), strict=True))
    drawn = line(frame, xs, points["value"].astype(float), color)
    return [band(frame, low, high, color), drawn]


def _steps(points: pd.DataFrame) -> pd.DataFrame:
    """Each value holds until the next is reached; nothing has happened at year 0."""
    rows: list[Mapping[str, float]] = []
    last = {"years": 0.0, "value": 0.0, "low": 0.0, "high": 0.0}
    for at in points[["years", "value", "low", "high"]].astype(float).to_dict("records"):
        rows += [last, {**last, "years": at["years"]}]
        last = {str(name): float(value) for name, value in at.items()}
    return pd.DataFrame([*rows, last])


def _roc_band(frame: Frame, curve: Curve, n_positive: float, n_negative: float) -> str:
    points = curve.points.sort_values(["false_positive", "true_positive"], kind="stable")
    low, high = [(0.0, 0.0)], list[tuple[float, float]]()
    for false, true in [(0.0, 0.0), *_pairs(points), (1.0, 1.0)]:
        _, false_low, false_high = wilson(false * n_negative, n_negative, level=_JOINT)
        _, true_low, true_high = wilson(true * n_positive, n_positive, level=_JOINT)
        low.append((false_high, true_low))
        high.append((false_low, true_high))
    return band(frame, low, [*high, (1.0, 1.0)], curve.color)


def _pairs(points: pd.DataFrame) -> list[tuple[float, float]]:
    columns = (points["false_positive"].astype(float), points["true_positive"].astype(float))
    return list(zip(*columns, strict=True))


def _top(columns: Sequence[pd.Series]) -> float:
    known = [float(v) for column in columns for v in column if math.isfinite(float(v))]
    most = max(known, default=1.0)
    return next((top for top in (0.1, 0.2, 0.4, 0.6, 0.8) if most <= top), 1.0)


def _height(width: int) -> int:
    """So that both axes are about as long."""
    return round(width * 0.72)


def _keys(curves: Sequence[Curve]) -> list[Key]:
    return [Key(curve.name, curve.color, curve.dash) for curve in curves]
