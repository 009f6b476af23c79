"""Strange heads are strange where they should be, and the same every time."""

import numpy as np
import pytest

from challenge_heads import BRAIN, GRID, TEMPLATE, person, without
from tracerless.core.errors import RecipeError
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.evaluate.strange import STRANGE, can_be, strange_head
from tracerless.evaluate.stress_parts import tissue_levels

CASES = sorted(STRANGE)
LESIONS = ("stroke", "tumor", "resection", "hydrocephalus", "metal")


@pytest.fixture(scope="module")
def head() -> Prepared:
    return person(5, 0.0, GRID)


@pytest.mark.parametrize("case", CASES)
def test_every_case_changes_mr_and_never_the_acquired_pet(case: str, head: Prepared) -> None:
    made = strange_head(head, case, TEMPLATE)
    assert made.volumes[Contrast.FDG] is head.volumes[Contrast.FDG]
    changed = [c for c in MR_INPUTS if made.volumes[c] is not head.volumes[c]]
    assert changed
    assert made.fingerprint != head.fingerprint


@pytest.mark.parametrize("case", CASES)
def test_the_same_person_becomes_the_same_case(case: str, head: Prepared) -> None:
    first, second = (strange_head(head, case, TEMPLATE) for _ in range(2))
    for contrast in MR_INPUTS:
        assert first.volumes[contrast].array.tobytes() == second.volumes[contrast].array.tobytes()


@pytest.mark.parametrize("case", LESIONS)
def test_a_lesion_is_a_place_and_not_the_whole_brain(case: str, head: Prepared) -> None:
    made = strange_head(head, case, TEMPLATE)
    spread = head.volumes[Contrast.T2W].array[BRAIN].std()
    apart = made.volumes[Contrast.T2W].array - head.volumes[Contrast.T2W].array
    touched = np.abs(np.nan_to_num(apart))[BRAIN] > 0.2 * spread
    assert 0.02 < touched.mean() < 0.5


def test_an_infarct_is_fluid_without_flow(head: Prepared) -> None:
    made = strange_head(head, "stroke", TEMPLATE)
    flow = made.volumes[Contrast.CBF].array, head.volumes[Contrast.CBF].array
    core = BRAIN & (flow[0] < 0.15 * flow[1]) & (flow[1] > 0.3)
    assert core.sum() * GRID.voxel_ml > 20
    fluid = tissue_levels(head.volumes[Contrast.T2W], TEMPLATE)["csf"]
    before = np.abs(head.volumes[Contrast.T2W].array[core] - fluid).mean()
    after = np.abs(made.volumes[Contrast.T2W].array[core] - fluid).mean()
    assert after < 0.4 * before


def test_mirrored_twice_is_the_same_head(head: Prepared) -> None:
    twice = strange_head(strange_head(head, "mirrored", TEMPLATE), "mirrored", TEMPLATE)
    for contrast in MR_INPUTS:
        assert np.array_equal(twice.volumes[contrast].array, head.volumes[contrast].array)


def test_a_case_needs_its_contrasts(head: Prepared) -> None:
    bare = without(head, Contrast.CBF)
    assert not can_be(bare, "empty-flow")
    assert can_be(bare, "stroke")
    assert set(strange_head(bare, "stroke", TEMPLATE).volumes) == set(bare.volumes)
    assert not can_be(without(head, Contrast.T2W), "exchanged")


def test_an_unknown_case_is_refused_with_the_nearest(head: Prepared) -> None:
    with pytest.raises(RecipeError, match="tumour") as refused:
        strange_head(head, "tumour", TEMPLATE)
    assert "'tumor'" in str(refused.value)
