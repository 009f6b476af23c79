"""Where the head is in an emission volume, which may show a whole body.

A brain is the one bright thing of its size: the volume is searched for blobs of brain size, and
the standard brain is fitted to each of them; heart, liver and bladder do not hold it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.volume import Volume, with_array
from tracerless.registration import standard
from tracerless.registration.sampling import (
    FWHM_PER_SIGMA,
    corners_mm,
    inside_mm,
    lattice,
    onto,
    own_lattice,
)

MIN_SCORE = 0.14
"""A place that tells less than this share of the standard brain's information is none, 8 mm.
Measured on a real whole body: brain .23, heart .11, bladder and liver .07."""
MIN_SHARPNESS = 0.06
"""A move by 8 mm or 8 degrees must lose at least this share of the score. Measured likewise: brain
.12, the others below .04."""
LONGEST_HEAD_MM = 300.0
"""A field of view that is longer than this from foot to head is cut to the head."""
HALF_BOX_MM = (110.0, 130.0, 115.0)
"""What is kept about the brain's center along R, A and S, mm."""

_SEARCH_MM = 8.0
_INNER_FWHM_MM, _OUTER_FWHM_MM = 62.0, 157.0
_APART_MM = 88.0
_MAX_BLOBS = 5
_FAINT = 0.25
_BRIGHTEST = 6.0


def head_start(volume: Volume, wanted: Volume, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Roughly where the standard brain lies: (4, 4) template mm -> the volume's mm.

    Args:
        volume: uptake of a head or of a whole body, in any orientation.
        wanted: the standard uptake, on a grid along R, A and S.
        where: (I, J, K) voxels of ``wanted`` that are compared: the brain and some rim.

    Raises:
        GeometryError: nothing in the volume looks like a brain.
        QuantityError: the volume holds a single value.
    """
    coarse = own_lattice(volume, _SEARCH_MM)
    grid = lattice(corners_mm(wanted.grid), _SEARCH_MM, 0.0)
    rim = onto(with_array(wanted, where.astype(np.float32)), grid).array > 0.5
    target, center_mm = onto(wanted, grid), inside_mm(where, wanted.grid).mean(axis=0)
    found = []
    for blob_mm in _blobs_mm(coarse):
        start = np.eye(4)
        start[:3, 3] = blob_mm - center_mm
        near = _boxed(coarse, blob_mm, margin_mm=_SEARCH_MM * 4)
        found.append(standard.place(target, rim, near, start=start))
    best = max(found, key=lambda each: each.score)
    if best.score < MIN_SCORE or best.sharpness < MIN_SHARPNESS:
        raise GeometryError(
            f"No head is found in the {volume.contrast} (best score {best.score:.2f}, sharpness "
            f"{best.sharpness:.2f}; at least {MIN_SCORE} and {MIN_SHARPNESS} expected).",
            hint="Check that the series shows the brain, and which way up it is.",
        )
    return best.matrix


def cut_to_head(volume: Volume, center_mm: NDArray[np.float64]) -> Volume:
    """The voxels about the brain's center when the field of view is long, else all of them.

    Args:
        volume: a head or a whole body.
        center_mm: (3,) of the brain in the volume's space.
    """
    corners = corners_mm(volume.grid)
    long_mm = float(np.ptp(corners[:, 2]))
    return _boxed(volume, center_mm) if long_mm > LONGEST_HEAD_MM else volume


def _blobs_mm(coarse: Volume) -> list[NDArray[np.float64]]:
    """Centers of what is bright and about as large as a brain, clearest first."""
    seen = np.nan_to_num(coarse.array)
    some = seen[seen > 0.05 * np.percentile(seen, 99.5)]
    plain = np.minimum(seen, _BRIGHTEST * np.median(some)) if some.size else seen
    sigmas = (fwhm / FWHM_PER_SIGMA / _SEARCH_MM for fwhm in (_INNER_FWHM_MM, _OUTER_FWHM_MM))
    inner, outer = (ndimage.gaussian_filter(plain, s, mode="constant") for s in sigmas)
    contrast = inner - outer
    size = 2 * round(_APART_MM / _SEARCH_MM / 2) + 1
    peaks = (contrast == ndimage.maximum_filter(contrast, size)) & (
        contrast >= _FAINT * contrast.max()
    )
    order = np.argsort(-contrast[peaks], kind="stable")[:_MAX_BLOBS]
    affine = coarse.grid.affine
    return [affine[:3, :3] @ index + affine[:3, 3] for index in np.argwhere(peaks)[order]]


def _boxed(volume: Volume, center_mm: NDArray[np.float64], margin_mm: float = 0.0) -> Volume:
    """The voxels within the box about a center, as far as the field of view goes."""
    grid = volume.grid
    half = np.array(HALF_BOX_MM) + margin_mm
    signs = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=float)
    back = np.linalg.inv(grid.affine)
    corners = (center_mm + signs * half) @ back[:3, :3].T + back[:3, 3]
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, grid.shape)
    affine = grid.affine.copy()
    affine[:3, 3] += grid.affine[:3, :3] @ low
    kept = volume.array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return Volume(kept, Grid(kept.shape, affine), volume.quantity, volume.contrast)
