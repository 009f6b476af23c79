"""How much grey matter, white matter and fluid each voxel of a brain holds.

Six classes of T1 signal: three tissues, the voxels between fluid and grey and between grey and
white matter, and those that hold all three. The class says which tissues a voxel holds, its signal
how much of each. The standard brain's maps and the neighboring voxels say where to expect what. The
gain that a bias field left behind is found along with them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.registration.sampling import FWHM_PER_SIGMA

PRIOR_WEIGHT = 0.25
"""Exponent on the standard brain's maps. Measured on simulated people: at full weight an atrophic
brain is given 160 ml of grey matter that it lacks, at .25 none."""
NEIGHBOR_WEIGHT = 1.0
"""Weight of the mean share of the six neighboring voxels in the logarithm of a class."""
N_ROUNDS = 12
GAIN_FWHM_MM = 25.0
"""Smoothness of the gain that is taken off the signal, mm. Measured on simulated people: after N4
the cerebellum is 5-8 % too bright and the vertex 3-5 % too dark, so that grey matter passed for
white in the one and white for grey in the other."""

_CLASSES = ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2))
"""Tissues that a voxel of each class holds, by place in the order fluid, grey, white."""
_CONCENTRATION = 2.0
"""Of the shares of a voxel that holds all three tissues, about those expected there (Dirichlet; 3
would be an equal chance of every mixture)."""
_UNIFORM_VARIANCE = 1 / 12
"""Of a share that is anything between 0 and 1 with equal chance."""
_FLOOR = 1e-3
_MIN_VOXELS = 500
_GAIN_REACH_SIGMAS = 3.0
_GAIN_RANGE = (0.5, 2.0)

Field = NDArray[np.float32]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tissues:
    """Shares of each voxel, (I, J, K) float32, 0-1: they sum to 1 in the brain and are 0 outside.

    ``means`` are the T1 signals of pure fluid, grey and white matter and ``sd`` is their common
    spread, as shares of the brain's median.
    """

    csf: Field
    grey: Field
    white: Field
    means: tuple[float, float, float]
    sd: float


def tissues(
    t1: Field, brain: NDArray[np.bool_], grey: Field, white: Field, *, spacing_mm: float
) -> Tissues:
    """Divide a brain into fluid, grey and white matter.

    Args:
        t1: (I, J, K) signal, its bias field taken off but for a smooth rest, any unit; fluid dark,
            white matter bright.
        brain: (I, J, K) the voxels that are divided.
        grey: (I, J, K) probability 0-1 of grey matter at each voxel, from the standard brain.
        white: likewise of white matter; what is left is fluid.
        spacing_mm: edge of a voxel.

    Raises:
        GeometryError: the brain holds too few voxels, or its signal does not rise from fluid over
            grey to white matter.

    Source:
        Expectation-maximization with spatial priors and a gain (Ashburner & Friston 2005,
        NeuroImage 26:839), a mean-field Markov prior (Zhang et al. 2001, IEEE TMI 20:45) and
        classes of mixed voxels (Shattuck et al. 2001, NeuroImage 13:856). Deviates: one variance
        for all, priors weighted down to ``PRIOR_WEIGHT``, a gain from pure voxels alone.
    """
    known = brain & np.isfinite(t1)
    signal = t1[known].astype(np.float64)
    if signal.size < _MIN_VOXELS or not np.median(signal) > 0:
        raise GeometryError(
            f"A brain of {signal.size} voxels with signal cannot be divided into tissues.",
            hint="Check that the T1 shows the whole brain.",
        )
    signal /= np.median(signal)
    smooth_vox = GAIN_FWHM_MM / FWHM_PER_SIGMA / spacing_mm
    shares, means, sd = _fitted(signal, _prior(grey[known], white[known]), known, smooth_vox)
    if not means[0] < means[1] < means[2]:
        raise GeometryError(
            "The signal of this T1 does not rise from fluid over grey to white matter "
            f"({means[0]:.2f}, {means[1]:.2f}, {means[2]:.2f} of the brain's median).",
            hint="Check that the series is T1-weighted.",
        )
    csf, grey_share, white_share = (_scattered(share, known) for share in shares.T)
    pure = (float(means[0]), float(means[1]), float(means[2]))
    return Tissues(csf, grey_share, white_share, pure, sd)


def _prior(grey: Field, white: Field) -> Numbers:
    """(n, 3) probabilities of fluid, grey, white that are never 0 and sum to 1."""
    solid = np.clip(np.nan_to_num(np.stack([grey, white], axis=1)), 0, 1).astype(np.float64)
    fluid = 1 - solid.sum(axis=1, keepdims=True)
    prior = np.maximum(np.concatenate([fluid, solid], axis=1), _FLOOR)
    scaled: Numbers = prior / prior.sum(axis=1, keepdims=True)
    return scaled


def _fitted(
    signal: Numbers, prior: Numbers, known: NDArray[np.bool_], smooth_vox: float
) -> tuple[Numbers, Numbers, float]:
    """Shares (n, 3), means (3,) and the common SD after ``N_ROUNDS`` rounds."""
    expected = PRIOR_WEIGHT * _averaged(np.log(prior))
    weight = prior**4 / (prior**4).sum(axis=1, keepdims=True)
    shares, flat = prior, signal
    for _ in range(N_ROUNDS):
        pure = weight[:, :3]
        means, _ = _levels(flat, pure)
        flat = signal / _gain(signal, pure, means, known, smooth_vox)
        means, variance = _levels(flat, pure)
        near = np.stack([_neighbors(each, known) for each in shares.T], axis=1)
        mixed, mixed_fit = _mixtures(flat, near, prior, means, variance)
        fit = np.column_stack([_fit_of(flat, means, variance), mixed_fit])
        weight = _memberships(expected + NEIGHBOR_WEIGHT * _averaged(near) + fit)
        shares = _shares(flat, weight, means, mixed)
    return shares, means, float(np.sqrt(variance))


def _levels(signal: Numbers, pure: Numbers) -> tuple[Numbers, float]:
    """Means (3,) of the tissues and their common variance."""
    total = pure.sum(axis=0)
    means: Numbers = (pure * signal[:, None]).sum(axis=0) / total
    return means, float((pure * (signal[:, None] - means) ** 2).sum() / total.sum())


def _gain(
    signal: Numbers, pure: Numbers, means: Numbers, known: NDArray[np.bool_], smooth_vox: float
) -> Numbers:
    """(n,) smooth factor, of geometric mean 1, that fits the pure voxels nearby to the means."""
    seen, expected = (
        ndimage.gaussian_filter(
            _scattered(each, known), smooth_vox, mode="constant", truncate=_GAIN_REACH_SIGMAS
        )[known].astype(np.float64)
        for each in ((pure * means).sum(axis=1) * signal, (pure * means**2).sum(axis=1))
    )
    gain = np.clip((seen + _FLOOR) / (expected + _FLOOR), *_GAIN_RANGE)
    level: Numbers = gain / np.exp(np.log(gain).mean())
    return level


def _fit_of(signal: Numbers, means: Numbers, variance: float) -> Numbers:
    """(n, 5) logarithm of each class's density at each signal, but for the last class."""
    steps = np.diff(means)
    centers = np.concatenate([means, means[:-1] + steps / 2])
    spread = np.concatenate([np.full(3, variance), variance + steps**2 * _UNIFORM_VARIANCE])
    log: Numbers = -0.5 * ((signal[:, None] - centers) ** 2 / spread + np.log(spread))
    return log


def _mixtures(
    signal: Numbers, near: Numbers, prior: Numbers, means: Numbers, variance: float
) -> tuple[Numbers, Numbers]:
    """Shares (n, 3) of voxels that hold all three tissues, and the logarithm of their density.

    Those expected from neighbors and maps, moved as far as the signal asks for.
    """
    expected = np.maximum(near, _FLOOR) * prior**PRIOR_WEIGHT
    expected /= expected.sum(axis=1, keepdims=True)
    center = (expected * means).sum(axis=1)
    step = expected * (means - center[:, None]) / (1 + _CONCENTRATION)
    spread = (step * means).sum(axis=1) + variance
    moved = np.maximum(expected + step * ((signal - center) / spread)[:, None], 0)
    log: Numbers = -0.5 * ((signal - center) ** 2 / spread + np.log(spread))
    return moved / moved.sum(axis=1, keepdims=True), log


def _memberships(log: Numbers) -> Numbers:
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    scaled: Numbers = weight / weight.sum(axis=1, keepdims=True)
    return scaled


def _shares(signal: Numbers, weight: Numbers, means: Numbers, mixed: Numbers) -> Numbers:
    """(n, 3): by the signal's place between two means; the class says between which two.

    ``mixed`` are the shares that the voxel has if it holds all three tissues.

    Measured on simulated people: voxels that hold .2 and .8 of grey matter are given .17 and .79;
    by membership in the pure classes it would be .1 and .87.
    """
    fluid, grey, white = means
    low = np.clip((signal - fluid) / max(grey - fluid, _FLOOR), 0, 1)
    high = np.clip((signal - grey) / max(white - grey, _FLOOR), 0, 1)
    is_low = weight[:, 0] + weight[:, 3] + np.where(signal < grey, weight[:, 1], 0)
    is_high = 1 - weight[:, 5] - is_low
    two = np.stack(
        [is_low * (1 - low), is_low * low + is_high * (1 - high), is_high * high], axis=1
    )
    both: Numbers = two + weight[:, 5:] * mixed
    return np.maximum(both, 0)


def _averaged(three: Numbers) -> Numbers:
    """(n, 6) the mean over the tissues of each class."""
    return np.stack([three[:, list(held)].mean(axis=1) for held in _CLASSES], axis=1)


def _neighbors(share: Numbers, known: NDArray[np.bool_]) -> Numbers:
    """Mean share of the six neighbors."""
    full = _scattered(share, known)
    around = sum(
        ndimage.correlate1d(full, (0.5, 0.0, 0.5), axis=axis, mode="nearest") for axis in range(3)
    )
    mean: Numbers = np.asarray(around)[known].astype(np.float64) / 3
    return mean


def _scattered(share: Numbers, known: NDArray[np.bool_]) -> Field:
    full = np.zeros(known.shape, dtype=np.float32)
    full[known] = share
    return full
