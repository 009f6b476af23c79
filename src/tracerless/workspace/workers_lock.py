"""Several commands at one dataset at a time: none sweeps away what another is writing.

Values are written under a temporary name and then renamed, and two commands that make the same
value make the same bytes, so commands on many machines may share a dataset. Only the sweeping up of
what killed commands left half-written must wait until nobody is at work.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from tracerless.workspace.dataset import Dataset


@contextlib.contextmanager
def at_work(dataset: Dataset) -> Iterator[bool]:
    """Be at work on a dataset; whoever comes alone sweeps up first, and gets True.

    The lock is on the dataset's folder itself, so that no file of it lies about, and ends with the
    process, however that ends. Where the disk knows no locks nothing is swept.
    """
    handle = os.open(dataset.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        is_alone = _lock(handle, fcntl.LOCK_EX)
        if is_alone:
            dataset.clean_partials()
        _lock(handle, fcntl.LOCK_SH)
        yield is_alone
    finally:
        os.close(handle)


def _lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
