"""Where the standard brain lies in a head: affine, by mutual information, from many starts."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.spatial.transform import Rotation

from tracerless.core.volume import Volume
from tracerless.registration.similarity import Similarity, similarity

STARTS_DEG = ((-24.0, -12.0, 0.0, 12.0, 24.0), (-12.0, 0.0, 12.0), (-12.0, 0.0, 12.0))
"""Starts about R (nodding, where heads differ most), A and S, degrees."""

MAX_TURN_DEG = 50.0
MAX_SHIFT_MM = 60.0
SCALES = (0.7, 1.3)
"""How small and large a head's brain may be beside the standard one, along each axis. The averaged
brain is larger than an adult's by about a tenth; children from about five years on lie within."""
_MAX_SHEAR = 0.2
_N_CLIMBS = 2
_STEP = 8.0

Pose = NDArray[np.float64]
"""(12,) turns in degrees, shifts in mm, logarithms of scales, shears."""


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """``matrix`` (4, 4) takes standard mm to the head's mm.

    ``score`` is the share of the standard brain's information that the head tells, 0-1;
    ``sharpness`` the share of it that is lost by a move of 8 mm or 8 degrees; ``overlap`` the share
    of the standard brain inside the field of view.
    """

    matrix: NDArray[np.float64]
    score: float
    sharpness: float
    overlap: float


def place(
    standard: Volume, where: NDArray[np.bool_], head: Volume, *, start: NDArray[np.float64]
) -> Placement:
    """Fit the standard brain into a head.

    Args:
        standard: what is looked for, on the template's grid.
        where: (I, J, K) voxels of it that are compared: the brain and some rim.
        head: what it is looked for in, at a similar resolution; NaN outside the field of view.
        start: (4, 4) standard mm -> the head's mm, right within 30 mm and some 25 degrees.

    Raises:
        QuantityError: one of the two holds a single value.
    """
    score = similarity(standard, where, head)
    search = _Search(score, start, start[:3, :3] @ score.center_mm + start[:3, 3])
    starts = [np.array((*turns, *np.zeros(9))) for turns in itertools.product(*STARTS_DEG)]
    starts.sort(key=lambda pose: -search(pose))
    climbed = [_climb(search, pose, n_free=6) for pose in starts[:_N_CLIMBS]]
    best = max(climbed, key=search)
    for n_free in (9, 12):
        best = _climb(search, best, n_free=n_free)
    value = search(best)
    steps = np.vstack((np.eye(6, 12), -np.eye(6, 12))) * _STEP
    lost = 1 - max(search(best + step) for step in steps) / value if value > 0 else 0.0
    found = search.matrix(best)
    return Placement(found, value, lost, score.overlap(found))


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Scores of poses about one start; ``center_mm`` is where its brain has its center."""

    score: Similarity
    start: NDArray[np.float64]
    center_mm: NDArray[np.float64]

    def __call__(self, pose: Pose) -> float:
        return self.score(self.matrix(pose))

    def matrix(self, pose: Pose) -> NDArray[np.float64]:
        """The start, then shears, scales and turns about the brain's center, then shifts."""
        matrix: NDArray[np.float64] = _about(self.center_mm, pose) @ self.start
        return matrix


def _about(center_mm: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
    shear = np.eye(3)
    shear[0, 1], shear[0, 2], shear[1, 2] = pose[9:12]
    turned = Rotation.from_euler("xyz", pose[:3], degrees=True).as_matrix()
    moved = np.eye(4)
    moved[:3, :3] = turned @ np.diag(np.exp(pose[6:9])) @ shear
    moved[:3, 3] = center_mm + pose[3:6] - moved[:3, :3] @ center_mm
    return moved


def _climb(search: _Search, pose: Pose, *, n_free: int) -> Pose:
    """The best pose near this one when its first ``n_free`` numbers may change."""
    units = np.repeat((1.0, 1.0, 0.01, 0.01), 3)[:n_free]
    low, high = np.log(SCALES)
    reach = np.repeat((MAX_TURN_DEG, MAX_SHIFT_MM), 3)
    lower = np.concatenate((-reach, np.full(3, low), np.full(3, -_MAX_SHEAR)))[:n_free]
    upper = np.concatenate((reach, np.full(3, high), np.full(3, _MAX_SHEAR)))[:n_free]

    def loss(free: NDArray[np.float64]) -> float:
        return -search(np.concatenate((free * units, pose[n_free:])))

    found = optimize.minimize(
        loss,
        pose[:n_free] / units,
        method="Powell",
        bounds=list(zip(lower / units, upper / units, strict=True)),
        options={"xtol": 0.1, "ftol": 1e-3},
    )
    return np.concatenate((found.x * units, pose[n_free:]))
