"""The outside engines, seen through our own values."""

import ants
import numpy as np
import pytest
from prepare_phantom import gain, native_grid
from scipy import ndimage

from tracerless.core.grid import Grid, points_mm
from tracerless.core.transform import Chain, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import resources
from tracerless.prepare import engine

SPACES = ("standard", "person")


@pytest.fixture(scope="module")
def fixed() -> Volume:
    return resources.template(4.0).t1


@pytest.fixture(scope="module")
def moving(fixed: Volume) -> Volume:
    """The standard brain, smaller, shifted and bent, on a lattice of its own."""
    affine = np.diag((4.0, 4.0, 4.0, 1.0))
    affine[:3, 3] = (-80.0, -120.0, -75.0)
    grid = Grid((44, 54, 45), affine)
    index = (truth(points_mm(grid)) - fixed.grid.affine[:3, 3]) / 4.0
    bent = ndimage.map_coordinates(fixed.array, np.moveaxis(index, -1, 0), order=1)
    return Volume(bent, grid, Quantity.T1W, Contrast.T1W)


def truth(points: np.ndarray) -> np.ndarray:
    """Standard mm of the person's mm."""
    return (points * 1.06 + (4.0, -6.0, 5.0) + 3.0 * np.sin(points[..., [1, 2, 0]] / 35)).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def maps(fixed: Volume, moving: Volume) -> tuple[Chain, Chain]:
    return engine.deformable(moving, fixed, spaces=SPACES, preset="fast", seed=7)


def test_maps_agree_with_the_engines_own_resampling(fixed: Volume, moving: Volume) -> None:
    """Equal seeds give equal maps, so ANTs called by hand warps with the same ones."""
    settings = {"type_of_transform": "SyN", "reg_iterations": (10, 5, 0)}
    to_native, to_template = engine.registered(
        fixed, moving, spaces=SPACES, seed=7, what="T1", **settings
    )
    assert (to_native.source, to_native.target) == SPACES
    assert (to_template.source, to_template.target) == SPACES[::-1]
    ants.config.set_ants_deterministic(on=True, seed_value=7)
    made = ants.registration(by_hand(fixed), by_hand(moving), **settings)
    for ours, own in (
        (resample(moving, fixed.grid, to_native), made["warpedmovout"].numpy()),
        (resample(fixed, moving.grid, to_template), made["warpedfixout"].numpy()),
    ):
        known = np.isfinite(ours.array) & (own > 0)
        assert known.sum() > 20_000
        assert np.abs(ours.array[known] - own[known]).max() < 0.005 * own.max()


def by_hand(volume: Volume) -> ants.ANTsImage:
    origin = volume.grid.affine[:3, 3].tolist()
    return ants.from_numpy(volume.array, origin=origin, spacing=list(volume.grid.spacing_mm))


def test_maps_find_the_planted_bend_and_undo_each_other(
    fixed: Volume, maps: tuple[Chain, Chain]
) -> None:
    to_native, to_template = maps
    points = points_mm(fixed.grid)[resources.template(4.0).brain.array > 0]
    native = to_native(points)
    error_mm = np.linalg.norm(truth(native) - points, axis=1)
    assert error_mm.mean() < 1.5
    assert np.linalg.norm(to_template(native) - points, axis=1).max() < 1.0


def test_equal_seeds_give_equal_maps(
    fixed: Volume, moving: Volume, maps: tuple[Chain, Chain]
) -> None:
    again = engine.deformable(moving, fixed, spaces=SPACES, preset="fast", seed=7)
    assert np.array_equal(again[0].maps[0].vectors, maps[0].maps[0].vectors)
    assert np.array_equal(again[0].maps[1].matrix, maps[0].maps[1].matrix)
    assert np.array_equal(again[1].maps[1].vectors, maps[1].maps[1].vectors)


def test_other_seeds_give_other_maps_and_global_generators_are_left_alone(
    fixed: Volume, moving: Volume, maps: tuple[Chain, Chain]
) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    other, _ = engine.deformable(moving, fixed, spaces=SPACES, preset="fast", seed=8)
    assert not np.array_equal(other.maps[1].matrix, maps[0].maps[1].matrix), "it is not swallowed"
    engine.bias_field(moving, moving.array > 10, seed=1)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_planted_gain_is_found(fixed: Volume) -> None:
    brain = resources.template(4.0).brain.array > 0
    planted = gain(fixed.grid)
    found = engine.bias_field(with_array(fixed, fixed.array * planted), brain, seed=1).array
    without = engine.bias_field(fixed, brain, seed=1).array
    ratio = (found / without / planted)[brain]
    assert ratio.std() / ratio.mean() < 0.03
    assert planted[brain].std() / planted[brain].mean() > 0.15


def test_bias_is_one_on_average_in_the_brain(fixed: Volume) -> None:
    brain = resources.template(4.0).brain.array > 0
    field = engine.bias_field(with_array(fixed, fixed.array * 1e3), brain, seed=1).array
    assert np.log(field[brain]).mean() == pytest.approx(0.0, abs=1e-3)
    assert field.min() > 0


def test_native_grids_of_the_phantom_run_both_ways() -> None:
    assert native_grid((2, 2, 2), "LAS").axcodes == "LAS"
    assert native_grid((2, 2, 2), "RAS").axcodes == "RAS"
