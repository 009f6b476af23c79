"""Rigid alignment: planted poses come back, and what does not belong is refused."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from prepare_phantom import Phantom, flow_truth, native_grid, rigid, t2_signal, uptake_truth
from scipy import ndimage

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.registration.ladder import Alignment, Anchor, align
from tracerless.registration.sampling import corners_mm, lattice, onto
from tracerless.registration.similarity import similarity


@pytest.fixture(scope="module")
def anchor(phantom: Phantom) -> Anchor:
    grid = lattice(corners_mm(native_grid((4.0, 4.0, 4.0), "RAS")), 4.0, 0.0)
    head = phantom.see(phantom.head.array, grid, Contrast.T1W, Quantity.T1W)
    brain = phantom.see(phantom.template.brain.array, grid, Contrast.T1W, Quantity.LABEL)
    return Anchor(head, brain.array > 0.5)


def moved(phantom: Phantom, pose: np.ndarray, contrast: Contrast) -> Volume:
    """The phantom seen in a space where T1 mm ``x`` lies at ``pose @ x``."""
    seen = {Contrast.T2W: t2_signal, Contrast.FDG: uptake_truth, Contrast.CBF: flow_truth}
    truth = seen[contrast](phantom)
    other = replace(phantom, pose=pose @ phantom.pose)
    grid = native_grid((3.5, 3.5, 5.0) if contrast is Contrast.CBF else (1.5, 1.5, 4.0), "LAS")
    return other.see(truth, grid, contrast, Quantity.SIGNAL)


def error_mm(found: Alignment, pose: np.ndarray, anchor: Anchor) -> float:
    grid = anchor.t1.grid
    points = np.argwhere(anchor.brain) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    apart = found.matrix - pose
    return float(np.linalg.norm(points @ apart[:3, :3].T + apart[:3, 3], axis=1).max())


NEAR = ((3, -2, 4), (2, -3, 4))
FAR = ((14, -13, 11), (18, -15, 17))
OTHER_FAR = ((-15, 12, -14), (-19, 20, -12))


@pytest.mark.parametrize(
    ("contrast", "planted"),
    [
        (Contrast.T2W, FAR),
        (Contrast.FDG, OTHER_FAR),
        pytest.param(Contrast.CBF, FAR, marks=pytest.mark.slow),
        pytest.param(Contrast.T2W, NEAR, marks=pytest.mark.slow),
        pytest.param(Contrast.FDG, NEAR, marks=pytest.mark.slow),
        pytest.param(Contrast.T2W, OTHER_FAR, marks=pytest.mark.slow),
        pytest.param(Contrast.FDG, FAR, marks=pytest.mark.slow),
    ],
)
def test_planted_pose_comes_back_within_a_millimeter(
    phantom: Phantom, anchor: Anchor, contrast: Contrast, planted: tuple
) -> None:
    pose = rigid(*planted)
    found = align(anchor, moved(phantom, pose, contrast), same_frame=False)
    assert error_mm(found, pose, anchor) < 1.0
    assert found.rung in {"rigid", "multi-start"}


def test_one_frame_of_reference_that_fits_stays_untouched(phantom: Phantom, anchor: Anchor) -> None:
    found = align(anchor, moved(phantom, np.eye(4), Contrast.T2W), same_frame=True)
    assert found.rung == "identity"
    assert np.array_equal(found.matrix, np.eye(4))


def test_one_frame_of_reference_is_not_trusted_when_the_head_moved(
    phantom: Phantom, anchor: Anchor
) -> None:
    pose = rigid((0, 4, 0), (0, 5, 0))
    found = align(anchor, moved(phantom, pose, Contrast.T2W), same_frame=True)
    assert found.rung == "rigid"
    assert error_mm(found, pose, anchor) < 1.0


def test_a_series_with_left_and_right_exchanged_is_refused(
    phantom: Phantom, anchor: Anchor
) -> None:
    stored = moved(phantom, rigid(*NEAR), Contrast.FDG)
    found = align(anchor, stored, same_frame=False)
    assert found.mirrored < 0.9
    exchanged = replace(stored, array=np.ascontiguousarray(stored.array[::-1]))
    with pytest.raises(GeometryError, match="better with left and right exchanged"):
        align(anchor, exchanged, same_frame=False)


def blobs(phantom: Phantom) -> np.ndarray:
    noise = generator("test", "ladder", "blobs").normal(size=native_grid((4.0, 4.0, 4.0)).shape)
    return 100 + 500 * ndimage.gaussian_filter(noise, 4)


def ball(phantom: Phantom) -> np.ndarray:
    points = points_mm(native_grid((4.0, 4.0, 4.0)))
    inside = np.linalg.norm(points - np.float32((0, -18, 8)), axis=-1) < 75
    return 100.0 * inside + generator("test", "ladder", "ball").normal(0, 3, inside.shape)


def upside_down(phantom: Phantom) -> np.ndarray:
    grid = native_grid((4.0, 4.0, 4.0))
    return phantom.see(uptake_truth(phantom), grid, Contrast.FDG, Quantity.COUNTS).array[..., ::-1]


@pytest.mark.parametrize(
    "shape",
    [
        blobs,
        pytest.param(ball, marks=pytest.mark.slow),
        pytest.param(upside_down, marks=pytest.mark.slow),
    ],
)
def test_what_is_no_brain_or_wrongly_turned_is_refused(
    phantom: Phantom, anchor: Anchor, shape: Callable[[Phantom], np.ndarray]
) -> None:
    array = shape(phantom).astype(np.float32)
    volume = Volume(array, native_grid((4.0, 4.0, 4.0)), Quantity.COUNTS, Contrast.FDG)
    with pytest.raises(GeometryError, match="No convincing place"):
        align(anchor, volume, same_frame=False)


def test_a_slab_that_shows_little_of_the_brain_is_refused(phantom: Phantom, anchor: Anchor) -> None:
    whole = moved(phantom, np.eye(4), Contrast.T2W)
    affine = whole.grid.affine.copy()
    affine[:3, 3] += 30 * affine[:3, 2]
    slab_grid = Grid((*whole.grid.shape[:2], 7), affine)
    slab = Volume(whole.array[:, :, 30:37], slab_grid, whole.quantity, whole.contrast)
    with pytest.raises(GeometryError, match="brain in view"):
        align(anchor, slab, same_frame=True)


def test_an_empty_volume_is_refused(anchor: Anchor) -> None:
    grid = native_grid((4.0, 4.0, 4.0))
    empty = Volume(np.zeros(grid.shape, np.float32), grid, Quantity.COUNTS, Contrast.ECD)
    with pytest.raises(QuantityError, match="one value only"):
        align(anchor, empty, same_frame=True)


def test_score_is_one_against_itself_and_near_zero_against_noise(anchor: Anchor) -> None:
    itself = similarity(anchor.t1, anchor.brain, anchor.t1)
    noise = generator("test", "ladder", "noise").normal(100, 20, anchor.t1.grid.shape)
    other = replace(anchor.t1, array=noise.astype(np.float32))
    assert 0.4 < itself(np.eye(4)) <= 1.0
    assert similarity(anchor.t1, anchor.brain, other)(np.eye(4)) < 0.02


def test_score_ignores_the_scale_and_sign_of_contrast(anchor: Anchor) -> None:
    plain = similarity(anchor.t1, anchor.brain, anchor.t1)
    scaled = replace(anchor.t1, array=anchor.t1.array * 37.0)
    inverted = replace(anchor.t1, array=300.0 - anchor.t1.array)
    pose = rigid((2, 1, 0), (1, 1, 0))
    for other in (scaled, inverted):
        score = similarity(anchor.t1, anchor.brain, other)
        assert score(pose) == pytest.approx(plain(pose), rel=0.1)


def test_leaving_the_field_of_view_never_pays(anchor: Anchor) -> None:
    score = similarity(anchor.t1, anchor.brain, anchor.t1)
    scores = [score(rigid((0, 0, 0), (0, 0, float(z)))) for z in (0, 60, 120, 400)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == 0.0


def test_antialiased_copies_keep_the_mean_and_lose_the_stripes() -> None:
    grid = native_grid((1.0, 1.0, 1.0))
    stripes = np.zeros(grid.shape, np.float32)
    stripes[::2] = 100.0
    volume = Volume(stripes, grid, Quantity.SIGNAL, Contrast.T1W)
    coarse = onto(volume, lattice(corners_mm(grid) * 0.8, 4.0, 0.0))
    assert coarse.array.mean() == pytest.approx(50.0, abs=0.5)
    assert coarse.array.std() < 1.0
