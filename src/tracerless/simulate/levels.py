"""Regional levels of flow and metabolism, before anybody's own variation.

The table of regions says what a scanner shows, partial volume included. These functions find the
levels of pure grey matter that, seen through that scanner, give the table.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.simulate.fields import Field, blur
from tracerless.simulate.parameters import RegionLevel
from tracerless.simulate.sections import CalibrationModel

EDGE_FWHM_MM = 4.7
"""How softly one region's level passes into the next, mm; set by hand."""

_PURE_GREY = 0.5
_ENOUGH_VOXELS = 20


def region_index(labels: NDArray[np.int16], regions: Sequence[RegionLevel]) -> NDArray[np.int16]:
    """The place in ``regions`` of each voxel's region, (I, J, K); -1 where no region is."""
    index = np.full(labels.shape, -1, dtype=np.int16)
    for place, region in enumerate(regions):
        index[np.isin(labels, region.labels)] = place
    return index


def spread(index: NDArray[np.int16]) -> NDArray[np.int16]:
    """Every voxel with the region nearest to it, (I, J, K)."""
    nearest = ndimage.distance_transform_edt(index < 0, return_distances=False, return_indices=True)
    found: NDArray[np.int16] = index[tuple(nearest)]
    return found


def level_map(values: NDArray[np.float64], nearest: NDArray[np.int16], grid: Grid) -> Field:
    """Levels by region as a field with soft edges, (I, J, K)."""
    return blur(values.astype(np.float32)[nearest], grid, EDGE_FWHM_MM)


def pure_levels(
    table: NDArray[np.float64],
    white_ratio: float,
    fwhm_mm: float,
    brain: tuple[Field, Field, NDArray[np.int16]],
    *,
    grid: Grid,
    cortex: NDArray[np.bool_],
    model: CalibrationModel,
) -> NDArray[np.float64]:
    """Levels of pure grey matter by region; mean over cortical regions 1.

    Args:
        table: (R,) apparent level of each region, any scale.
        white_ratio: level of white matter over mean cortical grey.
        fwhm_mm: resolution at which the table holds, template mm.
        brain: grey (I, J, K) 0-1, white like it, and the region of each voxel (-1 none).
        grid: of the three.
        cortex: (R,) whether a region is cortex.
        model: steps, damping, and limits of the fixed-point iteration.
    """
    grey, white, index = brain
    nearest = spread(index)
    seen = _seen(grey, index, len(table))
    wanted = table / table[cortex].mean()
    values = wanted.copy()
    for _ in range(int(model.steps)):
        activity = grey * level_map(values, nearest, grid) + np.float32(white_ratio) * white
        apparent = np.array(ndimage.mean(blur(activity, grid, fwhm_mm), seen, range(len(table))))
        apparent = apparent / apparent[cortex].mean()
        values = np.clip(values * (wanted / apparent) ** model.damping, model.low, model.high)
    levels: NDArray[np.float64] = values / values[cortex].mean()
    return levels


def _seen(grey: Field, index: NDArray[np.int16], n_regions: int) -> NDArray[np.int16]:
    """Where each region is measured: its grey voxels, or all where it has hardly any."""
    pure = np.where(grey > _PURE_GREY, index, -1).astype(np.int16)
    counts = np.bincount(pure[pure >= 0], minlength=n_regions)
    for region in np.flatnonzero(counts < _ENOUGH_VOXELS):
        pure[index == region] = region
    return pure
