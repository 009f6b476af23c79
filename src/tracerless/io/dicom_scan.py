"""What is in a folder of DICOM."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tracerless.core.errors import DatasetError
from tracerless.core.source import SourceSeries
from tracerless.io import dicom_read, dicom_series
from tracerless.io.atomic import PARTIAL_PREFIX
from tracerless.io.headers import SCAN_TAGS, Header, header

Track = Callable[[Iterable[Path], int], Iterable[Path]]
"""Walks the files and shows how far it is; gets their number too."""


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """Everything found in a folder; its repr and its summary show no identifier.

    Args:
        series: by person, study date, study, series number.
        rejected: how many files were not used, by kind of `dicom_read.Rejection`.
        n_files: files looked at.
    """

    series: tuple[SourceSeries, ...] = field(repr=False)
    rejected: Mapping[str, int]
    n_files: int

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
        studies = {
            person: _numbered(s.study for s in self.series if s.person == person)
            for person in people
        }
        return {
            "n_files": self.n_files,
            "n_people": len(people),
            "n_series": len(self.series),
            "rejected": dict(sorted(self.rejected.items())),
            "series": [
                _row(each, people[each.person], studies[each.person][each.study])
                for each in self.series
            ],
        }


def scan(folder: Path, *, progress: Track | None = None) -> Inventory:
    """Look at every file below a folder; names and extensions play no part.

    Args:
        folder: with DICOM anywhere below it, mixed with anything.
        progress: wraps the walk over files, given their number.

    Raises:
        DatasetError: the folder is absent or holds no DICOM at all.
    """
    if not folder.is_dir():
        raise DatasetError(
            "The folder to scan does not exist.", hint="Check the path; it must be a folder."
        )
    files = list(_files(folder))
    walk = files if progress is None else progress(files, len(files))
    headers: list[Header] = []
    rejected: Counter[str] = Counter()
    truncated: Counter[dicom_series.SeriesKey] = Counter()
    for path in walk:
        found = dicom_read.read(path, tags=SCAN_TAGS)
        if not isinstance(found, dicom_read.Rejection):
            headers.append(header(found, path))
            continue
        rejected[found.kind] += 1
        if found.header is not None:
            truncated[dicom_series.key_of(header(found.header, path))] += 1
    _require_dicom(len(files), headers, rejected)
    return Inventory(dicom_series.group(headers, truncated), rejected, len(files))


def _files(folder: Path) -> Iterator[Path]:
    """Every regular file below the folder, in a fixed order; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(PARTIAL_PREFIX) and path.is_file():
                yield path


def _require_dicom(n_files: int, headers: list[Header], rejected: Mapping[str, int]) -> None:
    if headers or set(rejected) - {"not-dicom"}:
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
