"""Small DICOM series with known voxels, written as scanners write them.

Every writer takes an array (I, J, K) and its affine (voxel -> RAS+ mm), writes files into a folder
and returns the `Phantom`: the files, and the voxels and affine that a right reader must find.
Everything identifying in the headers is invented and starts with ``PLANTED``, dates are 2019-03-04.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from phantom_parts import (
    ENHANCED_MR,
    MR,
    MR_TAGS,
    NM,
    PT,
    TRACERS,
    Edit,
    Who,
    lps_of,
    new_file,
    number,
    numbers,
    put,
    put_acquisition,
    put_pixels,
    put_plane,
    put_tracer,
    save,
    uid,
    uids_of,
)

__all__ = [
    "MR_TAGS", "TRACERS", "Phantom", "Who", "head", "oblique", "uid", "write_enhanced",
    "write_mosaic", "write_mr", "write_nm", "write_pt",
]  # fmt: skip


@dataclass(frozen=True)
class Phantom:
    """What was written: ``voxels`` (I, J, K) or (I, J, K, T), output units; ``affine`` RAS+ mm."""

    files: list[Path]
    voxels: NDArray[np.float32]
    affine: NDArray[np.float64]
    uids: dict[str, str] = field(default_factory=dict)


def head(shape: tuple[int, int, int] = (20, 24, 16), peak: int = 900) -> NDArray[np.int16]:
    """A lopsided ellipsoid (I, J, K), 0..peak whole numbers; no axis of it is symmetric."""
    axes = [np.linspace(-1, 1, n) for n in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    inside = (x / 0.8) ** 2 + (y / 0.9) ** 2 + (z / 0.9) ** 2 < 1
    ramp = 0.5 + 0.2 * x + 0.1 * y + 0.15 * z
    return np.round(np.where(inside, peak * ramp, 0)).astype(np.int16)


def oblique(spacing_mm: Sequence[float] = (1.5, 1.25, 3.0)) -> NDArray[np.float64]:
    """An affine (4, 4), voxel -> RAS+ mm, turned by some degrees about two axes, axes LPS-like."""
    a, b = np.deg2rad((8.0, -5.0))
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_x @ about_z @ np.diag([-spacing_mm[0], -spacing_mm[1], spacing_mm[2]])
    affine[:3, 3] = (14.0, 17.0, -21.0)
    return affine


def write_mr(
    folder: Path, array: NDArray[np.int16], affine: NDArray[np.float64], *,
    contrast: str = "T1w", who: Who | None = None, edit: Edit | None = None,
) -> Phantom:  # fmt: skip
    """Classic MR, one file a slice; (I, J, K), or (I, J, K, T) with temporal positions."""
    who = who or Who()
    frames = array if array.ndim == 4 else array[..., None]
    n_slices, n_times = frames.shape[2:]
    files = []
    for t in range(n_times):
        for k in range(n_slices):
            index = t * n_slices + k
            file = new_file(MR, "MR", who, index)
            put(file, {"ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"], **MR_TAGS[contrast]})
            put_plane(file, affine, k)
            put_acquisition(file, t, n_times)
            put_pixels(file, frames[:, :, k, t].T)
            files.append(save(file, folder, index, edit))
    return Phantom(files, array.astype(np.float32), affine, uids_of(who))


def write_pt(
    folder: Path, array: NDArray[np.float32], affine: NDArray[np.float64], *,
    tracer: str = "FDG", who: Who | None = None, edit: Edit | None = None,
) -> Phantom:  # fmt: skip
    """Classic PET, one file a slice, Bq/mL with a slope of its own in each; array in kBq/mL."""
    who = who or Who(number=5)
    truth = np.zeros(array.shape, np.float32)
    files = []
    for k in range(array.shape[2]):
        file = new_file(PT, "PT", who, k)
        put(file, {"ImageType": ["ORIGINAL", "PRIMARY"], "Units": "BQML",
                    "DecayCorrection": "START", "CorrectedImage": ["DECY", "ATTN", "SCAT", "RAN"],
                    "SeriesType": ["STATIC", "IMAGE"], "NumberOfSlices": array.shape[2],
                    "ActualFrameDuration": 900000, "FrameReferenceTime": 0,
                    "SeriesDescription": "PET brain", "PatientWeight": 61.5})  # fmt: skip
        put_tracer(file, tracer)
        put_plane(file, affine, k)
        slope = f"{1.5 + 0.25 * (k % 4):.2f}"
        stored = np.round(array[:, :, k].T * 1000 / float(slope)).astype(np.int16)
        put(file, {"RescaleSlope": slope, "RescaleIntercept": 0})
        put_pixels(file, stored)
        truth[:, :, k] = stored.T.astype(np.float64) * float(slope) / 1000
        files.append(save(file, folder, k, edit))
    return Phantom(files, truth, affine, uids_of(who))


def write_nm(
    folder: Path, array: NDArray[np.int16], affine: NDArray[np.float64], *,
    tracer: str = "ECD", who: Who | None = None, edit: Edit | None = None,
) -> Phantom:  # fmt: skip
    """Reconstructed tomographic NM, one multi-frame file, geometry in the detector sequence."""
    who = who or Who(number=7)
    file = new_file(NM, "NM", who, 0)
    detector = Dataset()
    lps = lps_of(affine)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    detector.ImageOrientationPatient = numbers(
        [*(lps[:3, 0] / spacing[0]), *(lps[:3, 1] / spacing[1])]
    )
    detector.ImagePositionPatient = numbers(lps[:3, 3])
    n_slices = array.shape[2]
    put(file, {"ImageType": ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"],
                "NumberOfFrames": n_slices, "NumberOfSlices": n_slices,
                "SliceVector": list(range(1, n_slices + 1)), "SeriesDescription": "Brain SPECT",
                "PixelSpacing": numbers([spacing[1], spacing[0]]),
                "SliceThickness": number(spacing[2]),
                "SpacingBetweenSlices": number(spacing[2]),
                "DetectorInformationSequence": [detector],
                "FrameIncrementPointer": 0x00540080})  # fmt: skip
    put_tracer(file, tracer)
    put_pixels(file, array.transpose(2, 1, 0))
    files = [save(file, folder, 0, edit)]
    return Phantom(files, array.astype(np.float32), affine, uids_of(who))


def write_mosaic(
    folder: Path, array: NDArray[np.int16], affine: NDArray[np.float64], *,
    contrast: str = "asl", who: Who | None = None, edit: Edit | None = None,
) -> Phantom:  # fmt: skip
    """Siemens mosaics, one file a volume; array (I, J, K, T)."""
    who = who or Who(number=9)
    n_i, n_j, n_k, n_times = array.shape
    side = int(np.ceil(np.sqrt(n_k)))
    files = []
    for t in range(n_times):
        file = new_file(MR, "MR", who, t)
        put(file, {"Manufacturer": "SIEMENS", **MR_TAGS[contrast]})
        file.ImageType = [*file.ImageType, "MOSAIC"]
        shift = np.array([-(side - 1) * n_i / 2, -(side - 1) * n_j / 2, 0.0])
        put_plane(file, affine, 0, shift)
        put(file, {"SpacingBetweenSlices": file.SliceThickness})
        block = file.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0A, "US", n_k)
        put_acquisition(file, t, 1)
        sheet = np.zeros((side * n_j, side * n_i), np.int16)
        for k in range(n_k):
            row, column = divmod(k, side)
            sheet[row * n_j : (row + 1) * n_j, column * n_i : (column + 1) * n_i] = array[
                :, :, k, t
            ].T
        put_pixels(file, sheet)
        files.append(save(file, folder, t, edit))
    return Phantom(files, array.astype(np.float32), affine, uids_of(who))


def write_enhanced(
    folder: Path, array: NDArray[np.int16], affine: NDArray[np.float64], *,
    contrast: str = "T1w", who: Who | None = None, edit: Edit | None = None,
) -> Phantom:  # fmt: skip
    """One enhanced multi-frame MR; (I, J, K) or (I, J, K, T); slices stored in reverse."""
    who = who or Who(number=11)
    frames = array if array.ndim == 4 else array[..., None]
    n_slices, n_times = frames.shape[2:]
    file = new_file(ENHANCED_MR, "MR", who, 0)
    tags = MR_TAGS[contrast]
    put(file, {"ImageType": ["ORIGINAL", "PRIMARY", "M", "NONE"], "MRAcquisitionType": "3D",
                "SeriesDescription": tags["SeriesDescription"],
                "NumberOfFrames": n_slices * n_times})  # fmt: skip
    order = [(k, t) for t in range(n_times) for k in reversed(range(n_slices))]
    file.PerFrameFunctionalGroupsSequence = [_frame_groups(affine, k, t) for k, t in order]
    file.SharedFunctionalGroupsSequence = [_shared_groups(affine, tags)]
    put_pixels(file, np.stack([frames[:, :, k, t].T for k, t in order]))
    files = [save(file, folder, 0, edit)]
    return Phantom(files, array.astype(np.float32), affine, uids_of(who))


def _frame_groups(affine: NDArray[np.float64], k: int, t: int) -> Dataset:
    groups = Dataset()
    plane, content = Dataset(), Dataset()
    plane.ImagePositionPatient = numbers((lps_of(affine) @ [0, 0, k, 1])[:3])
    content.TemporalPositionIndex, content.InStackPositionNumber = t + 1, k + 1
    groups.PlanePositionSequence, groups.FrameContentSequence = [plane], [content]
    return groups


def _shared_groups(affine: NDArray[np.float64], tags: dict[str, object]) -> Dataset:
    groups, measures, plane = Dataset(), Dataset(), Dataset()
    timing, echo, values = Dataset(), Dataset(), Dataset()
    lps = lps_of(affine)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    measures.PixelSpacing = numbers([spacing[1], spacing[0]])
    measures.SliceThickness = number(spacing[2])
    plane.ImageOrientationPatient = numbers(
        [*(lps[:3, 0] / spacing[0]), *(lps[:3, 1] / spacing[1])]
    )
    timing.RepetitionTime, timing.FlipAngle = tags["RepetitionTime"], tags["FlipAngle"]
    echo.EffectiveEchoTime = float(str(tags["EchoTime"]))
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, 0, "US"
    groups.PixelMeasuresSequence, groups.PlaneOrientationSequence = [measures], [plane]
    groups.MRTimingAndRelatedParametersSequence, groups.MREchoSequence = [timing], [echo]
    groups.PixelValueTransformationSequence = [values]
    if "InversionTime" in tags:
        modifier = Dataset()
        modifier.InversionTimes = [float(str(tags["InversionTime"]))]
        groups.MRModifierSequence = [modifier]
    return groups
