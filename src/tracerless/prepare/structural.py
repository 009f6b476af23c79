"""The structural volumes on the template grid: T1 and T2."""

from tracerless.core.session import NativeSeries, Template
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity
from tracerless.prepare import perfusion, quality
from tracerless.prepare.channel import Channel, aligned, numbers, place, pull, registration
from tracerless.prepare.head import Head, flattened
from tracerless.registration.sampling import antialiased, decimated
from tracerless.registration.tissues import PRIOR_WEIGHT


def t1(person: Head, template: Template) -> Channel:
    """The T1 on the template grid, head and all, and how well its brain fits the standard one."""
    grid = template.grid
    moved = flattened(person.smooth, person.bias, grid, person.to_native)
    brain = resample(person.smooth_brain, grid, person.to_native).array > 0.5
    standard = template.brain.array > 0
    measured = {
        "brain_ml": float(person.brain.array.sum(dtype=float)) * person.brain.grid.voxel_ml,
        "t1_dice": quality.dice(brain, standard),
        "t1_correlation": quality.correlation(moved, template.t1, standard & brain),
        "left_right": quality.left_right_kept(person.to_native, grid, standard),
        f"coverage_{Contrast.T1W}": quality.coverage(moved, standard),
    }
    parts = person.anatomy
    for name, tissue in (("grey", parts.grey), ("white", parts.white), ("csf", parts.csf)):
        measured[f"{name}_ml"] = float(tissue.array.sum(dtype=float)) * tissue.grid.voxel_ml
    source = {
        "registration": "affine by mutual information, then warp by local correlation",
        "bias": "N4 at 4 mm, geometric mean 1 in the brain",
        "brain": "deepbet",
        "tissues": f"three classes, their mixtures, a gain; template maps at weight {PRIOR_WEIGHT}",
    }
    return Channel(moved, measured, source)


def t2(chosen: NativeSeries, head: Head, template: Template) -> Channel:
    """T2 in arbitrary units; NaN outside its field of view.

    Raises:
        GeometryError: the series cannot be aligned to the T1.
    """
    volume = perfusion.mean(chosen.volumes, Quantity.T2W, Contrast.T2W)
    spacing_mm = template.grid.spacing_mm[0]
    smooth = antialiased(volume, spacing_mm)
    found = place(chosen, decimated(smooth, spacing_mm), head)
    moved = resample(smooth, template.grid, pull(found, head, Contrast.T2W))
    return Channel(
        moved,
        numbers(moved, found, template),
        registration(found),
        alignment=aligned(found, head, Contrast.T2W),
    )
