"""A person's brain cut into atoms, on the lattice of the person's tissue maps.

Atoms are the pieces, each with one level of uptake, that every region, composite and reference is a
union of.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas
from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.session import Anatomy
from tracerless.core.transform import PointMap, resample
from tracerless.core.volume import Contrast, Quantity, Volume

MIN_ATOM_ML = 0.3
"""A smaller piece joins the largest piece of its parcel, ml: a sliver has no level of its own."""

REACH_MM = 5.0
"""Grey matter without a label takes that of the nearest cortical voxel within this, mm."""

DEEP_REACH_MM = 2.5
"""The same for deep structures: the rim of the ventricles looks like grey matter on a T1, and is
none of the nuclei beside it."""

MIXED = "whole_brain"
"""The reference that holds white matter as well: it cuts no atoms, and all tissue counts in it."""

Map = NDArray[np.float32]
Bins = NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Atoms and tissues on the lattice of the anatomy.

    Args:
        grid: the lattice.
        of_voxel: (I, J, K) int16, the atom of each voxel from 1, 0 = none.
        filled: (I, J, K) share of the voxel that is the atom's tissue, 0-1.
        tissues: shares of ``white``, ``csf``, ``unlabelled`` grey matter and ``outside``
            (I, J, K), with ``filled`` summing to 1.
        members: for every region, composite and reference, the atoms that make it.
        n: how many atoms there are.
    """

    grid: Grid
    of_voxel: Bins
    filled: Map
    tissues: Mapping[str, Map]
    members: Mapping[str, tuple[int, ...]]
    n: int

    def amounts(self, weights: Map, box: tuple[slice, ...] = ()) -> NDArray[np.float64]:
        """(n,) sum of ``weights`` over the tissue of every atom, all within a box."""
        both = (self.filled[box] * weights).ravel().astype(np.float64)
        sums: NDArray[np.float64] = np.bincount(
            self.of_voxel[box].ravel(), weights=both, minlength=self.n + 1
        )[1:].astype(np.float64)
        return sums


def atoms(atlas: Atlas, anatomy: Anatomy, to_template: PointMap) -> Atoms:
    """The atoms of an atlas in a person's brain.

    Args:
        atlas: regions, composites, references and parcels in template space.
        anatomy: tissue maps in the T1's space.
        to_template: from the T1's space to that of the atlas.

    Raises:
        GeometryError: the map starts in another space, or the atlas does not meet the brain.
    """
    if to_template.source != anatomy.space:
        raise GeometryError(
            f"The tissues lie in {anatomy.space!r}, the map starts in {to_template.source!r}."
        )
    codes, members, deep = _cut(atlas)
    volume = Volume(codes.astype(np.float32), atlas.grid, Quantity.LABEL, Contrast.UNKNOWN)
    pulled = np.nan_to_num(resample(volume, anatomy.grid, to_template, order=0).array)
    labelled = pulled.astype(np.int16)
    grey, white = anatomy.grey.array, anatomy.white.array
    solid = np.isin(labelled, deep) * white
    of_voxel = _spread(labelled, deep, anatomy.grid)
    filled = (grey + solid) * (of_voxel > 0)
    if not (filled > 0).any():
        raise GeometryError("The atlas does not meet the grey matter of this person.")
    outside = np.clip(1 - grey - white - anatomy.csf.array, 0, 1)
    tissues = {
        "white": white - solid,
        "csf": anatomy.csf.array,
        "unlabelled": np.where(of_voxel > 0, np.float32(0), grey),
        "outside": outside,
    }
    return Atoms(
        anatomy.grid, of_voxel, filled.astype(np.float32), tissues, members, int(codes.max())
    )


def reference_name(name: str) -> str:
    """How a reference region is called among the members: a region may bear the same name."""
    return f"ref_{name}"


def _cut(atlas: Atlas) -> tuple[Bins, dict[str, tuple[int, ...]], list[int]]:
    """(atom of every voxel of the atlas, the atoms of each name, the atoms of deep structures)."""
    masks = {region.key: atlas.labels == region.index for region in atlas.regions}
    masks |= atlas.composites
    masks |= {
        reference_name(name): mask for name, mask in atlas.references.items() if name != MIXED
    }
    parcels = _parcels(atlas)
    marks = np.array([parcels[parcels > 0], *(mask[parcels > 0] for mask in masks.values())])
    kinds, which = np.unique(marks, axis=1, return_inverse=True)
    which = _without_slivers(which.ravel(), kinds[0], atlas.grid.voxel_ml)
    kept, which = np.unique(which, return_inverse=True)
    codes = np.zeros(atlas.grid.shape, dtype=np.int16)
    codes[parcels > 0] = which + 1
    kinds = kinds[:, kept]
    members = {
        name: tuple((np.flatnonzero(row) + 1).tolist())
        for name, row in zip(masks, kinds[1:], strict=True)
    }
    members[reference_name(MIXED)] = tuple(range(1, len(kept) + 1))
    return codes, members, (np.flatnonzero(np.isin(kinds[0], list(atlas.deep))) + 1).tolist()


def _parcels(atlas: Atlas) -> NDArray[np.int64]:
    """The parcels; a labelled voxel without one takes a number of its region's own."""
    own = atlas.labels.astype(np.int64) + int(atlas.parcels.max())
    return np.where((atlas.parcels == 0) & (atlas.labels > 0), own, atlas.parcels)


def _without_slivers(
    which: NDArray[np.intp], parcel: NDArray[np.int64], voxel_ml: float
) -> NDArray[np.intp]:
    """Every piece below ``MIN_ATOM_ML`` joins the largest of its parcel."""
    size = np.bincount(which, minlength=len(parcel))
    target = np.arange(len(parcel))
    for small in np.flatnonzero(size * voxel_ml < MIN_ATOM_ML):
        same = np.flatnonzero(parcel == parcel[small])
        target[small] = same[size[same].argmax()]
    return target[which]


def _spread(labelled: Bins, deep: list[int], grid: Grid) -> Bins:
    """Labels carried to unlabelled voxels, the nearest first, each kind within its reach."""
    is_deep = np.isin(labelled, deep)
    spread, covered = labelled, np.full(grid.shape, np.inf)
    for kind, reach_mm in ((labelled > 0) & ~is_deep, REACH_MM), (is_deep, DEEP_REACH_MM):
        away, nearest = ndimage.distance_transform_edt(
            ~kind, sampling=grid.spacing_mm, return_indices=True
        )
        closer = (labelled == 0) & (away <= reach_mm) & (away < covered)
        spread = np.where(closer, labelled[tuple(nearest)], spread)
        covered = np.where(closer, away, covered)
    return spread
