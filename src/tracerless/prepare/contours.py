"""How well the edges of one volume run along those of another, whatever their contrasts.

Edges are compared by direction alone: dark on bright counts as bright on dark.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.transform import gaussian
from tracerless.core.volume import Volume

EDGE_FWHM_MM = 8.0
"""Volumes are blurred so before their edges are compared; finer edges are the person's own."""
EDGE_MM = 4.0
"""Spacing of the lattice that edges are compared on, mm; a finer grid is thinned to it."""
_FARTHEST_STEPS = 8
_RIM_MM = 6.0

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float32]
"""(I, J, K) without gaps."""
Gradient = NDArray[np.float32]
"""(I, J, K, 3) change per mm."""
Shift = tuple[int, int, int]
"""Whole steps along each axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Every n-th voxel of a template grid.

    Args:
        step: n.
        spacing_mm: between them, along each axis.
        inside: (I, J, K) of the lattice: the brain without its rim, which every brain shares.
    """

    step: int
    spacing_mm: tuple[float, ...]
    inside: Mask

    def thinned(self, array: NDArray[Any]) -> NDArray[Any]:
        """Of an array over the grid what lies on the lattice."""
        return array[:: self.step, :: self.step, :: self.step]

    def gradient(self, numbers: Numbers) -> Gradient:
        """Change per mm of numbers on the lattice."""
        change: Gradient = np.stack(np.gradient(numbers, *self.spacing_mm), axis=-1)
        return change.astype(np.float32)


def lattice_of(brain: Mask, edge_mm: float) -> Lattice:
    """The lattice about ``EDGE_MM`` apart in a grid of voxels of ``edge_mm``."""
    step = max(round(EDGE_MM / edge_mm), 1)
    apart_mm = edge_mm * step
    thin = brain[::step, ::step, ::step]
    inside = ndimage.binary_erosion(thin, iterations=max(round(_RIM_MM / apart_mm), 1))
    return Lattice(step, (apart_mm,) * 3, inside)


@dataclass(frozen=True, slots=True)
class Fit:
    """``energy`` 0-1 where the volume lies; ``offset_mm`` to where it would fit best, mm."""

    energy: float
    offset_mm: float


def contours(volume: Volume, fixed: Volume, brain: Mask) -> Fit:
    """How well the edges of a volume run along those of another one of any contrast.

    The energy is the mean of ``|cos|`` of the angle between both gradients within the brain,
    weighted by both sizes; dark on bright counts as bright on dark. The offset is where a walk
    over neighboring shifts ends, refined by a parabola along each axis.

    Args:
        volume: on the grid of ``fixed``.
        fixed: what it should lie on.
        brain: (I, J, K); its rim is left out, which every brain shares.

    Source:
        Normalized gradient fields: Haber and Modersitzki 2006, MICCAI, LNCS 4191:726. Deviates:
        weighted by gradient size instead of an edge parameter, and not squared.
    """
    lattice = lattice_of(brain, volume.grid.spacing_mm[0])
    if not lattice.inside.any():
        return Fit(0.0, 0.0)
    moving, still = (
        lattice.gradient(lattice.thinned(blurred(each, brain, EDGE_FWHM_MM)))
        for each in (volume, fixed)
    )
    inside = lattice.inside

    def energy(shift: tuple[int, int, int]) -> float:
        return _energy(np.roll(moving, shift, axis=(0, 1, 2))[inside], still[inside])

    best = _walk(energy)
    refined = np.array(best, float) + [_vertex(energy, best, axis) for axis in range(3)]
    return Fit(energy((0, 0, 0)), float(np.linalg.norm(refined * lattice.spacing_mm)))


def blurred(volume: Volume, brain: Mask, fwhm_mm: float) -> Numbers:
    """The volume blurred; what is not known takes the brain's median."""
    numbers = gaussian(volume, fwhm_mm).array
    known = np.isfinite(numbers)
    inside = volume.array[brain & np.isfinite(volume.array)]
    usual = np.float32(np.median(inside)) if inside.size else np.float32(0)
    return np.where(known, numbers, usual)


def energy_at_best(moving: Gradient, still: Gradient, inside: Mask) -> float:
    """The energy of two gradient fields where a walk over whole steps ends, 0-1."""

    def energy(shift: Shift) -> float:
        return _energy(np.roll(moving, shift, axis=(0, 1, 2))[inside], still[inside])

    return energy(_walk(energy))


def _energy(moving: Gradient, still: Gradient) -> float:
    along = np.abs((moving * still).sum(axis=-1, dtype=np.float64)).sum()
    sizes = np.linalg.norm(moving, axis=-1) * np.linalg.norm(still, axis=-1)
    whole = float(sizes.sum(dtype=np.float64))
    return float(along / whole) if whole > 0 else 0.0


def _walk(energy: Callable[[Shift], float]) -> Shift:
    """From no shift to the neighbor that fits better, until none does."""
    here: Shift = (0, 0, 0)
    value = energy(here)
    for _ in range(_FARTHEST_STEPS):
        around = {each: energy(each) for each in _neighbors(here)}
        best = max(around, key=around.__getitem__)
        if around[best] <= value:
            break
        here, value = best, around[best]
    return here


def _neighbors(here: Shift) -> tuple[Shift, ...]:
    i, j, k = here
    return (
        (i + 1, j, k), (i - 1, j, k), (i, j + 1, k), (i, j - 1, k), (i, j, k + 1), (i, j, k - 1),
    )  # fmt: skip


def _vertex(energy: Callable[[Shift], float], best: Shift, axis: int) -> float:
    """Where the parabola through three neighbors along an axis has its top, in steps from best."""
    around = [tuple(n + (d if a == axis else 0) for a, n in enumerate(best)) for d in (-1, 0, 1)]
    low, top, high = (energy((i, j, k)) for i, j, k in around)
    bend = low - 2 * top + high
    return float(np.clip(0.5 * (low - high) / bend, -0.5, 0.5)) if bend < 0 else 0.0
