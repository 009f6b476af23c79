"""What goes wrong with a structural series: motion, noise, receive field, blur, lost tissue."""

import numpy as np
from scipy import ndimage

from tracerless.core.grid import points_mm
from tracerless.core.transform import gaussian
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.evaluate.stress_parts import (
    Array,
    Changes,
    Scene,
    ball,
    brain_center_mm,
    brain_radii_mm,
    field,
    tissue_levels,
)

STRUCTURAL = (Contrast.T1W, Contrast.T2W)
N_POSITIONS = 8
"""Places where the head rests during one acquisition."""


def motion(scene: Scene, level: float) -> Changes:
    """The head moves while T1w and T2w are encoded: ghosts and ripple along front to back.

    Args:
        scene: a session.
        level: root mean square of the positions about that at the middle of k-space, mm.

    Deviates from a scanner: the lattice of the template is encoded, so all of the motion falls into
    the lines that carry the picture's coarse parts; the head is shifted and not turned.
    """
    made = {}
    for contrast in STRUCTURAL:
        path = scene.rng.standard_normal((N_POSITIONS, 3))
        if contrast in scene.volumes:
            volume = scene.volumes[contrast]
            made[contrast] = with_array(volume, _moved(volume, level * _centered(path)))
    return made


def noise(scene: Scene, level: float) -> Changes:
    """Noise of a magnitude series in T1w and T2w.

    Args:
        scene: a session.
        level: SD as a share of the signal of white matter in that series.

    Source:
        Gudbjartsson, Patz 1995 (Magn Reson Med 34:910): Rician noise.
    """
    made = {}
    for contrast in STRUCTURAL:
        real, imaginary = (field(scene.grid, 0.0, scene.rng) for _ in range(2))
        if contrast in scene.volumes:
            volume = scene.volumes[contrast]
            sd = np.float32(level * abs(tissue_levels(volume, scene.template)["white"]))
            noisy = np.hypot(volume.array + sd * real, sd * imaginary)
            made[contrast] = with_array(volume, noisy)
    return made


def receive_field(scene: Scene, level: float) -> Changes:
    """An uneven receive field over T1w and T2w.

    Args:
        scene: a session.
        level: the brightest place of the brain over the darkest, minus 1.
    """
    where = (points_mm(scene.grid) - brain_center_mm(scene.template)) / brain_radii_mm(
        scene.template
    )
    x, y, z = np.moveaxis(where, -1, 0)
    shapes = np.stack([x, y, z, x * x, y * y, z * z, x * y, y * z, x * z])
    inside = scene.brain
    made = {}
    for contrast in STRUCTURAL:
        weights = scene.rng.standard_normal(len(shapes))
        if contrast in scene.volumes:
            volume = scene.volumes[contrast]
            shape = np.tensordot(weights, shapes, axes=1)
            low, high = shape[inside].min(), shape[inside].max()
            share = np.clip((shape - low) / (high - low), -0.5, 1.5) - 0.5
            made[contrast] = with_array(volume, volume.array * _power(1 + level, share))
    return made


def blur(scene: Scene, level: float) -> Changes:
    """Every MR contrast blurred by a Gaussian of ``level`` mm FWHM."""
    return {c: gaussian(volume, level) for c, volume in scene.volumes.items()}


def bitten(scene: Scene, level: float) -> Changes:
    """Brain extraction that took cortex away: T1w and T2w are 0 within a ball at the surface.

    Args:
        scene: a session.
        level: radius of the ball, mm.
    """
    brain = scene.brain
    surface = brain & ~ndimage.binary_erosion(brain)
    places = points_mm(scene.grid)[surface].astype(np.float64)
    upper = places[places[:, 2] > brain_center_mm(scene.template)[2]]
    gone = ball(scene.grid, upper[scene.rng.integers(len(upper))], level)
    return {
        c: with_array(scene.volumes[c], np.where(gone, np.float32(0), scene.volumes[c].array))
        for c in STRUCTURAL
        if c in scene.volumes
    }


def cut_slices(scene: Scene, level: float) -> Changes:
    """The uppermost slices of T2w are missing.

    Args:
        scene: a session.
        level: share of the brain that they held, 0-1.
    """
    if Contrast.T2W not in scene.volumes:
        return {}
    z = points_mm(scene.grid)[..., 2]
    top = np.quantile(z[scene.brain], 1 - level)
    volume = scene.volumes[Contrast.T2W]
    return {
        Contrast.T2W: with_array(volume, np.where(z > top, np.float32(np.nan), volume.array)),
    }


def _centered(path: np.ndarray) -> np.ndarray:
    """(n, 3) positions about that at the middle of k-space, root mean square 1."""
    away = path - path[len(path) // 2]
    return np.asarray(away / np.sqrt((away**2).sum(axis=1).mean()))


def _moved(volume: Volume, path_mm: np.ndarray) -> Array:
    """What is seen when each share of the lines along the second axis is shifted by its own way."""
    known = np.isfinite(volume.array)
    lines = np.fft.fftn(np.where(known, volume.array, 0))
    i, j, k = (np.fft.fftfreq(n) for n in volume.grid.shape)
    order = np.argsort(np.argsort(j))
    position = path_mm[order * len(path_mm) // len(j)] / np.array(volume.grid.spacing_mm)
    turns = (
        i[:, None, None] * position[None, :, None, 0]
        + (j * position[:, 1])[None, :, None]
        + k[None, None, :] * position[None, :, None, 2]
    )
    seen = np.abs(np.fft.ifftn(lines * np.exp(-2j * np.pi * turns)))
    return np.where(known, seen, np.nan).astype(np.float32)


def _power(base: float, share: np.ndarray) -> Array:
    return np.asarray(np.power(base, share), dtype=np.float32)
