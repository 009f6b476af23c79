"""Slices of classic MR and PET objects: one file, one slice."""

from pathlib import Path

from pydicom.dataset import Dataset

from tracerless.io import dicom_gate
from tracerless.io import slices as one


def slices(dataset: Dataset, path: Path) -> tuple[one.Slice, ...]:
    """The slice of one file; frames of a classic multi-frame object have no place of their own."""
    n_frames = dicom_gate.n_frames(dataset)
    position = one.position_of(dataset) if n_frames == 1 else None
    return tuple(
        one.Slice(
            path=path,
            frame=frame,
            shape=one.shape_of(dataset),
            position=position,
            orientation=one.orientation_of(dataset),
            spacing_mm=one.spacing_of(dataset),
            depth_mm=one.depth_of(dataset),
            scale=one.scale_of(dataset),
            clock=one.clock_of(dataset),
        )
        for frame in range(n_frames)
    )
