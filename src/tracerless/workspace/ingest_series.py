"""One identified series becomes one clean folder, whole or not at all.

    sourcedata/sub-<pseudonym>/ses-<visit>/<contrast>_<series number>/0001.dcm … series.json

The folder is built beside its place and takes its name once everything is on disk; a series whose
source has not changed is left as it is.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracerless import deidentify
from tracerless.core.people import SessionKey
from tracerless.core.source import SourceSeries
from tracerless.deidentify import CleanIdentity, Keys, Profile, Refusal
from tracerless.deidentify.keys import source_digest
from tracerless.deidentify.values import Audit
from tracerless.io import dicom_read
from tracerless.io.atomic import PARTIAL_PREFIX, disk_errors, flush_all, write_json
from tracerless.io.bids import session_folder

SIDECAR = "series.json"
ENGINE = 1
"""Raised when the same source and policy give other bytes than before."""

_SUFFIXES = ("", *"bcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Named:
    """A series with the digest that knows it again in a later batch."""

    series: SourceSeries
    identity: str


@dataclass(frozen=True, slots=True)
class Border:
    """What every crossing needs: where to, by which policy, under which keys."""

    root: Path
    profile: Profile
    keys: Keys

    @property
    def sourcedata(self) -> Path:
        """Where clean series lie."""
        return self.root / "sourcedata"


@dataclass(frozen=True, slots=True)
class Crossing:
    """What became of one series: written now, written before, or refused."""

    folder: Path | None
    is_new: bool
    audit: Audit
    refusal: Refusal | None = None


def cross(named: Named, key: SessionKey, border: Border) -> Crossing:
    """Bring one series over the border, or find that it is over already.

    Raises:
        StorageError: the disk refused; nothing half-written keeps the series' name.
    """
    folder = _folder(named, key, border)
    fingerprint = _fingerprint(named, border)
    record = _record(folder)
    if record.get("fingerprint") == fingerprint and _n_files(folder) == record.get("n_instances"):
        return Crossing(folder, is_new=False, audit=Audit(record["audit"]))
    staging = border.sourcedata / f"{PARTIAL_PREFIX}{key}_{folder.name}"
    with disk_errors(border.sourcedata):
        try:
            audit = _write(named, key, border, staging)
            if isinstance(audit, Refusal):
                return Crossing(None, is_new=False, audit=Audit({}), refusal=audit)
            record = _sidecar(named, border, fingerprint, audit)
            record["is_synthetic"] = _is_synthetic(staging)
            write_json(staging / SIDECAR, record)
            _take_place(staging, folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Crossing(folder, is_new=True, audit=audit)


def clear_staging(sourcedata: Path) -> None:
    """Remove what killed commands left half-written."""
    for left in sourcedata.glob(f"{PARTIAL_PREFIX}*"):
        if left.is_dir():
            shutil.rmtree(left)


def _folder(named: Named, key: SessionKey, border: Border) -> Path:
    """The series' own folder: of those with its name, the one it already has, or the next free."""
    series = named.series
    session = session_folder(border.sourcedata, key)
    name = f"{series.contrast}_{series.series_number:03d}"
    for suffix in _SUFFIXES:
        folder = session / f"{name}{suffix}"
        if _record(folder).get("identity", named.identity) == named.identity:
            return folder
    return session / f"{name}{named.identity}"


def _record(folder: Path) -> Mapping[str, Any]:
    path = folder / SIDECAR
    if not path.is_file():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    return record if isinstance(record, dict) else {}


def _n_files(folder: Path) -> int:
    return len(list(folder.glob("*.dcm")))


def _fingerprint(named: Named, border: Border) -> str:
    """Changes with any byte of the source, the policy, or the contrast that was decided."""
    digests = []
    for path in named.series.files:
        with path.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    parts = (str(ENGINE), border.profile.digest, str(named.series.contrast), *digests)
    return source_digest(border.keys.source, *parts)


def _write(named: Named, key: SessionKey, border: Border, staging: Path) -> Audit | Refusal:
    """Clean every instance into ``staging``; the first that may not cross stops the series."""
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    width = max(4, len(str(len(named.series.files))))
    total = Audit({})
    for number, path in enumerate(named.series.files, start=1):
        dataset = dicom_read.read(path, pixels=True)
        if isinstance(dataset, dicom_read.Rejection):
            return Refusal(dataset.kind, f"Instance {number}: {dataset.text}")
        made = deidentify.instance(
            dataset,
            profile=border.profile,
            keys=border.keys,
            person=CleanIdentity(key.person, key.visit),
            contrast=named.series.contrast,
        )
        if isinstance(made, Refusal):
            return Refusal(made.kind, f"Instance {number}: {made.text}")
        content = deidentify.to_bytes(made.dataset)
        (staging / f"{number:0{width}d}.dcm").write_bytes(content)
        total = total + made.audit
    flush_all(staging)
    return total


def _sidecar(named: Named, border: Border, fingerprint: str, audit: Audit) -> dict[str, Any]:
    series = named.series
    return {
        "contrast": str(series.contrast),
        "reason": series.reason,
        "modality": series.modality,
        "series_number": series.series_number,
        "n_frames": series.n_frames,
        "n_instances": len(series.files),
        "problems": sorted({problem.kind for problem in series.problems}),
        "profile": border.profile.name,
        "profile_digest": border.profile.digest,
        "identity": named.identity,
        "fingerprint": fingerprint,
        "audit": audit.plain(),
    }


def _is_synthetic(staging: Path) -> bool:
    """Whether the objects say of themselves that they were made rather than acquired."""
    header = dicom_read.read(min(staging.glob("*.dcm")))
    return not isinstance(header, dicom_read.Rejection) and header.get("SyntheticData") == "YES"


def _take_place(staging: Path, folder: Path) -> None:
    """Give the finished folder its name; an older one of that name goes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging.chmod(0o755)
    if folder.exists():
        old = staging.with_name(staging.name + "-old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        staging.rename(folder)
        shutil.rmtree(old)
    else:
        staging.rename(folder)
