"""Which source files are as they were, without reading them again.

The vault's folder keeps, per series, a keyed digest of where its files lie, their sizes and their
times, and the digest of their bytes. Files that were changed within the last moments before they
were read are not listed: another change in the same moment would go unnoticed.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tracerless.deidentify.keys import source_digest
from tracerless.io import sealed

FILE = "seen.json"

SETTLED_NS = 2_000_000_000
"""A file is listed once it has been left alone for this long."""


@dataclass(slots=True)
class Seen:
    """What is known of source files from earlier batches; holds digests alone."""

    path: Path = field(repr=False)
    key: bytes = field(repr=False)
    known: dict[str, tuple[str, str]] = field(repr=False)
    started_ns: int = field(default_factory=time.time_ns)

    @classmethod
    def open(cls, vault: Path, key: bytes) -> Self:
        """The list in that vault; empty when there is none, or it cannot be read."""
        path = vault / FILE
        try:
            known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
            return cls(path, key, {name: (str(a), str(b)) for name, (a, b) in known.items()})
        except (ValueError, TypeError, AttributeError):
            return cls(path, key, {})

    def sources(self, identity: str, files: Iterable[Path]) -> str:
        """Digest of the bytes of a series' files when they are as they were; else empty."""
        stat, sources = self.known.get(identity, ("", ""))
        return sources if sources and stat == self._stat(files)[0] else ""

    def note(self, identity: str, files: Iterable[Path], sources: str) -> None:
        """Remember what was read, unless a file was changed moments before this batch began."""
        stat, newest_ns = self._stat(files)
        if stat and newest_ns < self.started_ns - SETTLED_NS:
            self.known[identity] = (stat, sources)
        else:
            self.known.pop(identity, None)

    def save(self) -> None:
        """Write the list for its owner's eyes alone."""
        sealed.write_private(self.path, json.dumps(self.known, sort_keys=True).encode())

    def _stat(self, files: Iterable[Path]) -> tuple[str, int]:
        """Digest of places, sizes and times; the newest time. Nothing where a file is gone."""
        parts, newest_ns = [], 0
        try:
            for path in files:
                found = path.stat()
                times = (found.st_mtime_ns, found.st_ctime_ns)
                newest_ns = max(newest_ns, *times)
                parts += [
                    str(path.absolute()),
                    str(found.st_size),
                    str(found.st_ino),
                    *map(str, times),
                ]
        except OSError:
            return "", 0
        return source_digest(self.key, "seen", *parts), newest_ns
