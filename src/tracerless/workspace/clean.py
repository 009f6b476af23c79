"""De-identified series as they lie in ``sourcedata``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracerless.core.errors import DatasetError
from tracerless.core.people import SessionKey
from tracerless.core.recipe import fingerprint
from tracerless.core.volume import EMISSION, Contrast
from tracerless.io.bids import session_folder
from tracerless.io.vault_place import RECORD


@dataclass(frozen=True, slots=True)
class CleanSeries:
    """One de-identified series.

    Args:
        contrast: what it shows, decided at the border.
        files: in order.
        digest: changes with any of them, and with what was read before the border.
        is_synthetic: whether it was made rather than acquired.
        technical: sidecar fields that were read before the border, where headers still held them.
    """

    contrast: Contrast
    files: tuple[Path, ...]
    digest: str
    is_synthetic: bool
    technical: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CleanSession:
    """The de-identified series of one session."""

    key: SessionKey
    series: tuple[CleanSeries, ...]

    @property
    def has_mr(self) -> bool:
        """Whether it holds any MR; SPECT or PET alone cannot be prepared yet."""
        return any(each.contrast not in EMISSION for each in self.series)

    @property
    def digest(self) -> str:
        """Changes when a series is added, removed or replaced."""
        return fingerprint(str(self.key), *(each.digest for each in self.series))


def clean_session(root: Path, key: SessionKey) -> CleanSession:
    """What ``sourcedata`` of the dataset at ``root`` holds of one session.

    Raises:
        DatasetError: the session holds no complete series.
    """
    folder = session_folder(root / "sourcedata", key)
    series = tuple(_series(path.parent) for path in sorted(folder.glob("*/series.json")))
    if not series:
        raise DatasetError(
            f"{key} holds no de-identified series.",
            hint="Run `tracerless deidentify` for it again.",
        )
    return CleanSession(key, series)


def _series(folder: Path) -> CleanSeries:
    record = json.loads((folder / "series.json").read_text(encoding="utf-8"))
    files = tuple(sorted(folder.glob("*.dcm")))
    technical = record.get("technical") or {}
    mark = str(record["fingerprint"])
    return CleanSeries(
        Contrast(record["contrast"]),
        files,
        fingerprint(mark, technical) if technical else mark,
        bool(record.get("is_synthetic")),
        technical,
    )


def keeps_faces(root: Path) -> bool:
    """Whether the policy that the dataset at ``root`` was made by leaves faces as they are."""
    path = root / RECORD
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return bool(record.get("faces") == "keep")


def source_series(root: Path) -> tuple[CleanSeries, ...]:
    """Every de-identified series of the dataset at ``root``."""
    records = sorted((root / "sourcedata").glob("sub-*/ses-*/*/series.json"))
    return tuple(_series(path.parent) for path in records)
