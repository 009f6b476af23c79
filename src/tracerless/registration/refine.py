"""The last stretch of a deformable registration: local correlation, climbed by small smooth steps.

Mutual information knows one table of signals for the whole brain, so a part of few voxels, such as
the brain stem, may lie where the neighbors pushed it. Correlation within a small box around each
voxel sees every part by itself, and cares for no bias field.

Source:
    The force is that of Avants et al. 2008 (Med Image Anal 12:26), equation 6. Deviates: one
    direction only, the inverse follows afterwards; steps are composed as in Vercauteren et al. 2009
    (NeuroImage 45:S61) with a Gaussian on the step and another on the whole.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.core.volume import Volume, require_same_grid

RADIUS_VOX = 2
"""Half the edge of the box of the correlation, voxels of the round."""

_BRIGHT_PERCENTILE = 98
_LEAST_VARIANCE = 1e-5
_INVERSE_ROUNDS = 20

Field = NDArray[np.float32]
Vectors = NDArray[np.float32]
"""(3, I, J, K) voxels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One round of the climb.

    Args:
        voxel_mm: spacing that it works at, about; never finer than the grid.
        n_steps: how many.
        step_vox: the longest move of a step, voxels of the round.
        fluid_vox: sigma of the Gaussian over each step, voxels of the round.
        elastic_vox: sigma of the Gaussian over the whole displacement after each step.
    """

    voxel_mm: float
    n_steps: int
    step_vox: float
    fluid_vox: float
    elastic_vox: float


def refined(
    fixed: Volume, moving: Volume, start_mm: NDArray[np.float32], levels: tuple[Level, ...]
) -> NDArray[np.float32]:
    """The displacement after every round.

    Args:
        fixed: on an isotropic grid along R, A and S, without NaN.
        moving: on the same grid, without NaN.
        start_mm: (I, J, K, 3) mm; ``moving`` sampled at a voxel's place plus its vector looks like
            ``fixed`` at the voxel, more or less.
        levels: coarse to fine.

    Returns:
        (I, J, K, 3) mm.

    Raises:
        GeometryError: the two lie on different grids.
    """
    spacing_mm = require_same_grid(fixed, moving).spacing_mm[0]
    vectors = np.ascontiguousarray(np.moveaxis(start_mm / np.float32(spacing_mm), -1, 0))
    one, other = _scaled(fixed.array), _scaled(moving.array)
    for level in levels:
        stride = max(round(level.voxel_mm / spacing_mm), 1)
        vectors = _climbed(one, other, vectors, level, stride)
    moved: NDArray[np.float32] = np.moveaxis(vectors, 0, -1) * np.float32(spacing_mm)
    return moved


def inverted(vectors_mm: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """The displacement that undoes another, (I, J, K, 3) mm, by fixed-point iteration.

    Args:
        vectors_mm: (I, J, K, 3) mm without folds.
        grid: their lattice, isotropic, along R, A and S.
    """
    spacing_mm = np.float32(grid.spacing_mm[0])
    forward = np.moveaxis(vectors_mm / spacing_mm, -1, 0)
    home = _home(grid.shape)
    back = -forward
    for _ in range(_INVERSE_ROUNDS):
        back = -_sampled(forward, home + back)
    found: NDArray[np.float32] = np.moveaxis(back, 0, -1) * spacing_mm
    return found


def _climbed(fixed: Field, moving: Field, vectors: Vectors, level: Level, stride: int) -> Vectors:
    """The vectors after one round on every ``stride``-th voxel."""
    one, other = _strided(fixed, stride), _strided(moving, stride)
    before = np.stack([_strided(each, stride) for each in vectors]) / np.float32(stride)
    home, now = _home(one.shape), before
    for _ in range(level.n_steps):
        step = _smooth(_force(one, _at(other, home + now)), level.fluid_vox)
        longest = float(np.sqrt((step**2).sum(axis=0)).max())
        if longest <= 0:
            break
        step *= np.float32(level.step_vox / longest)
        now = _smooth(step + _sampled(now, home + step), level.elastic_vox)
    gained = _sampled(now - before, _home(fixed.shape) / np.float32(stride))
    climbed: Vectors = vectors + gained * np.float32(stride)
    return climbed


def _force(fixed: Field, moved: Field) -> Vectors:
    """The direction in which the squared correlation in each voxel's box grows."""
    fixed_apart, moved_apart = fixed - _box(fixed), moved - _box(moved)
    of_fixed, of_moved = (_box(each * each) - _box(each) ** 2 for each in (fixed, moved))
    shared = _box(fixed * moved) - _box(fixed) * _box(moved)
    varies = (of_fixed > _LEAST_VARIANCE) & (of_moved > _LEAST_VARIANCE)
    of_fixed, of_moved = (np.where(varies, each, np.float32(1)) for each in (of_fixed, of_moved))
    pull = shared / (of_fixed * of_moved) * (fixed_apart - shared / of_moved * moved_apart)
    pull = np.where(varies, pull, np.float32(0))
    return np.stack([pull * slope for slope in np.gradient(moved)]).astype(np.float32)


def _box(field: Field) -> Field:
    mean: Field = ndimage.uniform_filter(field, 2 * RADIUS_VOX + 1, mode="nearest")
    return mean


def _smooth(vectors: Vectors, sigma: float) -> Vectors:
    soft = [ndimage.gaussian_filter(v, sigma, mode="nearest", truncate=3.0) for v in vectors]
    return np.stack(soft)


def _strided(field: Field, stride: int) -> Field:
    """Every ``stride``-th voxel, blurred first."""
    if stride == 1:
        return field
    soft = ndimage.gaussian_filter(field, 0.5 * stride, mode="nearest")
    thinned: Field = soft[::stride, ::stride, ::stride]
    return thinned


def _scaled(field: Field) -> Field:
    """The signal as shares of what is bright in it."""
    bright = np.percentile(field[field > 0], _BRIGHT_PERCENTILE) if (field > 0).any() else 1.0
    return (field / bright).astype(np.float32)


def _home(shape: tuple[int, ...]) -> Vectors:
    return np.indices(shape, dtype=np.float32)


def _at(field: Field, index: Vectors) -> Field:
    values: Field = ndimage.map_coordinates(
        field, index, order=1, mode="nearest", output=np.float32
    )
    return values


def _sampled(vectors: Vectors, index: Vectors) -> Vectors:
    return np.stack([_at(each, index) for each in vectors])
