"""Numbers to colors: 256-step tables and how values find their step."""

import functools

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import RecipeError, did_you_mean

BACKGROUND = (16, 16, 20)
"""Color of what was not measured, RGB."""

_BLUE_BLACK_RED = (
    (0.00, (120, 200, 255)),
    (0.25, (40, 110, 220)),
    (0.50, (24, 24, 28)),
    (0.75, (215, 60, 40)),
    (1.00, (255, 200, 120)),
)
_MATPLOTLIB = {"grey": "gray", "uptake": "inferno", "flow": "viridis"}
TABLES = (*_MATPLOTLIB, "difference")
"""Names of the color tables."""


@functools.cache
def table(name: str) -> NDArray[np.uint8]:
    """The color table of that name, (256, 3) RGB; read-only.

    ``grey`` for MR signal, ``uptake`` for SUVR, ``flow`` for relative CBF, ``difference`` for
    signed numbers (blue below zero, dark at zero, red above).

    Raises:
        RecipeError: no table has that name.
    """
    if name not in TABLES:
        raise RecipeError(f"No color table {name!r}.", hint=did_you_mean(name, TABLES))
    steps = np.linspace(0, 1, 256)
    if name == "difference":
        at = [place for place, _ in _BLUE_BLACK_RED]
        channels = np.array([rgb for _, rgb in _BLUE_BLACK_RED], dtype=float).T
        colors = np.stack([np.interp(steps, at, channel) for channel in channels], axis=1)
    else:
        colors = mpl.colormaps[_MATPLOTLIB[name]](steps)[:, :3] * 255
    rounded = np.round(colors).astype(np.uint8)
    rounded.setflags(write=False)
    return rounded


def colored(values: NDArray[np.float32], low: float, high: float, name: str) -> NDArray[np.uint8]:
    """Values of any shape -> the same shape with RGB behind it; NaN takes ``BACKGROUND``."""
    known = np.isfinite(values)
    share = (np.where(known, values, low) - low) / (high - low)
    rgb = table(name)[np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)]
    return np.where(known[..., None], rgb, np.array(BACKGROUND, dtype=np.uint8))
