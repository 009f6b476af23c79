"""MR changed at random: as scanners change it, and no further."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tracerless.synthesize.augment import Augmenter, Changes, changes

SHAPE = (24, 28, 20)
BRAIN = torch.zeros(SHAPE)
BRAIN[3:-3, 3:-3, 3:-3] = 1
AUGMENTER = Augmenter(BRAIN, seed=1)


def smooth(n: int = 2, seed: int = 0) -> torch.Tensor:
    """(n, 3, i, j, k) soft pictures of unit size in the brain."""
    noise = np.random.default_rng(seed).standard_normal((n, 3, *SHAPE))
    soft = ndimage.gaussian_filter(noise, (0, 0, 2, 2, 2))
    return torch.from_numpy((soft / soft.std()).astype(np.float32)).clamp(-3, 3) * BRAIN


def drawn(strength: float, step: int = 0, n: int = 2) -> Changes:
    return changes(n, SHAPE, strength, 4.0, "test", step)


def inner(values: torch.Tensor) -> torch.Tensor:
    """What lies well inside the brain."""
    return values[:, :, 6:-6, 6:-6, 6:-6]


def test_no_strength_changes_nothing() -> None:
    values = smooth()
    assert torch.allclose(AUGMENTER(values, drawn(0.0)), values, atol=1e-4)


def test_the_same_step_is_changed_alike_and_another_otherwise() -> None:
    values = smooth()
    once = AUGMENTER(values, drawn(1.0))
    assert torch.equal(AUGMENTER(values, drawn(1.0)), once)
    assert not torch.allclose(AUGMENTER(values, drawn(1.0, step=1)), once, atol=0.05)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_a_changed_picture_is_still_that_picture(step: int) -> None:
    values = smooth()
    made = AUGMENTER(values, drawn(1.0, step))
    assert torch.isfinite(made).all()
    assert made.abs().max() <= 4
    assert not made[:, :, BRAIN == 0].any()
    seen = made != 0
    assert np.corrcoef(made[seen], values[seen])[0, 1] > 0.7


def test_an_absent_contrast_stays_absent() -> None:
    values = smooth()
    values[0, 1] = 0
    values[1, 2] = 0
    made = AUGMENTER(values, drawn(3.0))
    assert not made[0, 1].any()
    assert not made[1, 2].any()


def test_what_a_share_of_a_batch_is_shown_is_what_the_whole_shows_it() -> None:
    values, change = smooth(4), drawn(1.0, n=4)
    whole = AUGMENTER(values, change)
    for mine in (slice(0, 2), slice(2, 4)):
        assert torch.allclose(AUGMENTER(values[mine], change.take(mine)), whole[mine], atol=1e-5)


def alone(**kept: np.ndarray) -> Changes:
    """Nothing happens but what is named."""
    still = drawn(0.0)
    fields = {name: getattr(still, name) for name in Changes.__slots__}
    return Changes(**(fields | kept))


def test_t2_and_flow_move_by_voxels_against_t1() -> None:
    values = smooth()
    motion = np.zeros((2, 2, 3, 4), np.float32)
    motion[..., 2, 3] = 2 / (SHAPE[0] / 2)  # two voxels along the first axis
    made = AUGMENTER(values, alone(motion=motion))
    assert torch.allclose(made[:, 0], values[:, 0], atol=1e-4)
    moved = torch.roll(values, -2, dims=2)
    for contrast in (1, 2):
        pair = (inner(made)[:, contrast].flatten(), inner(moved)[:, contrast].flatten())
        assert np.corrcoef(*pair)[0, 1] > 0.99


def test_a_cut_field_of_view_ends_where_it_says() -> None:
    cut = np.zeros((2, 3, 2), np.float32)
    cut[0, 1, 0], cut[1, 0, 1] = 0.5, 0.25
    values = smooth()
    made = AUGMENTER(values, alone(cut=cut))
    half, quarter = SHAPE[2] // 2, SHAPE[2] // 4
    assert not made[0, 1, ..., :half].any()
    assert made[0, 1, ..., half:].any()
    assert not made[1, 0, ..., -quarter:].any()
    assert torch.allclose(made[0, 0], values[0, 0], atol=1e-4)


def test_a_gain_of_the_scanner_is_normalised_away_and_flow_keeps_its_contrast() -> None:
    bend = np.full((2, 3), 1.3, np.float32)
    values = smooth()
    made = AUGMENTER(values, alone(exponent=bend))
    for contrast in (0, 1):
        before, after = (v[:, contrast][:, BRAIN > 0] for v in (values, made))
        assert float(after.std()) == pytest.approx(float(before.std()), rel=0.03)
    flow = made[:, 2][:, BRAIN > 0].std() / values[:, 2][:, BRAIN > 0].std()
    assert float(flow) == pytest.approx(1.3, rel=0.1)
