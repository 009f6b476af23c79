"""PET or SPECT without an MR: registered to the standard uptake, through nothing else.

The head is found in whatever was scanned, the standard brain is fitted to it, affinely and then
with a gentle bend, and the place is believed only when it is sharp and the uptake follows the
standard brain's. Scores and thresholds are told; nothing is assumed from the header's position.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.errors import (
    ContrastError,
    GeometryError,
    QuantityError,
    TracerlessError,
)
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Native, Template
from tracerless.core.transform import Affine, Chain, resample
from tracerless.core.volume import Contrast, with_array
from tracerless.prepare import crop, quality
from tracerless.prepare.bend import bend, bent_maps
from tracerless.prepare.channel import Channel
from tracerless.prepare.made import Made
from tracerless.prepare.standard_uptake import brain_and_rim, standard_uptake
from tracerless.prepare.uptake import ACQUIRED_EMISSION, Uptake, ratio, uptake
from tracerless.registration import standard
from tracerless.registration.ladder import Alignment, Anchor, align
from tracerless.registration.sampling import (
    corners_mm,
    inside_mm,
    lattice,
    onto,
    own_lattice,
)
from tracerless.registration.similarity import similarity

FIT_MM = 4.0
"""Spacing of the lattice that the standard brain is fitted on, mm."""
RIM_MM = 8.0
"""What is compared around the brain, mm: where uptake ends says most about where a brain lies."""
_COARSE_RIM_MM = 12.0

MIN_SCORE = 0.12
"""A place that tells less than this share of the standard brain's information is refused."""
MIN_SHARPNESS = 0.10
"""A move by 8 mm or 8 degrees must lose at least this share of the score."""
MIN_FIT = 0.25
"""Correlation with the standard uptake in the brain below which the place is refused."""
LOW_FIT = 0.45
"""Correlation below which the place is to be looked at."""

_CAUGHT = (ContrastError, GeometryError, QuantityError)


def emission_only(native: Native, template: Template, atlas: Atlas, recipe: PrepareRecipe) -> Made:
    """The emission volumes of a session without T1, on the template grid as SUVR.

    The first contrast that can be placed carries the maps; another of the same visit is aligned to
    it. MR series of such a session are left out, with the reason.

    Raises:
        ContrastError: the session holds no PET or SPECT.
        GeometryError: no head is found, or no place is convincing.
        QuantityError: nothing was measured, or no PET is corrected for attenuation.
    """
    channels: dict[Contrast, Channel] = {}
    missing: list[str] = []
    lead: _Lead | None = None
    first: TracerlessError | None = None
    for contrast in (each for each in ACQUIRED_EMISSION if native.of(each) is not None):
        try:
            found = uptake(native, contrast, recipe)
            if lead is None:
                candidate = _lead(str(native.key), found, template)
                channels[contrast] = _leading(candidate, template, atlas, recipe)
                lead = candidate
            else:
                channels[contrast] = _following(lead, found, template, atlas, recipe)
        except _CAUGHT as error:
            first = first or error
            missing.append(f"{contrast} is left out: {error.message}")
    if lead is None:
        raise _nothing(native) if first is None else first
    missing += _without_t1(native)
    volume = lead.found.volume
    return Made(channels, tuple(missing), volume.grid, lead.to_native, lead.to_template)


@dataclass(frozen=True, slots=True, eq=False)
class _Lead:
    """The emission volume that carries the maps, and where the standard brain lies in it."""

    found: Uptake
    place: standard.Placement
    to_native: Chain
    to_template: Chain

    @property
    def space(self) -> str:
        """Name of the volume's space."""
        return self.to_native.target


def _lead(key: str, found: Uptake, template: Template) -> _Lead:
    contrast = found.series.contrast
    grid = lattice(corners_mm(template.grid), FIT_MM, 0.0)
    plain = standard_uptake(template, contrast)
    start = crop.head_start(found.volume, plain, brain_and_rim(template, _COARSE_RIM_MM))
    center_mm = _through(start, inside_mm(template.brain.array > 0, template.grid).mean(axis=0))
    head = crop.cut_to_head(found.volume, center_mm)
    rim = _mask_onto(template, brain_and_rim(template, RIM_MM), grid)
    fixed, moving = onto(plain, grid), own_lattice(head, FIT_MM)
    placed = standard.place(fixed, rim, moving, start=start)
    score = similarity(fixed, rim, moving)
    coefficients = bend(score, placed.matrix)
    push = Affine(template.key, f"{key} {contrast}", placed.matrix)
    maps = bent_maps(coefficients, score.center_mm, grid, push)
    return _Lead(Uptake(found.series, head, found.source, found.notes), placed, *maps)


def _leading(lead: _Lead, template: Template, atlas: Atlas, recipe: PrepareRecipe) -> Channel:
    """The channel of the contrast that carries the maps, once its place is believed."""
    contrast = lead.found.series.contrast
    brain = template.brain.array > 0
    moved = onto(lead.found.volume, template.grid, lead.to_native)
    fit = quality.correlation(moved, standard_uptake(template, contrast), brain)
    _believe(lead, fit)
    made = ratio(moved, lead.found.series, atlas, recipe)
    measured = {
        f"coverage_{contrast}": quality.coverage(moved, brain),
        f"score_{contrast}": lead.place.score,
        f"fit_{contrast}": fit,
        "left_right": quality.left_right_kept(lead.to_native, template.grid, brain),
    }
    source: dict[str, Any] = {
        "registration": "affine and a quadratic bend to the standard uptake",
        "score": round(lead.place.score, 4),
        "sharpness": round(lead.place.sharpness, 4),
        "overlap": round(lead.place.overlap, 4),
        "template_to_series": [[round(float(v), 6) for v in row] for row in lead.place.matrix],
        "cut_to_head": lead.found.volume.grid != lead.found.series.grid,
        **lead.found.source,
        **made.source,
    }
    notes = lead.found.notes
    if fit < LOW_FIT:
        notes += (f"fit_{contrast}={fit:.2f}: uptake follows the standard brain's only loosely.",)
    return Channel(made.volume, measured, source, scale=made.scale, notes=notes)


def _believe(lead: _Lead, fit: float) -> None:
    place = lead.place
    if place.score >= MIN_SCORE and place.sharpness >= MIN_SHARPNESS and fit >= MIN_FIT:
        return
    raise GeometryError(
        f"No convincing place of the standard brain in the {lead.found.series.contrast} (score "
        f"{place.score:.3f}, sharpness {place.sharpness:.2f}, correlation {fit:.2f}; at least "
        f"{MIN_SCORE}, {MIN_SHARPNESS} and {MIN_FIT} expected).",
        hint="Check that the series shows the whole brain, upright, or add the T1 of the visit.",
    )


def _following(
    lead: _Lead, found: Uptake, template: Template, atlas: Atlas, recipe: PrepareRecipe
) -> Channel:
    """Another emission of the visit, aligned rigidly to the one that carries the maps."""
    contrast = found.series.contrast
    frame = found.series.frame_of_reference
    same = bool(frame) and frame == lead.found.series.frame_of_reference
    there = align(_anchor(lead, template), found.volume, same_frame=same)
    across = Affine(lead.space, f"{lead.space}, {contrast}", there.matrix)
    moved = onto(found.volume, template.grid, Chain((lead.to_native, across)))
    made = ratio(moved, found.series, atlas, recipe)
    measured = {
        f"coverage_{contrast}": quality.coverage(moved, template.brain.array > 0),
        f"score_{contrast}": there.score,
    }
    source = {**_aligned_source(there, lead), **found.source, **made.source}
    return Channel(
        made.volume, measured, source, alignment=across, scale=made.scale, notes=found.notes
    )


def _anchor(lead: _Lead, template: Template) -> Anchor:
    """The leading volume and its brain, as the T1 and its brain would be."""
    volume = lead.found.volume
    grid = lattice(corners_mm(volume.grid), FIT_MM, 0.0)
    brain = resample(template.brain, grid, lead.to_template, order=0)
    return Anchor(onto(volume, grid), brain.array > 0.5)


def _aligned_source(there: Alignment, lead: _Lead) -> dict[str, Any]:
    return {
        "registration": f"{there.rung} to the {lead.found.series.contrast}",
        "score": round(there.score, 4),
        "sharpness": round(there.sharpness, 4),
        "overlap": round(there.overlap, 4),
    }


def _without_t1(native: Native) -> list[str]:
    """What the session holds beside emission, and why it is not used."""
    others = sorted({str(s.contrast) for s in native.series if s.contrast not in ACQUIRED_EMISSION})
    return [f"{name} is left out: the visit has no T1w to place it by." for name in others]


def _nothing(native: Native) -> ContrastError:
    have = ", ".join(sorted({str(each.contrast) for each in native.series})) or "nothing"
    return ContrastError(
        f"{native.key} has neither a T1w nor PET or SPECT, only {have}.",
        hint="Add the T1 of this visit.",
    )


def _mask_onto(template: Template, mask: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    moved = onto(with_array(template.brain, mask.astype(np.float32)), grid)
    inside: NDArray[np.bool_] = moved.array > 0.5
    return inside


def _through(matrix: NDArray[np.float64], point: NDArray[np.floating]) -> NDArray[np.float64]:
    moved: NDArray[np.float64] = matrix[:3, :3] @ point + matrix[:3, 3]
    return moved
