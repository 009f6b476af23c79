"""Norms keep their promises: as rare as they say, whatever the number of normal people."""

import dataclasses

import norm_people as made
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tracerless import score
from tracerless.core.errors import DatasetError, ModelError, RecipeMismatchError
from tracerless.score.apply import interval, predicted
from tracerless.score.design import MIN_FOR_SPLINE, outside
from tracerless.score.predict import Held

WITH = ("age", "sex", "education_years")


def rates(n, repeats):
    """(share of z < -2 by the norm, by plain z, share of |z| < 1.96) in normal newcomers."""
    ours, plain, covered = [], [], []
    for repeat in range(repeats):
        who, new = made.people(n, n, repeat), made.people(60, "new", n, repeat)
        table, theirs = made.values(who, n, repeat), made.values(new, "new", n, repeat)
        norm = made.quick_norm(table, who, WITH)
        inside = made.within(norm, new)
        new, theirs = new[inside], theirs[inside]
        z = predicted(norm, norm.models["pons"], theirs, new).z
        ours.append((z < -2).mean())
        covered.append((np.abs(z) < 1.96).mean())
        plain.append((made.plain_z(table, who, theirs, new, WITH) < -2).mean())
    return np.mean(ours), np.mean(plain), np.mean(covered)


@pytest.mark.parametrize(("n", "repeats"), [(10, 200), (20, 100), (50, 60), (100, 40)])
def test_z_below_two_is_as_rare_in_normal_people_as_it_says_and_plain_z_is_not(n, repeats):
    ours, plain, covered = rates(n, repeats)
    assert 0.018 <= ours <= 0.030
    assert 0.93 <= covered <= 0.97
    if n <= 20:
        assert plain > 0.030


def test_the_family_cut_is_passed_by_one_normal_person_in_twenty():
    passed = []
    for repeat in range(12):
        who, new = made.people(60, "family", repeat), made.people(200, "family new", repeat)
        norm = score.norm(
            "family", made.values(who, "family", repeat), who, measured=made.MEASURED,
            covariates=("age", "sex"),
        )  # fmt: skip
        inside = made.within(norm, new)
        table = made.values(new, "family new", repeat)[inside]
        z = predicted(norm, norm.models["pons"], table, new[inside]).z
        passed.append((z.min(axis=1) < norm.family_cut).mean())
    assert -3.0 < norm.family_cut < -2.6
    assert 0.03 <= np.mean(passed) <= 0.06


def test_the_interval_holds_the_true_distance_ninety_five_times_in_a_hundred():
    held = []
    for repeat in range(60):
        who, new = made.people(15, "i", repeat), made.people(20, "j", repeat)
        table, theirs = made.values(who, "i", repeat), made.values(new, "j", repeat)
        norm = made.quick_norm(table, who)
        inside = made.within(norm, new)
        found = predicted(norm, norm.models["pons"], theirs[inside], new[inside])
        low, high = interval(found)
        true = (theirs.to_numpy() - made.truth(new))[inside] / made.SD
        held.append(((low <= true) & (true <= high)).mean())
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_interval_is_that_of_crawford_and_garthwaite():
    # one control sample of n without covariates: distance * sqrt(n) is noncentral t
    n, distance = 20, -2.0
    found = Held(*(np.full((1, 1), v) for v in (0.0, distance, 1 / n, n - 1.0)))
    (low,), (high,) = (side[0] for side in interval(found))
    for end, chance in ((low, 0.975), (high, 0.025)):
        assert stats.nct.cdf(distance * np.sqrt(n), n - 1, end * np.sqrt(n)) == pytest.approx(
            chance, abs=1e-3
        )


def test_a_member_is_held_against_the_norm_without_itself():
    who = made.people(25, "loo")
    table = made.values(who, "loo")
    whole = made.quick_norm(table, who)
    together = predicted(whole, whole.models["pons"], table, who, np.ones(25)).z
    for out in (0, 7, 24):
        rest = [n for n in range(25) if n != out]
        less = made.quick_norm(table.iloc[rest], who.iloc[rest])
        alone = predicted(less, less.models["pons"], table.iloc[[out]], who.iloc[[out]]).z
        np.testing.assert_allclose(together[out], alone[0], rtol=1e-6)


def test_members_that_are_not_left_out_look_too_normal():
    who = made.people(12, "in")
    table = made.values(who, "in")
    norm = made.quick_norm(table, who)
    model = norm.models["pons"]
    kept = predicted(norm, model, table, who).z.std()
    left = predicted(norm, model, table, who, np.ones(12)).z.std()
    assert kept < 0.9 < left


def carried(k, repeats):
    """(share of z < -2 in normal people of the new scanner, and in people lower by 2.5 SD)."""
    normal, low = [], []
    for repeat in range(repeats):
        who, local = made.people(100, "a", repeat), made.people(k, "b", k, repeat)
        norm = made.quick_norm(made.values(who, "a", repeat), who)
        random = np.random.default_rng(repeat)
        moved = {"shift": random.normal(0, 0.8, made.N_REGIONS), "scale": random.uniform(0.9, 1.3)}
        theirs = made.values(local, "b", k, repeat, **moved)
        inside = made.within(norm, local)
        model = score.transferred(norm, "new", theirs[inside], local[inside]).models["pons"]
        new = made.people(40, "c", repeat)
        for shares, lower_by in ((normal, 0.0), (low, 2.5)):
            table = made.values(new, "c", repeat, lower_by, lower_by=lower_by, **moved)
            shares.append((predicted(norm, model, table, new).z < -2).mean())
    return np.mean(normal), np.mean(low)


def test_fifteen_local_people_carry_a_norm_to_another_scanner():
    false, power = carried(15, 100)
    _, most = carried(800, 30)
    assert false <= 0.03
    assert power >= 0.9 * most


def test_a_new_scanner_without_transfer_makes_normal_people_ill():
    who, new = made.people(100, "s"), made.people(200, "t")
    norm = made.quick_norm(made.values(who, "s"), who)
    shift = np.random.default_rng(1).normal(0, 0.8, made.N_REGIONS)
    table = made.values(new, "t", shift=shift, scale=1.2)
    z = predicted(norm, norm.models["pons"], table, new).z
    assert (z < -2).mean() > 0.05


def test_age_counts_by_a_spline_only_where_there_are_people_enough():
    few, many = (made.people(n, "knots", n) for n in (MIN_FOR_SPLINE - 1, 200))
    assert made.quick_norm(made.values(few, 1), few).design.knots == ()
    norm = made.quick_norm(made.values(many, 2), many)
    assert len(norm.design.knots) == 4
    assert norm.models["pons"].coefficients.shape == (5, made.N_REGIONS)


def test_a_spline_follows_a_bend_that_a_line_misses():
    who = made.people(300, "bend")
    bent = (
        made.values(who, "bend")
        - 0.002 * (np.maximum(who["age"] - 70, 0) ** 1.5).to_numpy()[:, None]
    )
    norm = made.quick_norm(bent, who)
    old = made.people(300, "old").query("age > 70 and age < 84")
    true = made.truth(old) - 0.002 * ((old["age"] - 70) ** 1.5).to_numpy()[:, None]
    expected = predicted(norm, norm.models["pons"], pd.DataFrame(true), old).expected
    assert np.abs(expected - true).mean() < 0.02


def test_a_spread_that_grows_with_age_is_followed_when_there_are_many():
    who = made.people(400, "fan")
    noise = made.values(who, "fan") - made.truth(who)
    fan = np.exp(0.25 * (who["age"] - 65).to_numpy()[:, None] / 10)
    norm = made.quick_norm(made.truth(who) + noise * fan, who)
    assert norm.models["pons"].sd_slope.mean() == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("age", 20.0, "age=20 is outside the norm's 5"),
        ("age", np.nan, "age is missing"),
        ("sex", "", "sex is missing"),
        ("education_years", 25.0, "education_years=25 is outside"),
    ],
)
def test_people_beyond_the_norm_are_refused_by_name(column, value, words):
    who = made.people(40, "hull")
    norm = made.quick_norm(made.values(who, "hull"), who, WITH)
    new = made.people(1, "one").assign(age=65.0, education_years=8.0)
    new[column] = value
    (reason,) = outside(norm.design, norm.models["pons"], new)
    assert reason.startswith(words)


def test_a_rare_pair_of_common_values_is_outside():
    random = np.random.default_rng(3)
    age = random.uniform(50, 85, 80)
    who = pd.DataFrame({"age": age, "sex": "F", "education_years": (85 - age) / 2})
    who["education_years"] += random.normal(0, 0.5, 80)
    who.loc[:4, "sex"] = "M"
    norm = made.quick_norm(made.values(who, "pair"), who, WITH)
    both = pd.DataFrame({"age": [84.0], "sex": ["F"], "education_years": [16.0]})
    (reason,) = outside(norm.design, norm.models["pons"], both)
    assert (
        reason == "age and sex and education_years together lie outside those of the norm's people"
    )


def test_fewer_than_ten_normal_people_give_ratios_and_no_z():
    who = made.people(8, "few").assign(sex="F")
    norm = score.norm(
        "few", made.values(who, "few"), who, measured=made.MEASURED, covariates=("age",)
    )
    new = who.iloc[[3]]
    table = score.scores(norm, made.values(who, "few").iloc[[3]], new)
    assert table["z"].isna().all()
    assert table["ratio"].between(0.5, 1.5).all()
    assert table["reason"].str.startswith("8 normal people: ratios only").all()


def test_between_ten_and_thirty_people_a_banner_stands():
    who = made.people(15, "banner")
    norm = score.norm(
        "b", made.values(who, "banner"), who, measured=made.MEASURED, covariates=("age", "sex")
    )
    assert norm.has_z
    assert norm.banner.startswith("15 normal people: read z with its interval")


def test_the_choice_of_reference_is_shown_as_a_range_of_z():
    who = made.people(60, "ref")
    table = made.values(who, "ref")
    means = pd.DataFrame({"pons": 1.0, "cerebellum": 1.1 + 0.05 * table["region_0"]})
    norm = score.norm(
        "r", table, who, measured=made.MEASURED, covariates=("age", "sex"), reference_means=means
    )
    assert set(norm.models) == {"pons", "cerebellum", "data_driven"}
    assert len(norm.data_driven) == 6
    found = score.scores(norm, table, who, means, members=np.ones(60)).dropna(subset=["z"])
    assert (found["z_reference_low"] <= found["z"]).all()
    assert (found["z_reference_high"] >= found["z"]).all()
    assert (found["z_reference_high"] - found["z_reference_low"]).mean() > 0.1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contrast", "ECD"),
        ("contrast", "synthFDG"),
        ("domain", "acquired"),
        ("atlas", "fdg52"),
        ("reference", "cerebellum"),
        ("fingerprint", "ffffffffffff"),
    ],
)
def test_a_table_measured_another_way_is_refused(field, value):
    who = made.people(20, "refuse")
    norm = made.quick_norm(made.values(who, "refuse"), who)
    norm.require(made.MEASURED)
    with pytest.raises(RecipeMismatchError, match=value):
        norm.require(dataclasses.replace(made.MEASURED, **{field: value}))


def test_too_few_people_and_flat_measures_are_refused():
    who = made.people(5, "five")
    with pytest.raises(DatasetError, match="5 normal people"):
        score.norm("x", made.values(who, 1), who, measured=made.MEASURED, covariates=WITH)
    who = made.people(20, "flat")
    table = made.values(who, 2).assign(region_3=1.0)
    with pytest.raises(DatasetError, match="region_3 has one single value"):
        score.norm("x", table, who, measured=made.MEASURED, covariates=("age",))
    norm = made.quick_norm(made.values(who, 2), who)
    with pytest.raises(DatasetError, match="9 normal people of the new scanner"):
        score.transferred(norm, "y", made.values(who, 2).head(9), who.head(9))


def test_a_norm_without_the_model_of_its_reference_cannot_be():
    who = made.people(20, "none")
    norm = made.quick_norm(made.values(who, 3), who)
    with pytest.raises(ModelError, match="no model for 'pons'"):
        dataclasses.replace(norm, models={})
