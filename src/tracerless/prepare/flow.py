"""Blood flow on the template grid: relative, with the number that makes it absolute if known."""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import points_mm
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import relative
from tracerless.core.session import Native, NativeSeries, Template
from tracerless.core.transform import gaussian, resample
from tracerless.core.volume import Contrast, Quantity, Scale, Volume
from tracerless.prepare import perfusion, quality
from tracerless.prepare.asl_difference import MAX_SHIFT_MM
from tracerless.prepare.asl_sampling import View
from tracerless.prepare.channel import Channel, aligned, numbers, place, pull, registration
from tracerless.prepare.head import Head
from tracerless.prepare.perfusion import Flow
from tracerless.registration.ladder import Alignment

SURE = 0.9
"""Probability from which a voxel counts as the person's grey or white matter."""
_MIN_VOXELS = 100


def flow(
    native: Native, chosen: NativeSeries, head: Head, template: Template, recipe: PrepareRecipe
) -> Channel:
    """Relative CBF: flow divided by its mean over the template brain; NaN where nothing was seen.

    Where labeling is known and plausible the channel has a scale: relative CBF times its factor is
    flow in mL/100 g/min. Otherwise the source says why not.

    Raises:
        GeometryError: the series cannot be aligned to the T1, or does not reach the brain.
        ContrastError: control and label cannot be told apart.
        QuantityError: the series is empty, or the mean flow over the brain is not positive.
    """
    looked = perfusion.look(chosen)
    found = place(chosen, looked.mean, head)
    view = _view(found, head, template)
    made = perfusion.flow(native, looked, view)
    blurred = gaussian(made.volume, recipe.cbf_fwhm_mm)
    scaled = relative(blurred, view.brain)
    source = {
        **registration(found),
        **made.source,
        "fwhm_mm": recipe.cbf_fwhm_mm,
        "relative": "relative CBF = flow / mean flow over the template brain",
    }
    measured = {
        **numbers(made.volume, found, template),
        "negative_share": quality.negative_share(made.volume, view.brain),
        **{f"cbf_{name}": value for name, value in made.levels.items()},
    }
    return Channel(
        scaled,
        measured,
        source,
        alignment=aligned(found, head, Contrast.CBF),
        scale=_scale(blurred, scaled, view),
        notes=_notes(made),
    )


def _view(found: Alignment, head: Head, template: Template) -> View:
    """The template grid, where it lies in the series, and the person's tissues on it."""
    brain, grid = template.brain.array > 0, template.grid
    grey, white = (
        brain & _sure(resample(tissue, grid, head.to_native).array)
        for tissue in (head.anatomy.grey, head.anatomy.white)
    )
    points = pull(found, head, Contrast.CBF)(points_mm(grid))
    return View(grid, points, brain, grey, white)


def _sure(share: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a tissue is almost sure; on a coarse grid, where it is surest."""
    known = np.nan_to_num(share)
    limit = min(SURE, float(np.partition(known.ravel(), -_MIN_VOXELS)[-_MIN_VOXELS]))
    sure: NDArray[np.bool_] = known >= max(limit, 0.5)
    return sure


def _scale(flow: Volume, ratio: Volume, view: View) -> Scale | None:
    """What turns the ratio back into mL/100 g/min; None where flow is relative only."""
    if flow.quantity is not Quantity.CBF:
        return None
    known = view.brain & (ratio.array > 0)
    factor = flow.array[known].sum(dtype=float) / ratio.array[known].sum(dtype=float)
    return Scale(Quantity.CBF, float(factor))


def _notes(made: Flow) -> tuple[str, ...]:
    """A sentence for what makes the session one to look at."""
    wrong = [each.reason for each in made.doubts if each.needs_look]
    notes = [f"Blood flow is relative only: {reason}." for reason in wrong]
    moved_mm = made.source.get("motion_max_mm", 0.0)
    if moved_mm > MAX_SHIFT_MM:
        notes.append(f"The head moved by {moved_mm:.1f} mm during the labeling series.")
    return tuple(notes)
