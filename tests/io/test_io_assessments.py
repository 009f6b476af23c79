"""Evaluations of older versions still read: what they did not write is empty, not an error."""

from importlib import resources
from pathlib import Path

import pandas as pd
import pytest

from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.errors import ModelError
from tracerless.io import assessments


def written(folder: Path) -> Path:
    columns = TABLES["adaptation"]
    row = dict.fromkeys(columns, 0.5) | {"site": "A", "model": "ridge", "n_adapted": 5, "n": 12}
    table = pd.DataFrame([row], columns=[*columns])
    assessments.write(folder, Assessment("m", "synthesis", {"n": 1}, {"adaptation": table}))
    return folder / "adaptation.tsv"


def test_a_column_that_an_older_version_did_not_write_is_empty(tmp_path: Path) -> None:
    path = written(tmp_path)
    old = pd.read_csv(path, sep="\t").drop(columns=["model", "slope"])
    old.to_csv(path, sep="\t", index=False)
    read = assessments.read(tmp_path).tables["adaptation"]
    assert tuple(read.columns) == TABLES["adaptation"]
    assert read.loc[0, ["site", "model", "skill", "n"]].tolist() == ["A", "", 0.5, 12]
    assert read["slope"].isna().all()


def test_a_column_that_no_version_wrote_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    pd.read_csv(path, sep="\t").assign(luck=1).to_csv(path, sep="\t", index=False)
    with pytest.raises(ModelError, match="luck") as refused:
        assessments.read(tmp_path)
    assert "Evaluate again" in refused.value.hint


def test_the_evaluation_of_the_model_that_ships_can_be_read() -> None:
    shipped = resources.files("tracerless") / "data" / "models" / "default" / "docs" / "evaluation"
    with resources.as_file(shipped) as folder:
        made = assessments.read(folder)
    assert made.task == "synthesis"
    assert "skill" in made.tables
