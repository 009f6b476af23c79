"""Errors in SUVR over the brain voxels that were measured: the mean of each person, then of people.

A person with much of the brain cut off counts as much as any other, and shares of a batch that
several processes hold add up to the whole.
"""

import torch
from torch import Tensor
from torch.nn import functional

CHARBONNIER_SUVR = 0.02
"""Below this an error counts by its square, above it by its size, SUVR."""


def person_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean over the voxels of each person, then over people; 0 for a person without weight.

    Args:
        values: (B, …) any.
        weight: like ``values``, 0 or more.
    """
    total = (values * weight).flatten(1).sum(dim=1)
    return (total / weight.flatten(1).sum(dim=1).clamp_min(1e-6)).mean()


def squared(error: Tensor, valid: Tensor, unit_suvr: float) -> Tensor:
    """Mean squared error in units of ``unit_suvr``, SUVR; leaves the plateau of the mean early.

    Args:
        error: (B, i, j, k) SUVR.
        valid: like ``error``, 0 or 1.
        unit_suvr: error whose square counts as itself.
    """
    return person_mean(error.square(), valid) / unit_suvr


def charbonnier(error: Tensor, valid: Tensor) -> Tensor:
    """Mean of a smooth absolute error, SUVR; arguments as ``squared``."""
    return person_mean((error.square() + CHARBONNIER_SUVR**2).sqrt() - CHARBONNIER_SUVR, valid)


def regional(error: Tensor, valid: Tensor, regions: Tensor) -> Tensor:
    """Mean absolute error of the regional means, SUVR.

    Args:
        error: (B, i, j, k) SUVR.
        valid: like ``error``, 0 or 1.
        regions: (R, i*j*k) 0 or 1, one row a region.
    """
    means, seen = region_means(error, valid, regions)
    return person_mean(means.abs(), seen)


def asymmetry(error: Tensor, valid: Tensor, regions: Tensor, mirror: Tensor) -> Tensor:
    """Mean absolute error of left minus right, SUVR; 0 with no pair of regions.

    Args:
        error: (B, i, j, k) SUVR.
        valid: like ``error``, 0 or 1.
        regions: (R, i*j*k) 0 or 1, one row a region.
        mirror: (P, 2) rows of ``regions``: the left and the right of one region.
    """
    if not len(mirror):
        return error.new_zeros(())
    means, seen = region_means(error, valid, regions)
    left, right = mirror.unbind(dim=1)
    both = seen[:, left] * seen[:, right]
    return person_mean((means[:, left] - means[:, right]).abs(), both)


def reference_pin(answer: Tensor, reference: Tensor, unit_suvr: float) -> Tensor:
    """How far the answer lifts the reference region, SUVR: a lift that pinning takes back.

    Without it the level of the whole answer would be free to drift.

    Args:
        answer: (B, i, j, k) in units of ``unit_suvr``.
        reference: (i, j, k) weights that sum to 1.
        unit_suvr: SUVR of one unit.
    """
    return (answer * reference).flatten(1).sum(dim=1).abs().mean() * unit_suvr


def pinball(error: Tensor, valid: Tensor, level: float) -> Tensor:
    """Mean loss that is least where a share ``level`` of the truth lies below, SUVR.

    Args:
        error: (B, i, j, k) truth minus bound, SUVR.
        valid: like ``error``, 0 or 1.
        level: 0-1.

    Source:
        Koenker, Bassett 1978, Econometrica 46:33.
    """
    return person_mean(torch.maximum(level * error, (level - 1) * error), valid)


def hinge(logits: Tensor, weight: Tensor, *, acquired: bool) -> Tensor:
    """How little of a margin of 1 the verdicts keep; no squashing before it.

    Args:
        logits: (B, 1, …) of patches; positive = acquired.
        weight: like ``logits``: share of brain in each patch.
        acquired: what they should say.
    """
    return person_mean(functional.relu(1 - logits if acquired else 1 + logits), weight)


def region_means(values: Tensor, valid: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
    """(means, seen), (B, R) each: regional means over valid voxels; ``seen`` is 0 where none is."""
    weight = valid.flatten(1) @ regions.T
    total = (values * valid).flatten(1) @ regions.T
    return total / weight.clamp_min(1), (weight > 0).to(values.dtype)
