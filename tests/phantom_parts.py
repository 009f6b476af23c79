"""The parts that `phantoms` builds its DICOM files from: tags, planes, pixels, identities."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
PT, NM = "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.20"

MR_TAGS = {
    "T1w": {
        "ScanningSequence": ["GR", "IR"], "SequenceVariant": ["SP", "MP"],
        "MRAcquisitionType": "3D", "RepetitionTime": 2300, "EchoTime": 2.98, "InversionTime": 900,
        "FlipAngle": 9, "EchoTrainLength": 1, "SeriesDescription": "t1_mprage_sag",
    },
    "T2w": {
        "ScanningSequence": "SE", "SequenceVariant": ["SK", "SP"], "MRAcquisitionType": "2D",
        "RepetitionTime": 4500, "EchoTime": 95, "FlipAngle": 150, "EchoTrainLength": 15,
        "SeriesDescription": "t2_tse_tra",
    },
    "FLAIR": {
        "ScanningSequence": ["SE", "IR"], "SequenceVariant": ["SK", "SP"],
        "MRAcquisitionType": "2D", "RepetitionTime": 9000, "EchoTime": 120, "InversionTime": 2500,
        "FlipAngle": 150, "EchoTrainLength": 16, "SeriesDescription": "t2_flair_tra",
    },
    "asl": {
        "ScanningSequence": "EP", "SequenceVariant": "SK", "MRAcquisitionType": "3D",
        "ImageType": ["ORIGINAL", "PRIMARY", "ASL", "NONE"], "RepetitionTime": 4000,
        "EchoTime": 14, "FlipAngle": 90, "SeriesDescription": "pcasl_3d",
    },
    "cbf": {
        "ScanningSequence": "EP", "SequenceVariant": "SK", "MRAcquisitionType": "3D",
        "ImageType": ["DERIVED", "PRIMARY", "PERFUSION", "ASL", "RELCBF"],
        "RepetitionTime": 4000, "EchoTime": 14, "FlipAngle": 90, "SeriesDescription": "relCBF",
    },
}  # fmt: skip
"""Technical tags by contrast label."""

TRACERS = {
    "FDG": ("77004003", "35321007", "FDG -- fluorodeoxyglucose"),
    "ECD": ("72454006", "766886003", "Tc-99m bicisate (ECD)"),
    "HMPAO": ("72454006", "77313009", "Tc-99m exametazime (HMPAO)"),
}
"""SNOMED codes of nuclide and tracer (CID 18, CID 25), and free text, by contrast label."""

Edit = Callable[[Dataset, int], None]


@dataclass(frozen=True)
class Who:
    """Whose series: names that every UID is made from."""

    person: str = "PLANTED-0001"
    study: str = "visit-1"
    number: int = 3
    frame: str = "frame-1"


def uid(*names: object) -> str:
    """A UID made from names: equal in, equal out."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big') >> 8}"


def new_file(sop_class: str, modality: str, who: Who, index: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid(who, "instance", index)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("implementation")
    file = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    put(file, {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": sop_class,
        "SOPInstanceUID": uid(who, "instance", index), "Modality": modality,
        "StudyDate": "20190304", "SeriesDate": "20190304", "StudyTime": "101500",
        "AccessionNumber": "PLANTED-ACC", "Manufacturer": "PhantomWorks",
        "ManufacturerModelName": "Ellipsoid", "InstitutionName": "PLANTED Hospital",
        "PatientName": "PLANTED^Name^測試", "PatientID": who.person, "PatientBirthDate": "19440506",
        "PatientSex": "F", "PatientAge": "074Y", "StudyInstanceUID": uid(who.person, who.study),
        "SeriesInstanceUID": uid(who), "StudyID": "PLANTED-S", "SeriesNumber": who.number,
        "InstanceNumber": index + 1, "FrameOfReferenceUID": uid(who.person, who.frame),
        "MagneticFieldStrength": 3,
    })  # fmt: skip
    if modality != "MR":
        del file.MagneticFieldStrength
    return file


def put(file: Dataset, tags: dict[str, object]) -> None:
    for keyword, value in tags.items():
        setattr(file, keyword, value)


def put_plane(
    file: Dataset, affine: NDArray[np.float64], k: int, shift: NDArray[np.float64] | None = None
) -> None:
    lps = lps_of(affine)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    voxel = np.array([0.0, 0.0, k]) + (0 if shift is None else shift)
    file.ImagePositionPatient = numbers((lps @ [*voxel, 1.0])[:3])
    file.ImageOrientationPatient = numbers([*(lps[:3, 0] / spacing[0]), *(lps[:3, 1] / spacing[1])])
    file.PixelSpacing = numbers([spacing[1], spacing[0]])
    file.SliceThickness = number(spacing[2])


def put_acquisition(file: Dataset, t: int, n_times: int) -> None:
    file.AcquisitionNumber = t + 1
    if n_times > 1:
        file.TemporalPositionIdentifier = t + 1
        file.NumberOfTemporalPositions = n_times


def put_tracer(file: Dataset, tracer: str) -> None:
    nuclide, drug, text = TRACERS[tracer]
    item, nuclide_code, drug_code = Dataset(), Dataset(), Dataset()
    for code, value in ((nuclide_code, nuclide), (drug_code, drug)):
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = (
            value,
            "SCT",
            "named by code",
        )
    item.Radiopharmaceutical = text
    item.RadionuclideTotalDose = 185000000
    item.RadiopharmaceuticalStartTime = "093000"
    item.RadionuclideCodeSequence = [nuclide_code]
    item.RadiopharmaceuticalCodeSequence = [drug_code]
    file.RadiopharmaceuticalInformationSequence = [item]


def put_pixels(file: Dataset, stored: NDArray[np.int16]) -> None:
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.Rows, file.Columns = stored.shape[-2:]
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.PixelData = np.ascontiguousarray(stored, dtype="<i2").tobytes()


def save(file: FileDataset, folder: Path, index: int, edit: Edit | None) -> Path:
    if edit is not None:
        edit(file, index)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file.SeriesNumber:03d}-{index:04d}"
    file.save_as(path, enforce_file_format=True)
    return path


def lps_of(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def number(value: float) -> str:
    return f"{value:.10g}"[:16]


def numbers(values: Sequence[float] | NDArray[np.float64]) -> list[str]:
    return [number(float(value)) for value in values]


def uids_of(who: Who) -> dict[str, str]:
    return {"study": uid(who.person, who.study), "series": uid(who)}
