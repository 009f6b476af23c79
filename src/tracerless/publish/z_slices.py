"""A map of z as slices, on the window that all pictures of z share."""

from tracerless.core.session import Template
from tracerless.core.volume import Volume
from tracerless.publish import texts
from tracerless.publish.panel import Panel
from tracerless.publish.picture import picture
from tracerless.publish.slices import brain_only, default_slices
from tracerless.publish.surface import Z_LIMIT


def z_slices(z: Volume, template: Template) -> bytes:
    """A PNG of the default slices of a map of z; a synthetic one is marked as such.

    Args:
        z: on the template's grid; negative = lower than expected, NaN where there is none.
        template: its brain decides what is drawn, and its white matter is outlined.

    Raises:
        GeometryError: the map lies on another grid.
    """
    shown, white = brain_only((z, template.white), template.brain)
    panel = Panel(
        key="z",
        title=f"z of {texts.title(z.contrast)}, contour: white matter of the template",
        volume=shown,
        low=-Z_LIMIT,
        high=Z_LIMIT,
        colors="z",
        unit="z",
        outline=white,
    )
    slices = default_slices(template.brain)
    return picture([panel], slices, px_per_mm=1.35, per_row=len(slices))
