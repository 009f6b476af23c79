"""The T1 path: brain, bias field, and the maps between the person and the template."""

from dataclasses import dataclass

import numpy as np

from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import NativeSeries, Template
from tracerless.core.transform import Chain, PointMap, resample
from tracerless.core.volume import Quantity, Volume, with_array
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
    """

    t1: NativeSeries
    brain: Volume
    smooth: Volume
    smooth_brain: Volume
    bias: Volume
    anchor: Anchor
    to_native: Chain
    to_template: Chain


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
    alone = np.where(resample(smooth_brain, work).array > 0.5, flat.array, np.float32(0))
    to_native, to_template = engine.deformable(
        with_array(flat, np.nan_to_num(alone)),
        template.t1,
        spaces=(template.key, f"{key} T1w"),
        preset=recipe.registration,
        seed=recipe.seed,
    )
    return Head(t1, brain, smooth, smooth_brain, bias, anchor, to_native, to_template)


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
