"""What a derived object takes over from the headers of the T1 it belongs to, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.valuerep import DSfloat

from tracerless import __version__
from tracerless.core.errors import DicomError, GeometryError
from tracerless.core.grid import Grid
from tracerless.core.prediction import Prediction

MANUFACTURER = "tracerless"

_REQUIRED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Rows",
    "Columns",
)
_PERSON_AND_STUDY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_DEIDENTIFIED = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)
"""Where the T1 says that nobody is in it and its dates are moved, so does what was made of it."""
_CARRIED = ("ImageType", "Modality", "LossyImageCompression", "PositionReferenceIndicator")

_UNUSED_MM = 1.0
"""The library asks for a slice thickness of the source and does not use it."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
_TOLERANCE_MM = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """A volume as DICOM stores it.

    Args:
        array: (n, rows, columns) float32, NaN kept, first plane first.
        positions: (n, 3) LPS mm, center of the first voxel of each plane.
        orientation: six cosines, along a row then down a column, LPS.
        pixel_spacing_mm: between rows, between columns.
        slice_spacing_mm: between planes.
    """

    array: NDArray[np.float32]
    positions: NDArray[np.float64]
    orientation: tuple[float, ...]
    pixel_spacing_mm: tuple[float, float]
    slice_spacing_mm: float


def source_headers(source: Sequence[Dataset]) -> list[Dataset]:
    """Copies that hold geometry and references only; ``adopt`` brings person and study over later.

    The library that builds derived objects doubts names without a caret, and prints them: it never
    gets to see one.

    Args:
        source: headers of the de-identified T1, one a slice or one multi-frame; pixels are ignored.

    Raises:
        DicomError: there is none, or one lacks an attribute without which nothing can refer to it,
            or they are not of one series.
    """
    if not source:
        raise DicomError("A derived DICOM object needs the headers of the T1, got none.")
    headers = [_lean(dataset) for dataset in source]
    series = {(h.StudyInstanceUID, h.SeriesInstanceUID, h.FrameOfReferenceUID) for h in headers}
    if len(series) > 1:
        raise DicomError(
            f"The T1 headers come from {len(series)} series, expected 1.",
            hint="Pass the instances of one series.",
        )
    sizes = {(h.Rows, h.Columns) for h in headers}
    if len(sizes) > 1:
        raise DicomError(f"The T1 slices have several sizes, {sorted(sizes)}, expected one.")
    _share_orientation(headers)
    return headers


def adopt(dataset: Dataset, source: Dataset) -> None:
    """Give a derived object the person and study of its source; what is absent there is empty."""
    for keyword in _PERSON_AND_STUDY:
        value = source.get(keyword)
        setattr(dataset, keyword, "" if value is None else value)
    for keyword in _DEIDENTIFIED:
        if keyword in source:
            setattr(dataset, keyword, source[keyword].value)
    if "SpecificCharacterSet" in source:
        dataset.SpecificCharacterSet = source.SpecificCharacterSet


def planes(array: NDArray[np.float32], grid: Grid, source: Sequence[Dataset]) -> Planes:
    """A volume turned into the T1's rows, columns and slices; no value is interpolated.

    Args:
        array: (I, J, K).
        grid: of the array; its axes may run in any order and direction, but along the T1's.
        source: as ``source_headers`` returns them.

    Raises:
        GeometryError: the grid is not the T1's own: other axes, spacing or place.
    """
    first = _frame_geometry(source[0])
    along_row, down_column = first.cosines[:3], first.cosines[3:]
    wanted = np.stack([np.cross(along_row, down_column), down_column, along_row], axis=1)
    axes = _LPS_TO_RAS @ grid.affine[:3, :3]
    unit = axes / np.linalg.norm(axes, axis=0)
    agreement = wanted.T @ unit
    order = [int(np.argmax(np.abs(line))) for line in agreement]
    if sorted(order) != [0, 1, 2] or np.abs(agreement).max(axis=1).min() < 0.9999:
        raise _other_grid("its axes run in other directions")
    flips = [bool(agreement[n, axis] < 0) for n, axis in enumerate(order)]
    turned = np.transpose(array, order)
    corner = np.array([grid.shape[a] - 1 if f else 0 for a, f in zip(order, flips, strict=True)])
    turned = turned[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    index = np.zeros(3)
    index[order] = corner
    start = _LPS_TO_RAS @ (grid.affine[:3, :3] @ index + grid.affine[:3, 3])
    spacing = [grid.spacing_mm[axis] for axis in order]
    n_planes = turned.shape[0]
    positions = start + np.outer(np.arange(n_planes) * spacing[0], wanted[:, 0])
    made = Planes(
        np.ascontiguousarray(turned, dtype=np.float32),
        positions,
        tuple(float(c) for c in first.cosines),
        (spacing[1], spacing[2]),
        spacing[0],
    )
    _require_own_grid(made, source)
    return made


def references(headers: Sequence[Dataset]) -> list[Dataset]:
    """One item an instance: which object something was derived from."""
    items = []
    for header in headers:
        item = Dataset()
        item.ReferencedSOPClassUID = header.SOPClassUID
        item.ReferencedSOPInstanceUID = header.SOPInstanceUID
        items.append(item)
    return items


def algorithm(prediction: Prediction) -> hd.ContributingEquipment:
    """The model as a piece of equipment that contributed, named with its digest."""
    return hd.ContributingEquipment(
        manufacturer=MANUFACTURER,
        purpose_of_reference=codes.DCM.ProcessingEquipment,
        manufacturer_model_name=prediction.model[:64],
        software_versions=__version__,
        device_serial_number=prediction.fingerprint,
        contribution_description=(
            "Artificial intelligence: predicted FDG uptake from MR; "
            f"trained on {prediction.training_domain} people"
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    cosines: NDArray[np.float64]
    position: NDArray[np.float64]
    spacing_mm: NDArray[np.float64]


def _lean(dataset: Dataset) -> Dataset:
    header = Dataset()
    for keyword in _REQUIRED:
        if dataset.get(keyword) in {None, ""}:
            raise DicomError(
                f"A T1 header has no {keyword}, so nothing can be derived from it.",
                hint="De-identify the series again; its profile must keep or replace this tag.",
            )
    for keyword in (*_REQUIRED, *_CARRIED):
        if keyword in dataset:
            header.add(dataset[keyword])
    for keyword in _PERSON_AND_STUDY:
        setattr(header, keyword, "")
    if "PerFrameFunctionalGroupsSequence" in dataset:
        _place_frames(header, dataset)
    else:
        _place(header, _frame_geometry(dataset))
    return header


def _share_orientation(headers: Sequence[Dataset]) -> None:
    """One orientation, digit by digit: scanners round it differently from slice to slice."""
    first = _frame_geometry(headers[0]).cosines
    for header in headers:
        if np.abs(_frame_geometry(header).cosines - first).max() > 1e-3:
            raise DicomError("The T1 slices lie in several orientations, expected one.")
        if "ImageOrientationPatient" in header:
            header.ImageOrientationPatient = _decimal(first)


def _place(header: Dataset, frame: "_Frame") -> None:
    header.ImageOrientationPatient = _decimal(frame.cosines)
    header.ImagePositionPatient = _decimal(frame.position)
    header.PixelSpacing = _decimal(frame.spacing_mm)
    header.SliceThickness = _UNUSED_MM


def _place_frames(header: Dataset, dataset: Dataset) -> None:
    """Geometry where the library looks for it: shared, but for the positions."""
    n_frames = len(dataset.PerFrameFunctionalGroupsSequence)
    frames = [_frame_geometry(dataset, n) for n in range(n_frames)]
    if any(np.abs(frame.cosines - frames[0].cosines).max() > 1e-3 for frame in frames):
        raise DicomError("The frames of the T1 lie in several orientations, expected one.")
    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = _decimal(frames[0].cosines)
    measures.PixelSpacing = _decimal(frames[0].spacing_mm)
    measures.SliceThickness = _UNUSED_MM
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    header.SharedFunctionalGroupsSequence = [shared]
    header.PerFrameFunctionalGroupsSequence = [_positioned(frame) for frame in frames]
    header.NumberOfFrames = n_frames


def _positioned(frame: "_Frame") -> Dataset:
    position, group = Dataset(), Dataset()
    position.ImagePositionPatient = _decimal(frame.position)
    group.PlanePositionSequence = [position]
    return group


def _decimal(values: NDArray[np.float64]) -> list[DSfloat]:
    return [DSfloat(float(value), auto_format=True) for value in values]


def _frame_geometry(header: Dataset, frame: int = 0) -> _Frame:
    groups: list[Dataset] = [header]
    if "SharedFunctionalGroupsSequence" in header:
        groups = [
            header.PerFrameFunctionalGroupsSequence[frame],
            header.SharedFunctionalGroupsSequence[0],
        ]
    cosines = _find(groups, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    position = _find(groups, "PlanePositionSequence", "ImagePositionPatient", 3)
    spacing = _find(groups, "PixelMeasuresSequence", "PixelSpacing", 2)
    return _Frame(cosines, position, spacing)


def _find(groups: Sequence[Dataset], sequence: str, keyword: str, size: int) -> NDArray[np.float64]:
    for group in groups:
        holders = [group, *(group.get(sequence) or [])]
        for holder in holders:
            if keyword in holder and len(holder[keyword].value or ()) == size:
                return np.array(holder[keyword].value, dtype=np.float64)
    raise DicomError(f"A T1 header has no {keyword}: its slices have no place.")


def _require_own_grid(made: Planes, source: Sequence[Dataset]) -> None:
    first = _frame_geometry(source[0])
    if made.array.shape[1:] != (source[0].Rows, source[0].Columns):
        rows, columns = made.array.shape[1:]
        raise _other_grid(f"{rows}x{columns} voxels a slice, not those of the T1")
    if not np.allclose(made.pixel_spacing_mm, first.spacing_mm, atol=1e-3):
        raise _other_grid(f"pixels of {made.pixel_spacing_mm} mm, not {first.spacing_mm.tolist()}")
    normal = np.cross(first.cosines[:3], first.cosines[3:])
    for header in source:
        n_frames = int(header.get("NumberOfFrames") or 1)
        for frame in range(n_frames):
            away = _frame_geometry(header, frame).position - made.positions[0]
            beside = np.abs(away - (away @ normal) * normal).max()
            along = away @ normal / made.slice_spacing_mm
            if beside > _TOLERANCE_MM or not -0.5 <= along <= len(made.positions) - 0.5:
                raise _other_grid("it lies in another place")


def _other_grid(why: str) -> GeometryError:
    return GeometryError(
        f"The synthetic volume is not on the T1's own grid: {why}.",
        hint="Resample the prediction onto Prepared.native_grid first.",
    )
