"""Model 1 as a user runs it: from simulated tables to a diagnosis, a risk, a page and an audit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from e2e_commands import tracerless

pytestmark = pytest.mark.slow

PEOPLE = ("--people", "90", "--seed", "holdout-model1", "--scanners", "2")
TWO = ("--diagnosis", "CN", "--diagnosis", "AD")


@pytest.fixture(scope="module")
def tables(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Ninety people as tables, CN and AD in turn."""
    return once("model1", lambda root: tracerless("simulate", root, "--tables-only", *PEOPLE, *TWO))


@pytest.fixture
def dataset(tables: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(tables, tmp_path / "d")
    return tmp_path / "d"


def edited(path: Path, column: str, value: str, rows: int | None = None) -> None:
    """Write a value into a column, of the first rows or of all."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    table.loc[table.index[:rows], column] = value
    table.to_csv(path, sep="\t", index=False)


def kept(dataset: Path) -> list[str]:
    """Files below models/, and whatever a stopped command left half-written."""
    models = [str(p) for p in (dataset / "models").rglob("*") if p.is_file()]
    return sorted(models + [str(p) for p in dataset.rglob(".partial-*")])


def test_a_model_is_fitted_asked_and_audited(dataset: Path) -> None:
    fit = tracerless("diagnose", "fit", dataset, "--of", "ECD", "--name", "m", "--json")
    made = json.loads(fit.stdout)
    assert made["classes"] == ["CN", "AD"]
    assert set(made["models"]) == {"prevalence", "elastic_net", "mlp"}
    told = json.loads(tracerless("diagnose", "predict", dataset, "--json").stdout)
    assert told["n"] == told["n_in_training"] == 90
    for each in told["decisions"]:
        total = sum(each["probability"].values())
        assert bool(each["abstains"]) != (abs(total - 1) < 1e-6)
    found = json.loads(
        tracerless("diagnose", "audit", dataset, "--model", "m", "--json", code=1).stdout
    )
    verdicts = {each["check"]: each["verdict"] for each in found["findings"]}
    assert verdicts.pop("row split") == "finding"
    assert set(verdicts.values()) == {"pass"}


def test_bad_input_is_one_sentence_and_leaves_nothing_behind(dataset: Path) -> None:
    def refused(*words: str) -> str:
        error = tracerless(*words[:2], dataset, *words[2:], code=2).stderr.strip().splitlines()[-1]
        assert len(error) < 300
        assert kept(dataset) == []
        return error

    assert "DLB has 0 people" in refused(
        "diagnose", "fit", "--of", "ECD", "--class", "CN", "--class", "DLB"
    )
    edited(dataset / "participants.tsv", "age", "n/a")
    assert "age" in refused("diagnose", "fit", "--of", "ECD")
    edited(dataset / "participants.tsv", "MMSE", "45", 1)
    error = refused("norms", "fit", "--of", "ECD")
    assert "MMSE" in error
    assert "45" in error
    assert "0-30" in error


def test_a_model_of_another_recipe_is_refused_by_name(dataset: Path) -> None:
    tracerless("diagnose", "fit", dataset, "--of", "ECD", "--arm", "image", "--features", "ratio")
    table = dataset / "derivatives" / "tracerless" / "cohort_roi.tsv"
    edited(table, "fingerprint", "0123456789ab")
    done = tracerless("diagnose", "predict", dataset, code=2)
    assert "0123456789ab" in done.stderr
    assert not list(dataset.rglob("*_predictions.tsv"))


def test_the_whole_way_ends_in_a_page_that_says_what_the_image_adds(dataset: Path) -> None:
    tracerless("norms", "fit", dataset, "--of", "ECD")
    tracerless("norms", "apply", dataset)
    done = tracerless("diagnose", "evaluate", dataset, "--of", "ECD", "--key", "e", "--quick")
    assert "The image" in done.stdout
    page = (dataset / "reports" / "diagnosis-e.html").read_text(encoding="utf-8")
    for words in ("image", "影像", "TRIPOD", "PROBAST", "simulated"):
        assert words in page
    audit = tracerless("diagnose", "audit", dataset, "--evaluation", "e")
    assert "leaks 0" in audit.stdout
    norm = tracerless(
        "diagnose", "audit", dataset, "--evaluation", "e", "--norm", "norm-ECD", code=1
    )
    assert "Fit the norm inside each fold" in norm.stdout


def test_one_scan_under_two_pseudonyms_is_found_in_an_evaluation(dataset: Path) -> None:
    path = dataset / "derivatives" / "tracerless" / "cohort_roi.tsv"
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    mine = table.index[table["contrast"] == "ECD"]
    place = [table.columns.get_loc(name) for name in ("absolute_factor", "qc")]
    table.iloc[mine[0], place[0] + 1 : place[1]] = table.iloc[mine[1], place[0] + 1 : place[1]]
    table.to_csv(path, sep="\t", index=False)
    tracerless("diagnose", "evaluate", dataset, "--of", "ECD", "--quick")
    done = tracerless("diagnose", "audit", dataset, code=1)
    assert "1 pairs of pseudonyms" in done.stdout


def test_risk_is_fitted_and_told_with_intervals(tmp_path: Path) -> None:
    root = tmp_path / "r"
    who = ("--diagnosis", "CN", "--diagnosis", "MCI")
    tracerless("simulate", root, "--tables-only", "--people", "220", "--seed", "holdout-risk", *who)
    tracerless("risk", "fit", root, "--of", "ECD", "--name", "r")
    tracerless("risk", "predict", root, "--model", "r")
    path = root / "derivatives" / "tracerless" / "risk-r_predictions.tsv"
    table = pd.read_csv(path, sep="\t", na_values="n/a")
    told = table[table["risk"].notna()]
    assert len(told)
    assert ((told["low"] <= told["risk"]) & (told["risk"] <= told["high"])).all()
    rises = told.sort_values("years").groupby(["participant_id", "session_id"])["risk"]
    assert rises.apply(lambda risk: risk.is_monotonic_increasing).all()
