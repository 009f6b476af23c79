"""One volume and how it is shown; the synthetic label follows the contrast and has no switch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracerless.core.errors import QuantityError, RecipeMismatchError
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import EMISSION, Contrast, Quantity, Volume
from tracerless.publish import texts
from tracerless.publish.slices import brain_only, difference

_ORDER = (
    Contrast.T1W,
    Contrast.T2W,
    Contrast.FLAIR,
    Contrast.CBF,
    Contrast.SYNTHETIC_FDG,
    Contrast.FDG,
    Contrast.ECD,
    Contrast.HMPAO,
)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A volume with the window, colors and words of its picture.

    Args:
        key: letters and hyphens, unique on a page.
        title: English; it stands in the picture.
        volume: upright, cut to the brain.
        low, high: values that take the first and the last color.
        colors: name of a color table.
        unit: of the color bar.
        outline: 0-1 on the same grid; its 0.5 contour is drawn on top.
        labels: whole numbers on the same grid; the borders between them are drawn on top.

    Raises:
        QuantityError: ``low`` is not below ``high``.
    """

    key: str
    title: str
    volume: Volume
    low: float
    high: float
    colors: str
    unit: str
    outline: Volume | None = None
    labels: Volume | None = None

    def __post_init__(self) -> None:
        """Check once."""
        if not self.low < self.high:
            raise QuantityError(f"A picture shows {self.low} to {self.high}: nothing lies between.")

    @property
    def is_synthetic(self) -> bool:
        """Whether any of its numbers were predicted."""
        return self.volume.contrast == Contrast.SYNTHETIC_FDG


def session_panels(
    prepared: Prepared, template: Template, prediction: Prediction | None = None
) -> tuple[Panel, ...]:
    """Everything of a session that can be looked at, MR first, then PET, then the difference.

    All emission volumes share one window, so that equal colors mean equal SUVR. A synthetic volume
    that already stands among the prepared ones is shown and marked like any other synthetic one.

    Raises:
        RecipeMismatchError: the prediction belongs to another session.
        GeometryError: a volume is not on the grid of the template.
    """
    volumes = dict(prepared.volumes)
    if prediction is not None:
        if prediction.key != prepared.key:
            raise RecipeMismatchError(
                f"The prediction is of {prediction.key}, the session is {prepared.key}."
            )
        volumes[Contrast.SYNTHETIC_FDG] = prediction.volume
    shown = [contrast for contrast in _ORDER if contrast in volumes]
    cleared = dict(zip(shown, brain_only([volumes[c] for c in shown], template.brain), strict=True))
    high = _round_up(max((_top(cleared[c]) for c in shown if c in EMISSION), default=1.0), 0.2)
    panels = [_panel(contrast, volume, high) for contrast, volume in cleared.items()]
    if {Contrast.SYNTHETIC_FDG, Contrast.FDG} <= set(cleared):
        apart = difference(cleared[Contrast.SYNTHETIC_FDG], cleared[Contrast.FDG])
        panels.append(difference_panel(apart))
    return tuple(panels)


def registration_panel(prepared: Prepared, template: Template) -> Panel | None:
    """The T1 with the contour of the template's white matter on it; None without a T1.

    Where the contour follows the person's own white matter, the registration is good.

    Raises:
        GeometryError: the T1 is not on the grid of the template.
    """
    if Contrast.T1W not in prepared.volumes:
        return None
    volumes = (prepared.volumes[Contrast.T1W], template.white)
    t1, white = brain_only(volumes, template.brain)
    low, high = min(0.0, float(np.nanpercentile(t1.array, 1))), _top(t1)
    title = "T1-weighted MR, contour: white matter of the template"
    return Panel("registration", title, t1, low, high, "grey", "a.u.", outline=white)


def difference_panel(apart: Volume) -> Panel:
    """Synthetic minus acquired, SUVR, on a window symmetric about zero and at least 0.3 wide."""
    limit = max(
        0.3,
        _round_up(
            _top(Volume(np.abs(apart.array), apart.grid, apart.quantity, apart.contrast)), 0.1
        ),
    )
    return Panel("difference", "Synthetic - acquired", apart, -limit, limit, "difference", "SUVR")


def pick(panels: Sequence[Panel], *keys: str) -> tuple[Panel, ...]:
    """The panels of those keys, in the order asked for, leaving out what is not there."""
    by_key = {panel.key: panel for panel in panels}
    return tuple(by_key[key] for key in keys if key in by_key)


def _panel(contrast: Contrast, volume: Volume, suvr_high: float) -> Panel:
    title = texts.title(contrast)
    key = str(contrast)
    if contrast in EMISSION:
        return Panel(key, title, volume, 0.0, suvr_high, "uptake", "SUVR")
    if volume.quantity == Quantity.RELATIVE_CBF:
        high = _round_up(_top(volume), 0.5)
        return Panel(key, title, volume, 0.0, high, "flow", "x brain mean")
    if volume.quantity == Quantity.CBF:
        high = _round_up(_top(volume), 10.0)
        return Panel(key, title, volume, 0.0, high, "flow", str(Quantity.CBF))
    low = min(0.0, float(np.nanpercentile(volume.array, 1)))
    return Panel(key, title, volume, low, _top(volume), "grey", "a.u.")


def _top(volume: Volume) -> float:
    """99.5th percentile, or 1 where nothing is positive."""
    top = float(np.nanpercentile(volume.array, 99.5))
    return top if top > 0 else 1.0


def _round_up(value: float, step: float) -> float:
    return round(math.ceil(value / step - 1e-6) * step, 6)
