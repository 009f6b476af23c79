"""What is in a folder of DICOM."""

import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tracerless.core.errors import DatasetError
from tracerless.core.source import SourceSeries
from tracerless.io import dicom_read, dicom_series
from tracerless.io.atomic import PARTIAL_PREFIX
from tracerless.io.dicom_copies import SeriesKey, key_of
from tracerless.io.header_spool import HeaderSpool
from tracerless.io.headers import SCAN_TAGS, Header, header

Track = Callable[[Iterable[Path], int], Iterable[Path]]
"""Walks the files and shows how far it is; gets their number too."""


_BATCH = 256
"""Files that a worker looks at before it answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Everything found in a folder; its repr and its summary show no identifier.

    Args:
        series: by person, study date, study, series number.
        rejected: how many files were not used, by kind of `dicom_read.Rejection`.
        n_files: files looked at.
        n_copies: files left out because another holds the same instance.
    """

    series: tuple[SourceSeries, ...] = field(repr=False)
    rejected: Mapping[str, int]
    n_files: int
    n_copies: int = 0

    def __post_init__(self) -> None:
        """Lock the counts."""
        object.__setattr__(self, "rejected", MappingProxyType(dict(self.rejected)))

    @property
    def has_problems(self) -> bool:
        """Whether any series has a problem, or a file was broken rather than of another kind."""
        broken = {"truncated", "corrupt", "bomb", "nesting", "too-large", "unreadable"}
        return any(each.problems for each in self.series) or not broken.isdisjoint(self.rejected)

    def summary(self) -> dict[str, Any]:
        """JSON-able; people and studies are numbered, and nothing identifies."""
        people = _numbered(each.person for each in self.series)
        own: dict[str, list[str]] = {}
        for each in self.series:
            own.setdefault(each.person, []).append(each.study)
        studies = {person: _numbered(found) for person, found in own.items()}
        return {
            "n_files": self.n_files,
            "n_people": len(people),
            "n_series": len(self.series),
            "n_copies": self.n_copies,
            "rejected": dict(sorted(self.rejected.items())),
            "series": [
                _row(each, people[each.person], studies[each.person][each.study])
                for each in self.series
            ],
        }


def scan(folder: Path, *, progress: Track | None = None, workers: int = 1) -> Inventory:
    """Look at every file below a folder; names and extensions play no part.

    Args:
        folder: with DICOM anywhere below it, mixed with anything.
        progress: wraps the walk over files, given their number.
        workers: processes that read headers; what is found does not depend on their number.

    Raises:
        DatasetError: the folder is absent or holds no DICOM at all.
    """
    if not folder.is_dir():
        raise DatasetError(
            "The folder to scan does not exist.", hint="Check the path; it must be a folder."
        )
    files = list(_files(folder))
    walk = files if progress is None else progress(files, len(files))
    rejected: Counter[str] = Counter()
    truncated: Counter[SeriesKey] = Counter()
    with HeaderSpool() as spool:
        for _, found in zip(walk, _looks(files, workers), strict=False):
            if isinstance(found, Header):
                spool.add(found)
                continue
            rejected[found.kind] += 1
            if found.key is not None:
                truncated[found.key] += 1
        _require_dicom(len(files), len(spool), rejected)
        series, n_copies = dicom_series.grouped(spool, truncated)
    return Inventory(series, rejected, len(files), n_copies)


@dataclass(frozen=True, slots=True)
class _Unused:
    """A file that is not used, and the series that it was cut from, if it was."""

    kind: str
    key: SeriesKey | None = field(default=None, repr=False)


def _looks(files: Sequence[Path], workers: int) -> Iterator[Header | _Unused]:
    """What is found in every file, in order."""
    if workers <= 1:
        yield from map(_look, files)
        return
    spawn = multiprocessing.get_context("spawn")
    batches = [files[n : n + _BATCH] for n in range(0, len(files), _BATCH)]
    waiting: deque[Future[list[Header | _Unused]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        for batch in batches:
            waiting.append(pool.submit(_look_at_all, batch))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _look_at_all(files: Sequence[Path]) -> list[Header | _Unused]:
    """In a worker."""
    return [_look(path) for path in files]


def _look(path: Path) -> Header | _Unused:
    """The header of one file, or why it is not used."""
    found = dicom_read.read(path, tags=SCAN_TAGS)
    if not isinstance(found, dicom_read.Rejection):
        return header(found, path)
    key = None if found.header is None else key_of(header(found.header, path))
    return _Unused(found.kind, key)


def _files(folder: Path) -> Iterator[Path]:
    """Every regular file below the folder, in a fixed order; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(PARTIAL_PREFIX) and path.is_file():
                yield path


def _require_dicom(n_files: int, n_series: int, rejected: Mapping[str, int]) -> None:
    if n_series or set(rejected) - {"not-dicom"}:
        return
    what = "Empty folder: no file in it" if not n_files else f"None of {n_files} files is DICOM"
    raise DatasetError(
        f"{what}.", hint="Point to the folder into which the scanner or PACS exported."
    )


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: n for n, name in enumerate(dict.fromkeys(names), start=1)}


def _row(series: SourceSeries, person: int, study: int) -> dict[str, Any]:
    return {
        "person": f"person-{person}",
        "study": study,
        "series": series.series_number,
        "modality": series.modality,
        "contrast": series.contrast.value,
        "reason": series.reason,
        "n_files": len(series.files),
        "n_frames": series.n_frames,
        "is_blocked": series.is_blocked,
        "problems": [
            {"kind": each.kind, "text": each.text, "blocking": each.blocking}
            for each in series.problems
        ],
    }
