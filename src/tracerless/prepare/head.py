"""The T1 path: brain, bias field, and the maps between the person and the template."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Anatomy, NativeSeries, Template
from tracerless.core.transform import Chain, PointMap, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.prepare import engine
from tracerless.registration.brain import brain_mask
from tracerless.registration.ladder import Anchor
from tracerless.registration.sampling import (
    antialiased,
    corners_mm,
    decimated,
    inside_mm,
    lattice,
    onto,
)
from tracerless.registration.tissues import tissues

ANCHOR_MM = 4.0
"""Spacing of the copy that the bias field is estimated on and that others are aligned to, mm."""
_MARGIN_MM = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A T1 and what is known of it.

    Args:
        t1: as converted.
        brain: 0/1 on the T1's grid.
        smooth: the T1 on its own grid, blurred to the template's spacing.
        smooth_brain: the brain likewise, 0-1.
        bias: smooth gain over the T1's field of view, at ``ANCHOR_MM``.
        anchor: what other series of the visit are aligned to.
        to_native: template -> T1 mm.
        to_template: T1 -> template mm.
        anatomy: brain and tissues in the T1's space, at the template's spacing.
    """

    t1: NativeSeries
    brain: Volume
    smooth: Volume
    smooth_brain: Volume
    bias: Volume
    anchor: Anchor
    to_native: Chain
    to_template: Chain
    anatomy: Anatomy


def head(key: str, t1: NativeSeries, template: Template, recipe: PrepareRecipe) -> Head:
    """Find the brain, flatten the T1, and register it to the template.

    Args:
        key: the session; part of the name of its space, so that no map leads to another person's.
        t1: the T1 series; its first volume counts.
        template: the standard brain, on the grid that is registered to.
        recipe: registration preset and seed.

    Raises:
        GeometryError: no brain is found, or the registration gives up.
    """
    volume = t1.volumes[0]
    spacing_mm = template.grid.spacing_mm[0]
    mask = brain_mask(volume, for_mm=spacing_mm)
    brain = with_array(volume, mask.astype(np.float32), Quantity.LABEL)
    smooth, smooth_brain = antialiased(volume, spacing_mm), antialiased(brain, spacing_mm)
    anchor, bias = _anchor(smooth, smooth_brain, spacing_mm, recipe.seed)
    work = lattice(inside_mm(brain.array > 0, brain.grid), spacing_mm, _MARGIN_MM)
    flat = flattened(smooth, bias, work)
    inside = resample(smooth_brain, work).array > 0.5
    to_native, to_template = engine.deformable(
        _alone(flat, inside),
        _alone(template.t1, template.brain.array > 0),
        spaces=(template.key, f"{key} T1w"),
        preset=recipe.registration,
        seed=recipe.seed,
    )
    parts = anatomy(flat, inside, template, to_template)
    return Head(t1, brain, smooth, smooth_brain, bias, anchor, to_native, to_template, parts)


def _alone(head: Volume, inside: NDArray[np.bool_]) -> Volume:
    """The brain without its head: 0 around it."""
    return with_array(head, np.nan_to_num(np.where(inside, head.array, np.float32(0))))


def anatomy(
    flat: Volume, inside: NDArray[np.bool_], template: Template, to_template: Chain
) -> Anatomy:
    """Brain and tissues on the lattice of a T1 without its bias field.

    Args:
        flat: the T1; its space is where ``to_template`` starts.
        inside: (I, J, K) the brain.
        template: whose tissue maps say where to expect which tissue.
        to_template: T1 -> template mm.

    Raises:
        GeometryError: the signal does not rise from fluid over grey to white matter.
    """
    expected = (resample(each, flat.grid, to_template) for each in (template.grey, template.white))
    grey, white = (np.nan_to_num(each.array) for each in expected)
    found = tissues(flat.array, inside, grey, white, spacing_mm=flat.grid.spacing_mm[0])

    def part(array: NDArray[Any], quantity: Quantity) -> Volume:
        return Volume(array, flat.grid, quantity, Contrast.T1W)

    return Anatomy(
        space=to_template.source,
        brain=part(inside, Quantity.LABEL),
        grey=part(found.grey, Quantity.PROBABILITY),
        white=part(found.white, Quantity.PROBABILITY),
        csf=part(found.csf, Quantity.PROBABILITY),
    )


def flattened(smooth: Volume, bias: Volume, grid: Grid, pull: PointMap | None = None) -> Volume:
    """The T1 divided by its bias field on a grid; NaN outside the field of view."""
    signal = resample(smooth, grid, pull)
    gain = np.nan_to_num(resample(bias, grid, pull).array, nan=1.0)
    return with_array(signal, signal.array / gain)


def _anchor(
    smooth: Volume, smooth_brain: Volume, spacing_mm: float, seed: int
) -> tuple[Anchor, Volume]:
    """The T1 at ``ANCHOR_MM`` without its bias field, and that field."""
    coarse = lattice(corners_mm(smooth.grid), ANCHOR_MM, 0.0)
    plain = onto(decimated(smooth, spacing_mm), coarse)
    inside = onto(decimated(smooth_brain, spacing_mm), coarse).array > 0.5
    bias = engine.bias_field(plain, inside, seed)
    return Anchor(with_array(plain, plain.array / bias.array), inside), bias
