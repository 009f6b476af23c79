"""The one door for DICOM files of unknown origin: a dataset, or a typed rejection.

Whatever a file holds, `read` returns; it never raises on content and never lets memory grow past
the limits below. It inflates nothing that is larger than the limit, looks into no sequence deeper
than the limit, and drops single elements that cannot be parsed.
"""

import contextlib
import logging
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pydicom
from pydicom import config
from pydicom.dataset import Dataset
from pydicom.dataset import FileDataset as PydicomFile
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRLittleEndian

from tracerless.io import dicom_gate
from tracerless.io.tags import MISREAD

MAX_FILE_BYTES = 4 * 2**30
"""A larger file is refused unread."""
MAX_HEADER_BYTES = 64 * 2**20
"""All values before the pixels together; real enhanced objects stay below 20 MB."""
MAX_INFLATED_BYTES = 512 * 2**20
"""What a deflated dataset may expand to."""
MAX_DEPTH = 24
"""Sequences inside sequences; real objects stay below 10."""

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float, double and integer pixel data."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a file is not used: ``kind`` is a stable word, ``text`` one sentence without identifiers.

    Kinds: ``not-dicom``, ``truncated``, ``corrupt``, ``too-large``, ``bomb``, ``nesting``,
    ``transfer-syntax``, ``not-a-volume`` (SR, presentation state, raw, SEG, RT, DICOMDIR),
    ``capture``, ``color``, ``other-modality``, ``unreadable``. ``header`` is what could be read of
    a file that is cut short, else None; it identifies.
    """

    kind: str
    text: str
    header: Dataset | None = field(default=None, repr=False, compare=False)


class _RefusalError(Exception):
    """Carries a rejection out of the parser."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.kind)
        self.rejection = rejection


class _InflateError(Exception):
    """The parser asked for the whole rest of the file, which it does for deflated data only."""


class _Meter:
    """A binary file that counts what is read and refuses to hand out more than a budget."""

    def __init__(self, handle: BinaryIO, budget: int) -> None:
        self._handle = handle
        self._left = budget
        self.name = ""
        self.seek = handle.seek
        self.tell = handle.tell

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; asking for all of them is the sign of deflated data."""
        if size < 0:
            raise _InflateError
        self._left -= size
        if self._left < 0 and size > 8:
            raise _RefusalError(
                Rejection("too-large", f"Header values exceed {MAX_HEADER_BYTES} bytes.")
            )
        return self._handle.read(size)


def read(
    path: Path, *, pixels: bool = False, tags: Sequence[int] | None = None
) -> Dataset | Rejection:
    """The dataset of one file that holds a volume or slice of MR, PET or SPECT, or why not.

    Args:
        path: any file; its name and extension are not looked at.
        pixels: also read the pixel data (still encoded) and check every codestream; without it
            reading stops before the pixels, whose declared size is checked all the same.
        tags: read these elements only (faster); elements that the door itself needs are added.
    """

    def opened() -> Dataset | Rejection:
        with path.open("rb") as handle:
            _refuse_odd_file(os.fstat(handle.fileno()))
            return _read(handle, pixels=pixels, tags=tags)

    return _guarded(opened)


def parse(
    content: bytes, *, pixels: bool = False, tags: Sequence[int] | None = None
) -> Dataset | Rejection:
    """Like `read`, for the bytes of a file that somebody has read already."""
    return _guarded(lambda: _read(BytesIO(content), pixels=pixels, tags=tags))


def _guarded(reading: Callable[[], Dataset | Rejection]) -> Dataset | Rejection:
    """What a reading gives; whatever goes wrong in it is a rejection too."""
    try:
        with _quiet():
            return reading()
    except _RefusalError as refusal:
        return refusal.rejection
    except RecursionError:
        return Rejection("nesting", "Sequences are nested deeper than the parser can follow.")
    except OSError as error:
        return Rejection(
            "unreadable", f"The file cannot be read ({os.strerror(error.errno or 5)})."
        )
    except MISREAD as error:
        return Rejection("corrupt", f"The file cannot be parsed ({type(error).__name__}).")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep pydicom's warnings and log lines in: they quote values, and values identify."""
    chatter = logging.getLogger("pydicom")
    level, mode = chatter.level, config.settings.reading_validation_mode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chatter.setLevel(logging.CRITICAL + 1)
        config.settings.reading_validation_mode = config.IGNORE
        try:
            yield
        finally:
            chatter.setLevel(level)
            config.settings.reading_validation_mode = mode


def _refuse_odd_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _RefusalError(Rejection("unreadable", "Not a regular file."))
    if status.st_size > MAX_FILE_BYTES:
        text = f"{status.st_size} bytes, more than {MAX_FILE_BYTES}."
        raise _RefusalError(Rejection("too-large", text))


def _read(handle: BinaryIO, *, pixels: bool, tags: Sequence[int] | None) -> Dataset | Rejection:
    if not _looks_like_dicom(handle.read(140)):
        return Rejection("not-dicom", "The file is not DICOM.")
    handle.seek(0)
    try:
        dataset = _parse(handle, tags)
    except _InflateError:
        handle = _inflated(handle)
        dataset = _parse(handle, tags)
    start = handle.tell()
    away = dicom_gate.routed_away(dataset)
    if away:
        return Rejection(*away)
    _check_elements(dataset)
    flaw = (
        dicom_gate.without_pixels(handle)
        or dicom_gate.oversized(dataset)
        or dicom_gate.pixel_flaw(handle, dataset)
    )
    if flaw:
        return Rejection(*flaw, header=dataset if flaw[0] == "truncated" else None)
    if not pixels:
        return dataset
    return _with_pixels(handle, start, dataset)


def _looks_like_dicom(start: bytes) -> bool:
    """Whether it has the magic word, or without a preamble begins like a dataset."""
    if start[128:132] == b"DICM":
        return True
    if len(start) < 12:
        return False
    group, element, length = struct.unpack("<HHL", start[:8])
    if group not in (0x0002, 0x0008) or element > 0x0100:
        return start[:2] == b"\0\x08" and start[4:6].isalpha()  # explicit VR big endian
    return (start[4:6].isalpha() and start[4:6].isupper()) or length < 1024


def _parse(handle: BinaryIO, tags: Sequence[int] | None) -> PydicomFile:
    """Everything before the pixels; leaves the handle at the start of the pixel data element."""
    wanted: list[BaseTag | int] | None = None
    if tags is not None:
        wanted = [BaseTag(tag) for tag in {*tags, *dicom_gate.NEEDED}]
    size = handle.seek(0, os.SEEK_END)
    handle.seek(0)
    meter = cast(BinaryIO, _Meter(handle, min(size * 4, MAX_HEADER_BYTES) + 1024))
    dataset = pydicom.filereader.read_partial(
        meter, stop_when=_at_pixels, force=True, specific_tags=wanted
    )
    dataset.buffer = None  # nothing is deferred, so nobody needs the file again
    return dataset


def _at_pixels(tag: BaseTag, *_: object) -> bool:
    return int(tag) >= PIXEL_TAGS[0]


def _inflated(handle: BinaryIO) -> BinaryIO:
    """The same file with its dataset inflated, as explicit VR little endian, within the limit."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    start = b"\0" * 128 + b"DICM"
    syntax = ExplicitVRLittleEndian.encode()
    syntax += b"\0" * (len(syntax) % 2)
    meta = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", len(syntax)) + syntax
    group = struct.pack("<HH2sHL", 0x0002, 0x0000, b"UL", 4, len(meta))
    content = inflater.decompress(handle.read(), MAX_INFLATED_BYTES)
    if inflater.unconsumed_tail:
        text = f"Deflated data expand to more than {MAX_INFLATED_BYTES} bytes."
        raise _RefusalError(Rejection("bomb", text))
    if not inflater.eof:
        raise _RefusalError(Rejection("truncated", "Deflated data end too early."))
    return BytesIO(start + group + meta + content)


def _check_elements(dataset: PydicomFile) -> None:
    """Bound the depth of sequences, parse every element, and drop what cannot be parsed."""
    level: list[Dataset] = [dataset.file_meta, dataset]
    for _ in range(MAX_DEPTH):
        level = [item for parent in level for item in _items(parent)]
        if not level:
            return
    raise _RefusalError(
        Rejection("nesting", f"Sequences are nested deeper than {MAX_DEPTH} levels.")
    )


def _items(parent: Dataset) -> Iterator[Dataset]:
    for tag in list(parent.keys()):
        try:
            element = parent[tag]
            if element.VR == "PN":
                str(element.value)  # decodes the name, once
        except MISREAD as error:
            _log.debug("An element at %s was dropped: %s", tag, type(error).__name__)
            with contextlib.suppress(KeyError):
                del parent[tag]
            continue
        if element.VR == "SQ":
            yield from element.value


def _with_pixels(handle: BinaryIO, start: int, dataset: Dataset) -> Dataset | Rejection:
    """Read the pixel data element too, within the limits that the gate has already checked."""
    handle.seek(start)
    is_implicit, is_little = dataset.original_encoding
    rest = pydicom.filereader.read_dataset(
        handle, bool(is_implicit), bool(is_little), stop_when=_past_pixels, defer_size=None
    )
    for tag in PIXEL_TAGS:
        if tag in rest:
            dataset[tag] = rest[tag]
    flaw = dicom_gate.codestream_flaw(dataset)
    return Rejection(*flaw) if flaw else dataset


def _past_pixels(tag: BaseTag, *_: object) -> bool:
    return int(tag) > PIXEL_TAGS[2]
