"""One slice with its place in the patient and in time, wherever it is stored."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tracerless.io import dicom_gate, tags

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM's patient axes (left, posterior, superior) to right, anterior, superior."""

PHILIPS_SCALE = (0x2005, "Philips MR Imaging DD 001", 0x0E)
"""Scale slope: displayed value / (rescale slope x scale slope) = signal at the receiver."""
NO_SLOPE = (0.0, 0.0)
"""Scale of a slice that has none: a slope of zero, a slope or intercept that is no number, or PET
without a slope."""

PHILIPS_LABEL = (0x2005, "Philips MR Imaging DD 005", 0x29)
"""ASL label type: CONTROL or LABEL."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells frames at one place apart; None or empty where absent."""

    temporal: int | None = None
    label: str = ""
    acquisition: int | None = None
    moment: str = field(default="", repr=False)
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane of pixels.

    Args:
        path: the file; identifies.
        frame: frame in the file, or tile in the mosaic.
        shape: rows, columns.
        position: center of the first pixel, LPS mm; None when unknown.
        orientation: direction of increasing column, then of increasing row, LPS; None when unknown.
        spacing_mm: between rows, between columns.
        depth_mm: distance to the next slice as declared, else the thickness; 0 when unknown.
        scale: slope and intercept that turn stored into output numbers.
        clock: when it was taken.
        assumed: geometry that the file does not state and that was assumed, as words.
    """

    path: Path = field(repr=False)
    frame: int
    shape: tuple[int, int]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing_mm: tuple[float, float]
    depth_mm: float
    scale: tuple[float, float]
    clock: Clock
    assumed: tuple[str, ...] = ()


def plane(orientation: tuple[float, ...]) -> NDArray[np.float64]:
    """(3, 3) rows: unit vectors along columns, along rows, and the normal, LPS."""
    across = np.array(orientation[:3])
    down = np.array(orientation[3:6])
    return np.stack([across, down, np.cross(across, down)])


def position_of(dataset: Dataset) -> tuple[float, ...] | None:
    """ImagePositionPatient, LPS mm, or None."""
    found = tags.numbers(dataset, "ImagePositionPatient")
    return found if len(found) == 3 else None


def orientation_of(dataset: Dataset) -> tuple[float, ...] | None:
    """ImageOrientationPatient as two unit vectors at a right angle, or None."""
    found = tags.numbers(dataset, "ImageOrientationPatient")
    if len(found) != 6:
        return None
    across, down = np.array(found[:3]), np.array(found[3:])
    lengths = np.linalg.norm(across), np.linalg.norm(down)
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(across @ down) > 0.01:
        return None
    return tuple((across / lengths[0]).tolist() + (down / lengths[1]).tolist())


def spacing_of(dataset: Dataset) -> tuple[float, float]:
    """PixelSpacing: between rows, between columns, mm; zeros when unknown."""
    found = tags.numbers(dataset, "PixelSpacing")
    return (found[0], found[1]) if len(found) == 2 and min(found) > 0 else (0.0, 0.0)


def depth_of(dataset: Dataset) -> float:
    """SpacingBetweenSlices, else SliceThickness, mm; 0 when unknown."""
    between = tags.number(dataset, "SpacingBetweenSlices")
    return abs(between or tags.number(dataset, "SliceThickness") or 0.0)


def scale_of(dataset: Dataset, philips: Dataset | None = None) -> tuple[float, float]:
    """Slope and intercept; Philips numbers are brought to the receiver's scale where possible.

    A slope that is not stated is 1, but in PET, where the standard asks for one.
    """
    slope = tags.number(dataset, "RescaleSlope")
    intercept = tags.number(dataset, "RescaleIntercept")
    stated = (slope, "RescaleSlope"), (intercept, "RescaleIntercept")
    is_spoiled = any(n is None and tags.text(dataset, name) for n, name in stated)
    is_missing = slope is None and dicom_gate.sop_class(dataset) == dicom_gate.PT
    if slope == 0 or is_spoiled or is_missing:
        return NO_SLOPE
    intercept = intercept or 0.0
    slope = 1.0 if slope is None else slope
    receiver = tags.private(philips or dataset, *PHILIPS_SCALE)
    if isinstance(receiver, int | float) and receiver > 0 and slope > 0:
        return 1.0 / receiver, intercept / (slope * receiver)
    return slope, intercept


def clock_of(dataset: Dataset) -> Clock:
    """The clock of a classic object."""
    temporal = tags.number(dataset, "TemporalPositionIdentifier")
    acquisition = tags.number(dataset, "AcquisitionNumber")
    return Clock(
        temporal=None if temporal is None else int(temporal),
        label=str(tags.private(dataset, *PHILIPS_LABEL) or "").strip(),
        acquisition=None if acquisition is None else int(acquisition),
        moment=tags.text(dataset, "AcquisitionDate") + tags.text(dataset, "AcquisitionTime"),
        instance=tags.whole(dataset, "InstanceNumber"),
    )


def shape_of(dataset: Dataset) -> tuple[int, int]:
    """Rows and columns."""
    return tags.whole(dataset, "Rows"), tags.whole(dataset, "Columns")
