"""Parallel projection of transaxial planes, and iterative reconstruction from projections.

A plane is square, its pixels flattened; a stack of planes is (N * N, S). Projections are
(angles, N, S). All planes share one sparse matrix per angle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.special import erf

from tracerless.core.errors import GeometryError
from tracerless.simulate.acquire import FloatArray

Depth = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Distance from the detector face, mm -> sigma of the point spread, mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Projector:
    """Line integrals (in pixels) of square planes at evenly spaced angles.

    Args:
        n: pixels along one edge.
        spacing_mm: pixel edge.
        angles_deg: of the detector.
        matrices: one (N, N * N) per angle.
    """

    n: int
    spacing_mm: float
    angles_deg: tuple[float, ...]
    matrices: tuple[sparse.csr_matrix, ...]

    def forward(self, planes: FloatArray) -> FloatArray:
        """(N * N, S) -> (angles, N, S)."""
        return np.stack([matrix @ planes for matrix in self.matrices])


def projector(
    n: int,
    spacing_mm: float,
    *,
    n_angles: int,
    arc_deg: float,
    orbit_mm: float = 0.0,
    sigma_mm: Depth | None = None,
) -> Projector:
    """A pixel-driven projector.

    Args:
        n: pixels along one edge of a plane.
        spacing_mm: pixel edge.
        n_angles: over the arc.
        arc_deg: 180 for coincidences, 360 for a gamma camera.
        orbit_mm: from the center of rotation to the detector face.
        sigma_mm: spread of a point by its distance from the detector; None projects pixels
            linearly interpolated, without spread.
    """
    angles = tuple(arc_deg * k / n_angles for k in range(n_angles))
    axis = (np.arange(n) - (n - 1) / 2) * spacing_mm
    x, y = (each.ravel() for each in np.meshgrid(axis, axis, indexing="ij"))
    inside = np.flatnonzero(np.hypot(x, y) < (n / 2 - 1) * spacing_mm)
    x, y = x[inside], y[inside]
    matrices = []
    for angle in np.deg2rad(angles):
        place = (x * np.cos(angle) + y * np.sin(angle)) / spacing_mm + (n - 1) / 2
        if sigma_mm is None:
            rows, weights = _linear(place)
        else:
            depth = orbit_mm + x * np.sin(angle) - y * np.cos(angle)
            rows, weights = _spread(place, sigma_mm(depth) / spacing_mm)
        columns = np.broadcast_to(inside, rows.shape)
        seen = (rows >= 0) & (rows < n) & (weights > 1e-4)
        entries = (weights[seen].astype(np.float32), (rows[seen], columns[seen]))
        matrices.append(sparse.csr_matrix(entries, shape=(n, n * n)))
    return Projector(n, spacing_mm, angles, tuple(matrices))


def _linear(place: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    low = np.floor(place).astype(np.int64)
    high_share = place - low
    return np.stack([low, low + 1]), np.stack([1 - high_share, high_share])


def _spread(
    place: NDArray[np.float64], sigma: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    reach = int(np.ceil(3 * sigma.max()))
    bins = np.round(place).astype(np.int64) + np.arange(-reach, reach + 1)[:, None]
    edge = np.sqrt(2) * sigma
    weights = 0.5 * (erf((bins + 0.5 - place) / edge) - erf((bins - 0.5 - place) / edge))
    return bins, weights


def escape(mu_per_mm: FloatArray, spacing_mm: float, angle_deg: float) -> FloatArray:
    """Share of photons that leave each point of each plane towards a detector.

    Args:
        mu_per_mm: (N, N, S) attenuation.
        spacing_mm: pixel edge.
        angle_deg: of the detector, as in ``projector``.

    Returns:
        (N, N, S), 0-1.
    """
    n = mu_per_mm.shape[0]
    angle = np.deg2rad(angle_deg)
    to_rays = _rotation(n, angle)
    along = (to_rays @ mu_per_mm.reshape(n * n, -1)).reshape(n, n, -1)
    path = np.cumsum(along[:, ::-1], axis=1)[:, ::-1] - 0.5 * along
    share = np.exp(-path * np.float32(spacing_mm)).reshape(n * n, -1)
    back: FloatArray = (_rotation(n, -angle) @ share).reshape(mu_per_mm.shape)
    return back


def _rotation(n: int, angle: float) -> sparse.csr_matrix:
    """(N * N, N * N): values at (u, v) of a frame turned by ``angle``; v runs to the detector."""
    axis = np.arange(n) - (n - 1) / 2
    u, v = np.meshgrid(axis, axis, indexing="ij")
    x = u * np.cos(angle) - v * np.sin(angle) + (n - 1) / 2
    y = u * np.sin(angle) + v * np.cos(angle) + (n - 1) / 2
    x, y = np.clip(x.ravel(), 0, n - 1.001), np.clip(y.ravel(), 0, n - 1.001)
    i, j = x.astype(np.int64), y.astype(np.int64)
    p, q = x - i, y - j
    corners = [(i, j, (1 - p) * (1 - q)), (i, j + 1, (1 - p) * q)]
    corners += [(i + 1, j, p * (1 - q)), (i + 1, j + 1, p * q)]
    rows = np.tile(np.arange(n * n), 4)
    columns = np.concatenate([a * n + b for a, b, _ in corners])
    weights = np.concatenate([w for _, _, w in corners]).astype(np.float32)
    return sparse.csr_matrix((weights, (rows, columns)), shape=(n * n, n * n))


def osem(
    counts: FloatArray,
    system: Projector,
    *,
    factors: FloatArray,
    background: FloatArray,
    iterations: int,
    subsets: int,
) -> FloatArray:
    """Ordered-subsets expectation maximization.

    Args:
        counts: (angles, N, S) measured.
        system: what is believed of the scanner.
        factors: (angles, N, S) attenuation of each line, 0-1.
        background: (angles, N, S) expected randoms and scatter, counts.
        iterations: over all angles.
        subsets: of angles; must divide their number.

    Returns:
        (N, N, S), counts per pixel.

    Raises:
        GeometryError: the subsets do not divide the angles.

    Source:
        Hudson and Larkin 1994 (IEEE Trans Med Imaging 13:601).
    """
    n_angles, n, n_planes = counts.shape
    if n_angles % subsets:
        raise GeometryError(f"{n_angles} angles cannot be split into {subsets} equal subsets.")
    groups = [list(range(k, n_angles, subsets)) for k in _spaced(subsets)]
    stacks = [sparse.vstack([system.matrices[a] for a in group]).tocsr() for group in groups]
    turned = [stack.T.tocsr() for stack in stacks]
    lines = [[a[group].reshape(-1, n_planes) for group in groups] for a in (counts, factors)]
    base = [background[group].reshape(-1, n_planes) for group in groups]
    sensitivity = [np.maximum(t @ f, 1e-4) for t, f in zip(turned, lines[1], strict=True)]
    level = max(float((counts - background).sum()) / max(float(factors.sum()) * n, 1e-6), 1e-6)
    planes = np.full((n * n, n_planes), level, dtype=np.float32)
    for _ in range(iterations):
        for k in range(subsets):
            expected = (stacks[k] @ planes) * lines[1][k] + base[k]
            ratio = lines[1][k] * (lines[0][k] / np.maximum(expected, 1e-6))
            planes = planes * (turned[k] @ ratio) / sensitivity[k]
    return planes.reshape(n, n, n_planes)


def _spaced(subsets: int) -> Sequence[int]:
    """Subsets in an order that keeps neighbors apart (bit-reversed)."""
    return sorted(range(subsets), key=lambda k: int(f"{k:08b}"[::-1], 2))


def chang(
    counts: FloatArray, spacing_mm: float, mu_per_cm: float, *, n_angles: int = 30
) -> FloatArray:
    """Counts divided by the mean escape from a uniform head of the same outline, (N, N, S).

    Source:
        Chang 1978 (IEEE Trans Nucl Sci 25:638), first order; the outline is where the smoothed
        counts exceed 8 % of their 99.5th percentile, holes filled.
    """
    smooth = ndimage.gaussian_filter(counts, 2.0)
    outline = ndimage.binary_fill_holes(smooth > 0.08 * np.percentile(counts, 99.5))
    mu_per_mm = outline.astype(np.float32) * np.float32(mu_per_cm / 10)
    total = np.zeros_like(counts)
    for k in range(n_angles):
        total += escape(mu_per_mm, spacing_mm, 360.0 * k / n_angles)
    mean = np.maximum(total / np.float32(n_angles), 0.1)
    corrected: FloatArray = np.where(outline, counts / mean, counts)
    return corrected


def butterworth(
    counts: FloatArray, spacing_mm: float, cutoff_per_cm: float, order: float
) -> FloatArray:
    """Low-pass filter of three dimensions, cutoff in cycles/cm; negative results become 0."""
    squares = [np.fft.fftfreq(n, spacing_mm / 10) ** 2 for n in counts.shape]
    square = squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :]
    gain = 1 / np.sqrt(1 + (square / cutoff_per_cm**2) ** order)
    filtered = np.fft.ifftn(np.fft.fftn(counts) * gain).real
    kept: FloatArray = np.maximum(filtered, 0).astype(np.float32)
    return kept
