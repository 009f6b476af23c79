"""What a volume measures in every region of an atlas."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.atlas import ROI_COLUMNS, Atlas, RoiTable
from tracerless.core.errors import GeometryError
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Prepared
from tracerless.core.volume import EMISSION, Contrast, Quantity, Volume

BRAIN = "brain"
"""Relative CBF is divided by its mean over the template brain."""


def session(prepared: Prepared, atlas: Atlas, recipe: PrepareRecipe) -> Mapping[Contrast, RoiTable]:
    """A region table for every volume of a prepared session, by contrast.

    Args:
        prepared: one session on the grid of the atlas.
        atlas: regions and reference regions.
        recipe: names the reference region of each emission contrast.

    Raises:
        GeometryError: session and atlas lie on different grids.
        RecipeError: the atlas has no such reference region.
    """
    return {
        contrast: table(
            volume,
            atlas,
            reference=_reference(volume, atlas, recipe),
            fingerprint=prepared.fingerprint,
        )
        for contrast, volume in prepared.volumes.items()
    }


def _reference(volume: Volume, atlas: Atlas, recipe: PrepareRecipe) -> str:
    """What a prepared volume was divided by; empty when it is no ratio."""
    if volume.contrast in EMISSION:
        name = recipe.reference(volume.contrast)
        atlas.reference(name)
        return name
    return BRAIN if volume.quantity is Quantity.RELATIVE_CBF else ""


def table(volume: Volume, atlas: Atlas, *, reference: str, fingerprint: str) -> RoiTable:
    """Mean, median and spread of a volume in every region of the atlas.

    Args:
        volume: on the atlas' grid; NaN where nothing was seen. A zero is a measured zero.
        atlas: the regions.
        reference: what the volume was divided by; empty when its quantity is not a ratio.
        fingerprint: of everything that made the volume.

    Returns:
        One row per region: ``n_voxels`` seen, ``volume_ml`` of the whole region, ``coverage`` =
        seen over all (0-1), ``mean``, ``median``, ``sd`` (population); NaN where nothing was seen.

    Raises:
        GeometryError: volume and atlas lie on different grids.
    """
    if volume.grid != atlas.grid:
        raise GeometryError(
            f"{volume!r} and atlas {atlas.key} lie on different grids.",
            hint="Load the atlas at the voxel_mm of the recipe that prepared the volume.",
        )
    index = np.array([region.index for region in atlas.regions])
    labels = atlas.labels.ravel()
    everything = np.bincount(labels, minlength=index.max() + 1)[index]
    seen = np.isfinite(volume.array).ravel() & (labels > 0)
    n, mean, sd = _moments(labels[seen], volume.array.ravel()[seen], index)
    values = pd.DataFrame(
        {
            "n_voxels": n,
            "volume_ml": everything * atlas.grid.voxel_ml,
            "coverage": n / everything,
            "mean": mean,
            "median": _medians(labels[seen], volume.array.ravel()[seen], index),
            "sd": sd,
        },
        index=pd.Index(atlas.keys, name="region"),
        columns=list(ROI_COLUMNS),
    )
    return RoiTable(volume.contrast, volume.quantity, atlas.key, reference, fingerprint, values)


def _moments(
    labels: NDArray[np.int16], values: NDArray[np.float32], index: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Count, mean and standard deviation per index, float64; NaN where the count is 0."""
    size = int(index.max()) + 1
    n = np.bincount(labels, minlength=size)
    known = np.maximum(n, 1)
    mean = np.bincount(labels, weights=values, minlength=size) / known
    apart = (values - mean[labels]) ** 2
    variance = np.bincount(labels, weights=apart, minlength=size) / known
    mean[n == 0] = variance[n == 0] = np.nan
    return n[index], mean[index], np.sqrt(variance[index])


def _medians(
    labels: NDArray[np.int16], values: NDArray[np.float32], index: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Median per index; NaN where there is none."""
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.vstack((index, index + 1)))
    medians = np.full(len(index), np.nan)
    for row, (start, stop) in enumerate(ends.T):
        if stop > start:
            medians[row] = np.median(values[order[start:stop]].astype(np.float64))
    return medians
