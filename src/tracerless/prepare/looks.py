"""What the volumes of a session look like in template space, in numbers: the eye's first checks.

Tissues in the right order of brightness, edges where the T1 has its edges, and no zeros where a
brain should be. Every number is taken in template space, after the one interpolation, so that it
judges what models and tables will see.
"""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from tracerless.core.session import Template
from tracerless.core.transform import PointMap
from tracerless.core.volume import EMISSION, Contrast, Volume
from tracerless.prepare.contours import Mask, contours
from tracerless.prepare.mirror import upright

BRIGHTER: Mapping[Contrast, tuple[str, str]] = {
    Contrast.T1W: ("white", "grey"),
    Contrast.T2W: ("csf", "white"),
    Contrast.CBF: ("grey", "white"),
    **dict.fromkeys(EMISSION, ("grey", "white")),
}
"""Which tissue outshines which, by contrast."""

_FEWEST = 10
_ALMOST_ZERO = 1e-4


Ways = tuple[PointMap, PointMap]
"""Template -> T1 mm, and T1 -> template mm."""


def looks(
    volumes: Mapping[Contrast, Volume], template: Template, ways: Ways | None = None
) -> dict[str, float]:
    """Numbers about every volume of a session, by name and contrast.

    Args:
        volumes: on the template grid; NaN outside a field of view.
        template: its tissues say where to look.
        ways: the maps of a T1; without them nothing is said of sides.

    Returns:
        ``tissue_<contrast>``: median of the brighter tissue over that of the darker one, as
        ``BRIGHTER`` has it; above 1 when the contrast is what it says. ``zeros_<contrast>``: share
        of the known brain that is zero. ``edges_<contrast>``: how well edges run along those of
        the T1 (the T1's own along the template's), 0-1, about 0.54 for strangers.
        ``offset_<contrast>``: how far the volume would have to move to fit better, mm.
        ``sides_<contrast>``: how much better it fits the T1 than its mirror image does
        (`mirror.upright`). ``below_<contrast>``: share of the known brain with negative uptake.
        A tissue of which nothing is seen gives no number: ``coverage`` speaks of that.
    """
    tissues = _tissues(template)
    brain = template.brain.array > 0
    anatomy = volumes.get(Contrast.T1W, template.t1)
    found: dict[str, float] = {}
    for contrast, volume in volumes.items():
        if contrast in BRIGHTER:
            found |= _tissue(contrast, volume, tissues)
        found[f"zeros_{contrast}"] = zeros(volume, brain)
        fixed = template.t1 if contrast is Contrast.T1W else anatomy
        fit = contours(volume, fixed, brain)
        found |= {f"edges_{contrast}": fit.energy, f"offset_{contrast}": fit.offset_mm}
        if contrast in EMISSION:
            found[f"below_{contrast}"] = below_zero(volume, brain)
        if ways is not None and contrast is not Contrast.T1W and Contrast.T1W in volumes:
            found[f"sides_{contrast}"] = upright(
                volume, anatomy, brain, to_native=ways[0], to_template=ways[1]
            )
    return found


def below_zero(volume: Volume, brain: Mask) -> float:
    """Share of the known brain voxels with a negative value, 0-1."""
    inside = volume.array[brain & np.isfinite(volume.array)]
    return float((inside < 0).mean()) if inside.size else 0.0


def zeros(volume: Volume, brain: Mask) -> float:
    """Share of the known brain voxels that are zero, 0-1: nothing measured is exactly nothing.

    Zero is what lies below a ten-thousandth of the median size; a volume of zeros gives 1.
    """
    inside = np.abs(volume.array[brain & np.isfinite(volume.array)])
    if not inside.size:
        return 0.0
    return float((inside <= _ALMOST_ZERO * np.median(inside)).mean())


def _tissues(template: Template) -> dict[str, Mask]:
    """Where a template voxel is surely one tissue; white matter without its rim."""
    brain, grey, white = (each.array for each in (template.brain, template.grey, template.white))
    inner = ndimage.binary_erosion(brain > 0, iterations=2)
    return {
        "grey": (brain > 0) & (grey > 0.7),
        "white": ndimage.binary_erosion(inner & (white > 0.8)),
        "csf": inner & (grey < 0.15) & (white < 0.1),
    }


def _tissue(contrast: Contrast, volume: Volume, tissues: Mapping[str, Mask]) -> dict[str, float]:
    known = np.isfinite(volume.array)
    inside = [volume.array[tissues[name] & known] for name in BRIGHTER[contrast]]
    if min(len(values) for values in inside) < _FEWEST:
        return {}
    bright, dark = (float(np.median(values)) for values in inside)
    least = max(abs(bright), abs(dark)) * 1e-6  # so that no number of a record is infinite
    return {f"tissue_{contrast}": bright / max(dark, least) if bright > 0 else 0.0}
