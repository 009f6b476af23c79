"""A quick look at voxels, for what headers leave open or get wrong: seconds, no registration.

Two things can be told from a head without knowing where its structures lie. Deep inside, farther
from the skin than any cortex but the deepest, tissue has one level and fluid (ventricles) another:
fluid is dark on T1w and FLAIR, bright on T2w. And a series whose volumes go up and down in turn is
control and label. Everything else (which tracer, T1w or FLAIR, M0 or any other echo-planar volume)
the voxels of one series do not tell, and no answer is given.

Thresholds lie between what was measured on real and simulated heads (``docs/recognition.md``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.volume import Contrast, Volume

COARSE_MM = 4.0
"""Volumes are averaged to about this voxel before anything is measured."""
HEAD_SHARE = 0.12
"""Of the 98th percentile: what is brighter is head rather than air."""
LITERS = (1.0, 8.0)
"""Volume of a head in the picture; anything else is not looked at."""
BRAIN_DEPTH_MM, DEEP_MM = 18.0, 32.0
"""Farther from the skin lies brain; still farther, white matter and ventricles."""
FROM_TOP_MM = (20.0, 110.0)
"""The part of the head that is looked at, below its top: above the neck."""
DARK, BRIGHT = 0.6, 1.4
"""Of the commonest level of the brain."""
FLUID_SHARE, OTHER_SHARE = 0.03, 0.015
"""Least share of deep voxels that is fluid, and most that may lie on the other side."""
MIN_FRAMES, MIN_STEPS_SD = 6, 5.0
"""Volumes in turn: how many are needed, and their mean step over its standard error."""
M0_BRIGHTNESS = 1.5
"""A volume so many times brighter than the median one is M0, and no step."""

_LEAST_DEEP = 50
_BINS = 80

_Array = NDArray[np.float32]
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Look:
    """What voxels say: candidate contrasts (none = they do not tell), how sure, and why."""

    candidates: tuple[Contrast, ...] = ()
    confidence: str = "unknown"
    reason: str = "its pixels do not tell"


def look(volumes: Sequence[Volume]) -> Look:
    """What the volumes of one MR series look like."""
    step = _steps(volumes)
    if step is not None and abs(step) >= MIN_STEPS_SD:
        reason = "its volumes go up and down in turn, as control and label do"
        return Look((Contrast.ASL,), "likely", reason)
    fluid = _fluid(volumes[0])
    if fluid == "dark":
        return Look((Contrast.T1W, Contrast.FLAIR), "guess", "fluid is darker than the brain")
    if fluid == "bright":
        return Look((Contrast.T2W,), "guess", "fluid is brighter than the brain")
    return Look()


def contradicts(found: Look, contrast: Contrast) -> bool:
    """Whether voxels cannot be of that contrast: fluid has the wrong sign."""
    structural = {Contrast.T1W, Contrast.T2W, Contrast.FLAIR}
    seen = structural.intersection(found.candidates)
    return contrast in structural and bool(seen) and contrast not in seen


def brightness(volume: Volume) -> float:
    """Mean over the head, stored units; not-a-number where there is no head."""
    array, _ = _coarse(volume)
    head = _head(array)
    return float(array[head].mean()) if head.any() else float("nan")


def _fluid(volume: Volume) -> str:
    """``dark``, ``bright`` or ``unclear``: fluid against the brain's commonest level."""
    array, spacing_mm = _coarse(volume)
    head = _head(array)
    liters = float(head.sum()) * float(np.prod(spacing_mm)) / 1e6
    if not LITERS[0] <= liters <= LITERS[1]:
        return "unclear"
    depth_mm = ndimage.distance_transform_edt(np.pad(head, 1), sampling=spacing_mm)
    depth_mm = depth_mm[1:-1, 1:-1, 1:-1]
    zone = head & _upper(head, volume, spacing_mm)
    brain, deep = zone & (depth_mm > BRAIN_DEPTH_MM), zone & (depth_mm > DEEP_MM)
    if deep.sum() < _LEAST_DEEP:
        return "unclear"
    level = array[deep] / _commonest(array[brain])
    dark, bright = float((level < DARK).mean()), float((level > BRIGHT).mean())
    if dark >= FLUID_SHARE and bright <= OTHER_SHARE:
        return "dark"
    return "bright" if bright >= FLUID_SHARE and dark <= OTHER_SHARE else "unclear"


def _steps(volumes: Sequence[Volume]) -> float | None:
    """The mean step between neighbors in turn, over its standard error; None when too few."""
    if len(volumes) < MIN_FRAMES:
        return None
    arrays = [_coarse(volume)[0] for volume in volumes]
    head = _head(np.mean(arrays, axis=0))
    if not head.any():
        return None
    level = np.array([array[head].mean() for array in arrays], dtype=np.float64)
    level = level[level < M0_BRIGHTNESS * np.median(level)]
    steps = np.diff(level) * (-1.0) ** np.arange(len(level) - 1)
    if len(steps) < MIN_FRAMES - 1 or not steps.std() > 0:
        return None
    return float(steps.mean() / (steps.std(ddof=1) / np.sqrt(len(steps))))


def _coarse(volume: Volume) -> tuple[_Array, NDArray[np.float64]]:
    """The volume averaged over blocks, and the size of those, mm."""
    spacing_mm = np.asarray(volume.grid.spacing_mm, dtype=np.float64)
    block = np.maximum(np.round(COARSE_MM / spacing_mm).astype(int), 1)
    block = np.minimum(block, volume.grid.shape)
    i, j, k = (np.array(volume.grid.shape) // block).tolist()
    a, b, c = block.tolist()
    whole = np.nan_to_num(volume.array[: i * a, : j * b, : k * c])
    coarse: _Array = whole.reshape(i, a, j, b, k, c).mean(axis=(1, 3, 5), dtype=np.float32)
    return coarse, spacing_mm * block


def _head(array: _Array) -> _Mask:
    """The largest bright part, closed; empty where nothing is bright."""
    level = float(np.percentile(array, 98))
    bright = array > HEAD_SHARE * level
    labels, n_parts = ndimage.label(bright)
    if level <= 0 or not n_parts:
        return np.zeros(array.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    head = ndimage.binary_closing(labels == int(sizes.argmax()), iterations=2)
    filled: _Mask = ndimage.binary_fill_holes(head)
    return filled


def _upper(head: _Mask, volume: Volume, spacing_mm: NDArray[np.float64]) -> _Mask:
    """Voxels of the upper part of the head, whatever way the axes run."""
    affine = volume.grid.affine
    up = affine[2, :3] / np.linalg.norm(affine[:3, :3], axis=0) * spacing_mm
    height_mm = np.tensordot(up, np.indices(head.shape), axes=1)
    below_mm = np.percentile(height_mm[head], 99.5) - height_mm
    upper: _Mask = (below_mm > FROM_TOP_MM[0]) & (below_mm < FROM_TOP_MM[1])
    return upper


def _commonest(values: _Array) -> float:
    """The level that most voxels have."""
    top = float(np.percentile(values, 99.5)) * 1.2
    counts, edges = np.histogram(values, bins=_BINS, range=(0.0, max(top, 1e-6)))
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), 2)
    place = int(smooth.argmax())
    return float(edges[place] + edges[place + 1]) / 2
