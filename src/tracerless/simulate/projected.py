"""FDG-PET and brain SPECT by counted projections and reconstruction (mode ``hospital``)."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.simulate.acquire import (
    FWHM_PER_SIGMA,
    FloatArray,
    Head,
    acquire,
    mixture,
    scanner_grid,
)
from tracerless.simulate.emission import fdg_suv, kbq_per_suv, perfusion_tracer
from tracerless.simulate.protocols import PetProtocol
from tracerless.simulate.scanners import Scanners, Sizes, SpectScanner
from tracerless.simulate.tomography import (
    Projector,
    butterworth,
    chang,
    escape,
    osem,
    projector,
)

SCATTER_GRAIN_MM = 33.0
"""Sigma of scattered counts across a projection, mm: they carry no detail."""

SCATTER_BELIEVED = 0.9
"""Share of the scatter that a SPECT reconstruction subtracts: correction is not perfect."""

SPECT_SLICE_SIGMA_MM = 3.4
"""Mean spread along the axis of rotation, mm (collimator at the depth of the brain)."""


def fdg_projected(
    head: Head,
    grid: Grid,
    protocol: PetProtocol,
    *,
    scanners: Scanners,
    weight_kg: float,
    n_angles: int,
    seed: str,
    motion: Affine | None = None,
) -> Volume:
    """FDG-PET from attenuated projections with randoms and scatter, Poisson counts, and OSEM.

    Arguments and result as ``emission.fdg``; the matrix of ``grid`` must be square in plane. The
    reconstruction knows attenuation and the mean background, not the resolution.
    """
    detector = (protocol.detector_fwhm_mm,) * 3
    suv = acquire(
        fdg_suv(head.sample, scanners), head.lattice, grid, fwhm_mm=detector, motion=motion
    )
    mu = mixture(head.sample, scanners.values("mu_511_per_cm"))
    mu_per_mm = acquire(mu, head.lattice, grid, motion=motion) / np.float32(10)
    n, spacing_mm = grid.shape[0], grid.spacing_mm[0]
    system = projector(n, spacing_mm, n_angles=n_angles, arc_deg=180.0)
    factors = np.exp(-system.forward(_planes(mu_per_mm)) * np.float32(spacing_mm))
    trues = system.forward(_planes(suv)) * factors
    scale = protocol.counts * (1 - protocol.background) / float(trues.sum(dtype=np.float64))
    trues *= np.float32(scale)
    background = _flat_background(trues, protocol.background)
    rng = generator("fdg", seed)
    counts = rng.poisson(trues + background).astype(np.float32)
    found = osem(
        counts,
        system,
        factors=factors,
        background=background,
        iterations=protocol.iterations,
        subsets=protocol.subsets,
    )
    sigma_vox = [protocol.post_fwhm_mm / FWHM_PER_SIGMA / mm for mm in grid.spacing_mm]
    smooth = ndimage.gaussian_filter(found / np.float32(scale), sigma_vox)
    kbq_ml = smooth * np.float32(kbq_per_suv(protocol, scanners, weight_kg))
    return Volume(kbq_ml, grid, Quantity.ACTIVITY, Contrast.FDG)


def spect_projected(
    head: Head,
    grid: Grid,
    scanner: SpectScanner,
    *,
    scanners: Scanners,
    size: Sizes,
    seed: str,
    motion: Affine | None = None,
) -> Volume:
    """Perfusion SPECT from projections: collimator, attenuation, scatter, counts, OSEM, Chang.

    Arguments and result as ``emission.spect``. Acquired and reconstructed on square planes of
    ``size.spect_acquired_mm`` over the field of ``grid``, Butterworth-filtered, then interpolated
    to ``grid`` as a workstation does. The reconstruction knows neither the spread of the collimator
    nor the true attenuation.
    """
    field = _acquired_grid(grid, size.spect_acquired_mm)
    activity = perfusion_tracer(head.sample, scanners, scanner.tracer)
    seen = acquire(activity, head.lattice, field, motion=motion)
    mu = mixture(head.sample, scanners.values("mu_140_per_cm"))
    mu_per_mm = acquire(mu, head.lattice, field, motion=motion) / np.float32(10)
    trues = _camera(seen, mu_per_mm, field, scanner)
    trues *= np.float32(scanner.counts / float(trues.sum(dtype=np.float64)))
    blur = SCATTER_GRAIN_MM / size.spect_acquired_mm
    scatter = ndimage.gaussian_filter(trues, (0, blur, blur)) * np.float32(scanner.scatter)
    rng = generator("spect", seed)
    counts = rng.poisson(trues + scatter).astype(np.float32)
    found = osem(
        counts,
        _collimator(field, scanner, is_ideal=True),
        factors=np.ones_like(counts),
        background=scatter * np.float32(SCATTER_BELIEVED),
        iterations=scanner.iterations,
        subsets=scanner.subsets,
    )
    mm = size.spect_acquired_mm
    corrected = chang(found, mm, scanner.chang_per_cm)
    smooth = butterworth(corrected, mm, scanner.cutoff_per_cm, scanner.order)
    volume = Volume(smooth, field, Quantity.COUNTS, Contrast(scanner.tracer))
    if field == grid:
        return volume
    shown = np.nan_to_num(resample(volume, grid).array, nan=0.0)
    return Volume(shown, grid, Quantity.COUNTS, volume.contrast)


def _planes(volume: FloatArray) -> FloatArray:
    return volume.reshape(-1, volume.shape[2])


def _flat_background(trues: FloatArray, share: float) -> FloatArray:
    """Randoms and scatter without detail: part follows the object broadly, part is flat."""
    broad = ndimage.gaussian_filter1d(trues, 12, axis=1)
    flat = np.broadcast_to(trues.mean(axis=(0, 1), keepdims=True), trues.shape)
    mixed = 0.4 * broad + 0.6 * flat
    total = share / (1 - share) * float(trues.sum(dtype=np.float64))
    background: FloatArray = mixed * np.float32(total / float(mixed.sum(dtype=np.float64)))
    return background


def _acquired_grid(grid: Grid, spacing_mm: float) -> Grid:
    shape, mm = np.array(grid.shape), np.array(grid.spacing_mm)
    n = int(np.ceil(max(shape[0] * mm[0], shape[1] * mm[1]) / spacing_mm))
    slices = int(np.ceil(shape[2] * mm[2] / spacing_mm))
    center = grid.affine[:3, :3] @ ((shape - 1) / 2) + grid.affine[:3, 3]
    place = (float(center[0]), float(center[1]), float(center[2]))
    return scanner_grid((n, n, slices), (spacing_mm,) * 3, place)


def _collimator(field: Grid, scanner: SpectScanner, *, is_ideal: bool) -> Projector:
    def sigma_mm(depth_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        distance = np.clip(depth_mm, 10.0, 400.0)
        collimator = scanner.collimator_offset_mm + scanner.collimator_slope * distance
        return np.hypot(scanner.intrinsic_fwhm_mm, collimator) / FWHM_PER_SIGMA

    return projector(
        field.shape[0],
        field.spacing_mm[0],
        n_angles=scanner.n_angles,
        arc_deg=360.0,
        orbit_mm=scanner.orbit_mm,
        sigma_mm=None if is_ideal else sigma_mm,
    )


def _camera(
    activity: FloatArray, mu_per_mm: FloatArray, field: Grid, scanner: SpectScanner
) -> FloatArray:
    """Expected unscattered counts, (angles, N, S), in arbitrary units."""
    system = _collimator(field, scanner, is_ideal=False)
    spread = ndimage.gaussian_filter1d(activity, SPECT_SLICE_SIGMA_MM / field.spacing_mm[2], axis=2)
    views = []
    for matrix, angle in zip(system.matrices, system.angles_deg, strict=True):
        left = spread * escape(mu_per_mm, field.spacing_mm[0], angle)
        views.append(matrix @ _planes(left))
    return np.stack(views)
