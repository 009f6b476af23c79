"""A dataset is made once, opened often, and refused when it is something else."""

import json
from pathlib import Path

import pytest

from tracerless.core.errors import DatasetError, RecipeError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.workspace.batch import choose, over_sessions
from tracerless.workspace.dataset import Dataset


def test_a_new_dataset_carries_its_recipe(tmp_path: Path) -> None:
    recipe = Recipe(prepare=PrepareRecipe(voxel_mm=4.0))
    made = Dataset.create_or_open(tmp_path / "d", recipe)
    assert Dataset.open(tmp_path / "d") == made
    assert made.recipe == recipe
    again = Dataset.create_or_open(tmp_path / "d", Recipe())
    assert again.recipe == recipe, "an existing dataset keeps its own recipe"


def test_a_dataset_whose_making_was_interrupted_is_made_again(tmp_path: Path) -> None:
    Dataset.create_or_open(tmp_path / "d")
    (tmp_path / "d" / "dataset_description.json").unlink()
    (tmp_path / "d" / ".partial-x").touch()
    assert Dataset.create_or_open(tmp_path / "d").root.is_dir()


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ({"Name": "x", "BIDSVersion": "1.8.0"}, "another tool"),
        ({"TracerlessLayout": 0}, "layout 0"),
        ([], "another tool"),
    ],
)
def test_a_foreign_or_older_dataset_is_refused(
    tmp_path: Path, description: object, said: str
) -> None:
    (tmp_path / "dataset_description.json").write_text(json.dumps(description))
    with pytest.raises(DatasetError, match=said):
        Dataset.open(tmp_path)


def test_a_folder_of_something_else_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(DatasetError, match="holds 1 entries but no dataset"):
        Dataset.create_or_open(tmp_path)
    with pytest.raises(DatasetError, match="holds no dataset"):
        Dataset.open(tmp_path)
    (tmp_path / "dataset_description.json").write_text("{")
    with pytest.raises(DatasetError, match="not valid JSON"):
        Dataset.open(tmp_path)


def test_a_damaged_recipe_is_refused(tmp_path: Path) -> None:
    Dataset.create_or_open(tmp_path / "d")
    (tmp_path / "d" / "tracerless.toml").write_text("[prepare]\nvoxel_mm = 99.0")
    with pytest.raises(RecipeError, match="voxel_mm=99"):
        Dataset.open(tmp_path / "d")


def dataset_with_sessions(root: Path) -> Dataset:
    dataset = Dataset.create_or_open(root)
    for person in ("B", "A"):
        (root / "sourcedata" / f"sub-{person}" / "ses-01").mkdir(parents=True)
    return dataset


def test_sessions_are_chosen_by_name_and_a_slip_is_answered(tmp_path: Path) -> None:
    dataset = dataset_with_sessions(tmp_path / "d")
    assert [str(key) for key in choose(dataset, ())] == ["sub-A_ses-01", "sub-B_ses-01"]
    assert choose(dataset, ["sub-B_ses-01"]) == (SessionKey(Pseudonym("B"), "01"),)
    with pytest.raises(DatasetError, match="Did you mean 'sub-A_ses-01'"):
        choose(dataset, ["sub-A_ses-02"])
    with pytest.raises(DatasetError, match="holds no session"):
        choose(Dataset.create_or_open(tmp_path / "empty"), ())


def test_one_bad_session_never_stops_the_others(tmp_path: Path) -> None:
    dataset = dataset_with_sessions(tmp_path / "d")

    def make(key: SessionKey) -> str:
        if str(key.person) == "A":
            raise DatasetError("No T1.")
        return "made"

    keys = choose(dataset, ())
    outcome = over_sessions(dataset, keys, "prepare", make, track=lambda k, _w, _n: k)
    assert outcome.values == {keys[1]: "made"}
    assert outcome.failures == {keys[0]: "No T1."}
    kept = list((dataset.derivatives / "problems").iterdir())
    assert json.loads(kept[0].read_text())["problem"] == "No T1."
    over_sessions(dataset, keys[:1], "prepare", lambda _k: "mended", track=lambda k, _w, _n: k)
    assert not list((dataset.derivatives / "problems").iterdir())
