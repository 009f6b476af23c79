"""The equilibrium signal that a labeling difference is divided by."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast, Volume
from tracerless.prepare.asl_facts import Ledger
from tracerless.prepare.asl_frames import Frames
from tracerless.prepare.asl_kinetics import T1_GREY_S
from tracerless.prepare.asl_sampling import (
    FloatArray,
    Matrix,
    View,
    blurred_for,
    finite,
    sample,
    seen_share,
)
from tracerless.registration.ladder import Anchor, align
from tracerless.registration.sampling import own_lattice

M0_FLOOR = 0.2
"""Below this share of its median in the brain, M0 divides nothing (NaN)."""
LONG_RECOVERY_S = 5.0
"""An M0 that recovered for longer is taken as it is (Alsop 2015)."""
GE_RECOVERY_S = 2.0
"""GE's 3D product takes M0 so long after saturation; its header states another time."""
MAX_PAIR_SHARE, MAX_APART = 0.75, 0.01
"""Two M0 volumes that differ by more, and one way in more of the brain, are no repeats. Measured on
a real pair under M0's name: 6 % and 99 %."""
_RECOVERY_S = (0.5, 30.0)
_ANCHOR_MM = 4.0
_AS_STATED = ", where its header places it (its voxels tell no better place)"


@dataclass(frozen=True, slots=True, eq=False)
class Proton:
    """M0 on the view's grid, or one number for all of it.

    ``words`` say what it is; ``recovery`` is the share of M0 that it shows (1 = all, or unknown).
    """

    values: FloatArray | float
    words: str
    recovery: float


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """M0 volumes with the matrix from the series' mean pose to each, and who states their times."""

    volumes: tuple[Volume, ...]
    matrices: tuple[Matrix, ...]
    words: str
    sidecar: Mapping[str, Any]
    index: int | None
    is_repeat: bool = True


def proton(
    native: Native, chosen: NativeSeries, found: Frames, mean: Volume, view: View, ledger: Ledger
) -> Proton | None:
    """The session's M0 in the view; None, with a doubt, when it has none.

    M0 is looked for among the volumes of the series, then in a series of its own, then as a stated
    number; where suppression of the background is stated to be off, the controls serve.

    Args:
        native: the session.
        chosen: the labeling series.
        found: its volumes by kind.
        mean: the mean of its volumes in their mean pose: what M0 is aligned to.
        view: where M0 is wanted.
        ledger: of the series; takes recovery and doubts.

    Raises:
        QuantityError: M0 is empty or negative in the brain.
    """
    held = _own(chosen, found, mean) or _separate(native, chosen, found, mean, ledger)
    if held is None and ledger.sidecar.get("M0Estimate") is not None:
        value = ledger.checked("M0Estimate", ledger.sidecar["M0Estimate"], (1e-6, 1e12), "signal")
        return None if math.isnan(value) else Proton(value, "one stated number", 1.0)
    if held is None:
        held = _controls(chosen, found)
    if held is None:
        declared = ledger.sidecar.get("M0Type") == "Absent"
        ledger.doubt(_why_none(ledger), needs_look=not declared)
        return None
    values = _seen(held, view, ledger)
    _require_signal(values, view)
    ledger.use("M0", held.words, "", "data")
    recovery = _recovery(held, ledger)
    return Proton(values, held.words, 1.0 if math.isnan(recovery) else recovery)


def divided(difference: FloatArray, m0: Proton, view: View) -> FloatArray:
    """ΔM / M0 (I, J, K), M0 as if fully recovered; NaN where M0 is weak."""
    if isinstance(m0.values, float):
        return (difference / np.float32(m0.values)).astype(np.float32)
    floor = M0_FLOOR * float(np.nanmedian(m0.values[view.brain]))
    with np.errstate(invalid="ignore"):
        enough = m0.values > floor
    full = np.where(enough, m0.values, 1) / np.float32(m0.recovery)
    return np.where(enough, difference / full, np.nan).astype(np.float32)


def _own(chosen: NativeSeries, found: Frames, mean: Volume) -> _Found | None:
    if not found.m0:
        return None
    volumes = tuple(chosen.volumes[i] for i in found.m0)
    matrix = _place(volumes[0], mean, same_frame=True)
    words = "M0 among the volumes of the series"
    if matrix is None:
        matrix, words = np.eye(4), f"{words}{_AS_STATED}"
    return _Found(volumes, (matrix,) * len(volumes), words, chosen.sidecar, found.m0[0])


def _separate(
    native: Native, chosen: NativeSeries, found: Frames, mean: Volume, ledger: Ledger
) -> _Found | None:
    m0 = native.of(Contrast.M0)
    if m0 is None:
        return None
    same = bool(m0.frame_of_reference) and m0.frame_of_reference == chosen.frame_of_reference
    same = same or m0.grid == chosen.grid
    words = "a separate M0 series"
    if found.deltam and same:  # reconstructed together: nothing moved between them
        return _Found(m0.volumes, (np.eye(4),) * len(m0.volumes), words, m0.sidecar, None)
    matrix = _place(m0.volumes[0], mean, same_frame=same)
    if matrix is None and same:
        matrix, words = np.eye(4), f"{words}{_AS_STATED}"
    if matrix is None:
        ledger.doubt("the M0 series could not be aligned to the labeling series", needs_look=True)
        return None
    return _Found(m0.volumes, (matrix,) * len(m0.volumes), words, m0.sidecar, None)


def _controls(chosen: NativeSeries, found: Frames) -> _Found | None:
    """The controls for M0, where nothing suppresses their background."""
    if chosen.sidecar.get("BackgroundSuppression") is not False or not found.control:
        return None
    volumes = tuple(chosen.volumes[i] for i in found.control)
    words = "mean of the controls, whose background is stated not to be suppressed"
    return _Found(
        volumes,
        (np.eye(4),) * len(volumes),
        words,
        chosen.sidecar,
        found.control[0],
        is_repeat=False,
    )


def _why_none(ledger: Ledger) -> str:
    stated = str(ledger.sidecar.get("M0Type", "")).strip()
    said = f" (M0Type says {stated})" if stated in {"Included", "Separate", "Estimate"} else ""
    return (
        f"the session has no M0{said}, which turns signal into flow; scan one, or state M0Estimate"
    )


def _place(m0: Volume, mean: Volume, *, same_frame: bool) -> Matrix | None:
    """Series' mean pose -> M0 mm, by what both show of the head; None when not convincing."""
    still = own_lattice(mean, _ANCHOR_MM)
    level = np.nan_to_num(still.array)
    head = level > 0.3 * np.percentile(level, 98)
    try:
        return align(Anchor(still, head), m0, same_frame=same_frame).matrix
    except (GeometryError, QuantityError):
        return None


def _seen(held: _Found, view: View, ledger: Ledger) -> FloatArray:
    """The mean of the M0 volumes on the view's grid."""
    total = np.zeros(view.grid.shape, dtype=np.float64)
    levels = []
    for volume, matrix in zip(held.volumes, held.matrices, strict=True):
        share = seen_share((volume,), view.points, view.grid, matrix)
        values = sample(blurred_for(finite(volume), view.grid), view.points, matrix) / share
        levels.append(values[view.brain])
        total += values
    if held.is_repeat and len(levels) > 1:
        _require_equals(levels[0], levels[1], ledger)
    return (total / len(held.volumes)).astype(np.float32)


def _require_equals(one: FloatArray, other: FloatArray, ledger: Ledger) -> None:
    """Two volumes of M0 show the same; a control and a label under M0's name do not."""
    known = np.isfinite(one) & np.isfinite(other)
    if not known.any():
        return
    change = one[known].astype(float) - other[known]
    share = float((change > 0).mean())
    apart = abs(float(change.mean())) / max(float(np.abs(one[known]).mean()), 1e-12)
    one_way = max(share, 1 - share)
    if one_way > MAX_PAIR_SHARE and apart > MAX_APART:
        text = (
            f"the first two M0 volumes differ by {apart:.1%}, one way in {one_way:.0%} of the "
            "brain: they may be a control and a label"
        )
        ledger.doubt(text, needs_look=True)


def _require_signal(values: FloatArray, view: View) -> None:
    inside = values[view.brain & np.isfinite(values)]
    median = float(np.median(inside)) if inside.size else 0.0
    if not median > 0:
        raise QuantityError(
            f"The median M0 in the brain is {median:.4g}, not positive.",
            hint="Check that the M0 series is complete.",
        )


def _recovery(held: _Found, ledger: Ledger) -> float:
    """Share of M0 that is shown after its recovery time, by grey matter's T1; NaN with a doubt."""
    time_s = _recovery_s(held, ledger)
    if math.isnan(time_s) or time_s >= LONG_RECOVERY_S:
        return time_s if math.isnan(time_s) else 1.0
    strength = ledger.numbers.get("MagneticFieldStrength", {}).get("value")
    if strength is None:
        return math.nan
    nominal = min(T1_GREY_S, key=lambda t: abs(t - float(strength)))
    ledger.use(
        "T1Tissue", T1_GREY_S[nominal], "s", "default (grey matter; for a short M0 recovery)"
    )
    return 1 - math.exp(-time_s / T1_GREY_S[nominal])


def _recovery_s(held: _Found, ledger: Ledger) -> float:
    name = "RepetitionTimePreparation"
    own = Ledger(held.sidecar, ledger.numbers, ledger.doubts)
    stated = held.sidecar.get(name)
    if isinstance(stated, list | tuple) and held.index is not None and len(stated) > held.index:
        stated = stated[held.index]
    is_ge = str(held.sidecar.get("Manufacturer", ledger.sidecar.get("Manufacturer", "")))
    if is_ge.upper().startswith("GE") and (stated is None or own.origin(name) != "site file"):
        own.use(name, GE_RECOVERY_S, "s", "default (GE 3D product: saturation to M0)")
        return GE_RECOVERY_S
    if stated is None:
        name, stated = "RepetitionTime", held.sidecar.get("RepetitionTime")
    if stated is None:
        own.missing("RepetitionTimePreparation", "how long M0 recovered, s")
        return math.nan
    return own.checked(name, stated, _RECOVERY_S)
