"""The factor from stored activity to SUV, from one header alone: it must not change.

Source: QIBA, "Vendor-neutral pseudo-code for SUV calculation" (body weight, Bq/mL); DICOM PS3.3
C.8.9.1 for the meaning of START and ADMIN.
"""

import math
import re

from tracerless.deidentify.proof_scan import Level

TOLERANCE = 1e-6
"""How far a factor or number may be off, relative."""

DAY_S = 86400.0

_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d{1,6})?\Z")
_TRACER = 0x00540016
LONGEST_UPTAKE_S = 12 * 3600.0
"""From injection to the reference time; a longer one is a wrong clock."""

_MAPPING = 0x00409096
_UNITS = 0x004008EA
_SUV_UNITS = frozenset({"{SUVbw}g/ml", "g/ml{SUVbw}"})


def suv_factor(header: Level) -> float | None:
    """(g/mL) / (Bq/mL) by body weight, as the header itself allows it; None when it does not.

    Nothing is guessed: another unit, another decay reference, or any missing, zero or unreadable
    part gives None. Only times count, and whole days between full date-times, so a shift of all
    dates by whole days changes nothing.
    """
    corrections = set(_text(header, 0x00280051).upper().split("\\"))
    if _text(header, 0x00541001).upper() != "BQML" or not {"ATTN", "DECY"} <= corrections:
        return None
    tracers = header[_TRACER].items if _TRACER in header else []
    weight_kg = _number(header, 0x00101030)
    if len(tracers) != 1 or weight_kg is None:
        return None
    dose_bq = _number(tracers[0], 0x00181074)
    half_life_s = _number(tracers[0], 0x00181075)
    reference = _text(header, 0x00541102).upper()
    if dose_bq is None or half_life_s is None or reference not in {"START", "ADMIN"}:
        return None
    elapsed_s = 0.0 if reference == "ADMIN" else _elapsed_s(header, tracers[0])
    if elapsed_s is None:
        return None
    return weight_kg * 1000.0 / (dose_bq * math.pow(2.0, -elapsed_s / half_life_s))


def mapped_factor(header: Level) -> float | None:
    """The same factor from a real-world value mapping to SUV by body weight; None without one."""
    slope = _number(header, 0x00281053)
    for item in header[_MAPPING].items if _MAPPING in header else []:
        units = item[_UNITS].items if _UNITS in item else []
        mapped = _number(item, 0x00409225)
        if slope and mapped and any(_text(u, 0x00080100) in _SUV_UNITS for u in units):
            return mapped / slope
    return None


def same(one: float | None, other: float | None) -> bool:
    """Whether two numbers are equal to a millionth, or both absent."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-9)


def _elapsed_s(header: Level, tracer: Level) -> float | None:
    """Seconds from injection to the start of the series."""
    at, acquired = (_seconds(_text(header, tag)) for tag in (0x00080031, 0x00080032))
    moment = _text(tracer, 0x00181078)
    start = _seconds(moment[8:].split("+")[0].split("-")[0]) if len(moment) > 8 else None
    if start is None:
        start = _seconds(_text(tracer, 0x00181072))
    if at is None or start is None or acquired is None:
        return None
    is_later = (acquired - at) % DAY_S <= LONGEST_UPTAKE_S  # a scan begins with its series
    uptake_s = (at - start) % DAY_S
    return uptake_s if is_later and uptake_s <= LONGEST_UPTAKE_S else None


def _seconds(text: str) -> float | None:
    found = _TIME.match(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, fraction = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + fraction


def _text(level: Level, tag: int) -> str:
    return level[tag].text.strip() if tag in level else ""


def _number(level: Level, tag: int) -> float | None:
    """The first value, when it is a positive number."""
    try:
        number = float(_text(level, tag).split("\\")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
