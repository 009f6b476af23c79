"""Head, losses, schedule and calibration: each against what must be true of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from phantom_sessions import grid_of, pons, tissue

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import GeometryError
from tracerless.core.people import Pseudonym
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator
from tracerless.synthesize import schedule
from tracerless.synthesize.calibration import MAX_SLOPE, calibrate, subset_key, subsets
from tracerless.synthesize.desk import fill
from tracerless.synthesize.expected import fit_expected
from tracerless.synthesize.head import N_CHANNELS, box_of, head
from tracerless.synthesize.losses import charbonnier, regional, squared

GRID = grid_of(6.0)
GREY, WHITE, BRAIN = tissue(GRID)
MEAN = 1.5 * GREY + 0.7 * WHITE
RECIPE = SynthesizeRecipe(steps=100, batch=3, dropout_modality=0.6)


def made():
    return head(BRAIN, pons(GRID), 0.2)


def expected(n: int = 1) -> torch.Tensor:
    """(n, i, j, k) the mean map in the box."""
    box = torch.from_numpy(np.ascontiguousarray(MEAN[box_of(BRAIN)]))
    return box.expand(n, *box.shape)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_a_silent_network_gives_the_mean() -> None:
    h, known = made(), expected(2)
    assert torch.allclose(h.suvr(torch.zeros(2, 1, *h.brain.shape), known), known, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 2.0))
def test_whatever_the_network_says_the_reference_keeps_its_mean(seed: int, size: float) -> None:
    h, known = made(), expected(2) * torch.tensor([1.0, 1.1])[:, None, None, None]
    suvr = h.suvr(size * noise(2, 3, *h.brain.shape, seed=seed), known)
    level, wanted = ((v * h.reference).sum(dim=(1, 2, 3)) for v in (suvr, known))
    assert torch.allclose(level, wanted, rtol=1e-4)


def test_a_hidden_contrast_cannot_be_seen() -> None:
    h = made()
    one, other = noise(1, 3, *h.brain.shape), noise(1, 3, *h.brain.shape)
    other[:, 1] = 99
    shown, known = torch.tensor([[1.0, 0.0, 1.0]]), expected()
    assert torch.equal(h.inputs(one, shown, known), h.inputs(other, shown, known))
    assert h.inputs(one, shown, known).shape[1] == N_CHANNELS
    assert not torch.equal(h.inputs(one, shown, known), h.inputs(one, torch.ones(1, 3), known))


def test_the_box_holds_the_whole_brain() -> None:
    box = box_of(BRAIN)
    assert BRAIN[box].sum() == BRAIN.sum()
    assert BRAIN[box].size < 0.8 * BRAIN.size


def test_a_reference_region_outside_the_brain_is_refused() -> None:
    with pytest.raises(GeometryError, match="reference region"):
        head(BRAIN, ~BRAIN, 0.2)


def test_losses_are_zero_for_the_truth_and_blind_outside() -> None:
    error = noise(2, 4, 4, 4)
    valid = torch.zeros(2, 4, 4, 4)
    valid[:, :2] = 1
    regions = torch.ones(1, 64)
    inside = error * valid
    for loss in (
        lambda e: squared(e, valid, 0.1),
        lambda e: charbonnier(e, valid),
        lambda e: regional(e, valid, regions),
    ):
        assert loss(torch.zeros_like(error)) == 0
        assert torch.isclose(loss(error), loss(inside))
        assert loss(error) > 0


def test_the_regional_loss_is_the_error_of_regional_means() -> None:
    error = torch.zeros(1, 2, 2, 2)
    error[0, 0] = 0.3
    error[0, 1] = torch.tensor([[0.2, -0.2], [0.2, -0.2]])
    regions = torch.zeros(3, 8)
    regions[0, :4] = 1
    regions[1, 4:] = 1
    valid = torch.ones(1, 2, 2, 2)
    unseen_row_counts_for_nothing = regional(error, valid, regions)
    assert float(unseen_row_counts_for_nothing) == pytest.approx(0.15)


def test_charbonnier_is_the_absolute_error_when_large() -> None:
    error = torch.full((1, 2, 2, 2), -0.5)
    assert float(charbonnier(error, torch.ones_like(error))) == pytest.approx(0.5, abs=0.03)


PRESENT = np.array([[True, True, True], [True, False, False], [False, True, True]] * 3)


ALL = np.zeros(len(PRESENT), dtype=np.int64)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_something_is_always_shown_and_nothing_that_is_absent(step: int) -> None:
    draw = schedule.draw(step, PRESENT, ALL, RECIPE)
    assert draw.shown.any(axis=1).all()
    assert not (draw.shown & ~PRESENT[draw.sessions]).any()


def drawn(steps: range, group_of=ALL, member: int = 0) -> list[int]:
    """Which sessions come up in these steps."""
    draws = [schedule.draw(step, PRESENT, group_of, RECIPE, member) for step in steps]
    return np.concatenate([draw.sessions for draw in draws]).tolist()


def test_every_session_comes_once_before_any_comes_twice() -> None:
    first, second = drawn(range(3)), drawn(range(3, 6))
    assert sorted(first) == sorted(second) == list(range(9))
    assert first != second


def test_every_member_sees_the_people_in_an_order_of_its_own() -> None:
    assert drawn(range(3)) != drawn(range(3), member=1)


def test_every_diagnosis_comes_equally_often_however_rare() -> None:
    diagnoses = ["CN"] * 20 + ["AD"] * 6 + ["", "FTD", "DLB"]
    group_of = schedule.groups(diagnoses, "diagnosis")
    present = np.ones((len(diagnoses), 3), dtype=bool)
    draws = [schedule.draw(step, present, group_of, RECIPE) for step in range(100)]
    seen = np.bincount(group_of[np.concatenate([draw.sessions for draw in draws])])
    assert seen.tolist() == [100, 100, 100]
    few = group_of[-1]
    assert set(group_of[-3:].tolist()) == {few}
    assert np.ptp(schedule.groups(diagnoses, "none")) == 0


def test_a_step_depends_on_its_number_alone() -> None:
    for step in (0, 17):
        one, two = (schedule.draw(step, PRESENT, ALL, RECIPE) for _ in range(2))
        assert all(np.array_equal(getattr(one, f), getattr(two, f)) for f in ("sessions", "shown"))


def test_hiding_happens_as_often_as_the_recipe_says() -> None:
    full = np.ones((9, 3), dtype=bool)
    shown = np.concatenate([schedule.draw(s, full, ALL, RECIPE).shown for s in range(400)])
    # All three hidden (0.6 cubed) brings one of them back.
    assert shown.mean() == pytest.approx(0.4 + 0.6**3 / 3, abs=0.03)


def test_the_learning_rate_rises_once_and_falls_once() -> None:
    rates = [schedule.rate_at(step / 100) for step in range(1, 101)]
    top = int(np.argmax(rates))
    assert max(rates) == pytest.approx(1)
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert rates[-1] < 0.01


def test_squared_error_leads_and_leaves_and_regions_fade() -> None:
    shares = [schedule.squared_share(s, 100) for s in range(100)]
    assert shares[0] == 1
    assert shares[-1] == 0
    assert (np.diff(shares) <= 0).all()
    weights = [schedule.region_weight(s, RECIPE) for s in range(100)]
    assert weights[0] == RECIPE.region_weight
    assert weights[-1] == pytest.approx(0.01 * RECIPE.region_weight)


def people_of(n: int) -> list[Pseudonym]:
    return [Pseudonym(f"p{i}") for i in range(n)]


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1.4))
def test_calibration_finds_the_planted_slope(slope: float) -> None:
    predicted = generator("calibration").normal(0, 0.1, (20, 8))
    got = calibrate(slope * predicted, predicted, people_of(20))
    assert got.slope == pytest.approx(slope)
    assert got.skill == pytest.approx(1)
    assert got.n == 20


@pytest.mark.parametrize("seed", range(5))
def test_an_ignorant_prediction_is_calibrated_to_nothing(seed: int) -> None:
    draw = generator("ignorant", seed)
    truth, predicted = draw.normal(0, 0.1, (2, 12, 8))
    got = calibrate(truth, predicted, people_of(12))
    assert got.slope == 0 or got.slope < 0.2
    assert got.skill is not None
    assert got.skill < 0.05


def test_a_contrary_prediction_gets_no_weight_and_a_timid_one_not_too_much() -> None:
    truth = generator("contrary").normal(0, 0.1, (12, 8))
    assert calibrate(truth, -truth, people_of(12)).slope == 0
    assert calibrate(truth, 0.1 * truth, people_of(12)).slope == MAX_SLOPE


def test_one_person_alone_calibrates_nothing() -> None:
    truth = generator("alone").normal(0, 0.1, (3, 8))
    got = calibrate(truth, truth, [Pseudonym("p1")] * 3)
    assert (got.slope, got.skill, got.n) == (1, None, 0)


def test_regions_that_were_not_seen_do_not_count() -> None:
    predicted = generator("unseen").normal(0, 0.1, (10, 8))
    truth = 0.5 * predicted
    truth[:, 3] = np.nan
    assert calibrate(truth, predicted, people_of(10)).slope == pytest.approx(0.5)


def test_there_are_seven_sets_of_inputs() -> None:
    assert len({subset_key(s) for s in subsets()}) == 7


def test_the_mean_needs_half_of_the_people_in_each_voxel() -> None:
    suvr = np.ones((4, 2, 1, 1), dtype=np.float32)
    suvr[:, 1] *= np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    suvr[:3, 0] = np.nan
    got = fit_expected(suvr, [PersonFacts()] * 4, "none").mean
    assert np.isnan(got[0, 0, 0])
    assert got[1, 0, 0] == pytest.approx(1.5)


def test_holes_take_the_nearest_number() -> None:
    row = np.array([np.nan, 1, np.nan, np.nan, 5, np.nan], dtype=np.float32).reshape(6, 1, 1)
    assert fill(row).ravel().tolist() == [1, 1, 1, 5, 5, 5]
