"""A flow-weighted volume from whatever a session holds of arterial spin labeling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.session import Native, NativeSeries
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity, Volume

FLOW_CONTRASTS = (Contrast.CBF, Contrast.DELTAM, Contrast.ASL)
"""Where flow is taken from, best first: the scanner's map, its difference, control and label."""

M0_BRIGHTNESS = 2.0
"""A volume of an ASL series this many times brighter than the median one is its M0. Measured on
four Siemens series: 2082 against 340; background suppression makes the gap."""
MIN_ORDER_SHARE = 0.6
"""Control is brighter than label in more than this share of the brain, else the order is unknown.
Measured on four Siemens series: .79, .97, .78, .97."""
M0_FLOOR = 0.2
"""Below this share of its median in the brain, M0 divides nothing (NaN)."""


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A flow-weighted volume in its own space, arbitrary units, and how it was made."""

    volume: Volume
    source: Mapping[str, Any]


def series(native: Native) -> NativeSeries | None:
    """The series that flow is taken from, or None."""
    found = (native.of(contrast) for contrast in FLOW_CONTRASTS)
    return next((each for each in found if each is not None), None)


def guide(chosen: NativeSeries) -> Volume:
    """What aligns the series: its mean, which in control and label volumes shows anatomy."""
    return mean(chosen.volumes, Quantity.SIGNAL, chosen.contrast)


def flow(native: Native, chosen: NativeSeries, brain: NDArray[np.bool_]) -> Flow:
    """The flow-weighted volume on the series' own grid.

    Args:
        native: the session; its M0 is used to divide when it shares the space of the series.
        chosen: as ``series`` gave it.
        brain: (I, J, K) the brain on the grid of ``chosen``.

    Raises:
        ContrastError: there are too few volumes, or which of them are controls cannot be told.
    """
    if chosen.contrast is Contrast.CBF:
        volume = mean(chosen.volumes, Quantity.SIGNAL, Contrast.CBF)
        return Flow(volume, {"from": "the scanner's map", "n_volumes": len(chosen.volumes)})
    m0, rest = _split_m0(chosen.volumes, brain)
    if chosen.contrast is Contrast.DELTAM:
        difference = mean(chosen.volumes, Quantity.SIGNAL, Contrast.CBF)
        source: dict[str, Any] = {"from": "perfusion-weighted difference"}
        m0 = None
    else:
        difference, source = _subtract(rest, brain)
    if m0 is None:
        m0 = _separate_m0(native, chosen)
    if m0 is None:
        return Flow(difference, {**source, "m0": "none; the difference is not divided"})
    divided = _divide(difference, m0, brain)
    return Flow(divided, {**source, "m0": "divides the difference, voxel by voxel"})


def mean(volumes: tuple[Volume, ...], quantity: Quantity, contrast: Contrast) -> Volume:
    """The mean over frames of one grid, as that quantity and contrast."""
    total = np.zeros(volumes[0].grid.shape, dtype=np.float64)
    for each in volumes:
        total += each.array
    array = (total / len(volumes)).astype(np.float32)
    return Volume(array, volumes[0].grid, quantity, contrast)


def _split_m0(
    volumes: tuple[Volume, ...], brain: NDArray[np.bool_]
) -> tuple[Volume | None, tuple[Volume, ...]]:
    levels = np.array([np.nanmean(each.array[brain]) for each in volumes])
    bright = levels > M0_BRIGHTNESS * np.median(levels)
    rest = tuple(each for each, is_m0 in zip(volumes, bright, strict=True) if not is_m0)
    m0 = tuple(each for each, is_m0 in zip(volumes, bright, strict=True) if is_m0)
    return (mean(m0, Quantity.SIGNAL, Contrast.M0) if m0 else None), rest


def _subtract(
    volumes: tuple[Volume, ...], brain: NDArray[np.bool_]
) -> tuple[Volume, dict[str, Any]]:
    """Control minus label of alternating volumes; which is which is read from the brain."""
    n_pairs = len(volumes) // 2
    if n_pairs < 1:
        raise ContrastError(
            f"The ASL series has {len(volumes)} volume(s) beside M0; a pair is needed.",
            hint="Check that the whole series arrived.",
        )
    first = mean(volumes[0 : 2 * n_pairs : 2], Quantity.SIGNAL, Contrast.CBF)
    second = mean(volumes[1 : 2 * n_pairs : 2], Quantity.SIGNAL, Contrast.CBF)
    change = first.array - second.array
    share = float((change[brain] > 0).mean())
    if max(share, 1 - share) < MIN_ORDER_SHARE:
        raise ContrastError(
            f"Control and label cannot be told apart: the first of each pair is brighter in "
            f"{share:.0%} of the brain, more than {MIN_ORDER_SHARE:.0%} of either expected.",
            hint="Check that the series is ASL with alternating control and label volumes.",
        )
    control_first = share >= 0.5
    source = {
        "from": "control minus label",
        "n_pairs": n_pairs,
        "n_left_out": len(volumes) - 2 * n_pairs,
        "order": "control first" if control_first else "label first",
        "order_share": round(max(share, 1 - share), 3),
    }
    signed = change if control_first else -change
    return Volume(signed, first.grid, Quantity.SIGNAL, Contrast.CBF), source


def _separate_m0(native: Native, chosen: NativeSeries) -> Volume | None:
    """The session's own M0 on the grid of the series, when both share a space."""
    m0 = native.of(Contrast.M0)
    if m0 is None:
        return None
    level = mean(m0.volumes, Quantity.SIGNAL, Contrast.M0)
    if m0.grid == chosen.grid:
        return level
    if m0.frame_of_reference and m0.frame_of_reference == chosen.frame_of_reference:
        return resample(level, chosen.grid)
    return None


def _divide(difference: Volume, m0: Volume, brain: NDArray[np.bool_]) -> Volume:
    median = float(np.nanmedian(m0.array[brain]))
    if not median > 0:
        raise QuantityError(
            f"The median M0 in the brain is {median:.4g}, not positive.",
            hint="Check that the M0 series is complete.",
        )
    enough = m0.array > M0_FLOOR * median
    ratio = np.where(enough, difference.array / np.where(enough, m0.array, 1), np.nan)
    return Volume(ratio.astype(np.float32), difference.grid, Quantity.SIGNAL, Contrast.CBF)
