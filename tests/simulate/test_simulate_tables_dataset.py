"""A dataset of simulated people without pictures, on disk."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tracerless.cli import tracerless
from tracerless.core.errors import DatasetError
from tracerless.core.study import Arm
from tracerless.simulate.tables import TableOptions
from tracerless.workspace.cognition import read_scores
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.followup import read_followup
from tracerless.workspace.simulate_tables import draw_tables, table_model, write_tables
from tracerless.workspace.study import study
from tracerless.workspace.tables import read_cohort


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_equal_commands_write_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_tables(tmp_path / name, n=12, seed="bytes")
    first = contents(tmp_path / "one")
    write_tables(tmp_path / "one", n=12, seed="bytes")
    assert first == contents(tmp_path / "two") == contents(tmp_path / "one")


def test_what_is_written_is_read_back_as_a_study(tmp_path: Path) -> None:
    options = TableOptions(scanners=2, retest=0.5)
    tables = write_tables(tmp_path / "set", n=40, seed="study", options=options)
    dataset = Dataset.open(tmp_path / "set")
    found = study(dataset, "ECD")
    assert len(found) == 60
    assert found.measured.domain == "simulated"
    first = np.array(found.visit) == "01"
    assert [found.person[i] for i in np.flatnonzero(first)] == list(tables.people["participant"])
    assert found.scanner[0] == tables.scans["ECD"]["scanner"][0]
    keys = [name for name in found.keys(Arm.IMAGE) if name in tables.scans["ECD"]]
    assert len(keys) == 36
    np.testing.assert_allclose(found.table.loc[first, keys], tables.scans["ECD"][keys][:40])
    assert found.diagnosis[0] == tables.people["diagnosis"][0]


def test_people_scores_and_followup_are_read_back(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "set", n=60, seed="back")
    dataset = Dataset.open(tmp_path / "set")
    assert list(read_cohort(dataset).table["diagnosis"]) == list(tables.people["diagnosis"])
    scores = read_scores(dataset)
    assert set(tables.scores.columns) <= set(scores.codes)
    assert not [each for each in scores.findings if each.kind in {"range", "impossible"}]
    followup = read_followup(dataset)
    assert followup is not None
    assert len(followup.visits) == len(tables.followup)


def test_four_references_stand_beside_every_scan(tmp_path: Path) -> None:
    write_tables(tmp_path / "set", n=5, seed="references")
    header = (tmp_path / "set/derivatives/tracerless/cohort_roi.tsv").read_text().splitlines()[0]
    for name in ("pons", "cerebellum", "whole_cortex", "whole_brain"):
        assert f"\tref_{name}\t" in header


def test_another_cohort_does_not_overwrite(tmp_path: Path) -> None:
    write_tables(tmp_path / "set", n=5, seed="mine")
    before = contents(tmp_path / "set")
    with pytest.raises(DatasetError, match="another number, seed"):
        write_tables(tmp_path / "set", n=5, seed="other")
    assert contents(tmp_path / "set") == before


def test_a_dataset_of_acquired_people_is_left_alone(tmp_path: Path) -> None:
    Dataset.create_or_open(tmp_path / "set")
    with pytest.raises(DatasetError, match="not simulated"):
        write_tables(tmp_path / "set", n=5, seed="mine")


def test_two_thousand_people_take_seconds(tmp_path: Path) -> None:
    table_model()
    start = time.process_time()
    write_tables(tmp_path / "set", n=2000, seed="many")
    assert time.process_time() - start < 20


def test_command_writes_and_tells(tmp_path: Path) -> None:
    options = "--tables-only --people 30 --seed cli --scanners 3 --shift 0.5 --circular"
    words = [*options.split(), "--retest", "0.1", "--json"]
    told = CliRunner().invoke(tracerless, ["simulate", str(tmp_path / "set"), *words])
    assert told.exit_code == 0, told.output
    result = json.loads(told.output)
    assert result["n_people"] == 30
    assert result["n_scans"] == 3 * 33
    same = draw_tables(30, seed="cli", scanners=3, shift=0.5, circular=True, retest=0.1)
    people = read_cohort(Dataset.open(tmp_path / "set")).table
    assert list(people["diagnosis"]) == list(same.people["diagnosis"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scanners", "2"], "--scanners goes with --tables-only"),
        (["--tables-only", "--prepared"], "exclude each other"),
        (["--tables-only", "--missing", "1"], "--missing"),
    ],
)
def test_options_that_contradict_are_refused(
    tmp_path: Path, options: list[str], words: str
) -> None:
    told = CliRunner().invoke(tracerless, ["simulate", str(tmp_path / "set"), *options])
    assert told.exit_code == 2
    assert words in told.output
    assert not (tmp_path / "set").exists()
