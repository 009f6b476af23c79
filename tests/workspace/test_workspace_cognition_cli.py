"""`tracerless cognition`: list, check, import, norms, compare."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tracerless.cli.cognition import command
from tracerless.core.cohort import Cohort
from tracerless.workspace.cognition import read_scores
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import write_cohort

TABLE = """\
participant_id,姓名,MMSE,TMT-A,CVVLT 10min
A1,王大明,24,45.5,3
A3,林,31,abc,9
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset.create_or_open(tmp_path / "data")
    people = {"age": [70.0, 71, 72], "sex": ["F", "M", "F"], "education_years": [0, 3, 12]}
    write_cohort(made, Cohort(pd.DataFrame(people, index=["A1", "A2", "A3"])))
    return made


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_the_command_checks_without_taking(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(TABLE)
    result = run("check", path, "--json")
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert found["tests"] == ["MMSE", "TMT_A", "CVVLT_10M"]
    assert {f["kind"] for f in found["findings"]} >= {"range", "not-a-number", "identifier"}
    path.write_text("participant_id,MMSE\nA1,24\n")
    assert run("check", path).exit_code == 0


def test_the_command_imports_and_holds_against_norms(dataset: Dataset, tmp_path: Path) -> None:
    path, site = tmp_path / "scores.csv", tmp_path / "site.csv"
    path.write_text("participant_id,MMSE,CASI,MOCA_RAW,SMELL\nA1,15,50,20,3\nA3,24,85,20,4\n")
    site.write_text(
        "code,tool,name_en,name_zh,domain,low,high,better,leak\n"
        "SMELL,smell,Smell test,嗅覺測驗,smell,0,12,high,none\n"
    )
    result = run("import", path, dataset.root, "--dictionary", site)
    assert result.exit_code == 0, result.output
    assert "8 scores of 2 people." in result.output
    assert "SMELL" in read_scores(dataset).codes
    result = run("norms", dataset.root, "--json")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(json.loads(result.output)["table"], sep="\t", na_values="n/a")
    beyond = table.set_index(["participant_id", "code"])["beyond_cut"].to_dict()
    assert beyond["sub-A1", "MMSE"] == "yes"  # no schooling: up to 15
    assert beyond["sub-A1", "CASI"] == "no"  # no schooling: up to 49
    assert beyond["sub-A3", "MMSE"] == "no"
    refused = table[(table["participant_id"] == "sub-A1") & (table["code"] == "MOCA_RAW")]
    assert set(refused["no_z"]) == {"schooling of 0 years is outside 8 to below 26"}
    assert table["z"].notna().sum() == 3


def test_the_command_compares_one_score() -> None:
    man = ("--age", 57, "--sex", "M", "--education", 15)
    assert "z -2.192308" in run("compare", "MOCATOTS", 21, *man).output
    assert "z would go on" in run("compare", "TMT-B", 300, *man).output
    assert "z would go on" in run("compare", "MMSE", 30, *man).output
    assert "z would go on" not in run("compare", "MMSE", 29, *man).output
    impossible = run("compare", "MOCATOTS", 31, *man).exception
    assert "MOCA_RAW = 31 is no possible score: 0-30 points" in str(impossible)


def test_the_command_lists_by_word() -> None:
    listed = json.loads(run("list", "memory", "中文", "--json").output)["tests"]
    assert {test["tool"] for test in listed} == {"cvvlt"}
    assert "label leak high" in run("list", "CDR").output
