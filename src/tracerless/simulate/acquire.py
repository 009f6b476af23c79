"""From a head to what a receiver sees: sampling, blur, pose, receive field, noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless.core.grid import Grid
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast, Quantity, Volume

FloatArray = NDArray[np.float32]

FWHM_PER_SIGMA = 2.354820045


class HeadSample(Protocol):
    """What the simulator of people knows at some points: every array has the points' shape.

    ``tissues`` fractions that sum to 1; ``cbf_…`` mL/100 g/min and ``fdg_…`` SUV of the pure
    tissue; ``transit_s`` arrival of labeled blood; ``t1_factor`` the person's own T1 against the
    table's.
    """

    @property
    def tissues(self) -> Mapping[str, FloatArray]:
        """Fractions by tissue."""
        ...

    @property
    def cbf_grey(self) -> FloatArray:
        """Flow of pure grey matter."""
        ...

    @property
    def cbf_white(self) -> FloatArray:
        """Flow of pure white matter."""
        ...

    @property
    def fdg_grey(self) -> FloatArray:
        """SUV of pure grey matter."""
        ...

    @property
    def fdg_white(self) -> FloatArray:
        """SUV of pure white matter."""
        ...

    @property
    def transit_s(self) -> FloatArray:
        """Arrival time of labeled blood in grey matter."""
        ...

    @property
    def t1_factor(self) -> FloatArray:
        """The person's own T1 of brain tissue against the table's."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A person in a scanner: what is found on a lattice of scanner millimetres."""

    lattice: Grid
    sample: HeadSample


def mixture(sample: HeadSample, values: Mapping[str, float]) -> FloatArray:
    """Partial volume: the sum over tissues of fraction times value; unnamed tissues count 0."""
    total = np.zeros_like(sample.tissues["grey"], dtype=np.float32)
    for tissue, value in values.items():
        if value != 0.0:
            total += sample.tissues[tissue] * np.float32(value)
    return total


def scanner_grid(
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    center_mm: tuple[float, float, float],
    plane: str = "axial",
) -> Grid:
    """A scanner's matrix around a center: columns, rows, slices as the vendors store them.

    ``axial``: columns to the left, rows to the back, slices upward; ``sagittal``: columns to the
    back, rows downward, slices to the right.
    """
    directions = np.diag([-1.0, -1.0, 1.0])
    if plane == "sagittal":
        directions = np.array([[0, 0, 1.0], [-1.0, 0, 0], [0, -1.0, 0]])
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing_mm)
    affine[:3, 3] = center_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def random_pose(
    rng: np.random.Generator,
    degrees: float,
    mm: float,
    center_mm: tuple[float, float, float],
    spaces: tuple[str, str],
) -> Affine:
    """A rigid map between two spaces: SD ``degrees`` and ``mm`` per axis, about the center."""
    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", rng.normal(0, degrees, 3), degrees=True).as_matrix()
    matrix[:3, :3] = turn
    matrix[:3, 3] = np.array(center_mm) - turn @ np.array(center_mm) + rng.normal(0, mm, 3)
    return Affine(*spaces, matrix)


def acquire(
    signal: FloatArray,
    lattice: Grid,
    grid: Grid,
    *,
    fwhm_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    motion: Affine | None = None,
) -> FloatArray:
    """The signal of a lattice as a scanner of that resolution sees it on its own grid.

    Args:
        signal: (I, J, K) on ``lattice``.
        lattice: finer than ``fwhm_mm``.
        grid: where values are wanted.
        fwhm_mm: Gaussian resolution along the axes of ``grid``; linear interpolation's own blur
            is taken off it.
        motion: from the space of ``grid`` to that of ``lattice``; None when the head lay still.

    Returns:
        (I, J, K) on ``grid``; 0 outside the lattice (air).
    """
    moved = motion is not None or lattice != grid
    sigma_vox = _sigma_on_lattice(lattice, grid, fwhm_mm, interpolated=moved)
    if max(sigma_vox) > 0:
        signal = ndimage.gaussian_filter(signal, sigma_vox, mode="nearest")
    if not moved:
        return signal
    volume = Volume(signal, lattice, Quantity.SIGNAL, Contrast.UNKNOWN)
    seen: FloatArray = np.nan_to_num(resample(volume, grid, motion).array, nan=0.0)
    return seen


def _sigma_on_lattice(
    lattice: Grid, grid: Grid, fwhm_mm: tuple[float, float, float], *, interpolated: bool
) -> list[float]:
    cosines = (lattice.affine[:3, :3] / lattice.spacing_mm).T @ (
        grid.affine[:3, :3] / grid.spacing_mm
    )
    variance = cosines**2 @ (np.array(fwhm_mm) / FWHM_PER_SIGMA) ** 2
    if interpolated:
        variance -= np.array(lattice.spacing_mm) ** 2 / 6
    return [float(s) for s in np.sqrt(np.maximum(variance, 0)) / lattice.spacing_mm]


def receive_field(grid: Grid, strength: float, rng: np.random.Generator) -> FloatArray:
    """A smooth receive sensitivity, (I, J, K), mean 1; ``strength`` is the SD of its logarithm.

    Polynomial of third order with random coefficients, lower orders stronger.
    """
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in grid.shape]
    log_field = np.zeros(grid.shape, dtype=np.float32)
    for i in range(4):
        for j in range(4 - i):
            for k in range(4 - i - j):
                if i + j + k == 0:
                    continue
                weight = np.float32(rng.normal() / (i + j + k))
                plane = np.outer(axes[0] ** i, axes[1] ** j) * weight
                log_field += plane[:, :, None] * (axes[2] ** k)[None, None, :]
    log_field *= np.float32(strength / log_field.std())
    field: FloatArray = np.exp(log_field)
    field /= field.mean(dtype=np.float64).astype(np.float32)
    return field


def rician(signal: FloatArray, sigma: float, rng: np.random.Generator) -> FloatArray:
    """The magnitude of the signal with complex Gaussian noise of SD ``sigma`` per channel."""
    noise = rng.standard_normal((2, *signal.shape), dtype=np.float32) * np.float32(sigma)
    magnitude: FloatArray = np.hypot(signal + noise[0], noise[1])
    return magnitude


def smooth_noise(grid: Grid, fwhm_mm: float, rng: np.random.Generator) -> FloatArray:
    """Gaussian random field on a grid, (I, J, K): mean 0, SD 1, smooth at ``fwhm_mm``."""
    sigma_vox = [fwhm_mm / FWHM_PER_SIGMA / mm for mm in grid.spacing_mm]
    white = rng.standard_normal(grid.shape, dtype=np.float32)
    if fwhm_mm <= 0:
        return white
    field: FloatArray = ndimage.gaussian_filter(white, sigma_vox, mode="wrap")
    field /= np.float32(max(float(field.std()), 1e-12))
    return field
