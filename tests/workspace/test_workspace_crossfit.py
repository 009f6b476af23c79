"""Everyone is predicted by a model that never saw them, whatever stopped the run in between."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from click.testing import CliRunner
from crossfit_people import written

from tracerless.cli.readers import command as readers
from tracerless.cli.synthesize_crossfit import crossfit
from tracerless.core.errors import ModelError, RecipeError
from tracerless.core.people import person_digest
from tracerless.core.volume import Contrast, with_array
from tracerless.io import assessments
from tracerless.workspace import cross_fit as crossing
from tracerless.workspace.cross_fit import cross_fit, cross_fits, open_cross_fit
from tracerless.workspace.cross_fit_folds import OTHERS, labels_of
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.trial_open import trial

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return written(tmp_path_factory.mktemp("crossfit") / "set")


@pytest.fixture(scope="module")
def made(dataset):
    return cross_fit(dataset, design="ridge", n_folds=3)


def people(dataset):
    return sorted({key.person for key in dataset.sessions()})


@slow
def test_nobody_is_predicted_by_a_model_that_saw_them(dataset, made):
    folds = [made.fold_of(person) for person in people(dataset)]
    assert sorted(set(folds)) == [0, 1, 2]
    for person in people(dataset):
        assert person_digest(person) not in made.checkpoint_of(person).people
    seen = [len(made.checkpoint(fold).people) for fold in range(3)]
    assert seen == [16, 16, 16]


@slow
def test_a_network_has_a_linear_rival_that_never_saw_the_person_either(dataset, made):
    few = {"steps": 2, "batch": 2, "voxel_mm": made.checkpoint(0).recipe.voxel_mm}
    crossed = cross_fit(dataset, design="ced", n_folds=2, changes=few)
    for person in people(dataset):
        rival = crossed.linear_of(person)
        assert rival.recipe.network == "ridge"
        assert rival.people == crossed.checkpoint_of(person).people
        assert person_digest(person) not in rival.people
    assert "linear" in trial(dataset, None, crossfit=crossed).by
    assert made.linear_of(people(dataset)[0]) is None


@slow
def test_each_fold_holds_as_many_of_each_diagnosis(dataset, made):
    table = pd.read_csv(dataset.root / "participants.tsv", sep="\t").set_index("participant_id")
    for fold in range(3):
        own = [p for p in people(dataset) if made.fold_of(p) == fold]
        assert table.loc[[f"sub-{p}" for p in own], "diagnosis"].value_counts().to_dict() == {
            "CN": 4,
            "AD": 4,
        }


@slow
def test_a_finished_set_is_not_trained_again(dataset, made, monkeypatch):
    monkeypatch.setattr(crossing, "gather_pairs", None)
    again = cross_fit(dataset, design="ridge", n_folds=3)
    assert again == made
    assert cross_fits(dataset) == ("ridge",)
    assert open_cross_fit(dataset, "ridge-crossfit") == made


@slow
def test_a_stopped_run_ends_in_the_same_bytes(dataset, made, tmp_path):
    whole = [(made.folder / f"fold-{k}" / "checkpoint.safetensors").read_bytes() for k in range(3)]
    (made.folder / "fold-1" / "checkpoint.safetensors").unlink()
    (made.folder / "fold-1" / "trained.json").unlink()
    record = made.folder / "crossfit.json"
    facts = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps({**facts, "is_finished": False}), encoding="utf-8")
    with pytest.raises(ModelError, match="No finished"):
        open_cross_fit(dataset, "ridge")
    cross_fit(dataset, design="ridge", n_folds=3)
    again = [(made.folder / f"fold-{k}" / "checkpoint.safetensors").read_bytes() for k in range(3)]
    assert again == whole


@slow
def test_a_model_that_saw_somebody_is_not_asked_about_them(dataset, made):
    person = people(dataset)[0]
    other = (made.fold_of(person) + 1) % 3
    mixed = replace(made, folds={**made.folds, person_digest(person): other})
    with pytest.raises(ModelError, match="was to be kept from"):
        mixed.checkpoint_of(person)


@slow
def test_the_command_says_what_may_be_claimed(dataset, made):
    asked = [str(dataset.root), "--design", "ridge", "--folds", "3", "--json"]
    done = CliRunner().invoke(crossfit, asked, catch_exceptions=False)
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert {row["verdict"] for row in said["claims"]} <= {
        "not worse than acquired", "better than MR only", "neither",
    }  # fmt: skip
    kept = assessments.read(dataset.derivatives / "evaluation" / "synthesis-ridge-crossfit-claims")
    assert list(kept.tables["claims"]["sentence_zh"]) == [c["sentence_zh"] for c in said["claims"]]
    assert kept.facts["classes"] == {"AD": 12, "CN": 12}
    assert any("CN/MCI/AD is not judged" in note for note in said["notes"])
    table = pd.read_csv(dataset.derivatives / "visits-ridge-crossfit" / "predictions.tsv", sep="\t")
    assert table["participant_id"].nunique() == 24
    assert table.groupby("participant_id")["model"].nunique().max() == 1
    errors = (table["synthetic"] - table["acquired"]).abs()
    spread = (table["acquired"] - table.groupby("region")["acquired"].transform("mean")).abs()
    assert errors.mean() < spread.mean()


@slow
def test_a_session_that_cannot_teach_is_left_out_and_nobody_is_named(tmp_path):
    dataset = written(tmp_path / "set", n=12)
    key = dataset.sessions()[3]
    shelf = SessionShelf(dataset, key)
    spoiled = shelf.latest("prepared")
    fdg = spoiled.volumes[Contrast.FDG]
    wrong = with_array(fdg, 7 * fdg.array)
    volumes = {**spoiled.volumes, Contrast.FDG: wrong}
    shelf.save("prepared", replace(spoiled, volumes=volumes), "spoiled")
    made = cross_fit(dataset, design="mean", n_folds=2)
    assert len(made.left_out) == 1
    assert str(key.person) not in (made.folder / "crossfit.json").read_text("utf-8")
    assert made.fold_of(key.person) is None


@slow
def test_a_reader_kit_comes_of_a_cross_fitted_set(dataset, made, tmp_path):
    asked = [
        "kit", str(dataset.root), "--crossfit", "ridge", "--to", str(tmp_path / "kit"), "--key",
        str(tmp_path / "key"), "--people", "4", "--volumes", "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(readers, asked, catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["cases"] == 12
    pictures = sorted((tmp_path / "kit" / "cases").iterdir())
    assert len(pictures) == 12
    key = pd.read_csv(tmp_path / "key" / "key.csv")
    assert set(key["kind"]) == {"mr", "mr+synthetic", "mr+acquired"}
    names = {path.name for path in (tmp_path / "kit" / "volumes").iterdir()}
    assert sum(name.endswith("_pet.nii.gz") for name in names) == 8
    form = pd.read_csv(tmp_path / "kit" / "form_reader-1.csv", dtype=str)
    truth = key.set_index("case")["truth"]
    form["diagnosis"], form["certainty"] = form["case"].map(truth), "5"
    form.to_csv(tmp_path / "form_reader-1.csv", index=False)
    back = CliRunner().invoke(
        readers,
        ["analyze", str(tmp_path / "form_reader-1.csv"), "--key", str(tmp_path / "key")],
        catch_exceptions=False,
    )
    assert back.exit_code == 0
    assert "accuracy" in back.output


@slow
def test_nothing_to_learn_from_is_told(tmp_path):
    with pytest.raises(ModelError, match="holds no prepared session"):
        cross_fit(Dataset.create_or_open(tmp_path / "empty"), design="ridge")


def test_diagnoses_of_few_people_are_dealt_together():
    assert labels_of(["CN"] * 5 + ["AD"] * 5, 5) == [1] * 5 + [0] * 5
    few = labels_of(["CN"] * 9 + ["FTD", "DLB", "VaD", "MCI", OTHERS], 5)
    assert few[:9] == [0] * 9
    assert few[9:] == [1] * 5
    assert set(labels_of(["CN"] * 9 + ["FTD"], 5)) == {0}


def test_an_unknown_design_and_an_unknown_set_are_refused(tmp_path):
    empty = Dataset.create_or_open(tmp_path / "empty")
    with pytest.raises(RecipeError, match="No design"):
        cross_fit(empty, design="unett")
    with pytest.raises(RecipeError, match="no name for a model"):
        cross_fit(empty, design="ridge", name="../elsewhere")
    with pytest.raises(ModelError, match="No finished cross-fitted set"):
        open_cross_fit(empty, "ridge")
