"""How much one volume tells about another: the score of an alignment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import QuantityError
from tracerless.core.volume import Volume
from tracerless.registration.sampling import inside_mm

_OUTSIDE = -1e6
_PERCENTILES = (0.5, 99.5)
_JOINT_SIGMA = 0.7
"""Blur of the joint histogram, bins; it makes the score smooth in the parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """The share of the fixed volume's information that the moving one gives, 0-1.

    Mutual information over a fixed set of points, divided by the entropy of the fixed volume.
    Points outside the moving field of view tell nothing, so leaving the overlap never pays.

    Args:
        points_mm: (n, 3) where the two are compared, mm in the fixed space.
        fixed_bins: (n,) intensity class of the fixed volume at each point.
        moving: (I, J, K) intensities in units of classes; NaN outside the field of view.
        to_voxel: (4, 4) moving mm -> moving voxel.
        n_bins: number of intensity classes.
    """

    points_mm: NDArray[np.float32]
    fixed_bins: NDArray[np.intp]
    moving: NDArray[np.float32]
    to_voxel: NDArray[np.float64]
    n_bins: int

    def __call__(self, matrix: NDArray[np.float64]) -> float:
        """The score when ``matrix`` (4, 4) takes fixed mm to moving mm."""
        values = self._sample(matrix)
        seen = values >= 0
        if not seen.any():
            return 0.0
        joint = self._joint(self.fixed_bins[seen], values[seen])
        of_fixed = _entropy(joint.sum(axis=1))
        if of_fixed <= 0:
            return 0.0
        shared = of_fixed + _entropy(joint.sum(axis=0)) - _entropy(joint)
        return float(seen.mean() * max(shared, 0.0) / of_fixed)

    def overlap(self, matrix: NDArray[np.float64]) -> float:
        """Share of the points that fall inside the moving field of view, 0-1."""
        return float((self._sample(matrix) >= 0).mean())

    @property
    def center_mm(self) -> NDArray[np.float64]:
        """Mean of the points, mm."""
        center: NDArray[np.float64] = self.points_mm.mean(axis=0, dtype=np.float64)
        return center

    def _sample(self, matrix: NDArray[np.float64]) -> NDArray[np.float32]:
        m = (self.to_voxel @ matrix).astype(np.float32)
        index = (self.points_mm @ m[:3, :3].T + m[:3, 3]).T
        sampled: NDArray[np.float32] = ndimage.map_coordinates(
            self.moving, index, order=1, mode="constant", cval=_OUTSIDE, output=np.float32
        )
        return sampled

    def _joint(self, fixed: NDArray[np.intp], moving: NDArray[np.float32]) -> NDArray[np.float64]:
        n = self.n_bins
        lower = moving.astype(np.intp)
        upper = np.minimum(lower + 1, n - 1)
        weight = moving - lower
        counts = np.bincount(fixed * n + lower, 1 - weight, n * n)
        counts += np.bincount(fixed * n + upper, weight, n * n)
        smooth = ndimage.gaussian_filter(counts.reshape(n, n), _JOINT_SIGMA, mode="constant")
        joint: NDArray[np.float64] = smooth / smooth.sum()
        return joint


def similarity(
    fixed: Volume, where: NDArray[np.bool_], moving: Volume, *, n_bins: int = 32
) -> Similarity:
    """Compare two volumes at the voxels of ``fixed`` that ``where`` (I, J, K) marks.

    Raises:
        QuantityError: one of the two holds a single value only.
    """
    known = where & np.isfinite(fixed.array)
    classes = _classes(fixed.array[known], fixed.array[known], n_bins, fixed)
    finite = moving.array[np.isfinite(moving.array)]
    foreground = finite[finite > 0.2 * finite.mean()]
    scaled = _classes(moving.array, foreground, n_bins, moving)
    return Similarity(
        points_mm=inside_mm(known, fixed.grid),
        fixed_bins=np.rint(classes).astype(np.intp),
        moving=np.where(np.isfinite(moving.array), scaled, np.float32(_OUTSIDE)),
        to_voxel=np.linalg.inv(moving.grid.affine).astype(np.float64),
        n_bins=n_bins,
    )


def _classes(
    values: NDArray[np.float32], sample: NDArray[np.float32], n_bins: int, whose: Volume
) -> NDArray[np.float32]:
    low, high = np.percentile(sample, _PERCENTILES) if sample.size else (0.0, 0.0)
    if not high > low:
        raise QuantityError(f"{whose!r} holds one value only; nothing can be aligned to it.")
    scaled = (values - low) / (high - low) * (n_bins - 1)
    classes: NDArray[np.float32] = np.clip(scaled, 0, n_bins - 1).astype(np.float32)
    return classes


def _entropy(share: NDArray[np.float64]) -> float:
    some = share[share > 0]
    return float(-(some * np.log(some)).sum())
