"""One session's clean DICOM loses its faces, in staging, before it takes its place.

The face is found once, in the T1 or the next best series, and carried to every other series of the
session: by the frame of reference where it is one, by rigid alignment where it is not, by a fit of
the series' own where that fails. A series that could show a face and in which none can be found is
refused, and left as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset

from tracerless import deface as faces
from tracerless.core.errors import DicomError, TracerlessError
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.deface import Face, Knife, Unfit
from tracerless.io import dicom_read, pixels, resources
from tracerless.publish.face_picture import face_picture
from tracerless.workspace.deface_series import require_whole, rewrite

TEMPLATE_MM = 5.0
"""Voxel edge of the standard brain that heads are fitted to, mm."""

ELSEWHERE_MM = 15.0
"""Two fits of one head put nose and chin within this; frames that were made equal do not."""

_ANCHORS = (
    Contrast.T1W, Contrast.T2W, Contrast.FLAIR, Contrast.FDG, Contrast.HMPAO, Contrast.ECD,
    Contrast.M0, Contrast.ASL, Contrast.UNKNOWN,
)  # fmt: skip
"""In which series a face is looked for, best first; among equals the largest field of view."""
_MAX_ROWS = 6


@dataclass(frozen=True, slots=True)
class StagedSeries:
    """A folder of header-cleaned, unrolled DICOM of one series, and what it shows."""

    folder: Path = field(repr=False)
    contrast: Contrast


@dataclass(frozen=True, slots=True, eq=False)
class KnownFace:
    """A face and the pseudonymous digest of the frame of reference that it lies in."""

    face: Face
    frame: str

    def plain(self) -> dict[str, Any]:
        """For JSON; see ``Face.plain``."""
        return {"frame": self.frame, **self.face.plain()}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> "KnownFace":
        """The face that ``plain`` was made of.

        Raises:
            GeometryError: the numbers do not fit together.
        """
        return KnownFace(Face.from_plain(plain), str(plain["frame"]))


@dataclass(frozen=True, slots=True)
class SeriesOutcome:
    """What became of one series.

    Args:
        folder: as staged.
        verdict: ``defaced``, ``no_face`` (nothing of the face is in its field of view), ``coarse``
            (voxels too large to show anybody) or ``refused``.
        reason: one sentence without identifiers.
        n_voxels: voxels that were overwritten, over all frames.
        brain_touched: share of the brain's volume that was overwritten, 0-1.
        placed: how the face came to the series: ``anchor``, ``frame``, ``rigid``, ``multi-start``,
            ``own``; empty when it did not.
    """

    folder: Path = field(repr=False)
    verdict: str
    reason: str
    n_voxels: int = 0
    brain_touched: float = 0.0
    placed: str = ""

    def plain(self) -> dict[str, Any]:
        """For JSON, without the folder."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "n_voxels": self.n_voxels,
            "brain_touched": self.brain_touched,
            "placed": self.placed,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a session.

    Args:
        series: in the order of the staged series.
        known: for a later batch of this session; None when no face was found.
        picture: PNG of the surfaces after the faces were taken; empty when none was.
    """

    series: tuple[SeriesOutcome, ...]
    known: KnownFace | None
    picture: bytes = field(repr=False)

    def summary(self) -> dict[str, Any]:
        """Machine-readable, without identifiers."""
        return {
            "series": [each.plain() for each in self.series],
            "fit": dict(self.known.face.numbers) if self.known else {},
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """The first volume of a staged series; ``frame`` is empty when it states none."""

    staged: StagedSeries
    volume: Volume
    frame: str


@dataclass(frozen=True, slots=True, eq=False)
class _Anchor:
    known: KnownFace
    volume: Volume
    staged: StagedSeries | None


def deface(staged: Sequence[StagedSeries], *, known: KnownFace | None = None) -> Outcome:
    """Take the faces out of one session's staged DICOM, in place.

    Equal input gives equal bytes. A series is rewritten whole or refused; a refused one must not be
    used further (it is left as it was, unless a file's pixels belie its header).

    Args:
        staged: every series of the session that is about to join the dataset.
        known: of an earlier batch of this session.

    Raises:
        StorageError: the disk refused.
    """
    loaded = [_load(each) for each in staged]
    usable = [each for each in loaded if isinstance(each, _Loaded)]
    anchor = _anchor(usable, known)
    made = [_attempt(each, anchor) for each in loaded]
    kept = anchor.known if isinstance(anchor, _Anchor) else known
    shown = [volume for _, volume in made if volume is not None]
    center = kept.face.center_mm if kept else np.zeros(3)
    picture = face_picture(shown[:_MAX_ROWS], center) if shown else b""
    return Outcome(tuple(outcome for outcome, _ in made), kept, picture)


def recognizable(instance: Path | Dataset) -> bool:
    """Whether somebody might be recognized in a clean object, so that export must refuse it.

    False only where the object itself states so (0028,0302 is NO).
    """
    header = dicom_read.read(instance) if isinstance(instance, Path) else instance
    return isinstance(header, dicom_read.Rejection) or not faces.is_cleared(header)


def _load(staged: StagedSeries) -> _Loaded | SeriesOutcome:
    """The series' first volume; refused when it cannot be read or laid out."""
    try:
        files = require_whole(staged.folder)
        native = pixels.load(files, staged.contrast)
    except TracerlessError as error:
        return SeriesOutcome(staged.folder, "refused", error.message)
    return _Loaded(staged, native.volumes[0], native.frame_of_reference)


def _anchor(loaded: Sequence[_Loaded], known: KnownFace | None) -> _Anchor | Unfit:
    """The face that is carried to all series, and the series that it lies in."""
    heads = [each for each in loaded if faces.is_head(each.staged.contrast, each.volume.grid)]
    heads = sorted((each for each in heads if each.staged.contrast in _ANCHORS), key=_rank)
    if known is not None:
        same = [each for each in (*heads, *loaded) if each.frame and each.frame == known.frame]
        if same:
            return _again(same[0], known, is_shown=same[0] in heads)
    unfit = Unfit("No series of the session shows a whole head.")
    template = resources.template(TEMPLATE_MM)
    for each in heads:
        face = faces.fit(each.volume, template)
        if isinstance(face, Face):
            return _Anchor(KnownFace(face, each.frame), each.volume, each.staged)
        unfit = face
    return unfit


def _again(each: _Loaded, known: KnownFace, *, is_shown: bool) -> _Anchor:
    """The known face, unless the series that states its frame shows its face elsewhere."""
    own = faces.fit(each.volume, resources.template(TEMPLATE_MM)) if is_shown else None
    if isinstance(own, Face) and faces.apart_mm(own, known.face) > ELSEWHERE_MM:
        return _Anchor(KnownFace(own, each.frame), each.volume, each.staged)
    return _Anchor(known, each.volume, None)


def _rank(each: _Loaded) -> tuple[int, float]:
    volume = each.volume
    covered_ml = float(np.prod(volume.grid.shape)) * volume.grid.voxel_ml
    return _ANCHORS.index(each.staged.contrast), -covered_ml


def _attempt(
    loaded: _Loaded | SeriesOutcome, anchor: _Anchor | Unfit
) -> tuple[SeriesOutcome, Volume | None]:
    """As ``_series``; refused when a file turns out not to be what its header said."""
    try:
        return _series(loaded, anchor)
    except DicomError as error:
        folder = loaded.folder if isinstance(loaded, SeriesOutcome) else loaded.staged.folder
        return SeriesOutcome(folder, "refused", error.message), None


def _series(
    loaded: _Loaded | SeriesOutcome, anchor: _Anchor | Unfit
) -> tuple[SeriesOutcome, Volume | None]:
    """What became of one series, and what is left of it in the anchor's space, to be shown."""
    if isinstance(loaded, SeriesOutcome):
        return loaded, None
    folder, contrast = loaded.staged.folder, loaded.staged.contrast
    if faces.is_coarse(loaded.volume.grid):
        rewrite(folder, None, is_changed=False)
        text = f"Voxels of {max(loaded.volume.grid.spacing_mm):.1f} mm show nobody's face."
        return SeriesOutcome(folder, "coarse", text), None
    found = _knife(loaded, anchor)
    if isinstance(found, Unfit):
        if faces.is_head(contrast, loaded.volume.grid):
            return SeriesOutcome(folder, "refused", found.reason), None
        rewrite(folder, None, is_changed=False)
        return SeriesOutcome(folder, "no_face", "A slab too thin to show a face."), None
    return _taken(loaded, *found)


def _taken(loaded: _Loaded, knife: Knife, placed: str) -> tuple[SeriesOutcome, Volume | None]:
    folder, volume = loaded.staged.folder, loaded.volume
    taken = knife(volume.grid)
    if not taken.any():
        rewrite(folder, None, is_changed=False)
        text = "Nothing of the face is in its field of view."
        return SeriesOutcome(folder, "no_face", text, placed=placed), None
    touched = knife.touched_ml(taken, volume.grid) / knife.face.brain_ml
    n_voxels = rewrite(folder, knife, is_changed=True)
    text = f"{taken.mean():.1%} of its field of view was overwritten."
    outcome = SeriesOutcome(folder, "defaced", text, n_voxels, touched, placed)
    is_there = np.allclose(knife.to_scanner, np.eye(4))
    rest = np.asarray(faces.apply(volume.array, taken, 0.0), dtype=np.float32)
    return outcome, with_array(volume, rest) if is_there else None


def _knife(loaded: _Loaded, anchor: _Anchor | Unfit) -> tuple[Knife, str] | Unfit:
    """What takes the face from a series, and how it came there."""
    margin_mm = faces.margin_mm(loaded.staged.contrast)
    if isinstance(anchor, Unfit):
        return anchor
    if loaded.staged is anchor.staged:
        return faces.knife(anchor.known.face, margin_mm=margin_mm), "anchor"
    same_frame = bool(loaded.frame) and loaded.frame == anchor.known.frame
    place = faces.carry(anchor.known.face, anchor.volume, loaded.volume, same_frame=same_frame)
    if not isinstance(place, Unfit):
        moved = place.to_scanner
        return faces.knife(anchor.known.face, to_scanner=moved, margin_mm=margin_mm), place.how
    if not faces.is_head(loaded.staged.contrast, loaded.volume.grid):
        return place
    own = faces.fit(loaded.volume, resources.template(TEMPLATE_MM))
    return own if isinstance(own, Unfit) else (faces.knife(own, margin_mm=margin_mm), "own")
