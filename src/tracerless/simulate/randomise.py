"""Scanners that nobody owns: a site's sequences and a visit's errors, within published limits.

A site is drawn from its name: field strength, sequences, resolution, noise. Its visits share them
and differ in what happens on the day and in what preparation leaves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tracerless.core.seeds import generator
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast
from tracerless.simulate.acquire import random_pose
from tracerless.simulate.hospital import Setup
from tracerless.simulate.protocols import AslProtocol, T1wProtocol
from tracerless.simulate.randomise_ranges import CutRanges, Range, Ranges, drawn
from tracerless.simulate.scanners import BRAIN_TISSUES, PetMrScanner, Scanners, Sizes

_TEMPLATE = "template"
_CENTER_MM = (0.0, -18.0, 10.0)
"""About the middle of a brain in the template: what a series turns about."""

_BRAIN_LOW_MM, _BRAIN_HIGH_MM = -62.0, 80.0
"""Lowest cerebellum and highest vertex of the template's brain, template mm."""

_FIXED_TISSUES = ("csf", "eye", "air", "fat")
"""Tissues whose T1 does not follow the field strength as brain's does."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A plane at the edge of a field of view: nothing is seen where ``normal . x < offset_mm``."""

    normal: NDArray[np.float64]
    offset_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Variation:
    """How one visit differs from the ideal.

    Args:
        plan: machine, sequences, matrices and tissue values.
        site: name of the site.
        residual_mm: smooth registration error, root mean square.
        unregistered: share of the person's own shape that registration leaves, 0-1.
        motions: by contrast, the rigid error of a series against T1w, template mm -> template mm.
        receive_fields: by contrast, SD of the logarithm of the receive field that is left.
        cuts: by contrast, planes beyond which nothing is seen.
        missing: contrasts that were not taken.
    """

    plan: Setup
    site: str
    residual_mm: float
    unregistered: float
    motions: Mapping[Contrast, Affine]
    receive_fields: Mapping[Contrast, float]
    cuts: Mapping[Contrast, tuple[Cut, ...]] = field(default_factory=dict)
    missing: frozenset[Contrast] = frozenset()


def vary(plan: Setup, ranges: Ranges, *, cohort: str) -> Variation:
    """The site and the day of one visit.

    Args:
        plan: the person's ordinary machine and matrices; its ``seed`` names the visit.
        ranges: within which to draw.
        cohort: name of the cohort; its sites are its own.
    """
    rng = generator("vary", plan.seed)
    number = int(rng.integers(int(ranges.sites.count)))
    varied = _of_site(plan, ranges, generator("site", cohort, number), number)
    span = ranges.visit
    varied = _of_day(varied, drawn(span.snr, rng))
    errors = {
        Contrast.T2W: span.t2w_mm,
        Contrast.CBF: span.asl_mm,
        Contrast.FDG: span.pet_mm,
    }
    return Variation(
        plan=varied,
        site=f"{varied.petmr.name} site-{number:03d}",
        residual_mm=drawn(span.residual_mm, rng),
        unregistered=drawn(span.unregistered, rng),
        motions={k: _motion(v, span.degrees_per_mm, rng) for k, v in errors.items()},
        receive_fields={k: drawn(span.receive_field, rng) for k in (Contrast.T1W, Contrast.T2W)},
        cuts=_cuts(ranges.cuts, rng),
        missing=_missing(ranges.cuts, rng),
    )


def _of_site(plan: Setup, ranges: Ranges, rng: np.random.Generator, number: int) -> Setup:
    """The plan with the machine, sequences, matrices and tissues of one site."""
    is_low = rng.random() < ranges.sites.low_field_share
    snr = drawn(ranges.sites.snr_low_field, rng) if is_low else 1.0
    scanners = _at_low_field(plan.scanners, ranges, rng) if is_low else plan.scanners
    machine = scanners.petmr[number % len(scanners.petmr)]
    blood_s = ranges.sites.t1_blood_low_field_s if is_low else machine.asl.t1_blood_s
    machine = replace(
        machine,
        t1w=_t1w(machine.t1w, ranges, snr, rng),
        t2w=replace(
            machine.t2w,
            repetition_s=drawn(ranges.t2w.repetition_s, rng),
            echo_s=drawn(ranges.t2w.echo_s, rng),
            snr=snr * drawn(ranges.t2w.snr, rng),
        ),
        asl=_asl(machine, ranges, snr, rng, blood_s=blood_s),
        pet=replace(
            machine.pet,
            detector_fwhm_mm=drawn(ranges.pet.detector_fwhm_mm, rng),
            post_fwhm_mm=drawn(ranges.pet.post_fwhm_mm, rng),
            noise=drawn(ranges.pet.noise, rng),
        ),
    )
    size = _sizes(plan.size, ranges, rng)
    return replace(plan, scanners=scanners, petmr=machine, size=size)


def _t1w(
    protocol: T1wProtocol, ranges: Ranges, snr: float, rng: np.random.Generator
) -> T1wProtocol:
    span = ranges.t1w
    return replace(
        protocol,
        shot_s=drawn(span.shot_s, rng),
        inversion_s=drawn(span.inversion_s, rng),
        echo_spacing_s=drawn(span.echo_spacing_s, rng),
        flip_deg=drawn(span.flip_deg, rng),
        snr=snr * drawn(span.snr, rng),
    )


def _asl(
    machine: PetMrScanner, ranges: Ranges, snr: float, rng: np.random.Generator, *, blood_s: float
) -> AslProtocol:
    span = ranges.asl
    plane_mm = drawn(span.plane_fwhm_mm, rng)
    return replace(
        machine.asl,
        label_duration_s=drawn(span.label_duration_s, rng),
        pld_s=drawn(span.pld_s, rng),
        efficiency=drawn(span.efficiency, rng),
        t1_blood_s=blood_s,
        m0_recovery_s=drawn(span.m0_recovery_s, rng),
        suppression=drawn(span.suppression, rng),
        snr_m0=snr * drawn(span.snr_m0, rng),
        physiological=drawn(span.physiological, rng),
        fwhm_mm=(plane_mm, plane_mm, drawn(span.slice_fwhm_mm, rng)),
    )


def _sizes(sizes: Sizes, ranges: Ranges, rng: np.random.Generator) -> Sizes:
    def voxel(plane: Range, across: Range | None = None) -> tuple[float, float, float]:
        edge_mm = drawn(plane, rng)
        return edge_mm, edge_mm, edge_mm if across is None else drawn(across, rng)

    return replace(
        sizes,
        t1w_mm=voxel(ranges.t1w.voxel_mm, ranges.t1w.slice_mm),
        t2w_mm=voxel(ranges.t2w.voxel_mm, ranges.t2w.slice_mm),
        asl_mm=voxel(ranges.asl.voxel_mm, ranges.asl.slice_mm),
        pet_mm=voxel(ranges.pet.voxel_mm),
        n_pairs=round(drawn(ranges.asl.n_pairs, rng)),
    )


def _at_low_field(scanners: Scanners, ranges: Ranges, rng: np.random.Generator) -> Scanners:
    """Tissues as they relax at the low field."""
    model = ranges.sites
    t1 = (model.low_field_t / model.high_field_t) ** model.t1_power
    t2 = drawn(model.t2_low_field, rng)
    tissues = {
        key: replace(
            tissue,
            t1_s=tissue.t1_s * (1.0 if key in _FIXED_TISSUES else t1),
            t2_s=tissue.t2_s * (t2 if key in BRAIN_TISSUES else 1.0),
        )
        for key, tissue in scanners.tissues.items()
    }
    return replace(scanners, tissues=tissues)


def _of_day(plan: Setup, snr: float) -> Setup:
    """A visit with more or less signal than its site is used to."""
    machine = plan.petmr
    return replace(
        plan,
        petmr=replace(
            machine,
            t1w=replace(machine.t1w, snr=machine.t1w.snr * snr),
            t2w=replace(machine.t2w, snr=machine.t2w.snr * snr),
            asl=replace(machine.asl, snr_m0=machine.asl.snr_m0 * snr),
            pet=replace(machine.pet, noise=machine.pet.noise / snr),
        ),
    )


def _motion(span_mm: Range, degrees_per_mm: float, rng: np.random.Generator) -> Affine:
    mm = drawn(span_mm, rng) / np.sqrt(3)
    spaces = (_TEMPLATE, _TEMPLATE)
    return random_pose(rng, degrees_per_mm * float(mm), float(mm), _CENTER_MM, spaces)


def _cuts(span: CutRanges, rng: np.random.Generator) -> Mapping[Contrast, tuple[Cut, ...]]:
    edges = (
        (Contrast.CBF, 1, span.asl_below_share, span.asl_below_mm),
        (Contrast.CBF, -1, span.asl_above_share, span.asl_above_mm),
        (Contrast.T2W, 1, span.t2w_below_share, span.t2w_below_mm),
        (Contrast.T2W, -1, span.t2w_above_share, span.t2w_above_mm),
        (Contrast.FDG, -1, span.pet_above_share, span.pet_above_mm),
    )
    found: dict[Contrast, tuple[Cut, ...]] = {}
    for contrast, up, share, lost_mm in edges:
        chance, depth_mm, tilt = rng.random(), drawn(lost_mm, rng), drawn(span.tilt_deg, rng)
        if chance < share:
            tilt = np.deg2rad(tilt) * rng.choice([-1.0, 1.0])
            cut = _plane(up, depth_mm, float(tilt))
            found[contrast] = (*found.get(contrast, ()), cut)
    return found


def _plane(up: int, depth_mm: float, tilt: float) -> Cut:
    """A plane that takes ``depth_mm`` off the bottom (``up`` = 1) or the top (-1) of the brain."""
    normal = up * np.array([0.0, np.sin(tilt), np.cos(tilt)])
    edge_mm = _BRAIN_LOW_MM + depth_mm if up > 0 else _BRAIN_HIGH_MM - depth_mm
    through = np.array([_CENTER_MM[0], _CENTER_MM[1], edge_mm])
    return Cut(normal, float(normal @ through))


def _missing(span: CutRanges, rng: np.random.Generator) -> frozenset[Contrast]:
    shares = {Contrast.T2W: span.t2w_missing_share, Contrast.CBF: span.asl_missing_share}
    return frozenset(each for each, share in shares.items() if rng.random() < share)
