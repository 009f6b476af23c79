"""The fast way to training pairs: a person as prepared scans would show them, in template space.

No scanner matrix, no DICOM, no registration: the signal equations run on a lattice of the template,
through the person's true map, with a smooth random error that stands for what registration leaves.
Resolution and noise are those of the scanner's series after resampling onto the template grid.
"""

import functools
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid, points_mm, with_spacing
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine, Displacement, Points, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.simulate import asl as labeling
from tracerless.simulate import emission, mr
from tracerless.simulate.acquire import (
    FWHM_PER_SIGMA,
    FloatArray,
    Head,
    acquire,
    mixture,
    smooth_noise,
)
from tracerless.simulate.anatomy import Anatomy
from tracerless.simulate.hospital import Setup, setup
from tracerless.simulate.person import Person, Sample, sample_template
from tracerless.simulate.scanners import Scanners

LATTICE_PER_VOXEL = 1.5
"""How much finer than the grid a person is sampled, unless that is finer than the base head."""

RESIDUAL_MM = 1.5
"""Registration error, root mean square. Measured: T1w of four simulated patients after
`tracerless prepare` (preset fast) correlates .954-.962 in the brain with the same person rendered
without error; a drawn error gives .98 at 1 mm, .96 at 1.5 mm and .94 at 2 mm."""

RESIDUAL_FWHM_MM = 40.0
"""Smoothness of what registration leaves."""

_MARGIN_VOX = 3


def rendered(
    person: Person,
    grid: Grid,
    scanners: Scanners,
    *,
    seed: str = "",
    residual_mm: float = RESIDUAL_MM,
    size: str = "demo",
) -> Mapping[Contrast, Volume]:
    """T1w, T2w, CBF (mL/100 g/min) and FDG (kBq/mL) of a person on a template grid.

    Args:
        person: whom.
        grid: of the template; isotropic.
        scanners: the hospital's machines; which one follows from the person and the seed.
        seed: names the visit besides the person.
        residual_mm: root mean square of the registration error that is put in, mm.
        size: whose matrices and pairs set resolution and noise.

    Returns:
        By contrast. T1w and T2w are free of the receive field. CBF is what the machine would
        quantify from its pairs and M0, 0 where M0 is below a tenth of its maximum.

    Deviates from the long way (DICOM, conversion, registration):
        the registration error is drawn, smooth and unbiased; the field of view is never cut.
        White noise of the series keeps its spectral density when it is resampled: a field of noise
        is drawn with the SD and the grain that linear interpolation and the template voxel leave.
    """
    plan = planned(person, scanners, seed, size=size)
    lattice = lattice_for(grid, person.ground.anatomy.grid.spacing_mm[0])
    head = Head(lattice, sampled(person, lattice, residual(lattice, residual_mm, plan.seed)))
    return render(head, grid, plan, enlarged=enlargement(person))


def planned(person: Person, scanners: Scanners, seed: str, *, size: str = "demo") -> Setup:
    """The machine and the matrices that a person meets; arguments as ``rendered``."""
    name = f"{person.key}/{seed}" if seed else person.key
    return setup(scanners, size=size, seed=name, weight_kg=person.identity.weight_kg)


def enlargement(person: Person) -> float:
    """Template millimetres per millimetre of the person."""
    size = abs(np.linalg.det(person.shape.native_from_template[:3, :3]))
    return float(float(size) ** (-1 / 3))


def render(
    head: Head,
    grid: Grid,
    plan: Setup,
    *,
    enlarged: float = 1.0,
    motions: Mapping[Contrast, Affine] = MappingProxyType({}),
) -> Mapping[Contrast, Volume]:
    """The four contrasts of a head that was sampled in template space; see ``rendered``.

    Args:
        head: on a lattice of template millimetres.
        grid: of the template.
        plan: machine and matrices.
        enlarged: template millimetres per millimetre of the person: it enlarges the scanner's
            resolution and voxels alike.
        motions: by contrast, template mm -> template mm: how a series lies against the others.
    """
    ways = {Contrast.T1W: _t1w, Contrast.T2W: _t2w, Contrast.CBF: _cbf, Contrast.FDG: _fdg}
    return {
        contrast: way(_View(head, grid, enlarged, motions.get(contrast)), plan)
        for contrast, way in ways.items()
    }


class _View:
    """How one head lands on one template grid: blur and noise of series of any voxel size."""

    def __init__(self, head: Head, grid: Grid, enlarged: float, motion: Affine | None) -> None:
        self.head, self.grid, self.enlarged, self.motion = head, grid, enlarged, motion

    def seen(
        self, signal: FloatArray, voxel_mm: tuple[float, ...], fwhm_mm: tuple[float, ...]
    ) -> FloatArray:
        """The signal at the resolution of a series, then of interpolation and template voxel."""
        own = (np.array(fwhm_mm) * self.enlarged / FWHM_PER_SIGMA) ** 2
        sigma = np.sqrt(own + self._kernel_mm(voxel_mm) ** 2)
        fwhm = FWHM_PER_SIGMA * sigma
        total = (float(fwhm[0]), float(fwhm[1]), float(fwhm[2]))
        return acquire(signal, self.head.lattice, self.grid, fwhm_mm=total, motion=self.motion)

    def noise(
        self, voxel_mm: tuple[float, ...], rng: np.random.Generator, grain_mm: float = 0.0
    ) -> FloatArray:
        """Noise as it arrives on the grid; SD 1 in the series before resampling.

        ``grain_mm``: FWHM that the noise already has in the series; 0 when it is white there.
        """
        kernel = self._kernel_mm(voxel_mm)
        if grain_mm:
            before = np.full(3, grain_mm * self.enlarged / FWHM_PER_SIGMA)
            after = np.sqrt(before**2 + kernel**2)
            sd = float(np.sqrt(np.prod(before / after)))
        else:
            after = kernel
            voxel = float(np.prod(np.array(voxel_mm) * self.enlarged))
            sd = math.sqrt(voxel / ((4 * math.pi) ** 1.5 * float(np.prod(after))))
        return smooth_noise(self.grid, FWHM_PER_SIGMA * float(after.mean()), rng) * np.float32(sd)

    def _kernel_mm(self, voxel_mm: tuple[float, ...]) -> NDArray[np.float64]:
        """Sigma per axis of linear interpolation between voxels and of the template voxel."""
        triangle = (np.array(voxel_mm) * self.enlarged) ** 2 / 6
        box = np.array(self.grid.spacing_mm) ** 2 / 12
        kernel: NDArray[np.float64] = np.sqrt(triangle + box)
        return kernel


def lattice_for(grid: Grid, finest_mm: float) -> Grid:
    """Where the person is sampled: finer than the grid, but not finer than the base head is."""
    spacing_mm = max(grid.spacing_mm[0] / LATTICE_PER_VOXEL, finest_mm)
    return grid if spacing_mm >= grid.spacing_mm[0] else with_spacing(grid, spacing_mm)


def sampled(person: Person, lattice: Grid, place: Callable[[Points], Points]) -> Sample:
    """The person on a lattice of the template; ``place`` says where each point is really found."""
    near = _near_head(person.ground.anatomy, lattice)
    points = place(points_mm(lattice)[near])
    found = sample_template(person, points)

    def spread(values: FloatArray, beyond: float) -> FloatArray:
        whole = np.full(lattice.shape, beyond, dtype=np.float32)
        whole[near] = values
        return whole

    fields = ("cbf_grey", "cbf_white", "fdg_grey", "fdg_white", "transit_s", "t1_factor")
    return Sample(
        tissues={k: spread(v, float(k == "air")) for k, v in found.tissues.items()},
        **{name: spread(getattr(found, name), 1.0) for name in fields},
    )


@functools.lru_cache(maxsize=4)
def _near_head(anatomy: Anatomy, lattice: Grid) -> NDArray[np.bool_]:
    """Where a head may be, (I, J, K); the rest of the lattice is air."""
    air = Volume(anatomy.tissue("air"), anatomy.grid, Quantity.PROBABILITY, Contrast.UNKNOWN)
    solid = np.nan_to_num(resample(air, lattice).array, nan=1.0) < 0.999
    near: NDArray[np.bool_] = ndimage.binary_dilation(solid, iterations=_MARGIN_VOX)
    near.setflags(write=False)
    return near


def residual(lattice: Grid, residual_mm: float, name: str) -> Displacement:
    """A smooth, unbiased registration error of that root mean square, template -> template mm."""
    coarse = with_spacing(lattice, RESIDUAL_FWHM_MM / 3)
    rng = generator("residual", name)
    axes = [smooth_noise(coarse, RESIDUAL_FWHM_MM, rng) for _ in range(3)]
    vectors = np.stack(axes, axis=-1) * np.float32(residual_mm / math.sqrt(3))
    return Displacement("template", "template", coarse, vectors)


def _t1w(view: _View, plan: Setup) -> Volume:
    protocol, voxel_mm = plan.petmr.t1w, plan.size.t1w_mm
    signal = mr.t1w_signal(view.head.sample, plan.scanners.tissues, protocol)
    array = _magnitude(view, signal, voxel_mm, protocol.snr, generator("t1w", plan.seed))
    return Volume(array * np.float32(protocol.scale), view.grid, Quantity.T1W, Contrast.T1W)


def _t2w(view: _View, plan: Setup) -> Volume:
    protocol, voxel_mm = plan.petmr.t2w, plan.size.t2w_mm
    signal = mr.t2w_signal(view.head.sample, plan.scanners.tissues, protocol)
    array = _magnitude(view, signal, voxel_mm, protocol.snr, generator("t2w", plan.seed))
    return Volume(array * np.float32(protocol.scale), view.grid, Quantity.T2W, Contrast.T2W)


def _magnitude(
    view: _View,
    signal: FloatArray,
    voxel_mm: tuple[float, float, float],
    snr: float,
    rng: np.random.Generator,
) -> FloatArray:
    """A magnitude series (white matter = 1) on the grid: noise floor of air, then noise."""
    seen = view.seen(signal, voxel_mm, tuple(mr.VOXEL_FWHM * mm for mm in voxel_mm))
    floor = math.sqrt(math.pi / 2) / snr
    array: FloatArray = np.hypot(seen, np.float32(floor)) + view.noise(voxel_mm, rng) / snr
    return np.maximum(array, 0).astype(np.float32)


def _cbf(view: _View, plan: Setup) -> Volume:
    protocol, scanners, sample = plan.petmr.asl, plan.scanners, view.head.sample
    rng = generator("asl", plan.seed)
    voxel_mm, n_pairs = plan.size.asl_mm, plan.size.n_pairs
    delta = labeling.difference_signal(view.head, protocol, scanners, rng)
    proton = scanners.values("pd")
    static = mixture(sample, proton) * np.float32(protocol.suppression)
    signals = (delta, static, mixture(sample, labeling.recovered(scanners, protocol)))
    delta, static, m0 = (view.seen(s, voxel_mm, protocol.fwhm_mm) for s in signals)
    sigma = proton["white"] / protocol.snr_m0
    averaged = math.sqrt(2 / n_pairs)
    pulse = rng.normal(0, protocol.physiological * averaged)
    difference = delta + static * np.float32(pulse)
    difference += view.noise(voxel_mm, rng) * np.float32(sigma * averaged)
    m0 = np.maximum(m0 + view.noise(voxel_mm, rng) * np.float32(sigma), 0)
    flow = labeling.masked_cbf(difference, m0, protocol, scanners)
    return Volume(flow, view.grid, Quantity.CBF, Contrast.CBF)


def _fdg(view: _View, plan: Setup) -> Volume:
    protocol, voxel_mm = plan.petmr.pet, plan.size.pet_mm
    total_mm = math.hypot(protocol.detector_fwhm_mm, protocol.post_fwhm_mm)
    suv = emission.fdg_suv(view.head.sample, plan.scanners)
    seen = view.seen(suv, voxel_mm, (total_mm,) * 3)
    grain = view.noise(voxel_mm, generator("fdg", plan.seed), protocol.post_fwhm_mm)
    noisy = emission.with_grain(seen, protocol.noise, grain)
    factor = np.float32(emission.kbq_per_suv(protocol, plan.scanners, plan.weight_kg))
    return Volume(noisy * factor, view.grid, Quantity.ACTIVITY, Contrast.FDG)
