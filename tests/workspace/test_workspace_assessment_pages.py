"""Pages of the evaluations that a dataset keeps."""

import pandas as pd
import pytest

from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.errors import DatasetError
from tracerless.io import assessments
from tracerless.workspace.assessment_pages import kept, write_assessment_pages
from tracerless.workspace.dataset import Dataset


@pytest.fixture
def dataset(tmp_path):
    return Dataset.create_or_open(tmp_path / "data")


def evaluation(key, task="diagnosis"):
    row = ("cognition", "image+cognition", "mlp", "auc", 0.05, 0.02, 0.08, 0.01)
    tables = {
        "increments": pd.DataFrame([row], columns=TABLES["increments"]),
        "performance": pd.DataFrame(
            [("image", "mlp", "auc", 0.8, 0.7, float("nan"))], columns=TABLES["performance"]
        ),
    }
    return Assessment(key, task, {"n": 400, "n_people": 400, "threshold": None}, tables)


def keep(dataset, *evaluations):
    for each in evaluations:
        assessments.write(dataset.derivatives / "evaluation" / each.key, each)


def test_every_kept_evaluation_gets_its_page_and_card(dataset):
    keep(dataset, evaluation("ecd"), evaluation("future", "risk"), evaluation("risk-ECD", "risk"))
    pages = write_assessment_pages(dataset)
    assert [page.name for page in pages] == [
        "diagnosis-ecd.html",
        "risk-future.html",
        "risk-ECD.html",
    ]
    content = pages[0].read_text(encoding="utf-8")
    assert "+0.050 (+0.020 to +0.080)" in content
    assert ">withheld<" in content
    assert "TRIPOD+AI" in content
    assert "PROBAST+AI" in content
    card = dataset.derivatives / "evaluation" / "ecd" / "MODEL_CARD.md"
    assert card.read_text(encoding="utf-8").startswith("# Model card: ecd")


def test_a_page_is_the_same_however_often_it_is_written(dataset):
    keep(dataset, evaluation("ecd"))
    first = write_assessment_pages(dataset)[0].read_bytes()
    assert write_assessment_pages(dataset, ("ecd",))[0].read_bytes() == first


def test_an_evaluation_of_synthesis_is_none_of_diagnosis(dataset):
    (dataset.derivatives / "evaluation").mkdir(parents=True)
    (dataset.derivatives / "evaluation" / "by_region.tsv").write_text("region\n")
    assert kept(dataset) == ()


def test_without_an_evaluation_the_next_move_is_told(dataset):
    with pytest.raises(DatasetError, match="diagnose evaluate"):
        write_assessment_pages(dataset)


def test_an_unknown_key_is_answered_with_the_closest(dataset):
    keep(dataset, evaluation("ecd"))
    with pytest.raises(DatasetError, match=r"No evaluation 'ecc'\. Did you mean 'ecd'"):
        write_assessment_pages(dataset, ("ecc",))
    assert not dataset.reports.exists()
