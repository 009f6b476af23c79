"""How much of an injected activity is left at the time to which a PET was corrected for decay.

The time comes from the header's clocks, and there are several that could be meant: a wrong one
changes SUV by 15 % and more without any sign. So each candidate is held against what the scanner
itself did to the counts: the decay factor (0054,1321) of every slice follows from the reference
time, the start of its frame and the half-life, and a candidate that it contradicts is not used.

Source:
    DICOM PS3.3 C.8.9.1 and C.8.9.4 (Decay Correction, Decay Factor, Frame Reference Time); QIBA
    "SUV vendor-neutral pseudo-code" (2018). Deviates: where that falls back on the first
    acquisition time or back-computes, this refuses.
"""

import math
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pydicom import Dataset

LONGEST_UPTAKE = timedelta(hours=12)
"""From injection to the reference time; a longer one is a wrong clock."""

DAY = timedelta(days=1)
ONE_CLOCK = timedelta(minutes=1)
"""Two statements of one moment may differ by this: hands write one of them."""

CONFIRMED = 0.01
"""A decay factor confirms a reference time that explains it to this part; 95 s for fluorine-18."""

HALF_LIVES_S = (60.0, 1e6)
"""Of nuclides that are imaged, s; oxygen-15 has 122, gallium-67 281,000."""

_SIEMENS = (0x0071, "SIEMENS MED PT", 0x22)
"""Decay correction date and time."""
_GE = (0x0009, "GEMS_PETD_01", 0x0D)
"""Scan date and time: the start of the first frame."""

_STAMP = re.compile(r"(?P<digits>\d{10}|\d{12}|\d{14})(?P<fraction>\.\d{1,6})?(?:[+-]\d{4})?\Z")
_ZONE = re.compile(r"[+-]\d{4}\Z")

_MISREAD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)


class NoDecayError(Exception):
    """The part that is left does not surely follow; the text says why, and quotes nothing."""


def remaining(dataset: Dataset, given: Dataset) -> float:
    """Which part (0-1] of the injected activity is left at the reference time.

    Args:
        dataset: a classic PET instance.
        given: its one item of radiopharmaceutical information.

    Raises:
        NoDecayError: the counts are not corrected to one time, a clock is missing, or no stated
            time agrees with the others and with the decay factor.
    """
    how = str(dataset.get("DecayCorrection", "")).strip().upper()
    if how not in {"START", "ADMIN"}:
        raise NoDecayError("the counts are not corrected for decay to one time")
    half_life_s = number(given, "RadionuclideHalfLife")
    acquired = _moment(dataset, "AcquisitionDate", "AcquisitionTime")
    if how == "ADMIN":
        _require_explained(dataset, given, half_life_s, acquired)
        return 1.0
    injected = _injected(dataset, given)
    if half_life_s is None or not HALF_LIVES_S[0] <= half_life_s <= HALF_LIVES_S[1]:
        raise NoDecayError("the half-life is missing or impossible")
    if injected is None or acquired is None:
        raise NoDecayError("the time of injection or of acquisition is missing")
    uptake = _reference(dataset, half_life_s, acquired, injected) - injected
    return math.exp2(-uptake.total_seconds() / half_life_s)


def is_plain(dataset: Dataset, given: Dataset) -> bool:
    """Whether the part that is left follows from standard attributes, without vendor fields."""
    try:
        return _is_plain(dataset, given)
    except NoDecayError:
        return True


def _is_plain(dataset: Dataset, given: Dataset) -> bool:
    if str(dataset.get("DecayCorrection", "")).strip().upper() != "START":
        return True
    half_life_s = number(given, "RadionuclideHalfLife")
    injected = _injected(dataset, given)
    acquired = _moment(dataset, "AcquisitionDate", "AcquisitionTime")
    series = _moment(dataset, "SeriesDate", "SeriesTime")
    if half_life_s is None or injected is None or acquired is None:
        return True  # and nothing that a vendor writes would mend it
    return series is not None and not _doubt(dataset, half_life_s, acquired, injected, series)


def _reference(
    dataset: Dataset, half_life_s: float, acquired: datetime, injected: datetime
) -> datetime:
    """The first stated time that nothing contradicts.

    Raises:
        NoDecayError: there is none.
    """
    doubt = "the series does not say to which time it was corrected for decay"
    for stated in _stated(dataset):
        found = _doubt(dataset, half_life_s, acquired, injected, stated)
        if not found:
            return stated
        doubt = found
    raise NoDecayError(doubt)


def _stated(dataset: Dataset) -> Iterator[datetime]:
    """Times to which the counts may have been corrected: the series', then the vendor's."""
    series = _moment(dataset, "SeriesDate", "SeriesTime")
    vendor = (_parsed(_private(dataset, *field)) for field in (_SIEMENS, _GE))
    yield from (each for each in (series, *vendor) if each is not None)


def _doubt(
    dataset: Dataset,
    half_life_s: float,
    acquired: datetime,
    injected: datetime,
    stated: datetime,
) -> str:
    """Why a stated time cannot be the reference; empty when nothing speaks against it."""
    if stated > acquired:
        return "the series begins after its own acquisition"
    if not timedelta(0) <= stated - injected <= LONGEST_UPTAKE:
        return "the tracer was injected after the scan or more than 12 hours before"
    if not _explains(dataset, half_life_s, (acquired - stated).total_seconds()):
        return "the decay factor contradicts the time of the series"
    return ""


def _require_explained(
    dataset: Dataset, given: Dataset, half_life_s: float | None, acquired: datetime | None
) -> None:
    """Hold a correction to the time of injection against the decay factor, where all is stated.

    Raises:
        NoDecayError: they contradict each other.
    """
    try:
        injected = _injected(dataset, given)
    except NoDecayError:
        return  # when it was does not matter for such a dose
    if half_life_s is None or acquired is None or injected is None:
        return
    if not _explains(dataset, half_life_s, (acquired - injected).total_seconds()):
        raise NoDecayError("the decay factor contradicts the time of injection")


def _explains(dataset: Dataset, half_life_s: float, elapsed_s: float) -> bool:
    """Whether a frame that began so long after the reference time has the stated decay factor.

    Vendors differ in whether the factor covers the decay during the frame; both are accepted. A
    series without decay factors confirms nothing and contradicts nothing.
    """
    factor = number(dataset, "DecayFactor")
    if factor is None:
        return True
    rate = math.log(2) / half_life_s
    during = rate * (number(dataset, "ActualFrameDuration") or 0.0) / 1000.0
    at_start = math.log(factor) - rate * elapsed_s
    over_frame = at_start - math.log(during / -math.expm1(-during)) if during else at_start
    return min(abs(at_start), abs(over_frame)) <= CONFIRMED


def _injected(dataset: Dataset, given: Dataset) -> datetime | None:
    """When the tracer was given; None where that is not stated.

    Raises:
        NoDecayError: its two statements, or their time zones, contradict each other.
    """
    stated = str(given.get("RadiopharmaceuticalStartDateTime") or "")
    time = str(given.get("RadiopharmaceuticalStartTime") or "")
    injected = _joined(str(dataset.get("SeriesDate") or ""), time)
    whole = _parsed(stated)
    if whole is not None:
        zone = _ZONE.search(stated.strip("\0 "))
        known = zone is None or zone[0] == str(dataset.get("TimezoneOffsetFromUTC") or "").strip()
        if injected is None and not known:
            raise NoDecayError("the time of injection is in another zone than the scan")
        if injected is not None and (whole - injected + ONE_CLOCK) % DAY > 2 * ONE_CLOCK:
            raise NoDecayError("the date and the time of injection contradict each other")
        return whole
    scanned = _moment(dataset, "SeriesDate", "SeriesTime")
    if injected is not None and scanned is not None and injected > scanned:
        injected -= DAY  # injected before midnight, scanned after
    return injected


def _moment(dataset: Dataset, date: str, time: str) -> datetime | None:
    return _joined(str(dataset.get(date) or ""), str(dataset.get(time) or ""))


def _joined(date: str, time: str) -> datetime | None:
    """A moment from a whole date and a time; of some profiles only the year of a date is left."""
    return _parsed(date.strip() + time.strip()) if len(date.strip()) == 8 else None


def _private(dataset: Dataset, group: int, creator: str, offset: int) -> str:
    try:
        raw = dataset.private_block(group, creator)[offset].value
    except _MISREAD:
        return ""
    return raw.decode("ascii", "ignore") if isinstance(raw, bytes) else str(raw or "")


def _parsed(text: str) -> datetime | None:
    """A date with its time, of which minutes and seconds may lack; zones are left out."""
    found = _STAMP.match(text.strip("\0 ").replace(":", ""))
    if found is None:
        return None
    try:
        moment = datetime.strptime(found["digits"].ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    fraction_s = float("0" + (found["fraction"] or ".0"))
    return moment.replace(tzinfo=UTC) + timedelta(seconds=fraction_s)


def number(dataset: Dataset, keyword: str) -> float | None:
    """The attribute as a positive number; None where it is absent or anything else."""
    try:
        found = float(dataset.get(keyword) or 0.0)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) and found > 0.0 else None
