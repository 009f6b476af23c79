"""Agreement voxel by voxel, inside the brain only and on a fixed scale.

Over a whole grid the empty background decides, and a scale taken from each volume hides its level:
both rank a volume with the disease erased above the right one. Even inside the brain these numbers
prefer what is smooth; they stand beside regional agreement and never in its place.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid

RANGE_SUVR = 3.0
"""Span of SUVR that PSNR and SSIM are relative to, the same for everyone."""
WINDOW_MM = 4.0
"""Standard deviation of the Gaussian window of SSIM, mm."""
_K1, _K2 = 0.01, 0.03

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


def mae(truth: Array, predicted: Array, brain: Mask) -> float:
    """Mean absolute error over the brain voxels that both hold, SUVR; NaN where there are none."""
    error = _errors(truth, predicted, brain)
    return float(np.abs(error).mean()) if error.size else float("nan")


def psnr(truth: Array, predicted: Array, brain: Mask) -> float:
    """Peak signal-to-noise ratio over brain voxels, dB, of ``RANGE_SUVR``."""
    error = _errors(truth, predicted, brain)
    power = float(np.mean(error**2)) if error.size else float("nan")
    return float(10 * np.log10(RANGE_SUVR**2 / power)) if power > 0 else float("nan")


def ssim(truth: Array, predicted: Array, brain: Mask, grid: Grid) -> float:
    """Structural similarity, averaged over brain voxels; windows weigh brain voxels only.

    Args:
        truth: (I, J, K) SUVR.
        predicted: likewise.
        brain: (I, J, K).
        grid: of all.

    Source:
        Wang et al. 2004, IEEE Transactions on Image Processing 13:600, with a Gaussian window.
        Deviates: three dimensions, window in mm, normalized by the brain under it.
    """
    known = brain & np.isfinite(truth) & np.isfinite(predicted)
    if not known.any():
        return float("nan")
    sigma_vox = [WINDOW_MM / edge for edge in grid.spacing_mm]
    box = ndimage.find_objects(known.astype(np.int8))[0]
    inside = known[box]
    weight = _blurred(inside.astype(np.float64), sigma_vox)
    t, p = (np.where(known, each, 0)[box].astype(np.float64) for each in (truth, predicted))

    def local(array: NDArray[np.float64]) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = _blurred(array, sigma_vox)[inside] / weight[inside]
        return mean

    mean_t, mean_p = local(t), local(p)
    var_t, var_p = local(t * t) - mean_t**2, local(p * p) - mean_p**2
    cov = local(t * p) - mean_t * mean_p
    c1, c2 = (_K1 * RANGE_SUVR) ** 2, (_K2 * RANGE_SUVR) ** 2
    level = (2 * mean_t * mean_p + c1) / (mean_t**2 + mean_p**2 + c1)
    return float((level * (2 * cov + c2) / (var_t + var_p + c2)).mean())


def held(truth: Array, predicted: Array, half_width: Array, brain: Mask) -> float:
    """Share of brain voxels whose interval holds the truth; NaN where there are none."""
    known = brain & np.isfinite(truth) & np.isfinite(predicted) & np.isfinite(half_width)
    if not known.any():
        return float("nan")
    return float((np.abs(truth - predicted)[known] <= half_width[known]).mean())


def _errors(truth: Array, predicted: Array, brain: Mask) -> NDArray[np.float64]:
    known = brain & np.isfinite(truth) & np.isfinite(predicted)
    error: NDArray[np.float64] = (predicted[known] - truth[known]).astype(np.float64)
    return error


def _blurred(array: NDArray[np.float64], sigma_vox: list[float]) -> NDArray[np.float64]:
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(
        array, sigma_vox, mode="constant", truncate=3.0
    )
    return blurred
