"""One piece of a file judged by the very code that judges whole files: slow, but asked only once.

A piece is one element, one coded item, or the vendor fields of one group, still encoded. It is read
by the reader, walked by `Walk`, and written by the writer, as if it were all there is.
"""

import contextlib
import logging
import struct
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO

from pydicom import Dataset, config
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from tracerless.deidentify.removed import Removed
from tracerless.deidentify.splice_scan import MAX_DEPTH, UnusualError
from tracerless.deidentify.walk import TooDeepError, Walk

Counts = tuple[tuple[tuple[str, str], int], ...]
"""How often each (action, keyword) happened."""

Part = tuple[bytes, Counts, frozenset[Removed]]
"""(what is written for a piece, what was done to it, what of it does not cross)."""

NOTHING: frozenset[Removed] = frozenset()

MISREAD = (
    ArithmeticError, AssertionError, AttributeError, BufferError, BytesLengthException, EOFError,
    InvalidDicomError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    struct.error,
)  # fmt: skip
"""What reading or writing a hostile piece can be expected to raise."""


def parsed(piece: bytes, around: Mapping[int, bytes], *, implicit: bool) -> Dataset:
    """The elements of a piece, every value converted, what cannot be converted left out.

    Args:
        piece: encoded elements.
        around: encoded elements of the instance that the conversion depends on (character set,
            sign of pixels); not in the result.
        implicit: whether types are left out.

    Raises:
        UnusualError: the reader stumbles, or sequences are nested too deep.
    """
    with hush(), _lenient():
        try:
            whole = BytesIO(b"".join((*around.values(), piece)))
            dataset = read_dataset(
                whole, is_implicit_VR=implicit, is_little_endian=True, at_top_level=False
            )
            _convert(dataset)
            for tag in around:
                dataset.pop(tag, None)
        except MISREAD as error:
            raise UnusualError from error
    return dataset


def judged(dataset: Dataset, depth: int, walk: Walk) -> Part:
    """What becomes of a piece.

    Args:
        dataset: as `parsed` gives it.
        depth: of the level that it lies in.
        walk: new; counts and gathers for this piece alone.

    Raises:
        UnusualError: the piece cannot be written, or is nested too deep.
    """
    with hush():
        try:
            clean = walk.level(dataset, depth)
        except (TooDeepError, *MISREAD) as error:
            raise UnusualError from error
    return encoded(clean), tuple(walk.counts.items()), frozenset(walk.removed)


def judged_alone(dataset: Dataset, tag: int, walk: Walk) -> Part:
    """What becomes of one standard element of the top level.

    Args:
        dataset: converted; may hold others, or not the element any more.
        tag: of the element.
        walk: new; counts and gathers for this element alone.

    Raises:
        UnusualError: the element cannot be written, or is nested too deep.
    """
    clean = Dataset()
    if tag not in dataset:
        return b"", (), NOTHING
    with hush():
        try:
            element = walk.element(dataset, tag, 0)
            if element is not None:
                clean.add(element)
        except (TooDeepError, *MISREAD) as error:
            raise UnusualError from error
    return encoded(clean), tuple(walk.counts.items()), frozenset(walk.removed)


def encoded(clean: Dataset) -> bytes:
    """The bytes of clean elements, explicit little endian, texts in UTF-8.

    Raises:
        UnusualError: a value cannot be written as its type.
    """
    if any(" or " in str(element.VR) for element in clean.elements()):
        raise UnusualError
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    with hush():
        try:
            write_dataset(buffer, clean, "ISO_IR 192")
        except MISREAD as error:
            raise UnusualError from error
    return buffer.getvalue()


def _convert(dataset: Dataset) -> None:
    """Convert every value at every depth; what cannot be converted goes, as the reader has it."""
    level = [dataset]
    for _ in range(MAX_DEPTH):
        level = [item for parent in level for item in _items(parent)]
        if not level:
            return
    raise UnusualError


def _items(parent: Dataset) -> Iterator[Dataset]:
    for tag in list(parent.keys()):
        try:
            element = parent[tag]
            if element.VR == "PN":
                str(element.value)
        except MISREAD:
            with contextlib.suppress(KeyError):
                del parent[tag]
            continue
        if element.VR == "SQ":
            yield from element.value


@contextlib.contextmanager
def hush() -> Iterator[None]:
    """Reader and writer keep silent: they quote values, and values identify.

    To silence them takes longer than to judge a piece, so whoever judges many does it once around
    all of them; inside, this does nothing.
    """
    chatter = logging.getLogger("pydicom")
    level = chatter.level
    if level > logging.CRITICAL:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chatter.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            chatter.setLevel(level)


@contextlib.contextmanager
def _lenient() -> Iterator[None]:
    """The reader as lenient as at the door for files."""
    mode = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        yield
    finally:
        config.settings.reading_validation_mode = mode
