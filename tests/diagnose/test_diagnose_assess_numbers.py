"""Numbers of an evaluation against other packages, by repetition, and where they are refused."""

import numpy as np
import pytest
from assess_people import answers, study
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.diagnose.assess_curves import (
    calibration_table,
    confusion,
    decision_curve,
    predictive_values,
    roc,
)
from tracerless.diagnose.assess_judged import judged
from tracerless.diagnose.assess_measures import auc_delong, performance
from tracerless.diagnose.increments import between_models, increments, over_folds
from tracerless.diagnose.splits import Part
from tracerless.diagnose.subgroups import groups, missingness, subgroups
from tracerless.statistics.resampling import resample


def drawn(n: int, seed: str, gain: float = 1.0, classes: int = 2):
    draw = generator("test-assess", seed)
    truth = np.arange(n) % classes
    return truth, gain * truth + draw.normal(size=n), draw


def redrawn(one, n_draws: int = 300):
    return resample(one.person, seed=["test"], n_draws=n_draws, strata=one.truth)


def number(table, metric, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table[table["metric"] == metric].iloc[0]


def test_two_classes_are_measured_as_sklearn_measures_them():
    truth, odds, _ = drawn(150, "two")
    one = answers(truth, odds)
    table, beside = performance([one], redrawn(one))
    assert number(table, "auc")["value"] == pytest.approx(roc_auc_score(truth, odds))
    assert number(table, "balanced_accuracy")["value"] == pytest.approx(
        balanced_accuracy_score(truth, odds >= 0)
    )
    delong, bootstrap = number(table, "auc"), beside.iloc[0]
    assert delong["low"] == pytest.approx(bootstrap["low"], abs=0.02)
    assert delong["high"] == pytest.approx(bootstrap["high"], abs=0.02)


def test_three_classes_are_each_held_against_the_rest():
    truth, _, draw = drawn(150, "three", classes=3)
    odds = np.eye(3)[truth] + draw.normal(size=(150, 3))
    one = answers(truth, odds[None], classes=("CN", "AD", "DLB"))
    table, _ = performance([one], redrawn(one))
    theirs = roc_auc_score(truth, one.probability[0], multi_class="ovr", average="macro")
    assert number(table, "auc")["value"] == pytest.approx(theirs)
    assert number(table, "balanced_accuracy")["value"] == pytest.approx(
        balanced_accuracy_score(truth, odds.argmax(axis=1))
    )
    assert set(roc([one])["class"]) == {"CN", "AD", "DLB"}


def test_no_number_of_eighty_people_stands_without_its_interval():
    truth, odds, _ = drawn(80, "eighty", gain=6.0)  # told apart almost perfectly
    one = answers(truth, odds - 3)
    table, _ = performance([one], redrawn(one))
    known = table[table["value"].notna()]
    assert (known["low"] < known["high"]).all()
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()


def test_repeats_of_a_cross_validation_do_not_narrow_the_interval():
    truth, odds, _ = drawn(120, "repeats")
    once, often = answers(truth, odds), answers(truth, np.tile(odds, (20, 1)))
    assert auc_delong(often) == pytest.approx(auc_delong(once))
    table, _ = performance([once, often], redrawn(once))
    for metric in ("brier", "slope", "sensitivity"):
        rows = table[table["metric"] == metric][["value", "low", "high"]].to_numpy()
        assert rows[0] == pytest.approx(rows[1])


def test_second_scans_of_the_same_people_do_not_narrow_it_either():
    truth, odds, _ = drawn(100, "scans")
    once = answers(truth, odds)
    twice = answers(np.r_[truth, truth], np.r_[odds, odds], person=once.person * 2)
    narrow, wide = (each.high - each.low for each in (auc_delong(twice), auc_delong(once)))
    assert narrow == pytest.approx(wide, rel=0.03)


def test_a_prevalence_told_by_fold_ranks_nobody():
    truth = np.arange(100) % 2
    fold = np.arange(100)[None] // 20
    share = 0.5 - 0.02 * fold[0] * (truth.mean() + 0.1)  # differs between folds
    part = Part(
        "image", "prevalence", ("CN", "AD"), truth,
        np.stack([1 - share, share], axis=1)[None], fold, np.full((1, 5), 0.5),
    )  # fmt: skip
    one = judged(part, [str(n) for n in range(100)])
    assert auc_delong(one).value == 0.5


def test_an_image_that_adds_nothing_is_said_to_add_in_one_of_twenty():
    """Paired DeLong of two arms with equal information; then with more."""
    called = []
    for seed in range(200):
        truth, own, draw = drawn(120, f"null{seed}")
        arms = [
            answers(truth, own + 0.5 * draw.normal(size=120), arm=arm)
            for arm in ("cognition", "image+cognition")
        ]
        table = increments(arms, redrawn(arms[0], n_draws=2))
        called.append(number(table, "auc")["p"] < 0.05)
    assert 0.01 <= np.mean(called) <= 0.10


def test_an_image_that_adds_is_found_with_its_size():
    truth, own, draw = drawn(400, "gain")
    image = truth + draw.normal(size=400)
    arms = [answers(truth, own), answers(truth, own + image, arm="image+cognition")]
    row = number(increments(arms, redrawn(arms[0])), "auc")
    truly = roc_auc_score(truth, own + image) - roc_auc_score(truth, own)
    assert row["value"] == pytest.approx(truly)
    assert row["low"] > 0
    assert row["p"] < 0.01
    better = increments(arms, redrawn(arms[0]))
    assert number(better, "log_loss")["value"] < 0
    assert number(better, "net_benefit@0.50")["value"] > 0


def test_the_image_takes_its_gain_over_folds_with_more_doubt():
    truth, own, draw = drawn(200, "folds")
    image = 0.5 * truth + draw.normal(size=200)
    pair = answers(truth, own), answers(truth, own + image, arm="image+cognition")
    fold = (np.arange(200)[None] // 2) % 5
    interval, p = over_folds(*pair, fold)
    paired = number(increments(pair, redrawn(pair[0], n_draws=2)), "auc")
    assert interval.value == pytest.approx(paired["value"], abs=0.03)
    assert p > paired["p"]


def test_arms_that_saw_other_people_are_not_compared():
    truth, odds, _ = drawn(60, "other")
    arms = [answers(truth, odds), answers(truth, odds, arm="image+cognition", person=("q",) * 60)]
    with pytest.raises(ModelError, match="same rows"):
        increments(arms, redrawn(arms[0]))


def test_the_second_model_is_held_against_the_first():
    truth, odds, draw = drawn(100, "models")
    pair = [answers(truth, odds), answers(truth, odds + draw.normal(size=100), model="mlp")]
    (row,) = between_models(pair)
    assert (row["model"], row["against"]) == ("mlp", "elastic_net")
    assert row["low"] < row["value"] < row["high"]


def test_curves_say_what_the_numbers_say():
    truth, odds, _ = drawn(200, "curves")
    one = answers(truth, odds)
    curve = roc([one])
    area = np.trapezoid(curve["true_positive"], curve["false_positive"])
    assert area == pytest.approx(roc_auc_score(truth, odds), abs=0.01)
    bins = calibration_table([one])
    assert bins["n"].sum() == 200
    assert ((bins["low"] <= bins["observed"]) & (bins["observed"] <= bins["high"])).all()
    counts = confusion([one])
    assert counts["n"].sum() == 200
    benefit = decision_curve([one]).set_index("threshold")
    assert benefit.loc[0.05, "net_benefit"] == pytest.approx(
        benefit.loc[0.05, "treat_all"], abs=0.02
    )


def test_a_call_means_less_where_the_illness_is_rare():
    truth, odds, _ = drawn(200, "rare")
    table = predictive_values(answers(truth, odds), {"clinic": 0.5, "street": 0.05})
    ppv = table[table["quantity"] == "PPV"].set_index("setting")
    npv = table[table["quantity"] == "NPV"].set_index("setting")
    assert ppv.loc["street", "value"] < ppv.loc["clinic", "value"]
    assert npv.loc["street", "value"] > npv.loc["clinic", "value"]
    assert (table["low"] < table["value"]).all()


def test_a_group_of_too_few_people_is_named_and_not_measured():
    truth, odds, _ = drawn(100, "groups")
    one = answers(truth, odds)
    by = {"sex": ["F"] * 88 + ["M"] * 12, "scanner": ["s"] * 50 + ["t"] * 50}
    table = subgroups(one, by)
    few = table[table["group"] == "M"].iloc[0]
    assert np.isnan(few["value"])
    assert few["reason"] == "12 people; 20 are needed."
    rest = table[table["group"] == "s"]
    assert rest["value"].notna().all()
    assert set(rest["metric"]) == {"auc", "sensitivity", "specificity"}


def test_a_group_without_ill_people_says_so():
    truth = np.r_[np.zeros(50), np.arange(50) % 2].astype(int)
    table = subgroups(answers(truth, truth * 1.0), {"scanner": ["s"] * 50 + ["t"] * 50})
    assert table.iloc[0]["reason"] == "0 scans with AD; 5 are needed."


def test_people_stand_in_the_band_of_their_age_and_schooling():
    people = study(60)
    by = groups(people, np.arange(60))
    for age, band in zip(people.people["age"], by["age"], strict=True):
        low = {"under 65": 0, "65 to 74": 65, "75 to 84": 75, "85 and over": 85}[band]
        assert low <= age < low + 65
    assert set(by["education"]) <= {"none", "1 to 5 years", "6 years and more"}


def test_what_is_missing_is_counted_by_class():
    people = study(100)
    truth = np.array([0, 1] * 50)
    people.table.loc[:, "test0"] = np.where(truth, np.nan, people.table["test0"])
    table = missingness(people, np.arange(100), truth, ("CN", "AD"))
    ill = table[(table["predictor"] == "test0") & (table["class"] == "AD")].iloc[0]
    assert ill["share"] == 1.0
    assert "age" not in set(table["predictor"])
