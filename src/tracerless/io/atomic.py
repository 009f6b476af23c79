"""Writing that is either finished or was never there."""

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracerless.core.errors import StorageError

PARTIAL_PREFIX = ".partial-"
"""Files that a killed process left behind carry this prefix; nothing reads them."""

_DISK_REFUSES = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name once the block ends well.

    The content is flushed to disk before the name changes, so a reader finds the old file, the
    whole new one, or none. The temporary name keeps every suffix of ``path``.

    Raises:
        StorageError: the disk is full, over quota, or read-only; nothing is left behind.
    """
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=PARTIAL_PREFIX, suffix="-" + path.name, dir=path.parent
        )
        os.close(handle)
    partial = Path(name)
    try:
        with disk_errors(path.parent):
            yield partial
            partial.chmod(0o644)
            flush(partial)
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn a refusal of the disk into one sentence.

    Raises:
        StorageError: the disk is full, over quota, or read-only.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, StorageError) or error.errno not in _DISK_REFUSES:
            raise
        raise StorageError(
            f"The disk refused to write into {place} ({os.strerror(error.errno or 0)}).",
            hint="Free space or choose another place, then run the same command again.",
        ) from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write the whole content, or nothing."""
    with atomic(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write the whole text as UTF-8, or nothing."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON with sorted keys, or nothing."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def remove_partials(folder: Path) -> int:
    """Delete what killed processes left below ``folder``; how many."""
    left = [p for p in folder.rglob(PARTIAL_PREFIX + "*") if p.is_file()]
    for partial in left:
        partial.unlink(missing_ok=True)
    return len(left)


def flush(path: Path) -> None:
    """Have the disk hold a file before its name changes."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_all(folder: Path) -> None:
    """Have the disk hold every file below ``folder``; at once this costs less than one by one."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            flush(path)
