"""What is stated about a labeling series: every number and its origin, or what is wrong."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from tracerless.core.session import NativeSeries

KINDS = ("PCASL", "CASL", "PASL")
DELAY_S, DURATION_S, INVERSION_S = (1.0, 2.5), (1.0, 2.5), (1.2, 2.8)
"""A single delay after labeling, the label's duration, and an inversion time, outside of which one
subtraction does not give absolute flow, s."""
MULTI_DELAY_S = (0.1, 4.0)
"""Delays of a multi-delay series, s; its longest is held to ``DELAY_S`` from below."""
BOLUS_S = (0.3, 1.5)
"""Width of a pulsed bolus (first delay of QUIPSS II or Q2TIPS), s."""
MAX_SLICE_TIME_S = 1.5
MIN_DELAYS_TO_FIT = 3
"""From so many different delays on, arrival time is fitted together with flow."""

EFFICIENCY = {
    "PCASL": (0.85, "default (Alsop 2015)"),
    "CASL": (0.68, "default (Wang 2005, Radiology 235:218)"),
    "PASL": (0.98, "default (Alsop 2015)"),
}
PULSE_EFFICIENCY = 0.95
"""Share of the label that one background-suppression pulse leaves (Alsop 2015)."""
GE_EFFICIENCY = (0.6, "default (GE 3D product: 0.8 x 0.75 for its suppression)")
T1_BLOOD_S = {1.5: 1.35, 3.0: 1.65}
"""By field strength, T (Alsop 2015)."""
FIELD_TOLERANCE_T = 0.2


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why flow stays relative.

    ``needs_look``: a stated number cannot be right or contradicts the voxels, or M0 is missing;
    else a number is merely not stated, as for every session of a site without a ``site.toml``.
    """

    reason: str
    needs_look: bool = False


@dataclass(frozen=True, slots=True)
class Protocol:
    """How blood was labeled, complete and plausible.

    Args:
        kind: one of ``KINDS``.
        delays_s: one per volume of the series: from the end of labeling to the readout of the first
            slice; for PASL from labeling itself.
        duration_s: of labeling; for PASL the width of the bolus.
        efficiency: share of blood that is inverted at the readout's start, suppression included.
        t1_blood_s: longitudinal relaxation of blood.
        field_t: the magnet, 1.5 or 3.
        slice_times_s: one per slice of a 2D readout, after the first; empty for 3D.
        is_ge: whether GE's product conventions hold.
    """

    kind: str
    delays_s: tuple[float, ...]
    duration_s: float
    efficiency: float
    t1_blood_s: float
    field_t: float
    slice_times_s: tuple[float, ...]
    is_ge: bool


@dataclass(slots=True)
class Ledger:
    """Reads stated numbers and keeps account: what was used, where it is from, what is wrong."""

    sidecar: Mapping[str, Any]
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)

    def origin(self, name: str) -> str:
        """Where a stated field comes from; ``sidecar`` when nothing was recorded."""
        return str(self.sidecar.get("ValueOrigins", {}).get(name, "sidecar"))

    def use(self, name: str, value: Any, unit: str, origin: str) -> None:
        """Put a number that went into the equation on record."""
        self.numbers[name] = {"value": value, "unit": unit, "origin": origin}

    def doubt(self, reason: str, *, needs_look: bool = False) -> None:
        """Put a reason against absolute flow on record, once."""
        if all(each.reason != reason for each in self.doubts):
            self.doubts.append(Doubt(reason, needs_look))

    def missing(self, name: str, what: str) -> None:
        """A field that must be stated and is not."""
        self.doubt(f"{name} ({what}) is not stated; state it in site.toml")

    def number(self, name: str, limits: tuple[float, float], what: str, unit: str = "s") -> float:
        """A stated number within its limits; NaN, and a doubt, when absent or outside."""
        value = self.sidecar.get(name)
        if value is None:
            self.missing(name, what)
            return math.nan
        return self.checked(name, value, limits, unit)

    def checked(self, name: str, value: Any, limits: tuple[float, float], unit: str = "s") -> float:
        """The value on record when it is a number within limits; else NaN and a doubt."""
        low, high = limits
        number = _number(value)
        if math.isnan(number):
            text = f"{name}={value!r} ({self.origin(name)}) is not a number"
            self.doubt(text, needs_look=True)
            return math.nan
        if not low <= number <= high:
            text = f"{name}={value} ({self.origin(name)}) is outside {low:g}-{high:g} {unit}"
            if unit == "s" and low <= number / 1000 <= high:
                text += "; is it in milliseconds?"
            self.doubt(text, needs_look=True)
            return math.nan
        self.use(name, number, unit, self.origin(name))
        return number


def protocol(series: NativeSeries, ledger: Ledger) -> Protocol | None:
    """What the series' sidecar says of its labeling; None, with doubts, when it does not do."""
    kind = str(ledger.sidecar.get("ArterialSpinLabelingType", "")).upper()
    if kind not in KINDS:
        ledger.missing("ArterialSpinLabelingType", "PCASL, CASL or PASL")
    else:
        ledger.use("ArterialSpinLabelingType", kind, "", ledger.origin("ArterialSpinLabelingType"))
    is_ge = _is_ge_product(ledger.sidecar, kind)
    pulsed = kind == "PASL"
    delays_s = _delays(ledger, len(series.volumes), pulsed=pulsed)
    duration_s = _bolus(ledger, delays_s) if pulsed else _duration(ledger)
    times_s = _slice_times(ledger, series.grid.shape[2])
    field_t, t1_blood_s = _blood(ledger)
    efficiency = _efficiency(ledger, kind, is_ge=is_ge)
    if ledger.doubts:
        return None
    return Protocol(
        kind, delays_s, duration_s, efficiency, t1_blood_s, field_t, times_s, is_ge=is_ge
    )


def _is_ge_product(sidecar: Mapping[str, Any], kind: str) -> bool:
    is_ge = str(sidecar.get("Manufacturer", "")).upper().startswith("GE")
    return is_ge and kind == "PCASL" and sidecar.get("MRAcquisitionType") == "3D"


def _delays(ledger: Ledger, n_volumes: int, *, pulsed: bool) -> tuple[float, ...]:
    """One delay per volume of the series."""
    name = "PostLabelingDelay"
    value = ledger.sidecar.get(name)
    if value is None:
        ledger.missing(name, "time from labeling to readout, s")
        return ()
    limits = INVERSION_S if pulsed else DELAY_S
    if not _is_list(value):
        return (ledger.checked(name, value, limits),) * n_volumes
    delays_s = tuple(_number(each) for each in value)
    labeled = sorted({s for s in delays_s if s > 0})
    if len(delays_s) != n_volumes or not labeled or not all(s >= 0 for s in delays_s):
        text = f"{name} lists {len(delays_s)} delays for {n_volumes} volumes, or a negative one"
        ledger.doubt(text, needs_look=True)
        return ()
    if len(labeled) < MIN_DELAYS_TO_FIT:
        ledger.checked(name, labeled[-1], limits)
        return delays_s
    _require_spread(ledger, name, labeled)
    return delays_s


def _require_spread(ledger: Ledger, name: str, labeled: list[float]) -> None:
    low, high = MULTI_DELAY_S
    if labeled[0] < low or labeled[-1] > high or labeled[-1] < DELAY_S[0]:
        text = (
            f"{name} runs over {labeled[0]:g}-{labeled[-1]:g} s ({ledger.origin(name)}); "
            f"{low:g}-{high:g} s with the longest at least {DELAY_S[0]:g} s expected"
        )
        ledger.doubt(text, needs_look=True)
        return
    ledger.use(name, labeled, "s", ledger.origin(name))


def _duration(ledger: Ledger) -> float:
    value = ledger.sidecar.get("LabelingDuration")
    if _is_list(value):
        different = {_number(each) for each in value} - {0.0}
        if len(different) != 1:
            ledger.doubt("LabelingDuration differs between volumes", needs_look=True)
            return math.nan
        return ledger.checked("LabelingDuration", different.pop(), DURATION_S)
    return ledger.number("LabelingDuration", DURATION_S, "how long blood was labeled, s")


def _bolus(ledger: Ledger, inversion_s: tuple[float, ...]) -> float:
    """Width of the pulsed bolus: the first delay at which its tail was cut off."""
    if ledger.sidecar.get("BolusCutOffFlag") is False:
        ledger.doubt("the pulsed bolus was not cut off (BolusCutOffFlag), so its width is unknown")
        return math.nan
    value = ledger.sidecar.get("BolusCutOffDelayTime")
    if value is None or (_is_list(value) and not value):
        ledger.missing("BolusCutOffDelayTime", "TI1: when the pulsed bolus was cut off, s")
        return math.nan
    first = value[0] if _is_list(value) else value
    width_s = ledger.checked("BolusCutOffDelayTime", first, BOLUS_S)
    if inversion_s and not width_s < max(inversion_s):
        text = f"BolusCutOffDelayTime={width_s:g} s is not before PostLabelingDelay"
        ledger.doubt(text, needs_look=True)
    return width_s


def _slice_times(ledger: Ledger, n_slices: int) -> tuple[float, ...]:
    readout, times = ledger.sidecar.get("MRAcquisitionType"), ledger.sidecar.get("SliceTiming")
    if readout == "3D":
        ledger.use("MRAcquisitionType", "3D", "", ledger.origin("MRAcquisitionType"))
        return ()
    if times is None:
        name = "SliceTiming" if readout == "2D" else "MRAcquisitionType"
        ledger.missing(name, "slices of a 2D readout see the label at different times")
        return ()
    numbers = tuple(_number(each) for each in times) if _is_list(times) else ()
    fits = len(numbers) == n_slices and all(s >= 0 for s in numbers)
    if not fits or max(numbers) > MAX_SLICE_TIME_S:
        text = f"SliceTiming does not hold {n_slices} times of 0-{MAX_SLICE_TIME_S:g} s"
        ledger.doubt(text, needs_look=True)
        return ()
    ledger.use("SliceTiming", [min(numbers), max(numbers)], "s", ledger.origin("SliceTiming"))
    return numbers


def _blood(ledger: Ledger) -> tuple[float, float]:
    """The field strength as its nominal value, and T1 of blood there."""
    value = ledger.sidecar.get("MagneticFieldStrength")
    if value is None:
        ledger.missing("MagneticFieldStrength", "T1 of blood depends on it, T")
        return math.nan, math.nan
    stated = _number(value)
    nominal = min(T1_BLOOD_S, key=lambda t: abs(t - stated))
    if not abs(nominal - stated) <= FIELD_TOLERANCE_T:
        text = f"MagneticFieldStrength={value}: T1 of blood is known at 1.5 and 3 T only"
        ledger.doubt(text)
        return math.nan, math.nan
    ledger.use("MagneticFieldStrength", stated, "T", ledger.origin("MagneticFieldStrength"))
    ledger.use("T1Blood", T1_BLOOD_S[nominal], "s", "default (Alsop 2015)")
    return nominal, T1_BLOOD_S[nominal]


def _efficiency(ledger: Ledger, kind: str, *, is_ge: bool) -> float:
    if kind not in EFFICIENCY:
        return math.nan
    stated = ledger.sidecar.get("LabelingEfficiency")
    if stated is not None:
        efficiency = ledger.checked("LabelingEfficiency", stated, (0.3, 1.0), "of 1")
    else:
        efficiency, origin = GE_EFFICIENCY if is_ge else EFFICIENCY[kind]
        ledger.use("LabelingEfficiency", efficiency, "of 1", origin)
        if is_ge:
            return efficiency
    return efficiency * _left_by_suppression(ledger)


def _left_by_suppression(ledger: Ledger) -> float:
    name, origin = "BackgroundSuppressionNumberPulses", "not stated; no loss of label is assumed"
    if ledger.sidecar.get("BackgroundSuppression") is False or name not in ledger.sidecar:
        if ledger.sidecar.get("BackgroundSuppression") is False:
            origin = ledger.origin("BackgroundSuppression")
        ledger.use(name, 0, "pulses", origin)
        return 1.0
    n_pulses = ledger.checked(name, ledger.sidecar[name], (0, 10), "pulses")
    ledger.use("PulseEfficiency", PULSE_EFFICIENCY, "of 1 per pulse", "default (Alsop 2015)")
    return float(PULSE_EFFICIENCY**n_pulses)


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
