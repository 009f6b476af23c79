"""Fields and solids: the lattice work below anatomy and people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.simulate.fields import Stack, axes_mm, lattice, sample_stack, smooth_noise
from tracerless.simulate.solids import Capsule, Ellipsoid, band, blend, carve, filled, union

GRID = lattice((-20, -16, -12), (20, 16, 12), 2.0)
inside = st.tuples(st.floats(-19, 19), st.floats(-15, 15), st.floats(-11, 11))


def linear(grid: Grid) -> np.ndarray:
    points = points_mm(grid)
    return 3.0 + points @ np.array([0.5, -0.25, 2.0], dtype=np.float32)


@given(inside)
def test_linear_interpolation_restores_a_linear_field(point: tuple[float, float, float]) -> None:
    stack = Stack(("ramp",), GRID, linear(GRID)[None])
    found = sample_stack(stack, np.array([point], dtype=np.float32))["ramp"]
    expected = 3.0 + np.dot(point, (0.5, -0.25, 2.0))
    assert found[0] == pytest.approx(expected, abs=1e-3)


def test_fields_are_found_by_name_at_their_own_voxels() -> None:
    arrays = np.stack([linear(GRID), -linear(GRID)])
    found = sample_stack(Stack(("up", "down"), GRID, arrays), points_mm(GRID))
    np.testing.assert_allclose(found["down"], arrays[1], atol=1e-4)
    assert found["up"].shape == GRID.shape


def test_a_point_beyond_the_grid_finds_nothing_or_the_nearest_value() -> None:
    ones = np.ones((1, *GRID.shape), dtype=np.float32)
    far = np.array([[100, 0, 0]], dtype=np.float32)
    assert sample_stack(Stack(("a",), GRID, ones, "zeros"), far)["a"][0] == 0
    assert sample_stack(Stack(("a",), GRID, ones, "border"), far)["a"][0] == 1


def test_a_stack_cannot_be_changed_from_outside() -> None:
    source = np.ones((1, *GRID.shape), dtype=np.float32)
    stack = Stack(("a",), GRID, source)
    source[:] = 7
    assert stack["a"].max() == 1
    with pytest.raises(ValueError, match="read-only"):
        stack["a"][0, 0, 0] = 2


def test_a_stack_of_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="1 fields"):
        Stack(("a",), GRID, np.ones((2, *GRID.shape), dtype=np.float32))


@pytest.mark.parametrize("fwhm_mm", [7.0, 20.0, 45.0])
def test_noise_has_unit_variance_whatever_its_scale(fwhm_mm: float) -> None:
    grid = lattice((-60, -60, -60), (60, 60, 60), 3.0)
    drawn = [smooth_noise(generator("test", i), grid, fwhm_mm) for i in range(12)]
    assert np.mean(np.square(drawn)) == pytest.approx(1.0, abs=0.25)


def test_wide_noise_is_smoother_than_fine_noise() -> None:
    grid = lattice((-60, -60, -60), (60, 60, 60), 3.0)
    steps = [
        np.abs(np.diff(smooth_noise(generator("test"), grid, fwhm_mm), axis=0)).mean()
        for fwhm_mm in (10.0, 40.0)
    ]
    assert steps[1] < steps[0] / 2


def test_a_sphere_knows_its_distance_on_both_sides() -> None:
    x, y, z = axes_mm(GRID)
    expected = np.sqrt((np.abs(x) - 6) ** 2 + y**2 + z**2) - 5
    found = Ellipsoid((6, 0, 0), (5, 5, 5)).distance(GRID)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(
        Capsule((6, 0, 0), (6, 0, 1e-3), 5, 5).distance(GRID), expected, atol=1e-2
    )


def test_blending_only_adds_and_carving_only_removes() -> None:
    one = Ellipsoid((0, 0, 0), (9, 9, 9)).distance(GRID)
    other = Ellipsoid((10, 0, 0), (6, 6, 6)).distance(GRID)
    assert (blend(one, other, 5.0) <= np.minimum(one, other) + 1e-6).all()
    assert (carve(one, other, 5.0) >= one - 1e-6).all()
    assert carve(one, other, 0.0)[other < 0].min() >= 0


def test_filled_share_gives_the_volume_of_a_sphere() -> None:
    share = filled(Ellipsoid((0, 0, 0), (10, 10, 10)).distance(GRID), 2.0)
    assert share.sum() * GRID.voxel_ml == pytest.approx(4 / 3 * np.pi, rel=0.02)


def test_a_band_lies_between_its_two_distances() -> None:
    distance = Ellipsoid((0, 0, 0), (4, 4, 4)).distance(GRID)
    shell = band(distance, 2.0, 5.0, 2.0)
    assert shell[(distance > 3.1) & (distance < 3.9)].min() == 1
    assert shell[(distance < 1) | (distance > 6)].max() == 0


def test_no_solid_is_nowhere() -> None:
    assert (union((), GRID) == np.inf).all()
