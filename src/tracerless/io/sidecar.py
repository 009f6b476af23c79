"""The JSON beside a converted series: BIDS fields of the technique, and nothing that identifies."""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

from tracerless.core.volume import Contrast, Quantity
from tracerless.io import asl_facts, dicom_gate, enhanced, mosaic, tags
from tracerless.io.fields import FIELDS, MS_PER_S

_TEXTS = {
    "Manufacturer": "Manufacturer",
    "ManufacturersModelName": "ManufacturerModelName",
    "SequenceName": "SequenceName",
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
    "ImageType": "ImageType",
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
    """Fields of the whole series from its first header; times in s, lengths in mm.

    ``ValueOrigins`` says of every field that a site file may state as well that it is the header's.
    """
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
    if contrast in asl_facts.PERFUSION:
        fields |= asl_facts.of_header(dataset)
    stated = {name: value for name, value in fields.items() if value not in (None, "", [])}
    return stated | {"ValueOrigins": {name: "header" for name in stated if name in FIELDS}}


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
        ``AslContext`` (control, label, m0scan) where every frame states it, then
        ``PostLabelingDelay`` in s where they state several, and for PET
        ``FrameDuration`` and ``FrameReferenceTime`` in s.
    """
    fields: dict[str, Any] = {}
    if labels and all(labels):
        fields["AslContext"] = [_ASL_WORDS.get(each.upper(), each.lower()) for each in labels]
        found = {id(each): asl_facts.of_header(each) for each in _each_once(datasets)}
        delays_s = [found[id(each)].get("PostLabelingDelay") for each in datasets]
        if None not in delays_s and len(set(delays_s)) > 1:
            fields["PostLabelingDelay"] = delays_s
    for name, keyword in (
        ("FrameDuration", "ActualFrameDuration"),
        ("FrameReferenceTime", "FrameReferenceTime"),
    ):
        ms = [tags.number(each, keyword) for each in datasets]
        if dicom_gate.sop_class(datasets[0]) == dicom_gate.PT and None not in ms:
            fields[name] = [each / MS_PER_S for each in ms if each is not None]
    return fields


def _each_once(datasets: Sequence[Dataset]) -> list[Dataset]:
    """The headers, one for each file: frames of one file share theirs."""
    return list({id(each): each for each in datasets}.values())


def slice_timing(places: Sequence[tuple[Dataset, int]], contrast: Contrast) -> dict[str, Any]:
    """``SliceTiming`` of a perfusion series in s, one per place, where every slice states it.

    Args:
        places: the header and the frame or tile of each slice of one volume, in order of place.
        contrast: what the series shows; times of other contrasts are times after a heart beat.
    """
    if contrast not in asl_facts.PERFUSION or any(
        "PerFrameFunctionalGroupsSequence" in d for d, _ in places
    ):
        return {}
    times = [_slice_ms(dataset, tile) for dataset, tile in places]
    known = [ms for ms in times if ms is not None]
    if len(known) < len(times) or not known:
        return {}
    if not mosaic.is_mosaic(places[0][0]):
        known = _after_the_first(known)
    return {"SliceTiming": [round(ms / MS_PER_S, 7) for ms in known]} if any(known) else {}


def _slice_ms(dataset: Dataset, tile: int) -> float | None:
    """When a slice was taken: after its volume began in a mosaic, else as time of day."""
    if not mosaic.is_mosaic(dataset):
        return _of_day_ms(tags.text(dataset, "AcquisitionTime"))
    times = mosaic.times_ms(dataset)
    return times[tile] if tile < len(times) else None


def _of_day_ms(text: str) -> float | None:
    whole, _, fraction = text.partition(".")
    if len(whole) != 6 or not whole.isdigit() or not (fraction or "0").isdigit():
        return None
    seconds = int(whole[:2]) * 3600 + int(whole[2:4]) * 60 + int(whole[4:])
    return seconds * MS_PER_S + float(f"0.{fraction or 0}") * MS_PER_S


def _after_the_first(of_day_ms: list[float]) -> list[float]:
    """Times after the first slice; none where they are those of no single volume."""
    late = max(of_day_ms) - _DAY_MS / 2  # a volume that crosses midnight
    moved = [ms + _DAY_MS if ms < late else ms for ms in of_day_ms]
    after = [round(ms - min(moved), 4) for ms in moved]
    return after if max(after) <= _LONGEST_VOLUME_MS else []


_DAY_MS = 86_400_000.0
_LONGEST_VOLUME_MS = 20_000.0
"""No 2D readout of one volume takes longer; beyond it the times are not those of slices."""

_ASL_WORDS = {"CONTROL": "control", "LABEL": "label", "TAG": "label", "M_ZERO_SCAN": "m0scan"}


def _seconds(dataset: Dataset, name: str, macro: str, keyword: str) -> float | None:
    ms = tags.number(dataset, name)
    if ms is None:
        shared, frames = enhanced.groups(dataset)
        first = frames[0] if frames else Dataset()
        ms = tags.number(enhanced.macro(first, shared, macro), keyword)
    return None if ms is None else round(ms / MS_PER_S, 9)
