"""Invented instances of every class that crosses, and the secrets planted in them."""

import io
from itertools import count

import numpy as np
import pydicom
from pydicom import DataElement, Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
PT = "1.2.840.10008.5.1.4.1.1.128"
ENHANCED_PT = "1.2.840.10008.5.1.4.1.1.130"
NM = "1.2.840.10008.5.1.4.1.1.20"
CLASSES = (MR, ENHANCED_MR, PT, ENHANCED_PT, NM)

UID_ROOT = "1.3.12.2.1107.5.2.32.35235."


def code(value: str, scheme: str = "DCM", meaning: str = "a meaning") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def base(sop_class: str = MR, number: int = 1) -> Dataset:
    """A small instance of the class, whole enough to be decoded."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = f"{UID_ROOT}1.{number}"
    dataset.StudyInstanceUID = f"{UID_ROOT}2"
    dataset.SeriesInstanceUID = f"{UID_ROOT}3"
    dataset.FrameOfReferenceUID = f"{UID_ROOT}4"
    dataset.Modality = {PT: "PT", ENHANCED_PT: "PT", NM: "NM"}.get(sop_class, "MR")
    dataset.StudyDate = dataset.SeriesDate = "20180503"
    dataset.StudyTime, dataset.SeriesTime = "091500", "092000.5"
    dataset.SeriesNumber, dataset.InstanceNumber = 7, number
    dataset.PatientName, dataset.PatientID = "Chen^Planted=陳^大文", "A123456789"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = 4, 6
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 0
    frames = 2 if sop_class in (ENHANCED_MR, ENHANCED_PT, NM) else 1
    pixels = np.arange(4 * 6 * frames, dtype="<u2") * 3 + number
    dataset.add(DataElement(0x7FE00010, "OW", pixels.tobytes()))
    _PARTS[sop_class](dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def stored(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def reread(content: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(content))


def _place(dataset: Dataset) -> None:
    dataset.ImagePositionPatient = [-10.5, 20.25, 3]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def _mr(dataset: Dataset) -> None:
    _place(dataset)
    dataset.PixelSpacing, dataset.SliceThickness = [1.5, 1.5], 3
    dataset.RepetitionTime, dataset.EchoTime = 2300, 2.98


def _functional_groups(dataset: Dataset) -> None:
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.5, 1.5], 3
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared = Dataset()
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    dataset.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for k in range(2):
        place, content, transform, frame = Dataset(), Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 3 * k]
        content.DimensionIndexValues, content.FrameAcquisitionDateTime = (
            [1, k + 1],
            "20180503092000",
        )
        transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = 2, 1, "US"
        frame.PlanePositionSequence, frame.FrameContentSequence = [place], [content]
        frame.PixelValueTransformationSequence = [transform]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.NumberOfFrames = 2
    organization = Dataset()
    organization.DimensionOrganizationUID = f"{UID_ROOT}9"
    dataset.DimensionOrganizationSequence = [organization]
    index = Dataset()
    index.DimensionOrganizationUID = f"{UID_ROOT}9"
    index.DimensionIndexPointer = 0x00209057
    dataset.DimensionIndexSequence = [index]


def _tracer(dataset: Dataset) -> None:
    tracer = Dataset()
    tracer.Radiopharmaceutical = "FDG"
    tracer.RadiopharmaceuticalStartTime = "081500"
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = 370e6, 6586.2
    tracer.RadionuclideCodeSequence = [code("C-111A1", "SRT", "^18^Fluorine")]
    dataset.RadiopharmaceuticalInformationSequence = [tracer]


def _pt(dataset: Dataset) -> None:
    _place(dataset)
    _tracer(dataset)
    dataset.PixelSpacing, dataset.SliceThickness = [2, 2], 2
    dataset.Units, dataset.DecayCorrection, dataset.SeriesType = (
        "BQML",
        "START",
        ["STATIC", "IMAGE"],
    )
    dataset.RescaleSlope, dataset.RescaleIntercept = 1.25, 0
    dataset.FrameReferenceTime, dataset.ActualFrameDuration = 30000, 600000
    dataset.ImageIndex, dataset.NumberOfSlices = 1, 90


def _nm(dataset: Dataset) -> None:
    _tracer(dataset)
    detector = Dataset()
    _place(detector)
    dataset.DetectorInformationSequence = [detector]
    dataset.NumberOfFrames, dataset.FrameIncrementPointer = 2, 0x00540080
    dataset.SliceVector, dataset.NumberOfSlices = [1, 2], 2
    dataset.PixelSpacing, dataset.SliceThickness = [4, 4], 4
    dataset.SpacingBetweenSlices = -4


def _enhanced_pt(dataset: Dataset) -> None:
    _functional_groups(dataset)
    _tracer(dataset)
    dataset.DecayCorrected, dataset.DecayCorrectionDateTime = "YES", "20180503092000"


_PARTS = {MR: _mr, ENHANCED_MR: _functional_groups, PT: _pt, ENHANCED_PT: _enhanced_pt, NM: _nm}


def plant(dataset: Dataset) -> list[bytes]:
    """Hide a different secret in each of many places; the secrets, as bytes to look for."""
    numbers = count(1)
    secrets: list[str] = []

    def secret() -> str:
        secrets.append(f"ZQX{next(numbers):03d}KEY")
        return secrets[-1]

    for keyword in (
        "PatientName", "PatientID", "OtherPatientIDs", "PatientAddress", "InstitutionName",
        "InstitutionAddress", "InstitutionalDepartmentName", "ReferringPhysicianName",
        "PhysiciansOfRecord", "PerformingPhysicianName", "OperatorsName", "StationName",
        "StudyDescription", "SeriesDescription", "ProtocolName", "PatientComments",
        "ImageComments", "AccessionNumber", "DeviceSerialNumber", "StudyID", "PatientBirthName",
        "AdmittingDiagnosesDescription", "RequestingPhysician", "PatientInsurancePlanCodeSequence",
    ):  # fmt: skip
        if keyword.endswith("Sequence"):
            setattr(dataset, keyword, [code("1", "99X", secret())])
        else:
            setattr(dataset, keyword, secret())
    region = code("T-A0100", "SRT", "Brain")
    region.PatientID = secret()
    deeper = Dataset()
    deeper.InstitutionName = secret()
    region.AnatomicRegionModifierSequence = [deeper]
    dataset.AnatomicRegionSequence = [region]
    step = Dataset()
    step.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.3"
    step.ReferencedSOPInstanceUID = f"{UID_ROOT}77"
    step.PatientName = secret()
    step.add_new(0x00091001, "LO", secret())
    dataset.ReferencedPerformedProcedureStepSequence = [step]
    old, modified = Dataset(), Dataset()
    modified.PatientName = secret()
    old.ModifiedAttributesSequence, old.SourceOfPreviousValues = [modified], secret()
    dataset.OriginalAttributesSequence = [old]
    request = Dataset()
    request.RequestedProcedureDescription = secret()
    dataset.RequestAttributesSequence = [request]
    for keyword in ("PerFrameFunctionalGroupsSequence", "RadiopharmaceuticalInformationSequence"):
        for item in getattr(dataset, keyword, []):
            item.OperatorsName = secret()
            item.PatientComments = secret()
    dataset.private_block(0x0009, secret(), create=True).add_new(1, "LO", secret())
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(
        0x20, "OB", secret().encode() + b"\0"
    )
    item = Dataset()
    item.PatientName = secret()
    dataset.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(
        0x5F, "SQ", Sequence([item])
    )
    dataset.add_new(0x60004000, "LT", secret())
    dataset.add_new(0x60001500, "LO", secret())
    dataset.add_new(0xFFFCFFFC, "OB", secret().encode() + b"\0")
    dataset.add_new(0x00080012, "DA", "19991231")
    dataset.file_meta.SourceApplicationEntityTitle = secret()
    dataset.file_meta.ImplementationVersionName = secret()
    dataset.preamble = secret().encode().ljust(128, b"\0")
    return [text.encode() for text in secrets] + [b"19991231", UID_ROOT.encode()]
