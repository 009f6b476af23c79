"""Nothing of a held-out person reaches the model that speaks of them; what is kept reads back."""

import time
from dataclasses import replace

import model_studies as made
import numpy as np
import pytest

from tracerless import diagnose
from tracerless.core.cognition import Leak
from tracerless.core.errors import DatasetError, ModelError, RecipeError
from tracerless.core.study import Arm
from tracerless.diagnose import explain
from tracerless.diagnose.choose import losses, simplest
from tracerless.diagnose.conformal import cross_sets
from tracerless.diagnose.labels import taken
from tracerless.workspace.simulate_tables import simulated_study

RATIO = diagnose.Settings(features="ratio", models=("elastic_net",))
QUICK = replace(RATIO, folds=3, inner_folds=2)


def one_split(n, test_rows):
    fold = np.full(n, -1)
    fold[test_rows] = 0
    return fold


def told(study, fold, settings, arm=Arm.BOTH):
    return diagnose.nested(study, arm, settings=settings, z_step=made.Z(), fold=fold)


@pytest.mark.parametrize("features", ["ratio", "z"])
def test_values_of_a_held_out_person_change_nobody_elses_answer(features):
    study, rows = made.study(80, scanners=2, missing=0.05), np.arange(0, 80, 4)
    settings = replace(QUICK, features=features)
    before = told(study, one_split(80, rows), settings)[0].probability[0]
    changed = made.with_values(study, dict.fromkeys(made.REGIONS, 50.0), [rows[0]])
    changed = made.with_values(changed, {"memory_0": np.nan, "age": 20.0}, [rows[0]])
    after = told(changed, one_split(80, rows), settings)[0].probability[0]
    assert (before[rows[1:]] == after[rows[1:]]).all()
    assert (before[rows[0]] != after[rows[0]]).all()


@pytest.mark.parametrize("model", ["elastic_net", "mlp", "prevalence"])
def test_diagnoses_of_held_out_people_change_no_answer(model):
    study, rows = made.study(80), np.arange(1, 80, 4)
    turned = list(study.diagnosis)
    for row in rows:
        turned[row] = "AD" if turned[row] == "CN" else "CN"
    settings = replace(QUICK, features="z", models=(model,))
    answers = [
        told(each, one_split(80, rows), settings)[0].probability[0][rows]
        for each in (study, replace(study, diagnosis=tuple(turned)))
    ]
    assert (answers[0] == answers[1]).all()


def test_shuffled_diagnoses_cannot_be_told():
    found = []
    for seed in range(4):
        study = made.shuffled(made.study(100, effect=2.0), seed)
        out = diagnose.nested(study, Arm.BOTH, settings=QUICK)[0]
        found.append(made.auc(out.truth == 1, out.probability[0, :, 1]))
    assert abs(np.mean(found) - 0.5) < 0.08


def test_every_row_is_held_out_once_and_probabilities_sum_to_one():
    study = made.study(90, ("CN", "AD", "FTD"))
    outs = diagnose.nested(study, Arm.BOTH, settings=replace(QUICK, models=("prevalence", "mlp")))
    for out in outs:
        assert out.probability.sum(axis=2) == pytest.approx(np.ones((1, 90)))
        assert sorted(set(out.fold[0])) == [0, 1, 2]
    assert (outs[0].fold == outs[1].fold).all()


def test_planted_disease_is_found_and_its_lobe_is_named():
    study = made.study(160, effect=1.2)
    out = diagnose.nested(study, Arm.IMAGE, settings=RATIO)[0]
    assert made.auc(out.truth == 1, out.probability[0, :, 1]) > 0.85
    mean = dict(zip(out.groups, out.importance.mean(axis=(0, 1)), strict=True))
    assert max(mean, key=mean.get) == "parietal"
    assert abs(mean["occipital"]) < 0.1 * mean["parietal"]


def test_an_arm_sees_what_it_may_see():
    study = made.study(60)
    groups = {arm: explain.groups(study, arm)[0] for arm in Arm}
    assert groups[Arm.DEMOGRAPHICS] == ("demographics",)
    assert "staging" not in groups[Arm.BOTH]
    assert "staging" in groups[Arm.LEAKY]
    assert {each.group for each in study.predictors if each.leak is Leak.HIGH} == {"staging"}


def test_all_visits_of_a_person_are_held_out_together():
    study = made.study(60)
    twice = study.taken(np.repeat(np.arange(60), 2))
    out = diagnose.nested(twice, Arm.BOTH, settings=QUICK)[0]
    fold = out.fold[0].reshape(60, 2)
    assert (fold[:, 0] == fold[:, 1]).all()


def test_a_fold_that_a_person_straddles_is_refused():
    twice = made.study(60).taken(np.repeat(np.arange(60), 2))
    with pytest.raises(ModelError, match="two folds"):
        told(twice, np.arange(120) % 2, QUICK)


def test_normal_people_outside_the_task_may_serve_the_norm():
    study = made.study(120, ("CN", "AD", "FTD"), effect=1.5)
    settings = replace(QUICK, classes=("AD", "FTD"), features="z")
    out = told(study, None, settings, Arm.IMAGE)[0]
    assert out.classes == ("AD", "FTD")
    assert made.auc(out.truth == 1, out.probability[0, :, 1]) > 0.85
    alone = study.taken(np.array([name != "CN" for name in study.diagnosis]))
    with pytest.raises(DatasetError, match="0 normal people"):
        told(alone, None, settings, Arm.IMAGE)


def test_the_simplest_model_is_kept_where_nothing_can_be_told():
    settings = replace(QUICK, models=("prevalence", "elastic_net"))
    study = made.study(80, effect=0.0)
    outs = diagnose.nested(study, Arm.IMAGE, settings=settings)
    assert simplest(outs, study.person) == "prevalence"
    ill = made.study(80, effect=2.0)
    assert simplest(diagnose.nested(ill, Arm.IMAGE, settings=settings), ill.person) == "elastic_net"


def test_losses_count_each_person_once():
    study = made.study(60)
    twice = study.taken(np.repeat(np.arange(60), 2))
    outs = diagnose.nested(twice, Arm.BOTH, settings=QUICK)
    assert len(losses(outs[0], twice.person)) == 60


def test_few_kinds_of_dementia_are_told_apart_in_a_second_step():
    study = made.study(96, ("CN", "AD", "FTD"), effect=1.5)
    made_of = diagnose.fit(study, Arm.IMAGE, key="kinds", settings=replace(QUICK, folds=2))
    assert made_of.facts["hierarchical"] is False
    few = study.taken(np.array([k % 3 < 2 or k < 60 for k in range(96)]))
    two_steps = diagnose.fit(few, Arm.IMAGE, key="kinds", settings=replace(QUICK, folds=2))
    assert two_steps.facts["hierarchical"] is True
    p = diagnose.probabilities(two_steps, few)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(few)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ("CN", "DLB")}, "Class DLB has 0 people"),
        ({"classes": ("CN", "FTD")}, "Class FTD has 9 people"),
    ],
)
def test_a_class_that_is_asked_for_and_not_there_is_named(change, message):
    study = made.study(60)
    kinds = list(study.diagnosis)
    kinds[:9] = ["FTD"] * 9
    with pytest.raises(ModelError, match=message):
        taken(replace(study, diagnosis=tuple(kinds)), replace(RATIO, **change))


def test_one_class_alone_is_refused_with_the_counts():
    study = made.study(40, ("CN",))
    with pytest.raises(ModelError, match="there are: CN 40"):
        diagnose.nested(study, Arm.BOTH, settings=RATIO)


def test_fewer_people_than_parameters_are_refused():
    with pytest.raises(ModelError, match="20 people for 21 parameters"):
        diagnose.nested(made.study(20), Arm.LEAKY, settings=RATIO)


def test_a_covariate_that_nobody_has_is_named():
    study = made.with_values(made.study(60), {"education_years": np.nan}, slice(None))
    with pytest.raises(DatasetError, match="education_years is known of nobody"):
        diagnose.nested(study, Arm.BOTH, settings=RATIO)


def test_a_predictor_that_most_people_lack_is_left_out_and_said():
    study = made.with_values(made.study(60), {"memory_1": np.nan}, slice(0, 50))
    out = diagnose.nested(study, Arm.BOTH, settings=QUICK)[0]
    assert any("memory_1" in note for note in out.notes)


def test_too_few_normal_people_for_z_say_so_and_the_way_out():
    study = made.study(30)
    with pytest.raises(DatasetError, match="z needs 10") as caught:
        told(study, None, diagnose.Settings(models=("elastic_net",)), Arm.IMAGE)
    assert "ratio" in str(caught.value)
    with pytest.raises(ModelError, match="need a norm"):
        diagnose.nested(study, Arm.IMAGE, settings=diagnose.Settings())


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": ("forest",)},
        {"folds": 1},
        {"level": 1.0},
        {"features": "zz"},
        {"classes": ("CN",)},
    ],
)
def test_settings_refuse_nonsense(wrong):
    with pytest.raises(RecipeError):
        diagnose.Settings(**wrong)


@pytest.mark.slow
def test_the_network_keeps_up_with_the_elastic_net_within_twenty_cpu_seconds():
    found = {"elastic_net": [], "mlp": []}
    for seed in range(3):
        study = simulated_study(400, seed=f"gate-{seed}", diagnoses=("CN", "AD"), scanners=3)
        for model, areas in found.items():
            start = time.process_time()
            settings = diagnose.Settings(models=(model,))
            out = told(study, None, settings, Arm.IMAGE)[0]
            assert time.process_time() - start <= 20
            areas.append(made.auc(out.truth == 1, out.probability[0, :, 1]))
    assert abs(np.mean(found["mlp"]) - np.mean(found["elastic_net"])) <= 0.01


@pytest.mark.slow
def test_each_class_of_simulated_people_is_in_its_set_as_often_as_said():
    held, n = np.zeros(3), np.zeros(3)
    for seed in range(3):
        study = simulated_study(400, seed=f"sets-{seed}", diagnoses=("CN", "MCI", "AD"))
        settings = diagnose.Settings(models=("elastic_net",))
        out = told(study, None, settings, Arm.BOTH)[0]
        members = cross_sets(out)[0][np.arange(len(out.truth)), out.truth]
        held += np.bincount(out.truth, weights=members)
        n += np.bincount(out.truth)
    assert ((held / n > 0.87) & (held / n < 0.93)).all()
