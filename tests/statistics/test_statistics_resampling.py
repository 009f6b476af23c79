"""Bootstrap, jackknife, shares and repeated folds: against other packages and by repetition."""

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import ttest_1samp
from statsmodels.stats.proportion import proportion_confint

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.statistics.resampling import (
    bootstrap,
    corrected_t,
    leave_one_out_weights,
    percentile,
    person_weights,
    wilson,
)


def mean_of(values):
    return lambda weights: weights @ values / weights.sum(axis=1)


def test_all_rows_of_a_person_are_drawn_together():
    person = ["a", "b", "a", "c", "b", "a"]
    drawn = person_weights(person, 500, seed=["test"])
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 1] == drawn[:, 4]).all()
    people = drawn[:, [0, 1, 3]]
    assert (people.sum(axis=1) == 3).all()
    assert people.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)


def test_strata_keep_their_size_in_every_draw():
    person = [f"p{n}" for n in range(30)]
    strata = np.repeat([0, 1], [24, 6])
    drawn = person_weights(person, 200, seed=["test"], strata=strata)
    assert (drawn[:, 24:].sum(axis=1) == 6).all()


def test_equal_names_draw_equally_and_others_do_not():
    person = [f"p{n}" for n in range(30)]
    one = person_weights(person, 20, seed=["test", 1])
    assert (one == person_weights(person, 20, seed=["test", 1])).all()
    assert (one != person_weights(person, 20, seed=["test", 2])).any()


def test_the_jackknife_leaves_out_one_person_at_a_time():
    weights = leave_one_out_weights(["a", "b", "a"])
    assert weights.tolist() == [[0, 1, 0], [1, 0, 1]]


def test_bca_is_that_of_scipy_up_to_chance():
    values = generator("test-bca").exponential(size=60)
    found = bootstrap(mean_of(values), [str(n) for n in range(60)], seed=["bca"], n_draws=6000)
    theirs = scipy_bootstrap(
        (values,), np.mean, n_resamples=6000, method="BCa", rng=generator("test-scipy")
    ).confidence_interval
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=0.04 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.04 * width)


def test_bca_holds_the_truth_as_often_as_it_says_where_the_percentile_does_not():
    """Mean of 25 log-normal numbers: skewed enough that the plain percentile falls behind."""
    truth, held = np.exp(0.5), np.zeros(2)
    person = [str(n) for n in range(25)]
    for number in range(300):
        values = generator("test-coverage", number).lognormal(size=25)
        better = bootstrap(mean_of(values), person, seed=[number], n_draws=600)
        draws = mean_of(values)(person_weights(person, 600, seed=[number]))
        plain = percentile(values.mean(), draws)
        held += [each.low <= truth <= each.high for each in (better, plain)]
    assert held[0] / 300 > 0.84
    assert held[0] >= held[1]


def test_a_statistic_that_resampling_makes_larger_keeps_its_value_inside():
    """The absolute mean of numbers around 0: nearly every draw lies above it."""
    values = generator("test-biased").normal(size=50)
    values = values - values.mean() + 1e-4
    found = bootstrap(
        lambda weights: np.abs(weights @ values) / weights.sum(axis=1),
        [str(n) for n in range(50)],
        seed=["biased"],
        n_draws=500,
    )
    assert found.low <= found.value <= found.high


def test_a_statistic_that_does_not_vary_has_itself_as_bounds():
    found = bootstrap(mean_of(np.ones(12)), [str(n) for n in range(12)], seed=["flat"], n_draws=50)
    assert found == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (3, 12), (12, 12), (57, 400)])
def test_shares_are_those_of_statsmodels(hits, n):
    assert wilson(hits, n)[1:] == pytest.approx(
        proportion_confint(hits, n, method="wilson"), abs=1e-9
    )


def test_a_share_of_nobody_is_no_number():
    assert np.isnan(wilson(0, 0)).all()


def test_without_shared_people_the_corrected_test_is_the_plain_one():
    values = generator("test-t").normal(0.3, 1, size=12)
    _, p = corrected_t(values, test_share=0.0)
    assert p == pytest.approx(ttest_1samp(values, 0).pvalue, rel=1e-9)
    assert corrected_t(values, test_share=0.2)[1] > p


def test_more_repeats_of_the_same_folds_do_not_make_a_finding():
    """The plain test would; the correction keeps the share of test people in the variance."""
    fold = np.array([0.08, -0.05, 0.03, -0.02, 0.06])
    many = np.tile(fold, 100)
    assert ttest_1samp(many, 0).pvalue < 1e-6
    assert corrected_t(many, test_share=0.2)[1] > 0.2


def test_one_fold_is_no_test():
    with pytest.raises(ModelError, match="two"):
        corrected_t(np.array([0.1]), test_share=0.2)
