"""Diagnosis by arm, where it is known how much of the disease each image holds."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_visits import REGIONS, visits

from tracerless.core.assessment import TABLES
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.people import person_digest
from tracerless.workspace import synthetic_diagnosis_arms as arms
from tracerless.workspace.synthetic_diagnosis import findings, folds_of, judge
from tracerless.workspace.synthetic_diagnosis_study import ARMS, n_parameters, seen_by, wide

BINARY = (("CN", "AD"),)


def judged(own, **kwargs):
    return judge(own, REGIONS, domain="simulated", tasks=BINARY, **kwargs)


def verdict(tables):
    (row,) = tables["claims"].to_dict("records")
    return row["verdict"]


def auc(tables, arm):
    table = tables["performance"]
    own = table[(table["arm"] == arm) & (table["metric"] == "auc")]
    return float(own["value"].iloc[0])


def without(visit, *kinds):
    return replace(visit, shown={k: v for k, v in visit.shown.items() if k not in kinds})


@pytest.fixture(scope="module")
def same():
    """Acquired regions in place of the synthetic ones."""
    return judged(visits(60, acquired=2.0, same=True, makers=2))


@pytest.fixture(scope="module")
def without_flow():
    """Visits whose flow nobody measured, and every arm on them."""
    own = [without(each, "cbf") for each in visits(40, makers=2)]
    found = wide(own, REGIONS, domain="simulated", grain="lobes")
    return own, found, arms.judge(found, ("CN", "AD"), fold=folds_of(own), n_folds=5, seed="1")


def test_acquired_in_place_of_synthetic_is_not_worse(same):
    tables, _ = same
    assert verdict(tables) == "not worse than acquired"
    (row,) = tables["claims"].to_dict("records")
    assert row["value"] == row["low"] == row["high"] == 0


def test_the_mean_of_the_training_people_claims_nothing():
    own = [without(each, "T1w", "T2w") for each in visits(60, acquired=2.0, flat=True, makers=2)]
    tables, _ = judged(own)
    assert verdict(tables) == "neither"
    assert auc(tables, "synthetic") == pytest.approx(auc(tables, "demographics"))


@pytest.mark.slow
def test_chance_stands_for_facts_that_nobody_knows():
    own = [
        replace(without(each, "T1w", "T2w"), facts=PersonFacts(each.facts.diagnosis),
                education_years=float("nan"))
        for each in visits(60, acquired=2.0, same=True, makers=2)
    ]  # fmt: skip
    tables, notes = judged(own)
    assert verdict(tables) == "not worse than acquired"
    assert "demographics" not in set(tables["performance"]["arm"])
    assert any("chance (AUC 0.5) stands in their place" in note for note in notes)


@pytest.mark.slow
def test_more_than_mr_and_less_than_acquired_is_claimed_so():
    own = visits(100, acquired=2.5, synthetic=1.4, mr=0.0, flow=0.2, seed="between")
    tables, _ = judged(own)
    assert verdict(tables) == "better than MR only"
    assert auc(tables, "mr+asl") < auc(tables, "synthetic") < auc(tables, "acquired")


def test_every_table_is_one_of_an_evaluation(same):
    tables, notes = same
    assert {name: tuple(table.columns) for name, table in tables.items()} == {
        name: TABLES[name] for name in tables
    }
    assert {"calibration", "decision_curve", "increments", "findings"} <= set(tables)
    assert set(tables["performance"]["arm"]) == set(ARMS)
    assert set(tables["performance"]["model"]) == {"elastic_net CN/AD"}
    assert any("Nobody was predicted by a synthesizer that had seen them" in n for n in notes)


def test_no_scan_was_predicted_by_a_synthesizer_that_saw_it(same):
    found = same[0]["findings"].set_index("check")["verdict"]
    assert found["synthesizer"] == "pass"
    assert found["row split"] == "pass"


def test_classifier_and_synthesizers_keep_the_same_people_out(without_flow):
    own, _, made = without_flow
    assert made.fold.tolist() == [int(visit.maker[-1]) for visit in own]
    assert folds_of(visits(20, makers=1)) is None


def test_an_arm_that_nobody_shows_is_left_out_and_said(without_flow):
    _, _, made = without_flow
    assert "asl" not in {one.arm for one in made.every}
    assert "mr+asl" not in {one.arm for one in made.every}
    assert any("Arm asl is left out" in note for note in made.notes)
    assert any("it would see what mr sees" in note for note in made.notes)


def test_a_synthesizer_that_saw_a_test_person_is_found(without_flow):
    own, found, made = without_flow
    seen = person_digest(own[7].key.person)
    torn = [
        replace(visit, teachers=visit.teachers | {seen}) if visit.maker == own[7].maker else visit
        for visit in own
    ]
    assert findings(own, found, made).set_index("check").loc["synthesizer", "verdict"] == "pass"
    table = findings(torn, found, made).set_index("check")
    assert table.loc["synthesizer", "verdict"] == "finding"


def test_no_arm_has_a_finer_view_than_another():
    few = visits(24, classes=("CN", "AD"))
    for grain, n in (("sides", 8), ("regions", 4), ("lobes", 4)):
        found = wide(few, REGIONS, domain="simulated", grain=grain)
        sizes = {
            arm: len(seen_by(found, arm).keys("image")) for arm in ("asl", "synthetic", "acquired")
        }
        assert set(sizes.values()) == {3 + n}
        assert n_parameters(found) == 1 + 3 + 3 * n


def test_the_sides_of_a_region_are_averaged():
    own = visits(20)
    fine = wide(own, REGIONS, domain="simulated", grain="sides").study.table
    coarse = wide(own, REGIONS, domain="simulated", grain="regions").study.table
    both = fine[["acquired:precuneus_left", "acquired:precuneus_right"]].mean(axis=1)
    np.testing.assert_allclose(coarse["acquired:precuneus"], both)


def test_too_few_people_are_told_and_nothing_is_judged():
    with pytest.raises(ModelError, match="10 are needed"):
        judged(visits(12))
    with pytest.raises(ModelError, match="Nobody was predicted"):
        judged([])


def test_the_folds_say_the_same_as_the_people(same):
    _, notes = same
    assert any("over the 2 folds" in n and "+0.000 (+0.000 to +0.000)" in n for n in notes)
