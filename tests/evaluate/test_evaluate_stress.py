"""Artifacts by physical amounts: none at zero, more with the level, never in the truth."""

from dataclasses import replace

import numpy as np
import pytest

from challenge_heads import BRAIN, GRID, TEMPLATE, grid_of, person, template_of, without
from tracerless.core.errors import GeometryError, RecipeError
from tracerless.core.grid import points_mm
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume, with_array
from tracerless.evaluate.stress import STRESSES, stressed
from tracerless.evaluate.stress_flow import (
    GRAIN_MM,
    arrival_s,
    flow_noise,
    label_seen,
)
from tracerless.evaluate.stress_parts import field, tissue_levels

NAMES = sorted(STRESSES)
HARMLESS = {"few-pairs": 1.0, "slices": 0.0}
"""Levels at which nothing may happen, where that is not zero or not a usual level."""


@pytest.fixture(scope="module")
def head() -> Prepared:
    return person(3, 0.5, GRID)


def apart(first: Prepared, second: Prepared, contrast: Contrast) -> float:
    """Root mean square difference in the brain, in units of the first one's spread there."""
    a, b = (s.volumes[contrast].array[BRAIN].astype(float) for s in (first, second))
    gone = np.isnan(b)
    b[gone] = np.nanmedian(a)
    return float(np.sqrt(np.mean((a - b) ** 2)) / a.std())


@pytest.mark.parametrize("name", NAMES)
def test_only_the_declared_contrasts_change_and_the_truth_never(name: str, head: Prepared) -> None:
    worse = stressed(head, name, STRESSES[name].levels[-1], TEMPLATE)
    for contrast in (*MR_INPUTS, Contrast.FDG):
        same = np.array_equal(
            worse.volumes[contrast].array, head.volumes[contrast].array, equal_nan=True
        )
        assert same == (contrast not in STRESSES[name].contrasts)
        assert worse.volumes[contrast].quantity == head.volumes[contrast].quantity
    assert worse.fingerprint != head.fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_more_of_it_changes_more(name: str, head: Prepared) -> None:
    stress = STRESSES[name]
    contrast = stress.contrasts[0]
    amounts = [apart(head, stressed(head, name, x, TEMPLATE), contrast) for x in stress.levels]
    assert amounts == sorted(amounts)
    assert amounts[0] < 0.98 * amounts[-1]
    assert amounts[0] > 0


@pytest.mark.parametrize("name", [n for n in NAMES if n != "bitten"])
def test_none_of_it_changes_nothing(name: str, head: Prepared) -> None:
    same = stressed(head, name, HARMLESS.get(name, 0.0), TEMPLATE)
    for contrast in STRESSES[name].contrasts:
        assert apart(head, same, contrast) < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_same_person_name_and_level_give_the_same_bytes(name: str, head: Prepared) -> None:
    level = STRESSES[name].levels[0]
    first, second = (stressed(head, name, level, TEMPLATE) for _ in range(2))
    for contrast in STRESSES[name].contrasts:
        arrays = [each.volumes[contrast].array.tobytes() for each in (first, second)]
        assert arrays[0] == arrays[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_session_without_these_contrasts_is_left_as_it_is(name: str, head: Prepared) -> None:
    bare = without(head, *STRESSES[name].contrasts)
    assert set(stressed(bare, name, STRESSES[name].levels[-1], TEMPLATE).volumes) == set(
        bare.volumes
    )


def test_shifted_series_lie_so_many_millimetres_away(head: Prepared) -> None:
    moved = stressed(head, "shift", 6.0, TEMPLATE)
    where = points_mm(GRID).astype(float)

    def center(session: Prepared) -> np.ndarray:
        weight = session.volumes[Contrast.CBF].array.astype(float)
        weight = np.nan_to_num(np.where(weight > 0.3, weight, 0))
        return (where * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()

    assert np.linalg.norm(center(moved) - center(head)) == pytest.approx(6.0, abs=0.5)


def test_a_share_of_the_pairs_brings_the_noise_that_it_should() -> None:
    still = without(person(4, 0.0, GRID), Contrast.T1W, Contrast.T2W)
    flow = still.volumes[Contrast.CBF]
    noise = 0.08 * field(GRID, GRAIN_MM, generator("noise", "test"))
    flat = np.where(BRAIN, 1.0, 0.0) + noise
    level = Volume(flat, GRID, Quantity.RELATIVE_CBF, Contrast.CBF)
    assert flow_noise(level, TEMPLATE) == pytest.approx(0.08, rel=0.25)
    mapped = {**still.volumes, Contrast.CBF: with_array(flow, flat)}
    noisy = stressed(replace(still, volumes=mapped), "few-pairs", 0.25, TEMPLATE)
    deep = TEMPLATE.white.array > 0.9
    assert noisy.volumes[Contrast.CBF].array[deep].std() == pytest.approx(0.16, rel=0.3)


def test_late_blood_leaves_the_far_border_with_less() -> None:
    arrival = arrival_s(TEMPLATE)
    kept = label_seen(arrival + np.float32(1), 1.8) / label_seen(arrival, 1.8)
    near, far = arrival < 0.9, (arrival > 1.35) & BRAIN
    assert kept[near].mean() > kept[far].mean() + 0.1
    in_blood = np.exp(1 / 1.3 - 1 / 1.65)
    assert kept[BRAIN].max() <= in_blood + 1e-3
    assert kept[BRAIN].min() < 0.9


def test_a_delay_that_is_long_enough_sees_all_arrivals_alike() -> None:
    arrival = np.array([0.7, 1.5], dtype=np.float32)
    early, late = label_seen(arrival, 2.5) * np.exp(-arrival * (1 / 1.3 - 1 / 1.65))
    assert early == pytest.approx(late, rel=1e-3)
    early, late = label_seen(arrival, 0.2) * np.exp(-arrival * (1 / 1.3 - 1 / 1.65))
    assert late < 0.75 * early


def test_missing_slices_hold_the_share_of_the_brain_that_is_told(head: Prepared) -> None:
    cut = stressed(head, "slices", 0.4, TEMPLATE).volumes[Contrast.T2W].array
    assert np.isnan(cut[BRAIN]).mean() == pytest.approx(0.4, abs=0.06)


def test_tissue_levels_of_a_mixture_are_what_was_mixed(head: Prepared) -> None:
    grey, white = TEMPLATE.grey.array, TEMPLATE.white.array
    mixed = 400 * grey + 600 * white + 100 * (1 - grey - white)
    volume = Volume(mixed, GRID, Quantity.T1W, Contrast.T1W)
    found = tissue_levels(volume, TEMPLATE)
    assert found["grey"] == pytest.approx(400, abs=2)
    assert found["white"] == pytest.approx(600, abs=2)


def test_noise_has_the_size_that_is_told(head: Prepared) -> None:
    noisy = stressed(head, "noise", 0.06, TEMPLATE)
    t1w = Contrast.T1W
    white = TEMPLATE.white.array > 0.99
    added = (noisy.volumes[t1w].array - head.volumes[t1w].array)[white]
    level = tissue_levels(head.volumes[t1w], TEMPLATE)["white"]
    assert added.std() == pytest.approx(0.06 * level, rel=0.05)


def test_an_unknown_stress_and_a_foreign_template_are_refused(head: Prepared) -> None:
    with pytest.raises(RecipeError, match="motoin") as refused:
        stressed(head, "motoin", 1.0, TEMPLATE)
    assert "'motion'" in str(refused.value)
    with pytest.raises(GeometryError):
        stressed(head, "motion", 1.0, template_of(grid_of(8.0)))
