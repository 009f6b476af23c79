"""What goes wrong with labeled blood: too few pairs, label that is late, a delay that is short."""

import math

import numpy as np
from scipy import ndimage

from tracerless.core.grid import points_mm
from tracerless.core.scaling import relative
from tracerless.core.session import Template
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.evaluate.stress_parts import (
    FWHM_PER_SIGMA,
    Array,
    Changes,
    Scene,
    brain_center_mm,
    brain_radii_mm,
    field,
)

GRAIN_MM = 6.0
"""FWHM of the noise in prepared relative CBF: `prepare.cbf_fwhm_mm` as it comes."""
PLD_S = 1.8
LABEL_S = 1.8
T1_BLOOD_S = 1.65
T1_TISSUE_S = 1.3
"""Timing of the consensus protocol, and T1 at 3 T (Alsop 2015, Magn Reson Med 73:102)."""
ARRIVAL_S = (0.7, 1.5)
"""Arrival of the label at the brain's base, and at its farthest border."""
_WIDE_MM = 18.0
_VESSEL_MM = 10.0
_VESSEL_FROM = 1.0
_VESSEL_SHARE = 0.5
"""Of the label that has not reached the tissue, what is still seen, as bright vessels."""


def few_pairs(scene: Scene, level: float) -> Changes:
    """The noise that relative CBF would have from a share of its pairs of control and label.

    Args:
        scene: a session; the noise that it has is measured in its white matter.
        level: share of the pairs that is left, 0-1.
    """
    if Contrast.CBF not in scene.volumes:
        return {}
    volume = scene.volumes[Contrast.CBF]
    more = flow_noise(volume, scene.template) * math.sqrt(1 / level - 1)
    noisy = volume.array + np.float32(more) * field(scene.grid, GRAIN_MM, scene.rng)
    return {Contrast.CBF: _relative(volume, noisy, scene.template)}


def late_label(scene: Scene, level: float) -> Changes:
    """Blood that arrives later: far tissue loses signal, half of which stands in vessels instead.

    Args:
        scene: a session.
        level: how much later, s.
    """
    if Contrast.CBF not in scene.volumes:
        return {}
    volume = scene.volumes[Contrast.CBF]
    arrival = arrival_s(scene.template)
    kept = label_seen(arrival + np.float32(level), PLD_S) / label_seen(arrival, PLD_S)
    flow = volume.array * kept
    brain = scene.brain & np.isfinite(flow)
    vessel = np.maximum(field(scene.grid, _VESSEL_MM, scene.rng) - _VESSEL_FROM, 0) * brain
    lost = float((volume.array - flow)[brain].clip(0).sum())
    bright = _VESSEL_SHARE * lost / max(float(vessel.sum()), 1e-9)
    return {Contrast.CBF: _relative(volume, flow + np.float32(bright) * vessel, scene.template)}


def short_delay(scene: Scene, level: float) -> Changes:
    """A post-labeling delay that was shorter than the protocol says.

    As the level of relative CBF is divided out, what stays is its shape: too little where blood
    arrives late.

    Args:
        scene: a session.
        level: by how much the delay was shorter, s.
    """
    if Contrast.CBF not in scene.volumes:
        return {}
    volume, arrival = scene.volumes[Contrast.CBF], arrival_s(scene.template)
    kept = label_seen(arrival, PLD_S - level) / label_seen(arrival, PLD_S)
    return {Contrast.CBF: _relative(volume, volume.array * kept, scene.template)}


def label_seen(arrival: Array, delay_s: float) -> Array:
    """Label in tissue at the readout, for one flow; arbitrary units, above 0.

    Args:
        arrival: (...) s.
        delay_s: after the end of labeling.

    Source:
        Buxton 1998 (Magn Reson Med 40:383), equation 3: plug flow, one well-mixed compartment.
    """
    since = np.maximum(LABEL_S + delay_s - arrival, 0)
    gone = np.maximum(delay_s - arrival, 0)
    washed = np.exp(-gone / T1_TISSUE_S) - np.exp(-since / T1_TISSUE_S)
    seen = np.exp(-arrival / T1_BLOOD_S) * washed
    return np.asarray(np.maximum(seen, 1e-3), dtype=np.float32)


def arrival_s(template: Template) -> Array:
    """(I, J, K) s: blood enters at the base, in front of the middle, and comes last to the border.

    A smooth stand-in for what differs from person to person.
    """
    entry = brain_center_mm(template) + brain_radii_mm(template) * np.array([0, 0.1, -0.6])
    far = np.linalg.norm(points_mm(template.grid) - entry, axis=-1)
    low, high = ARRIVAL_S
    farthest = float(far[template.brain.array > 0.5].max())
    return np.asarray(low + (high - low) * np.clip(far / farthest, 0, 1), dtype=np.float32)


def flow_noise(volume: Volume, template: Template) -> float:
    """SD of the noise in a map of relative CBF.

    Measured in white matter, where flow is even: the robust spread about a wide local mean, put
    right for what that mean takes of noise of `GRAIN_MM`. Anatomy that differs from the template
    adds to it, so it is rather too large.
    """
    inside = (template.white.array > 0.8) & np.isfinite(volume.array)
    sigma_vox = [_WIDE_MM / FWHM_PER_SIGMA / mm for mm in volume.grid.spacing_mm]
    total = ndimage.gaussian_filter(np.where(inside, volume.array, 0), sigma_vox)
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma_vox)
    left = (volume.array - total / np.maximum(weight, 1e-6))[inside]
    spread = 1.4826 * float(np.median(np.abs(left - np.median(left))))
    return spread / math.sqrt(_share_left(GRAIN_MM, _WIDE_MM))


def _share_left(grain_mm: float, wide_mm: float) -> float:
    """Variance of noise of one grain that stays when a wider local mean is taken away."""
    fine, wide = grain_mm**2, wide_mm**2
    return float(1 - 2 * (fine / (fine + wide / 2)) ** 1.5 + (fine / (fine + wide)) ** 1.5)


def _relative(volume: Volume, array: Array, template: Template) -> Volume:
    return relative(with_array(volume, array), template.brain.array > 0.5)
