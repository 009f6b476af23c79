"""One piece of a file judged by the very code that judges whole files: slow, but asked only once.

A piece is one element, one coded item, or the vendor fields of one group, still encoded. It is read
by the reader, walked by `Walk`, and written by the writer, as if it were all there is.
"""

import contextlib
import logging
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from io import BytesIO

from pydicom import Dataset, config
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

from tracerless.deidentify.removed import Removed
from tracerless.deidentify.splice_scan import MAX_DEPTH, UnusualError, elements
from tracerless.deidentify.walk import TooDeepError, Walk

Counts = tuple[tuple[tuple[str, str], int], ...]
"""How often each (action, keyword) happened."""

Part = tuple[bytes, Counts, frozenset[Removed]]
"""(what is written for a piece, what was done to it, what of it does not cross)."""

NOTHING: frozenset[Removed] = frozenset()

_IS_HUSHED: ContextVar[bool] = ContextVar("_IS_HUSHED", default=False)

MISREAD = (
    ArithmeticError, AssertionError, AttributeError, BufferError, BytesLengthException, EOFError,
    InvalidDicomError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    struct.error,
)  # fmt: skip
"""What reading or writing a hostile piece can be expected to raise."""


def parsed(piece: bytes, around: Mapping[int, bytes], *, implicit: bool, depth: int = 0) -> Dataset:
    """The elements of a piece, every value converted, what cannot be converted left out.

    Args:
        piece: encoded elements.
        around: encoded elements of the instance that the conversion depends on (character set,
            sign of pixels); not in the result.
        implicit: whether types are left out.
        depth: of the level that the piece lies in.

    Raises:
        UnusualError: the reader stumbles, or sequences are nested too deep.
    """
    with hush(), _lenient():
        try:
            whole = BytesIO(b"".join((*around.values(), piece)))
            dataset = read_dataset(
                whole, is_implicit_VR=implicit, is_little_endian=True, at_top_level=False
            )
            _convert(dataset, MAX_DEPTH - depth)
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


def judged_alone(
    dataset: Dataset, tags: Iterable[int], depth: int, new_walk: Callable[[], Walk]
) -> dict[int, Part]:
    """What becomes of each of some standard elements of a level; not for parts of coded items.

    Args:
        dataset: converted; may hold others, or lack some of them.
        tags: of the elements.
        depth: of the level that they lie in.
        new_walk: gives a walk that counts and gathers for one element alone.

    Raises:
        UnusualError: an element cannot be written, or is nested too deep.
    """
    clean = Dataset()
    done: dict[int, tuple[Counts, frozenset[Removed]]] = {}
    with hush():
        try:
            for tag in tags:
                walk = new_walk()
                element = walk.element(dataset, tag, depth) if tag in dataset else None
                if element is not None:
                    clean.add(element)
                done[tag] = tuple(walk.counts.items()), frozenset(walk.removed)
        except (TooDeepError, *MISREAD) as error:
            raise UnusualError from error
    written = split(encoded(clean))
    return {tag: (written.get(tag, b""), *said) for tag, said in done.items()}


def split(content: bytes) -> dict[int, bytes]:
    """Written elements by tag."""
    found = elements(content, 0, len(content), implicit=False, depth=1)
    return {tag: content[start:stop] for tag, start, _, stop in found}


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


def _convert(dataset: Dataset, deepest: int) -> None:
    """Convert every value at every depth; what cannot be converted goes, as the reader has it."""
    level = [dataset]
    for _ in range(deepest):
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
    if _IS_HUSHED.get():
        yield
        return
    chatter = logging.getLogger("pydicom")
    level = chatter.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chatter.setLevel(logging.CRITICAL + 1)
        token = _IS_HUSHED.set(True)
        try:
            yield
        finally:
            _IS_HUSHED.reset(token)
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
