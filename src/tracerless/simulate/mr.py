"""T1- and T2-weighted magnitude volumes from the signal equations."""

import math
from collections.abc import Mapping

import numpy as np

from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.simulate.acquire import (
    FloatArray,
    Head,
    HeadSample,
    acquire,
    mixture,
    receive_field,
    rician,
)
from tracerless.simulate.protocols import T1wProtocol, T2wProtocol
from tracerless.simulate.scanners import BRAIN_TISSUES, Tissue

INVERSION_EFFICIENCY = 0.96
"""Share of the magnetization that an adiabatic pulse inverts (usual value at 3 T)."""

VOXEL_FWHM = 0.68
"""FWHM of a voxel's box against its edge (same variance)."""

_T1_STEP = 0.02


def mprage(tissue: Tissue, protocol: T1wProtocol, t1_factor: float = 1.0) -> float:
    """Magnitude signal of a tissue at the k-space center of an MPRAGE train, in steady state.

    Args:
        tissue: proton density and T1.
        protocol: timing and flip angle.
        t1_factor: multiplies the T1.

    Source:
        Mugler and Brookeman 1990 (Magn Reson Med 15:152); the steady state between shots is
        solved in closed form, since one shot is an affine function of the magnetization.
    """
    t1_s = tissue.t1_s * t1_factor
    flip = math.radians(protocol.flip_deg)
    half = protocol.n_echoes / 2
    before_s = max(protocol.inversion_s - half * protocol.echo_spacing_s, 0.0)
    after_s = max(protocol.shot_s - before_s - protocol.n_echoes * protocol.echo_spacing_s, 0.0)
    per_echo = math.exp(-protocol.echo_spacing_s / t1_s)
    decay = per_echo * math.cos(flip)
    driven = (1 - per_echo) / (1 - decay)
    rise, recovery = math.exp(-before_s / t1_s), math.exp(-after_s / t1_s)

    def shot(start: float) -> tuple[float, float]:
        inverted = 1 - rise - INVERSION_EFFICIENCY * start * rise
        center = driven + (inverted - driven) * decay**half
        end = driven + (inverted - driven) * decay**protocol.n_echoes
        return center, 1 - recovery + end * recovery

    offset = shot(0.0)[1]
    slope = shot(1.0)[1] - offset
    center, _ = shot(offset / (1 - slope))
    return abs(tissue.pd * math.sin(flip) * center)


def turbo_spin_echo(tissue: Tissue, protocol: T2wProtocol) -> float:
    """Signal of a tissue in a long-repetition spin-echo train at its effective echo time."""
    recovered = 1 - math.exp(-protocol.repetition_s / tissue.t1_s)
    return tissue.pd * recovered * math.exp(-protocol.echo_s / tissue.t2_s)


def t1w_signal(
    sample: HeadSample, tissues: Mapping[str, Tissue], protocol: T1wProtocol
) -> FloatArray:
    """MPRAGE signal where the head was sampled, white matter = 1; no noise, no field.

    The person's own T1 enters to first order.
    """
    white = mprage(tissues["white"], protocol)
    signal = mixture(sample, {key: mprage(t, protocol) / white for key, t in tissues.items()})
    slopes = {}
    for key in BRAIN_TISSUES:
        up, down = (mprage(tissues[key], protocol, 1 + s) for s in (_T1_STEP, -_T1_STEP))
        slopes[key] = (up - down) / (2 * _T1_STEP) / white
    own: FloatArray = signal + mixture(sample, slopes) * (sample.t1_factor - np.float32(1))
    return np.maximum(own, 0)


def t2w_signal(
    sample: HeadSample, tissues: Mapping[str, Tissue], protocol: T2wProtocol
) -> FloatArray:
    """Turbo-spin-echo signal where the head was sampled, white matter = 1; no noise, no field."""
    white = turbo_spin_echo(tissues["white"], protocol)
    values = {key: turbo_spin_echo(t, protocol) / white for key, t in tissues.items()}
    return mixture(sample, values)


def receive(
    signal: FloatArray,
    grid: Grid,
    protocol: T1wProtocol | T2wProtocol,
    *,
    seed: str,
) -> Volume:
    """The stored magnitude of a signal (white matter = 1): receive field, Rician noise, scale.

    Noise has SD 1 / ``protocol.snr`` per channel whatever the voxel: a coarse matrix stands for
    a shorter acquisition.
    """
    is_t1w = isinstance(protocol, T1wProtocol)
    contrast = Contrast.T1W if is_t1w else Contrast.T2W
    quantity = Quantity.T1W if is_t1w else Quantity.T2W
    rng = generator("receive", contrast, seed)
    seen = rician(signal * receive_field(grid, protocol.bias, rng), 1 / protocol.snr, rng)
    return Volume(seen * np.float32(protocol.scale), grid, quantity, contrast)


def t1w(
    head: Head,
    grid: Grid,
    protocol: T1wProtocol,
    *,
    tissues: Mapping[str, Tissue],
    seed: str,
    motion: Affine | None = None,
) -> Volume:
    """A T1-weighted MPRAGE volume of the head on a scanner's grid.

    Args:
        head: sampled on a lattice at least as fine as ``grid``.
        grid: the scanner's matrix.
        protocol: the sequence.
        tissues: proton density and relaxation times.
        seed: names the person and the visit; field and noise follow from it.
        motion: from the space of ``grid`` to that of the head's lattice.
    """
    signal = acquire(t1w_signal(head.sample, tissues, protocol), head.lattice, grid, motion=motion)
    return receive(signal, grid, protocol, seed=seed)


def t2w(
    head: Head,
    grid: Grid,
    protocol: T2wProtocol,
    *,
    tissues: Mapping[str, Tissue],
    seed: str,
    motion: Affine | None = None,
) -> Volume:
    """A T2-weighted turbo-spin-echo volume of the head, thick slices averaged; as ``t1w``."""
    thick = (0.0, 0.0, VOXEL_FWHM * grid.spacing_mm[2])
    signal = acquire(
        t2w_signal(head.sample, tissues, protocol),
        head.lattice,
        grid,
        fwhm_mm=thick,
        motion=motion,
    )
    return receive(signal, grid, protocol, seed=seed)
