"""Finding the face of a head: the brain first, then the standard brain fitted to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.session import Template
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import EMISSION, Quantity, Volume, with_array
from tracerless.deface.face import Face, Mask
from tracerless.registration.brain import brain_mask
from tracerless.registration.sampling import (
    antialiased,
    inside_mm,
    lattice,
    own_lattice,
)
from tracerless.registration.standard import Placement, place

BRAIN_MM = 2.5
"""Spacing of the lattice that a brain is kept on, mm."""
BRAIN_ML = (700.0, 2100.0)
"""Volume of a brain, from a child's to the largest, ml."""
MIN_DICE, MIN_BRIGHT_DICE = 0.88, 0.65
"""Least overlap of the fitted standard brain with the brain that the network found, and with what
is bright in a PET (which holds scalp and salivary glands and lacks ventricles)."""
MIN_SHARPNESS = 0.10
MIN_OVERLAP = 0.60

MAX_STRETCH = 1.3
"""Most that the fit may stretch one direction more than another: brains differ in form by less."""

_RIM_MM = 8.0
_HEAD_MM = 190.0
_FOREGROUND = 0.35
_GREY, _WHITE = 1.0, 0.4


@dataclass(frozen=True, slots=True)
class Unfit:
    """No face is found that could be removed: ``reason`` is one sentence."""

    reason: str


def fit(head: Volume, template: Template) -> Face | Unfit:
    """Find brain and face in a head.

    Nothing is drawn at random: equal input, equal face.

    Args:
        head: MR with the whole brain (T1 best, T2 as good), or FDG-PET with it.
        template: the standard brain, best at 5 mm.

    Returns:
        The face, or why none is found.
    """
    try:
        return _emission(head, template) if head.contrast in EMISSION else _mr(head, template)
    except (GeometryError, QuantityError) as error:
        return Unfit(error.message)


def _mr(head: Volume, template: Template) -> Face | Unfit:
    """By the brain that a network finds."""
    brain = brain_mask(head, for_mm=4.0)
    if not brain.any():
        return Unfit("No brain was found.")
    brain_ml = float(brain.sum()) * head.grid.voxel_ml
    mask = with_array(head, brain.astype(np.float32), Quantity.LABEL)
    spacing_mm = template.grid.spacing_mm[0]
    alone = own_lattice(with_array(head, np.nan_to_num(head.array) * mask.array), spacing_mm)
    start = _start(inside_mm(brain, head.grid), brain_ml, template)
    found = place(template.t1, _rim(template), alone, start=start)
    kept = _kept(mask)
    standard = _standard_brain(found, template, kept)
    both = kept.array > 0.5
    numbers = {"brain_ml": brain_ml, "dice": _dice(both, standard)}
    return _judged(found, kept, both | standard, numbers, MIN_DICE)


def _emission(head: Volume, template: Template) -> Face | Unfit:
    """By uptake: grey above white matter, in the upper part of the field of view."""
    spacing_mm = template.grid.spacing_mm[0]
    small = _top(own_lattice(head, spacing_mm))
    bright = _bright(small)
    bright_ml = float(bright.sum()) * small.grid.voxel_ml
    uptake = with_array(template.grey, _GREY * template.grey.array + _WHITE * template.white.array)
    start = _start(inside_mm(bright, small.grid), _brain_ml(template) * 0.75, template)
    found = place(uptake, _rim(template), small, start=start)
    standard_mm = inside_mm(template.brain.array > 0.5, template.grid)
    placed_mm = Affine("standard", "head", found.matrix)(standard_mm)
    box = lattice(placed_mm, BRAIN_MM, 6 * BRAIN_MM)
    kept = resample(with_array(small, bright.astype(np.float32)), box)
    standard = _standard_brain(found, template, kept)
    fine_bright = np.nan_to_num(kept.array) > 0.5
    numbers = {
        "brain_ml": float(standard.sum()) * box.voxel_ml,
        "dice": _dice(fine_bright, standard),
        "bright_ml": bright_ml,
    }
    return _judged(found, kept, standard, numbers, MIN_BRIGHT_DICE)


def _judged(
    found: Placement, kept: Volume, brain: Mask, numbers: dict[str, float], min_dice: float
) -> Face | Unfit:
    widths = np.linalg.svd(found.matrix[:3, :3], compute_uv=False)
    numbers |= {
        "score": found.score,
        "sharpness": found.sharpness,
        "overlap": found.overlap,
        "stretch": float(widths[0] / widths[-1]),
    }
    limits = {
        "dice": (min_dice, 1.0),
        "sharpness": (MIN_SHARPNESS, 1.0),
        "overlap": (MIN_OVERLAP, 1.0),
        "stretch": (1.0, MAX_STRETCH),
        "brain_ml": BRAIN_ML,
    }
    for name, (low, high) in limits.items():
        if not low <= numbers[name] <= high + 1e-6:
            return Unfit(
                f"The standard brain does not fit: {name} {numbers[name]:.2f}, expected "
                f"{low:.2f}-{high:.2f}."
            )
    return Face(found.matrix, kept.grid, brain, numbers)


def _start(
    brain_mm: NDArray[np.floating], brain_ml: float, template: Template
) -> NDArray[np.float64]:
    """Centers on each other, sizes alike."""
    standard_mm = inside_mm(template.brain.array > 0.5, template.grid).mean(axis=0)
    start = np.eye(4)
    start[:3, :3] *= (brain_ml / _brain_ml(template)) ** (1 / 3)
    start[:3, 3] = brain_mm.mean(axis=0) - start[:3, :3] @ standard_mm
    return start


def _brain_ml(template: Template) -> float:
    return float(template.brain.array.sum(dtype=np.float64)) * template.grid.voxel_ml


def _rim(template: Template) -> Mask:
    outside = template.brain.array < 0.5
    away_mm = ndimage.distance_transform_edt(outside, sampling=template.grid.spacing_mm)
    near: Mask = away_mm <= _RIM_MM
    return near


def _kept(mask: Volume) -> Volume:
    """The brain on a small lattice of its own."""
    points = inside_mm(mask.array > 0.5, mask.grid)
    grid = lattice(points, BRAIN_MM, 6 * BRAIN_MM)
    moved = resample(antialiased(mask, BRAIN_MM), grid)
    return with_array(moved, np.nan_to_num(moved.array))


def _standard_brain(found: Placement, template: Template, kept: Volume) -> Mask:
    pull = Affine("head", "standard", np.linalg.inv(found.matrix).astype(np.float64))
    standard: Mask = np.nan_to_num(resample(template.brain, kept.grid, pull).array) > 0.5
    return standard


def _dice(one: Mask, other: Mask) -> float:
    return float(2 * (one & other).sum() / max(int(one.sum()) + int(other.sum()), 1))


def _top(small: Volume) -> Volume:
    """The upper ``_HEAD_MM`` of a body on a grid along R, A and S."""
    known = np.nan_to_num(small.array)
    seen = np.flatnonzero((known > 0.1 * np.percentile(known, 99.9)).any(axis=(0, 1)))
    top = int(seen[-1]) if seen.size else small.grid.shape[2] - 1
    low = max(top - int(_HEAD_MM / small.grid.spacing_mm[2]), 0)
    part = small.array.copy()
    part[:, :, :low] = np.nan
    return with_array(small, part)


def _bright(small: Volume) -> Mask:
    """The largest connected part above a share of the brightest, closed."""
    known = np.nan_to_num(small.array)
    above = known > _FOREGROUND * np.percentile(known[known > 0], 99.5)
    labels, n_parts = ndimage.label(above)
    if n_parts == 0:
        raise GeometryError("Nothing bright is in the field of view.")
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    closed = ndimage.binary_closing(labels == largest, iterations=2)
    filled: Mask = ndimage.binary_fill_holes(closed)
    return filled
