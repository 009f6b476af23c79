"""Values of DICOM elements that never raise: absent, empty and unreadable are one thing."""

import functools
import math
import struct
import zlib
from typing import Any

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

MISREAD = (
    ArithmeticError, AssertionError, AttributeError, BufferError, BytesLengthException, EOFError,
    InvalidDicomError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
    struct.error, zlib.error,
)  # fmt: skip
"""Everything that parsing hostile bytes with pydicom has been seen or can be expected to raise."""


def value(dataset: Dataset, keyword: str | int) -> Any:
    """The value as pydicom gives it, or None where it is absent, empty or unreadable."""
    try:
        found = dataset[_tag(keyword)].value
    except MISREAD:
        return None
    return None if isinstance(found, str | bytes | MultiValue | list) and not found else found


@functools.cache
def _tag(keyword: str | int) -> BaseTag:
    """The tag of a keyword, looked up once."""
    return Tag(keyword)


def words(dataset: Dataset, keyword: str | int) -> tuple[str, ...]:
    """Every value as text, upper case, without padding."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    many = found if isinstance(found, MultiValue | list | tuple) else (found,)
    return tuple(str(each).strip().upper() for each in many)


def text(dataset: Dataset, keyword: str | int) -> str:
    """The value as one line of text without padding; several values joined by a backslash."""
    found = value(dataset, keyword)
    if found is None:
        return ""
    many = found if isinstance(found, MultiValue | list | tuple) else (found,)
    return "\\".join(str(each).strip("\0 ") for each in many)


def numbers(dataset: Dataset, keyword: str | int) -> tuple[float, ...]:
    """Every value as a finite float; nothing where one of them is no number."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    many = found if isinstance(found, MultiValue | list | tuple) else (found,)
    try:
        floats = tuple(float(each) for each in many)
    except MISREAD:
        return ()
    return floats if all(math.isfinite(each) for each in floats) else ()


def number(dataset: Dataset, keyword: str | int) -> float | None:
    """The first value as a finite float, or None."""
    return next(iter(numbers(dataset, keyword)), None)


def whole(dataset: Dataset, keyword: str | int, default: int = 0) -> int:
    """The first value as a whole number, or the default."""
    found = number(dataset, keyword)
    return default if found is None else int(found)


def items(dataset: Dataset, keyword: str | int) -> tuple[Dataset, ...]:
    """The items of a sequence; nothing where it is absent or no sequence."""
    found = value(dataset, keyword)
    try:
        return tuple(each for each in found or () if isinstance(each, Dataset))
    except MISREAD:
        return ()


def private(dataset: Dataset, group: int, creator: str, offset: int) -> Any:
    """The value of a private element found by its creator, or None."""
    try:
        return dataset.private_block(group, creator)[offset].value
    except MISREAD:
        return None
