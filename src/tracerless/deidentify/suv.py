"""The factor from activity to SUV, computed while body weight and dose are still legible.

A policy that drops the weight would lose SUV for good; the factor alone says nothing about the
person. It crosses in the standard's own place: a real-world value mapping.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.sequence import Sequence

from tracerless.deidentify import suv_decay, suv_units
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.suv_decay import NoDecayError, number

PT = "1.2.840.10008.5.1.4.1.1.128"
ENHANCED_PT = ("1.2.840.10008.5.1.4.1.1.130", "1.2.840.10008.5.1.4.1.1.128.1")
UNIT = "{SUVbw}g/ml"
"""UCUM, as CID 85 of DICOM PS3.16 writes it."""
_UNITS = (UNIT, "g/ml{SUVbw}")

SOURCES = frozenset((
    0x00080016, 0x00080021, 0x00080022, 0x00080031, 0x00080032, 0x00080201, 0x00101030, 0x00181242,
    0x00280051, 0x00280101, 0x00280103, 0x00281052, 0x00281053, 0x00409096, 0x00540016, 0x00541001,
    0x00541006, 0x00541102, 0x00541321,
))  # fmt: skip
"""Every standard attribute that the factor and its mapping follow from."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A factor and where it comes from, or why there is none; neither text quotes the header.

    Args:
        factor: SUV by body weight (g/mL) per number after the rescale slope; None when it does not
            surely follow.
        reason: one sentence.
        origin: ``header`` or ``header before the border``; empty without a factor.
    """

    factor: float | None
    reason: str
    origin: str = ""


def factor(dataset: Dataset) -> float | None:
    """SUV by body weight (g/mL) per number after the rescale slope; None when it is not sure.

    Args:
        dataset: a classic PET instance with all its attributes.

    Source:
        DICOM PS3.3 C.8.9.1; QIBA SUV vendor-neutral pseudo-code 2018. Deviates: see `suv_decay` and
        `suv_units`, which refuse where that code guesses.
    """
    return judged(dataset).factor


def judged(dataset: Dataset) -> Judged:
    """The factor of an instance with all its attributes, or the first reason against it.

    By unit: GML is SUV already, unless its type is another than body weight. CNTS needs the
    vendor's own factors (Philips). BQML needs attenuation and decay correction, weight, dose,
    half-life, and clocks that agree: body weight in g over the activity in Bq that is left.
    """
    sop_class = str(dataset.get("SOPClassUID", ""))
    if sop_class != PT:
        is_enhanced = sop_class in ENHANCED_PT
        return Judged(None, _ENHANCED if is_enhanced else "No SUV: the series is no PET.")
    units = str(dataset.get("Units", "")).strip().upper()
    if units not in _BY_UNIT:
        return Judged(None, "No SUV: the unit of the numbers is neither BQML, CNTS nor GML.")
    of_unit, reason = _BY_UNIT[units]
    try:
        return Judged(of_unit(dataset), reason, "header")
    except (NoDecayError, suv_units.NoUnitError) as doubt:
        return Judged(None, f"No SUV: {doubt}.")


def present(dataset: Dataset) -> Judged:
    """What an instance says of SUV on either side of the border.

    Args:
        dataset: as a scanner wrote it, or as it crossed; a factor that was carried comes first.
    """
    found = carried(dataset)
    if found is None:
        return judged(dataset)
    origin = "header" if dataset.get("PatientWeight") else "header before the border"
    return Judged(found, "A real-world value mapping to SUV by body weight.", origin)


def is_plain(dataset: Dataset) -> bool:
    """Whether the factor of an instance follows from `SOURCES` alone, without vendor fields."""
    given = list(dataset.get("RadiopharmaceuticalInformationSequence") or ())
    units = str(dataset.get("Units", "")).strip().upper()
    if units != "BQML" or len(given) != 1:
        return units != "CNTS"
    return suv_decay.is_plain(dataset, given[0])


def carry(source: Dataset, clean: Dataset, profile: Profile) -> None:
    """Write the factor into a clean instance whose policy asks for it and drops the weight."""
    if profile.suv != "carry" or clean.get("PatientWeight"):
        return
    per_activity = factor(source)
    if per_activity is None or not number(clean, "RescaleSlope"):
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
    """SUV per number after the rescale slope that an instance maps to, or None."""
    slope = number(clean, "RescaleSlope")
    for mapping in clean.get("RealWorldValueMappingSequence") or ():
        units = mapping.get("MeasurementUnitsCodeSequence") or ()
        mapped = number(mapping, "RealWorldValueSlope")
        if slope and mapped and units and str(units[0].get("CodeValue", "")) in _UNITS:
            return mapped / slope
    return None


def _of_activity(dataset: Dataset) -> float:
    """SUV per Bq/mL.

    Raises:
        NoDecayError, NoUnitError: it does not surely follow.
    """
    suv_units.require_corrected(dataset)
    given = list(dataset.get("RadiopharmaceuticalInformationSequence") or ())
    if len(given) != 1:
        raise suv_units.NoUnitError("not exactly one injection is described")
    grams, dose_bq = suv_units.body_g(dataset), suv_units.dose_bq(given[0])
    return grams / (dose_bq * suv_decay.remaining(dataset, given[0]))


def _of_counts(dataset: Dataset) -> float:
    """SUV per count by Philips' factors; where weight and dose are there too, all must agree.

    Raises:
        NoDecayError, NoUnitError: no factor, or factors that contradict each other.
    """
    suv_units.require_corrected(dataset)
    found = suv_units.philips(dataset)
    if found.suv_per_count is None and found.bqml_per_count is None:
        raise suv_units.NoUnitError("counts without the vendor's factor to SUV or to activity")
    if found.suv_per_count is None:
        return _of_activity(dataset) * (found.bqml_per_count or 0.0)
    try:
        computed = _of_activity(dataset) * (found.bqml_per_count or 0.0)
    except (NoDecayError, suv_units.NoUnitError):
        computed = 0.0  # weight or dose are gone: nothing to hold the vendor's factor against
    if computed and abs(computed / found.suv_per_count - 1) > suv_units.AGREE:
        raise suv_units.NoUnitError("the vendor's factor contradicts weight, dose and times")
    return found.suv_per_count


def _of_suv(dataset: Dataset) -> float:
    """1 where the numbers are SUV by body weight already.

    Raises:
        NoUnitError: they are SUV by another measure.
    """
    suv_units.require_body_weight(dataset)
    return 1.0


_ENHANCED = "No SUV: enhanced multi-frame PET keeps its units elsewhere, which is not read."
_BY_UNIT: dict[str, tuple[Callable[[Dataset], float], str]] = {
    "BQML": (_of_activity, "Weight over the dose that is left at the time of decay correction."),
    "CNTS": (_of_counts, "The vendor's own factor from counts to SUV."),
    "GML": (_of_suv, "The scanner wrote SUV by body weight."),
}


def _stored_range(clean: Dataset) -> tuple[int, int]:
    bits = int(clean.BitsStored)
    if clean.PixelRepresentation:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1
