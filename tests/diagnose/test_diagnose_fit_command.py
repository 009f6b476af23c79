"""`tracerless diagnose fit` and `predict` on a simulated dataset."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from tracerless.cli.diagnose_fit import fit, predict
from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.simulate.tables import TableOptions
from tracerless.workspace import diagnosis
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.simulate_tables import write_tables

OPTIONS = TableOptions(diagnoses=("CN", "AD"), scanners=2)


def asked(command, *words):
    return CliRunner().invoke(command, list(map(str, words)), catch_exceptions=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("learn") / "dataset"
    write_tables(root, n=100, seed="learn-command", options=OPTIONS)
    told = asked(fit, root, "--of", "ECD", "--name", "first", "--json")
    assert told.exit_code == 0
    (root / "told.json").write_text(told.stdout)
    return root


def test_fit_says_what_it_learned_and_keeps_model_and_card(root):
    told = json.loads((root / "told.json").read_text())
    assert told["counts"] == {"CN": 50, "AD": 50}
    assert set(told["models"]) == {"prevalence", "elastic_net", "mlp"}
    kept = diagnosis.find(Dataset.open(root), None)
    assert diagnosis.locked_hash(kept) == told["hash"]
    assert told["hash"] in (root / "models" / "first" / "README.md").read_text()
    assert not {"CDR", "CDRSB"} & {each.key for each in kept.predictors}


def test_predict_writes_one_row_a_scan_and_says_whom_it_knows(root):
    told = asked(predict, root)
    assert "100 of these scans are of people it learned from: no evidence." in told.output
    path = root / "derivatives" / "tracerless" / "diagnosis-first_predictions.tsv"
    table = pd.read_csv(path, sep="\t", na_values="n/a")
    assert len(table) == 100
    assert set(table["in_training"]) == {"yes"}
    answered = table[table["abstains"].isna()]
    assert (answered["p_CN"] + answered["p_AD"]).to_numpy() == pytest.approx(1)
    assert set(json.loads(path.with_suffix(".json").read_text())) == set(table.columns)


def test_another_dataset_is_answered_and_another_recipe_is_not(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write_tables(elsewhere, n=30, seed="learn-elsewhere", options=OPTIONS)
    told = json.loads(
        asked(predict, elsewhere, "--model", root / "models" / "first", "--json").stdout
    )
    assert told["n"] == 30
    assert told["n_in_training"] == 0
    path = elsewhere / "derivatives" / "tracerless" / "cohort_roi.tsv"
    table = pd.read_csv(path, sep="\t", na_values=[], keep_default_na=False)
    table.assign(fingerprint="ffffffffffff").to_csv(path, sep="\t", index=False)
    with pytest.raises(RecipeMismatchError, match="fingerprint"):
        asked(predict, elsewhere, "--model", root / "models" / "first")


def test_refusals_leave_nothing_behind(root):
    with pytest.raises(ModelError, match="Class VaD has 0 people"):
        asked(fit, root, "--of", "ECD", "--name", "second", "--class", "CN", "--class", "VaD")
    with pytest.raises(ModelError, match="cannot name a model"):
        asked(fit, root, "--of", "ECD", "--name", "../second")
    assert [path.name for path in (root / "models").iterdir()] == ["first"]
    with pytest.raises(ModelError, match="Did you mean 'first'"):
        asked(predict, root, "--model", "frist")
