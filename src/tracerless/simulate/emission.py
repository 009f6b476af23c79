"""FDG-PET and brain SPECT: activity of a head, and the fast, image-domain scanner."""

import numpy as np

from tracerless.core.errors import RecipeError
from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.simulate.acquire import FloatArray, Head, HeadSample, acquire, mixture, smooth_noise
from tracerless.simulate.protocols import PetProtocol
from tracerless.simulate.scanners import Scanners, SpectScanner

SPECT_GRAIN = 1.1
"""Grain of SPECT noise against its resolution; measured from the projected mode (1.03-1.14)."""

GREY_PERCENTILE = 97.0
"""The activity that noise is stated for: this percentile of a head's field of view."""


def fdg_suv(sample: HeadSample, scanners: Scanners) -> FloatArray:
    """FDG in every point of a head, SUV (g/mL); no blur, no noise."""
    others = {k: v for k, v in scanners.values("fdg_suv").items() if np.isfinite(v)}
    tissues = sample.tissues
    white = tissues["white"] + np.float32(scanners.emission.lesion_uptake) * tissues["lesion"]
    brain = (tissues["grey"] + tissues["deep_grey"]) * sample.fdg_grey + white * sample.fdg_white
    return (brain + mixture(sample, others)).astype(np.float32)


def retention(flow: FloatArray, alpha: float) -> FloatArray:
    """Retention of a perfusion tracer at relative flow 1 = reference; saturates as flow rises.

    Source:
        Lassen 1988 (J Cereb Blood Flow Metab 8:S13), solved for the retained share.
    """
    kept: FloatArray = (1 + alpha) * flow / (alpha + flow)
    return kept


def perfusion_tracer(sample: HeadSample, scanners: Scanners, tracer: str) -> FloatArray:
    """HMPAO or ECD in every point of a head; 1 = retention at the mean flow of grey matter.

    The reference flow of the retention model is the head's own mean over grey matter. What is
    left out: ECD's own regional pattern apart from flow (it follows an enzyme, not modeled here).

    Raises:
        RecipeError: the tracer is neither HMPAO nor ECD.
    """
    alphas = {"HMPAO": scanners.emission.lassen_hmpao, "ECD": scanners.emission.lassen_ecd}
    if tracer not in alphas:
        raise RecipeError(f"A perfusion tracer is HMPAO or ECD, got {tracer!r}.")
    tissues = sample.tissues
    grey = tissues["grey"] + tissues["deep_grey"]
    reference = float((grey * sample.cbf_grey).sum() / max(float(grey.sum()), 1e-6))
    inverse = np.float32(1 / max(reference, 1e-6))
    white = tissues["white"] + np.float32(scanners.perfusion.lesion_flow) * tissues["lesion"]
    others = {k: v for k, v in scanners.values("perfusion_share").items() if np.isfinite(v)}
    total = (
        grey * retention(sample.cbf_grey * inverse, alphas[tracer])
        + white * retention(sample.cbf_white * inverse, alphas[tracer])
        + mixture(sample, others)
    )
    return total.astype(np.float32)


def kbq_per_suv(protocol: PetProtocol, scanners: Scanners, weight_kg: float) -> float:
    """Activity at the start of the scan of a point with SUV 1, kBq/mL."""
    left: float = 0.5 ** (protocol.uptake_s / scanners.emission.half_life_f18_s)
    return protocol.dose_mbq * left / weight_kg


def fdg(
    head: Head,
    grid: Grid,
    protocol: PetProtocol,
    *,
    scanners: Scanners,
    weight_kg: float,
    seed: str,
    motion: Affine | None = None,
) -> Volume:
    """FDG-PET in the image domain: blur by detector and post-filter, then correlated noise.

    Args:
        head: sampled on a lattice finer than the resolution.
        grid: the scanner's matrix.
        protocol: resolution, noise, dose and times.
        scanners: constants.
        weight_kg: of the person.
        seed: names the person and the visit.
        motion: from the space of ``grid`` to that of the lattice.

    Returns:
        kBq/mL, decay-corrected to the start of the scan. The noise has the grain of the
        post-filter, its SD grows with the root of the local activity and is ``protocol.noise``
        of the activity of grey matter there.
    """
    total_mm = float(np.hypot(protocol.detector_fwhm_mm, protocol.post_fwhm_mm))
    suv = fdg_suv(head.sample, scanners)
    seen = acquire(suv, head.lattice, grid, fwhm_mm=(total_mm,) * 3, motion=motion)
    rng = generator("fdg", seed)
    noisy = with_grain(seen, protocol.noise, smooth_noise(grid, protocol.post_fwhm_mm, rng))
    kbq_ml = noisy * np.float32(kbq_per_suv(protocol, scanners, weight_kg))
    return Volume(kbq_ml, grid, Quantity.ACTIVITY, Contrast.FDG)


def spect(
    head: Head,
    grid: Grid,
    scanner: SpectScanner,
    *,
    scanners: Scanners,
    seed: str,
    motion: Affine | None = None,
) -> Volume:
    """Perfusion SPECT in the image domain: one mean resolution, correlated noise; counts.

    Attenuation and scatter count as corrected. Arguments as ``fdg``.
    """
    activity = perfusion_tracer(head.sample, scanners, scanner.tracer)
    fwhm_mm = (scanner.fwhm_mm,) * 3
    seen = acquire(activity, head.lattice, grid, fwhm_mm=fwhm_mm, motion=motion)
    rng = generator("spect", seed)
    grain = smooth_noise(grid, SPECT_GRAIN * scanner.fwhm_mm, rng)
    noisy = with_grain(seen, scanner.noise, grain)
    scale = np.float32(scanner.counts / max(float(seen.sum()), 1e-6))
    return Volume(noisy * scale, grid, Quantity.COUNTS, Contrast(scanner.tracer))


def with_grain(seen: FloatArray, noise: float, grain: FloatArray) -> FloatArray:
    """Activity with noise whose SD grows with the root of the activity; never below 0.

    Args:
        seen: (I, J, K) activity at the scanner's resolution.
        noise: coefficient of variation in grey matter.
        grain: (I, J, K) the noise's pattern, SD 1.
    """
    grey = max(float(np.percentile(seen, GREY_PERCENTILE)), 1e-6)
    sd = np.float32(noise) * np.sqrt(np.maximum(seen, 0) * np.float32(grey))
    grainy: FloatArray = np.maximum(seen + sd * grain, 0)
    return grainy
