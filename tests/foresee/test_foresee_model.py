"""A risk model: fitted, kept, used; and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from tracerless.core.errors import ModelError, RecipeError, RecipeMismatchError
from tracerless.core.risk import Clock, Outlook, RiskKind
from tracerless.core.study import Arm, Followup
from tracerless.foresee import RiskSettings, Tools, fit, outlooks
from tracerless.foresee.card import card
from tracerless.foresee.predict import image_of, predicted
from tracerless.io import risks as files
from tracerless.score.within import Within, within

SETTINGS = RiskSettings(features="ratio", n_bootstrap=40, penalties=(1.0, 30.0, 300.0))


class Z:
    """Regions against the rows that are normal."""

    def fit(self, values, people, is_normal):
        return within(values[is_normal], people[is_normal])


@pytest.fixture(scope="module")
def model(known):
    return fit(known.study, known.followup, "risk", settings=SETTINGS)


def test_the_risk_of_new_people_goes_with_their_true_risk(model, drawn):
    new = drawn(500, seed=9)
    (told, low, high), death = predicted(model, new.study, image_of(model))
    at = model.horizons.index(3.0)
    assert np.corrcoef(told[:, at], new.risk(3.0))[0, 1] > 0.75
    assert told[:, at].mean() == pytest.approx(new.risk(3.0).mean(), abs=0.05)
    assert (low <= told).all()
    assert (told <= high).all()
    assert (told + death.risk <= 1).all()
    assert (death.low <= death.risk).all()


def test_the_interval_holds_the_true_risk_where_the_predictors_tell_all(drawn):
    made = drawn(500, seed=3, hidden=False)
    settings = replace(SETTINGS, arm=Arm.IMAGE, penalties=(0.1,), n_bootstrap=60)
    model = fit(made.study, made.followup, "risk", settings=settings)
    new = drawn(300, seed=4, hidden=False)
    (_, low, high), _ = predicted(model, new.study, image_of(model))
    at = model.horizons.index(3.0)
    held = np.mean((low[:, at] <= new.risk(3.0)) & (new.risk(3.0) <= high[:, at]))
    assert 0.80 <= held <= 1.0
    assert (high - low)[:, at].mean() < 0.45


def test_a_model_is_kept_to_the_bit(model, known, tmp_path):
    locked = files.write(tmp_path / "risk.json", model)
    again = files.read(tmp_path / "risk.json")
    assert files.locked_hash(again) == locked
    assert outlooks(again, known.study) == outlooks(model, known.study)
    assert locked in card(again, locked)


def test_a_changed_file_is_refused(model, tmp_path):
    path = tmp_path / "risk.json"
    files.write(path, model)
    path.write_text(
        path.read_text().replace('"horizons": [\n      1.0', '"horizons": [\n      1.5')
    )
    with pytest.raises(ModelError, match="not what was locked"):
        files.read(path)


def test_equal_seeds_give_equal_models_and_others_do_not(model, known):
    again = fit(known.study, known.followup, "risk", settings=SETTINGS)
    assert files.locked_hash(again) == files.locked_hash(model)
    other = fit(known.study, known.followup, "risk", settings=replace(SETTINGS, seed="2"))
    assert files.locked_hash(other) != files.locked_hash(model)


def test_regions_become_z_of_the_models_own_norm(known):
    settings = replace(SETTINGS, features="z", n_bootstrap=5)
    model = fit(known.study, known.followup, "risk", settings=settings, tools=Tools(Z()))
    norm = Within(model.norm.names, model.norm.how, model.norm.norm)
    told = outlooks(model, known.study, norm)
    ratio = outlooks(fit(known.study, known.followup, "r", settings=SETTINGS), known.study)
    both = np.array([(a.risk[0], b.risk[0]) for a, b in zip(told, ratio, strict=True) if a.risk])
    assert np.corrcoef(both.T)[0, 1] > 0.9
    with pytest.raises(ModelError, match="need a norm"):
        fit(known.study, known.followup, "risk", settings=settings)


def test_on_a_clock_of_age_the_old_are_at_higher_risk(known, drawn):
    settings = replace(SETTINGS, clock=Clock.AGE, arm=Arm.IMAGE, n_bootstrap=5)
    model = fit(known.study, known.followup, "risk", settings=settings)
    assert "age" not in [each.key for each in model.predictors]
    new = drawn(300, seed=9)
    told = predicted(model, new.study, image_of(model))[0].risk[:, -1]
    age = new.study.people["age"].to_numpy()
    assert np.nanmean(told[age > 78]) > np.nanmean(told[age < 68])


def test_incidence_tells_everybody_the_same(known):
    model = fit(
        known.study, known.followup, "i", settings=replace(SETTINGS, kind=RiskKind.INCIDENCE)
    )
    risk = np.array([each.risk for each in outlooks(model, known.study) if each.risk])
    assert np.ptp(risk, axis=0).max() < 1e-12


def _changed(study, row=0, diagnosis=None, **values):
    table, people = study.table.copy(), study.people.copy()
    for name, value in values.items():
        if name in table:
            table.loc[row, name] = value
        if name in people:
            people.loc[row, name] = value
    words = list(study.diagnosis)
    words[row] = diagnosis if diagnosis is not None else words[row]
    return replace(study, table=table, people=people, diagnosis=tuple(words))


def test_who_is_ill_already_or_beyond_reach_is_not_told_a_risk(model, known):
    cases = {
        "Dementia at the scan": {"diagnosis": "AD"},
        "age 99 lies outside": {"age": 99.0},
        "The age is unknown": {"age": np.nan},
        "lies on values that are missing": dict.fromkeys(
            [f"region{number}" for number in range(12)] + ["MMSE"], np.nan
        ),
    }
    for said, change in cases.items():
        study = _changed(known.study, **change)
        found = outlooks(model, study)[0]
        assert said in found.abstains
        assert not found.risk


def test_an_unknown_scanner_or_diagnosis_is_said_beside_the_risk(model, known):
    study = replace(known.study, scanner=("other", *known.study.scanner[1:]))
    assert "scanner" in outlooks(model, study)[0].notes[0]
    assert "No diagnosis" in outlooks(model, _changed(known.study, diagnosis=""))[0].notes[0]


def test_scans_of_another_tracer_are_refused(model, known):
    other = replace(known.study, measured=replace(known.study.measured, contrast="FDG"))
    with pytest.raises(RecipeMismatchError, match="'ECD', these scans have 'FDG'"):
        outlooks(model, other)


def test_too_few_dementias_are_refused(drawn):
    few = drawn(60, strength=0.1)
    with pytest.raises(ModelError, match="became demented; 20 are needed"):
        fit(few.study, few.followup, "risk", settings=SETTINGS)


def test_fewer_people_than_predictors_are_refused(known):
    rows = np.arange(60)
    study = known.study.taken(rows)
    wide = replace(
        study,
        table=study.table.assign(**{f"r{n}": study.table["region0"] for n in range(60)}),
        predictors=(
            *study.predictors,
            *(replace(study.predictors[3], key=f"r{n}") for n in range(60)),
        ),
    )
    visits = known.followup.visits
    ill = visits.assign(diagnosis=np.where(visits["years"] > 1.5, "AD", visits["diagnosis"]))
    ill.loc[ill["status"] != "seen", "diagnosis"] = ""
    with pytest.raises(ModelError, match="people for 76 predictors"):
        fit(wide, Followup(ill), "risk", settings=replace(SETTINGS, horizons=(1.0,)))


def test_staging_scores_never_predict(model, known):
    assert "CDRSB" not in [each.key for each in model.predictors]
    with pytest.raises(ModelError, match="never predict"):
        fit(known.study, known.followup, "x", settings=replace(SETTINGS, arm=Arm.LEAKY))


def test_the_stage_is_told_only_when_asked_for(known):
    model = fit(known.study, known.followup, "x", settings=replace(SETTINGS, with_stage=True))
    told = outlooks(model, known.study)
    by = {word: np.mean([e.risk[0] for e, w in zip(told, known.study.diagnosis, strict=True)
                         if w == word and e.risk]) for word in ("CN", "MCI")}  # fmt: skip
    assert by["MCI"] > by["CN"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"features": "x"}, "neither z nor ratio"),
        ({"starts": ("AD",)}, "only CN and MCI"),
        ({"horizons": (-1.0,)}, "years above 0"),
        ({"reverted": "keep"}, "not known"),
        ({"folds": 1}, "Two folds"),
        ({"penalties": (0.0,)}, "above 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(change, said):
    with pytest.raises(RecipeError, match=said):
        RiskSettings(**change)


@pytest.mark.parametrize("bands", [(0.5, 0.2), (2.0,), (0.1, 0.1), ()])
def test_bands_that_do_not_ascend_are_refused_before_anything_is_learned(bands):
    with pytest.raises(ModelError, match="not ascending risks"):
        RiskSettings(bands=bands)


def test_risks_that_fall_with_time_are_no_outlook():
    with pytest.raises(ModelError, match="rise with time"):
        Outlook(
            "m", "p", "1", (1.0, 2.0), (0.2, 0.1), (0, 0), (1, 1), (0.0, 0.0), (0, 0), (1, 1), "low"
        )
