"""Files of sealed records that grow at their end: the pipeline adds, only the opener reads.

One record: a tag of 8 bytes (a keyed digest that finds a person's records again), the length of the
body (4 bytes, big-endian), and the body, sealed to the opener. A record that a killed command left
half-written ends the file; the next one takes its place.
"""

import contextlib
import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from tracerless.io.atomic import PARTIAL_PREFIX, disk_errors

TAG_BYTES = 8
_HEAD = struct.Struct(f">{TAG_BYTES}sI")

Record = tuple[bytes, bytes]
"""(tag, sealed body)."""


def append(path: Path, records: Iterable[Record], *, start: int | None = None) -> int:
    """Add records and have the disk hold them; how long the file is now, bytes.

    Args:
        path: of the file.
        records: that are added.
        start: where the last whole record ends, for who wrote it; None looks for it.

    Raises:
        StorageError: the disk refused.
    """
    content = b"".join(_HEAD.pack(tag, len(body)) + body for tag, body in records)
    start = whole_bytes(path) if start is None else start
    with disk_errors(path.parent):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as stream:
            stream.truncate(start)
            stream.seek(start)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    return start + len(content)


def read(path: Path, tag: bytes | None = None) -> Iterator[Record]:
    """Whole records in their order, of one tag or all; nothing when there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as stream:
        for own, length in _heads(stream):
            if tag is None or own == tag:
                yield own, stream.read(length)
            else:
                stream.seek(length, os.SEEK_CUR)


def whole_bytes(path: Path) -> int:
    """Length of the file up to the end of its last whole record, bytes."""
    if not path.is_file():
        return 0
    with path.open("rb") as stream:
        end = 0
        for _, length in _heads(stream):
            end = stream.seek(length, os.SEEK_CUR)
    return end


def drop(path: Path, tags: frozenset[bytes]) -> int:
    """Write the file anew without the records of those tags; how many went.

    Raises:
        StorageError: the disk refused; the file is as it was.
    """
    n_dropped = sum(tag in tags for tag, _ in read(path))
    if not n_dropped:
        return 0
    with disk_errors(path.parent):
        handle, name = tempfile.mkstemp(prefix=PARTIAL_PREFIX, dir=path.parent)
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                for tag, body in read(path):
                    if tag not in tags:
                        stream.write(_HEAD.pack(tag, len(body)) + body)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()
    return n_dropped


def _heads(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Tag and length of each whole record; the caller moves past its body."""
    size = os.fstat(stream.fileno()).st_size
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        tag, length = _HEAD.unpack(head)
        if stream.tell() + length > size:
            return
        yield tag, length
