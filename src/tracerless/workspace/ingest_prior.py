"""Files that another tool de-identified before: its claims are rewritten, its damage is told."""

from collections import Counter
from collections.abc import Iterable

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from tracerless.io import tags

_CLAIMS = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
)
_TIMES = ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime")
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate")
_EMPTY_YEAR = "1901"
"""Dates before this year stand for none."""

LOOKED_AT = tuple(
    int(tag_for_keyword(keyword) or 0)
    for keyword in (
        *_CLAIMS,
        *_TIMES,
        *_DATES,
        "Modality",
        "RadiopharmaceuticalInformationSequence",
    )
)

_TEXTS = {
    "times": "all times are zero or gone, so timing cannot be trusted",
    "dates": "all dates are placeholders or gone, so visits cannot be put in order",
    "dose": "the injected dose or its time is gone, so SUV cannot be computed",
}


def damage(header: Dataset) -> tuple[str, ...] | None:
    """What an earlier tool took that measurements need, as words; None when no tool claims any.

    Args:
        header: of one file, with the elements of ``LOOKED_AT``.
    """
    if not any(tags.value(header, keyword) for keyword in _CLAIMS):
        return None
    found = []
    if not any(tags.text(header, keyword).strip("0.: ") for keyword in _TIMES):
        found.append("times")
    if all(tags.text(header, keyword)[:4] < _EMPTY_YEAR for keyword in _DATES):
        found.append("dates")
    if tags.text(header, "Modality") == "PT" and not _has_dose(header):
        found.append("dose")
    return tuple(found)


def notes(series: Iterable[tuple[str, ...] | None]) -> list[str]:
    """Sentences on the damage that was found in many series."""
    claimed = [each for each in series if each is not None]
    if not claimed:
        return []
    counts = Counter(word for each in claimed for word in each)
    said = [
        f"{len(claimed)} series were de-identified by another tool before; "
        "its claims were rewritten."
    ]
    said += [f"In {n} of them {_TEXTS[word]}." for word, n in sorted(counts.items())]
    return [" ".join(said)]


def _has_dose(header: Dataset) -> bool:
    for item in tags.items(header, "RadiopharmaceuticalInformationSequence"):
        start = tags.text(item, "RadiopharmaceuticalStartTime")
        start = start or tags.text(item, "RadiopharmaceuticalStartDateTime")
        if tags.number(item, "RadionuclideTotalDose") and start:
            return True
    return False
