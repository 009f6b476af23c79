"""Which voxels belong to which region, found once an atlas; numbers over them, many times."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.atlas import ROI_COLUMNS, Atlas

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The labelled voxels of a grid, region after region.

    Args:
        keys: of the regions, in table order.
        voxels: (n,) flat indices into the grid (C order), rising within a region.
        rows: (n,) the place among ``keys`` of each voxel's region, rising.
        starts: (len(keys) + 1,) where each region begins among ``voxels``, and the end.
        voxel_ml: volume of a voxel, ml.
    """

    keys: tuple[str, ...]
    voxels: NDArray[np.intp]
    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    voxel_ml: float


@functools.lru_cache(maxsize=8)
def places(atlas: Atlas) -> Places:
    """Where every region of the atlas lies; one search an atlas."""
    index = np.array([region.index for region in atlas.regions])
    labels = atlas.labels.ravel()
    row_of = np.full(int(max(index.max(), labels.max())) + 1, -1)
    row_of[index] = np.arange(len(index))
    voxels = np.flatnonzero(row_of[labels] >= 0)
    rows = row_of[labels[voxels]]
    order = np.argsort(rows, kind="stable")
    return _places(atlas.keys, voxels[order], rows[order], atlas.grid.voxel_ml)


@functools.lru_cache(maxsize=8)
def composite_places(atlas: Atlas) -> Places:
    """Where every composite of the atlas lies."""
    return _of_masks(atlas.composites, atlas.grid.voxel_ml)


@functools.lru_cache(maxsize=8)
def reference_places(atlas: Atlas) -> Places:
    """Where every reference region of the atlas lies."""
    return _of_masks(atlas.references, atlas.grid.voxel_ml)


def measured(array: NDArray[np.float32], where: Places) -> pd.DataFrame:
    """Count, volume, coverage, mean, median and spread in every region.

    Args:
        array: (I, J, K); a value that is not finite was not seen. A zero is a measured zero.
        where: the regions on the grid of ``array``.

    Returns:
        Index = region keys, columns = ``ROI_COLUMNS``: ``n_voxels`` seen, ``volume_ml`` of the
        whole region, ``coverage`` = seen over all (0-1), ``mean``, ``median``, ``sd`` (population);
        NaN where nothing was seen.
    """
    values = array.ravel()[where.voxels].astype(np.float64)
    rows = where.rows
    if not np.isfinite(values).all():
        seen = np.isfinite(values)
        values, rows = values[seen], rows[seen]
    size = np.diff(where.starts)
    n, mean = _mean(values, rows, len(size))
    variance = _mean((values - mean[rows]) ** 2, rows, len(size))[1]
    return pd.DataFrame(
        {
            "n_voxels": n,
            "volume_ml": size * where.voxel_ml,
            "coverage": n / np.where(size > 0, size, np.nan),
            "mean": mean,
            "median": _medians(values, n),
            "sd": np.sqrt(variance),
        },
        index=pd.Index(where.keys, name="region"),
        columns=list(ROI_COLUMNS),
    )


def means(array: NDArray[np.float32], where: Places) -> NDArray[np.float64]:
    """(n regions,) mean of the seen voxels of an (I, J, K) array; NaN where nothing was seen."""
    values = array.ravel()[where.voxels]
    seen = np.isfinite(values)
    if seen.all():
        return _mean(values, where.rows, len(where.keys))[1]
    return _mean(values[seen], where.rows[seen], len(where.keys))[1]


def _mean(
    values: NDArray[np.floating], rows: NDArray[np.intp], n_rows: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Count and mean a row, summed in float64; NaN where the count is 0."""
    n = np.bincount(rows, minlength=n_rows)
    mean = np.bincount(rows, weights=values, minlength=n_rows) / np.where(n > 0, n, np.nan)
    return n, mean.astype(np.float64)


def _medians(values: NDArray[np.float64], n: NDArray[np.intp]) -> NDArray[np.float64]:
    """Median of each of the runs of ``n`` values; NaN where a run is empty."""
    medians = np.full(len(n), np.nan)
    for row, (stop, count) in enumerate(zip(np.cumsum(n), n, strict=True)):
        if count:
            middle = [(count - 1) // 2, count // 2]
            part = np.partition(values[stop - count : stop], middle)
            medians[row] = part[middle].mean()
    return medians


def _places(
    keys: tuple[str, ...], voxels: NDArray[np.intp], rows: NDArray[np.intp], voxel_ml: float
) -> Places:
    counts = np.bincount(rows, minlength=len(keys))
    return Places(keys, voxels, rows, np.concatenate(([0], np.cumsum(counts))), voxel_ml)


def _of_masks(masks: Mapping[str, Mask], voxel_ml: float) -> Places:
    """Masks may lie across each other."""
    voxels = [np.flatnonzero(mask) for mask in masks.values()]
    rows = np.repeat(np.arange(len(voxels)), [each.size for each in voxels])
    together = np.concatenate(voxels) if voxels else np.zeros(0, dtype=np.intp)
    return _places(tuple(masks), together, rows, voxel_ml)
