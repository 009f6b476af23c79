"""Rigid alignment within a session: the cheapest rung that holds, or a refusal.

Identity (one frame of reference, and no small step is better), then rigid from the header's
position, then rigid from many starts. What fits better with left and right exchanged is refused.
Scores and the rung are handed on; nothing is assumed.
"""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

from tracerless.core.errors import GeometryError
from tracerless.core.volume import Volume, with_array
from tracerless.registration.sampling import FWHM_PER_SIGMA, inside_mm, lattice, onto, own_lattice
from tracerless.registration.similarity import Similarity, similarity

MIN_SCORE = 0.01
"""An alignment that tells less than this share of the T1's information is refused. Measured: T2
.13, perfusion maps .04-.05, SPECT and PET group means .17-.18; white noise below .001."""
MIN_SHARPNESS = 0.12
"""A move by 8 mm or 8 degrees must lose at least this share of the score. Measured: .17-.62 for
eight acquired or simulated series; below .08 for blurred noise, a ball, and series turned upside
down or back to front, whose scores (.01-.05) overlap with those of real perfusion maps."""
MIN_OVERLAP = 0.3
"""An alignment is refused when less than this share of the brain is in the field of view."""
MAX_MIRRORED = 1.1
"""A series that tells this many times more of the T1 when left and right are exchanged is refused.
Measured: .63-.85 as stored, 1.17-1.5 with the sides exchanged on purpose (an FDG-PET of BrainWeb's
head; T2, FDG, SPECT and blood flow of two simulated people)."""

STARTS_DEG = (-15.0, 0.0, 15.0)
STARTS_MM = (-20.0, 0.0, 20.0)

_FINE_MM, _COARSE_MM = 4.0, 8.0
_COARSE_FWHM_MM = 10.0
_RIM_FINE_MM, _RIM_COARSE_MM = 8.0, 16.0
_REACH_DEG, _REACH_MM = 20.0, 30.0
_SMALL_STEP, _LARGE_STEP = 2.0, 8.0
_NEAR_MM = 10.0
_N_FITS = 8

Pose = NDArray[np.float64]
"""(6,) rotations about R, A, S in degrees, then translations in mm, about the brain's center."""


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """The brain that others are aligned to: T1 without bias and its mask, at 4 mm.

    Args:
        t1: on a grid along R, A and S, with some head around the brain.
        brain: (I, J, K) on the same grid.
    """

    t1: Volume
    brain: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """``matrix`` (4, 4) takes T1 mm to the other volume's mm; ``rung`` says how it was found.

    ``mirrored`` is the best score with left and right exchanged, over ``score``; NaN if not asked.
    """

    matrix: NDArray[np.float64]
    rung: str
    score: float
    sharpness: float
    overlap: float
    mirrored: float = math.nan


def align(anchor: Anchor, moving: Volume, *, same_frame: bool) -> Alignment:
    """Where a volume of the same visit lies relative to the T1.

    Args:
        anchor: the T1.
        moving: any contrast that shows the brain.
        same_frame: the scanner says that both share one frame of reference.

    Raises:
        GeometryError: no place is convincing, with score and overlap in the message; or the volume
            fits the T1 clearly better with left and right exchanged.
        QuantityError: the volume holds a single value.
    """
    near = own_lattice(moving, _FINE_MM)
    fine = similarity(anchor.t1, _rim(anchor, _RIM_FINE_MM), near)
    header = np.zeros(6)
    if same_frame and _is_peak(fine, header) and _convinces(_judged(fine, header, "identity")):
        return _accept(fine, header, "identity")
    pose, rung = _climb(fine, header, tolerance=0.02), "rigid"
    if not _convinces(_judged(fine, pose, rung)):
        other = _search(anchor, near, fine)
        if fine(_matrix(fine, other)) > fine(_matrix(fine, pose)):
            pose, rung = other, "multi-start"
    return _accept(fine, pose, rung)


def at_header(anchor: Anchor, moving: Volume) -> Alignment | None:
    """The alignment that the header states, when the voxels bear it out; else None.

    Raises:
        QuantityError: the volume holds a single value.
    """
    near = own_lattice(moving, _FINE_MM)
    fine = similarity(anchor.t1, _rim(anchor, _RIM_FINE_MM), near)
    found = _judged(fine, np.zeros(6), "identity")
    return found if _convinces(found) else None


def _judged(fine: Similarity, pose: Pose, rung: str) -> Alignment:
    matrix = _matrix(fine, pose)
    score = fine(matrix)
    sharpness = 1 - max(_around(fine, pose, _LARGE_STEP)) / score if score > 0 else 0.0
    return Alignment(matrix, rung, score, sharpness, fine.overlap(matrix))


def _convinces(found: Alignment) -> bool:
    enough = (
        found.score >= MIN_SCORE,
        found.sharpness >= MIN_SHARPNESS,
        found.overlap >= MIN_OVERLAP,
    )
    return all(enough)


def _accept(fine: Similarity, pose: Pose, rung: str) -> Alignment:
    found = _judged(fine, pose, rung)
    if not _convinces(found):
        raise GeometryError(
            f"No convincing place relative to the T1 (best by {rung}: score {found.score:.3f}, "
            f"sharpness {found.sharpness:.2f}, {found.overlap:.0%} of the brain in view; at least "
            f"{MIN_SCORE}, {MIN_SHARPNESS} and {MIN_OVERLAP:.0%} expected).",
            hint="Check that the series belongs to this visit and shows the whole brain.",
        )
    return _sided(fine, pose, found)


def _sided(fine: Similarity, pose: Pose, found: Alignment) -> Alignment:
    """The alignment with what the exchange of left and right would bring; refused if much."""
    points = fine.points_mm.copy()
    points[:, 0] = 2 * fine.center_mm[0] - points[:, 0]
    exchanged = replace(fine, points_mm=points)
    best = exchanged(_matrix(exchanged, _climb(exchanged, pose, tolerance=0.1)))
    ratio = best / found.score
    if ratio > MAX_MIRRORED:
        raise GeometryError(
            f"The series fits the T1 {ratio:.1f} times better with left and right exchanged.",
            hint="Find out which of the two headers states the wrong side; leave that series out.",
        )
    return replace(found, mirrored=ratio)


def _search(anchor: Anchor, near: Volume, fine: Similarity) -> Pose:
    """The best pose from every start, found on coarse copies and finished on the fine ones."""
    coarse = _coarse(anchor, near)
    from_header, from_mass = np.zeros(3), _center_mm(coarse) - coarse.center_mm
    apart = np.linalg.norm(from_mass) > _NEAR_MM
    starts = [
        np.array((*turn, *(base + np.array(shift))))
        for base in ((from_header, from_mass) if apart else (from_header,))
        for turn in itertools.product(STARTS_DEG, repeat=3)
        for shift in itertools.product(STARTS_MM, repeat=3)
    ]
    starts.sort(key=lambda pose: -coarse(_matrix(coarse, pose)))
    fits = [_climb(coarse, start, tolerance=0.5) for start in starts[:_N_FITS]]
    moved = [_recenter(coarse, fine, fit) for fit in fits]
    best = max(moved, key=lambda pose: fine(_matrix(fine, pose)))
    return _climb(fine, best, tolerance=0.02)


def _coarse(anchor: Anchor, near: Volume) -> Similarity:
    grid = lattice(inside_mm(anchor.brain, anchor.t1.grid), _COARSE_MM, 28.0)
    fixed = onto(_blurred(anchor.t1), grid)
    where = np.nan_to_num(onto(_mask(anchor, _RIM_COARSE_MM), grid).array) > 0.5
    return similarity(fixed, where, own_lattice(_blurred(near), _COARSE_MM), n_bins=16)


def _blurred(volume: Volume) -> Volume:
    known = np.isfinite(volume.array)
    sigma_vox = _COARSE_FWHM_MM / FWHM_PER_SIGMA / np.array(volume.grid.spacing_mm)
    values = ndimage.gaussian_filter(np.where(known, volume.array, 0), sigma_vox)
    return with_array(volume, np.where(known, values, np.nan).astype(np.float32))


def _rim(anchor: Anchor, rim_mm: float) -> NDArray[np.bool_]:
    """The brain and what lies within ``rim_mm`` around it."""
    away_mm = ndimage.distance_transform_edt(~anchor.brain, sampling=anchor.t1.grid.spacing_mm)
    near: NDArray[np.bool_] = away_mm <= rim_mm
    return near


def _mask(anchor: Anchor, rim_mm: float) -> Volume:
    return with_array(anchor.t1, _rim(anchor, rim_mm).astype(np.float32))


def _climb(score: Similarity, start: Pose, *, tolerance: float) -> Pose:
    """The local best pose, within reach of the start."""
    reach = np.repeat((_REACH_DEG, _REACH_MM), 3)
    found = optimize.minimize(
        lambda pose: -score(_matrix(score, pose)),
        start,
        method="Powell",
        bounds=list(zip(start - reach, start + reach, strict=True)),
        options={"xtol": tolerance, "ftol": 1e-4},
    )
    pose: Pose = found.x
    return pose


def _is_peak(score: Similarity, pose: Pose) -> bool:
    """No single small step in any direction is better."""
    return max(_around(score, pose, _SMALL_STEP)) <= score(_matrix(score, pose))


def _around(score: Similarity, pose: Pose, step: float) -> list[float]:
    """Scores after one step (mm or degrees) in each of the twelve directions."""
    steps = np.vstack((np.eye(6), -np.eye(6))) * step
    return [score(_matrix(score, pose + each)) for each in steps]


def _matrix(score: Similarity, pose: Pose) -> NDArray[np.float64]:
    center = score.center_mm
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", pose[:3], degrees=True).as_matrix()
    matrix[:3, 3] = center + pose[3:] - matrix[:3, :3] @ center
    return matrix


def _recenter(old: Similarity, new: Similarity, pose: Pose) -> Pose:
    """The same rigid map, told about the other's center."""
    matrix = _matrix(old, pose)
    shift = matrix[:3, :3] @ new.center_mm + matrix[:3, 3] - new.center_mm
    return np.concatenate((pose[:3], shift))


def _center_mm(score: Similarity) -> NDArray[np.float64]:
    """Center of mass of what is bright in the moving volume, mm."""
    weight = np.where(score.moving > 0.2 * score.n_bins, score.moving, 0)
    voxel = np.array(ndimage.center_of_mass(weight))
    to_mm = np.linalg.inv(score.to_voxel)
    center: NDArray[np.float64] = to_mm[:3, :3] @ voxel + to_mm[:3, 3]
    return center
