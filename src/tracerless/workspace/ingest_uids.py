"""Which instances lie in which series of earlier batches: one identity never crosses twice.

``instances.bin`` in the vault's folder holds, per instance, eight bytes of a digest of its keyed
UID and eight bytes of a digest of its series' identity. It grows at its end; what a killed command
left half-written is passed over.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tracerless.io.atomic import disk_errors

FILE = "instances.bin"

_ROW = 16

Rows = NDArray[np.uint64]
"""(instances, 2): mark of the instance, mark of its series; in order."""


@dataclass(slots=True)
class Instances:
    """Instances of earlier batches; holds marks alone."""

    path: Path = field(repr=False)
    rows: Rows = field(repr=False)

    @classmethod
    def open(cls, vault: Path) -> Self:
        """Those that the vault knows; none when it is new."""
        path = vault / FILE
        content = path.read_bytes() if path.is_file() else b""
        whole = content[: len(content) // _ROW * _ROW]
        rows = np.frombuffer(whole, dtype="<u8").reshape(-1, 2)
        return cls(path, np.unique(rows, axis=0).astype(np.uint64))

    def n_elsewhere(self, identity: str, uids: Iterable[str], present: Iterable[str]) -> int:
        """How many instances of a series lie in another one.

        Args:
            identity: of the series.
            uids: of its instances, past the border.
            present: identities of all series that lie in the dataset.
        """
        wanted = np.array(sorted({_mark(uid) for uid in uids}), dtype=np.uint64)
        others = {_mark(each) for each in present if each != identity}
        found = self.rows[np.isin(self.rows[:, 0], wanted)]
        shared = found[np.isin(found[:, 1], np.array(sorted(others), dtype=np.uint64))]
        return len(np.unique(shared[:, 0]))

    def add(self, identity: str, uids: Iterable[str]) -> None:
        """Note where instances lie; on disk before their series takes its place.

        Raises:
            StorageError: the disk refused.
        """
        series = _mark(identity)
        rows = np.array([(_mark(uid), series) for uid in uids], dtype="<u8")
        with disk_errors(self.path.parent):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.lseek(handle, os.fstat(handle).st_size // _ROW * _ROW, os.SEEK_SET)
                os.write(handle, rows.tobytes())
                os.fsync(handle)
            finally:
                os.close(handle)


def _mark(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
