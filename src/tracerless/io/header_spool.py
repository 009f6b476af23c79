"""Headers of a scan, kept by series in an unnamed file: memory does not grow with their number."""

import hashlib
import pickle
import tempfile
from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Self

import numpy as np

from tracerless.io.dicom_copies import SeriesKey, key_of
from tracerless.io.headers import Header


class HeaderSpool:
    """Takes headers in any order and gives them back series by series.

    The file has no name, so nobody else can read it, and it goes when the block ends. In memory
    are, per file, where its header lies and eight bytes that tell its instance from others.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `__exit__` closes it
        self._places: dict[SeriesKey, array[int]] = {}
        self._numbers: dict[SeriesKey, int] = {}
        self._instances, self._series = array("Q"), array("L")

    def __enter__(self) -> Self:
        """The spool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the file go."""
        self._file.close()

    def add(self, header: Header) -> None:
        """Keep one header."""
        key = key_of(header)
        self._places.setdefault(key, array("Q")).append(self._file.tell())
        number = self._numbers.setdefault(key, len(self._numbers))
        if header.instance:
            self._instances.append(_mark(header.instance))
            self._series.append(number)
        pickle.dump(header, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[SeriesKey]:
        """Series in the order in which they were met."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many series."""
        return len(self._places)

    def members(self, key: SeriesKey) -> list[Header]:
        """Headers of one series in the order in which they were met."""
        end = self._file.seek(0, 2)
        found = []
        for place in self._places[key]:
            self._file.seek(place)
            found.append(pickle.load(self._file))  # noqa: S301 - a file that only we could write
        self._file.seek(end)
        return found

    def shared(self) -> dict[SeriesKey, set[str]]:
        """By series, the instances that stand in another series too."""
        marks = np.frombuffer(self._instances, dtype=np.uint64)
        series = np.frombuffer(self._series, dtype=f"u{self._series.itemsize}")
        order = np.lexsort((series, marks))
        marks, series = marks[order], series[order]
        differs = (marks[1:] == marks[:-1]) & (series[1:] != series[:-1])
        suspects = {int(mark) for mark in marks[1:][differs]}
        numbers = {int(n) for n in series[np.isin(marks, list(suspects))]} if suspects else set()
        homes: dict[str, set[SeriesKey]] = defaultdict(set)
        for key in (key for key, number in self._numbers.items() if number in numbers):
            for header in self.members(key):
                if header.instance and _mark(header.instance) in suspects:
                    homes[header.instance].add(key)
        found: dict[SeriesKey, set[str]] = defaultdict(set)
        for instance, keys in homes.items():
            for key in keys if len(keys) > 1 else ():
                found[key].add(instance)
        return dict(found)


def _mark(instance: str) -> int:
    """Eight bytes of a digest."""
    return int.from_bytes(hashlib.sha256(instance.encode()).digest()[:8], "big")
