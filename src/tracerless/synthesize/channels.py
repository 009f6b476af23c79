"""What the network sees of a session: MR contrasts on its own grid, in comparable numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ContrastError, ModelError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.session import Prepared
from tracerless.core.transform import gaussian, resample
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume

MIN_COVERAGE = 0.5
"""A contrast that shows less than this share of the brain is refused."""
FULL_COVERAGE = 0.95
"""Below this share a reader is told."""
_IQR_OF_UNIT_NORMAL = 1.3489795


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """How intensities become network inputs; stored with the weights."""

    clip: float = 4.0
    """Inputs are cut to plus and minus this."""
    cbf_center: float = 1.0
    """Relative CBF that becomes 0."""
    cbf_spread: float = 0.4
    """Relative CBF above the center that becomes 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """The MR of one session on the network's grid.

    Args:
        values: (3, I, J, K) float32 in the order of ``MR_INPUTS``; 0 outside the brain, where a
            field of view ends, and throughout a contrast that is absent.
        present: which of ``MR_INPUTS`` are there.
        coverage: share of the brain that each present contrast shows, 0-1.
    """

    values: NDArray[np.float32]
    present: tuple[bool, ...]
    coverage: Mapping[Contrast, float]


def choose(session: Prepared, inputs: tuple[Contrast, ...] | None) -> tuple[Contrast, ...]:
    """The contrasts to look at, in the order of ``MR_INPUTS``.

    Args:
        session: one prepared session.
        inputs: a wish; None = every MR contrast that the session has.

    Raises:
        ContrastError: nothing to look at, a wish that the session cannot meet, or one that is no
            MR contrast.
    """
    have = tuple(c for c in MR_INPUTS if c in session.volumes)
    wanted = have if inputs is None else inputs
    strange = [str(c) for c in wanted if c not in MR_INPUTS]
    if strange:
        raise ContrastError(
            f"A synthesizer never looks at {', '.join(strange)}.",
            hint=f"Choose among {', '.join(MR_INPUTS)}.",
        )
    missing = [str(c) for c in wanted if c not in have]
    if missing or not wanted:
        raise ContrastError(
            f"{session.key} has no {' or '.join(missing or MR_INPUTS)}, only "
            f"{', '.join(session.volumes)}.",
            hint="A synthetic PET needs at least one of T1w, T2w and cbf: prepare it, or choose "
            "among what the session has.",
        )
    return tuple(c for c in MR_INPUTS if c in wanted)


def channels(
    session: Prepared,
    inputs: tuple[Contrast, ...],
    *,
    grid: Grid,
    brain: NDArray[np.bool_],
    normalisation: Normalisation,
) -> Channels:
    """Bring the chosen contrasts to the network's grid and scale.

    T1w and T2w: robust z in the brain (median, interquartile range); relative CBF: a fixed linear
    scale, for its level already has a meaning.

    Args:
        session: prepared, in the template space of ``grid``.
        inputs: as ``choose`` returns them.
        grid: of the network.
        brain: (I, J, K) on ``grid``.
        normalisation: constants.

    Raises:
        QuantityError: a contrast is constant in the brain, or CBF that is not relative.
        ModelError: a contrast that shows less than ``MIN_COVERAGE`` of the brain.
    """
    values = np.zeros((len(MR_INPUTS), *grid.shape), dtype=np.float32)
    coverage: dict[Contrast, float] = {}
    for contrast in inputs:
        array = to_grid(session.require(contrast), grid)
        inside = array[brain]
        seen = inside[np.isfinite(inside)]
        coverage[contrast] = seen.size / inside.size
        _require_usable(session, contrast, seen, coverage[contrast])
        center, spread = _scale(contrast, seen, normalisation)
        scaled = np.clip((array - center) / spread, -normalisation.clip, normalisation.clip)
        known = brain & np.isfinite(array)
        values[MR_INPUTS.index(contrast)][known] = scaled[known]
    return Channels(values, tuple(c in inputs for c in MR_INPUTS), coverage)


def to_grid(volume: Volume, grid: Grid) -> NDArray[np.float32]:
    """The volume on another grid of its space, (I, J, K); NaN outside its field of view.

    A coarser grid gets a Gaussian first, as wide as what the coarser voxel adds, so that fine
    noise does not fold into it.
    """
    if volume.grid == grid:
        return volume.array
    coarse, fine = max(grid.spacing_mm), min(volume.grid.spacing_mm)
    fwhm_mm = float(np.sqrt(max(coarse**2 - fine**2, 0.0)))
    return resample(gaussian(volume, fwhm_mm), grid).array


def _require_usable(
    session: Prepared, contrast: Contrast, seen: NDArray[np.float32], coverage: float
) -> None:
    if coverage < MIN_COVERAGE:
        raise ModelError(
            f"The {contrast} of {session.key} shows {coverage:.0%} of the brain, less than "
            f"{MIN_COVERAGE:.0%}.",
            hint="Leave that contrast out, or check how it was aligned.",
        )
    if float(seen.max()) - float(seen.min()) <= 0:
        raise QuantityError(
            f"The {contrast} of {session.key} is {seen[0]:.4g} in the whole brain.",
            hint="Leave that contrast out; the series holds no picture.",
        )
    quantity = session.volumes[contrast].quantity
    if contrast == Contrast.CBF and quantity != Quantity.RELATIVE_CBF:
        raise QuantityError(
            f"The cbf of {session.key} is in {quantity}, not relative to the brain's mean.",
            hint="Prepare the session again; its flow must be relative CBF.",
        )


def _scale(
    contrast: Contrast, seen: NDArray[np.float32], normalisation: Normalisation
) -> tuple[float, float]:
    if contrast == Contrast.CBF:
        return normalisation.cbf_center, normalisation.cbf_spread
    low, center, high = np.percentile(seen.astype(np.float64), (25, 50, 75))
    spread = (high - low) / _IQR_OF_UNIT_NORMAL
    return float(center), float(spread if spread > 0 else seen.std())
