"""Risk on a dataset: follow-up comes in, a model is kept and used, and the command line says so."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tracerless import foresee
from tracerless.cli.risk import command
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.risk import RiskKind
from tracerless.core.study import Arm, Followup, Kind
from tracerless.diagnose.audit import CHECKS
from tracerless.foresee import RiskSettings
from tracerless.io import assessments
from tracerless.workspace import followup, risks
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.simulate_tables import write_tables
from tracerless.workspace.tables import read_cohort

SETTINGS = RiskSettings(
    repeats=1, folds=3, penalties=(30.0, 300.0), n_draws=60, n_bootstrap=5,
    kinds=(RiskKind.INCIDENCE, RiskKind.COX),
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("risk") / "dataset"
    write_tables(root, n=450, seed="risk-dataset")
    return Dataset.open(root)


@pytest.fixture(scope="module")
def model(dataset):
    return risks.fit(dataset, "ECD", "risk-ECD", settings=SETTINGS)[0]


def _run(*words):
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=True)


def test_follow_up_written_is_follow_up_read(dataset):
    found = followup.read_followup(dataset)
    before = (dataset.root / followup.TABLE).read_bytes()
    followup.write_followup(dataset, found)
    assert (dataset.root / followup.TABLE).read_bytes() == before
    assert not found.visits["participant_id"].str.startswith("sub-").any()


def test_a_dataset_without_follow_up_has_none(tmp_path):
    empty = Dataset.create_or_open(tmp_path / "empty")
    assert followup.read_followup(empty) is None
    with pytest.raises(DatasetError, match=r"follow-up|people's table"):
        risks.fit(empty, "none", "x", settings=SETTINGS)
    assert not (empty.models / "x").exists()


def test_a_model_is_kept_found_and_told_to_people(dataset, model):
    assert risks.find(dataset, None).key == "risk-ECD"
    assert "never among the predictors" in (dataset.models / "risk-ECD" / "README.md").read_text()
    told, path = risks.predict(dataset, model)
    table = pd.read_csv(path, sep="\t", na_values="n/a")
    assert list(table) == list(risks.PREDICTIONS)
    assert len(told) == table[["participant_id", "session_id"]].drop_duplicates().shape[0]
    answered = table[table["abstains"].isna()]
    assert answered["risk"].between(0, 1).all()
    page = risks.shown(next(each for each in told if each.risk))
    assert (page["low"] <= page["value"]).all()
    assert set(page["event"]) == {"dementia", "death"}
    assert risks.shown(next(each for each in told if each.abstains)).empty
    assert (answered["low"] <= answered["risk"]).all()
    ill = read_cohort(dataset).table["diagnosis"].isin(["AD", "DLB", "FTD", "VaD"])
    silent = table[table["abstains"].fillna("").str.startswith("Dementia at the scan")]
    assert set(silent["participant_id"].str.removeprefix("sub-")) == set(ill.index[ill])
    assert (answered.groupby("participant_id")["in_training"].first() == "yes").mean() > 0.5


def test_an_evaluation_is_kept_and_read_back(dataset):
    made, folder = risks.evaluate(dataset, "ECD", "risk-ECD", settings=SETTINGS)
    again = assessments.read(folder)
    assert again.facts["headline"] == made.facts["headline"]
    assert again.number("cognition", "cox", "c_index") == made.number("cognition", "cox", "c_index")
    assert list(again.tables["findings"]["check"]) == list(CHECKS)
    assert "finding" not in set(again.tables["findings"]["verdict"])
    rows = pd.read_csv(folder / "out_of_fold-cognition.tsv", sep="\t")
    assert rows["participant_id"].nunique() == made.facts["n"]
    assert rows.filter(like="risk_").to_numpy().min() >= 0


def test_what_a_scanner_adds_does_not_reach_the_risk(known):
    rng = np.random.default_rng(8)
    scanner = np.where(rng.random(len(known.study)) < 0.5, "other", "ring")
    regions = [each.key for each in known.study.predictors if each.kind is Kind.REGION]
    table = known.study.table.copy()
    table.loc[scanner == "other", regions] += 0.15
    shifted = replace(known.study, table=table, scanner=tuple(scanner.tolist()))
    settings = replace(SETTINGS, features="ratio", arm=Arm.IMAGE)
    plain = foresee.fit(known.study, known.followup, "r", settings=settings)
    told = {}
    for name, tools in (("with", risks.TOOLS), ("without", foresee.Tools())):
        model = foresee.fit(shifted, known.followup, "r", settings=settings, tools=tools)
        told[name] = [each.risk[-1] for each in foresee.outlooks(model, shifted, None, tools)]
    model = [each.risk[-1] for each in foresee.outlooks(plain, known.study)]
    assert np.corrcoef(model, told["with"])[0, 1] > 0.97
    assert np.corrcoef(model, told["without"])[0, 1] < 0.95


def test_no_model_and_an_unknown_model_are_said(dataset, model, tmp_path):
    with pytest.raises(ModelError, match="Did you mean 'risk-ECD'"):
        risks.find(dataset, "risk-ECG")
    with pytest.raises(ModelError, match="holds 0 risk models"):
        risks.find(Dataset.create_or_open(tmp_path / "empty"), None)


def test_the_command_line_fits_and_predicts(dataset):
    kept = _run("fit", dataset.root, "--of", "ECD", "--arm", "cognition", "--name", "cog", "--json",
                "--kind", "incidence")  # fmt: skip
    assert kept.exit_code == 0, kept.output
    said = json.loads(kept.stdout)
    assert said["kind"] == "incidence"
    told = _run("predict", dataset.root, "--model", "cog", "--json")
    assert json.loads(told.stdout)["told"] > 100


TABLE = "participant_id,years,diagnosis,status\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("participant_id,years,status\na,1,seen\n", "no column 'diagnosis'"),
        (TABLE + "{person},1,Alzheimer,seen\n", "'Alzheimer' of a follow-up visit is not known"),
        (TABLE + "{person},1,AD,alive\n", "status='alive'"),
        (TABLE + "{person},-1,AD,seen\n", "numbers from 0 on"),
        (TABLE + "{person},soon,AD,seen\n", "numbers from 0 on"),
        (TABLE + "nobody,1,AD,seen\n", "1 of 1 people in the follow-up table are not in"),
        (TABLE + ",1,AD,seen\n", "names nobody"),
        (TABLE + "{person},2,,dead\n{person},3,CN,seen\n", "after the year of death"),
        ("participant_id,years,diagnosis,status,visit_date\n{person},1,AD,seen,x\n", "dates"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(dataset, tmp_path, text, said):
    before = (dataset.root / followup.TABLE).read_bytes()
    person = read_cohort(dataset).table.index[0]
    path = tmp_path / "table.csv"
    path.write_text(text.format(person=person))
    with pytest.raises(DatasetError) as told:
        followup.import_followup(dataset, path)
    assert said in str(told.value)
    assert str(person) not in str(told.value)
    assert (dataset.root / followup.TABLE).read_bytes() == before


def test_a_table_comes_in_from_a_spreadsheet_too(dataset, tmp_path):
    known = followup.read_followup(dataset)
    try:
        rows = known.visits.head(30).assign(visit="x")
        rows.to_excel(tmp_path / "table.xlsx", index=False)
        kept, told = followup.import_followup(dataset, tmp_path / "table.xlsx")
        pd.testing.assert_frame_equal(kept.visits, Followup(rows).visits)
        assert "30 rows" in told[0]
        done = _run("import", tmp_path / "table.xlsx", dataset.root, "--json")
        assert json.loads(done.stdout)["rows"] == 30
    finally:
        followup.write_followup(dataset, known)


def test_a_file_that_is_no_table_is_refused(dataset, tmp_path):
    for name in ("missing.csv", "broken.xlsx", "broken.csv"):
        if name.startswith("broken"):
            (tmp_path / name).write_bytes(b"\xff\xfe\x00\x81")
        with pytest.raises(DatasetError, match="table"):
            followup.import_followup(dataset, tmp_path / name)
