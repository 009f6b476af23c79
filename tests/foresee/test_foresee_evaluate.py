"""Evaluation of risk: what is told out of fold, what it says of noise, and of other people."""

from dataclasses import replace

import numpy as np
import pytest

from tracerless.core.assessment import TABLES
from tracerless.core.errors import ModelError
from tracerless.core.risk import RiskKind
from tracerless.core.study import Arm, Followup
from tracerless.foresee import RiskSettings, Tools, evaluate, fit, validate
from tracerless.foresee.fit import prepared_task
from tracerless.foresee.nested import nested
from tracerless.foresee.predict import image_of, predicted
from tracerless.foresee.scores import _logistic, difference, judged, jury
from tracerless.statistics import censored_scores
from tracerless.statistics.calibration import recalibration

SETTINGS = RiskSettings(
    features="ratio",
    repeats=1,
    folds=4,
    penalties=(3.0, 30.0, 300.0),
    n_draws=150,
    n_bootstrap=3,
    kinds=(RiskKind.INCIDENCE, RiskKind.COX),
)


@pytest.fixture(scope="module")
def evaluation(known):
    return evaluate(known.study, known.followup, "risk-ECD", settings=SETTINGS)


def _shuffled(followup, seed=0):
    """Courses of other people."""
    people = followup.visits["participant_id"].unique()
    order = np.random.default_rng(seed).permutation(people)
    names = dict(zip(people, order, strict=True))
    return Followup(
        followup.visits.assign(participant_id=followup.visits["participant_id"].map(names))
    )


def test_every_number_has_bounds_around_it(evaluation):
    for name in ("performance", "increments", "absolute_risk", "incidence", "calibration"):
        table = evaluation.assessment.tables[name]
        middle = "observed" if name == "calibration" else "value"
        assert len(table), name
        assert (table["low"] <= table[middle] + 1e-12).all(), name
        assert (table[middle] <= table["high"] + 1e-12).all(), name


def test_tables_are_those_of_an_assessment(evaluation):
    assert set(evaluation.assessment.tables) <= set(TABLES)
    assert evaluation.assessment.facts["leak_excluded"] == ["CDRSB"]
    assert evaluation.assessment.facts["headline"].startswith("The image adds +")
    assert Arm.LEAKY.value not in evaluation.assessment.facts["arms"]


def test_a_region_that_carries_the_illness_adds_to_age_and_sex(evaluation):
    gain = evaluation.assessment.tables["increments"]
    row = gain[
        (gain["to_arm"] == "image") & (gain["metric"] == "c_index") & (gain["model"] == "cox")
    ]
    assert row["low"].iloc[0] > 0
    assert evaluation.assessment.number("image", "cox", "c_index")[1] > 0.55


def test_risks_out_of_fold_are_calibrated(evaluation):
    value, low, high = evaluation.assessment.number("image+cognition", "cox", "slope")
    assert low < 1 < high
    assert 0.7 < value < 1.4
    bands = evaluation.assessment.tables["bands"]
    assert bands["observed"].is_monotonic_increasing
    assert bands["n"].sum() == evaluation.assessment.facts["n"]


def test_the_sentinel_holds(evaluation):
    said = evaluation.assessment.facts["sentinel"]
    assert said["holds"]
    assert said["low"] < 0.5 < said["high"]


def test_courses_of_other_people_cannot_be_foretold(known):
    made = prepared_task(known.study, _shuffled(known.followup), SETTINGS, Tools())
    told = nested(made, Arm.BOTH, (RiskKind.COX,))[0]
    by = jury(made.found, (1.0, 2.0, 3.0), 3.0, 200, "1")
    (_, low, high), _ = judged(told, by, "c_index", 3.0)
    assert low < 0.5
    assert high < 0.62


def test_what_became_of_the_held_out_does_not_reach_their_risk(drawn):
    few = drawn(200)
    task = prepared_task(few.study, few.followup, SETTINGS, Tools())
    told = nested(task, Arm.BOTH, (RiskKind.COX, RiskKind.DISCRETE))
    out = told[0].fold[0] == 0
    swapped = np.flatnonzero(out & (task.found.event == 1))
    rng = np.random.default_rng(1)
    courses = task.found.taken(np.arange(len(task.found)))
    high = courses.high.copy()
    high[swapped] = courses.low[swapped] + rng.uniform(0.1, 0.9, len(swapped))
    last = courses.last.copy()
    last[swapped] = high[swapped]
    other = nested(replace(task, found=replace(courses, high=high, last=last)), Arm.BOTH,
                   (RiskKind.COX, RiskKind.DISCRETE))  # fmt: skip
    for before, after in zip(told, other, strict=True):
        assert np.array_equal(before.fold, after.fold)
        assert np.array_equal(before.dementia[0, out], after.dementia[0, out])
        assert not np.array_equal(before.dementia[0, ~out], after.dementia[0, ~out])


def test_a_difference_of_a_model_with_itself_is_none(known):
    task = prepared_task(known.study, known.followup, SETTINGS, Tools())
    told = nested(task, Arm.IMAGE, (RiskKind.COX,))[0]
    by = jury(task.found, (3.0,), 3.0, 100, "1")
    gap, p = difference(judged(told, by, "auc_t", 3.0), judged(told, by, "auc_t", 3.0))
    assert gap == (0.0, 0.0, 0.0)
    assert p == 1.0


def test_a_locked_model_is_judged_on_other_people_and_shifted_to_them(known, drawn):
    model = fit(known.study, known.followup, "risk", settings=SETTINGS, people=("a",) * 400)
    new = drawn(400, seed=11)
    made = validate(model, new.study, new.followup, "out", settings=SETTINGS, digests=("b",) * 400)
    told = made.assessment.tables["absolute_risk"].set_index(["model", "years", "quantity"])[
        "value"
    ]
    seen = told["cox", 3.0, "observed"]
    assert told["cox", 3.0, "predicted"] == pytest.approx(seen, abs=0.07)
    assert told["cox recalibrated", 3.0, "predicted"] == pytest.approx(seen, abs=1e-6)
    assert 0.7 < told["cox recalibrated", 3.0, "slope"] < 1.4
    assert made.assessment.facts["validation"] == "external"
    assert "told" in made.assessment.facts["headline"]


def test_people_of_the_training_do_not_judge_the_model(known):
    digests = tuple(f"d{number}" for number in range(400))
    model = fit(known.study, known.followup, "risk", settings=SETTINGS, people=digests)
    with pytest.raises(ModelError, match="trained on all of these people"):
        validate(model, known.study, known.followup, "in", settings=SETTINGS, digests=digests)
    half = (*digests[:100], *(f"n{number}" for number in range(300)))
    made = validate(model, known.study, known.followup, "in", settings=SETTINGS, digests=half)
    assert made.assessment.facts["n"] == 300
    assert "100 people of the training were left out." in made.assessment.notes


def test_the_slope_of_a_draw_is_that_of_one_fit(known):
    rng = np.random.default_rng(2)
    odds, weight = rng.normal(size=300), rng.uniform(0, 2, 300)
    case = rng.random(300) < 1 / (1 + np.exp(-(0.3 + 0.6 * odds)))
    a, b = _logistic(case, odds, weight[None], has_slope=True)
    assert (a[0], b[0]) == pytest.approx(recalibration(case, odds, weight=weight), abs=1e-6)
    a, b = _logistic(case, odds, weight[None], has_slope=False)
    assert (a[0], b[0]) == pytest.approx(
        recalibration(case, odds, weight=weight, fixed_slope=1.0), abs=1e-6
    )


def test_small_groups_are_not_judged(evaluation):
    table = evaluation.assessment.tables["subgroups"]
    small = table[table["reason"] != ""]
    assert len(small)
    assert small["value"].isna().all()
    assert {"stage", "sex", "age", "education"} <= set(table["by"])


def test_nobody_ill_is_one_sentence(known):
    visits = known.followup.visits
    well = Followup(visits.assign(diagnosis=visits["diagnosis"].replace({"AD": "MCI"})))
    with pytest.raises(ModelError, match="0 of 400 people became demented"):
        evaluate(known.study, well, "x", settings=SETTINGS)


@pytest.mark.slow
def test_the_bounds_of_concordance_hold_what_many_people_give(drawn):
    settings = replace(SETTINGS, penalties=(30.0,), kinds=(RiskKind.COX,))
    model = fit(*drawn(400)[:2], "risk", settings=settings)

    def value(made):
        task = prepared_task(made.study, made.followup, settings, Tools())
        risk = predicted(model, made.study, image_of(model))[0].risk[task.found.rows]
        return task, risk, censored_scores.seen(task.found.time, task.found.event)

    task, risk, seen = value(drawn(6000, seed=77))
    truth = censored_scores.concordance(seen, risk[:, 2], 3.0)[0]
    hits = 0
    for draw_no in range(60):
        task, risk, seen = value(drawn(250, seed=1000 + draw_no))
        by = jury(task.found, (3.0,), 3.0, 400, str(draw_no))
        draws = censored_scores.concordance(by.seen, risk[:, 2], 3.0, by.weights)
        low, high = np.quantile(draws, [0.025, 0.975])
        hits += low <= truth <= high
    assert hits >= 53
