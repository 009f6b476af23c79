"""Tissue fractions inside the brain, from the standard brain's average maps.

Averages of many people are blurred: their probabilities are sharpened into the fractions of one
brain, the fissure between the hemispheres is opened again, and deep nuclei get the share of grey
matter that they have.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.transform import resample
from tracerless.core.volume import Volume, require_same_grid
from tracerless.simulate.fields import Field, axes_mm, blur

SHARPEN = 2.2
"""Exponent on average probabilities; set by hand so that cortex is one ribbon and not a haze."""

DEEP_GREY_SHARE: Mapping[tuple[int, ...], float] = {
    (11, 50): 0.97,  # caudate
    (12, 51): 0.95,  # putamen
    (10, 49): 0.78,  # thalamus, crossed by laminae
    (13, 52): 0.55,  # pallidum, crossed by fibers
    (26, 58): 0.95,  # accumbens
    (16, 28, 60): 0.35,  # brain stem and ventral diencephalon: nuclei among tracts
}
"""Share of grey matter in the tissue of deep structures, by label; set by hand from histology's
order (striatum nearly all grey, thalamus mostly, pallidum half, brain stem a third)."""

LIMBIC_GREY_SHARE: Mapping[tuple[int, ...], float] = {(17, 53): 0.95, (18, 54): 0.95}
"""The same for hippocampus and amygdala, which relax and thin like cortex."""

CEREBELLAR_LABELS = (7, 8, 46, 47)
STEM_LABELS = (16, 28, 60)
CORTEX_FROM = 1000
"""Labels from here on are cortex (1xxx left, 2xxx right)."""

_FISSURE_HALF_WIDTH_MM = 1.6
_FISSURE_CSF = 0.85
_MARGIN_VOX = 3


@dataclass(frozen=True, slots=True, eq=False)
class Brain:
    """What is inside the skull's inner table, on the canvas.

    Args:
        tissues: ``grey``, ``deep_grey``, ``white``, ``csf``: (I, J, K) fractions, sum 0-1.
        labels: (I, J, K) int16, Desikan-Killiany and aseg, 0 outside.
    """

    tissues: Mapping[str, Field]
    labels: NDArray[np.int16]


def build_brain(t1: Volume, grey: Volume, white: Volume, labels: Volume, canvas: Grid) -> Brain:
    """The standard brain as tissue fractions on the canvas.

    Raises:
        GeometryError: T1, grey and white lie on different grids, or run along other axes than RAS.
    """
    require_same_grid(t1, grey, white)
    if t1.grid.axcodes != "RAS" or not np.allclose(t1.grid.spacing_mm, t1.grid.spacing_mm[0]):
        raise GeometryError(
            f"The standard brain must be isotropic and run along R, A, S, got {t1.grid.axcodes}.",
            hint="Load it with io.resources.template_volumes_1mm.",
        )
    fine, part = _cropped(t1)
    inside = _brain_mask(t1.array[part])
    names = np.nan_to_num(resample(labels, fine, order=0).array).astype(np.int16)
    tissues = _sharpened(grey.array[part], white.array[part], inside)
    tissues = _with_fissure(tissues, names, fine)
    tissues = _with_deep_grey(tissues, names, fine)
    on_canvas = {name: _onto(t1, fine, values, canvas) for name, values in tissues.items()}
    canvas_labels = np.nan_to_num(resample(labels, canvas, order=0).array).astype(np.int16)
    return Brain(on_canvas, canvas_labels)


def with_wider_sulci(tissues: Mapping[str, Field], log_odds: Field) -> dict[str, Field]:
    """Brain tissues (and all others unchanged) after CSF gained on them by (...) log-odds."""
    solid = tissues["grey"] + tissues["deep_grey"] + tissues["white"]
    csf = tissues["csf"] * np.exp(log_odds)
    scale = (solid + tissues["csf"]) / np.maximum(solid + csf, np.float32(1e-6))
    changed = {name: tissues[name] * scale for name in ("grey", "deep_grey", "white")}
    return {**tissues, **changed, "csf": csf * scale}


def _cropped(t1: Volume) -> tuple[Grid, tuple[slice, ...]]:
    """The part of the grid that holds the brain, with a margin."""
    low, high = [], []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        held = np.flatnonzero((t1.array > 0).any(axis=others))
        low.append(max(int(held[0]) - _MARGIN_VOX, 0))
        high.append(min(int(held[-1]) + _MARGIN_VOX + 1, t1.grid.shape[axis]))
    affine = t1.grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.array(low)
    i, j, k = (h - lo for lo, h in zip(low, high, strict=True))
    return Grid((i, j, k), affine), tuple(map(slice, low, high))


def _brain_mask(t1: NDArray[np.float32]) -> NDArray[np.bool_]:
    closed = ndimage.binary_closing(t1 > 0, iterations=2)
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(closed)
    return filled


def _sharpened(grey: Field, white: Field, inside: NDArray[np.bool_]) -> dict[str, Field]:
    csf = np.clip(1.0 - grey - white, 0.0, 1.0)
    powers = [np.clip(each, 0.0, 1.0) ** SHARPEN for each in (grey, white, csf)]
    scale = inside / np.maximum(powers[0] + powers[1] + powers[2], np.float32(1e-6))
    return {
        name: (power * scale).astype(np.float32)
        for name, power in zip(("grey", "white", "csf"), powers, strict=True)
    }


def _with_fissure(
    tissues: dict[str, Field], labels: NDArray[np.int16], grid: Grid
) -> dict[str, Field]:
    """CSF between the hemispheres, wherever no commissure or brain stem crosses."""
    x, y, z = axes_mm(grid)
    crosses = (labels < CORTEX_FROM) & (tissues["grey"] <= 0.3)
    free = (z > -12) & ((y > 12) | (z > 20) | (y < -58)) & ~crosses
    width = np.clip(_FISSURE_HALF_WIDTH_MM - np.abs(x), 0, 1)
    opened = (_FISSURE_CSF * width * free).astype(np.float32)
    grey, white, csf = tissues["grey"], tissues["white"], tissues["csf"]
    return {
        "grey": grey * (1 - opened),
        "white": white * (1 - opened),
        "csf": csf + (grey + white) * opened,
    }


def _with_deep_grey(
    tissues: dict[str, Field], labels: NDArray[np.int16], grid: Grid
) -> dict[str, Field]:
    """Deep nuclei with their own share of grey, softly edged, as a tissue of their own."""
    grey, white = tissues["grey"].copy(), tissues["white"].copy()
    deep = np.zeros_like(grey)
    for ids, share in {**DEEP_GREY_SHARE, **LIMBIC_GREY_SHARE}.items():
        held = np.isin(labels, ids)
        box = ndimage.find_objects(ndimage.binary_dilation(held, iterations=4).astype(np.int8))[0]
        soft = blur(held[box].astype(np.float32), grid, 1.4)
        tissue = grey[box] + white[box]
        wanted = (1 - soft) * grey[box] + soft * share * tissue
        grey[box], white[box] = wanted, tissue - wanted
        if ids in DEEP_GREY_SHARE:
            deep[box] = np.maximum(deep[box], soft)
    return {"grey": grey * (1 - deep), "deep_grey": grey * deep, "white": white} | {
        "csf": tissues["csf"]
    }


def _onto(like: Volume, fine: Grid, values: Field, canvas: Grid) -> Field:
    """Mean over each canvas voxel (as a Gaussian of its width); 0 outside the fine grid."""
    old_mm, new_mm = fine.spacing_mm[0], canvas.spacing_mm[0]
    if new_mm > old_mm:
        values = blur(values, fine, float(np.sqrt(new_mm**2 - old_mm**2)))
    volume = Volume(values, fine, like.quantity, like.contrast)
    found = np.nan_to_num(resample(volume, canvas).array)
    return np.clip(found, 0.0, 1.0)
