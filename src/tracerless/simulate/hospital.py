"""A person's visits to the simulated hospital: what its scanners measure of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine, Points
from tracerless.core.volume import Volume
from tracerless.simulate import asl as labeling
from tracerless.simulate import emission, mr, projected
from tracerless.simulate.acquire import FloatArray, Head, HeadSample, random_pose, scanner_grid
from tracerless.simulate.asl import AslSeries
from tracerless.simulate.scanners import (
    PetMrScanner,
    Placement,
    Scanners,
    Sizes,
    SpectScanner,
    machines,
)

SampleAt = Callable[[Points], HeadSample]
"""What a person is at (..., 3) native mm."""

PROJECTED_SIZES = ("hospital",)
"""Sizes at which emission volumes are made from projections; others are made in image space."""

_SLAB = 16


@dataclass(frozen=True, slots=True)
class Setup:
    """How one person is measured: machines, matrices, and whether by projections."""

    scanners: Scanners
    petmr: PetMrScanner
    spect: SpectScanner
    size: Sizes
    is_projected: bool
    seed: str
    weight_kg: float


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """Everything measured of one person.

    ``poses`` by space: native mm -> millimetres of that scanner (``petmr`` is shared by MR and
    PET, ``spect`` is another day's); ``motions`` by series: scanner mm -> mm when the pose was set.
    """

    setup: Setup
    t1w: Volume
    t2w: Volume
    asl: AslSeries
    cbf: Volume | None
    fdg: Volume
    spect: Volume
    poses: dict[str, Affine]
    motions: dict[str, Affine]


def setup(scanners: Scanners, *, size: str, seed: str, weight_kg: float) -> Setup:
    """The machines and matrices for a person; equal seed, equal machines.

    Raises:
        RecipeError: there is no such size.
    """
    petmr, spect = machines(scanners, seed)
    sizes, is_projected = scanners.size(size), size in PROJECTED_SIZES
    return Setup(scanners, petmr, spect, sizes, is_projected, seed, weight_kg)


def visit(sample_at: SampleAt, plan: Setup) -> Visit:
    """Measure a person on a PET/MR machine and, another day, on a gamma camera.

    Args:
        sample_at: the person.
        plan: machines and matrices.
    """
    placement = plan.scanners.placement
    poses = {space: _pose(placement, plan.seed, space) for space in ("petmr", "spect")}
    motions = {name: _motion(placement, plan.seed, name) for name in ("t2w", "asl", "fdg")}
    to_native = poses["petmr"].inverse
    t1_grid = _grid(plan, "t1w")
    head = Head(t1_grid, sample_at(to_native(points_mm(t1_grid)))) if _is_coarse(plan) else None
    t1w = _t1w(sample_at, plan, head, to_native)
    if head is None:
        lattice = scanner_grid(plan.size.head_shape, (plan.size.head_mm,) * 3, placement.center_mm)
        head = Head(lattice, sample_at(to_native(points_mm(lattice))))
    t2w = mr.t2w(
        head,
        _grid(plan, "t2w"),
        plan.petmr.t2w,
        tissues=plan.scanners.tissues,
        seed=plan.seed,
        motion=motions["t2w"],
    )
    series, flow = _perfusion(head, plan, motions["asl"])
    fdg = _fdg(head, plan, motions["fdg"])
    across = _between(poses["spect"], poses["petmr"])
    spect = _spect(head, plan, across)
    return Visit(plan, t1w, t2w, series, flow, fdg, spect, poses, motions)


def facts(made: Visit) -> dict[str, Any]:
    """Machines, poses and motions of a visit, ready for JSON; the truth that registration seeks."""
    plan = made.setup
    return {
        "petmr_machine": plan.petmr.key,
        "spect_machine": plan.spect.key,
        "spect_tracer": plan.spect.tracer,
        "is_projected": plan.is_projected,
        "scanner_from_native": {k: pose.matrix.tolist() for k, pose in made.poses.items()},
        "moved_from_series": {k: motion.matrix.tolist() for k, motion in made.motions.items()},
    }


def _pose(placement: Placement, seed: str, space: str) -> Affine:
    rng = generator("pose", seed, space)
    return random_pose(
        rng, placement.pose_deg, placement.pose_mm, placement.center_mm, ("native", space)
    )


def _motion(placement: Placement, seed: str, name: str) -> Affine:
    rng = generator("motion", seed, name)
    ends = ("petmr", "petmr")
    return random_pose(rng, placement.motion_deg, placement.motion_mm, placement.center_mm, ends)


def _between(source: Affine, target: Affine) -> Affine:
    """From the space of one scanner to that of another, through the person."""
    return Affine(source.target, target.target, target.matrix @ source.inverse.matrix)


def _is_coarse(plan: Setup) -> bool:
    """Whether the head may be sampled once, on the T1w matrix itself."""
    return min(plan.size.t1w_mm) >= plan.size.head_mm


def _grid(plan: Setup, name: str) -> Grid:
    size, center = plan.size, plan.scanners.placement.center_mm
    if name == "t1w":
        plane = plan.petmr.t1w.plane
        shape = size.t1w_sagittal if plane == "sagittal" else size.t1w_axial
        return scanner_grid(shape, size.t1w_mm, center, plane)
    return scanner_grid(getattr(size, name), getattr(size, f"{name}_mm"), center)


def _t1w(sample_at: SampleAt, plan: Setup, head: Head | None, to_native: Affine) -> Volume:
    grid, protocol, tissues = _grid(plan, "t1w"), plan.petmr.t1w, plan.scanners.tissues
    if head is not None:
        return mr.t1w(head, grid, protocol, tissues=tissues, seed=plan.seed)
    signal: FloatArray = np.empty(grid.shape, dtype=np.float32)
    for start in range(0, grid.shape[2], _SLAB):
        slab = _slab(grid, start, min(start + _SLAB, grid.shape[2]))
        sample = sample_at(to_native(points_mm(slab)))
        signal[:, :, start : start + _SLAB] = mr.t1w_signal(sample, tissues, protocol)
    return mr.receive(signal, grid, protocol, seed=plan.seed)


def _slab(grid: Grid, start: int, stop: int) -> Grid:
    affine = grid.affine.copy()
    affine[:3, 3] += grid.affine[:3, 2] * start
    return Grid((grid.shape[0], grid.shape[1], stop - start), affine)


def _perfusion(head: Head, plan: Setup, motion: Affine) -> tuple[AslSeries, Volume | None]:
    protocol = plan.petmr.asl
    series = labeling.asl(
        head,
        _grid(plan, "asl"),
        protocol,
        scanners=plan.scanners,
        n_pairs=plan.size.n_pairs,
        seed=plan.seed,
        motion=motion,
    )
    flow = labeling.cbf_map(series, protocol, plan.scanners) if plan.petmr.has_cbf_map else None
    return series, flow


def _fdg(head: Head, plan: Setup, motion: Affine) -> Volume:
    grid, protocol = _grid(plan, "pet"), plan.petmr.pet
    if plan.is_projected:
        return projected.fdg_projected(
            head,
            grid,
            protocol,
            scanners=plan.scanners,
            weight_kg=plan.weight_kg,
            n_angles=plan.size.pet_angles,
            seed=plan.seed,
            motion=motion,
        )
    return emission.fdg(
        head,
        grid,
        protocol,
        scanners=plan.scanners,
        weight_kg=plan.weight_kg,
        seed=plan.seed,
        motion=motion,
    )


def _spect(head: Head, plan: Setup, motion: Affine) -> Volume:
    grid = _grid(plan, "spect")
    if plan.is_projected:
        return projected.spect_projected(
            head,
            grid,
            plan.spect,
            scanners=plan.scanners,
            size=plan.size,
            seed=plan.seed,
            motion=motion,
        )
    return emission.spect(
        head, grid, plan.spect, scanners=plan.scanners, seed=plan.seed, motion=motion
    )
