"""Maps, chains and resampling: properties that hold for every input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid, points_mm, with_spacing
from tracerless.core.seeds import generator
from tracerless.core.transform import (
    Affine,
    Chain,
    Displacement,
    gaussian,
    identity,
    resample,
)
from tracerless.core.volume import Contrast, Quantity, Volume

ANGLES = st.floats(-60, 60)
SHIFTS = st.floats(-40, 40)
ZOOMS = st.floats(0.7, 1.4)
SOME = settings(max_examples=25, deadline=None)


def matrix_of(angles: tuple, shifts: tuple, zoom: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = zoom * Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = shifts
    return matrix


MATRICES = st.builds(
    matrix_of, st.tuples(ANGLES, ANGLES, ANGLES), st.tuples(SHIFTS, SHIFTS, SHIFTS), ZOOMS
)


def volume_of(array: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    affine = np.diag((2.0, 2.0, 2.0, 1.0)) if affine is None else affine
    return Volume(array, Grid(array.shape, affine), Quantity.T1W, Contrast.T1W)


def some_points(n: int = 50) -> np.ndarray:
    return generator("test", "points", n).uniform(-80, 80, (n, 3)).astype(np.float32)


@SOME
@given(matrix=MATRICES)
def test_affine_inverse_restores_every_point(matrix: np.ndarray) -> None:
    there = Affine("a", "b", matrix)
    back = there.inverse
    assert (back.source, back.target) == ("b", "a")
    assert np.allclose(back(there(some_points())), some_points(), atol=1e-3)


@SOME
@given(one=MATRICES, two=MATRICES)
def test_chain_of_affines_is_the_product(one: np.ndarray, two: np.ndarray) -> None:
    chain = Chain((Affine("a", "b", one), Affine("b", "c", two)))
    assert (chain.source, chain.target) == ("a", "c")
    product = Affine("a", "c", two @ one)
    assert np.allclose(chain(some_points()), product(some_points()), atol=1e-2)


@SOME
@given(vector=st.tuples(SHIFTS, SHIFTS, SHIFTS))
def test_constant_displacement_is_a_translation_even_beyond_its_grid(vector: tuple) -> None:
    grid = Grid((5, 6, 7), np.diag((4.0, 4.0, 4.0, 1.0)))
    vectors = np.broadcast_to(np.float32(vector), (*grid.shape, 3))
    moved = Displacement("a", "b", grid, vectors)(some_points())
    assert np.allclose(moved, some_points() + np.float32(vector), atol=1e-3)


def test_linear_displacement_is_reproduced_between_grid_points() -> None:
    grid = Grid((9, 9, 9), matrix_of((10, 5, 0), (-20, -20, -20), 5.0))
    slope = np.float32([[0.1, 0.02, 0], [0, -0.05, 0.03], [0.01, 0, 0.08]])
    field = Displacement("a", "b", grid, points_mm(grid) @ slope)
    inner = (points_mm(grid)[2:7, 2:7, 2:7] + np.float32(1.3)).reshape(-1, 3)
    assert np.allclose(field(inner), inner + inner @ slope, atol=1e-3)


def test_chain_whose_ends_do_not_meet_is_refused() -> None:
    with pytest.raises(GeometryError, match="cannot be followed"):
        Chain((identity("a", "b"), identity("c", "d")))
    with pytest.raises(GeometryError, match="at least one map"):
        Chain(())


def test_singular_affine_is_refused() -> None:
    with pytest.raises(GeometryError, match="invertible"):
        Affine("a", "b", np.diag((1.0, 0.0, 1.0, 1.0)))


def test_displacement_of_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="on a grid of shape"):
        Displacement("a", "b", Grid((2, 2, 2), np.eye(4)), np.zeros((2, 2, 3, 3)))


@SOME
@given(order=st.sampled_from([0, 1, 3]), matrix=MATRICES)
def test_resampling_onto_its_own_grid_changes_nothing(order: int, matrix: np.ndarray) -> None:
    array = generator("test", "own-grid").random((7, 8, 9)).astype(np.float32)
    volume = volume_of(array, matrix)
    same = resample(volume, volume.grid, order=order)
    assert np.allclose(same.array, array, atol=1e-3)
    assert same.grid == volume.grid


@SOME
@given(affine=MATRICES, pull=MATRICES)
def test_linear_signal_survives_any_grid_and_map(affine: np.ndarray, pull: np.ndarray) -> None:
    """A ramp in mm is exact under linear interpolation: the affine algebra leaves no room."""
    grid = Grid((40, 40, 40), np.block([[np.eye(3) * 6, np.full((3, 1), -120.0)], [0, 0, 0, 1.0]]))
    ramp = (points_mm(grid) @ np.float32((1.0, 2.0, -3.0))).astype(np.float32)
    wanted = Grid((6, 5, 4), affine)
    known = Affine("wanted", "ramp", pull)
    points = known(points_mm(wanted))
    made = resample(Volume(ramp, grid, Quantity.T1W, Contrast.T1W), wanted, known).array
    inside = (np.abs(points) < 110).all(axis=-1)
    expected = points @ np.float32((1.0, 2.0, -3.0))
    assert np.allclose(made[inside], expected[inside], atol=0.05)


def test_outside_the_field_of_view_is_nan_and_never_zero() -> None:
    volume = volume_of(np.ones((6, 6, 6), np.float32))
    wider = Grid((12, 6, 6), volume.grid.affine)
    made = resample(volume, wider)
    assert np.isnan(made.array[6:]).all()
    assert (made.array[:6] == 1).all()


def test_nothing_in_common_is_refused() -> None:
    volume = volume_of(np.ones((6, 6, 6), np.float32))
    far = np.diag((2.0, 2.0, 2.0, 1.0))
    far[:3, 3] = 500
    with pytest.raises(GeometryError, match="no voxel in common"):
        resample(volume, Grid((6, 6, 6), far))


def test_labels_stay_whole_numbers_under_nearest() -> None:
    labels = generator("test", "labels").integers(0, 9, (8, 8, 8)).astype(np.float32)
    turned = Affine("a", "b", matrix_of((7, -5, 12), (1, 0.5, -1), 1.0))
    made = resample(volume_of(labels), volume_of(labels).grid, turned, order=0).array
    known = made[np.isfinite(made)]
    assert known.size > 100
    assert set(np.unique(known)) <= set(range(9))


def test_one_nan_does_not_spread_through_a_cubic_volume() -> None:
    array = generator("test", "cubic").random((12, 12, 12)).astype(np.float32)
    array[6, 6, 6] = np.nan
    made = resample(volume_of(array), volume_of(array).grid, order=3).array
    assert np.isfinite(made).sum() > 0.95 * made.size


def test_left_and_right_survive_a_flipped_grid() -> None:
    array = np.zeros((10, 6, 6), np.float32)
    array[7:] = 1
    flipped = np.diag((-2.0, 2.0, 2.0, 1.0))
    flipped[0, 3] = 18
    made = resample(volume_of(array), Grid((10, 6, 6), flipped)).array
    assert np.array_equal(made, array[::-1])


@SOME
@given(fwhm=st.floats(0.5, 12), level=st.floats(-50, 50))
def test_blur_keeps_a_constant_and_never_fills_nan(fwhm: float, level: float) -> None:
    array = np.full((10, 10, 10), level, np.float32)
    array[:, :, 7:] = np.nan
    made = gaussian(volume_of(array), fwhm).array
    assert np.isnan(made[:, :, 7:]).all()
    assert np.allclose(made[:, :, :7], level, atol=1e-3)


def test_blur_has_the_width_it_claims() -> None:
    array = np.zeros((61, 61, 61), np.float32)
    array[30, 30, 30] = 1
    line = gaussian(volume_of(array), 10.0).array[:, 30, 30]
    x_mm = 2.0 * (np.arange(61) - 30)
    sigma_mm = np.sqrt((line * x_mm**2).sum() / line.sum())
    assert sigma_mm * 2.3548 == pytest.approx(10.0, rel=0.02)


def test_blur_of_zero_is_the_volume_itself() -> None:
    volume = volume_of(np.ones((3, 3, 3), np.float32))
    assert gaussian(volume, 0.0) is volume


@SOME
@given(shape=st.tuples(*[st.integers(1, 30)] * 3), mm=st.floats(0.5, 3), spacing=st.floats(0.5, 8))
def test_new_spacing_covers_the_old_field_of_view(
    shape: tuple[int, int, int], mm: float, spacing: float
) -> None:
    old = Grid(shape, matrix_of((20, -10, 5), (3, 4, 5), mm))
    new = with_spacing(old, spacing)
    assert np.allclose(new.spacing_mm, spacing)
    to_new = np.linalg.inv(new.affine) @ old.affine
    first = to_new @ (-0.5, -0.5, -0.5, 1)
    last = to_new @ (*(np.array(shape) - 0.5), 1)
    assert np.allclose(first[:3], -0.5, atol=1e-6)
    assert (last[:3] <= np.array(new.shape) - 0.5 + 1e-4).all()
    assert (last[:3] > np.array(new.shape) - 1.5 - 1e-4).all()
