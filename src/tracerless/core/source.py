"""Identified series: they exist only between reading and de-identification."""

from dataclasses import dataclass, field
from pathlib import Path

from tracerless.core.errors import DicomError
from tracerless.core.volume import Contrast


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a series: ``kind`` is a stable word, ``text`` one sentence.

    Kinds: ``gap``, ``duplicate``, ``geometry``, ``truncated``, ``units``, ``orientation``,
    ``unknown``.
    A ``blocking`` problem keeps the series out of the dataset until it is mended.
    """

    kind: str
    text: str
    blocking: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SourceSeries:
    """One series as a scanner or archive exported it; its repr shows no identifier.

    Args:
        files: in the order of instances (slice, then time).
        contrast: decided once, before de-identification, from technical tags and names.
        reason: why that contrast, in words without identifiers.
        modality: MR, PT or NM.
        sop_class: SOP Class UID.
        series_number: as the scanner numbered it; 0 when absent.
        n_frames: images in all files together.
        person: PatientID with its issuer; identifies.
        study: StudyInstanceUID; identifies.
        study_date: YYYYMMDD or empty; identifies.
        problems: what is wrong with it.
    """

    files: tuple[Path, ...] = field(repr=False)
    contrast: Contrast
    reason: str
    modality: str
    sop_class: str
    series_number: int
    n_frames: int
    person: str = field(repr=False)
    study: str = field(repr=False)
    study_date: str = field(repr=False)
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        """Check once."""
        if not self.files:
            raise DicomError("A series without a file.")

    @property
    def is_blocked(self) -> bool:
        """Whether a problem keeps it out of a dataset."""
        return any(problem.blocking for problem in self.problems)
