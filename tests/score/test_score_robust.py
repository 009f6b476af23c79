"""Decliners among the normal people, tests with a ceiling, and scores that are not bell-shaped."""

import norm_people as made
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tracerless import score
from tracerless.score.ceilings import ceilings, percentiles
from tracerless.score.design import design, outside, rows
from tracerless.score.fit import model
from tracerless.score.predict import predict
from tracerless.score.robust import huber
from tracerless.score.shape import bent, shapes


def test_huber_is_least_squares_where_nobody_is_an_outlier():
    x = np.column_stack([np.ones(400), np.linspace(-1, 1, 400)])
    noise = np.random.default_rng(0).standard_normal((400, 30))
    coefficients, sd = huber(x, 1 + 2 * x[:, 1:] + 0.1 * noise)
    assert np.abs(coefficients - [[1], [2]]).max() < 0.05
    assert np.mean(sd) == pytest.approx(0.1, rel=0.02)


def test_decliners_among_the_normal_people_pull_the_robust_norm_less():
    ours, plain = [], []
    for repeat in range(12):
        who, new = made.people(40, "robust", repeat), made.people(60, "robust new", repeat)
        table = made.values(who, "robust", repeat)
        table.iloc[:4] -= 4 * made.SD
        theirs = made.values(new, "robust new", repeat, lower_by=2.5)
        how = design(who, ("age", "sex"))
        for rates, robust in ((ours, True), (plain, False)):
            fitted = model(table, who, how, robust=robust)
            distance = (theirs - rows(how, new) @ fitted.coefficients) / fitted.sd
            rates.append((distance.to_numpy() < -2).mean())
    assert np.mean(ours) > np.mean(plain) + 0.2


def test_a_robust_norm_is_as_rare_as_it_says_in_clean_people():
    below = []
    for repeat in range(30):
        who, new = made.people(30, "clean", repeat), made.people(60, "clean new", repeat)
        how = design(who, ("age",))
        fitted = model(made.values(who, "clean", repeat), who, how, robust=True)
        new = new[np.array([not reason for reason in outside(how, fitted, new)])]
        theirs = made.values(new, "clean new", repeat).to_numpy()
        below.append((predict(how, fitted, theirs, new).z < -2).mean())
    assert 0.015 <= np.mean(below) <= 0.032


def test_a_counted_percentile_gives_half_to_those_who_are_equal():
    residuals = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])[:, None]
    known = ceilings(["t"], np.array([[28.0], [29], [30], [30], [30]]), residuals, {"t": 30.0})
    assert known["t"].share == pytest.approx(0.6)
    best, low, missing = percentiles(
        known, ["t"], np.full((3, 1), 29.0), np.array([[30.0], [27], [np.nan]])
    )[:, 0]
    assert best == pytest.approx(100 * (3 / 5 + 2 / 5 / 2))  # 27 28 29 lower; 30 and 31 -> 30
    assert low == pytest.approx(100 * (1 / 5) / 2)
    assert np.isnan(missing)


def test_a_test_that_few_complete_has_no_ceiling():
    value = np.arange(20.0)[:, None]
    assert not ceilings(["t"], value, value - 10, {"t": 19.0})
    assert not ceilings(["t"], value, value - 10, {})


def test_at_a_ceiling_percentiles_are_the_ranks_of_normal_people_and_those_of_z_are_not():
    who = made.people(300, "ceiling")
    scored = pd.DataFrame({"t": 29.3 + 1.2 * np.random.default_rng(3).standard_normal(300)})
    scored = scored.clip(upper=30).round()
    norm = score.norm(
        "c", scored, who, measured=made.MEASURED, covariates=("age",),
        options=score.Options(limits={"t": 30.0}),
    )  # fmt: skip
    assert norm.ceilings["t"].share > 0.3
    found = score.scores(norm, scored, who)
    value = found["value"].to_numpy()
    rank = np.array([100 * ((value < v).mean() + (value == v).mean() / 2) for v in value])
    off_counted = np.abs(found["percentile"].to_numpy() - rank)
    off_z = np.abs(100 * stats.norm.cdf(found["z"]) - rank)
    assert off_counted.mean() < 2
    assert off_z.mean() > 2 * off_counted.mean()


def skewed(n, *seed):
    """A test that most do well and some do badly: left-skewed, whole points."""
    who = made.people(n, "skew", *seed)
    lost = np.random.default_rng([n, *seed]).gamma(2.0, 2.0, n)
    return who, pd.DataFrame({"t": (40 - lost - 0.05 * (who["age"] - 65)).round()})


def test_a_skewed_test_is_as_rare_below_two_as_it_says_once_it_is_bent():
    plain, straight = [], []
    for repeat in range(6):
        who, scored = skewed(250, repeat)
        new, theirs = skewed(400, repeat + 100)
        for rates, is_shaped in ((plain, False), (straight, True)):
            norm = score.norm(
                "s", scored, who, measured=made.MEASURED, covariates=("age",),
                options=score.Options(shaped=is_shaped),
            )  # fmt: skip
            assert bool(norm.shapes) is is_shaped
            z = score.scores(norm, theirs, new)["z"].dropna()
            rates.append((z < -2).mean())
    assert np.mean(plain) > 0.035
    assert 0.012 <= np.mean(straight) <= 0.032


def test_what_is_bell_shaped_is_not_bent_and_bending_keeps_the_order():
    z = np.random.default_rng(8).standard_normal((200, 30))
    assert len(shapes([f"m{i}" for i in range(30)], z)) <= 1
    assert shapes(["few"], np.exp(z[:100, :1])) == {}
    known = shapes(["skewed"], stats.zscore(np.exp(z[:, :1])))
    grid = np.linspace(-6, 6, 200)[:, None]
    assert (np.diff(bent(known, ["skewed"], grid), axis=0) > 0).all()
    assert np.array_equal(bent({}, ["skewed"], grid), grid)
