"""The header of one file, reduced to what grouping and reading need."""

from dataclasses import dataclass, field
from pathlib import Path

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from tracerless.core.volume import Contrast
from tracerless.io import classic, contrast, dicom_gate, enhanced, mosaic, nm, tags
from tracerless.io.claims import CLAIM_KEYWORDS, Claim, claim_of
from tracerless.io.facts import facts
from tracerless.io.slices import PHILIPS_LABEL, PHILIPS_SCALE, Slice


@dataclass(frozen=True, slots=True)
class Header:
    """One file's identity, contrast and slices; its repr shows no identifier."""

    path: Path = field(repr=False)
    instance: str = field(repr=False)
    person: str = field(repr=False)
    claim: Claim = field(repr=False)
    study: str = field(repr=False)
    study_date: str = field(repr=False)
    series: str = field(repr=False)
    frame_of_reference: str = field(repr=False)
    series_number: int
    sop_class: str
    modality: str
    contrast: Contrast
    reason: str
    ask: bool
    echo_ms: float
    units: str
    is_ge: bool
    n_frames: int
    n_slices_declared: int
    slices: tuple[Slice, ...] = field(repr=False)


def header(dataset: Dataset, path: Path) -> Header:
    """The header of a dataset that `dicom_read.read` let through."""
    sop_class = dicom_gate.sop_class(dataset)
    found = facts(dataset)
    rule = contrast.deciding_rule(found)
    echo = found["te"]
    study = tags.text(dataset, "StudyInstanceUID")
    return Header(
        path=path,
        instance=tags.text(dataset, "SOPInstanceUID"),
        person=person_of(dataset),
        claim=claim_of(dataset),
        study=study,
        study_date=tags.text(dataset, "StudyDate"),
        series=tags.text(dataset, "SeriesInstanceUID") or tags.text(dataset, "SeriesNumber"),
        frame_of_reference=tags.text(dataset, "FrameOfReferenceUID"),
        series_number=tags.whole(dataset, "SeriesNumber"),
        sop_class=sop_class,
        modality=dicom_gate.MODALITY.get(sop_class, ""),
        contrast=rule.contrast,
        reason=rule.reason,
        ask=rule.ask,
        echo_ms=round(echo, 1) if isinstance(echo, int | float) else 0.0,
        units=tags.text(dataset, "Units"),
        is_ge=tags.text(dataset, "Manufacturer").upper().startswith("GE"),
        n_frames=dicom_gate.n_frames(dataset),
        n_slices_declared=tags.whole(dataset, "NumberOfSlices"),
        slices=slices(dataset, path),
    )


def person_of(dataset: Dataset) -> str:
    """PatientID with its issuer; the study where no PatientID is given. Identifies."""
    identifier = tags.text(dataset, "PatientID")
    if not identifier:
        return "study:" + tags.text(dataset, "StudyInstanceUID")
    issuer = tags.text(dataset, "IssuerOfPatientID")
    return f"{identifier}|{issuer}" if issuer else identifier


def slices(dataset: Dataset, path: Path) -> tuple[Slice, ...]:
    """Every plane in the file, by the kind of object; none when it cannot be laid out."""
    sop_class = dicom_gate.sop_class(dataset)
    if sop_class == dicom_gate.NM:
        return nm.slices(dataset, path)
    if "PerFrameFunctionalGroupsSequence" in dataset:
        return enhanced.slices(dataset, path)
    if mosaic.is_mosaic(dataset):
        return mosaic.slices(dataset, path)
    return classic.slices(dataset, path)


def _private_tags(group: int, offset: int) -> list[int]:
    """Creators of a private group, and the element in whichever block it lies."""
    creators = [(group << 16) + block for block in range(0x10, 0x30)]
    return creators + [(group << 16) + (block << 8) + offset for block in range(0x10, 0x30)]


SCAN_TAGS = tuple(
    [
        int(tag_for_keyword(keyword) or 0)
        for keyword in (
            "SOPInstanceUID", "SpecificCharacterSet", "PatientID", "IssuerOfPatientID",
            "StudyInstanceUID", "StudyDate", "SeriesInstanceUID", "SeriesNumber",
            "FrameOfReferenceUID", "Manufacturer", "SeriesDescription", "ProtocolName",
            "ImageType", "ContrastBolusAgent", "AngioFlag", "CorrectedImage", "Units",
            "ComplexImageComponent", "AcquisitionContrast", "ScanningSequence", "EchoPulseSequence",
            "EchoPlanarPulseSequence", "InversionRecovery", "SequenceVariant", "MRAcquisitionType",
            "SequenceName", "PulseSequenceName", "EchoTime", "RepetitionTime", "InversionTime",
            "FlipAngle", "DiffusionBValue", "ASLContext", "ArterialSpinLabelingContrast",
            "RadiopharmaceuticalInformationSequence", "NumberOfSlices", "ImagePositionPatient",
            "ImageOrientationPatient", "PixelSpacing", "SpacingBetweenSlices", "SliceThickness",
            "RescaleSlope", "RescaleIntercept", "TemporalPositionIdentifier", "AcquisitionNumber",
            "AcquisitionDate", "AcquisitionTime", "InstanceNumber", "AcquisitionMatrix",
            "DetectorInformationSequence", "SliceVector", "EnergyWindowVector", "TimeSlotVector",
            "PhaseVector", "RotationVector", "SharedFunctionalGroupsSequence",
            "PerFrameFunctionalGroupsSequence", *CLAIM_KEYWORDS,
        )
    ]
    + [
        tag
        for group, _, offset in (PHILIPS_LABEL, PHILIPS_SCALE, mosaic.N_TILES, mosaic.CSA)
        for tag in _private_tags(group, offset)
    ]
)  # fmt: skip
"""Elements that `header` looks at: reading no others makes a scan several times faster."""
