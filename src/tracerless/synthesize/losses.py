"""Errors in SUVR, averaged over the brain voxels that were measured."""

from torch import Tensor

CHARBONNIER_SUVR = 0.02
"""Below this an error counts by its square, above it by its size, SUVR."""


def squared(error: Tensor, valid: Tensor, unit_suvr: float) -> Tensor:
    """Mean squared error in units of ``unit_suvr``, SUVR; leaves the plateau of the mean early.

    Args:
        error: (B, i, j, k) SUVR.
        valid: like ``error``, 0 or 1.
        unit_suvr: error whose square counts as itself.
    """
    return (error.square() * valid).sum() / valid.sum().clamp_min(1) / unit_suvr


def charbonnier(error: Tensor, valid: Tensor) -> Tensor:
    """Mean of a smooth absolute error, SUVR; arguments as ``squared``."""
    soft = (error.square() + CHARBONNIER_SUVR**2).sqrt() - CHARBONNIER_SUVR
    return (soft * valid).sum() / valid.sum().clamp_min(1)


def regional(error: Tensor, valid: Tensor, regions: Tensor) -> Tensor:
    """Mean absolute error of the regional means, SUVR.

    Args:
        error: (B, i, j, k) SUVR.
        valid: like ``error``, 0 or 1.
        regions: (R, i*j*k) 0 or 1, one row a region.
    """
    means, seen = region_means(error, valid, regions)
    return (means.abs() * seen).sum() / seen.sum().clamp_min(1)


def region_means(values: Tensor, valid: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
    """(means, seen), (B, R) each: regional means over valid voxels; ``seen`` is 0 where none is."""
    weight = valid.flatten(1) @ regions.T
    total = (values * valid).flatten(1) @ regions.T
    return total / weight.clamp_min(1), (weight > 0).to(values.dtype)
