"""Digests of pixels: whole, outside blanked boxes, by blocks, and by the tiles of a mosaic.

Of compressed pixels only what a decoder needs counts: a comment is no pixel, and neither is what
stands behind the end of a stream.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.deidentify.proof_scan import PIXELS, Element, Level

Box = tuple[int, int, int, int]
"""(row, column) where it starts, (row, column) behind its end."""

BLOCKS = 8
"""Blocks of a frame along each side."""

TILE_BLOCKS = 4
"""Blocks of a tile of a mosaic along each side."""

SHORT = 8
"""Digits of the digest of a block."""

_WIDTHS = {0x7FE00008: 32, 0x7FE00009: 64}


@dataclass(frozen=True, slots=True)
class Layout:
    """How uncompressed pixels lie: frames of rows of columns of samples."""

    frames: int
    rows: int
    columns: int
    sample_bytes: int

    @property
    def n_bytes(self) -> int:
        """Bytes of all frames."""
        return self.frames * self.rows * self.columns * self.sample_bytes


def layout(header: Level) -> Layout | None:
    """How the pixels of that header lie; None when it does not say."""
    width = next((bits for tag, bits in _WIDTHS.items() if tag in header), 0)
    bits = width or _whole(header, 0x00280100, 0)
    rows, columns = _whole(header, 0x00280010, 0), _whole(header, 0x00280011, 0)
    samples = _whole(header, 0x00280002, 1)
    if min(bits, rows, columns, samples) < 1:
        return None
    return Layout(_whole(header, 0x00280008, 1), rows, columns, max(bits // 8, 1) * samples)


def pixel_element(header: Level) -> Element | None:
    """The pixels of that header."""
    return next((header[tag] for tag in sorted(PIXELS) if tag in header), None)


def whole(pixels: bytes, shape: Layout | None) -> str:
    """Digest of the declared frames; without a layout, of everything."""
    return digest(pixels if shape is None else pixels[: shape.n_bytes])


def encapsulated(fragments: Sequence[bytes]) -> str:
    """Digest of what a decoder needs of compressed pixels."""
    found = hashlib.sha256()
    for fragment in fragments[1:]:
        found.update(essence(fragment)[0])
    return found.hexdigest()[:32]


def essence(fragment: bytes) -> tuple[bytes, bytes]:
    """(what a decoder needs, everything else): comments, application data, and what lies behind."""
    if fragment[:2] == b"\xff\xd8":
        return _jpeg(fragment)
    if fragment[:4] == b"\xff\x4f\xff\x51":
        return _jpeg2000(fragment)
    body = fragment.rstrip(b"\0")
    return body, b""


def outside(pixels: bytes, shape: Layout | None, boxes: Sequence[Box]) -> str:
    """Digest of the declared frames with the boxes blanked; empty when it cannot be told."""
    frames = _frames(pixels, shape)
    if frames is None:
        return ""
    frames = frames.copy()
    for top, left, bottom, right in boxes:
        frames[:, max(top, 0) : bottom, max(left, 0) : right] = 0
    return digest(frames.tobytes())


def blocks(pixels: bytes, shape: Layout | None, side: int = BLOCKS) -> list[str]:
    """Per frame, the short digests of its blocks, row by row, joined; empty when unknown.

    Args:
        pixels: of all frames.
        shape: how they lie.
        side: blocks along each side of a frame.
    """
    frames = _frames(pixels, shape)
    return [] if frames is None else [_blocks(frame, side) for frame in frames]


def tiles(pixels: bytes, shape: Layout | None, n_tiles: int) -> list[str]:
    """Digests of the tiles of a mosaic, in their order; none when the sheet does not divide."""
    return [digest(tile.tobytes()) for tile in _tiles(pixels, shape, n_tiles)]


def tile_blocks(pixels: bytes, shape: Layout | None, n_tiles: int) -> list[str]:
    """Per tile of a mosaic, the short digests of its ``TILE_BLOCKS`` blocks a side, joined."""
    return [_blocks(tile, TILE_BLOCKS) for tile in _tiles(pixels, shape, n_tiles)]


def digest(content: bytes) -> str:
    """32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:32]


def _frames(pixels: bytes, shape: Layout | None) -> NDArray[np.uint8] | None:
    """(frames, rows, columns, bytes of a sample)."""
    if shape is None or len(pixels) < shape.n_bytes:
        return None
    flat = np.frombuffer(pixels, np.uint8, shape.n_bytes)
    return flat.reshape(shape.frames, shape.rows, shape.columns, shape.sample_bytes)


def _tiles(pixels: bytes, shape: Layout | None, n_tiles: int) -> list[NDArray[np.uint8]]:
    frames = _frames(pixels, shape)
    if frames is None or shape is None or n_tiles < 1:
        return []
    side = math.ceil(math.sqrt(n_tiles))
    if shape.rows % side or shape.columns % side:
        return []
    tall, wide = shape.rows // side, shape.columns // side
    corners = (divmod(tile, side) for tile in range(n_tiles))
    return [
        frames[0, row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        for row, column in corners
    ]


def _blocks(frame: NDArray[np.uint8], side: int) -> str:
    rows, columns = frame.shape[:2]
    tall, wide = -(-rows // side), -(-columns // side)
    return "".join(
        digest(frame[row : row + tall, column : column + wide].tobytes())[:SHORT]
        for row in range(0, rows, tall)
        for column in range(0, columns, wide)
    )


def _jpeg(stream: bytes) -> tuple[bytes, bytes]:
    """Segments up to the first scan are looked at; the entropy-coded rest ends at its last EOI."""
    kept: list[bytes] = [stream[:2]]
    extra: list[bytes] = []
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] != 0xDA:
        size = 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        marker = stream[at + 1]
        is_extra = marker == 0xFE or 0xE0 <= marker <= 0xEF
        (extra if is_extra else kept).append(stream[at : at + size])
        at += size
    end = stream.rfind(b"\xff\xd9")
    end = len(stream) if end < at else end + 2
    return b"".join([*kept, stream[at:end]]), b"".join([*extra, stream[end:]]).rstrip(b"\0")


def _jpeg2000(stream: bytes) -> tuple[bytes, bytes]:
    kept: list[bytes] = [stream[:2]]
    extra: list[bytes] = []
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] != 0x90:
        size = 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        (extra if stream[at + 1] == 0x64 else kept).append(stream[at : at + size])
        at += size
    end = stream.rfind(b"\xff\xd9")
    end = len(stream) if end < at else end + 2
    return b"".join([*kept, stream[at:end]]), b"".join([*extra, stream[end:]]).rstrip(b"\0")


def _whole(header: Level, tag: int, missing: int) -> int:
    try:
        return int(header[tag].text.split("\\")[0])
    except (KeyError, ValueError):
        return missing
