"""The factor from activity to SUV, computed while body weight and dose are still legible.

A policy that drops the weight would lose SUV for good; the factor alone says nothing about the
person. It crosses in the standard's own place: a real-world value mapping.
"""

import math
from datetime import UTC, datetime, timedelta

from pydicom import Dataset
from pydicom.sequence import Sequence

from tracerless.deidentify.profile import Profile

PT = "1.2.840.10008.5.1.4.1.1.128"
UNIT = "{SUVbw}g/ml"
"""UCUM, as CID 85 of DICOM PS3.16 writes it."""

LONGEST_UPTAKE = timedelta(hours=12)
"""From injection to the reference time; a longer one is a wrong clock."""


def factor(dataset: Dataset) -> float | None:
    """SUV by body weight (g/ml) per stored activity (Bq/ml); None when it does not surely follow.

    Args:
        dataset: a classic PET instance with all its attributes.

    Returns:
        Body weight in g over the injected activity in Bq at the time to which the counts are
        decay-corrected. None for other units than BQML, without attenuation and decay correction,
        without weight, dose, half-life or times, or when the times contradict each other.

    Source:
        DICOM PS3.3 C.8.9.1 (Units, Decay Correction); QIBA SUV vendor-neutral pseudo-code 2018.
        Deviates: fails closed where that code falls back on vendors' private fields.
    """
    corrections = {str(word) for word in dataset.get("CorrectedImage") or ()}
    is_activity = str(dataset.get("Units", "")) == "BQML" and {"ATTN", "DECY"} <= corrections
    given = list(dataset.get("RadiopharmaceuticalInformationSequence") or ())
    if not is_activity or len(given) != 1 or str(dataset.get("SOPClassUID", "")) != PT:
        return None
    weight_kg = _number(dataset, "PatientWeight")
    dose_bq = _number(given[0], "RadionuclideTotalDose")
    remaining = _remaining(dataset, given[0])
    if weight_kg is None or dose_bq is None or remaining is None:
        return None
    return weight_kg * 1000.0 / (dose_bq * remaining)


def carry(source: Dataset, clean: Dataset, profile: Profile) -> None:
    """Write the factor into a clean instance whose policy asks for it and drops the weight."""
    if profile.suv != "carry" or clean.get("PatientWeight"):
        return
    per_activity = factor(source)
    if per_activity is None or "RescaleSlope" not in clean:
        return
    unit = Dataset()
    unit.CodeValue = UNIT
    unit.CodingSchemeDesignator = "UCUM"
    unit.CodeMeaning = "Standardized Uptake Value body weight"
    mapping = Dataset()
    mapping.LUTExplanation = "SUVbw"
    mapping.LUTLabel = "SUVbw"
    mapping.MeasurementUnitsCodeSequence = Sequence([unit])
    mapping.RealWorldValueSlope = float(clean.RescaleSlope) * per_activity
    mapping.RealWorldValueIntercept = float(clean.get("RescaleIntercept") or 0.0) * per_activity
    first, last = _stored_range(clean)
    vr = "SS" if clean.PixelRepresentation else "US"
    mapping.add_new(0x00409216, vr, first)
    mapping.add_new(0x00409211, vr, last)
    others = list(clean.get("RealWorldValueMappingSequence") or ())
    clean.RealWorldValueMappingSequence = Sequence([*others, mapping])


def carried(clean: Dataset) -> float | None:
    """SUV per activity that `carry` wrote into a clean instance; None when it holds none."""
    slope = float(clean.get("RescaleSlope") or 0.0)
    for mapping in clean.get("RealWorldValueMappingSequence") or ():
        units = mapping.get("MeasurementUnitsCodeSequence") or ()
        if slope and units and str(units[0].get("CodeValue", "")) == UNIT:
            return float(mapping.RealWorldValueSlope) / slope
    return None


def _remaining(dataset: Dataset, given: Dataset) -> float | None:
    """Which part of the injected activity is left at the reference time of decay correction."""
    how = str(dataset.get("DecayCorrection", ""))
    half_life_s = _number(given, "RadionuclideHalfLife")
    if how == "ADMIN":
        return 1.0
    scanned = _moment(dataset, "SeriesDate", "SeriesTime")
    acquired = _moment(dataset, "AcquisitionDate", "AcquisitionTime")
    if how != "START" or half_life_s is None or scanned is None or acquired is None:
        return None
    injected = _injection(dataset, given)
    if injected is None or scanned > acquired:
        return None
    uptake = scanned - injected
    if not timedelta(0) <= uptake <= LONGEST_UPTAKE:
        return None
    return math.exp2(-uptake.total_seconds() / half_life_s)


def _injection(dataset: Dataset, given: Dataset) -> datetime | None:
    whole = _parsed(str(given.get("RadiopharmaceuticalStartDateTime") or ""))
    if whole is not None:
        return whole
    time = str(given.get("RadiopharmaceuticalStartTime") or "")
    injected = _parsed(str(dataset.get("SeriesDate") or "") + time) if time else None
    scanned = _moment(dataset, "SeriesDate", "SeriesTime")
    if injected is not None and scanned is not None and injected > scanned:
        injected -= timedelta(days=1)  # injected before midnight, scanned after
    return injected


def _moment(dataset: Dataset, date: str, time: str) -> datetime | None:
    return _parsed(str(dataset.get(date) or "") + str(dataset.get(time) or ""))


def _parsed(text: str) -> datetime | None:
    """A date with its time to the second and fraction; zones are left out: one clock per scan."""
    whole, _, rest = text.strip().partition(".")
    fraction = rest.split("+", 1)[0].split("-", 1)[0]
    digits = whole.split("+", 1)[0].split("-", 1)[0]
    try:
        moment = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment + timedelta(seconds=float(f"0.{fraction}") if fraction.isdigit() else 0.0)


def _number(dataset: Dataset, keyword: str) -> float | None:
    try:
        number = float(dataset.get(keyword) or 0.0)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0.0 else None


def _stored_range(clean: Dataset) -> tuple[int, int]:
    bits = int(clean.BitsStored)
    if clean.PixelRepresentation:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1
