"""Regions on the network's grid: means, and maps that pass from one to the next without seams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.synthesize.calibration import Calibration

SOFT_FWHM_MM = 10.0
"""How softly one region passes into the next, mm FWHM."""
_REACH = 3.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Labels of the brain's voxels and soft weights of the regions.

    Args:
        brain: (I, J, K).
        labels: (V,) of the brain's voxels; 0 outside every region, else 1 + its place.
        count: (R,) voxels of each region.
        soft: (R, V) share of each region in every voxel; the rest up to 1 belongs to none.
    """

    brain: NDArray[np.bool_]
    labels: NDArray[np.int16]
    count: NDArray[np.int64]
    soft: NDArray[np.float32]

    def means(self, values: NDArray[np.floating]) -> Array:
        """(V,) of the brain's voxels -> (R,) means; 0 for a region without a voxel."""
        total = np.bincount(self.labels, weights=values, minlength=len(self.count) + 1)[1:]
        means: Array = total / np.maximum(self.count, 1)
        return means

    def field(self, outside: float, inside: Sequence[float]) -> NDArray[np.float32]:
        """(V,) one value outside all regions, one in each, soft in between."""
        change = np.array(inside, dtype=np.float64) - outside
        return np.asarray(outside + change.astype(np.float32) @ self.soft, dtype=np.float32)

    def calibrated(
        self, residual: NDArray[np.float32], calibration: Calibration
    ) -> NDArray[np.float32]:
        """(V,) deviations from the expected map, calibrated.

        Every voxel is scaled by the slope of its surroundings; a soft remainder brings each
        region's mean to exactly what its own slope says.
        """
        if not calibration.slopes:
            return np.asarray(np.float32(calibration.slope) * residual)
        made = self.field(calibration.slope, calibration.slopes) * residual
        wanted = calibration.applied(self.means(residual))
        gone = wanted - self.means(made)
        cross = np.stack([self.means(each) for each in self.soft], axis=1)
        amounts = np.linalg.pinv(cross, rcond=1e-3) @ gone
        return np.asarray(made + amounts.astype(np.float32) @ self.soft, dtype=np.float32)


def regions_of(
    brain: NDArray[np.bool_], labels: NDArray[np.int16], n_regions: int, grid: Grid
) -> Regions:
    """The regions of a checkpoint.

    Args:
        brain: (I, J, K).
        labels: (I, J, K) 0, or 1 + place among the regions.
        n_regions: how many.
        grid: of both.
    """
    sigma_vox = [SOFT_FWHM_MM / 2.354820045 / mm for mm in grid.spacing_mm]
    count = np.bincount(labels[brain], minlength=n_regions + 1)[1:]
    total = ndimage.gaussian_filter(brain.astype(np.float32), sigma_vox, truncate=_REACH)
    soft = np.zeros((n_regions, int(brain.sum())), dtype=np.float32)
    place = np.full(brain.shape, -1, dtype=np.int64)
    place[brain] = np.arange(soft.shape[1])
    boxes = ndimage.find_objects(labels, max_label=n_regions)
    for row, box in enumerate(boxes):
        if box is None:
            continue
        wide = tuple(_widened(s, g, n) for s, g, n in zip(box, sigma_vox, brain.shape, strict=True))
        mask = (labels[wide] == row + 1).astype(np.float32)
        blurred = ndimage.gaussian_filter(mask, sigma_vox, truncate=_REACH)
        inside = brain[wide]
        share = blurred[inside] / np.maximum(total[wide][inside], 1e-6)
        soft[row, place[wide][inside]] = share
    return Regions(brain, labels[brain], count, soft)


def _widened(inner: slice, sigma_vox: float, size: int) -> slice:
    more = int(np.ceil(_REACH * sigma_vox)) + 1
    return slice(max(inner.start - more, 0), min(inner.stop + more, size))
