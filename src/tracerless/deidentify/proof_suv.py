"""The factor from stored activity to SUV, from one header alone: it must not change.

Source: QIBA, "Vendor-neutral pseudo-code for SUV calculation" (body weight, Bq/mL); DICOM PS3.3
C.8.9.1 for the meaning of START and ADMIN.
"""

import math
import re
from datetime import UTC, datetime

from tracerless.deidentify.proof_scan import Level

TOLERANCE = 1e-6
"""How far a factor or number may be off, relative."""

DAY_S = 86400.0

_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d{1,6})?\Z")
_MOMENT = re.compile(r"(?P<date>\d{8})(?P<time>\d{2,6}(?:\.\d{1,6})?)(?P<zone>(?:[+-]\d{4})?)\Z")
ONE_CLOCK_S = 60.0
"""Two statements of one moment may differ by this: hands write one of them."""
_TRACER = 0x00540016
LONGEST_UPTAKE_S = 12 * 3600.0
"""From injection to the reference time; a longer one is a wrong clock."""

WEIGHTS_KG, DOSES_BQ = (0.3, 500.0), (1e6, 1e10)
"""What bodies weigh and what is injected; anything else is a wrong unit."""
CONFIRMED = 0.01
"""A decay factor confirms a reference time that explains it to this part."""

_MAPPING = 0x00409096
_UNITS = 0x004008EA
_SUV_UNITS = frozenset({"{SUVbw}g/ml", "g/ml{SUVbw}"})


def suv_factor(header: Level) -> float | None:
    """(g/mL) / (Bq/mL) by body weight, as the header itself allows it; None when it does not.

    Nothing is guessed: another unit, another decay reference, or any missing, zero or unreadable
    part gives None. Only differences of date-times count, so a shift of all dates by whole days
    changes nothing.
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
    possible = WEIGHTS_KG[0] <= weight_kg <= WEIGHTS_KG[1] and DOSES_BQ[0] <= dose_bq <= DOSES_BQ[1]
    elapsed_s = 0.0 if reference == "ADMIN" else _elapsed_s(header, tracers[0])
    if elapsed_s is None or not possible or not _explained(header, tracers[0], half_life_s):
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


def _explained(header: Level, tracer: Level, half_life_s: float) -> bool:
    """Whether the decay factor of the frame, where one is stated, fits the reference time.

    It may or may not cover the decay during the frame: vendors differ.
    """
    factor, acquired = _number(header, 0x00541321), _moment(header, 0x00080022, 0x00080032)
    is_admin = _text(header, 0x00541102).upper() == "ADMIN"
    zero = _injected(header, tracer) if is_admin else _moment(header, 0x00080021, 0x00080031)
    if factor is None or acquired is None or zero is None:
        return True
    rate = math.log(2) / half_life_s
    during = rate * (_number(header, 0x00181242) or 0.0) / 1000.0
    inside = math.log(during / (1.0 - math.exp(-during))) if during else 0.0
    off = math.log(factor) - rate * (acquired - zero)
    return min(abs(off), abs(off - inside)) <= CONFIRMED


def _injected(header: Level, tracer: Level) -> float | None:
    """When the tracer was given, s; None where two statements or their zones contradict."""
    found = _MOMENT.match(_text(tracer, 0x00181078))
    whole = _after(found["date"], found["time"]) if found else None
    day, at = _text(header, 0x00080021), _moment(header, 0x00080021, 0x00080031)
    time = _after(day, _text(tracer, 0x00181072))
    if found is None or whole is None:
        return time - DAY_S if time is not None and at is not None and time > at else time
    if time is not None:
        return whole if (whole - time + ONE_CLOCK_S) % DAY_S <= 2 * ONE_CLOCK_S else None
    return whole if found["zone"] in {"", _text(header, 0x00080201)} else None


def _elapsed_s(header: Level, tracer: Level) -> float | None:
    """Seconds from injection to the start of the series, with which its scan begins."""
    at, acquired = _moment(header, 0x00080021, 0x00080031), _moment(header, 0x00080022, 0x00080032)
    start = _injected(header, tracer)
    if at is None or start is None or acquired is None or at > acquired:
        return None
    return at - start if 0 <= at - start <= LONGEST_UPTAKE_S else None


def _moment(header: Level, date: int, time: int) -> float | None:
    return _after(_text(header, date), _text(header, time))


def _after(date: str, time: str) -> float | None:
    """Seconds after the first day of all; None unless both are whole."""
    seconds = _seconds(time)
    try:
        day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC).toordinal()
    except ValueError:
        return None
    return None if seconds is None else day * DAY_S + seconds


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
