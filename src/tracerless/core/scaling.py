"""Intensities divided by what they are compared with."""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.volume import Quantity, Volume, with_array

MIN_REFERENCE_ML = 0.8
"""A reference region seen by less than this cannot carry a ratio, ml (100 voxels of 2 mm)."""


def suvr(volume: Volume, reference: NDArray[np.bool_]) -> Volume:
    """Scale (I, J, K) uptake by its mean in the reference region -> SUVR, unitless.

    Args:
        volume: uptake in any linear unit; NaN outside the field of view.
        reference: (I, J, K), the reference region on the same grid.

    Raises:
        GeometryError: the mask has another shape, or less than ``MIN_REFERENCE_ML`` of it is inside
            the field of view.
        QuantityError: the mean of the reference region is not positive.
    """
    return _divide(volume, reference, Quantity.SUVR, "reference region")


def relative(volume: Volume, brain: NDArray[np.bool_]) -> Volume:
    """Scale (I, J, K) blood flow by its mean over the brain -> relative CBF, unitless.

    Args, Raises: as ``suvr``, with the brain for the reference region.
    """
    return _divide(volume, brain, Quantity.RELATIVE_CBF, "brain")


def _divide(volume: Volume, mask: NDArray[np.bool_], quantity: Quantity, name: str) -> Volume:
    if mask.shape != volume.grid.shape:
        raise GeometryError(f"A {name} of shape {mask.shape} for {volume!r}.")
    inside = volume.array[mask & np.isfinite(volume.array)]
    seen_ml = inside.size * volume.grid.voxel_ml
    if seen_ml < MIN_REFERENCE_ML:
        raise GeometryError(
            f"Only {seen_ml:.2f} ml of the {name} lie inside the {volume.contrast} field of view, "
            f"fewer than {MIN_REFERENCE_ML} ml.",
            hint="Choose another reference in the recipe (quantify.reference), or rescan.",
        )
    mean = float(inside.mean(dtype=np.float64))
    if not mean > 0:
        raise QuantityError(
            f"The mean {volume.contrast} in the {name} is {mean:.4g}, not positive.",
            hint="Check the series: is it attenuation-corrected and of the right contrast?",
        )
    return with_array(volume, volume.array / np.float32(mean), quantity)
