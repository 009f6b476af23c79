"""What voxels tell, and that they tell nothing more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tracerless.core.grid import Grid
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io.dicom_scan import scan
from tracerless.io.look import Look, brightness, contradicts, look
from tracerless.io.pixels import load

MM = 4.0
SHAPE = (44, 54, 44)


def _radius(scale_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    centers = (np.array(SHAPE) - 1) / 2
    axes = [(np.arange(n) - c) * MM / s
            for n, c, s in zip(SHAPE, centers, scale_mm, strict=True)]  # fmt: skip
    x, y, z = np.meshgrid(*axes, indexing="ij")
    radius: NDArray[np.float64] = np.sqrt(x**2 + y**2 + z**2)
    return radius


def _head(*, brain: float, fluid: float, scalp: float = 0.9, noise: float = 0.02) -> Volume:
    """A head of 75 x 95 x 80 mm: scalp, bone, brain of 12 mm less, ventricles in the middle."""
    rng = np.random.default_rng(7)
    array = rng.normal(0.02, noise, SHAPE)
    array[_radius((75, 95, 80)) < 1] = scalp
    array[_radius((69, 89, 74)) < 1] = 0.15
    array[_radius((63, 83, 68)) < 1] = brain
    array[_radius((14, 34, 16)) < 1] = fluid
    array = np.abs(array + rng.normal(0, noise, SHAPE))
    affine = np.diag([MM, MM, MM, 1.0])
    return Volume(array.astype(np.float32), Grid(SHAPE, affine), Quantity.SIGNAL, Contrast.UNKNOWN)


DARK, BRIGHT = _head(brain=1.0, fluid=0.25), _head(brain=0.5, fluid=1.3)


def test_dark_fluid_is_t1_or_flair_and_bright_fluid_is_t2() -> None:
    assert look([DARK]).candidates == (Contrast.T1W, Contrast.FLAIR)
    assert look([BRIGHT]).candidates == (Contrast.T2W,)
    assert {look([each]).confidence for each in (DARK, BRIGHT)} == {"guess"}


@given(
    scale=st.floats(0.01, 1000),
    order=st.permutations(range(3)),
    flips=st.tuples(*[st.booleans()] * 3),
)
@settings(max_examples=12, deadline=None)
def test_neither_units_nor_the_order_of_axes_change_what_is_seen(
    scale: float, order: list[int], flips: tuple[bool, bool, bool]
) -> None:
    for volume in (DARK, BRIGHT):
        turned = np.transpose(volume.array, order) * np.float32(scale)
        affine = np.eye(4)
        affine[:3, :3] = 0
        for column, axis in enumerate(order):
            affine[axis, column] = MM * (-1.0 if flips[column] else 1.0)
        turned = np.flip(turned, [c for c in range(3) if flips[c]])
        other = Volume(turned, Grid(turned.shape, affine), Quantity.SIGNAL, Contrast.UNKNOWN)
        assert look([other]) == look([volume])


@pytest.mark.parametrize(
    "volume",
    [
        _head(brain=1.0, fluid=0.95),  # no fluid to be told, as in proton density
        replace(DARK, array=np.zeros(SHAPE, np.float32)),
        replace(DARK, array=np.random.default_rng(1).random(SHAPE, dtype=np.float32)),
        replace(DARK, array=np.ones(SHAPE, np.float32)),
        replace(DARK, array=np.where(DARK.array > 0.5, np.nan, DARK.array).astype(np.float32)),
        Volume(DARK.array[:, :, :1], Grid((44, 54, 1), np.eye(4)), Quantity.SIGNAL, Contrast.T1W),
    ],
    ids=["no fluid", "zeros", "noise", "flat", "not-a-number", "one slice"],
)
def test_what_shows_no_brain_and_fluid_tells_nothing(volume: Volume) -> None:
    assert look([volume]) == Look()


def test_only_a_wrong_sign_of_fluid_contradicts_a_header() -> None:
    dark, bright = look([DARK]), look([BRIGHT])
    assert [contradicts(dark, c) for c in (Contrast.T1W, Contrast.FLAIR)] == [False, False]
    assert contradicts(dark, Contrast.T2W)
    assert contradicts(bright, Contrast.T1W)
    assert not contradicts(bright, Contrast.M0)
    assert not contradicts(Look(), Contrast.T1W)


def _frames(levels: NDArray[np.float64]) -> list[Volume]:
    base = _head(brain=1.0, fluid=0.95)
    return [replace(base, array=base.array * np.float32(level)) for level in levels]


def test_volumes_that_go_up_and_down_in_turn_are_control_and_label() -> None:
    rng = np.random.default_rng(3)
    levels = 1 + 0.01 * (np.arange(20) % 2) + rng.normal(0, 0.002, 20)
    found = look(_frames(levels))
    assert (found.candidates, found.confidence) == ((Contrast.ASL,), "likely")
    with_m0 = np.concatenate([[4.0], levels])
    assert look(_frames(with_m0)).candidates == (Contrast.ASL,)


@pytest.mark.parametrize("seed", range(5))
def test_a_series_that_only_drifts_and_jitters_is_not_labeling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = 1 + np.linspace(0, 0.05, 30) + rng.normal(0, 0.01, 30)
    assert look(_frames(levels)).confidence != "likely"


def test_the_same_volumes_out_of_turn_or_too_few_are_not_labeling() -> None:
    levels = 1 + 0.01 * (np.arange(20) % 2)
    shuffled = np.random.default_rng(2).permutation(levels)
    assert look(_frames(shuffled)).candidates != (Contrast.ASL,)
    assert look(_frames(levels[:4])).candidates != (Contrast.ASL,)


def test_brightness_is_that_of_the_head_alone() -> None:
    assert brightness(_frames(np.array([3.0]))[0]) == pytest.approx(
        3 * brightness(_frames(np.array([1.0]))[0])
    )
    assert np.isnan(brightness(replace(DARK, array=np.zeros(SHAPE, np.float32))))


@pytest.mark.real_data
def test_real_heads_look_like_what_their_headers_say(scans: Path) -> None:
    found = {}
    for series in scan(scans / "mr-one-person").series:
        if series.contrast in {Contrast.T1W, Contrast.T2W}:
            found[series.contrast] = look(load(series.files, series.contrast).volumes)
    assert found[Contrast.T1W].candidates == (Contrast.T1W, Contrast.FLAIR)
    assert found[Contrast.T2W].candidates == (Contrast.T2W,)
