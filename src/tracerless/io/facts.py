"""What a header says about the contrast of its pixels, gathered from wherever it is written."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from pydicom.dataset import Dataset

from tracerless.io import dicom_gate, enhanced, tags
from tracerless.io.slices import PHILIPS_LABEL

Fact = tuple[str, ...] | float | None
Facts = Mapping[str, Fact]

NUCLIDES = {
    "TC99M": ("72454006", "C-163A8", "99M", "TECHNETIUM"),
    "F18": ("77004003", "C-111A1", "F^18", "^18^F", "FLUORINE", "F-18", "18F"),
    "I123": ("21572004", "C-114A4", "I^123", "^123^I", "I-123", "123I"),
    "C11": ("40565007", "C-105A1", "^11^C", "C-11"),
}
"""Codes (SNOMED CT, SNOMED RT; CID 18, CID 4020) and words that name a nuclide."""

HALF_LIFE_S = {"TC99M": (21500, 21750), "F18": (6540, 6640), "I123": (47000, 48200),
               "C11": (1210, 1240)}  # fmt: skip
"""What a declared half-life says where the code is missing, s."""

_PULSE = {"SPIN": "SE", "GRADIENT": "GR"}


def facts(dataset: Dataset) -> Facts:
    """Everything that a recognition rule may ask of one header; texts in upper case.

    ``te``, ``tr``, ``ti`` are ms, ``flip`` degrees, ``b_value`` s/mm2; None where not stated.
    """
    shared, frames = enhanced.groups(dataset)
    first = frames[0] if frames else Dataset()
    found: dict[str, Fact] = {
        "modality": (dicom_gate.MODALITY.get(dicom_gate.sop_class(dataset), ""),),
        "maker": tags.words(dataset, "Manufacturer"),
        "name": (_plain(f"{tags.text(dataset, 'SeriesDescription')} / "
                        f"{tags.text(dataset, 'ProtocolName')}"),),
        "agent": _agent(dataset),
        "angio": tags.words(dataset, "AngioFlag"),
        "corrected": tags.words(dataset, "CorrectedImage"),
        "units": tags.words(dataset, "Units"),
        **_image_type(dataset, first, shared),
        **_sequence(dataset),
        **_timing(dataset, first, shared),
        **_asl(dataset, first, shared),
        **_tracer(dataset),
    }  # fmt: skip
    return MappingProxyType(found)


def _plain(name: str) -> str:
    """Upper case with blanks between words, so that a rule can ask for whole words."""
    return re.sub(r"[^A-Z0-9/]+", " ", name.upper()).strip()


def _agent(dataset: Dataset) -> tuple[str, ...]:
    named = tags.words(dataset, "ContrastBolusAgent")
    return tuple(each for each in named if each not in {"", "NO", "NONE", "N", "NO CONTRAST"})


def _image_type(dataset: Dataset, first: Dataset, shared: Dataset) -> dict[str, Fact]:
    frame = enhanced.macro(first, shared, "MRImageFrameTypeSequence")
    return {
        "type": (*tags.words(dataset, "ImageType"), *tags.words(frame, "FrameType")),
        "component": tags.words(frame, "ComplexImageComponent")
        or tags.words(dataset, "ComplexImageComponent"),
        "acquisition_contrast": tags.words(frame, "AcquisitionContrast")
        or tags.words(dataset, "AcquisitionContrast"),
    }


def _sequence(dataset: Dataset) -> dict[str, Fact]:
    sequence = list(tags.words(dataset, "ScanningSequence"))
    pulse = tags.text(dataset, "EchoPulseSequence").upper()
    if pulse in _PULSE:
        sequence.append(_PULSE[pulse])
    sequence += ["EP"] * (tags.text(dataset, "EchoPlanarPulseSequence") == "YES")
    sequence += ["IR"] * (tags.text(dataset, "InversionRecovery") == "YES")
    return {
        "sequence": tuple(sequence),
        "variant": tags.words(dataset, "SequenceVariant"),
        "acquisition": tags.words(dataset, "MRAcquisitionType"),
        "sequence_name": tags.words(dataset, "SequenceName")
        + tags.words(dataset, "PulseSequenceName"),
    }


def _timing(dataset: Dataset, first: Dataset, shared: Dataset) -> dict[str, Fact]:
    timing = enhanced.macro(first, shared, "MRTimingAndRelatedParametersSequence")
    echo = enhanced.macro(first, shared, "MREchoSequence")
    modifier = enhanced.macro(first, shared, "MRModifierSequence")
    diffusion = enhanced.macro(first, shared, "MRDiffusionSequence")
    return {
        "te": _first(tags.number(dataset, "EchoTime"), tags.number(echo, "EffectiveEchoTime")),
        "tr": _first(tags.number(dataset, "RepetitionTime"), tags.number(timing, "RepetitionTime")),
        "ti": _first(tags.number(dataset, "InversionTime"), tags.number(modifier, "InversionTimes"))
        or None,
        "flip": _first(tags.number(dataset, "FlipAngle"), tags.number(timing, "FlipAngle")),
        "b_value": _first(
            tags.number(dataset, "DiffusionBValue"), tags.number(diffusion, "DiffusionBValue")
        ),
    }


def _asl(dataset: Dataset, first: Dataset, shared: Dataset) -> dict[str, Fact]:
    label = tags.private(dataset, *PHILIPS_LABEL) or enhanced.asl_label(first, shared)
    macro = enhanced.macro(first, shared, "MRArterialSpinLabelingSequence")
    label = label or tags.text(dataset, "ASLContext")
    return {
        "asl_label": (str(label).strip().upper(),) if label else (),
        "asl_kind": tags.words(dataset, "ArterialSpinLabelingContrast")
        or tags.words(macro, "ArterialSpinLabelingContrast"),
    }


def _tracer(dataset: Dataset) -> dict[str, Fact]:
    """Radiopharmaceutical by code and text, and the nuclide as one of `NUCLIDES`."""
    injected = tags.items(dataset, "RadiopharmaceuticalInformationSequence")
    drug: list[str] = []
    nuclide: list[str] = []
    for item in injected:
        drug += [tags.text(item, "Radiopharmaceutical")]
        drug += _codes(item, "RadiopharmaceuticalCodeSequence")
        nuclide += _codes(item, "RadionuclideCodeSequence")
    words = tuple(each.upper() for each in drug if each)
    named = " ".join(each.upper() for each in nuclide if each)
    known = [name for name, signs in NUCLIDES.items() if any(sign in named for sign in signs)]
    if not named:
        half_lives = [tags.number(item, "RadionuclideHalfLife") or 0.0 for item in injected]
        known = [
            name
            for name, (low, high) in HALF_LIFE_S.items()
            if any(low < each < high for each in half_lives)
        ]
    return {"tracer": words, "nuclide": tuple(known) or (("OTHER",) if named else ("NONE",))}


def _codes(item: Dataset, keyword: str) -> list[str]:
    return [
        tags.text(code, part)
        for code in tags.items(item, keyword)
        for part in ("CodeValue", "CodeMeaning")
    ]


def _first(*numbers: float | None) -> float | None:
    return next((each for each in numbers if each is not None), None)


def joined(words: Iterable[str]) -> str:
    """The words as one text for a pattern."""
    return " / ".join(words)
