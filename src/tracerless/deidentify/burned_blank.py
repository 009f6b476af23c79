"""New pixels for an instance: boxes blanked, and bits that are no pixel cleared."""

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRBigEndian

from tracerless.core.errors import DicomError
from tracerless.deidentify.burned_boxes import Box, fill

_KEYWORDS = {"PixelData": "u", "FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}


def decoded(dataset: Dataset) -> NDArray[Any]:
    """Stored values, (frames, rows, columns), not rescaled.

    Raises:
        DicomError: no codec decodes the pixels, or they are in color.
    """
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise DicomError("The pixels are in color, gray ones are expected.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = pixel_array(dataset)
    except Exception as error:  # noqa: BLE001 - codecs raise whatever they like
        raise DicomError(f"The pixels cannot be decoded ({type(error).__name__}).") from None
    frames: NDArray[Any] = stored.reshape(-1, *stored.shape[-2:])
    return frames


def blank(dataset: Dataset, boxes: Sequence[Box]) -> Dataset:
    """The instance with the boxes filled with background, and nothing else of its pixels changed.

    Compressed pixels are decompressed. ``BurnedInAnnotation`` becomes NO and the first word of
    ``ImageType`` DERIVED; UIDs are left to the rest of de-identification. Background is
    ``PixelPaddingValue``, else the smallest value of the frame outside the boxes (the largest of
    MONOCHROME1, which shows it as black).

    Args:
        dataset: with pixels and file meta; left as it is.
        boxes: with frames counted from 0 within the instance (`burned_boxes.within`).

    Raises:
        DicomError: the pixels cannot be decoded, or are in color.
    """
    if not boxes:
        return dataset
    changed = _uncompressed(dataset)
    keyword, pixels = _native(changed)
    pixels = pixels.copy()
    padding = _padding(changed, pixels.dtype)
    is_inverted = changed.get("PhotometricInterpretation") == "MONOCHROME1"
    for number in range(len(pixels)):
        touching = [box for box in boxes if number in box.frames]
        if touching:
            pixels[number] = fill(pixels[number], touching, padding, is_inverted=is_inverted)
    _replace(changed, keyword, pixels)
    changed.BurnedInAnnotation = "NO"
    words = [str(word) for word in changed.get("ImageType") or ()]
    changed.ImageType = ["DERIVED", *(words[1:] or ["PRIMARY"])]
    return changed


def clear_high_bits(dataset: Dataset) -> tuple[Dataset, int]:
    """(the instance without what hides in the bits beside its pixels, how many pixels changed).

    Old overlays lie in the bits above ``HighBit`` or below the stored ones. Signed values are
    sign-extended into the bits above, which is no hidden thing. Compressed pixels hold no such
    bits; floating-point ones have none. The same instance comes back when nothing is there.

    Args:
        dataset: with pixels and file meta; left as it is.

    Raises:
        DicomError: bits are declared that no pixel can have.
    """
    syntax = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    if "PixelData" not in dataset or (syntax is not None and syntax.is_compressed):
        return dataset, 0
    allocated, stored, low = _bits(dataset)
    if stored == allocated or allocated not in (8, 16, 32):
        return dataset, 0
    keyword, pixels = _native(dataset)
    meant = _meant(pixels, stored, low, is_signed=dataset.get("PixelRepresentation") == 1)
    n_changed = int((meant != pixels).sum())
    if not n_changed:
        return dataset, 0
    changed = copy.deepcopy(dataset)
    _replace(changed, keyword, meant)
    return changed, n_changed


def _meant(pixels: NDArray[Any], stored: int, low: int, *, is_signed: bool) -> NDArray[Any]:
    """Only the stored bits; above them the sign repeats, unless the instance never repeats it."""
    size = pixels.dtype.itemsize
    native = pixels.astype(pixels.dtype.newbyteorder("=")).view(f"u{size}")
    kept = native & native.dtype.type(((1 << stored) - 1) << low)
    if is_signed:
        above = native.dtype.type((1 << 8 * size) - (1 << (low + stored)))
        is_negative = (native & native.dtype.type(1 << (low + stored - 1))) != 0
        is_plain = is_negative & ((native & above) == 0)
        is_repeated = is_negative & ((native & above) == above)
        repeats = bool(is_repeated.any()) or not is_plain.any()
        kept = np.where(is_negative & ~is_plain, kept | above, kept) if repeats else kept
    meant: NDArray[Any] = kept.view(f"{pixels.dtype.kind}{size}").astype(pixels.dtype)
    return meant


def _bits(dataset: Dataset) -> tuple[int, int, int]:
    """(bits allocated, bits stored, how many unused ones lie below).

    Raises:
        DicomError: they contradict each other.
    """
    allocated = int(dataset.get("BitsAllocated") or 0)
    stored = int(dataset.get("BitsStored") or allocated)
    high = dataset.get("HighBit")
    low = (int(high) if high is not None else stored - 1) + 1 - stored
    if not 0 < stored <= allocated or low < 0 or low + stored > allocated:
        raise DicomError(f"{stored} of {allocated} bits up to bit {high} make no pixel.")
    return allocated, stored, low


def _uncompressed(dataset: Dataset) -> Dataset:
    changed = copy.deepcopy(dataset)
    syntax = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    if syntax is None or not syntax.is_compressed:
        return changed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            changed.decompress(generate_instance_uid=False)
    except Exception as error:  # noqa: BLE001 - codecs raise whatever they like
        raise DicomError(f"The pixels cannot be decoded ({type(error).__name__}).") from None
    return changed


def _native(dataset: Dataset) -> tuple[str, NDArray[Any]]:
    """(keyword, pixels as stored, (frames, rows, columns)); the rest of the element is left out.

    Raises:
        DicomError: the pixels are in color, or of another size than declared.
    """
    keyword = next((each for each in _KEYWORDS if each in dataset), "")
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    shape = (n_frames, int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0))
    n_bytes = int(dataset.get("BitsAllocated") or 0) // 8
    if not keyword or int(dataset.get("SamplesPerPixel") or 1) != 1 or n_bytes not in (1, 2, 4, 8):
        raise DicomError("The pixels are not gray ones of whole bytes.")
    syntax = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    code = _KEYWORDS[keyword]
    if code == "u":
        is_signed = dataset.get("PixelRepresentation") == 1
        code = f"{'i' if is_signed else 'u'}{n_bytes}"
    kind = np.dtype(order + code)
    count = int(np.prod(shape))
    content = dataset[keyword].value
    if not count or len(content) < count * kind.itemsize:
        raise DicomError(f"{len(content)} bytes of pixels, {count * kind.itemsize} expected.")
    return keyword, np.frombuffer(content, dtype=kind, count=count).reshape(shape)


def _replace(dataset: Dataset, keyword: str, pixels: NDArray[Any]) -> None:
    content = pixels.tobytes()
    element = copy.copy(dataset[keyword])
    element.value = content + b"\0" * (len(content) % 2)
    dataset[keyword] = element


def _padding(dataset: Dataset, kind: np.dtype[Any]) -> int | float | None:
    """The value that stands for no pixel, where one is stated that pixels can have."""
    padding = dataset.get("PixelPaddingValue")
    if not isinstance(padding, int | float):
        return None
    limits = np.iinfo(kind) if kind.kind in "iu" else np.finfo(kind)
    return padding if limits.min <= padding <= limits.max else None
