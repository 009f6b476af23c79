"""A classifier on disk is the classifier; it answers whom it may, and says why not."""

import json
from dataclasses import replace

import model_studies as made
import numpy as np
import pytest

from tracerless import diagnose
from tracerless.core.classifier import Calibration, Linear
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.study import Arm
from tracerless.diagnose import explain, models
from tracerless.diagnose.calibrate import calibrated
from tracerless.diagnose.card import card
from tracerless.diagnose.prepare import prepare
from tracerless.io import classifiers, kept
from tracerless.score.within import Within

STEPS = {"Within": Within}
SETTINGS = diagnose.Settings(features="z", folds=3, inner_folds=3)


@pytest.fixture(scope="module")
def study():
    return made.study(120, effect=1.2, scanners=2, missing=0.1)


@pytest.fixture(scope="module", params=["elastic_net", "mlp"])
def classifier(request, study):
    return diagnose.fit(
        study, Arm.BOTH, key="known", settings=SETTINGS, z_step=made.Z(), keep=request.param
    )


@pytest.fixture(scope="module")
def kinds():
    """Two kinds of dementia, one of them rare: a hierarchy."""
    whole = made.study(150, ("CN", "AD", "FTD"), effect=1.5, seed="kinds")
    few = whole.taken(np.array([k % 3 < 2 or k < 60 for k in range(150)]))
    settings = replace(SETTINGS, features="ratio", models=("elastic_net",))
    return few, diagnose.fit(few, Arm.IMAGE, key="kinds", settings=settings)


def test_what_is_read_back_answers_to_the_bit(classifier, study, tmp_path):
    path = tmp_path / "classifier.json"
    locked = classifiers.write(path, classifier)
    back = classifiers.read(path, STEPS)
    assert kept.digest(back) == locked == kept.digest(classifier)
    same = diagnose.probabilities(back, study) == diagnose.probabilities(classifier, study)
    assert same.all()
    first = path.read_bytes()
    classifiers.write(path, back)
    assert path.read_bytes() == first


def test_a_hierarchy_reads_back_too(kinds, tmp_path):
    study, fitted = kinds
    assert fitted.facts["hierarchical"]
    classifiers.write(tmp_path / "c.json", fitted)
    back = classifiers.read(tmp_path / "c.json", STEPS)
    same = diagnose.probabilities(back, study) == diagnose.probabilities(fitted, study)
    assert same.all()


def test_the_same_study_gives_the_same_classifier_and_another_seed_another(kinds):
    study = kinds[0]
    settings = diagnose.Settings(features="ratio", models=("mlp",), folds=2, inner_folds=2)
    once, again, other = (
        diagnose.fit(study, Arm.COGNITION, key="a", settings=replace(settings, seed=seed))
        for seed in ("1", "1", "2")
    )
    assert kept.digest(once) == kept.digest(again)
    assert kept.digest(once) != kept.digest(other)


def test_a_file_that_was_changed_after_it_was_locked_is_refused(classifier, tmp_path):
    path = tmp_path / "classifier.json"
    classifiers.write(path, classifier)
    content = json.loads(path.read_text())
    content["value"]["calibration"]["slope"] *= 1.01
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="is not what was locked"):
        classifiers.read(path, STEPS)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "hash": "x"}'])
def test_damaged_files_are_said_to_be_no_model(text, tmp_path):
    path = tmp_path / "classifier.json"
    path.write_text(text)
    with pytest.raises(ModelError):
        classifiers.read(path, STEPS)


def test_a_file_makes_nothing_but_known_kinds(tmp_path):
    record = {"$class": "Popen", "args": ["true"]}
    content = {"format": 1, "hash": kept._digest(record), "value": record}
    (tmp_path / "c.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="unknown kind 'Popen'"):
        classifiers.read(tmp_path / "c.json", STEPS)


def test_no_pseudonym_is_kept_but_everybody_is_remembered(classifier, study, tmp_path):
    path = tmp_path / "classifier.json"
    classifiers.write(path, classifier)
    text = path.read_text()
    assert not any(person in text for person in study.person)
    assert set(classifier.people) == {person_digest(Pseudonym(p)) for p in study.person}


def test_decisions_are_calibrated_sets_that_mostly_hold_the_truth(classifier):
    others = made.study(200, effect=1.2, scanners=2, seed="others")
    decisions = diagnose.decide(classifier, others)
    answered = [(d, t) for d, t in zip(decisions, others.diagnosis, strict=True) if not d.abstains]
    assert len(answered) > 160
    held = np.mean([truth in decision.likely for decision, truth in answered])
    assert held > 0.8
    assert all(d.likely[0] == max(d.likely, key=d.probability.get) for d, _ in answered)


def test_contributions_add_up_to_the_distance_from_the_average_person(classifier, study):
    row = next(k for k, d in enumerate(diagnose.decide(classifier, study)) if not d.abstains)
    decision = diagnose.decide(classifier, study)[row]
    inputs = prepare(classifier.preparation, study).values
    both = np.vstack([inputs[row], np.zeros(inputs.shape[1])])
    logs = models.log_probability(classifier.scorer, both)
    p = calibrated(classifier.calibration, logs)[:, classifier.classes.index(decision.likely[0])]
    odds = np.log(p / (1 - p))
    assert sum(decision.contributions.values()) == pytest.approx(odds[0] - odds[1], abs=1e-9)


def test_a_group_that_says_nothing_contributes_nothing():
    scorer = Linear([[2.0, -2.0], [1.0, -1.0], [0.0, 0.0]], [0.0, 0.0])
    places = [np.array([0, 1]), np.array([2])]
    found = explain.contributions(
        scorer, Calibration(1.0, [0.0, 0.0]), np.array([1.0, 0.5, 9.0]), 0,
        places=places, seed=("a",),
    )  # fmt: skip
    assert found == pytest.approx([5.0, 0.0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"age": 99.0}, "age=99 is outside"),
        ({"age": np.nan}, "age is missing"),
        ({"education_years": 30.0}, "education_years=30 is outside"),
        (dict.fromkeys((*made.REGIONS, *made.TESTS), np.nan), "values that are missing"),
        (dict.fromkeys(made.REGIONS[::2], 3.0), "Unlike anybody in training"),
    ],
)
def test_it_abstains_and_says_why(classifier, study, change, reason):
    odd = made.with_values(study, change, [0])
    people = odd.people.copy()
    for name in set(change) & set(people.columns):
        people.loc[0, name] = change[name]
    decision = diagnose.decide(classifier, replace(odd, people=people))[0]
    assert reason in decision.abstains
    assert not decision.probability
    assert not decision.likely


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contrast", "HMPAO"), ("domain", "acquired"), ("domain", "synthetic:unet"),
        ("fingerprint", "ffffffffffff"), ("reference", "pons"),
    ],
)  # fmt: skip
def test_another_tracer_recipe_or_domain_is_not_answered(classifier, study, name, value):
    other = replace(study, measured=replace(study.measured, **{name: value}))
    decisions = diagnose.decide(classifier, other)
    assert all(name in each.abstains for each in decisions)


def test_an_unknown_scanner_is_said(classifier, study):
    elsewhere = replace(study, scanner=("elsewhere",) * len(study))
    answered = [each for each in diagnose.decide(classifier, elsewhere) if not each.abstains]
    assert answered
    assert all("'elsewhere' was not among" in each.notes[0] for each in answered)


def test_a_missing_test_is_replaced_and_said(classifier, study):
    less = made.with_values(study, {"executive_1": np.nan}, [3])
    decision = diagnose.decide(classifier, less)[3]
    assert any("executive_1" in note for note in decision.notes)


def test_a_table_that_lacks_a_column_counts_as_missing(classifier, study):
    keep = tuple(each for each in study.predictors if each.key != "executive_1")
    table = study.table[[each.key for each in keep]]
    decisions = diagnose.decide(classifier, replace(study, predictors=keep, table=table))
    assert all(each.abstains or "executive_1" in " ".join(each.notes) for each in decisions)


def test_the_card_says_what_it_learned_from_and_what_it_is_not_for(classifier):
    text = card(classifier, "0123456789abcdef")
    for said in ("CN 60, AD 60", "ECD", "simulated people", "0123456789abcdef", "Class weights",
                 "| mlp |", "| elastic_net |", "| prevalence |", "Research use only"):  # fmt: skip
        assert said in text


def test_an_unknown_model_is_refused(study):
    with pytest.raises(ModelError, match="No model 'mpl'"):
        diagnose.fit(study, Arm.BOTH, key="a", settings=SETTINGS, z_step=made.Z(), keep="mpl")
