"""What goes wrong with places: series that are not where the T1w says, a head beside the template.

What leaves a field of view is NaN, as registration leaves it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tracerless.core.transform import resample
from tracerless.core.volume import Contrast
from tracerless.evaluate.stress_parts import Changes, Scene, brain_center_mm, pull

BESIDE = (Contrast.T2W, Contrast.CBF)
"""Contrasts that are aligned to the T1w."""


def shift(scene: Scene, level: float) -> Changes:
    """T2w and CBF lie ``level`` mm off the T1w, each in a direction of its own."""
    made = {}
    for contrast in BESIDE:
        way = level * _direction(scene.rng)
        if contrast in scene.volumes:
            made[contrast] = resample(scene.volumes[contrast], scene.grid, pull(scene, _rigid(way)))
    return made


def turn(scene: Scene, level: float) -> Changes:
    """T2w and CBF are turned by ``level`` degrees about the brain's middle, each its own way."""
    made, center = {}, brain_center_mm(scene.template)
    for contrast in BESIDE:
        axis = _direction(scene.rng)
        if contrast in scene.volumes:
            turned = Rotation.from_rotvec(level * axis, degrees=True).as_matrix()
            matrix = _rigid(center - turned @ center)
            matrix[:3, :3] = turned
            made[contrast] = resample(scene.volumes[contrast], scene.grid, pull(scene, matrix))
    return made


def off_template(scene: Scene, level: float) -> Changes:
    """All MR lies ``level`` mm beside the template: registration to it went wrong."""
    way = pull(scene, _rigid(level * _direction(scene.rng)))
    return {c: resample(volume, scene.grid, way) for c, volume in scene.volumes.items()}


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    way = rng.standard_normal(3)
    return np.asarray(way / np.linalg.norm(way), dtype=np.float64)


def _rigid(way_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, 3] = way_mm
    return matrix
