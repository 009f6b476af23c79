"""One identified series becomes one clean folder, whole or not at all.

    sourcedata/sub-<pseudonym>/ses-<visit>/<contrast>_<series number>/0001.dcm … series.json

The folder is built beside its place and takes its name once everything is on disk; a series whose
source has not changed is left as it is.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracerless.core.people import SessionKey
from tracerless.deidentify import Refusal
from tracerless.deidentify.keys import source_digest
from tracerless.deidentify.removed import Removed
from tracerless.deidentify.values import Audit
from tracerless.io import asl_facts, contrast, dicom_read
from tracerless.io.atomic import PARTIAL_PREFIX, write_json
from tracerless.io.bids import session_folder
from tracerless.workspace.ingest_instance import CleanFile, NotUnrolledError, Task, clean_file
from tracerless.workspace.ingest_values import Border, Crossing, Named

SIDECAR = "series.json"
ENGINE = 3
"""Raised when the same source and policy give other bytes than before."""

_SUFFIXES = ("", *"bcdefghijklmnopqrstuvwxyz")
_LEAST_DIGITS = 4


@dataclass(slots=True)
class _Written:
    """What is gathered while the files of a series are written."""

    digests: list[str] = field(default_factory=list)
    audit: Audit = field(default_factory=lambda: Audit({}))
    removed: set[Removed] = field(default_factory=set, repr=False)
    facts: list[dict[str, Any]] = field(default_factory=list, repr=False)
    n_instances: int = 0
    n_unrolled: int = 0


def unchanged(named: Named, folder: Path, border: Border, sources: str) -> Crossing | None:
    """That the series is over the border already; None when it has to be written (again).

    Args:
        named: the series.
        folder: its place.
        border: the border.
        sources: digest of its files' bytes where that is known without reading them, else empty.
    """
    record = record_of(folder)
    if not record or n_files(folder) != record.get("n_instances"):
        return None
    sources = sources or sources_of(named, border)
    if record.get("fingerprint") != fingerprint(named, border, sources):
        return None
    return Crossing(named, folder=folder, sources=sources, audit=record["audit"])


def stage(named: Named, key: SessionKey, border: Border, folder: Path) -> Crossing:
    """Write the clean series beside its place.

    Raises:
        StorageError: the disk refused.
    """
    staging = border.sourcedata / f"{PARTIAL_PREFIX}{key}_{folder.name}"
    try:
        written = _written(named, key, border, staging)
        if isinstance(written, Refusal):
            shutil.rmtree(staging, ignore_errors=True)
            return Crossing(named, refusal=written)
        sources = source_digest(border.keys.source, *written.digests)
        record = _sidecar(named, border, written, fingerprint(named, border, sources))
        write_json(staging / SIDECAR, record)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return Crossing(
        named,
        folder=folder,
        staging=staging,
        sources=sources,
        audit=written.audit.plain(),
        removed=frozenset(written.removed),
        facts=tuple(written.facts),
        is_unrolled=written.n_unrolled > 0,
    )


def add_to_record(staging: Path, more: Mapping[str, Any]) -> None:
    """Write more into the record of a staged series."""
    write_json(staging / SIDECAR, {**record_of(staging), **more})


def take_place(crossing: Crossing) -> None:
    """Give the finished folder its name; an older one of that name goes."""
    staging, folder = crossing.staging, crossing.folder
    if staging is None or folder is None:
        return
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


def discard(crossings: Iterable[Crossing]) -> None:
    """Remove what waits for its place and will not get it."""
    for each in crossings:
        if each.staging is not None:
            shutil.rmtree(each.staging, ignore_errors=True)


def clear_staging(sourcedata: Path) -> None:
    """Remove what killed commands left half-written."""
    for left in sourcedata.glob(f"{PARTIAL_PREFIX}*"):
        if left.is_dir():
            shutil.rmtree(left)


def folder_of(named: Named, key: SessionKey, border: Border, taken: Iterable[Path] = ()) -> Path:
    """The series' own folder: of those with its name, the one it already has, or the next free.

    Args:
        named: the series.
        key: its session.
        border: the border.
        taken: places given to other series of the session that are not written yet.
    """
    series, taken = named.series, set(taken)
    session = session_folder(border.sourcedata, key)
    name = f"{series.contrast}_{series.series_number:03d}"
    for suffix in _SUFFIXES:
        folder = session / f"{name}{suffix}"
        is_own = record_of(folder).get("identity", named.identity) == named.identity
        if is_own and folder not in taken:
            return folder
    return session / f"{name}{named.identity}"


def record_of(folder: Path) -> Mapping[str, Any]:
    """What is recorded of a series in that folder; empty when there is none."""
    path = folder / SIDECAR
    if not path.is_file():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    return record if isinstance(record, dict) else {}


def policies(sourcedata: Path) -> dict[str, str]:
    """Digest of the policy that made each series of a dataset, by identity."""
    records = (record_of(path.parent) for path in sourcedata.glob(f"sub-*/ses-*/*/{SIDECAR}"))
    return {str(r.get("identity")): str(r.get("profile_digest")) for r in records}


def n_files(folder: Path) -> int:
    """How many instances lie in a folder."""
    return sum(1 for _ in folder.glob("*.dcm"))


def fingerprint(named: Named, border: Border, sources: str) -> str:
    """Changes with any byte of the source, the policy, or the contrast that was decided."""
    parts = (str(ENGINE), border.profile.digest, str(named.series.contrast), sources)
    return source_digest(border.keys.source, *parts)


def sources_of(named: Named, border: Border) -> str:
    """Digest of the bytes of a series' files, in order; empty where one cannot be read."""
    digests = []
    try:
        for path in named.series.files:
            with path.open("rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError:
        return ""
    return source_digest(border.keys.source, *digests)


def _written(named: Named, key: SessionKey, border: Border, staging: Path) -> _Written | Refusal:
    """Write every instance; mosaics become slices where all of them say how."""
    try:
        return _write(named, key, border, staging, unrolled=True)
    except NotUnrolledError:
        return _write(named, key, border, staging, unrolled=False)


def _write(
    named: Named, key: SessionKey, border: Border, staging: Path, *, unrolled: bool
) -> _Written | Refusal:
    """Clean every instance into ``staging``; the first that may not cross stops the series.

    Raises:
        NotUnrolledError: ``unrolled`` is asked for, and a mosaic does not say how.
    """
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    series, written = named.series, _Written()
    has_blocks = border.profile.faces == "remove"
    task = Task(
        border, border.person(key), series.contrast, len(series.files), unrolled, has_blocks
    )
    for number, path in enumerate(series.files, start=1):
        made = clean_file(path, number, task)
        if isinstance(made, Refusal):
            return Refusal(made.kind, f"Instance {number}: {made.text}")
        _keep(made, written, staging, task)
        if 0 < written.n_unrolled < number:
            raise NotUnrolledError
    return written


def _keep(made: CleanFile, written: _Written, staging: Path, task: Task) -> None:
    """Write what one file became, and note what was done."""
    width = max(_LEAST_DIGITS, len(str(task.n_files * len(made.contents))))
    for content in made.contents:
        written.n_instances += 1
        (staging / f"{written.n_instances:0{width}d}.dcm").write_bytes(content)
    written.digests.append(made.digest)
    written.audit = written.audit + made.audit
    written.removed |= made.removed
    written.facts.append(made.fact)
    written.n_unrolled += made.is_unrolled


def _sidecar(named: Named, border: Border, written: _Written, mark: str) -> dict[str, Any]:
    series = named.series
    return {
        "contrast": str(series.contrast),
        "reason": series.reason,
        "confidence": contrast.confidence(series.contrast, series.reason),
        "technical": asl_facts.before_border(series.files, series.contrast),
        "modality": series.modality,
        "series_number": series.series_number,
        "n_frames": written.n_instances if written.n_unrolled else series.n_frames,
        "n_instances": written.n_instances,
        "problems": sorted({problem.kind for problem in series.problems}),
        "profile": border.profile.name,
        "profile_digest": border.profile.digest,
        "identity": named.identity,
        "fingerprint": mark,
        "unrolled": written.n_unrolled,
        "prior_claim": named.damage is not None,
        "audit": written.audit.plain(),
    }


def said(staging: Path) -> dict[str, Any]:
    """What the objects say of themselves: whether they were made, and what was done to them."""
    header = dicom_read.read(min(staging.glob("*.dcm")))
    if isinstance(header, dicom_read.Rejection):
        return {"is_synthetic": False, "codes": []}
    done = header.get("DeidentificationMethodCodeSequence") or ()
    return {
        "is_synthetic": header.get("SyntheticData") == "YES",
        "codes": [str(item.CodeValue) for item in done],
    }
