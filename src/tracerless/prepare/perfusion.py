"""Blood flow from whatever a session holds of arterial spin labeling."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tracerless.core.errors import QuantityError
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare import asl_difference, asl_gate, asl_kinetics, asl_m0
from tracerless.prepare.asl_facts import MIN_DELAYS_TO_FIT, Doubt, Ledger, Protocol, protocol
from tracerless.prepare.asl_frames import Frames, frames
from tracerless.prepare.asl_gate import MAX_ZERO
from tracerless.prepare.asl_motion import Motion, motion
from tracerless.prepare.asl_sampling import (
    FloatArray,
    View,
    blurred_for,
    finite,
    sample,
    seen_share,
    voxel_index,
)

FLOW_CONTRASTS = (Contrast.CBF, Contrast.DELTAM, Contrast.ASL)
"""Where flow may be taken from: the scanner's map, its difference, control and label."""
FLOW_UNITS = ("ml/100g/min", "ml/min/100g")
"""What ``FlowUnits`` may say, in small letters without spaces."""
MAX_SCALE = 1e4
"""Largest number by which a scanner multiplies its difference or its map (``AslScale``)."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A labeling series before anything is known of the brain.

    Args:
        chosen: the series.
        frames: its volumes by kind.
        motion: poses of ``frames.signal`` (or of the differences), in that order.
        mean: of those volumes in their mean pose; what the series is aligned by.
        ledger: stated numbers and doubts so far.
    """

    chosen: NativeSeries
    frames: Frames
    motion: Motion
    mean: Volume
    ledger: Ledger


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Flow on the view's grid, and how it was made.

    Args:
        volume: mL/100 g/min (``Quantity.CBF``) where that is known, else arbitrary units.
        source: equation, numbers with their origins, volumes used and left out, and reasons.
        levels: medians of grey and white matter (``asl_gate.levels``).
        doubts: why flow is relative; empty when it is absolute.
    """

    volume: Volume
    source: Mapping[str, Any]
    levels: Mapping[str, float] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()


def series(native: Native) -> NativeSeries | None:
    """The series that flow is taken from, or None.

    The scanner's map, its difference, control and label, in this order; but what can be measured in
    mL/100 g/min, by what is stated of it, comes before what cannot.
    """
    found = [each for c in FLOW_CONTRASTS if (each := native.of(c)) is not None]
    return next((each for each in found if _is_declared(each)), next(iter(found), None))


def _is_declared(each: NativeSeries) -> bool:
    """Whether enough is stated of a series for absolute flow, M0 aside."""
    if each.contrast is Contrast.CBF:
        return _flow_units(each) in FLOW_UNITS
    return protocol(each, Ledger(each.sidecar)) is not None


def _flow_units(ready: NativeSeries) -> str:
    """The unit of a map, in small letters without spaces; empty where nothing states it."""
    stated = ready.sidecar.get("FlowUnits")
    if stated is None and ready.volumes[0].quantity is Quantity.CBF:
        stated = Quantity.CBF.value
    return str(stated or "").lower().replace(" ", "")


def mean(volumes: tuple[Volume, ...], quantity: Quantity, contrast: Contrast) -> Volume:
    """The mean over frames of one grid, as that quantity and contrast."""
    total = np.zeros(volumes[0].grid.shape, dtype=np.float64)
    for each in volumes:
        total += each.array
    array = (total / len(volumes)).astype(np.float32)
    return Volume(array, volumes[0].grid, quantity, contrast)


def look(chosen: NativeSeries) -> Looked:
    """Sort the volumes of a series and follow the head through them.

    Raises:
        ContrastError: there is neither a pair nor a difference among them.
        QuantityError: no volume holds a signal.
    """
    if not any(np.nan_to_num(each.array).any() for each in chosen.volumes):
        raise QuantityError(
            f"All {len(chosen.volumes)} volumes of the {chosen.contrast} series are zero.",
            hint="Export the series again; flow of zero is never a measurement.",
        )
    ledger = Ledger(chosen.sidecar)
    chosen = replace(chosen, volumes=tuple(finite(each) for each in chosen.volumes))
    found = frames(chosen, ledger)
    used = found.cbf or found.deltam or found.signal
    volumes = tuple(chosen.volumes[i] for i in used)
    alternation = found.alternation if found.signal else np.zeros(len(volumes))
    if found.cbf or found.deltam:
        moved = Motion((np.eye(4),) * len(used), np.zeros(len(used)), np.ones(len(used), bool))
    else:
        moved = motion(volumes, alternation)
    middle = asl_difference.still_mean(volumes, moved)
    return Looked(chosen, found, moved, middle, ledger)


def flow(native: Native, looked: Looked, view: View) -> Flow:
    """Blood flow in the view: absolute where every number is known and plausible, else relative.

    Every volume is interpolated once, from where it was scanned to the grid of the view.

    Args:
        native: the session; its M0 divides.
        looked: the series, as ``look`` gave it.
        view: where flow is wanted.

    Raises:
        ContrastError: which volumes are controls cannot be told.
        QuantityError: M0 is empty, no pair is left, or flow is zero where it should be measured.
    """
    if looked.frames.cbf:
        return _ready(looked, view)
    ledger = Ledger(looked.ledger.sidecar, doubts=list(looked.ledger.doubts))
    how = protocol(looked.chosen, ledger)
    made = asl_difference.differences(
        (looked.chosen, looked.frames, looked.motion),
        view,
        delays_s=how.delays_s if how else (),
        ledger=ledger,
    )
    scale = _scale(ledger, is_needed=_is_ge(ledger) and bool(made.frames.deltam))
    m0 = asl_m0.proton(native, looked.chosen, made.frames, looked.mean, view, ledger)
    source = dict(made.source)
    source["m0"] = "none; the difference is not divided" if m0 is None else f"divides: {m0.words}"
    shares = dict(made.by_delay)
    if m0 is not None:
        shares = {d: asl_m0.divided(each / scale, m0, view) for d, each in shares.items()}
    if how is None or m0 is None or ledger.doubts:
        return _relative(_pooled(shares, made.n_pairs), view, ledger, source)
    array, more = _absolute(shares, made.n_pairs, _late_s(looked.chosen, how, view), view, how)
    ledger.use("Partition", asl_kinetics.PARTITION_ML_G, "mL/g", "default (Alsop 2015)")
    return _judged(array, view, ledger, {**source, **more})


def _absolute(
    shares: Mapping[float, FloatArray],
    n_pairs: Mapping[float, int],
    late_s: FloatArray,
    view: View,
    how: Protocol,
) -> tuple[FloatArray, dict[str, Any]]:
    """Flow in mL/100 g/min, and its equation."""
    if len(shares) < MIN_DELAYS_TO_FIT:
        delay_s = max(shares)
        array = asl_kinetics.single(shares[delay_s], delay_s, late_s, how)
        return array, {"equation": asl_kinetics.equation(how.kind)}
    fit = asl_kinetics.many(shares, n_pairs, late_s, view.white, how)
    told: dict[str, Any] = {"equation": asl_kinetics.EQUATION_OF_MANY}
    for name, where in (("grey", view.grey), ("white", view.white)):
        inside = fit.arrival_s[where & np.isfinite(fit.arrival_s)]
        told[f"arrival_{name}_s"] = round(float(np.median(inside)), 3) if inside.size else None
    return fit.cbf, told


def _ready(looked: Looked, view: View) -> Flow:
    """A map that the scanner made; absolute only when its units are stated."""
    ledger = Ledger(looked.ledger.sidecar, doubts=list(looked.ledger.doubts))
    volumes = tuple(looked.chosen.volumes[i] for i in looked.frames.cbf)
    share = seen_share(volumes, view.points, view.grid)
    array = sample(blurred_for(looked.mean, view.grid), view.points) / share
    array = array / _scale(ledger, is_needed=False)
    source = {"from": "the scanner's map", "n_volumes": len(volumes)}
    units = _flow_units(looked.chosen)
    if not units:
        ledger.missing("FlowUnits", "unit of the scanner's map")
    elif units == "relative":
        ledger.doubt("the scanner's map is stated to be relative (FlowUnits)")
    elif units not in FLOW_UNITS:
        ledger.doubt(f"FlowUnits={units!r} is none of: {', '.join(FLOW_UNITS)}", needs_look=True)
    else:
        origin = "FlowUnits" in ledger.sidecar
        ledger.use("FlowUnits", units, "", ledger.origin("FlowUnits") if origin else "header")
    if ledger.doubts:
        return _relative(array, view, ledger, source)
    equation = "CBF = the scanner's map / AslScale; the scanner's own equation is not known"
    return _judged(array, view, ledger, {**source, "equation": equation})


def _judged(array: FloatArray, view: View, ledger: Ledger, source: Mapping[str, Any]) -> Flow:
    """Absolute flow when a brain can have it, else relative flow with the reason."""
    levels = asl_gate.levels(array, view)
    asl_gate.judge(levels, ledger)
    if ledger.doubts:
        return _relative(array, view, ledger, source)
    _require_measured(array, view)
    told = {**source, "unit": Quantity.CBF.value, "numbers": dict(ledger.numbers)}
    return Flow(Volume(array, view.grid, Quantity.CBF, Contrast.CBF), told, levels)


def _relative(array: FloatArray, view: View, ledger: Ledger, source: Mapping[str, Any]) -> Flow:
    _require_measured(array, view)
    told = {
        **source,
        "unit": "relative",
        "numbers": dict(ledger.numbers),
        "why_relative": [each.reason for each in ledger.doubts],
    }
    volume = Volume(array, view.grid, Quantity.SIGNAL, Contrast.CBF)
    return Flow(volume, told, doubts=tuple(ledger.doubts))


def _require_measured(array: FloatArray, view: View) -> None:
    """No silent zeros: flow that is exactly zero was not measured."""
    inside = array[view.brain & np.isfinite(array)]
    zero = float((inside == 0).mean()) if inside.size else 1.0
    if zero > MAX_ZERO:
        raise QuantityError(
            f"Blood flow is unknown or exactly zero in {zero:.0%} of the brain in view.",
            hint="Check the labeling series and its M0; zero flow is never a measurement.",
        )


def _pooled(shares: Mapping[float, FloatArray], n_pairs: Mapping[float, int]) -> FloatArray:
    """The mean over delays, by the number of pairs."""
    delays_s = sorted(shares)
    weights = [n_pairs[delay] for delay in delays_s]
    stack = np.stack([shares[delay] for delay in delays_s])
    pooled: FloatArray = np.average(stack, axis=0, weights=weights).astype(np.float32)
    return pooled


def _scale(ledger: Ledger, *, is_needed: bool) -> np.float32:
    """What the scanner multiplied its difference or map by; 1 where not stated."""
    value = ledger.sidecar.get("AslScale")
    if value is not None:
        scale = ledger.checked("AslScale", value, (1e-3, MAX_SCALE), "times")
        return np.float32(1 if math.isnan(scale) else scale)
    if is_needed:
        ledger.missing("AslScale", "GE multiplies its difference, by 32 times the excitations")
    else:
        ledger.use("AslScale", 1, "times", "default")
    return np.float32(1)


def _is_ge(ledger: Ledger) -> bool:
    return str(ledger.sidecar.get("Manufacturer", "")).upper().startswith("GE")


def _late_s(chosen: NativeSeries, how: Protocol, view: View) -> FloatArray:
    """How much later than the first slice every voxel was read, (I, J, K) s."""
    if not how.slice_times_s:
        return np.zeros(view.grid.shape, dtype=np.float32)
    place = voxel_index(view.points, chosen.grid)[2]
    times = np.interp(place, np.arange(len(how.slice_times_s)), how.slice_times_s)
    late_s: FloatArray = times.astype(np.float32)
    return late_s
