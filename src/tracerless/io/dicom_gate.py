"""The questions that `dicom_read` asks of a file: what it is, how large, and whether it is whole.

Each answer is None, or the kind and the sentence of a rejection.
"""

import struct
from typing import BinaryIO

from pydicom import encaps
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from tracerless.io import tags

Flaw = tuple[str, str]

MAX_PIXEL_BYTES = 2**30
"""Decoded pixels of one file; a 512 x 512 x 400 volume of 16 bits has 0.2 of it."""
SLACK_BYTES = 2**20
"""Pixel data may exceed what is declared by this much (padding, offset tables)."""
MAX_ITEMS = 200_000
"""Fragments of encapsulated pixel data in one file."""
RLE_EXPANSION = 64
"""Two bytes of run-length code stand for at most 128."""

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
LEGACY_MR = "1.2.840.10008.5.1.4.1.1.4.4"
PT, ENHANCED_PT = "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.130"
LEGACY_PT = "1.2.840.10008.5.1.4.1.1.128.1"
NM = "1.2.840.10008.5.1.4.1.1.20"
MODALITY = {
    MR: "MR", ENHANCED_MR: "MR", LEGACY_MR: "MR", PT: "PT", ENHANCED_PT: "PT", LEGACY_PT: "PT",
    NM: "NM",
}  # fmt: skip
"""SOP classes that hold volumes or slices of MR, PET and SPECT (PS3.4 B.5), and their modality."""

_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_OTHER_MODALITY = (
    "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.12", "1.2.840.10008.5.1.4.1.1.13",
    "1.2.840.10008.5.1.4.1.1.77", "1.2.840.10008.5.1.4.1.1.4.2", "1.2.840.10008.5.1.4.1.1.4.3",
)  # fmt: skip
"""X-ray, CT, ultrasound, angiography, visible light, MR spectroscopy and color MR, as prefixes."""

DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = ("", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED)
RLE = "1.2.840.10008.1.2.5"
COMPRESSED = (
    *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
    RLE,
)
"""JPEG, JPEG-LS, JPEG 2000, HTJ2K and RLE: what the installed codecs decode (PS3.5 A.4)."""

NEEDED = tuple(
    int(tag_for_keyword(keyword) or 0)
    for keyword in (
        "SOPClassUID", "Modality", "Rows", "Columns", "SamplesPerPixel", "BitsAllocated",
        "NumberOfFrames", "PhotometricInterpretation",
    )
)  # fmt: skip
"""Elements that the answers depend on."""

_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_ITEM, _END = 0xFFFEE000, 0xFFFEE0DD


def sop_class(dataset: Dataset) -> str:
    """The SOP Class UID, from the file meta information where the dataset has none."""
    meta = getattr(dataset, "file_meta", Dataset())
    return tags.text(dataset, "SOPClassUID") or tags.text(meta, "MediaStorageSOPClassUID")


def transfer_syntax(dataset: Dataset) -> str:
    """The Transfer Syntax UID, or empty."""
    return tags.text(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")


def routed_away(dataset: Dataset) -> Flaw | None:
    """Why the object is not a gray volume or slice of MR, PET or SPECT."""
    uid = sop_class(dataset)
    if uid.startswith(_CAPTURE):
        return "capture", "A secondary capture: a picture of a screen, not a measurement."
    if uid not in MODALITY:
        if any(uid == known or uid.startswith(known + ".") for known in _OTHER_MODALITY):
            return "other-modality", "An object of a modality other than MR, PET or SPECT."
        return "not-a-volume", "An object without a volume (report, overlay, raw data or unknown)."
    photometric = tags.text(dataset, "PhotometricInterpretation").upper()
    if tags.whole(dataset, "SamplesPerPixel", 1) != 1 or photometric[:4] not in {"", "MONO"}:
        return "color", "A color picture, not a measurement."
    if transfer_syntax(dataset) not in NATIVE + COMPRESSED:
        return "transfer-syntax", "The pixels are encoded in a way that no installed codec reads."
    return None


def without_pixels(handle: BinaryIO) -> Flaw | None:
    """Whether the file ends where the pixel data element should begin."""
    start = handle.tell()
    ends = len(handle.read(8)) < 8
    handle.seek(start)
    return ("truncated", "The file ends before its pixels.") if ends else None


def frame_bytes(dataset: Dataset) -> int:
    """Decoded bytes of one frame as declared; 0 when rows, columns or bits are missing."""
    rows, columns = tags.whole(dataset, "Rows"), tags.whole(dataset, "Columns")
    return rows * columns * (tags.whole(dataset, "BitsAllocated") // 8)


def n_frames(dataset: Dataset) -> int:
    """Frames in the file, at least 1."""
    return max(tags.whole(dataset, "NumberOfFrames", 1), 1)


def oversized(dataset: Dataset) -> Flaw | None:
    """Why the declared size of the pixels is not acceptable."""
    one = frame_bytes(dataset)
    if one <= 0:
        return "corrupt", "Rows, columns or bits of the pixels are missing or zero."
    total = one * n_frames(dataset)
    if total > MAX_PIXEL_BYTES:
        kind = "bomb" if transfer_syntax(dataset) in COMPRESSED else "too-large"
        return kind, f"Pixels of {total} bytes are declared, more than {MAX_PIXEL_BYTES}."
    return None


def pixel_flaw(handle: BinaryIO, dataset: Dataset) -> Flaw | None:
    """Why the pixel data element, at which the handle stands, is not whole."""
    is_implicit, is_little = dataset.original_encoding
    order = "<" if is_little else ">"
    head = handle.read(8 if is_implicit else 12)
    if len(head) < (8 if is_implicit else 12):
        return "truncated", "The file ends before its pixels."
    group, element = struct.unpack(order + "HH", head[:4])
    if (group << 16) + element not in _PIXEL_TAGS:
        return "truncated", "The file has no pixels."
    (length,) = struct.unpack(order + "L", head[-4:])
    wanted = frame_bytes(dataset) * n_frames(dataset)
    if transfer_syntax(dataset) in COMPRESSED:
        if length != 0xFFFFFFFF:
            return "corrupt", "Compressed pixels are not stored in fragments."
        return _fragments_flaw(handle, 2 * wanted + SLACK_BYTES)
    return _native_flaw(handle, length, wanted)


def _native_flaw(handle: BinaryIO, length: int, wanted: int) -> Flaw | None:
    start = handle.tell()
    left = handle.seek(0, 2) - start
    if min(length, left) < wanted:
        return "truncated", f"{min(length, left)} bytes of pixels, {wanted} expected."
    if length > wanted + SLACK_BYTES:
        return "too-large", f"{length} bytes of pixels, {wanted} expected."
    return None


def _fragments_flaw(handle: BinaryIO, limit: int) -> Flaw | None:
    """Walk the fragments by their lengths alone; encapsulated data are little endian."""
    start = handle.tell()
    size = handle.seek(0, 2)
    handle.seek(start)
    for _ in range(MAX_ITEMS):
        head = handle.read(8)
        if len(head) < 8:
            return "truncated", "The compressed pixels end too early."
        group, element, length = struct.unpack("<HHL", head)
        tag = (group << 16) + element
        if tag == _END:
            return None
        at = handle.seek(length, 1)
        if tag != _ITEM or at > size:
            return "truncated", "The compressed pixels end too early."
        if at - start > limit:
            return "too-large", f"Compressed pixels take more than {limit} bytes."
    return "bomb", f"More than {MAX_ITEMS} fragments of pixels."


def codestream_flaw(dataset: Dataset) -> Flaw | None:
    """Why a compressed frame would decode to another size than declared."""
    syntax = transfer_syntax(dataset)
    pixels = tags.value(dataset, "PixelData")
    if syntax not in COMPRESSED:
        return None if pixels else ("truncated", "The file has no pixels.")
    declared = (tags.whole(dataset, "Rows"), tags.whole(dataset, "Columns"))
    frames = list(encaps.generate_frames(pixels, number_of_frames=n_frames(dataset)))
    if len(frames) < n_frames(dataset):
        return "truncated", f"{len(frames)} frames of {n_frames(dataset)} are here."
    for frame in frames:
        if syntax == RLE:
            if len(frame) * RLE_EXPANSION > MAX_PIXEL_BYTES:
                return "bomb", "Run-length coded pixels may expand past the limit."
        elif codestream_size(frame) != declared:
            return "bomb", "A compressed frame has another size than the header declares."
    return None


def codestream_size(frame: bytes) -> tuple[int, int]:
    """Rows and columns that a JPEG, JPEG-LS or JPEG 2000 codestream declares; (0, 0) if unknown.

    Source:
        ISO 15444-1 A.5.1 (SIZ), ISO 10918-1 B.2.2 (SOF), ISO 14495-1 C.2.2 (SOF55).
    """
    at = frame.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at >= 0 and len(frame) >= at + 24:
        width, height, left, top = struct.unpack(">4L", frame[at + 8 : at + 24])
        return height - top, width - left
    at = 2
    while frame[:2] == b"\xff\xd8" and len(frame) >= at + 9 and frame[at] == 0xFF:
        marker = frame[at + 1]
        if (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}) or marker == 0xF7:
            height, width = struct.unpack(">HH", frame[at + 5 : at + 9])
            return height, width
        at += 2 + int(struct.unpack(">H", frame[at + 2 : at + 4])[0])
    return 0, 0
