"""The brain cut into blocks, and how bright and how rough each is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BLOCK_MM = 12.0
"""Edge of a block: a lesion of a centimeter or two stands out, the folds of one person do not."""
SOFT_FWHM_MM = 6.0
"""Blur before roughness is measured, mm."""
FINER = 0.87
"""Blur that a grid of half the spacing brings with it, voxels FWHM."""
_SHARE = 0.3
_FLOOR = 1e-2

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Which block each voxel belongs to.

    Args:
        index: (i, j, k) int16 in the brain's box; from 1, 0 outside the brain and in blocks that
            hold too little of it.
        spacing_mm: voxel edge.
    """

    index: NDArray[np.int16]
    spacing_mm: float

    def __len__(self) -> int:
        """How many blocks there are."""
        return int(self.index.max())

    def features(self, values: NDArray[np.float32]) -> Array:
        """(2, C, B): mean of each block, and logarithm of its roughness; NaN where not seen.

        Roughness is the mean distance of a voxel from the mean of its neighbors.

        Args:
            values: (C, i, j, k) normalised MR; 0 = not seen.
        """
        found = np.full((2, len(values), len(self)), np.nan)
        for place, volume in enumerate(values):
            known = (volume != 0) & (self.index > 0)
            found[0, place] = self._means(volume, known)
            rough, judged = _roughness(volume, known, self.spacing_mm)
            found[1, place] = np.log(self._means(rough, judged) + _FLOOR)
        return found

    def both(self, values: NDArray[np.float32]) -> tuple[Array, Array]:
        """Features of a session as it is, and softened as a scan from a finer grid is."""
        sigma_vox = FINER / 2.354820045
        soft = [_softened(each, each != 0, sigma_vox) for each in values]
        return self.features(values), self.features(np.stack(soft))

    def center(self, block: int) -> tuple[float, float, float]:
        """Voxel coordinates in the box of the middle of a block, counted from 0."""
        i, j, k = (float(where.mean()) for where in np.nonzero(self.index == block + 1))
        return i, j, k

    def _means(self, volume: NDArray[np.floating], known: NDArray[np.bool_]) -> Array:
        labels = self.index[known]
        n_bins = len(self) + 1
        count = np.bincount(labels, minlength=n_bins)[1:]
        total = np.bincount(labels, weights=volume[known], minlength=n_bins)[1:]
        whole = np.bincount(self.index.ravel(), minlength=n_bins)[1:]
        means: Array = np.where(count >= 0.5 * whole, total / np.maximum(count, 1), np.nan)
        return means


def blocks_of(brain: NDArray[np.bool_], spacing_mm: float) -> Blocks:
    """Blocks of ``BLOCK_MM``; one that holds little brain is left out.

    Args:
        brain: (i, j, k) in the box.
        spacing_mm: voxel edge.
    """
    edge = max(1, round(BLOCK_MM / spacing_mm))
    counts = [-(-n // edge) for n in brain.shape]
    i, j, k = (np.arange(n) // edge for n in brain.shape)
    number = (i[:, None, None] * counts[1] + j[:, None]) * counts[2] + k
    share = np.bincount(number.ravel(), weights=brain.ravel(), minlength=int(np.prod(counts)))
    kept = share >= _SHARE * edge**3
    order = np.where(kept, np.cumsum(kept), 0).astype(np.int16)
    return Blocks(np.where(brain, order[number], 0).astype(np.int16), spacing_mm)


def _roughness(
    volume: NDArray[np.float32], known: NDArray[np.bool_], spacing_mm: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Distance of each softened voxel from the mean of its six neighbors, where all are known.

    Softened, or it would tell on which grid a scan was prepared more than what the scan shows.
    """
    soft = _softened(volume, known, SOFT_FWHM_MM / 2.354820045 / spacing_mm)
    near, judged = np.zeros_like(soft), known.copy()
    for axis in range(3):
        for step in (1, -1):
            near += np.roll(soft, step, axis)
            judged &= np.roll(known, step, axis)
    return np.abs(soft - near / 6), judged


def _softened(
    volume: NDArray[np.float32], known: NDArray[np.bool_], sigma_vox: float
) -> NDArray[np.float32]:
    """Blurred where it is known; 0 elsewhere."""
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma_vox)
    soft = ndimage.gaussian_filter(np.where(known, volume, 0), sigma_vox)
    return np.where(known, soft / np.maximum(weight, 1e-3), 0).astype(np.float32)
