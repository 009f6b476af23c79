"""Brains that no cohort of dementia holds: stroke, tumor, cavity, wide ventricles, metal."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import points_mm
from tracerless.core.session import Template
from tracerless.core.transform import Displacement, resample
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.evaluate.stress_parts import (
    Array,
    Changes,
    Scene,
    ball,
    brain_center_mm,
    brain_radii_mm,
    field,
    soft,
    tissue_levels,
    toward,
)

_EDGE_MM = 5.0


def stroke(scene: Scene) -> Changes:
    """An old infarct of one middle cerebral artery: fluid-like tissue without flow."""
    side = scene.rng.choice([-1.0, 1.0])
    ragged = 1 + 0.25 * field(scene.grid, 25.0, scene.rng)
    center = _place(scene.template, (0.62 * side, -0.1, 0.15))
    apart = np.linalg.norm(points_mm(scene.grid) - center, axis=-1)
    share = _inside(apart < 34.0 * ragged, scene.template)
    return _replaced(scene, share, fluid=0.85, flow=0.05)


def tumor(scene: Scene) -> Changes:
    """A mass of 45 mm with a core without flow, a rim with much, swelling, and displacement."""
    side = scene.rng.choice([-1.0, 1.0])
    center = _place(scene.template, (0.5 * side, float(scene.rng.uniform(-0.4, 0.4)), 0.2))
    pushed = _pushed(scene, center, radius_mm=22.0, by_mm=9.0)
    core = _inside(ball(scene.grid, center, 15.0), scene.template)
    mass = _inside(ball(scene.grid, center, 22.0), scene.template)
    swollen = _inside(ball(scene.grid, center, 38.0), scene.template)
    made: dict[Contrast, Volume] = {}
    for contrast, volume in pushed.items():
        if contrast == Contrast.CBF:
            factor: Array = (
                (1 - 0.5 * swollen) * (1 + 3.0 * np.maximum(mass - core, 0)) * (1 - core)
            )
            made[contrast] = with_array(volume, volume.array * factor)
            continue
        level = tissue_levels(scene.volumes[contrast], scene.template)
        edema = toward(volume, level["csf"], 0.45 * swollen * (1 - mass))
        made[contrast] = toward(edema, level["csf"], np.maximum(0.5 * mass, 0.95 * core))
    return made


def resection(scene: Scene) -> Changes:
    """The front of one temporal lobe was taken out: a cavity filled with fluid."""
    side = scene.rng.choice([-1.0, 1.0])
    center = _place(scene.template, (0.6 * side, 0.25, -0.5))
    share = _inside(ball(scene.grid, center, np.array([22.0, 32.0, 24.0])), scene.template)
    return _replaced(scene, share, fluid=1.0, flow=0.0)


def hydrocephalus(scene: Scene) -> Changes:
    """Ventricles as wide as half of the brain."""
    radii = brain_radii_mm(scene.template) * np.array([0.45, 0.5, 0.45])
    center = _place(scene.template, (0, -0.05, 0.1))
    share = _inside(ball(scene.grid, center, radii), scene.template)
    return _replaced(scene, share, fluid=1.0, flow=0.0)


def metal(scene: Scene) -> Changes:
    """A clip or a shunt valve: no signal around it in any contrast."""
    center = _place(scene.template, (0.55 * scene.rng.choice([-1.0, 1.0]), 0.3, 0.4))
    lost = soft(ball(scene.grid, center, 30.0), scene.grid, _EDGE_MM)
    return {c: with_array(v, v.array * (1 - lost)) for c, v in scene.volumes.items()}


def _replaced(scene: Scene, share: Array, *, fluid: float, flow: float) -> Changes:
    """``fluid`` of the tissue becomes fluid; ``flow`` of the flow is left."""
    made: dict[Contrast, Volume] = {}
    for contrast, volume in scene.volumes.items():
        if contrast == Contrast.CBF:
            made[contrast] = with_array(volume, volume.array * (1 - (1 - flow) * share))
        else:
            level = tissue_levels(volume, scene.template)["csf"]
            made[contrast] = toward(volume, level, fluid * share)
    return made


def _pushed(
    scene: Scene, center: NDArray[np.float64], *, radius_mm: float, by_mm: float
) -> Changes:
    """MR contrasts with the tissue around a place pushed away from it."""
    away = points_mm(scene.grid) - center.astype(np.float32)
    far = np.linalg.norm(away, axis=-1, keepdims=True)
    amount = by_mm * np.exp(-0.5 * ((far - radius_mm) / radius_mm) ** 2)
    vectors = -amount * away / np.maximum(far, 1.0)
    way = Displacement(scene.template.key, scene.template.key, scene.grid, vectors)
    return {c: resample(volume, scene.grid, way) for c, volume in scene.volumes.items()}


def _inside(mask: NDArray[np.bool_], template: Template) -> Array:
    """Soft, and within the brain."""
    brain = ndimage.binary_fill_holes(template.brain.array > 0.5)
    return soft(mask & brain, template.grid, _EDGE_MM)


def _place(template: Template, where: tuple[float, float, float]) -> NDArray[np.float64]:
    """Mm of a place given in half extents of the brain: right, front, top."""
    place: NDArray[np.float64] = brain_center_mm(template) + brain_radii_mm(template) * where
    return place
