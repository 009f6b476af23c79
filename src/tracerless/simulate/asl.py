"""Pseudo-continuous arterial spin labeling: from flow to control, label and M0, and back."""

import math
from dataclasses import dataclass

import numpy as np

from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.simulate.acquire import (
    FloatArray,
    Head,
    acquire,
    mixture,
    receive_field,
    rician,
    smooth_noise,
)
from tracerless.simulate.protocols import AslProtocol
from tracerless.simulate.scanners import Scanners, Tissue

SECONDS_PER_ML_100G_MIN = 6000.0
"""mL/100 g/min in one mL/g/s."""

T1_BRAIN_S = 1.2
"""T1 that a short M0 recovery is corrected with, as GE's product does."""

LONG_RECOVERY_S = 5.0
"""An M0 that recovered for longer is taken as it is (Alsop 2015)."""


@dataclass(frozen=True, slots=True, eq=False)
class AslSeries:
    """One labeling series: as many controls as labels, one M0; all on one grid, stored units."""

    control: tuple[Volume, ...]
    label: tuple[Volume, ...]
    m0: Volume

    @property
    def grid(self) -> Grid:
        """The grid of every volume."""
        return self.m0.grid

    @property
    def difference(self) -> FloatArray:
        """Mean of control minus label, (I, J, K), stored units."""
        pairs = zip(self.control, self.label, strict=True)
        mean: FloatArray = np.mean([c.array - lab.array for c, lab in pairs], axis=0)
        return mean


def kinetic(
    flow: FloatArray,
    transit_s: FloatArray,
    tissue: Tissue,
    protocol: AslProtocol,
    partition_ml_g: float,
) -> FloatArray:
    """Difference signal of a pure tissue at the readout, against the M0 of fluid.

    Args:
        flow: mL/100 g/min, any shape.
        transit_s: arrival of the label, same shape.
        tissue: proton density and T1.
        protocol: ``label_duration_s``, ``pld_s``, ``efficiency``, ``t1_blood_s``.
        partition_ml_g: water in brain against blood, mL/g.

    Source:
        Buxton 1998 (Magn Reson Med 40:383), equation 3: plug flow, one well-mixed compartment.
    """
    perfusion = flow / np.float32(SECONDS_PER_ML_100G_MIN)
    t1_s = 1 / (1 / tissue.t1_s + perfusion / partition_ml_g)
    readout_s = protocol.label_duration_s + protocol.pld_s
    scale = 2 * protocol.efficiency * tissue.pd / partition_ml_g
    inflow = scale * perfusion * t1_s * np.exp(-transit_s / protocol.t1_blood_s)
    since_s = np.maximum(readout_s - transit_s, 0)
    gone_s = np.maximum(since_s - protocol.label_duration_s, 0)
    signal: FloatArray = inflow * (np.exp(-gone_s / t1_s) - np.exp(-since_s / t1_s))
    return signal.astype(np.float32)


def difference_signal(
    head: Head, protocol: AslProtocol, scanners: Scanners, rng: np.random.Generator | None
) -> FloatArray:
    """Difference signal on the head's lattice, against the M0 of fluid; no noise.

    Where the label arrives near the post-labeling delay part of it is still in arteries: lost from
    the tissue, bright in vessels (places drawn from ``rng``; None leaves the vessels out).
    """
    sample, constants = head.sample, scanners.perfusion
    partition = constants.partition_ml_g
    late_s = sample.transit_s + np.float32(constants.transit_white_extra_s)
    parts = {
        "grey": (sample.cbf_grey, sample.transit_s),
        "deep_grey": (sample.cbf_grey, sample.transit_s),
        "white": (sample.cbf_white, late_s),
        "lesion": (sample.cbf_white * np.float32(constants.lesion_flow), late_s),
    }
    total: FloatArray = np.zeros(sample.transit_s.shape, dtype=np.float32)
    for key, (flow, transit_s) in parts.items():
        pure = kinetic(flow, transit_s, scanners.tissues[key], protocol, partition)
        total += sample.tissues[key] * pure
    if rng is None:
        return total
    lag = (sample.transit_s - constants.late_s) / constants.late_width_s
    late = 1 / (1 + np.exp(-np.clip(lag, -30, 30)))
    pattern = smooth_noise(head.lattice, constants.vessel_fwhm_mm, rng)
    vessel = np.clip(pattern - constants.vessel_threshold, 0, 2) * constants.vessel_signal
    vessel = vessel * (sample.tissues["grey"] + sample.tissues["csf"])
    mixed = total * (1 - constants.late_share * late) + late * vessel
    return mixed.astype(np.float32)


def recovered(scanners: Scanners, protocol: AslProtocol) -> dict[str, float]:
    """M0 signal of every tissue after the protocol's recovery, against that of fluid at rest."""
    t1_s, wait_s = scanners.values("t1_s"), protocol.m0_recovery_s
    return {k: v * (1 - math.exp(-wait_s / t1_s[k])) for k, v in scanners.values("pd").items()}


def asl(
    head: Head,
    grid: Grid,
    protocol: AslProtocol,
    *,
    scanners: Scanners,
    n_pairs: int,
    seed: str,
    motion: Affine | None = None,
    noise: bool = True,
) -> AslSeries:
    """Control and label volumes with their M0.

    Args:
        head: sampled on a lattice finer than the resolution.
        grid: the scanner's matrix.
        protocol: labeling, readout and noise.
        scanners: tissue values and perfusion constants.
        n_pairs: of control and label.
        seed: names the person and the visit.
        motion: from the space of ``grid`` to that of the lattice.
        noise: False leaves out noise, physiology, vessels and receive field.
    """
    rng = generator("asl", seed)
    proton = scanners.values("pd")
    signals = (
        difference_signal(head, protocol, scanners, rng if noise else None),
        mixture(head.sample, proton) * np.float32(protocol.suppression),
        mixture(head.sample, recovered(scanners, protocol)),
    )
    delta, static, m0 = (
        acquire(s, head.lattice, grid, fwhm_mm=protocol.fwhm_mm, motion=motion) for s in signals
    )
    field = receive_field(grid, protocol.bias, rng) if noise else np.float32(1)
    sigma = proton["white"] / protocol.snr_m0 if noise else 0.0
    beat = rng.normal(1, protocol.physiological if noise else 0.0, 2 * n_pairs).astype(np.float32)

    def stored(signal: FloatArray, contrast: Contrast) -> Volume:
        array = rician(signal * field, sigma, rng) * np.float32(protocol.scale)
        return Volume(array, grid, Quantity.SIGNAL, contrast)

    control = [stored(static * beat[2 * i], Contrast.ASL) for i in range(n_pairs)]
    label = [stored(static * beat[2 * i + 1] - delta, Contrast.ASL) for i in range(n_pairs)]
    return AslSeries(tuple(control), tuple(label), stored(m0, Contrast.M0))


def cbf(
    difference: FloatArray, m0: FloatArray, protocol: AslProtocol, partition_ml_g: float
) -> FloatArray:
    """Blood flow from a difference and its M0, mL/100 g/min.

    Args:
        difference: (I, J, K) control minus label.
        m0: (I, J, K), same units; 0 gives 0.
        protocol: timing and efficiency; an M0 that recovered for less than ``LONG_RECOVERY_S``
            is corrected with ``T1_BRAIN_S``.
        partition_ml_g: mL/g.

    Source:
        Alsop 2015 (Magn Reson Med 73:102), equation 1.
    """
    full = 1.0
    if protocol.m0_recovery_s < LONG_RECOVERY_S:
        full = 1 - math.exp(-protocol.m0_recovery_s / T1_BRAIN_S)
    t1_s = protocol.t1_blood_s
    bolus = 2 * protocol.efficiency * t1_s * (1 - math.exp(-protocol.label_duration_s / t1_s))
    factor = SECONDS_PER_ML_100G_MIN * partition_ml_g * math.exp(protocol.pld_s / t1_s) / bolus
    ratio = np.divide(difference * full, m0, out=np.zeros_like(difference), where=m0 > 0)
    flow: FloatArray = ratio * np.float32(factor)
    return flow


def masked_cbf(
    difference: FloatArray, m0: FloatArray, protocol: AslProtocol, scanners: Scanners
) -> FloatArray:
    """Blood flow as ``cbf``; 0 where M0 is below a tenth of its maximum (air, bone)."""
    inside = m0 > 0.1 * np.percentile(m0, 99.5)
    return cbf(difference, np.where(inside, m0, 0), protocol, scanners.perfusion.partition_ml_g)


def cbf_map(series: AslSeries, protocol: AslProtocol, scanners: Scanners) -> Volume:
    """The scanner's own flow map from its series, mL/100 g/min."""
    flow = masked_cbf(series.difference, series.m0.array, protocol, scanners)
    return Volume(flow, series.grid, Quantity.CBF, Contrast.CBF)
