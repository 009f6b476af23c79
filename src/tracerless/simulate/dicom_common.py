"""What every DICOM object of the simulated hospital shares: who, where, when, and the geometry.

Identity is planted wherever real hospitals have it, because de-identification is tested on it: all
of it is invented, and every object says that it is simulated.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from tracerless.core.grid import Grid
from tracerless.core.volume import Contrast
from tracerless.simulate.identity import Identity, roc_date
from tracerless.simulate.scanners import Staff

LPS = np.diag([-1.0, -1.0, 1.0])

SOP_CLASSES = {
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
}

IMPLEMENTATION = "SIMULATED_1"


@dataclass(frozen=True, slots=True)
class Patient:
    """A person as the hospital's registration holds them; nothing of it is shown by repr."""

    identity: Identity = field(repr=False)
    sex: str = field(repr=False)
    age: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class Study:
    """One visit to one machine.

    ``key`` names it for UIDs (all series share a frame of reference); ``started``: the study,
    ``acquired``: the series at hand, local time.
    """

    key: str
    patient: Patient
    staff: Staff
    vendor: str
    model: str
    description: str
    accession: str
    started: datetime
    acquired: datetime
    physician: str
    operator: str


@dataclass(frozen=True, slots=True, eq=False)
class ExportedSeries:
    """One series as the machine exports it, each object ready to be written."""

    number: int
    description: str
    contrast: Contrast
    modality: str
    datasets: tuple[FileDataset, ...]


def uid(*names: str | int) -> str:
    """A UID below 2.25 that follows from the names; equal names, equal UID (PS3.5 B.2)."""
    digest = hashlib.sha256("\x1f".join(str(name) for name in names).encode()).digest()
    return f"2.25.{UUID(bytes=digest[:16], version=4).int}"


def decimals(values: float | Iterable[float]) -> Any:
    """Numbers as decimal strings of at most 16 characters."""
    if isinstance(values, Iterable):
        return [decimals(each) for each in values]
    return f"{float(values) + 0.0:.9g}"[:16]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def base(study: Study, modality: str, number: int, description: str) -> Dataset:
    """Everything of a series' objects that does not depend on the slice, pixels apart."""
    obj = Dataset()
    obj.SpecificCharacterSet = "ISO_IR 192"
    obj.SOPClassUID = SOP_CLASSES[modality]
    obj.Modality = modality
    obj.SyntheticData = "YES"
    obj.ImageComments = "simulated, not acquired from a person"
    obj.StudyInstanceUID = uid(study.key, "study")
    obj.SeriesInstanceUID = uid(study.key, "series", number)
    obj.FrameOfReferenceUID = uid(study.key, "frame")
    obj.PositionReferenceIndicator = ""
    obj.SeriesNumber = number
    obj.SeriesDescription = description
    obj.ProtocolName = description
    obj.BodyPartExamined = "BRAIN"
    obj.PatientPosition = "HFS"
    obj.BurnedInAnnotation = "NO"
    _times(obj, study)
    _equipment(obj, study)
    _patient(obj, study)
    _request(obj, study)
    return obj


def _times(obj: Dataset, study: Study) -> None:
    moments = {"Study": study.started}
    names = ("Series", "Acquisition", "Content", "InstanceCreation", "PerformedProcedureStepStart")
    moments |= dict.fromkeys(names, study.acquired)
    for name, moment in moments.items():
        setattr(obj, f"{name}Date", moment.strftime("%Y%m%d"))
        setattr(obj, f"{name}Time", moment.strftime("%H%M%S.%f")[:13])
    obj.PerformedProcedureStepID = f"PPS{study.accession[-6:]}"
    obj.StudyID = study.accession[-8:]


def _equipment(obj: Dataset, study: Study) -> None:
    obj.Manufacturer, obj.ManufacturerModelName = study.vendor, study.model
    obj.InstitutionName = study.staff.institution
    obj.InstitutionAddress = study.staff.address
    obj.InstitutionalDepartmentName = study.staff.department
    obj.StationName = f"SIM{study.model[:3].upper()}01"
    obj.DeviceSerialNumber = f"SIM{int(uid(study.vendor, study.model)[5:13]):08d}"
    obj.SoftwareVersions = "simulated 1"
    obj.StudyDescription = study.description
    obj.ReferringPhysicianName = study.physician
    obj.PerformingPhysicianName = study.physician
    obj.OperatorsName = study.operator


def _patient(obj: Dataset, study: Study) -> None:
    patient = study.patient
    obj.PatientName = person_name(patient)
    obj.PatientID = patient.identity.chart_number
    obj.IssuerOfPatientID = "SIMHOSP"
    obj.PatientBirthDate = patient.identity.birth_date
    obj.PatientSex = patient.sex
    obj.PatientAge = f"{int(patient.age):03d}Y"
    obj.PatientWeight = decimals(round(patient.identity.weight_kg, 1))
    obj.PatientSize = decimals(round(patient.identity.height_m, 2))
    obj.OtherPatientIDsSequence = [_other_id(patient)]
    number = int(uid(patient.identity.chart_number)[5:11])
    obj.PatientAddress = f"臺北市模擬區虛構路{number % 300 + 1}號"
    obj.PatientTelephoneNumbers = f"02-0000-{number % 10000:04d}"
    obj.PatientComments = f"病歷號{patient.identity.chart_number} {_roc(study.started)} 檢查"
    obj.AdditionalPatientHistory = (
        f"{patient.identity.name_zh}，{_roc(study.started)}門診，記憶力減退"
    )


def _roc(when: datetime) -> str:
    return roc_date(when.strftime("%Y%m%d"))


def _other_id(patient: Patient) -> Dataset:
    item = Dataset()
    item.PatientID = f"OLD{patient.identity.chart_number}"
    item.TypeOfPatientID = "TEXT"
    return item


def person_name(patient: Patient) -> str:
    """The name as DICOM writes it: alphabetic and ideographic group."""
    identity = patient.identity
    latin = identity.name_latin.replace(" ", "^", 1)
    return f"{latin}={identity.name_zh[:1]}^{identity.name_zh[1:]}"


def _request(obj: Dataset, study: Study) -> None:
    patient, when = study.patient, study.started
    obj.AccessionNumber = study.accession
    request = Dataset()
    request.AccessionNumber = study.accession
    request.RequestedProcedureID = f"RP{study.accession[-6:]}"
    request.RequestedProcedureDescription = study.description
    request.ReasonForTheRequestedProcedure = f"{patient.identity.name_zh} {_roc(when)} 疑失智症"
    request.ScheduledProcedureStepID = f"SPS{study.accession[-6:]}"
    request.ScheduledProcedureStepDescription = study.description
    obj.RequestAttributesSequence = [request]
    changed = Dataset()
    changed.PatientName = patient.identity.name_latin.replace(" ", "^", 1)
    changed.PatientID = f"TMP{patient.identity.chart_number}"
    original = Dataset()
    original.SourceOfPreviousValues = study.staff.institution
    original.AttributeModificationDateTime = when.strftime("%Y%m%d%H%M%S")
    original.ModifyingSystem = "SIMPACS"
    original.ReasonForTheAttributeModification = "COERCE"
    original.ModifiedAttributesSequence = [changed]
    obj.OriginalAttributesSequence = [original]


def add_plane(obj: Dataset, grid: Grid) -> None:
    """Orientation, spacing and thickness; columns run along the first axis of the grid."""
    columns, rows, slices = grid.spacing_mm
    obj.ImageOrientationPatient = decimals([*_direction(grid, 0), *_direction(grid, 1)])
    obj.PixelSpacing = decimals([rows, columns])
    obj.SliceThickness = decimals(slices)


def place(obj: Dataset, grid: Grid, k: int) -> None:
    """Position of plane ``k``."""
    position = LPS @ (grid.affine @ (0, 0, k, 1))[:3]
    normal = np.cross(_direction(grid, 0), _direction(grid, 1))
    obj.ImagePositionPatient = decimals(position)
    obj.SliceLocation = decimals(float(normal @ position))


def _direction(grid: Grid, axis: int) -> NDArray[np.float64]:
    cosine: NDArray[np.float64] = LPS @ grid.affine[:3, axis] / grid.spacing_mm[axis]
    return cosine


def add_pixels(obj: Dataset, stored: NDArray[Any], *, signed: bool = False) -> None:
    """Pixels of one or more frames, (…, rows, columns) integers, 16 bits."""
    limits = (-32768, 32767) if signed else (0, 65535)
    clipped = np.clip(np.rint(stored), *limits)
    obj.SamplesPerPixel = 1
    obj.PhotometricInterpretation = "MONOCHROME2"
    obj.BitsAllocated, obj.BitsStored, obj.HighBit = 16, 16, 15
    obj.PixelRepresentation = int(signed)
    obj.Rows, obj.Columns = stored.shape[-2:]
    obj.PixelData = clipped.astype("<i2" if signed else "<u2").tobytes()
    obj["PixelData"].VR = "OW"


def add_window(obj: Dataset, top: float) -> None:
    """A display window from 0 to ``top``."""
    obj.WindowCenter, obj.WindowWidth = decimals(top / 2), decimals(max(top, 1.0))


def copy_of(common: Dataset) -> Dataset:
    """A dataset of its own with the same elements (the elements themselves are shared)."""
    obj = Dataset()
    obj._dict.update(common._dict)
    return obj


def ready(obj: Dataset, *names: str | int) -> FileDataset:
    """The object with its instance UID (from its series and the names) and file header."""
    obj.SOPInstanceUID = uid(str(obj.SeriesInstanceUID), *names)
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = obj.SOPClassUID
    meta.MediaStorageSOPInstanceUID = obj.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(uid("simulated hospital", "implementation"))
    meta.ImplementationVersionName = IMPLEMENTATION
    return FileDataset("", obj, preamble=b"\x00" * 128, file_meta=meta)


def slices_of(array: NDArray[Any]) -> Sequence[NDArray[Any]]:
    """Planes of an (I, J, K) array as rows by columns."""
    return [np.ascontiguousarray(array[:, :, k].T) for k in range(array.shape[2])]
