"""Fields on a lattice: drawn as smooth noise, blurred, and sampled at points in mm."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.transform import Points

Field = NDArray[np.float32]
"""(I, J, K) values on a lattice."""

FWHM_PER_SIGMA = 2.354820045
_POINTS_AT_ONCE = 1 << 20
_DRAWS_PER_FWHM = 3
_MARGIN = 4


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Fields by name on one grid, laid out for sampling; read-only.

    Args:
        names: of the fields, in the order of ``array``.
        grid: their lattice.
        array: (C, I, J, K) float32.
        outside: what a point beyond the grid finds: ``zeros`` or the nearest value (``border``).

    Raises:
        GeometryError: the array does not fit the names or the grid.
    """

    names: tuple[str, ...]
    grid: Grid
    array: NDArray[np.float32]
    outside: Literal["zeros", "border"] = "border"
    _tensor: torch.Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        if self.array.shape != (len(self.names), *self.grid.shape):
            raise GeometryError(
                f"{len(self.names)} fields on {self.grid.shape}, got an array {self.array.shape}."
            )
        copy = torch.from_numpy(np.array(self.array, dtype=np.float32))[None]
        tensor = copy.contiguous(memory_format=torch.channels_last_3d)
        view = tensor[0].numpy()
        view.setflags(write=False)
        object.__setattr__(self, "_tensor", tensor)
        object.__setattr__(self, "array", view)

    def __getitem__(self, name: str) -> Field:
        """The field so named, (I, J, K)."""
        found: Field = self.array[self.names.index(name)]
        return found


def sample_stack(stack: Stack, points: Points) -> dict[str, NDArray[np.float32]]:
    """Every field at (..., 3) mm, linearly interpolated: (...) float32 by name."""
    shape = points.shape[:-1]
    flat = np.ascontiguousarray(points, dtype=np.float32).reshape(-1, 3)
    values = np.empty((len(stack.names), len(flat)), dtype=np.float32)
    for start in range(0, len(flat), _POINTS_AT_ONCE):
        part = slice(start, start + _POINTS_AT_ONCE)
        values[:, part] = _sample_flat(stack, flat[part])
    return {name: row.reshape(shape) for name, row in zip(stack.names, values, strict=True)}


def _sample_flat(stack: Stack, points: Points) -> NDArray[np.float32]:
    inverse = np.linalg.inv(stack.grid.affine)
    scale = 2.0 / np.maximum(np.array(stack.grid.shape) - 1, 1)
    matrix = (inverse[:3, :3] * scale[:, None])[::-1].astype(np.float32)
    shift = (inverse[:3, 3] * scale - 1.0)[::-1].astype(np.float32)
    place = torch.from_numpy(np.ascontiguousarray(points @ matrix.T + shift))
    found = torch.nn.functional.grid_sample(
        stack._tensor,
        place[None, None, None],
        mode="bilinear",
        padding_mode=stack.outside,
        align_corners=True,
    )
    values: NDArray[np.float32] = found[0, :, 0, 0].numpy()
    return values


def lattice(low_mm: Sequence[float], high_mm: Sequence[float], spacing_mm: float) -> Grid:
    """An axis-aligned RAS+ grid whose voxel centers run from ``low_mm`` to at least ``high_mm``."""
    low = np.array(low_mm, dtype=np.float64)
    counts = np.ceil((np.array(high_mm) - low) / spacing_mm - 1e-6).astype(int) + 1
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = low
    return Grid((int(counts[0]), int(counts[1]), int(counts[2])), affine)


def axes_mm(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Coordinates of an axis-aligned grid, shaped (I, 1, 1), (1, J, 1) and (1, 1, K), mm."""
    x, y, z = (
        (grid.affine[a, a] * np.arange(n) + grid.affine[a, 3]).astype(np.float32)
        for a, n in enumerate(grid.shape)
    )
    return x[:, None, None], y[None, :, None], z[None, None, :]


def blur(values: NDArray[np.float32], grid: Grid, fwhm_mm: float) -> Field:
    """A field blurred by a Gaussian of ``fwhm_mm``; the nearest value holds beyond the edge."""
    sigma_vox = fwhm_mm / FWHM_PER_SIGMA / np.array(grid.spacing_mm)
    blurred: Field = ndimage.gaussian_filter(
        values.astype(np.float32, copy=False), sigma_vox, mode="nearest"
    )
    return blurred


def smooth_noise(rng: np.random.Generator, grid: Grid, fwhm_mm: float) -> Field:
    """White noise blurred by a Gaussian of ``fwhm_mm``, of unit variance on average.

    Drawn on a lattice three times finer than ``fwhm_mm`` and interpolated, because a smooth field
    holds nothing between.
    """
    step_mm = min(grid.spacing_mm)
    coarse = max(1, int(fwhm_mm / _DRAWS_PER_FWHM / step_mm))
    counts = [-(-(n - 1) // coarse) + 1 for n in grid.shape]
    drawn = rng.standard_normal([n + 2 * _MARGIN for n in counts], dtype=np.float32)
    sigma_vox = fwhm_mm / FWHM_PER_SIGMA / step_mm / coarse
    smooth = ndimage.gaussian_filter(drawn, sigma_vox)
    smooth = smooth[(slice(_MARGIN, -_MARGIN),) * 3]
    smooth = smooth / _blurred_sd(sigma_vox)
    if coarse == 1:
        noise: Field = np.ascontiguousarray(smooth[tuple(slice(0, n) for n in grid.shape)])
        return noise
    return _interpolate(smooth, coarse, grid.shape)


def _blurred_sd(sigma_vox: float) -> np.float32:
    """The SD that unit white noise keeps after a Gaussian blur along three axes."""
    impulse = np.zeros(8 * int(np.ceil(sigma_vox)) + 3)
    impulse[len(impulse) // 2] = 1.0
    kernel = ndimage.gaussian_filter1d(impulse, sigma_vox, mode="constant")
    return np.float32((kernel**2).sum() ** 1.5)


def _interpolate(values: Field, factor: int, shape: tuple[int, int, int]) -> Field:
    """Linear interpolation, one axis after the other, onto ``shape`` at ``factor`` times finer."""
    for axis, n in enumerate(shape):
        place = np.arange(n) / factor
        low = np.minimum(place.astype(int), values.shape[axis] - 2)
        weight = (place - low).astype(np.float32)
        weight = weight.reshape([-1 if a == axis else 1 for a in range(3)])
        values = values.take(low, axis) * (1 - weight) + values.take(low + 1, axis) * weight
    return values
