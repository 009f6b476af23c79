"""Uptake of PET and SPECT on the template grid, through the T1 of the visit."""

from tracerless.core.atlas import Atlas
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import suvr
from tracerless.core.session import NativeSeries, Template
from tracerless.core.transform import gaussian
from tracerless.prepare import perfusion
from tracerless.prepare.channel import Channel, aligned, numbers, place, pull, registration
from tracerless.prepare.head import Head
from tracerless.registration.sampling import onto


def emission(
    chosen: NativeSeries, head: Head, template: Template, atlas: Atlas, recipe: PrepareRecipe
) -> Channel:
    """SUVR: uptake divided by its mean in the recipe's reference region; NaN outside the view.

    Raises:
        GeometryError: the series cannot be aligned to the T1, or misses the reference region.
        QuantityError: the mean uptake in the reference region is not positive.
        RecipeError: the atlas has no such reference region.
    """
    reference = recipe.reference(chosen.contrast)
    uptake = perfusion.mean(chosen.volumes, chosen.volumes[0].quantity, chosen.contrast)
    found = place(chosen, uptake, head)
    moved = onto(uptake, template.grid, pull(found, head, chosen.contrast))
    scaled = suvr(gaussian(moved, recipe.pet_fwhm_mm), atlas.reference(reference))
    source = {
        **registration(found),
        "n_frames": len(chosen.volumes),
        "fwhm_mm": recipe.pet_fwhm_mm,
        "reference": reference,
        "equation": f"SUVR = uptake / mean uptake in {reference}",
    }
    return Channel(
        scaled,
        numbers(moved, found, template),
        source,
        alignment=aligned(found, head, chosen.contrast),
    )
