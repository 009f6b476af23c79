"""Net benefit by hand, predictive values by Bayes and by repetition."""

import numpy as np
import pytest

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.statistics.decisions import net_benefit, predictive_values, treat_all


def test_net_benefit_by_hand():
    positive = np.array([True, True, False, False])
    p = np.array([0.9, 0.3, 0.6, 0.1])
    assert net_benefit(positive, p, np.array([0.5])) == pytest.approx([(1 - 1) / 4])
    assert net_benefit(positive, p, np.array([0.2])) == pytest.approx([(2 - 1 * 0.25) / 4])


def test_treating_everybody_is_a_model_that_always_says_one():
    positive = generator("test-nb").random(200) < 0.3
    at = np.linspace(0.05, 0.95, 19)
    assert net_benefit(positive, np.ones(200), at) == pytest.approx(
        treat_all(positive.mean(), at), abs=1e-12
    )
    assert (net_benefit(positive, np.zeros(200), at) == 0).all()


def test_weights_are_rows_written_several_times():
    draw = generator("test-nb-weights")
    positive, p, times = draw.random(50) < 0.4, draw.random(50), draw.integers(0, 3, size=50)
    again, at = np.repeat(np.arange(50), times), np.array([0.2, 0.5])
    weighted = net_benefit(positive, p, at, times[None, :].astype(float))
    assert weighted[0] == pytest.approx(net_benefit(positive[again], p[again], at))


def test_a_threshold_of_zero_or_one_is_refused():
    with pytest.raises(ModelError, match="between 0 and 1"):
        treat_all(0.3, np.array([1.0]))


def test_predictive_values_follow_bayes():
    ppv, npv = predictive_values(0.9, 0.8, 0.1, n_positive=100, n_negative=200)
    assert ppv.value == pytest.approx(0.09 / (0.09 + 0.18))
    assert npv.value == pytest.approx(0.72 / (0.72 + 0.01))


def test_predictive_intervals_hold_the_truth():
    """Sensitivity .8 on 60, specificity .85 on 80, prevalence .08."""
    truth = 0.8 * 0.08 / (0.8 * 0.08 + 0.15 * 0.92)
    draw = generator("test-ppv")
    held = 0
    for _ in range(500):
        found, passed = draw.binomial(60, 0.8) / 60, draw.binomial(80, 0.85) / 80
        ppv, _ = predictive_values(found, passed, 0.08, n_positive=60, n_negative=80)
        held += ppv.low <= truth <= ppv.high
    assert 0.92 <= held / 500 <= 0.98


def test_a_perfect_test_on_few_people_is_not_a_perfect_prediction():
    ppv, npv = predictive_values(1.0, 1.0, 0.08, n_positive=20, n_negative=20)
    assert ppv.value == 1.0
    assert ppv.low < 0.7
    assert npv.low < 1.0


def test_a_prevalence_of_nobody_is_refused():
    with pytest.raises(ModelError, match="prevalence"):
        predictive_values(0.9, 0.9, 0.0, n_positive=20, n_negative=20)
