"""Movement of the head between the volumes of one labeling series.

Least squares against the mean volume, by Gauss-Newton with the mean's own gradient (Baker 2004,
Int J Comput Vis 56:221: inverse compositional). Labeling itself dims the label volumes in a pattern
that looks like a small movement back and forth; a small part that alternates with label and control
is therefore taken out of the poses (Wang 2012, Magn Reson Imaging 30:1409).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.volume import Volume, with_array
from tracerless.prepare.asl_sampling import FloatArray, Matrix, pose_of, rigid, sample
from tracerless.registration.sampling import FWHM_PER_SIGMA

MAX_SHIFT_MM = 15.0
"""Beyond this movement of the brain's rim a pose is not believed."""
_BLUR_FWHM_MM = 7.0
_RADIUS_MM = 60.0
_MAX_POINTS = 8_000
_MAX_STEPS = 25
_STILL_MM = 0.01
_FOREGROUND = 0.3
_PASSES = 2
_TUKEY = 4.685
_APPARENT_MM = 0.25
"""What alternates by less than this is the labeling; by more, the head. Measured on a real Siemens
series of suppressed background: 0.09 mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Poses of the volumes of a series.

    Args:
        matrices: one a volume, mean pose -> the volume's mm.
        shift_mm: (n,) how far a point on the brain's rim (60 mm from the center) moves.
        found: (n,) False where no pose could be found; the matrix is then the identity.
    """

    matrices: tuple[Matrix, ...]
    shift_mm: NDArray[np.float64]
    found: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """The mean volume at points, with its gradient by the six numbers of a pose."""

    points: FloatArray
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    center_mm: NDArray[np.float64]


def motion(volumes: Sequence[Volume], alternation: NDArray[np.float64]) -> Motion:
    """Poses of volumes of one contrast relative to their mean pose.

    Args:
        volumes: control and label volumes on one grid, without M0.
        alternation: (n,) +1 for one kind, -1 for the other; zeros where kinds do not alternate.
    """
    n = len(volumes)
    still = Motion((np.eye(4),) * n, np.zeros(n), np.ones(n, dtype=bool))
    if n < 2:
        return still
    smooth = [_smooth(each) for each in volumes]
    if not any(np.ptp(each.array) > 0 for each in smooth):
        return still
    poses, found = np.zeros((n, 6)), np.ones(n, dtype=bool)
    for _ in range(_PASSES):
        reference = _reference(smooth, poses, found)
        fits = [_fit(reference, each, pose) for each, pose in zip(smooth, poses, strict=True)]
        found = np.array([fit is not None for fit in fits])
        poses = np.array([np.zeros(6) if fit is None else fit for fit in fits])
        poses = _without_alternation(poses, found, alternation)
    matrices = tuple(rigid(pose, reference.center_mm) for pose in poses)
    return Motion(matrices, _shift_mm(poses), found)


def _smooth(volume: Volume) -> Volume:
    """Blurred, and without NaN: what lies outside the head is dark."""
    sigma_vox = _BLUR_FWHM_MM / FWHM_PER_SIGMA / np.array(volume.grid.spacing_mm)
    filled = np.nan_to_num(volume.array, posinf=0.0, neginf=0.0)
    return with_array(volume, ndimage.gaussian_filter(filled, sigma_vox, mode="nearest"))


def _reference(
    smooth: Sequence[Volume], poses: NDArray[np.float64], found: NDArray[np.bool_]
) -> _Reference:
    """The mean of the volumes in the poses known so far."""
    grid = smooth[0].grid
    index = np.argwhere(np.ones(grid.shape, dtype=bool))
    every = (index @ grid.affine[:3, :3].T + grid.affine[:3, 3]).astype(np.float32)
    center_mm = every.mean(axis=0, dtype=np.float64)
    total, seen = np.zeros(len(every)), np.zeros(len(every))
    for i in np.flatnonzero(found).tolist() or [0]:
        values = smooth[i].array.ravel()
        if poses[i].any():
            values = sample(smooth[i], every, rigid(poses[i], center_mm))
        known = np.isfinite(values)
        total[known] += values[known]
        seen += known
    mean = (total / np.maximum(seen, 1)).reshape(grid.shape)
    bright = mean > _FOREGROUND * np.percentile(mean, 98)
    bright &= ndimage.binary_erosion(np.ones(grid.shape, dtype=bool)) | (min(grid.shape) < 3)
    chosen = np.flatnonzero(bright)[:: max(1, int(bright.sum()) // _MAX_POINTS)]
    points = every[chosen]
    axes = [np.gradient(mean, axis=a) if grid.shape[a] > 1 else 0 * mean for a in range(3)]
    in_voxels = np.stack([each.ravel()[chosen] for each in axes], axis=-1)
    in_mm = in_voxels @ np.linalg.inv(grid.affine[:3, :3])
    arm = points.astype(np.float64) - center_mm
    slopes = np.concatenate((np.cross(arm, in_mm), in_mm), axis=1)
    return _Reference(points, mean.ravel()[chosen], slopes, center_mm)


def _fit(
    reference: _Reference, volume: Volume, start: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The pose of one volume; None where none is convincing."""
    matrix = rigid(start, reference.center_mm)
    for _ in range(_MAX_STEPS):
        step = _step(reference, sample(volume, reference.points, matrix))
        if step is None:
            return None
        matrix = matrix @ np.linalg.inv(rigid(step, reference.center_mm))
        if _shift_mm(step[None])[0] < _STILL_MM:
            break
    pose = pose_of(matrix, reference.center_mm)
    return pose if _shift_mm(pose[None])[0] <= MAX_SHIFT_MM else None


def _step(reference: _Reference, values: FloatArray) -> NDArray[np.float64] | None:
    """One Gauss-Newton step; sums are written out, so that they do not depend on threads."""
    known = np.isfinite(values)
    if known.mean() < 0.5:
        return None
    seen, mean, slopes = values[known].astype(float), reference.values[known], reference.slopes
    energy = float((seen * seen).sum())
    if energy <= 0:
        return None
    rest = seen * (float((seen * mean).sum()) / energy) - mean
    spread = 1.4826 * float(np.median(np.abs(rest))) * _TUKEY
    weight = np.clip(1 - (rest / spread) ** 2, 0, 1) ** 2 if spread > 0 else np.ones(rest.size)
    jacobian = slopes[known]
    weighted = weight[:, None] * jacobian
    normal = np.einsum("ni,nj->ij", weighted, jacobian)
    if np.linalg.cond(normal) > 1e14:
        return None
    step: NDArray[np.float64] = np.linalg.solve(normal, np.einsum("ni,n->i", weighted, rest))
    return step


def _without_alternation(
    poses: NDArray[np.float64], found: NDArray[np.bool_], alternation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Poses with mean zero, and without what goes back and forth with label and control."""
    poses = poses.copy()
    if not found.any():
        return poses
    known = poses[found] - poses[found].mean(axis=0)
    sides = alternation[found] - alternation[found].mean()
    strength = float((sides * sides).sum())
    if strength > 0:
        swing = (sides[:, None] * known).sum(axis=0) / strength
        known -= sides[:, None] * swing * bool(_shift_mm(swing[None])[0] < _APPARENT_MM)
    poses[found] = known
    return poses


def _shift_mm(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = np.linalg.norm(poses[:, :3], axis=1) * _RADIUS_MM
    shift_mm: NDArray[np.float64] = turned + np.linalg.norm(poses[:, 3:], axis=1)
    return shift_mm
