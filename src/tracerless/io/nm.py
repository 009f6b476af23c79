"""Slices of reconstructed tomographic NM (SPECT): one file, many frames, one geometry.

Orientation and first position lie in DetectorInformationSequence; frames follow the normal of the
plane, against it where SpacingBetweenSlices is negative (PS3.3 C.8.4.11, C.8.4.15). Objects that
lost that sequence keep their numbers but not their side: a plain axial geometry is assumed and
said so.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tracerless.io import slices as one
from tracerless.io import tags

ASSUMED = "SideUnverified"
"""Said in the sidecar when left and right rest on an assumption."""


def slices(dataset: Dataset, path: Path) -> tuple[one.Slice, ...]:
    """Every frame as a slice; energy windows and time slots become frames in time.

    Slices whose distance is not stated have no place.
    """
    n_frames = max(tags.whole(dataset, "NumberOfFrames", 1), 1)
    detector = next(iter(tags.items(dataset, "DetectorInformationSequence")), dataset)
    orientation = one.orientation_of(detector) or one.orientation_of(dataset)
    position = one.position_of(detector) or one.position_of(dataset) or (0.0, 0.0, 0.0)
    assumed = () if orientation else (ASSUMED,)
    orientation = orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    step_mm = tags.number(dataset, "SpacingBetweenSlices") or one.depth_of(dataset)
    normal = one.plane(orientation)[2]
    index = _vector(dataset, "SliceVector", n_frames)
    has_place = step_mm != 0 or len(set(index)) == 1
    slot = _slots(dataset, n_frames)
    return tuple(
        one.Slice(
            path=path,
            frame=frame,
            shape=one.shape_of(dataset),
            position=_at(position, normal * step_mm * (place - 1)) if has_place else None,
            orientation=orientation,
            spacing_mm=one.spacing_of(dataset),
            depth_mm=abs(step_mm),
            scale=one.scale_of(dataset),
            clock=one.Clock(temporal=slot[frame], instance=frame),
            assumed=assumed,
        )
        for frame, place in enumerate(index)
    )


def _at(corner: tuple[float, ...], step: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple((np.array(corner) + step).tolist())


def _vector(dataset: Dataset, keyword: str, n_frames: int) -> tuple[int, ...]:
    """An index per frame, counted from 1; frame order where the vector is absent or too short."""
    found = tags.numbers(dataset, keyword)
    if len(found) == n_frames:
        return tuple(int(each) for each in found)
    return tuple(range(1, n_frames + 1))


def _slots(dataset: Dataset, n_frames: int) -> tuple[int | None, ...]:
    """A number per frame for its energy window and time slot; None where there is only one."""
    keys = ("EnergyWindowVector", "TimeSlotVector", "PhaseVector", "RotationVector")
    vectors = [tags.numbers(dataset, key) for key in keys]
    whole = [vector for vector in vectors if len(vector) == n_frames and len(set(vector)) > 1]
    if not whole:
        return (None,) * n_frames
    combined = list(zip(*whole, strict=True))
    rank = {key: n for n, key in enumerate(sorted(set(combined)))}
    return tuple(rank[key] for key in combined)
