"""Simulated people in template space: an earlier run is gone on with, never mixed or cut."""

from pathlib import Path

import pytest

from tracerless.core.errors import DatasetError
from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset
from tracerless.workspace.rendered_people import write_prepared_people
from tracerless.workspace.tables import read_cohort


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "dataset"
    assert len(list(write_prepared_people(root, n=2, seed="first 1"))) == 2
    return root


def diagnoses(root: Path) -> list[str]:
    dataset = Dataset.open(root)
    return [read_cohort(dataset).diagnosis(key.person) for key in dataset.sessions()]


def test_fewer_people_asked_for_takes_nobody_s_diagnosis_away(people: Path) -> None:
    before = diagnoses(people)
    assert before == ["CN", "MCI"]
    assert len(list(write_prepared_people(people, n=1, seed="first 1"))) == 1
    assert diagnoses(people) == before


def test_simulated_people_do_not_join_acquired_ones(tmp_path: Path) -> None:
    root = tmp_path / "acquired"
    dataset = Dataset.create_or_open(root, Recipe(prepare=PrepareRecipe(voxel_mm=4.0)))
    (dataset.derivatives / "sub-P7Q3" / "ses-01").mkdir(parents=True)
    with pytest.raises(DatasetError, match="other people"):
        list(write_prepared_people(root, n=1, seed="first"))
    assert not (root / SIMULATED_MARK).exists()


@pytest.mark.parametrize("seed", ["second", "first 10"])
def test_people_of_another_seed_do_not_join(people: Path, seed: str) -> None:
    before = diagnoses(people)
    with pytest.raises(DatasetError, match="other people") as caught:
        list(write_prepared_people(people, n=1, seed=seed))
    assert caught.value.hint
    assert diagnoses(people) == before
