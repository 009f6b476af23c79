"""A dataset as a study: every scan with its person, scores that may predict told from those not."""

import pandas as pd
import pytest

from tracerless.core.cognition import Leak
from tracerless.core.errors import DatasetError
from tracerless.core.study import Arm, Kind
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.simulate_tables import TableOptions, write_tables
from tracerless.workspace.study import study


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("study") / "tables"
    write_tables(root, n=40, seed="study", options=TableOptions(scanners=2, retest=0.3, missing=0))
    return Dataset.open(root)


@pytest.fixture(scope="module")
def made(dataset):
    return study(dataset, "FDG")


def test_every_scan_is_a_row_with_its_regions_and_its_scanner(made, dataset) -> None:
    table = pd.read_csv(dataset.derivatives / "cohort_roi.tsv", sep="\t", na_values="n/a")
    rows = table[table["contrast"] == "FDG"]
    assert len(made) == len(rows) > 40 == len(set(made.person))
    regions = [each.key for each in made.predictors if each.kind is Kind.REGION]
    assert len(regions) == 36
    assert made.table[regions].to_numpy() == pytest.approx(rows[regions].to_numpy())
    assert list(made.scanner) == rows["scanner"].tolist()
    assert len(set(made.scanner)) == 2


def test_age_and_sex_stand_beside_every_scan_of_a_person(made, dataset) -> None:
    people = pd.read_csv(dataset.root / "participants.tsv", sep="\t", index_col="participant_id")
    for row in (0, len(made) - 1):
        person = people.loc[f"sub-{made.person[row]}"]
        assert made.table.loc[row, "age"] == person["age"]
        assert made.table.loc[row, "sex"] == {"F": 0, "M": 1}[person["sex"]]
        assert made.diagnosis[row] == person["diagnosis"]


def test_scores_stay_with_the_visit_they_belong_to(made) -> None:
    later = [row for row, visit in enumerate(made.visit) if visit != "01"]
    first = [row for row, visit in enumerate(made.visit) if visit == "01"]
    assert later
    assert made.table.loc[first, "MMSE"].notna().all()
    assert made.table.loc[later, "MMSE"].isna().all(), "nobody was tested again at the rescan"


def test_what_made_the_diagnosis_is_seen_by_the_upper_bound_alone(made) -> None:
    leaks = {each.key for each in made.predictors if each.leak is Leak.HIGH}
    assert {"CDR", "CDRSB"} <= leaks
    for arm in Arm:
        assert (arm is Arm.LEAKY) == bool(leaks & set(made.keys(arm)))
    assert not set(made.keys(Arm.DEMOGRAPHICS)) - {"age", "sex", "education_years"}
    assert set(made.keys(Arm.BOTH)) == set(made.keys(Arm.IMAGE)) | set(made.keys(Arm.COGNITION))


def test_without_an_image_there_is_one_row_a_person(dataset) -> None:
    made = study(dataset, "none")
    assert len(made) == 40
    assert not [each for each in made.predictors if each.kind is Kind.REGION]
    assert made.table["MMSE"].notna().all()


def test_some_rows_keep_their_people_and_numbers(made) -> None:
    part = made.taken(pd.Series(made.visit).eq("01").to_numpy())
    assert len(part) == 40
    assert part.table.index.tolist() == list(range(40))
    first = [person for person, visit in zip(made.person, made.visit, strict=True) if visit == "01"]
    assert list(part.person) == first


def test_an_unknown_contrast_names_the_closest(dataset) -> None:
    with pytest.raises(DatasetError, match="Did you mean 'FDG'"):
        study(dataset, "FDP")
