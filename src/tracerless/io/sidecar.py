"""The JSON beside a converted series: BIDS fields of the technique, and nothing that identifies."""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

from tracerless.core.volume import Contrast, Quantity
from tracerless.io import dicom_gate, enhanced, mosaic, tags

MS_PER_S = 1000.0

_TEXTS = {
    "Manufacturer": "Manufacturer",
    "MRAcquisitionType": "MRAcquisitionType",
    "DecayCorrection": "DecayCorrection",
}
_NUMBERS = {"MagneticFieldStrength": "MagneticFieldStrength", "FlipAngle": "FlipAngle",
            "EchoTrainLength": "EchoTrainLength", "SliceThickness": "SliceThickness",
            "SpacingBetweenSlices": "SpacingBetweenSlices"}  # fmt: skip
_TIMES = {
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
}
"""Field, and where an enhanced object keeps it; ms in DICOM, s in BIDS."""

_LISTS = {
    "ScanningSequence": "ScanningSequence",
    "SequenceVariant": "SequenceVariant",
    "CorrectedImage": "CorrectedImage",
}

_TRACERS = {
    Contrast.FDG: {"TracerName": "FDG", "TracerRadionuclide": "F18"},
    Contrast.ECD: {"TracerName": "ECD", "TracerRadionuclide": "Tc99m"},
    Contrast.HMPAO: {"TracerName": "HMPAO", "TracerRadionuclide": "Tc99m"},
}


def of_series(dataset: Dataset, contrast: Contrast, quantity: Quantity) -> dict[str, Any]:
    """Fields of the whole series from its first header; times in s, lengths in mm."""
    fields: dict[str, Any] = {
        "Modality": modality(dataset, contrast),
        "Contrast": contrast.value,
        "Units": quantity.value,
        **_TRACERS.get(contrast, {}),
    }
    for name, keyword in _TEXTS.items():
        fields[name] = tags.text(dataset, keyword)
    for name, keyword in _NUMBERS.items():
        fields[name] = tags.number(dataset, keyword)
    for name, keyword in _LISTS.items():
        fields[name] = list(tags.words(dataset, keyword))
    for name, (macro, keyword) in _TIMES.items():
        fields[name] = _seconds(dataset, name, macro, keyword)
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def modality(dataset: Dataset, contrast: Contrast) -> str:
    """MR, PT or SPECT: by tracer first, because SPECT is sometimes stored as PET."""
    if contrast in (Contrast.ECD, Contrast.HMPAO):
        return "SPECT"
    stored = dicom_gate.MODALITY.get(dicom_gate.sop_class(dataset), "")
    return "SPECT" if stored == "NM" else stored


def of_frames(datasets: Sequence[Dataset], labels: Sequence[str]) -> dict[str, Any]:
    """Fields per frame in time.

    Args:
        datasets: the header that begins each frame.
        labels: the ASL label type of each frame, empty where not stated.

    Returns:
        ``AslContext`` (control, label, m0scan) where every frame states it, and for PET
        ``FrameDuration`` and ``FrameReferenceTime`` in s.
    """
    fields: dict[str, Any] = {}
    if labels and all(labels):
        fields["AslContext"] = [_ASL_WORDS.get(each.upper(), each.lower()) for each in labels]
    for name, keyword in (
        ("FrameDuration", "ActualFrameDuration"),
        ("FrameReferenceTime", "FrameReferenceTime"),
    ):
        ms = [tags.number(each, keyword) for each in datasets]
        if dicom_gate.sop_class(datasets[0]) == dicom_gate.PT and None not in ms:
            fields[name] = [each / MS_PER_S for each in ms if each is not None]
    return fields


def slice_timing(places: Sequence[tuple[Dataset, int]], contrast: Contrast) -> dict[str, Any]:
    """``SliceTiming`` of a perfusion series in s, one per place, where every slice states it.

    Args:
        places: the header and the frame or tile of each slice of one volume, in order of place.
        contrast: what the series shows; times of other contrasts are times after a heart beat.
    """
    if contrast not in _PERFUSION or any(
        "PerFrameFunctionalGroupsSequence" in d for d, _ in places
    ):
        return {}
    ms = [_slice_ms(dataset, tile) for dataset, tile in places]
    return (
        {} if None in ms else {"SliceTiming": [round(t / MS_PER_S, 7) for t in ms if t is not None]}
    )


def _slice_ms(dataset: Dataset, tile: int) -> float | None:
    if not mosaic.is_mosaic(dataset):
        return tags.number(dataset, "TriggerTime")
    times = mosaic.times_ms(dataset)
    return times[tile] if tile < len(times) else None


_PERFUSION = (Contrast.ASL, Contrast.M0, Contrast.DELTAM, Contrast.CBF)

_ASL_WORDS = {"CONTROL": "control", "LABEL": "label", "TAG": "label", "M_ZERO_SCAN": "m0scan"}


def _seconds(dataset: Dataset, name: str, macro: str, keyword: str) -> float | None:
    ms = tags.number(dataset, name)
    if ms is None:
        shared, frames = enhanced.groups(dataset)
        first = frames[0] if frames else Dataset()
        ms = tags.number(enhanced.macro(first, shared, macro), keyword)
    return None if ms is None else round(ms / MS_PER_S, 9)
