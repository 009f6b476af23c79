"""Many people: what disease does to function, and how honest the generator is."""

import copy

import numpy as np
import pytest
from scipy import ndimage
from simulate_people import (
    base_head,
    is_cortex,
    parameters,
    people,
    region_names,
    regional,
    template_points,
    template_regions,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tracerless.core.cohort import Cohort, Diagnosis
from tracerless.core.errors import RecipeError
from tracerless.core.seeds import generator
from tracerless.io.simulate_tables import read_people_tables
from tracerless.simulate.cohort import PHENOTYPE_COLUMNS, draw_people, phenotype, truth
from tracerless.simulate.function import draw_fields
from tracerless.simulate.parameters import people_parameters
from tracerless.simulate.person import sample_template
from tracerless.simulate.scores import draw_scores
from tracerless.simulate.traits import draw_diagnosis, draw_traits

EIGHT = 8


def fdg(diagnosis: Diagnosis) -> np.ndarray:
    n = EIGHT if diagnosis in (Diagnosis.CN, Diagnosis.AD) else 4
    return np.array([regional(person, "fdg") for person in people(diagnosis, n)])


def at(*regions: str) -> list[int]:
    return [region_names().index(region) for region in regions]


def to_cerebellum(table: np.ndarray) -> np.ndarray:
    return table / table[:, at("cerebellum")]


def loss(diagnosis: Diagnosis, *regions: str) -> float:
    """Mean relative loss of FDG against controls, cerebellum as reference; positive = lower."""
    patients, controls = (to_cerebellum(fdg(d))[:, at(*regions)] for d in (diagnosis, Diagnosis.CN))
    return float(1 - patients.mean() / controls.mean())


def test_ad_lowers_posterior_cingulate_and_parietal_and_spares_sensorimotor() -> None:
    struck = loss(Diagnosis.AD, "isthmuscingulate", "posteriorcingulate", "inferiorparietal")
    spared = loss(Diagnosis.AD, "precentral", "postcentral", "paracentral")
    assert struck > 0.04
    assert struck > 2 * abs(spared)


def test_each_disease_has_a_place_of_its_own() -> None:
    occipital, frontal = ("lateraloccipital", "pericalcarine"), ("rostralanteriorcingulate",)
    assert loss(Diagnosis.DLB, *occipital) > loss(Diagnosis.AD, *occipital) + 0.05
    assert loss(Diagnosis.FTD, *frontal) > loss(Diagnosis.AD, *frontal) + 0.05


def test_flow_and_metabolism_agree_over_regions_but_not_wholly() -> None:
    r = [
        np.corrcoef(regional(person, "fdg"), regional(person, "cbf"))[0, 1]
        for person in people(Diagnosis.CN, EIGHT)
    ]
    assert 0.5 < np.mean(r) < 0.85


def test_controls_differ_by_a_few_percent_a_region() -> None:
    table = to_cerebellum(fdg(Diagnosis.CN))
    spread = 100 * table.std(axis=0, ddof=1) / table.mean(axis=0)
    assert 4 < np.median(spread[is_cortex()]) < 10


def test_metabolism_cannot_be_had_from_anatomy() -> None:
    """Deviations of FDG and of grey matter from the controls' means share little."""
    group = people(Diagnosis.CN, EIGHT)
    metabolism, anatomy, flow = (np.array([_pure(p, kind) for p in group]) for kind in
                                 ("fdg", "grey", "cbf"))  # fmt: skip
    assert abs(_shared(metabolism, anatomy)) < 0.4
    assert 0.2 < _shared(metabolism, flow) < 0.85


def _pure(person, kind: str) -> np.ndarray:
    found = sample_template(person, template_points())
    values = {"fdg": found.fdg_grey, "grey": found.tissues["grey"], "cbf": found.cbf_grey}[kind]
    means = np.array(ndimage.mean(values, template_regions(), range(len(region_names()))))
    return np.log(means[is_cortex()] / means[is_cortex()].mean())


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two tables after the group's mean pattern is taken away."""
    return float(np.corrcoef((one - one.mean(0)).ravel(), (other - other.mean(0)).ravel())[0, 1])


def test_two_functions_fit_one_anatomy() -> None:
    """Everything but the random numbers held equal, metabolism still differs by some percent."""
    base, traits = people(Diagnosis.CN, 1)[0].ground, people(Diagnosis.CN, 1)[0].traits
    one, other = (draw_fields(base, traits, generator("test-two", i))["fdg"] for i in (1, 2))
    assert 0.03 < np.std(np.log(one / other)) < 0.2


def test_scores_stay_in_range_and_follow_severity() -> None:
    severities, totals = [], []
    for i in range(300):
        diagnosis = list(Diagnosis)[i % 6]
        traits = draw_traits(parameters(), diagnosis, generator("test-scores", i))
        scores = draw_scores(parameters().scores, traits, generator("test-scores", i, "s"))
        assert 0 <= scores["MMSE"] <= 30
        assert 0 <= scores["CASI"] <= 100
        assert 0 <= scores["CDRSB"] <= 18
        assert scores["CDR"] in (0, 0.5, 1, 2, 3)
        severities.append(traits.severity)
        totals.append([scores["MMSE"], scores["CASI"], scores["CDRSB"]])
    r = np.corrcoef(np.column_stack([severities, totals]).T)[0, 1:]
    assert r[0] < -0.6
    assert r[1] < -0.6
    assert r[2] > 0.6
    assert np.abs(r).max() < 0.99, "tests have noise"


def test_diagnoses_come_by_their_declared_prevalence() -> None:
    rng = generator("test-prevalence")
    drawn = [draw_diagnosis(parameters(), rng) for _ in range(4000)]
    for diagnosis, clinic in parameters().clinic.items():
        assert np.mean([d is diagnosis for d in drawn]) == pytest.approx(
            clinic.prevalence, abs=0.03
        )


def test_mimics_have_a_clinical_label_without_the_topography() -> None:
    drawn = [draw_traits(parameters(), Diagnosis.MCI, generator("test-m", i)) for i in range(400)]
    mimics = [traits for traits in drawn if traits.is_mimic]
    assert len(mimics) / 400 == pytest.approx(0.30, abs=0.07)
    assert {traits.pathology for traits in mimics} == {Diagnosis.VAD}
    assert {traits.pathology for traits in drawn if not traits.is_mimic} == {Diagnosis.AD}


def test_labels_overlap_in_severity() -> None:
    severity = {
        d: [draw_traits(parameters(), d, generator("test-o", d, i)).severity for i in range(200)]
        for d in (Diagnosis.CN, Diagnosis.MCI, Diagnosis.AD)
    }
    assert np.mean(severity[Diagnosis.CN]) < np.mean(severity[Diagnosis.MCI])
    assert np.mean(severity[Diagnosis.MCI]) < np.mean(severity[Diagnosis.AD])
    assert max(severity[Diagnosis.CN]) > np.median(severity[Diagnosis.MCI])
    assert max(severity[Diagnosis.MCI]) > np.median(severity[Diagnosis.AD])


def test_people_are_drawn_in_turn_and_named_by_their_number() -> None:
    turns = [Diagnosis.CN, Diagnosis.AD]
    drawn = list(draw_people(parameters(), base_head(), n=3, seed="test-turn", diagnoses=turns))
    assert [person.key for person in drawn] == [f"test-turn-{i:04d}" for i in range(3)]
    assert [person.diagnosis for person in drawn] == [Diagnosis.CN, Diagnosis.AD, Diagnosis.CN]


def test_nobody_cannot_be_drawn() -> None:
    with pytest.raises(RecipeError, match="n=0"):
        draw_people(parameters(), base_head(), n=0, seed="test")
    with pytest.raises(RecipeError, match="empty"):
        draw_people(parameters(), base_head(), n=1, seed="test", diagnoses=[])


def test_phenotype_is_what_a_hospital_writes_and_a_cohort_accepts() -> None:
    group = [*people(Diagnosis.CN, 3), *people(Diagnosis.AD, 3)]
    table = phenotype(group)
    assert tuple(table.columns) == PHENOTYPE_COLUMNS
    assert table["chart_number"].is_unique
    assert list(table["diagnosis"]) == ["CN"] * 3 + ["AD"] * 3
    Cohort(table.drop(columns=["chart_number", "name"]))
    assert truth(group[3])["pathology"] in ("AD", "VaD")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda t: t["people"]["flow"].pop("source"), "where its numbers come from"),
        (lambda t: t["people"].pop("flow"), "no section"),
        (lambda t: t["people"]["flow"].update(grei=1.0), "should hold"),
        (lambda t: t["people"]["clinic"]["CN"].update(prevalence=0.5), "sum to"),
        (lambda t: t["people_regional_disease"][0].update(region="precentrl"), "unknown region"),
    ],
)
def test_parameters_that_contradict_themselves_are_refused(break_it, message: str) -> None:
    tables = copy.deepcopy(read_people_tables())
    break_it(tables)
    with pytest.raises(RecipeError, match=message):
        people_parameters(tables)


def test_every_row_of_every_table_names_its_source() -> None:
    tables = read_people_tables()
    for name in ("people_regions", "people_foci", "people_regional_disease"):
        assert all(row["source"] for row in tables[name])


def test_fingerprint_follows_the_numbers() -> None:
    tables = read_people_tables()
    changed = copy.deepcopy(tables)
    changed["people"]["flow"]["grey"] += 1
    assert people_parameters(tables).fingerprint == parameters().fingerprint
    assert people_parameters(changed).fingerprint != parameters().fingerprint


@pytest.mark.slow
def test_gates_of_the_digital_hospital_hold_before_any_scanner() -> None:
    """What a noise-free 7 mm scanner would show of 120 people: hard, but not hopeless."""
    groups = {
        d: np.array([regional(p, "fdg") for p in people(d, 60)])
        for d in (Diagnosis.CN, Diagnosis.AD)
    }
    table = np.concatenate([to_cerebellum(group) for group in groups.values()])
    ill = np.repeat([0, 1], 60)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    told = cross_val_predict(model, table, ill, cv=folds, method="predict_proba")[:, 1]
    assert 0.82 < roc_auc_score(ill, told) < 0.97
    controls = table[ill == 0]
    spread = 100 * controls.std(axis=0, ddof=1) / controls.mean(axis=0)
    assert 4 < np.median(spread[is_cortex()]) < 10
    posterior = table[:, at("isthmuscingulate")].ravel()
    effect = posterior[ill == 0].mean() - posterior[ill == 1].mean()
    pooled = np.sqrt((posterior[ill == 0].var() + posterior[ill == 1].var()) / 2)
    assert 0.8 < effect / pooled < 2.2
    r = [
        np.corrcoef(regional(p, "fdg"), regional(p, "cbf"))[0, 1] for p in people(Diagnosis.CN, 60)
    ]
    assert 0.5 < np.mean(r) < 0.85
