"""Local correlation finds planted bends, and its inverse undoes them."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.registration.refine import Level, inverted, refined

GRID = Grid((40, 44, 38), np.diag((2.0, 2.0, 2.0, 1.0)))
LEVELS = (
    Level(voxel_mm=4.0, n_steps=40, step_vox=0.25, fluid_vox=2.0, elastic_vox=0.7),
    Level(voxel_mm=2.0, n_steps=10, step_vox=0.25, fluid_vox=2.0, elastic_vox=0.7),
)


def texture(sigma: float = 1.6) -> NDArray[np.float32]:
    noise = generator("test", "refine").normal(size=GRID.shape)
    soft = ndimage.gaussian_filter(noise, sigma)
    return (1.0 + 0.3 * soft / soft.std()).astype(np.float32).clip(0.05)


def bend(reach_mm: float = 4.0) -> NDArray[np.float32]:
    """(I, J, K, 3) mm, smooth, 0 at the edges."""
    at = np.indices(GRID.shape, dtype=np.float32)
    waves = [np.sin(at[(axis + 1) % 3] / 6.0) for axis in range(3)]
    sides = np.array(GRID.shape, dtype=np.float32).reshape(3, 1, 1, 1) - 1
    fade = np.prod(np.sin(np.pi * at / sides), axis=0)
    return (reach_mm * fade[..., None] * np.stack(waves, axis=-1)).astype(np.float32)


def pulled(array: NDArray[np.float32], vectors_mm: NDArray[np.float32]) -> NDArray[np.float32]:
    index = np.indices(GRID.shape) + np.moveaxis(vectors_mm, -1, 0) / 2.0
    return ndimage.map_coordinates(array, index, order=3, mode="nearest").astype(np.float32)


def volume(array: NDArray[np.float32], grid: Grid = GRID) -> Volume:
    return Volume(array, grid, Quantity.T1W, Contrast.T1W)


def inner(field: NDArray[np.float32]) -> NDArray[np.float32]:
    return field[6:-6, 6:-6, 6:-6]


def apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(inner(one) - inner(other), axis=-1).mean())


def test_a_planted_bend_is_found() -> None:
    moving = volume(texture())
    fixed = volume(pulled(moving.array, bend()))
    found = refined(fixed, moving, np.zeros((*GRID.shape, 3), np.float32), LEVELS)
    assert apart(np.zeros_like(found), bend()) > 2.0
    assert apart(found, bend()) < 0.5


def test_a_changing_gain_does_not_matter() -> None:
    moving = volume(texture())
    gain = np.linspace(0.6, 1.8, GRID.shape[1], dtype=np.float32)[None, :, None]
    fixed = volume(pulled(moving.array, bend()) * gain)
    found = refined(fixed, moving, np.zeros((*GRID.shape, 3), np.float32), LEVELS)
    assert apart(found, bend()) < 0.6


def test_what_fits_already_stays() -> None:
    one = volume(texture())
    start = np.zeros((*GRID.shape, 3), np.float32)
    assert np.abs(refined(one, one, start, LEVELS)).max() < 0.05


def test_flat_volumes_move_nothing() -> None:
    flat = volume(np.ones(GRID.shape, np.float32))
    assert np.array_equal(refined(flat, flat, bend(), LEVELS), bend())


def test_no_point_is_folded_over_another() -> None:
    fixed = volume(texture()[::-1].copy())
    found = refined(fixed, volume(texture()), np.zeros((*GRID.shape, 3), np.float32), LEVELS)
    slopes = np.stack([np.stack(np.gradient(found[..., i] / 2.0), -1) for i in range(3)], -2)
    assert np.abs(found).max() > 1.0
    assert np.linalg.det(slopes + np.eye(3)).min() > 0


def test_the_inverse_undoes_the_bend() -> None:
    back = inverted(bend(), GRID)
    there = bend()
    index = np.indices(GRID.shape) + np.moveaxis(there, -1, 0) / 2.0
    returned = [ndimage.map_coordinates(back[..., i], index, order=1) for i in range(3)]
    assert np.abs(inner(there + np.stack(returned, axis=-1))).max() < 0.15
    assert np.abs(inner(there)).max() > 3.0


def test_equal_input_gives_equal_bits() -> None:
    moving, fixed = volume(texture()), volume(pulled(texture(), bend()))
    start = np.zeros((*GRID.shape, 3), np.float32)
    one, other = (refined(fixed, moving, start, LEVELS) for _ in range(2))
    assert np.array_equal(one, other)


def test_other_grids_are_refused() -> None:
    moved = np.diag((2.0, 2.0, 2.0, 1.0))
    moved[0, 3] = 5.0
    with pytest.raises(GeometryError, match="different grids"):
        refined(volume(texture()), volume(texture(), Grid(GRID.shape, moved)), bend(), LEVELS)
