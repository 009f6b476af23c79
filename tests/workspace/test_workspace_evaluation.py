"""An evaluation on disk is the evaluation."""

import math
from pathlib import Path

import pandas as pd

from tracerless.core.prediction import Estimate, Evaluation
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import read_evaluation, write_evaluation


def test_one_person_has_no_interval_and_reads_back_with_a_headline(tmp_path: Path) -> None:
    dataset = Dataset.create_or_open(tmp_path / "dataset")
    made = Evaluation(
        skill=Estimate(0.1, math.nan, math.nan, 1),
        by_region=pd.DataFrame({"mae": [0.1]}, index=["x"]),
        by_diagnosis=pd.DataFrame({"mae": [0.1], "r": [math.nan]}, index=["CN"]),
        model="m", atlas="fdg36", reference="pons", split="s", domain="simulated", fingerprint="f",
    )  # fmt: skip
    write_evaluation(dataset, made)
    again = read_evaluation(dataset)
    assert again is not None
    assert again.headline == made.headline
    assert math.isnan(again.skill.low)
    assert math.isnan(float(again.by_diagnosis.loc["CN", "r"]))
