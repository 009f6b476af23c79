"""Regions of the brain, by name, and the tables that are measured in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError, RecipeError, did_you_mean
from tracerless.core.grid import Grid
from tracerless.core.volume import Contrast, Quantity, Scale

ROI_COLUMNS = ("n_voxels", "volume_ml", "coverage", "mean", "median", "sd")
"""Columns of a region table; ``coverage`` is the share inside the field of view, 0-1."""


@dataclass(frozen=True, slots=True)
class Region:
    """One region: ``key`` names it, ``index`` is its value in the atlas volume.

    ``hemisphere`` is ``L``, ``R`` or ``B`` (both); ``lobe`` groups regions for display.
    """

    key: str
    index: int
    hemisphere: str
    lobe: str
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Regions on a template grid, and the reference regions that go with them.

    Args:
        key: name of the atlas, e.g. ``fdg36``.
        grid: template grid.
        labels: (I, J, K) int16; 0 outside every region.
        regions: in the order of their tables.
        references: reference regions by name, (I, J, K) bool each. What a recipe divides by is no
            feature, even where a region lies over it.
        fingerprint: digest of the label table and volume.
        composites: regions that lie across others, such as the AD meta-region; (I, J, K) bool each.
        parcels: (I, J, K) int16; the finer labels that regions are merged from, 0 outside grey
            matter and deep structures. The labels themselves where nothing finer is known.
        deep: parcels in which grey and white matter cannot be told apart (nuclei, brain stem).

    Raises:
        GeometryError: an array does not fit the grid, or a region, composite or reference region
            has no voxel.
        RecipeError: two regions share a key or an index.
    """

    key: str
    grid: Grid
    labels: NDArray[np.int16]
    regions: tuple[Region, ...]
    references: Mapping[str, NDArray[np.bool_]]
    fingerprint: str
    composites: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    parcels: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 0, 0), np.int16))
    deep: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        labels = np.array(self.labels, dtype=np.int16)
        parcels = np.array(self.parcels, dtype=np.int16) if self.parcels.size else labels
        references = {name: np.array(mask, dtype=bool) for name, mask in self.references.items()}
        composites = {name: np.array(mask, dtype=bool) for name, mask in self.composites.items()}
        arrays = {"labels": labels, "parcels": parcels, **references, **composites}
        for name, array in arrays.items():
            if array.shape != self.grid.shape:
                raise GeometryError(f"Atlas {self.key}: {name} {array.shape} on {self.grid.shape}.")
            array.setflags(write=False)
        for name in ("key", "index"):
            values = [getattr(region, name) for region in self.regions]
            if len(set(values)) < len(values):
                raise RecipeError(f"Atlas {self.key}: two regions share one {name}.")
        present = set(np.unique(labels).tolist())
        empty = [region.key for region in self.regions if region.index not in present]
        empty += [name for name, array in arrays.items() if not array.any()]
        if empty:
            raise GeometryError(f"Atlas {self.key}: no voxel for {', '.join(empty)}.")
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "parcels", parcels)
        object.__setattr__(self, "references", MappingProxyType(references))
        object.__setattr__(self, "composites", MappingProxyType(composites))

    @property
    def keys(self) -> tuple[str, ...]:
        """Region keys in table order."""
        return tuple(region.key for region in self.regions)

    def reference(self, name: str) -> NDArray[np.bool_]:
        """The reference region so named, (I, J, K).

        Raises:
            RecipeError: this atlas has no such reference region.
        """
        if name not in self.references:
            raise RecipeError(
                f"Atlas {self.key} has no reference region {name!r}.",
                hint=did_you_mean(name, self.references),
            )
        return self.references[name]


@dataclass(frozen=True, slots=True, eq=False)
class RoiTable:
    """What one volume measures in every region of one atlas.

    Args:
        contrast: what was measured.
        quantity: its unit; the mean over ``reference`` is 1 when SUVR.
        atlas: key of the atlas.
        reference: name of the reference region, empty when the quantity is not a ratio.
        fingerprint: of the recipe that made the volume and the table.
        values: index = region keys, columns = ``ROI_COLUMNS``; a region without coverage is NaN,
            never zero.
        composites: likewise for the atlas' composites.
        references: mean of the volume in every reference region of the atlas; a ratio to another
            reference is the value divided by its mean. NaN where the reference is not seen.
        pvc: partial-volume correction, ``gtm`` or ``mg``; empty when there is none.
        scale: what brings a ratio back to a unit; None where it is known as a ratio only.

    Raises:
        RecipeError: the columns are not ``ROI_COLUMNS``, or a key stands twice.
    """

    contrast: Contrast
    quantity: Quantity
    atlas: str
    reference: str
    fingerprint: str
    values: pd.DataFrame
    composites: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*ROI_COLUMNS]))
    references: Mapping[str, float] = field(default_factory=dict)
    pvc: str = ""
    scale: Scale | None = None

    def __post_init__(self) -> None:
        """Check once."""
        object.__setattr__(self, "references", MappingProxyType(dict(self.references)))
        for table in (self.values, self.composites):
            if tuple(table.columns) != ROI_COLUMNS:
                raise RecipeError(f"A region table has columns {ROI_COLUMNS}, got {list(table)}.")
            if table.index.has_duplicates:
                raise RecipeError("A region stands twice in a region table.")

    @property
    def means(self) -> pd.Series:
        """Mean per region, by key."""
        return self.values["mean"]
