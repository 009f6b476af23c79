"""From native space to the template, one interpolation each: T2, relative CBF, emission."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import relative, suvr
from tracerless.core.session import Native, NativeSeries, Template
from tracerless.core.transform import Affine, Chain, gaussian, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare import perfusion, quality
from tracerless.prepare.head import Head
from tracerless.registration.ladder import Alignment, align
from tracerless.registration.sampling import antialiased, decimated, onto


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One contrast on the template grid, its quality numbers, and how it was made."""

    volume: Volume
    numbers: Mapping[str, float]
    source: Mapping[str, Any]


def t2(chosen: NativeSeries, head: Head, template: Template) -> Channel:
    """T2 in arbitrary units; NaN outside its field of view.

    Raises:
        GeometryError: the series cannot be aligned to the T1.
    """
    volume = perfusion.mean(chosen.volumes, Quantity.T2W, Contrast.T2W)
    spacing_mm = template.grid.spacing_mm[0]
    smooth = antialiased(volume, spacing_mm)
    found = _place(chosen, decimated(smooth, spacing_mm), head)
    moved = resample(smooth, template.grid, _pull(found, head, Contrast.T2W))
    return Channel(moved, _numbers(moved, found, template), _registration(found))


def flow(
    native: Native, chosen: NativeSeries, head: Head, template: Template, recipe: PrepareRecipe
) -> Channel:
    """Relative CBF: flow divided by its mean over the template brain; NaN where nothing was seen.

    Raises:
        GeometryError: the series cannot be aligned to the T1, or does not reach the brain.
        ContrastError: control and label cannot be told apart.
        QuantityError: the mean flow over the brain is not positive.
    """
    found = _place(chosen, perfusion.guide(chosen), head)
    made = perfusion.flow(native, chosen, _brain_on(chosen.grid, found, head))
    moved = onto(made.volume, template.grid, _pull(found, head, Contrast.CBF))
    brain = template.brain.array > 0
    numbers = {
        **_numbers(moved, found, template),
        "negative_share": quality.negative_share(moved, brain),
    }
    scaled = relative(gaussian(moved, recipe.cbf_fwhm_mm), brain)
    source = {
        **_registration(found),
        **made.source,
        "fwhm_mm": recipe.cbf_fwhm_mm,
        "equation": "relative CBF = flow / mean flow over the template brain",
    }
    return Channel(scaled, numbers, source)


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
    found = _place(chosen, uptake, head)
    moved = onto(uptake, template.grid, _pull(found, head, chosen.contrast))
    scaled = suvr(gaussian(moved, recipe.pet_fwhm_mm), atlas.reference(reference))
    source = {
        **_registration(found),
        "n_frames": len(chosen.volumes),
        "fwhm_mm": recipe.pet_fwhm_mm,
        "reference": reference,
        "equation": f"SUVR = uptake / mean uptake in {reference}",
    }
    return Channel(scaled, _numbers(moved, found, template), source)


def _place(chosen: NativeSeries, guide: Volume, head: Head) -> Alignment:
    frame = chosen.frame_of_reference
    same = bool(frame) and frame == head.t1.frame_of_reference
    return align(head.anchor, guide, same_frame=same)


def _pull(found: Alignment, head: Head, contrast: Contrast) -> Chain:
    """Template -> the other series' mm, through the T1."""
    native = head.to_native.target
    return Chain((head.to_native, Affine(native, f"{native}, {contrast}", found.matrix)))


def _brain_on(grid: Grid, found: Alignment, head: Head) -> NDArray[np.bool_]:
    """(I, J, K) the T1's brain on another series' grid."""
    back = Affine("other", "T1w", found.matrix).inverse
    there = resample(head.brain, grid, Affine(back.target, back.source, back.matrix), order=0)
    inside: NDArray[np.bool_] = there.array > 0.5
    return inside


def _numbers(moved: Volume, found: Alignment, template: Template) -> dict[str, float]:
    brain = template.brain.array > 0
    return {
        f"coverage_{moved.contrast}": quality.coverage(moved, brain),
        f"score_{moved.contrast}": found.score,
    }


def _registration(found: Alignment) -> dict[str, Any]:
    return {
        "registration": found.rung,
        "score": round(found.score, 4),
        "sharpness": round(found.sharpness, 4),
        "overlap": round(found.overlap, 4),
        "t1_to_series": [[round(float(v), 6) for v in row] for row in found.matrix],
    }
