"""Uptake of PET and SPECT on the template grid, through the T1 of the visit."""

from tracerless.core.atlas import Atlas
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Template
from tracerless.prepare.channel import Channel, aligned, numbers, place, pull, registration
from tracerless.prepare.head import Head
from tracerless.prepare.uptake import Uptake, ratio
from tracerless.registration.sampling import onto


def emission(
    found: Uptake, head: Head, template: Template, atlas: Atlas, recipe: PrepareRecipe
) -> Channel:
    """SUVR: uptake divided by its mean in the recipe's reference region; NaN outside the view.

    Raises:
        GeometryError: the series cannot be aligned to the T1, or misses the reference region.
        QuantityError: the mean uptake in the reference region is not positive.
        RecipeError: the atlas has no such reference region.
    """
    contrast = found.series.contrast
    there = place(found.series, found.volume, head)
    moved = onto(found.volume, template.grid, pull(there, head, contrast))
    made = ratio(moved, found.series, atlas, recipe)
    return Channel(
        made.volume,
        numbers(moved, there, template),
        {**registration(there), **found.source, **made.source},
        alignment=aligned(there, head, contrast),
        scale=made.scale,
        notes=found.notes,
    )
