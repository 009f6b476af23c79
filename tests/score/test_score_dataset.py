"""Norms of a dataset: from its tables to its tables, by the commands."""

import json
import sys

import norm_people as made
import numpy as np
import pandas as pd
import pytest

from tracerless import cli
from tracerless.core.people import Pseudonym, person_digest
from tracerless.io import norms as files
from tracerless.workspace import norms
from tracerless.workspace.dataset import Dataset

N_NORMAL, N_PATIENTS = 40, 6
AGE_SEX = norms.Choices(covariates=("age", "sex"))


def write_tables(dataset, n_normal=N_NORMAL, fingerprint="0123456789ab", contrast="FDG"):
    """Region and people's tables as `quantify` and `deidentify` leave them; patients come last."""
    who = made.people(n_normal + N_PATIENTS, "dataset")
    table = made.values(who, "dataset")
    table.iloc[n_normal:, :4] -= 7 * made.SD
    names = [f"P{n:07d}" for n in range(len(who))]
    head = pd.DataFrame(
        {
            "participant_id": [f"sub-{name}" for name in names],
            "session_id": "ses-1", "contrast": contrast, "quantity": "SUVR", "atlas": "fdg36",
            "reference": "pons", "pvc": "none", "absolute_unit": "n/a", "absolute_factor": "n/a",
        }
    )  # fmt: skip
    tail = pd.DataFrame(
        {"AI_x": 3 * np.random.default_rng(4).standard_normal(len(who)),
         "ref_pons": 1.0, "ref_cerebellum": 1.1 + 0.02 * table["region_9"],
         "qc": "pass", "flags": "n/a", "fingerprint": fingerprint}
    )  # fmt: skip
    tail.loc[0, "qc"] = "fail"
    dataset.derivatives.mkdir(parents=True, exist_ok=True)
    whole = pd.concat([head, table, tail], axis=1)
    whole.to_csv(dataset.derivatives / "cohort_roi.tsv", sep="\t", index=False)
    diagnosis = ["CN"] * n_normal + ["AD"] * N_PATIENTS
    mmse = np.clip(
        28 - 0.05 * (who["age"] - 65) + np.random.default_rng(0).normal(0, 1, len(who)), 0, 30
    )
    people = pd.DataFrame({"participant_id": head["participant_id"]}).join(who)
    people = people.assign(diagnosis=diagnosis, MMSE=mmse.round(), CDRSB=0.5)
    people.to_csv(dataset.root / "participants.tsv", sep="\t", index=False)
    return names


@pytest.fixture
def dataset(tmp_path):
    made_here = Dataset.create_or_open(tmp_path / "dataset")
    (made_here.root / "SIMULATED.txt").write_text("simulated", encoding="utf-8")
    return made_here


@pytest.fixture
def run(capsys, monkeypatch):
    """A command in this process, as the command line runs it: (code, stdout, stderr)."""

    def one(*words):
        monkeypatch.setattr(sys, "argv", ["tracerless", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return one


def test_patients_stand_out_in_the_regions_where_they_are_low(dataset, run):
    write_tables(dataset)
    code, out, err = run("norms", "fit", dataset.root, "--confirmed-years", 2)
    assert code == 0, err
    assert "1 scans failed quality control." in out
    code, out, err = run("norms", "apply", dataset.root, "--json")
    assert code == 0, err
    result = json.loads(out)
    by_name = {each["session"]: each for each in result["sessions"]}
    patients = [by_name[f"sub-P{n:07d}_ses-1"] for n in range(N_NORMAL, N_NORMAL + N_PATIENTS)]
    reached = [each for each in patients if not each["reason"]]
    assert reached
    for each in reached:
        assert {"region_0", "region_1", "region_2", "region_3"} <= set(each["below_family"])
    table = pd.read_csv(result["table"], sep="\t", na_values="n/a", keep_default_na=False)
    told = json.loads((dataset.derivatives / "norm-FDG_zscores.json").read_text("utf-8"))
    assert set(told) == set(table.columns)
    assert (table.groupby("participant_id")["in_norm"].first() == "yes").sum() == N_NORMAL - 1
    _, shown, _ = run("norms", "show", dataset.root)
    assert "Made from simulated people" in shown
    assert "Normal for 2 more years" in shown


def test_a_norm_read_back_is_the_norm_to_the_bit(dataset):
    write_tables(dataset)
    norm, _ = norms.fit(dataset, "FDG", "n", AGE_SEX)
    path = dataset.models / "n" / norms.FILE
    before = path.read_bytes()
    files.write(path, files.read(path))
    assert path.read_bytes() == before
    model, again = norm.models["pons"], files.read(path).models["pons"]
    np.testing.assert_array_equal(model.coefficients, again.coefficients)
    norms.fit(dataset, "FDG", "n", AGE_SEX)
    assert path.read_bytes() == before


def test_a_norm_remembers_its_people_by_digest_only(dataset):
    names = write_tables(dataset)
    norm, _ = norms.fit(dataset, "FDG", "n", norms.Choices(covariates=("age",)))
    text = (dataset.models / "n" / norms.FILE).read_text("utf-8")
    assert person_digest(Pseudonym(names[1])) in norm.people
    assert person_digest(Pseudonym(names[0])) not in norm.people  # failed quality control
    assert not any(name in text for name in names)


def test_scores_that_make_the_diagnosis_are_no_norm(dataset):
    write_tables(dataset)
    norm, _ = norms.fit(dataset, "cognition", "c", norms.Choices())
    assert norm.names == ("MMSE",)
    assert set(norm.design.covariates) == {"age", "sex", "education_years"}
    made_of = norms.apply(dataset, norm, dataset.models / "c")
    assert set(made_of.table["measure"]) == {"MMSE"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("fit", "--of", "ECD"), "No scan shows 'ECD'"),
        (("fit", "--from", "nothing"), "No norm 'nothing'"),
        (("apply",), "holds 0 norms"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(dataset, run, words, expected):
    write_tables(dataset)
    code, out, err = run("norms", words[0], dataset.root, *words[1:])
    assert code == 2
    assert expected in err
    assert not out


def test_a_dataset_without_tables_names_the_next_move(dataset, run):
    code, _, err = run("norms", "fit", dataset.root)
    assert code == 2
    assert "tracerless quantify" in err


def test_tables_of_two_recipes_are_not_pooled(dataset, run):
    write_tables(dataset)
    path = dataset.derivatives / "cohort_roi.tsv"
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    table.loc[3, "fingerprint"] = "ffffffffffff"
    table.to_csv(path, sep="\t", index=False)
    code, _, err = run("norms", "fit", dataset.root)
    assert code == 2
    assert "2 values of fingerprint" in err


def test_a_norm_of_another_recipe_is_refused_on_apply(dataset, run):
    write_tables(dataset)
    norm, _ = norms.fit(dataset, "FDG", "n", AGE_SEX)
    write_tables(dataset, fingerprint="ffffffffffff")
    code, _, err = run("norms", "apply", dataset.root, "--norm", norm.key)
    assert code == 2
    assert "fingerprint" in err


def test_a_damaged_norm_is_said_to_be(dataset, run):
    write_tables(dataset)
    norms.fit(dataset, "FDG", "n", norms.Choices(covariates=("age",)))
    (dataset.models / "n" / norms.FILE).write_text("{}", encoding="utf-8")
    code, _, err = run("norms", "apply", dataset.root)
    assert code == 2
    assert "is not a norm" in err


def test_a_norm_that_is_carried_over_keeps_its_covariates(dataset, run):
    write_tables(dataset)
    norms.fit(dataset, "FDG", "n", AGE_SEX)
    words = ("norms", "fit", dataset.root, "--from", "n", "--name", "local")
    code, _, err = run(*words, "--covariate", "age")
    assert code == 2
    assert "has the covariates age, sex, not age" in err
    assert not (dataset.models / "local" / norms.FILE).exists()
    code, _, err = run(*words, "--no-covariate")
    assert (code, "not none" in err) == (2, True)
    code, out, err = run(*words, "--json")
    assert code == 0, err
    assert json.loads(out)["covariates"] == ["age", "sex"]
    assert json.loads(out)["n_local"] == N_NORMAL - 1


def test_asymmetry_has_a_norm_of_its_own(dataset):
    write_tables(dataset)
    path = dataset.derivatives / "cohort_roi.tsv"
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    table.loc[len(table) - 1, "AI_x"] = 30.0
    table.to_csv(path, sep="\t", index=False)
    norm, _ = norms.fit(dataset, "FDG", "n", norms.Choices(covariates=()))
    made_of = norms.apply(dataset, norm, dataset.models / "n")
    found = pd.read_csv(made_of.files[1], sep="\t", na_values="n/a")
    one = found[found["measure"] == "AI_x"].set_index("participant_id")["z"]
    assert one.idxmax() == f"sub-P{N_NORMAL + N_PATIENTS - 1:07d}"
    assert one.max() > 5
    assert (one.drop(one.idxmax()).abs() < 4).all()


def test_a_norm_says_how_it_does_on_its_own_people(dataset, run):
    write_tables(dataset)
    norm, _ = norms.fit(dataset, "FDG", "n", AGE_SEX)
    told = norm.calibration
    assert told.n == N_NORMAL - 1
    assert 0.90 <= told.coverage_95 <= 0.99
    assert sum(told.pit) == told.n * len(norm.names)
    _, shown, _ = run("norms", "show", dataset.root)
    assert "(2.3 % is meant)" in shown
    assert "equal counts are meant" in shown


def test_maps_without_volumes_are_refused_and_leave_no_norm_behind(dataset, run):
    write_tables(dataset)
    code, _, err = run("norms", "fit", dataset.root, "--voxels", "--name", "v")
    assert code == 2
    assert "no prepared volume" in err
    assert not (dataset.models / "v").exists()


def test_a_test_of_which_more_is_worse_has_z_turned(dataset):
    write_tables(dataset)
    people = pd.read_csv(dataset.root / "participants.tsv", sep="\t")
    seconds = 40 + 8 * np.random.default_rng(1).standard_normal(len(people))
    seconds[-N_PATIENTS:] += 80
    folder = dataset.root / "phenotype"
    folder.mkdir()
    table = pd.DataFrame(
        {"participant_id": people["participant_id"], "session_id": "ses-1",
         "score_to_scan_days": 3, "TMT_A": seconds.clip(5, 150).round()}
    )  # fmt: skip
    table.to_csv(folder / "tmt.tsv", sep="\t", index=False)
    norm, _ = norms.fit(dataset, "cognition", "c", norms.Choices(covariates=()))
    assert set(norm.names) == {"MMSE", "TMT_A"}
    assert norm.turned == ("TMT_A",)
    scored = norms.apply(dataset, norm, dataset.models / "c").table
    slow = scored[scored["measure"] == "TMT_A"].tail(N_PATIENTS)
    assert (slow["value"] > slow["expected"]).all()
    assert (slow["z"] < -2).all()
    assert (slow["z_low"] < slow["z"]).all()
    assert (slow["percentile"] < 3).all()
