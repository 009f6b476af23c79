"""One bad contrast leaves its pair; a bad PET, or nothing but bad MR, ends it."""

from dataclasses import replace

import numpy as np
import pytest
from crossfit_people import written

from tracerless.core.errors import ModelError
from tracerless.core.volume import MR_INPUTS, Contrast, with_array
from tracerless.io import resources
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.space import space
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training_pairs import Gathered, gather_pairs

T1W, CBF, FDG = Contrast.T1W, Contrast.CBF, Contrast.FDG


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return written(tmp_path / "dataset", 4)


def spoil(dataset: Dataset, number: int, contrasts, value: float) -> None:
    """Fill contrasts of a session with one value."""
    shelf = SessionShelf(dataset, dataset.sessions()[number])
    kept = shelf.latest("prepared")
    bad = {
        contrast: with_array(volume, np.full_like(volume.array, value))
        for contrast, volume in kept.volumes.items()
        if contrast in contrasts
    }
    shelf.save("prepared", replace(kept, volumes={**kept.volumes, **bad}), "spoiled")


def gathered(dataset: Dataset) -> Gathered:
    where = [
        space(resources.template(mm), resources.atlas("fdg36", mm), "pons") for mm in (6.0, 5.0)
    ]
    return gather_pairs(dataset, where, Normalisation())


def test_an_empty_flow_leaves_its_pair_on_every_grid_and_is_named(dataset) -> None:
    spoil(dataset, 1, {CBF}, 0.0)
    found = gathered(dataset)
    key = dataset.sessions()[1]
    assert not found.refused
    ((who, why),) = [(each.key, each.reason) for each in found.thinned]
    assert who == key
    assert why.startswith("Without its cbf: The cbf is 0 in the whole brain.")
    place = MR_INPUTS.index(CBF)
    for material in found.materials:
        assert material.present[:, place].tolist() == [True, False, True, True]
        assert not material.values[1, place].any()
        assert material.values[1, MR_INPUTS.index(T1W)].any()


def test_pet_that_is_bad_ends_the_pair_though_all_mr_is_good(dataset) -> None:
    spoil(dataset, 2, {FDG, CBF}, 0.0)
    found = gathered(dataset)
    assert [each.key for each in found.refused] == [dataset.sessions()[2]]
    assert "FDG" in found.refused[0].reason
    assert "cbf" in found.refused[0].reason
    assert not found.thinned
    assert len(found.materials[0].people) == 3


def test_nothing_but_bad_mr_ends_the_pair(dataset) -> None:
    spoil(dataset, 0, set(MR_INPUTS), 3.0)
    found = gathered(dataset)
    assert [each.key for each in found.refused] == [dataset.sessions()[0]]
    had = set(SessionShelf(dataset, found.refused[0].key).latest("prepared").volumes) - {FDG}
    assert len(had) >= 2
    assert all(f"The {contrast} is 3 in the whole" in found.refused[0].reason for contrast in had)


def test_where_no_pair_is_left_the_first_reason_is_said(dataset) -> None:
    for number in range(4):
        spoil(dataset, number, {FDG}, 0.0)
    with pytest.raises(ModelError, match="None of the 4 sessions with both MR and FDG-PET"):
        gathered(dataset)
