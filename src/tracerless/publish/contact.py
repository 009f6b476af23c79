"""The contact sheet of a session: one picture that tells whether its numbers can be trusted.

One row a volume, the same slices in each. The T1 carries the template's white matter, every other
volume the outline of the T1, and uptake the borders of the atlas; where a line does not follow what
lies under it, something is wrong. Verdict and reasons stand on top. Only the brain is drawn.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.errors import GeometryError
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import resample
from tracerless.core.volume import EMISSION, Contrast, Quantity, Volume, with_array
from tracerless.publish.colors import BACKGROUND
from tracerless.publish.panel import Panel, registration_panel, session_panels
from tracerless.publish.picture import Pixels, encode, heading, render
from tracerless.publish.slices import brain_only, default_slices
from tracerless.publish.texts import SIMULATED_PERSON

PX_PER_MM = 1.3
_VERDICTS = {"pass": (20, 90, 45), "review": (150, 95, 0), "fail": (140, 20, 20)}
_SIMULATED = (90, 45, 130)


def contact_sheet(
    prepared: Prepared,
    template: Template,
    atlas: Atlas,
    *,
    prediction: Prediction | None = None,
    simulated: bool = False,
) -> bytes:
    """A PNG of everything that a session holds in template space; equal input, equal bytes.

    Args:
        prepared: the session; its verdict and reasons are written on top.
        template: its brain decides what is drawn.
        atlas: on the same grid; its borders are drawn on uptake.
        prediction: synthetic FDG of the same session, marked as such in its row.
        simulated: whether the person is simulated; a strip says so.

    Raises:
        RecipeMismatchError: the prediction belongs to another session.
        GeometryError: session, template and atlas lie on different grids.
    """
    if atlas.grid != template.grid:
        raise GeometryError(
            f"Atlas {atlas.grid.shape} and template {template.grid.shape} lie on different grids."
        )
    slices = default_slices(template.brain)
    rows = [
        render([panel], slices, px_per_mm=PX_PER_MM, per_row=len(slices))
        for panel in _panels(prepared, template, atlas, prediction)
    ]
    width = max(row.shape[1] for row in rows)
    color = _VERDICTS[prepared.verdict]
    said = [f"{prepared.key}: {prepared.verdict.upper()}", *prepared.reasons]
    top = [heading(width, said, color)]
    if simulated:
        top.append(heading(width, [SIMULATED_PERSON], _SIMULATED))
    return encode(np.concatenate([*top, *(_widened(row, width) for row in rows)], axis=0))


def outline(prepared: Prepared, template: Template) -> Volume | None:
    """The person's brain without its white matter on the template grid, 0-1; None without a T1.

    Its 0.5 contour runs along the brain's surface and along the white matter. From the tissues of
    the T1 where they are known, else from its brightness.
    """
    if Contrast.T1W not in prepared.volumes:
        return None
    brain = template.brain.array > 0
    t1 = prepared.volumes[Contrast.T1W]
    if prepared.anatomy is None:
        return with_array(t1, _by_brightness(t1, template), Quantity.PROBABILITY)
    pulled = [
        np.nan_to_num(resample(each, t1.grid, prepared.to_native).array)
        for each in (prepared.anatomy.brain, prepared.anatomy.white)
    ]
    return with_array(t1, np.where(brain, pulled[0] - pulled[1], 0), Quantity.PROBABILITY)


def _by_brightness(t1: Volume, template: Template) -> NDArray[np.float32]:
    """Brain that is darker than halfway between grey and white matter, 0-1."""
    known = np.isfinite(t1.array)
    levels = [
        float(np.median(t1.array[known & (tissue.array > 0.8)]))
        for tissue in (template.grey, template.white)
        if (known & (tissue.array > 0.8)).any()
    ]
    dark = t1.array < np.mean(levels) if levels else known
    return np.where((template.brain.array > 0) & dark, np.float32(1), np.float32(0))


def _panels(
    prepared: Prepared, template: Template, atlas: Atlas, prediction: Prediction | None
) -> Iterator[Panel]:
    own = outline(prepared, template)
    words = "contour: the T1's brain and white matter"
    if own is None:
        own, words = template.white, "contour: white matter of the template"
    borders = Volume(atlas.labels.astype(np.float32), atlas.grid, Quantity.LABEL, Contrast.UNKNOWN)
    drawn, labels = brain_only([own, borders], template.brain)
    first = registration_panel(prepared, template)
    if first is not None:
        yield first
    for panel in session_panels(prepared, template, prediction):
        contrast = panel.volume.contrast
        if panel.key == "difference" or contrast is Contrast.T1W:
            continue
        yield replace(panel, title=f"{panel.title}, {words}", outline=drawn)
        if contrast in EMISSION:
            title = f"{panel.title}, borders: atlas {atlas.key}"
            yield replace(panel, key=f"{panel.key}-atlas", title=title, labels=labels)


def _widened(row: Pixels, width: int) -> Pixels:
    missing = width - row.shape[1]
    edge = np.full((row.shape[0], missing, 3), BACKGROUND, dtype=np.uint8)
    return np.concatenate([row, edge], axis=1)
