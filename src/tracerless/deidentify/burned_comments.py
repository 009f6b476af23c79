"""Compressed frames without what travels inside them besides pixels: comments and application data.

Only marker segments and what lies behind the end of a frame are cut; the coded pixels are copied
byte by byte, so they decode to the same values.

Source:
    ISO 10918-1 B.1-B.2 (JPEG), ISO 14495-1 C (JPEG-LS), ISO 15444-1 annex A and I (JPEG 2000).
"""

import io
import struct
import warnings
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.encaps import (
    encapsulate,
    generate_fragments,
    generate_frames,
    parse_basic_offsets,
)
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from tracerless.core.errors import DicomError

_HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP = range(0xE0, 0xF0)
_NEEDED = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0)})
_NEEDED_LS = frozenset({0xF7, 0xF8})
_J2K_NEEDED = frozenset(b"\x50\x51\x52\x53\x55\x56\x57\x58\x59\x5c\x5d\x5e\x5f\x60\x61\x63")
_J2K_SOC, _J2K_SOT, _J2K_SOD, _J2K_EOC = b"\xff\x4f", b"\xff\x90", b"\xff\x93", b"\xff\xd9"
_J2K_COM, _J2K_TLM = b"\xff\x64", b"\xff\x55"
_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"


def strip_comments(fragment: bytes, syntax: str) -> bytes:
    """One whole compressed gray frame without comments; the same bytes when it has none.

    Args:
        fragment: a frame of JPEG, JPEG-LS, JPEG 2000 or high-throughput JPEG 2000; other
            encodings (RLE, uncompressed) have no comments and come back as they are.
        syntax: Transfer Syntax UID.

    Raises:
        DicomError: the frame is not built as its transfer syntax says.
    """
    if syntax in JPEGLSTransferSyntaxes:
        return _padded(_jpeg(fragment, is_ls=True), fragment)
    if syntax in JPEGTransferSyntaxes:
        return _padded(_jpeg(fragment, is_ls=False), fragment)
    if syntax in JPEG2000TransferSyntaxes or syntax in _HTJ2K:
        return _padded(_jpeg2000(fragment), fragment)
    return fragment


def strip_pixel_data(dataset: Dataset) -> bool:
    """Take the comments out of all compressed frames of an instance, in place; whether any was.

    Fragments that belong to no frame go too.

    Raises:
        DicomError: a frame is missing, or not built as its transfer syntax says.
    """
    syntax = UID(str(getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID") or ""))
    if "PixelData" not in dataset or not syntax.is_transfer_syntax or not syntax.is_compressed:
        return False
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            frames = list(generate_frames(dataset.PixelData, number_of_frames=n_frames))[:n_frames]
        holds_more = _holds_more(dataset.PixelData, frames)
    except (ValueError, struct.error) as error:
        raise DicomError(f"The frames cannot be told apart ({type(error).__name__}).") from None
    if len(frames) != n_frames:
        raise DicomError(f"The frames cannot be told apart: {len(frames)} of {n_frames} are here.")
    stripped = [strip_comments(frame, syntax) for frame in frames]
    if stripped == frames and not holds_more:
        return False
    dataset.PixelData = encapsulate(stripped, has_bot=True)
    dataset["PixelData"].is_undefined_length = True
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            delattr(dataset, keyword)
    return True


def _holds_more(pixels: bytes, frames: list[bytes]) -> bool:
    """Whether there are fragments of no frame, or a table of offsets that lists something else."""
    with io.BytesIO(pixels) as stream:
        offsets = parse_basic_offsets(stream)
        fragments = list(generate_fragments(stream))
    starts = [0]
    for fragment in fragments:
        starts.append(starts[-1] + 8 + len(fragment))
    n_more = sum(map(len, fragments)) - sum(map(len, frames))
    return n_more != 0 or (bool(offsets) and not set(offsets) <= set(starts[:-1]))


def _padded(kept: bytes, fragment: bytes) -> bytes:
    """Of even length; the fragment itself when nothing but its padding is left out."""
    even = kept + b"\0" * (len(kept) % 2)
    return fragment if fragment == even else even


def _damaged(name: str) -> DicomError:
    return DicomError(
        f"A compressed frame is no {name} stream from its first byte to its end marker.",
        hint="Export the series again, uncompressed.",
    )


def _jpeg(stream: bytes, *, is_ls: bool) -> bytes:
    name = "JPEG-LS" if is_ls else "JPEG"
    if stream[:2] != bytes((0xFF, _SOI)):
        raise _damaged(name)
    kept = [stream[:2]]
    at = 2
    while True:
        at, marker = _marker(stream, at, name)
        if marker == _EOI:
            return b"".join([*kept, bytes((0xFF, _EOI))])
        end = at + _length(stream, at, name)
        if marker in _NEEDED or (is_ls and marker in _NEEDED_LS):
            kept.append(bytes((0xFF, marker)) + stream[at:end])
        elif marker != _COM and marker not in _APP:
            raise _damaged(name)
        if marker == _SOS:
            start, end = end, _scan_end(stream, end, name, is_ls=is_ls)
            kept.append(stream[start:end])
        at = end


def _marker(stream: bytes, at: int, name: str) -> tuple[int, int]:
    """(where its content begins, the marker); fill bytes before it are skipped.

    Raises:
        DicomError: no marker is there.
    """
    start = at
    while at < len(stream) and stream[at] == 0xFF:
        at += 1
    if at == start or at >= len(stream) or stream[at] == 0:
        raise _damaged(name)
    return at + 1, stream[at]


def _length(stream: bytes, at: int, name: str) -> int:
    """Of the segment whose content begins there, the two bytes of the length counted.

    Raises:
        DicomError: it does not fit into the stream.
    """
    length = int.from_bytes(stream[at : at + 2], "big")
    if length < 2 or at + length > len(stream):
        raise _damaged(name)
    return length


def _scan_end(stream: bytes, at: int, name: str, *, is_ls: bool) -> int:
    """Where the marker behind the coded pixels begins; restart markers are a part of them.

    Raises:
        DicomError: no marker follows.
    """
    while True:
        at = stream.find(b"\xff", at)
        if at < 0 or at + 1 >= len(stream):
            raise _damaged(name)
        follows = stream[at + 1]
        is_stuffed = follows < 0x80 if is_ls else follows == 0
        if not is_stuffed and not 0xD0 <= follows <= 0xD7:
            return at
        at += 2


def _jpeg2000(stream: bytes) -> bytes:
    code = _codestream(stream)
    if code[:2] != _J2K_SOC:
        raise _damaged("JPEG 2000")
    header, at = _j2k_header(code, 2, _J2K_SOT)
    kept = [_J2K_SOC, *header]
    parts = list(_tile_parts(code, at))
    if any(new[0] != old for new, old in parts):
        kept = [segment for segment in kept if segment[:2] != _J2K_TLM]
    return b"".join([*kept, *(bytes(new[1]) for new, _ in parts), _J2K_EOC])


def _codestream(stream: bytes) -> bytes:
    """What is inside a JP2 file's box of code, or the stream itself.

    Raises:
        DicomError: a JP2 file without code.
    """
    if not stream.startswith(_JP2):
        return stream
    at = 0
    while at + 8 <= len(stream):
        length, kind = struct.unpack_from(">L4s", stream, at)
        head = 8
        if length == 1 and at + 16 <= len(stream):
            (length,) = struct.unpack_from(">Q", stream, at + 8)
            head = 16
        end = len(stream) if length == 0 else at + length
        if kind == b"jp2c":
            return stream[at + head : end]
        if end < at + head:
            break
        at = end
    raise _damaged("JPEG 2000")


def _j2k_header(code: bytes, at: int, until: bytes) -> tuple[list[bytes], int]:
    """(marker segments up to that marker without the comments, where it lies).

    Raises:
        DicomError: a segment does not fit or is unknown, or the marker never comes.
    """
    segments = []
    while code[at : at + 2] != until:
        if at + 4 > len(code) or code[at] != 0xFF:
            raise _damaged("JPEG 2000")
        end = at + 2 + _length(code, at + 2, "JPEG 2000")
        if code[at + 1] in _J2K_NEEDED:
            segments.append(code[at:end])
        elif code[at : at + 2] != _J2K_COM:
            raise _damaged("JPEG 2000")
        at = end
    return segments, at


def _tile_parts(code: bytes, at: int) -> Iterator[tuple[tuple[int, bytes], int]]:
    """((new length, new bytes), old length) of every tile-part up to the end of the code.

    Raises:
        DicomError: a tile-part does not fit into the stream.
    """
    while code[at : at + 2] == _J2K_SOT:
        if at + 12 > len(code):
            raise _damaged("JPEG 2000")
        (length,) = struct.unpack_from(">L", code, at + 6)
        header, data = _j2k_header(code, at + 12, _J2K_SOD)
        end = at + length if length else code.find(_J2K_EOC, data)
        if not data + 2 <= end <= len(code):
            raise _damaged("JPEG 2000")
        kept = b"".join(header)
        new_length = 12 + len(kept) + end - data
        start = code[at : at + 6] + struct.pack(">L", new_length) + code[at + 10 : at + 12]
        yield (new_length, start + kept + code[data:end]), end - at
        at = end
    if code[at : at + 2] != _J2K_EOC:
        raise _damaged("JPEG 2000")
