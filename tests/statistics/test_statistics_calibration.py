"""Calibration against statsmodels and sklearn, and probabilities whose truth is known."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.statistics.calibration import (
    brier,
    ece,
    log_loss,
    logit,
    recalibration,
    reliability,
    slope_intercept,
)
from tracerless.statistics.calibration_update import (
    common_slope,
    in_the_large,
    rescaled,
    updated,
)


def drawn(n: int, stretch: float = 1.0, shift: float = 0.0, seed: str = "a"):
    """Truth, and the probability a model says whose odds are ``stretch`` too far out."""
    draw = generator("test-calibration", seed)
    odds = draw.normal(size=n)
    positive = draw.random(n) < 1 / (1 + np.exp(-odds))
    return positive, 1 / (1 + np.exp(-(odds * stretch + shift)))


def test_scores_are_those_of_sklearn():
    positive, p = drawn(300)
    both = np.column_stack([1 - p, p])
    truth = positive.astype(int)
    assert brier(truth, both)[0] == pytest.approx(brier_score_loss(truth, p), abs=1e-12)
    assert log_loss(truth, both)[0] == pytest.approx(sklearn_log_loss(truth, both), abs=1e-12)


def test_slope_and_intercept_are_those_of_statsmodels():
    positive, p = drawn(400, stretch=1.7, shift=0.4)
    slope, large = slope_intercept(positive, logit(p))
    free = sm.Logit(positive, sm.add_constant(logit(p))).fit(disp=0)
    fixed = sm.GLM(positive, np.ones(400), family=sm.families.Binomial(), offset=logit(p)).fit()
    assert slope.value == pytest.approx(free.params[1], abs=1e-8)
    assert (slope.low, slope.high) == pytest.approx(free.conf_int()[1], abs=1e-6)
    assert large.value == pytest.approx(fixed.params[0], abs=1e-6)
    assert recalibration(positive, logit(p))[0] == pytest.approx(free.params[0], abs=1e-8)


def test_overconfidence_shows_as_a_slope_below_one():
    positive, p = drawn(4000, stretch=2.0)
    slope, _ = slope_intercept(positive, logit(p))
    assert slope.value == pytest.approx(0.5, abs=0.06)
    positive, p = drawn(4000)
    slope, large = slope_intercept(positive, logit(p))
    assert slope.low < 1 < slope.high
    assert large.low < 0 < large.high


def test_rows_of_one_person_widen_the_interval_back():
    positive, p = drawn(200)
    twice, person = np.r_[positive, positive], [f"p{n}" for n in range(200)] * 2
    odds = logit(np.r_[p, p])
    once = slope_intercept(positive, logit(p), person=person[:200])[0]
    naive = slope_intercept(twice, odds)[0]
    clustered = slope_intercept(twice, odds, person=person)[0]
    assert naive.high - naive.low < 0.8 * (once.high - once.low)
    assert clustered.high - clustered.low == pytest.approx(once.high - once.low, rel=0.02)


def test_a_constant_or_a_perfect_probability_has_no_slope():
    positive = np.arange(40) < 20
    with pytest.raises(ModelError, match="same probability"):
        slope_intercept(positive, np.zeros(40))
    with pytest.raises(ModelError, match="apart"):
        slope_intercept(positive, np.where(positive, 3.0, -3.0) + np.linspace(0, 0.1, 40))


def test_true_probabilities_have_almost_no_calibration_error_and_false_ones_do():
    positive, p = drawn(8000)
    assert ece(positive, p)[0] < 0.02
    assert ece(positive, np.clip(p + 0.1, 0, 1))[0] == pytest.approx(0.1, abs=0.02)


def test_bins_hold_everybody_once_and_their_intervals_hold_what_was_observed():
    positive, p = drawn(503)
    table = reliability(positive, np.round(p, 2))
    assert table["n"].sum() == 503
    assert len(table) <= 10
    assert (table["low"] <= table["observed"]).all()
    assert (table["observed"] <= table["high"]).all()
    assert (np.diff(table["predicted"]) > 0).all()
    gap = (table["observed"] - table["predicted"]).abs() @ table["n"] / 503
    assert ece(positive, np.round(p, 2))[0] == pytest.approx(gap, abs=1e-12)


def three(n: int, stretch: float = 1.0, seed: str = "c"):
    """Truth among three classes, and probabilities whose log odds are stretched."""
    draw = generator("test-three", seed)
    odds = draw.normal(size=(n, 3))
    chance = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    truth = (draw.random((n, 1)) > np.cumsum(chance, axis=1)).sum(axis=1)
    said = np.exp(stretch * odds)
    return truth, said / said.sum(axis=1, keepdims=True)


def test_with_two_classes_the_common_slope_is_the_usual_one():
    positive, p = drawn(400, stretch=1.4, shift=0.3)
    slope, _ = slope_intercept(positive, logit(p))
    common = common_slope(positive.astype(int), np.column_stack([1 - p, p]))
    assert common == pytest.approx(slope, abs=1e-6)


def test_with_three_classes_overconfidence_shows_too():
    truth, said = three(6000, stretch=2.0)
    assert common_slope(truth, said).value == pytest.approx(0.5, abs=0.04)
    truth, said = three(6000)
    found = common_slope(truth, said, person=[str(n) for n in range(6000)])
    assert found.low < 1 < found.high


@pytest.mark.parametrize("stretch", [0.6, 1.0, 1.8])
def test_recalibration_finds_the_slope_and_foresees_every_class_as_often_as_it_is(stretch):
    truth, said = three(4000, stretch=stretch)
    slope, offsets = rescaled(truth, said)
    assert slope == pytest.approx(common_slope(truth, said).value, abs=1e-3)
    again = updated(said, offsets, slope=slope)
    assert again.sum(axis=1) == pytest.approx(np.ones(4000))
    assert again.mean(axis=0) == pytest.approx(np.bincount(truth) / 4000, abs=1e-6)
    assert log_loss(truth, again)[0] <= log_loss(truth, said)[0] + 1e-9


def test_new_intercepts_keep_the_order_of_people():
    positive, p = drawn(500, shift=1.0)
    both = np.column_stack([1 - p, p])
    after = updated(both, in_the_large(positive.astype(int), both))
    assert (np.argsort(after[:, 1]) == np.argsort(p)).all()
    assert after[:, 1].mean() == pytest.approx(positive.mean(), abs=1e-6)
    assert recalibration(positive, logit(p), fixed_slope=1.0)[0] == pytest.approx(
        logit(after[:, 1])[0] - logit(p)[0], abs=1e-5
    )


def test_a_class_that_nobody_has_cannot_be_recalibrated():
    with pytest.raises(ModelError, match="nobody"):
        in_the_large(np.array([0, 1, 0]), np.full((3, 3), 1 / 3))
