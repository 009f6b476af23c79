"""What models said of a session, from the tables that a dataset keeps."""

import pandas as pd
import pytest

from tracerless.core.cohort import Cohort
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.person_blocks import blocks, kept_predictions, similar

KEY = SessionKey(Pseudonym("P1"), "01")
DIAGNOSIS = """\
participant_id\tsession_id\tcontrast\tmodel\tp_CN\tp_AD\tlikely\tlevel\tabstains\tnotes\tcontributions\tin_training
sub-P1\tses-01\tECD\tecd\t0.25\t0.75\tAD\t0.9\tn/a\tn/a\t{"parietal": 1.5}\tyes
sub-P2\tses-01\tECD\tecd\tn/a\tn/a\tn/a\t0.9\tAge 30 is out of reach.\tn/a\tn/a\tno
"""
RISK = """\
participant_id\tsession_id\tyears\trisk\tlow\thigh\tdeath\tdeath_low\tdeath_high\tband\tabstains\tnotes\tin_training
sub-P1\tses-01\t10\t0.6\t0.4\t0.8\t0.2\t0.1\t0.3\thigh\tn/a\tn/a\tno
sub-P1\tses-01\t2\t0.2\t0.1\t0.3\t0.05\t0.02\t0.08\thigh\tn/a\tn/a\tno
sub-P2\tses-01\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tNo score was taken.\tn/a\tno
"""


@pytest.fixture
def dataset(tmp_path):
    made = Dataset.create_or_open(tmp_path / "data")
    made.derivatives.mkdir(parents=True)
    (made.derivatives / "diagnosis-ecd_predictions.tsv").write_text(DIAGNOSIS)
    (made.derivatives / "risk-dem_predictions.tsv").write_text(RISK)
    return made


def test_what_was_kept_is_what_is_shown(dataset):
    block = "".join(blocks(kept_predictions(dataset), KEY))
    assert "75% likely" in block
    assert "Image: ECD." in block
    assert "learned from this person" in block
    assert "parietal" in block
    assert block.index("20% (10% to 30%)") < block.index("60% (40% to 80%)")


def test_models_that_abstained_are_shown_abstaining(dataset):
    block = "".join(blocks(kept_predictions(dataset), SessionKey(Pseudonym("P2"), "01")))
    assert "Age 30 is out of reach." in block
    assert "No score was taken." in block
    assert "learned from this person" not in block


def test_another_visit_and_another_person_have_no_block(dataset):
    kept = kept_predictions(dataset)
    assert blocks(kept, SessionKey(Pseudonym("P1"), "02")) == ()
    assert blocks(kept, SessionKey(Pseudonym("P9"), "01")) == ()


def test_a_table_that_was_changed_by_hand_is_refused(dataset):
    path = dataset.derivatives / "diagnosis-ecd_predictions.tsv"
    path.write_text(DIAGNOSIS.replace("0.25", "0.45"))
    with pytest.raises(ModelError, match="sum to"):
        blocks(kept_predictions(dataset), KEY)


def test_people_alike_are_of_the_same_sex_near_in_age_without_disease_and_others():
    people = [
        ("P1", 70, "F", "CN"), ("A", 66, "F", "CN"), ("B", 75, "F", "CN"), ("C", 76, "F", "CN"),
        ("D", 70, "M", "CN"), ("E", 70, "F", "AD"), ("F", float("nan"), "F", "CN"),
    ]  # fmt: skip
    table = pd.DataFrame(people, columns=["person", "age", "sex", "diagnosis"]).set_index("person")
    assert similar(Cohort(table), KEY) == 2
    assert similar(Cohort(table.drop("P1")), KEY) is None
    assert similar(Cohort(table), SessionKey(Pseudonym("F"), "01")) is None
    assert similar(Cohort(table[["age"]]), KEY) is None
