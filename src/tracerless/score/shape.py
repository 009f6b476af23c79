"""Residuals that are not bell-shaped, as those of tests with few points: z bent to be normal."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import optimize, special, stats

from tracerless.core.norm import Array

MIN_FOR_SHAPE = 120
"""Fewer normal people cannot tell the shape of their tails."""
SURE = 1e-2
"""Only what so rarely looks skewed or heavy-tailed by chance is bent."""
_LOW, _HIGH = (-1.5, -0.7, -1.5, -0.7), (1.5, 0.7, 1.5, 0.7)

Shape = tuple[float, float, float, float]
"""Center, log scale, skew and log tail of a sinh-arcsinh curve; four zeros change nothing."""


def shapes(names: Sequence[str], z: Array) -> dict[str, Shape]:
    """The measures whose z is not normal in normal people, and the curve that makes it so.

    The curve's four numbers bring z closest to the normal scores of its ranks; people with equal
    scores share a rank.

    Args:
        names: of the f measures.
        z: (n, f) of the normal people, each by the norm without that person.

    Source:
        Jones, Pewsey 2009, Biometrika 96:761 (sinh-arcsinh transformation).
    """
    if len(z) < MIN_FOR_SHAPE:
        return {}
    return {
        name: _fitted(z[:, column])
        for column, name in enumerate(names)
        if stats.normaltest(z[:, column]).pvalue < SURE
    }


def bent(known: Mapping[str, Shape], names: Sequence[str], z: Array) -> Array:
    """(n, f) z through each measure's curve; order is kept."""
    straight = z.copy()
    for column, name in enumerate(names):
        if name in known:
            straight[:, column] = _curve(z[:, column], known[name])
    return straight


def _fitted(z: Array) -> Shape:
    ranks = stats.rankdata(z, method="average")
    target = special.ndtri((ranks - 0.5) / len(z))
    found = optimize.least_squares(
        lambda shape: _curve(z, shape) - target, np.zeros(4), bounds=(_LOW, _HIGH)
    )
    center, scale, skew, tail = (float(each) for each in found.x)
    return center, scale, skew, tail


def _curve(z: Array, shape: Sequence[float]) -> Array:
    center, scale, skew, tail = shape
    inside = np.arcsinh((z - center) / np.exp(scale))
    curve: Array = np.sinh(np.exp(tail) * inside - skew)
    return curve
