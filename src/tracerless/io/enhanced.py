"""Slices of enhanced multi-frame MR and PET: places and scales lie in functional groups."""

from pathlib import Path

from pydicom.dataset import Dataset

from tracerless.io import slices as one
from tracerless.io import tags

PHILIPS_FRAME = 0x2005140F
"""Philips' sequence inside each frame that holds what the classic object would."""


def groups(dataset: Dataset) -> tuple[Dataset, tuple[Dataset, ...]]:
    """The shared functional groups, and those of each frame."""
    shared = tags.items(dataset, "SharedFunctionalGroupsSequence")
    return (
        shared[0] if shared else Dataset(),
        tags.items(dataset, "PerFrameFunctionalGroupsSequence"),
    )


def macro(frame: Dataset, shared: Dataset, keyword: str) -> Dataset:
    """One functional group: of the frame, else of all frames, else empty."""
    found = tags.items(frame, keyword) or tags.items(shared, keyword)
    return found[0] if found else Dataset()


def slices(dataset: Dataset, path: Path) -> tuple[one.Slice, ...]:
    """Every frame as a slice."""
    shared, frames = groups(dataset)
    shape = one.shape_of(dataset)
    return tuple(_slice(frame, shared, path, index, shape) for index, frame in enumerate(frames))


def asl_label(frame: Dataset, shared: Dataset) -> str:
    """CONTROL, LABEL or M_ZERO_SCAN from the standard macro or Philips' element, else empty."""
    standard = tags.text(macro(frame, shared, "MRArterialSpinLabelingSequence"), "ASLContext")
    if standard:
        return standard
    inner = tags.items(frame, PHILIPS_FRAME)
    return str(tags.private(inner[0], *one.PHILIPS_LABEL) or "").strip() if inner else ""


def _slice(
    frame: Dataset, shared: Dataset, path: Path, index: int, shape: tuple[int, int]
) -> one.Slice:
    measures = macro(frame, shared, "PixelMeasuresSequence")
    content = macro(frame, shared, "FrameContentSequence")
    inner = tags.items(frame, PHILIPS_FRAME)
    temporal = tags.number(content, "TemporalPositionIndex")
    acquisition = tags.number(content, "FrameAcquisitionNumber")
    return one.Slice(
        path=path,
        frame=index,
        shape=shape,
        position=one.position_of(macro(frame, shared, "PlanePositionSequence")),
        orientation=one.orientation_of(macro(frame, shared, "PlaneOrientationSequence")),
        spacing_mm=one.spacing_of(measures),
        depth_mm=one.depth_of(measures),
        scale=one.scale_of(
            macro(frame, shared, "PixelValueTransformationSequence"), inner[0] if inner else None
        ),
        clock=one.Clock(
            temporal=None if temporal is None else int(temporal),
            label=asl_label(frame, shared),
            acquisition=None if acquisition is None else int(acquisition),
            moment=tags.text(content, "FrameAcquisitionDateTime"),
            instance=index,
        ),
    )
