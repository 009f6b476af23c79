"""Series that are not what they are called: exchanged, flipped, of another unit, or no picture."""

import numpy as np

from tracerless.core.grid import points_mm
from tracerless.core.volume import Contrast, Quantity, with_array
from tracerless.evaluate.stress_parts import Changes, Scene, field, tissue_levels

ABSOLUTE_FLOW = 55.0
"""mL/100 g/min that the brain's mean may be; as relative CBF it is 55 times too large."""
_GHOST = 0.5


def exchanged(scene: Scene) -> Changes:
    """T1w and T2w under each other's name."""
    if not {Contrast.T1W, Contrast.T2W} <= set(scene.volumes):
        return {}
    t1w, t2w = scene.volumes[Contrast.T1W], scene.volumes[Contrast.T2W]
    return {Contrast.T1W: with_array(t1w, t2w.array), Contrast.T2W: with_array(t2w, t1w.array)}


def wrong_t1w(scene: Scene) -> Changes:
    """The T2w under the name of the T1w as well."""
    if not {Contrast.T1W, Contrast.T2W} <= set(scene.volumes):
        return {}
    t1w = scene.volumes[Contrast.T1W]
    return {Contrast.T1W: with_array(t1w, scene.volumes[Contrast.T2W].array)}


def mirrored(scene: Scene) -> Changes:
    """Left and right exchanged in all MR."""
    return _flipped(scene, 0)


def upside_down(scene: Scene) -> Changes:
    """Top and bottom exchanged in all MR."""
    return _flipped(scene, 2)


def ghosted(scene: Scene) -> Changes:
    """T1w with a ghost of half its brightness, half a field of view away."""
    if Contrast.T1W not in scene.volumes:
        return {}
    volume = scene.volumes[Contrast.T1W]
    away = np.roll(np.nan_to_num(volume.array), volume.array.shape[1] // 2, axis=1)
    return {Contrast.T1W: with_array(volume, volume.array + np.float32(_GHOST) * away)}


def only_noise(scene: Scene) -> Changes:
    """T1w that shows nothing but noise."""
    if Contrast.T1W not in scene.volumes:
        return {}
    volume = scene.volumes[Contrast.T1W]
    sd = np.float32(abs(tissue_levels(volume, scene.template)["white"]) / 2)
    real, imaginary = (field(scene.grid, 0.0, scene.rng) for _ in range(2))
    return {Contrast.T1W: with_array(volume, sd * np.hypot(real, imaginary))}


def absolute_flow(scene: Scene) -> Changes:
    """Blood flow in mL/100 g/min under the name of relative CBF."""
    if Contrast.CBF not in scene.volumes:
        return {}
    volume = scene.volumes[Contrast.CBF]
    return {Contrast.CBF: with_array(volume, np.float32(ABSOLUTE_FLOW) * volume.array)}


def empty_flow(scene: Scene) -> Changes:
    """A CBF series of nothing but zeros."""
    if Contrast.CBF not in scene.volumes:
        return {}
    volume = scene.volumes[Contrast.CBF]
    return {Contrast.CBF: with_array(volume, np.zeros_like(volume.array), Quantity.RELATIVE_CBF)}


def half_head(scene: Scene) -> Changes:
    """A field of view that ends in the middle of the brain, in all MR."""
    z = points_mm(scene.grid)[..., 2]
    middle = np.quantile(z[scene.brain], 0.55)
    return {
        c: with_array(v, np.where(z < middle, np.float32(np.nan), v.array))
        for c, v in scene.volumes.items()
    }


def _flipped(scene: Scene, axis: int) -> Changes:
    return {
        c: with_array(v, np.ascontiguousarray(np.flip(v.array, axis)))
        for c, v in scene.volumes.items()
    }
