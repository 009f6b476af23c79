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
Z_STEPS = (
    (-1.00, (190, 120, 255)),
    (-0.75, (70, 60, 235)),
    (-0.50, (30, 130, 250)),
    (-0.30, (150, 205, 235)),
    (0.30, (240, 215, 170)),
    (0.50, (240, 150, 50)),
    (0.75, (225, 60, 30)),
    (1.00, (255, 60, 140)),
)
"""Share of the window of z and its color; between the two in the middle nothing is colored."""
_PLAIN = (92, 92, 98)
_MATPLOTLIB = {"grey": "gray", "uptake": "inferno", "flow": "viridis"}
TABLES = (*_MATPLOTLIB, "difference", "z")
"""Names of the color tables."""


@functools.cache
def table(name: str) -> NDArray[np.uint8]:
    """The color table of that name, (256, 3) RGB; read-only.

    ``grey`` for MR signal, ``uptake`` for SUVR, ``flow`` for relative CBF, ``difference`` for
    signed numbers (blue below zero, dark at zero, red above), ``z`` for z (blue to violet below,
    plain grey near zero, orange to pink above).

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
    elif name == "z":
        share = 2 * steps - 1
        plain = (np.abs(share) < Z_STEPS[4][0])[:, None]
        colors = np.where(plain, np.array(_PLAIN, dtype=float), z_colors(share))
    else:
        colors = mpl.colormaps[_MATPLOTLIB[name]](steps)[:, :3] * 255
    rounded = np.round(colors).astype(np.uint8)
    rounded.setflags(write=False)
    return rounded


def z_colors(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) RGB of z as a share of its window, -1 to 1; what lies beyond takes the end."""
    at = [place for place, _ in Z_STEPS]
    channels = np.array([rgb for _, rgb in Z_STEPS], dtype=np.float64).T
    return np.stack([np.interp(share, at, channel) for channel in channels], axis=-1)


def colored(values: NDArray[np.float32], low: float, high: float, name: str) -> NDArray[np.uint8]:
    """Values of any shape -> the same shape with RGB behind it; NaN takes ``BACKGROUND``."""
    known = np.isfinite(values)
    share = (np.where(known, values, low) - low) / (high - low)
    rgb = table(name)[np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)]
    return np.where(known[..., None], rgb, np.array(BACKGROUND, dtype=np.uint8))
