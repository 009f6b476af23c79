"""Tissue maps: planted shares come back, and what is no T1 is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.seeds import generator
from tracerless.registration.tissues import Tissues, tissues

SHAPE = (48, 48, 48)
SIGNAL = (0.3, 0.8, 1.2)
"""Of fluid, grey and white matter."""


def shells(sulcus: float = 17.0) -> NDArray[np.float32]:
    """(3, I, J, K) shares of fluid, grey, white: a white ball in a grey shell in fluid."""
    away = np.linalg.norm(np.indices(SHAPE) - 23.6, axis=0)
    white = np.clip(12.5 - away, 0, 1)
    grey = np.clip(sulcus + 0.5 - away, 0, 1) - white
    inside = away < 21
    return np.stack([inside * (1 - grey - white), inside * grey, inside * white]).astype(np.float32)


def seen(truth: NDArray[np.float32], noise: float = 0.03) -> NDArray[np.float32]:
    """T1 signal of the shares, with noise of SD ``noise``."""
    plain = sum(share * signal for share, signal in zip(truth, SIGNAL, strict=True))
    rough = generator("test", "tissues").normal(0, noise, SHAPE)
    return (700 * (plain + rough)).astype(np.float32)


def divided(truth: NDArray[np.float32], expected: NDArray[np.float32]) -> Tissues:
    brain = truth.sum(axis=0) > 0.5
    maps = [ndimage.gaussian_filter(share, 2.0) for share in expected]
    return tissues(seen(truth), brain, maps[1], maps[2], spacing_mm=2.0)


def stacked(found: Tissues) -> NDArray[np.float32]:
    return np.stack([found.csf, found.grey, found.white])


def test_planted_shares_come_back_in_mixed_voxels_too() -> None:
    truth = shells()
    found = stacked(divided(truth, truth))
    brain = truth.sum(axis=0) > 0.5
    assert np.sqrt(((found - truth)[:, brain] ** 2).mean()) < 0.06
    assert np.allclose(found.sum(axis=(1, 2, 3)), truth.sum(axis=(1, 2, 3)), rtol=0.03)
    mixed = brain & (truth.max(axis=0) < 0.8)
    assert np.abs((found - truth)[:, mixed]).mean() < 0.12


def folded() -> NDArray[np.float32]:
    """(3, 96, 96, 96) 0/1 at .5 mm: cortex of 2.5 mm on both sides of sulci of about 1 mm."""
    rough = generator("test", "folded").standard_normal((96, 96, 96))
    side = ndimage.gaussian_filter(rough, 12.0, mode="wrap") > 0
    edge = np.any([side != np.roll(side, 1, axis) for axis in range(3)], axis=0)
    away_mm = 0.5 * ndimage.distance_transform_edt(~edge)
    fluid, white = away_mm < 0.6, away_mm >= 3.1
    return np.stack([fluid, ~fluid & ~white, white]).astype(np.float32)


def test_a_folded_cortex_is_not_dissolved_into_white_matter_and_fluid() -> None:
    fine = folded()
    blurred = np.stack([ndimage.gaussian_filter(each, 1.7, mode="wrap") for each in fine])
    expected = np.stack([ndimage.gaussian_filter(each, 7.0, mode="wrap") for each in fine])
    shares, maps = blurred[:, 1::4, 1::4, 1::4], expected[:, 1::4, 1::4, 1::4]
    rough = generator("test", "tissues").normal(0, 0.03, shares.shape[1:])
    t1 = sum(share * signal for share, signal in zip(shares, SIGNAL, strict=True)) + rough
    brain = np.ones(shares.shape[1:], dtype=bool)
    found = tissues(t1.astype(np.float32), brain, maps[1], maps[2], spacing_mm=2.0)
    assert found.grey.sum() == pytest.approx(fine[1].sum() / 64, rel=0.3)


def test_an_atrophic_brain_is_not_given_the_cortex_of_the_standard_one() -> None:
    standard, thin = shells(17.0), shells(15.0)
    found = divided(thin, standard)
    assert thin[1].sum() < 0.65 * standard[1].sum()
    assert found.grey.sum() == pytest.approx(thin[1].sum(), rel=0.1)


def test_shares_sum_to_one_inside_and_are_zero_outside() -> None:
    truth = shells()
    found = stacked(divided(truth, truth))
    brain = truth.sum(axis=0) > 0.5
    assert np.allclose(found.sum(axis=0)[brain], 1.0, atol=1e-5)
    assert not found[:, ~brain].any()
    assert found.min() >= 0


def test_a_gain_that_is_left_behind_does_not_move_tissue() -> None:
    truth = shells()
    brain, maps = truth.sum(axis=0) > 0.5, truth[1:]
    tilt = 1 + 0.2 * (np.indices(SHAPE)[2] - 23.5) / 47
    plain = seen(truth)
    straight = stacked(tissues(plain, brain, *maps, spacing_mm=2.0))
    tilted = stacked(tissues((plain * tilt).astype(np.float32), brain, *maps, spacing_mm=2.0))
    unseen = stacked(tissues((plain * tilt).astype(np.float32), brain, *maps, spacing_mm=0.5))
    apart, without = (np.abs(each - straight)[:, brain].mean() for each in (tilted, unseen))
    assert apart < 0.6 * without


def test_unit_of_the_signal_does_not_matter() -> None:
    truth = shells()
    brain, maps = truth.sum(axis=0) > 0.5, truth[1:]
    one = tissues(seen(truth), brain, *maps, spacing_mm=2.0)
    other = tissues(seen(truth) * 0.01, brain, *maps, spacing_mm=2.0)
    assert np.allclose(stacked(one), stacked(other), atol=1e-4)


def test_voxels_without_a_signal_belong_to_no_tissue() -> None:
    truth = shells()
    t1 = seen(truth)
    t1[20:24] = np.nan
    found = stacked(tissues(t1, truth.sum(axis=0) > 0.5, truth[1], truth[2], spacing_mm=2.0))
    assert not found[:, 20:24].any()
    assert np.isfinite(found).all()


def test_a_t2_is_refused_by_its_signals() -> None:
    truth = shells()
    with pytest.raises(GeometryError, match="does not rise from fluid"):
        tissues(1000 - seen(truth), truth.sum(axis=0) > 0.5, truth[1], truth[2], spacing_mm=2.0)


@pytest.mark.parametrize("level", [0.0, -5.0])
def test_an_empty_brain_is_refused(level: float) -> None:
    truth = shells()
    flat = np.full(SHAPE, level, np.float32)
    with pytest.raises(GeometryError, match="cannot be divided"):
        tissues(flat, truth.sum(axis=0) > 0.5, truth[1], truth[2], spacing_mm=2.0)
