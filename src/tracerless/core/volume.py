"""An array with a place, a meaning and a source."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.grid import Grid


class Quantity(StrEnum):
    """What the numbers in a volume mean; the value is the unit's name in sidecars."""

    T1W = "T1w"
    """T1-weighted signal, arbitrary units."""
    T2W = "T2w"
    """T2-weighted signal, arbitrary units."""
    SIGNAL = "signal"
    """Any other MR signal (control, label, M0, difference), arbitrary units."""
    CBF = "mL/100g/min"
    """Absolute cerebral blood flow."""
    RELATIVE_CBF = "relative CBF"
    """Blood flow divided by its mean over the brain; 1 = brain mean."""
    COUNTS = "counts"
    """Detected events or any uncalibrated emission value."""
    ACTIVITY = "kBq/mL"
    """Activity concentration."""
    SUV = "SUV"
    """Activity concentration by injected dose and body weight, g/mL."""
    SUVR = "SUVR"
    """Uptake divided by its mean in a reference region; reference mean = 1."""
    Z = "z"
    """Standard deviations from expectation; negative = lower than expected."""
    PROBABILITY = "probability"
    """0-1."""
    LABEL = "label"
    """Whole numbers that name regions."""


class Contrast(StrEnum):
    """What a series shows; the value is the controlled label used past the border."""

    T1W = "T1w"
    T2W = "T2w"
    FLAIR = "FLAIR"
    ASL = "asl"
    """Control and label volumes, with or without M0 among them."""
    M0 = "m0scan"
    DELTAM = "deltam"
    """Perfusion-weighted difference."""
    CBF = "cbf"
    """A ready-made blood-flow map, absolute or relative."""
    FDG = "FDG"
    ECD = "ECD"
    HMPAO = "HMPAO"
    SYNTHETIC_FDG = "synthFDG"
    """FDG-PET predicted from MR; never acquired."""
    UNKNOWN = "unknown"


MR_INPUTS = (Contrast.T1W, Contrast.T2W, Contrast.CBF)
"""What a synthesizer may look at, in the order of its channels."""

EMISSION = (Contrast.FDG, Contrast.ECD, Contrast.HMPAO, Contrast.SYNTHETIC_FDG)
"""Contrasts whose prepared quantity is SUVR."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What brings a ratio back to a unit: ``value * factor`` is in ``quantity``.

    Raises:
        QuantityError: the factor is not a positive number.
    """

    quantity: Quantity
    factor: float

    def __post_init__(self) -> None:
        """Check once."""
        if not 0 < self.factor < float("inf"):
            raise QuantityError(f"A scale to {self.quantity} of {self.factor} is not positive.")


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A float32 array (I, J, K) on a grid, with a quantity and a contrast; read-only.

    Raises:
        GeometryError: the array does not have the shape of the grid.
        QuantityError: the array holds no finite value.
    """

    array: NDArray[np.float32]
    grid: Grid
    quantity: Quantity
    contrast: Contrast

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        array = np.array(self.array, dtype=np.float32)
        if array.shape != self.grid.shape:
            raise GeometryError(
                f"Array of shape {array.shape} on a grid of shape {self.grid.shape}."
            )
        if not np.isfinite(array).any():
            raise QuantityError(f"A {self.contrast} volume holds no finite value.")
        array.setflags(write=False)
        object.__setattr__(self, "array", array)

    def __repr__(self) -> str:
        """Contrast, quantity, shape and spacing."""
        spacing = "x".join(f"{mm:.2f}" for mm in self.grid.spacing_mm)
        shape = "x".join(str(n) for n in self.grid.shape)
        return f"Volume({self.contrast}, {self.quantity}, {shape}, {spacing} mm)"


def with_array(
    volume: Volume, array: NDArray[np.float32], quantity: Quantity | None = None
) -> Volume:
    """The same place and contrast with other numbers, (I, J, K)."""
    return replace(volume, array=array, quantity=quantity or volume.quantity)


def require_same_grid(*volumes: Volume) -> Grid:
    """The grid that all share.

    Raises:
        GeometryError: two of them lie on different grids.
    """
    first = volumes[0]
    for other in volumes[1:]:
        if other.grid != first.grid:
            raise GeometryError(
                f"{first!r} and {other!r} lie on different grids.",
                hint="Resample one onto the other's grid first (core.transform.resample).",
            )
    return first.grid
