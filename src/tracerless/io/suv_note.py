"""What the sidecar of a converted PET says of SUV: one factor, where it comes from, or why none.

How SUV follows from weight, dose and clocks is for the caller to know (`deidentify.suv.present`);
past the border the factor stands in the objects as a real-world value mapping, and is read here.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pydicom.dataset import Dataset

from tracerless.io import dicom_gate, tags

UNITS = ("{SUVbw}g/ml", "g/ml{SUVbw}")
"""SUV by body weight as CID 85 of DICOM PS3.16 writes it."""

ONE_FACTOR = 1e-4
"""Slices of one series may differ in their factors by this part: slopes are written as decimals."""

_UNEVEN = "No SUV: the slices of the series give different factors."
_SOME = "No SUV: only some slices of the series have a factor."


class Judged(Protocol):
    """A factor per number after the rescale slope, its origin, and a sentence."""

    @property
    def factor(self) -> float | None:
        """SUV by body weight per number after the rescale slope; None when it is not sure."""
        ...

    @property
    def reason(self) -> str:
        """One sentence without identifiers."""
        ...

    @property
    def origin(self) -> str:
        """``header`` or ``header before the border``."""
        ...


Judge = Callable[[Dataset], Judged]


def fields(
    datasets: Sequence[Dataset], per_number: float, judge: Judge | None = None
) -> dict[str, Any]:
    """``SuvFactor`` and its origin, or ``SuvReason`` alone; nothing for what is no PET.

    Args:
        datasets: the headers of every file of a series.
        per_number: what a number after the rescale slope was multiplied by to give a voxel.
        judge: knows SUV from weight and dose; without it only a mapping in the file counts.

    Returns:
        ``SuvFactor``: SUV = voxel x factor, whatever unit the voxels have. It stands there only
        where every file has it and all agree.
    """
    if dicom_gate.MODALITY.get(dicom_gate.sop_class(datasets[0])) != "PT":
        return {}
    if judge is None:
        found = [(mapped(each), "", "header before the border") for each in datasets]
    else:
        found = [_judged(each, judge) for each in datasets]
    factors = [factor for factor, _, _ in found if factor is not None]
    reason = next((text for factor, text, _ in found if factor is None), found[0][1])
    if len(factors) < len(found):
        return {"SuvReason": _SOME if factors else reason} if factors or reason else {}
    if max(factors) > min(factors) * (1 + ONE_FACTOR):
        return {"SuvReason": _UNEVEN}
    noted = {"SuvFactor": factors[0] / per_number, "ValueOrigins": {"SuvFactor": found[0][2]}}
    return noted | ({"SuvReason": reason} if reason else {})


def _judged(dataset: Dataset, judge: Judge) -> tuple[float | None, str, str]:
    """Factor, reason and origin; no factor where a value of the header cannot be read."""
    try:
        found = judge(dataset)
    except tags.MISREAD:
        return None, "No SUV: an attribute that it needs cannot be read.", ""
    return found.factor, found.reason, found.origin


def mapped(dataset: Dataset) -> float | None:
    """SUV per number after the rescale slope by the file's own mapping, or None."""
    slope = tags.number(dataset, "RescaleSlope")
    for mapping in tags.items(dataset, "RealWorldValueMappingSequence"):
        units = tags.items(mapping, "MeasurementUnitsCodeSequence")
        to_suv = tags.number(mapping, "RealWorldValueSlope")
        if slope and to_suv and units and tags.text(units[0], "CodeValue") in UNITS:
            return to_suv / slope if to_suv / slope > 0 else None
    return None
