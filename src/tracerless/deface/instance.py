"""A face taken out of the pixels of one DICOM object, and what the object says about it then."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from tracerless.core.errors import DicomError

METHOD = ("113102", "DCM", "Clean Recognizable Visual Features Option")
"""Code, scheme and meaning in DeidentificationMethodCodeSequence (PS3.16 CID 7050)."""

_DERIVED = "DERIVED"

Masks = NDArray[np.bool_]
"""(frames, rows, columns)."""


def clear(dataset: Dataset, taken: Masks, scales: Sequence[tuple[float, float]]) -> int:
    """Overwrite voxels with the background, in place; how many.

    Every other pixel keeps its bytes. Compressed pixels that lose voxels are stored uncompressed;
    an object that loses none is not touched at all.

    Args:
        dataset: one object with one sample a pixel.
        taken: which voxels go.
        scales: slope and intercept of every frame.

    Raises:
        DicomError: the pixels are not whole numbers of 8, 16 or 32 bits, not one sample a pixel, or
            not as many as the mask covers.
    """
    if not taken.any():
        return 0
    _decompress(dataset)
    kind = _kind(dataset)
    n_values = int(np.prod(taken.shape))
    content = bytearray(dataset.PixelData)
    if len(content) < n_values * kind.itemsize:
        raise DicomError(
            f"{len(content)} bytes of pixels for {taken.shape} values of {kind.itemsize} bytes."
        )
    frames = np.frombuffer(content, dtype=kind, count=n_values).reshape(taken.shape)
    for frame, gone, scale in zip(frames, taken, scales, strict=True):
        if gone.any():
            frame[gone] = _background(dataset, frame, scale)
    _renew_extremes(dataset, frames)
    dataset["PixelData"].value = bytes(content)
    return int(taken.sum())


def require_clearable(header: Dataset) -> None:
    """Whether ``clear`` can do its work, as far as a header without its pixels tells.

    Raises:
        DicomError: not one sample of 8, 16 or 32 bits a pixel.
    """
    bits, samples = header.get("BitsAllocated"), header.get("SamplesPerPixel", 1)
    if bits not in (8, 16, 32) or samples != 1:
        raise DicomError(
            f"Pixels of {bits} bits and {samples} samples cannot be cleared; one sample of 8, 16 "
            "or 32 bits is expected."
        )


def stamp(dataset: Dataset, *, is_changed: bool) -> None:
    """State that nobody can be recognized, and by which option (PS3.15 E.3.2).

    ImageType begins with DERIVED where the series' pixels changed, in every frame's type too: such
    pixels are derived from those of another object (PS3.3 C.7.6.1.1.2). That object has another
    UID, so the one of this object stays as it is.

    Args:
        dataset: one object, changed in place.
        is_changed: any voxel of its series was overwritten.
    """
    dataset.RecognizableVisualFeatures = "NO"
    known = list(dataset.get("DeidentificationMethodCodeSequence") or ())
    if not any(item.get("CodeValue") == METHOD[0] for item in known):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = METHOD
        dataset.DeidentificationMethodCodeSequence = [*known, item]
    if is_changed:
        for owner, keyword in _types(dataset):
            owner[keyword].value = [_DERIVED, *list(owner[keyword].value)[1:]]


def is_cleared(dataset: Dataset) -> bool:
    """Whether the object states that nobody can be recognized in it."""
    return str(dataset.get("RecognizableVisualFeatures") or "").strip().upper() == "NO"


def _types(dataset: Dataset) -> list[tuple[Dataset, str]]:
    """Every place where the object or one of its frames says ORIGINAL or DERIVED."""
    found = [(dataset, "ImageType")]
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for groups in dataset.get(name) or ():
            for macro in ("MRImageFrameTypeSequence", "PETFrameTypeSequence"):
                found += [(item, "FrameType") for item in groups.get(macro) or ()]
    return [(owner, keyword) for owner, keyword in found if _is_many(owner, keyword)]


def _is_many(owner: Dataset, keyword: str) -> bool:
    return keyword in owner and owner[keyword].VM > 1


def _decompress(dataset: Dataset) -> None:
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        dataset.decompress(generate_instance_uid=False)


def _kind(dataset: Dataset) -> np.dtype[np.integer]:
    """How one stored value lies in the bytes."""
    require_clearable(dataset)
    if "PixelData" not in dataset:
        raise DicomError("An object without whole-number pixels cannot be cleared.")
    order = "<" if dataset.file_meta.TransferSyntaxUID.is_little_endian else ">"
    sign = "i" if dataset.get("PixelRepresentation") == 1 else "u"
    return np.dtype(f"{order}{sign}{int(dataset.BitsAllocated) // 8}")


def _background(dataset: Dataset, frame: NDArray[np.integer], scale: tuple[float, float]) -> int:
    """The declared padding, else the stored value of zero output, else the least of the frame."""
    low, high = _representable(dataset)
    padding = dataset.get("PixelPaddingValue")
    if isinstance(padding, int) and low <= padding <= high:
        return padding
    slope, intercept = scale
    zero = round(-intercept / slope) if slope else low - 1
    return zero if low <= zero <= high else int(frame.min())


def _representable(dataset: Dataset) -> tuple[int, int]:
    bits = int(dataset.get("BitsStored") or dataset.BitsAllocated)
    if dataset.get("PixelRepresentation") == 1:
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, 2**bits - 1


def _renew_extremes(dataset: Dataset, frames: NDArray[np.integer]) -> None:
    for keyword, value in (
        ("SmallestImagePixelValue", frames.min()),
        ("LargestImagePixelValue", frames.max()),
    ):
        if keyword in dataset and dataset[keyword].value is not None:
            dataset[keyword].value = int(value)
