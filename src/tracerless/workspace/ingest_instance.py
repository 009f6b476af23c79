"""One file crosses: read once, digested, cleaned, unrolled if it is a mosaic, and remembered."""

import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset

from tracerless import deidentify
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, Refusal, splice, unroll
from tracerless.deidentify.engine import silent_reader
from tracerless.deidentify.proof_facts import facts_of
from tracerless.deidentify.removed import Removed
from tracerless.deidentify.values import Audit
from tracerless.io import dicom_read
from tracerless.io.tags import MISREAD
from tracerless.workspace.ingest_values import Border
from tracerless.workspace.verify_iod import n_errors

_META_UID = b"\x02\x00\x03\x00UI"
"""How the SOPInstanceUID in the file meta of a file that we wrote begins."""

_IMAGE_TYPE_WITHIN = 8192
"""ImageType is among the first elements; a mosaic takes the slow way."""


class NotUnrolledError(Exception):
    """A mosaic does not say how its tiles lie: its series crosses as mosaics."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is the same for all files of a series.

    Args:
        border: the border.
        person: who they belong to.
        contrast: what they show.
        n_files: how many they are.
        unrolled: whether mosaics become slices.
        has_blocks: whether facts carry digests of blocks of pixels, for faces that go later.
        series: SeriesInstanceUID past the border, once the first file has it.
        memo: answers that the fast way found in one file and that serve the next.
    """

    border: Border
    person: CleanIdentity
    contrast: Contrast
    n_files: int
    unrolled: bool = True
    has_blocks: bool = False
    series: list[str] = field(default_factory=list, repr=False)
    memo: splice.Memo = field(default_factory=splice.Memo, repr=False)


@dataclass(frozen=True, slots=True)
class CleanFile:
    """What one source file became.

    Args:
        contents: files past the border; several where a mosaic was unrolled.
        digest: SHA-256 of the source.
        audit: what was done to attributes.
        removed: what did not cross; identifies.
        fact: what a proof compares later.
        is_unrolled: whether it was a mosaic and is slices now.
    """

    contents: tuple[bytes, ...]
    digest: str
    audit: Audit
    removed: frozenset[Removed] = field(repr=False)
    fact: dict[str, Any] = field(repr=False)
    is_unrolled: bool = False


def clean_file(path: Path, number: int, task: Task) -> CleanFile | Refusal:
    """One file past the border, or why it stays outside.

    Args:
        path: the source.
        number: its place in the series, from 1: of mosaics, which volume it is.
        task: what is the same for all files of the series.

    Raises:
        NotUnrolledError: a mosaic that cannot be unrolled, where the task asks for it.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return Refusal("unreadable", "The file cannot be read.")
    fast = None if b"MOSAIC" in content[:_IMAGE_TYPE_WITHIN] else _spliced(content, number, task)
    return fast or _parsed(content, number, task)


def _spliced(content: bytes, number: int, task: Task) -> CleanFile | Refusal | None:
    """The fast way: bytes to bytes; None where only the slow way understands the file."""
    made = splice.instance(
        content,
        profile=task.border.profile,
        keys=task.border.keys,
        person=task.person,
        contrast=task.contrast,
        memo=task.memo,
    )
    if made is None or isinstance(made, Refusal):
        return made
    return CleanFile(
        contents=(made.content,),
        digest=hashlib.sha256(content).hexdigest(),
        audit=made.audit,
        removed=made.removed,
        fact=_fact(content, made.content, number, task),
    )


def _parsed(content: bytes, number: int, task: Task) -> CleanFile | Refusal:
    """The way of every file: through the door for files of unknown origin."""
    dataset = dicom_read.parse(content, pixels=True)
    if isinstance(dataset, dicom_read.Rejection):
        return Refusal(dataset.kind, dataset.text)
    made = deidentify.instance(
        dataset,
        profile=task.border.profile,
        keys=task.border.keys,
        person=task.person,
        contrast=task.contrast,
    )
    if isinstance(made, Refusal):
        return made
    whole = deidentify.to_bytes(made.dataset)
    slices = [deidentify.to_bytes(e) for e in _slices(dataset, made.dataset, number, task)]
    if not slices and unroll.is_mosaic(dataset) and not unroll.is_mosaic(made.dataset):
        return Refusal("unreadable", "A mosaic whose tiles are unknown would read as one slice.")
    return CleanFile(
        contents=tuple(slices) or (whole,),
        digest=hashlib.sha256(content).hexdigest(),
        audit=made.audit,
        removed=made.removed,
        fact=_fact(content, whole, number, task),
        is_unrolled=bool(slices),
    )


def _fact(content: bytes, clean: bytes, number: int, task: Task) -> dict[str, Any]:
    """What a proof compares later; errors against its definition are counted in the first file."""
    if number == 1:
        task.series[:] = [_series_uid(clean)]
    return facts_of(
        content,
        uid=_instance_uid(clean),
        series=task.series[0],
        iod_errors=n_errors(content) if number == 1 else None,
        blocks=task.has_blocks,
    ).plain()


def _instance_uid(clean: bytes) -> str:
    """SOPInstanceUID of a file that we wrote, from its file meta."""
    start = clean.index(_META_UID) + len(_META_UID)
    length = int.from_bytes(clean[start : start + 2], "little")
    return clean[start + 2 : start + 2 + length].rstrip(b"\0").decode()


def _series_uid(clean: bytes) -> str:
    header = pydicom.dcmread(BytesIO(clean), specific_tags=["SeriesInstanceUID"])
    return str(header.SeriesInstanceUID)


def _slices(source: Dataset, clean: Dataset, number: int, task: Task) -> list[Dataset]:
    """The slices of a mosaic; nothing where it is none, or its series crosses as it is."""
    if not task.unrolled:
        return []
    with silent_reader():
        if not unroll.is_mosaic(source):
            return []
        layout = unroll.layout(source)
        if layout is None:
            raise NotUnrolledError
        try:
            return unroll.unroll(
                clean, layout, uid_key=task.border.keys.uid, volume=number, n_volumes=task.n_files
            )
        except MISREAD:
            raise NotUnrolledError from None
