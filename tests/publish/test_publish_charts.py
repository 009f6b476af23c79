"""Charts: what is drawn is what was measured, and where it was measured."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.publish.charts import Axis, Frame, band, dot, line, nice_axis, whisker
from tracerless.publish.charts_bars import Length, bars
from tracerless.publish.charts_curves import (
    Curve,
    calibration_chart,
    decision_chart,
    incidence_chart,
    learning_chart,
    roc_chart,
)
from tracerless.publish.charts_rows import Bar, forest, strip
from tracerless.statistics.resampling import wilson

NUMBERS = st.lists(st.floats(-1e4, 1e4, allow_nan=False), min_size=1, max_size=8)
UNIT = Frame(Axis(0, 1, 0.2, "x"), Axis(0, 1, 0.2, "y"))


def points(drawn, tag):
    found = re.findall(rf'<{tag} points="([^"]*)"', drawn)
    return [[tuple(map(float, pair.split(","))) for pair in each.split()] for each in found]


@given(values=NUMBERS, least=st.sampled_from([0.0, 0.05, 1.0]))
def test_an_axis_holds_every_value_between_few_round_ticks(values, least):
    axis = nice_axis(values, "x", least=least)
    slack = 1e-6 * axis.step
    assert axis.low <= min(values) + slack
    assert axis.high >= max(values) - slack
    assert 2 <= len(axis.ticks) <= 8
    assert axis.high - axis.low >= least - slack
    shown = [format(tick, axis.form) for tick in axis.ticks]
    assert len(set(shown)) == len(shown)


@given(a=st.floats(0, 1), b=st.floats(0, 1))
def test_places_keep_the_order_of_numbers(a, b):
    if a < b - 1e-9:
        assert UNIT.x(a) < UNIT.x(b)
        assert UNIT.y(a) > UNIT.y(b)


def test_an_axis_of_nothing_known_runs_from_0_to_1():
    axis = nice_axis([np.nan, np.inf], "x")
    assert (axis.low, axis.high) == (0.0, 1.0)


def test_a_line_breaks_where_a_point_is_unknown():
    drawn = line(UNIT, [0, 0.1, 0.2, 0.3, 0.4], [0, 0.1, np.nan, 0.3, 0.4], "#000")
    assert [len(run) for run in points(drawn, "polyline")] == [2, 2]
    assert line(UNIT, [0.1], [0.1], "#000") == ""


def test_what_is_unknown_is_not_drawn():
    assert dot(UNIT, np.nan, 0.5, "#000") == ""
    assert whisker(UNIT, 0.5, np.nan, 0.9, "#000") == ""
    assert band(UNIT, [(0, np.nan), (1, np.nan)], [(0, 1), (1, 1)], "#000") == ""


def roc(n):
    at = pd.DataFrame({"false_positive": [0.0, 0.1, 0.3], "true_positive": [0.4, 0.7, 0.9]})
    return roc_chart([Curve("a", "#000", at)], [(n, n)], "ROC")


def test_the_band_of_a_roc_curve_joins_the_intervals_of_both_rates():
    around = points(roc(50), "polygon")[0]
    assert len(around) == 12
    _, false_low, false_high = wilson(0.1 * 50, 50, level=0.975)
    _, true_low, true_high = wilson(0.7 * 50, 50, level=0.975)
    assert around[3] == pytest.approx((UNIT.x(false_high), UNIT.y(true_low)), abs=0.06)
    assert around[-3] == pytest.approx((UNIT.x(false_low), UNIT.y(true_high)), abs=0.06)


def test_the_band_of_a_roc_curve_is_narrower_for_more_people():
    def area(drawn):
        x, y = np.array(points(drawn, "polygon")[0]).T
        return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))

    assert area(roc(40)) > 2 * area(roc(400))
    assert points(roc(0), "polygon") == []


def test_a_roc_curve_starts_at_no_and_ends_at_every_alarm():
    run = points(roc(50), "polyline")[0]
    assert run[0] == pytest.approx((UNIT.x(0), UNIT.y(0)), abs=0.06)
    assert run[-1] == pytest.approx((UNIT.x(1), UNIT.y(1)), abs=0.06)


def test_a_calibration_point_without_interval_is_left_out():
    at = pd.DataFrame(
        {
            "predicted": [0.1, 0.5, 0.9],
            "observed": [0.1, 0.6, 0.8],
            "low": [0.05, np.nan, 0.7],
            "high": [0.2, np.nan, 0.9],
            "n": [40, 40, 40],
        }
    )
    assert calibration_chart([Curve("a", "#000", at)], "c").count("<circle") == 2


def test_incidence_holds_until_the_next_event_and_starts_at_nothing():
    at = pd.DataFrame({"years": [1.0, 2.0], "value": [0.2, 0.4], "low": 0.1, "high": 0.5})
    run = points(incidence_chart([Curve("a", "#000", at)], "dementia", "i"), "polyline")[0]
    heights = [y for _, y in run]
    assert heights[0] == heights[1] == max(heights)
    assert heights[2] == heights[3] > heights[4]
    assert run[1][0] == run[2][0]


def test_a_decision_curve_stands_beside_treating_everybody_and_nobody():
    cuts = np.linspace(0.05, 0.8, 16)
    at = pd.DataFrame({"threshold": cuts, "net_benefit": 0.2 - 0.1 * cuts, "treat_all": 0.4 - cuts})
    drawn = decision_chart([Curve("model", "#000", at)], "d")
    assert "everybody is treated as ill" in drawn
    assert "nobody is" in drawn
    lines = points(drawn, "polyline")
    assert len(lines) == 2
    assert len(lines[1]) == 16
    assert len(lines[0]) < 16


def test_a_learning_curve_without_intervals_draws_nothing():
    at = pd.DataFrame({"n": [50, 100], "value": [0.7, 0.8], "low": np.nan, "high": np.nan})
    drawn = learning_chart([Curve("a", "#000", at)], "AUC", "l")
    assert "<circle" not in drawn
    assert "<polyline" not in drawn


def test_a_row_without_interval_shows_its_reason_and_no_dot():
    rows = [Bar("a", 0.8, 0.7, 0.9, "0.80"), Bar("b", 0.8, np.nan, 0.9, "17 people, 20 needed")]
    drawn = forest(rows, "AUC", "f", mark=0.5)
    assert drawn.count("<circle") == 1
    assert "17 people, 20 needed" in drawn


def test_a_forest_keeps_the_order_of_its_intervals():
    drawn = forest([Bar("a", 0.8, 0.7, 0.95)], "AUC", "f")
    low, high = map(
        float, re.search(r'<line x1="([\d.]+)" y1="28.0" x2="([\d.]+)"', drawn).groups()
    )
    at = float(re.search(r'<circle cx="([\d.]+)"', drawn)[1])
    assert low < at < high
    assert (at - low) / (high - low) == pytest.approx(0.4, abs=0.01)


def test_every_value_of_a_strip_is_one_tick_and_the_special_one_is_pointed_at():
    drawn = strip([0.7, 0.8, np.nan, 0.9], "AUC", "s", special=("one split", 0.95))
    assert drawn.count("stroke-opacity") == 3
    assert "<polygon" in drawn
    assert "one split" in drawn


def test_bars_go_from_zero_to_either_side():
    drawn = bars([Length("for", 1.0, "+1"), Length("against", -0.5, "-0.5")], "odds", "b")
    found = re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    (x1, w1), (x2, w2) = [tuple(map(float, each)) for each in found]
    assert w1 == pytest.approx(2 * w2, rel=0.01)
    assert x2 + w2 == pytest.approx(x1, abs=0.2)


def test_names_in_charts_are_escaped():
    drawn = forest([Bar("<b>&", 0.8, 0.7, 0.9, "<i>")], "<u>", "<t>")
    assert not re.search(r"<[biut]>", drawn)
