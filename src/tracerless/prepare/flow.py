"""Relative blood flow on the template grid."""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import relative
from tracerless.core.session import Native, NativeSeries, Template
from tracerless.core.transform import Affine, gaussian, resample
from tracerless.core.volume import Contrast
from tracerless.prepare import perfusion, quality
from tracerless.prepare.channel import Channel, aligned, numbers, place, pull, registration
from tracerless.prepare.head import Head
from tracerless.registration.ladder import Alignment
from tracerless.registration.sampling import onto


def flow(
    native: Native, chosen: NativeSeries, head: Head, template: Template, recipe: PrepareRecipe
) -> Channel:
    """Relative CBF: flow divided by its mean over the template brain; NaN where nothing was seen.

    Raises:
        GeometryError: the series cannot be aligned to the T1, or does not reach the brain.
        ContrastError: control and label cannot be told apart.
        QuantityError: the mean flow over the brain is not positive.
    """
    found = place(chosen, perfusion.guide(chosen), head)
    made = perfusion.flow(native, chosen, _brain_on(chosen.grid, found, head))
    moved = onto(made.volume, template.grid, pull(found, head, Contrast.CBF))
    brain = template.brain.array > 0
    measured = {
        **numbers(moved, found, template),
        "negative_share": quality.negative_share(moved, brain),
    }
    scaled = relative(gaussian(moved, recipe.cbf_fwhm_mm), brain)
    source = {
        **registration(found),
        **made.source,
        "fwhm_mm": recipe.cbf_fwhm_mm,
        "equation": "relative CBF = flow / mean flow over the template brain",
    }
    return Channel(scaled, measured, source, alignment=aligned(found, head, Contrast.CBF))


def _brain_on(grid: Grid, found: Alignment, head: Head) -> NDArray[np.bool_]:
    """(I, J, K) the T1's brain on another series' grid."""
    back = Affine("other", "T1w", found.matrix).inverse
    there = resample(head.brain, grid, Affine(back.target, back.source, back.matrix), order=0)
    inside: NDArray[np.bool_] = there.array > 0.5
    return inside
