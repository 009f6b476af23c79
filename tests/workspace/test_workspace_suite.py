"""The evaluation suite on ellipsoid people and a linear map that was really fitted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from suite_cases import NAMES, dataset_of, fitted, person, trial_of

from tracerless.core.errors import ContrastError, ModelError, QuantityError, RecipeError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.volume import Contrast, with_array
from tracerless.evaluate.inputs import ALONE, REFUSED
from tracerless.io import assessments
from tracerless.workspace import suite
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.suite_ablation import ablation
from tracerless.workspace.suite_checks import geometry, identity_model, memorisation
from tracerless.workspace.suite_inputs import inputs
from tracerless.workspace.suite_regions import regions
from tracerless.workspace.trial import AGE_SEX, MEAN, MODEL, Trial

N = 22


@pytest.fixture(scope="module")
def checkpoint():
    return fitted()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return Dataset.create_or_open(tmp_path_factory.mktemp("suite") / "test")


@pytest.fixture(scope="module")
def trial(dataset, checkpoint) -> Trial:
    return trial_of(dataset, checkpoint, N, "test")


@pytest.fixture(scope="module")
def assessed(trial):
    """(the evaluation as it was first made, what was told meanwhile)."""
    told: list[str] = []
    sections = ["regions", "geometry"]
    made = suite.assess(trial, sections=sections, advance=lambda _d, _n, what: told.append(what))
    return made, told


@pytest.fixture(scope="module")
def found(assessed):
    return assessed[0].tables, assessed[0].notes


class Oracle:
    """Says exactly what was acquired: the best that anybody can do."""

    def __init__(self, inner) -> None:
        self._inner, self.name = inner, "oracle:1"

    def predict(self, prepared, inputs=None, person=None, n_samples=0) -> Prediction:
        made = self._inner.predict(prepared, inputs, person, n_samples)
        truth = with_array(made.volume, prepared.volumes[Contrast.FDG].array)
        return replace(made, volume=truth)


class Refuser:
    """Speaks only of people whose number is even."""

    def __init__(self, inner) -> None:
        self._inner, self.name = inner, "refuser:1"

    def predict(self, prepared, inputs=None, person=None, n_samples=0) -> Prediction:
        if int(str(prepared.key.person)[-3:]) % 2:
            raise ModelError("These scans tell no more than the mean.")
        return self._inner.predict(prepared, inputs, person, n_samples)


def row(table: pd.DataFrame, **where) -> pd.Series:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1, where
    return table.iloc[0]


def test_a_linear_map_beats_the_mean_and_every_table_says_by_how_much(found) -> None:
    tables, _ = found
    skill = row(tables["skill"], model="ridge", against="mean", group="all")
    assert skill["low"] > 0.2
    assert skill["n"] == N
    slope = row(tables["agreement"], model="ridge", region="all", reference="pons")
    assert 0.3 < slope["slope"] < 1.2
    assert slope["mae"] < slope["mae_mean"]
    coverage = tables["coverage"]
    assert set(coverage["group"]) == {"all", "CN", "AD"}
    assert set(coverage["region"]) == {"all", *NAMES}
    assert {"mae", "psnr", "ssim"} <= set(tables["voxels"]["metric"])


def test_two_references_are_compared_and_the_mean_has_no_slope_in_either(found) -> None:
    agreement = found[0]["agreement"]
    mean = agreement[(agreement["model"] == "mean") & (agreement["region"] == "all")]
    assert set(mean["reference"]) == {"pons", "whole_brain"}
    assert (mean["slope"].abs() < 0.05).all()


def test_the_sick_lose_flags_and_normal_people_keep_theirs_rare(found) -> None:
    flags = found[0]["z_flags"]
    assert set(flags["norm"]) == {"acquired", "own"}
    flagged = row(flags, norm="acquired", group="CN", metric="flagged_acquired")
    assert flagged["value"] < 0.15
    assert row(flags, norm="acquired", group="AD", metric="flagged_acquired")["value"] > 0.1


def test_the_right_answer_gets_the_best_numbers(trial) -> None:
    best = replace(trial, name="oracle", synthesizer=Oracle(trial.synthesizer))
    tables, _ = regions(best)
    assert row(tables["skill"], model="oracle", against="mean", group="all")["value"] == 1
    agreement = row(tables["agreement"], model="oracle", region="all", reference="pons")
    assert agreement[["icc", "ccc", "slope", "sd_ratio"]].tolist() == pytest.approx([1] * 4)
    for group in ("patients", "AD"):
        assert row(tables["z_flags"], norm="own", group=group, metric="dice")["value"] == 1
    assert row(tables["voxels"], model="oracle", group="all", metric="mae")["value"] == 0


def test_the_mean_in_the_place_of_the_model_earns_nothing(trial) -> None:
    nothing = replace(trial, name="blank", synthesizer=trial.rivals[MEAN])
    tables, notes = regions(nothing)
    assert row(tables["skill"], model="blank", against="mean", group="all")["value"] == 0
    assert abs(row(tables["agreement"], model="blank", region="all", reference="pons")["icc"]) < 0.1
    assert "coverage" not in tables
    assert any("no intervals" in note for note in notes)


def test_an_acquired_pet_over_another_reference_is_no_truth(trial) -> None:
    prepared = trial.prepared(trial.subjects[0])
    fdg = prepared.volumes[Contrast.FDG]
    other = replace(prepared, volumes={**prepared.volumes,
                                       Contrast.FDG: with_array(fdg, 1.3 * fdg.array)})  # fmt: skip
    assert trial.truth(prepared) is fdg
    with pytest.raises(QuantityError, match=r"mean 1\.30 in pons"):
        trial.truth(other)


def test_when_nothing_can_be_made_the_reason_is_raised(trial) -> None:
    with pytest.raises(ModelError, match="no prepared session"):
        suite.assess(trial, sections=["covariates"])


def test_refused_sessions_are_told_and_count_nowhere(trial) -> None:
    shy = replace(trial, name="shy", synthesizer=Refuser(trial.synthesizer))
    tables, notes = regions(shy)
    assert any(note.startswith(f"{N // 2} of {N} sessions were refused") for note in notes)
    assert row(tables["agreement"], model="shy", region="all", reference="pons")["n"] == N // 2
    assert row(tables["coverage"], model="shy", region="all", group="all")["n"] == N // 2
    assert row(tables["skill"], model="shy", against="mean", group="all")["n"] == N // 2
    assert "AD" not in set(tables["coverage"]["group"])
    sick = row(tables["z_flags"], norm="own", group="AD", metric="flagged")
    assert np.isnan(sick["value"])


def test_a_hidden_flow_costs_and_structure_alone_knows_nothing(trial) -> None:
    tables, notes = inputs(trial.limited(16))
    table = tables["inputs"].set_index("inputs")
    assert table.loc["T1w+T2w+cbf", "less_than_all"] == 0
    for blind in ("T1w", "T2w", "T1w+T2w"):
        refused = table.loc[blind, "how"] == "refused"
        assert refused or table.loc[blind, "less_than_all"] > 0.1
    assert len(table) == 7
    assert isinstance(notes, list)


@pytest.mark.slow
def test_a_map_trained_without_flow_is_worth_less_than_one_with_it(trial, tmp_path) -> None:
    taught = dataset_of(tmp_path / "train", 12, "train")
    tables, _ = ablation(replace(trial.limited(12), training=taught))
    table = tables["inputs"].set_index("inputs")
    assert table.loc["cbf", "how"] in {ALONE, REFUSED}
    assert table.loc["T1w+T2w+cbf", "skill"] > 0.2
    assert not table.loc["T1w+T2w", "skill"] > table.loc["T1w+T2w+cbf", "skill"] - 0.1
    with pytest.raises(ModelError, match="no prepared session"):
        ablation(trial)


def test_grid_and_unit_come_back_and_an_identity_model_loses_nothing(trial) -> None:
    tables, _ = geometry(trial)
    assert tables["findings"]["verdict"].tolist() == ["pass", "pass"]
    assert tables["parity"]["verdict"].tolist() == ["pass"]
    truth = person(3, "test").volumes[Contrast.FDG]
    back = identity_model(trial, truth)
    assert back.grid == truth.grid
    inside = np.isfinite(back.array)
    np.testing.assert_allclose(back.array[inside], np.maximum(truth.array, 0)[inside], atol=1e-5)


def test_memory_needs_training_people_and_a_linear_map_shows_none(trial, dataset) -> None:
    tables, notes = memorisation(trial)
    assert not tables
    assert "not at hand" in notes[0]
    tables, _ = memorisation(replace(trial, training=dataset))
    assert all(v.startswith("no sign") for v in tables["memorisation"]["verdict"])
    assert tables["findings"]["verdict"].tolist() == ["pass"]


def test_somebody_who_was_trained_on_under_another_name_is_found(trial, dataset) -> None:
    """No digest knows them, their PET does."""
    subjects = tuple(
        replace(each, key=SessionKey(Pseudonym(f"train{n:03d}"), "01"))
        for n, each in enumerate(trial.subjects[:8])
    )
    tables, _ = memorisation(replace(trial, subjects=subjects, training=dataset))
    row = tables["findings"].iloc[0]
    assert row["verdict"] == "found"
    assert row["what"].startswith("The acquired PET of 8 of 8 people is also that")


def test_a_suite_is_written_read_back_and_not_run_again(trial, assessed) -> None:
    made, told = assessed
    assert len(told) == N + 6
    assert made.facts["headline"].startswith("Skill against the training mean +")
    assert "slope" in made.facts["headline"]
    assert "in the worst group" in made.facts["headline"]
    again: list[str] = []
    second = suite.assess(
        trial, sections=["regions"], advance=lambda _d, _n, what: again.append(what)
    )
    assert not again
    assert second.facts["sections"] == ["regions", "geometry"]
    read = assessments.read(trial.folder)
    for name, table in second.tables.items():
        pd.testing.assert_frame_equal(read.tables[name], table, check_dtype=False)


def test_a_section_that_cannot_be_made_leaves_the_others(trial, monkeypatch) -> None:
    def broken(_trial, *, progress=None):
        raise ContrastError("Nobody has a T2w.", hint="Add one.")

    monkeypatch.setattr("tracerless.workspace.suite_inputs.inputs", broken)
    made = suite.assess(trial, sections=["inputs", "geometry"])
    assert "Section inputs could not be made. Nobody has a T2w. Add one." in made.notes
    assert "inputs" not in made.facts["sections"]
    assert "geometry" in made.facts["sections"]


def test_the_worst_people_are_pictured_beside_the_tables(trial, found) -> None:
    worst = found[0]["failures"]
    pictures = sorted(path.stem for path in (trial.folder / "failures").glob("*.png"))
    assert pictures == sorted(worst["person"] + "_" + worst["visit"])


def test_another_person_or_model_makes_a_section_anew(trial) -> None:
    fewer = trial.limited(10)
    assert fewer.digest != trial.digest
    other = replace(trial, synthesizer=Oracle(trial.synthesizer))
    assert other.digest != trial.digest
    assert replace(trial).digest == trial.digest


def test_everyone_of_a_cross_fitted_set_has_makers_of_their_own(trial) -> None:
    odd = {MODEL: Oracle(trial.synthesizer), MEAN: trial.rivals[MEAN]}
    even = {MODEL: trial.synthesizer, MEAN: trial.rivals[MEAN]}
    made = replace(trial, own=lambda who: odd if int(str(who)[-3:]) % 2 else even)
    names = [made.predict(each).model for each in made.subjects[:2]]
    assert [made.maker(each).name for each in made.subjects[:2]] == [
        trial.synthesizer.name,
        "oracle:1",
    ]
    assert names[0] == trial.synthesizer.name
    assert made.digest != trial.digest
    first, second = (made.regions(made.predict(each).volume) for each in made.subjects[:2])
    truth = made.regions(made.prepared(made.subjects[1]).volumes[Contrast.FDG])
    np.testing.assert_array_equal(second, truth)
    assert not np.array_equal(first, second)


def test_a_limit_takes_every_diagnosis_in_turn(trial) -> None:
    chosen = [each.diagnosis for each in trial.limited(6).subjects]
    assert sorted(chosen) == ["AD"] * 3 + ["CN"] * 3


def test_every_section_of_the_registry_is_there() -> None:
    for name in suite.SECTIONS:
        assert callable(suite._function(name)), name


def test_an_unknown_section_and_an_unknown_predictor_are_refused(trial, dataset) -> None:
    with pytest.raises(RecipeError, match="No section 'region'"):
        suite.run(dataset, None, sections=["region"])
    with pytest.raises(ModelError, match="predicts here"):
        trial.predict(trial.subjects[0], by="linear")
    assert trial.by == (MODEL, MEAN, AGE_SEX)
    with pytest.raises(ModelError, match="nobody to evaluate"):
        replace(trial, subjects=())


def test_ratios_to_another_reference_are_divisions(trial) -> None:
    volume = trial.prepared(trial.subjects[0]).volumes[Contrast.FDG]
    own, other = trial.regions(volume), trial.regions(volume, reference="whole_brain")
    level = volume.array[trial.atlas.reference("whole_brain")].astype(np.float64).mean()
    np.testing.assert_allclose(other, own / level, rtol=1e-6)
    assert len(own) == len(NAMES)


def test_the_folder_is_named_after_the_model(trial) -> None:
    assert trial.folder == Path(trial.dataset.derivatives, "evaluation", "synthesis-ridge")
