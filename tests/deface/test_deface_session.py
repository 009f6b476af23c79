"""A staged session in DICOM: every series defaced in place, or refused and left alone."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from deface_phantom import NOSE, at, scanner_grid, seen, staged, t1_signal
from PIL import Image

from phantom_parts import Edit
from phantoms import Who
from tracerless.core.session import Template
from tracerless.core.volume import Contrast, Volume
from tracerless.io import pixels
from tracerless.workspace import deface_session
from tracerless.workspace.deface_session import KnownFace, Outcome, StagedSeries


def series(folder: Path, volume: Volume, number: int, edit: Edit | None = None) -> StagedSeries:
    staged(folder, volume, who=Who(number=number), edit=edit)
    return StagedSeries(folder, volume.contrast)


def digest(folder: Path) -> str:
    content = b"".join(path.read_bytes() for path in sorted(folder.glob("*.dcm")))
    return hashlib.sha256(content).hexdigest()


def values(each: StagedSeries) -> Volume:
    return pixels.load(sorted(each.folder.glob("*.dcm")), each.contrast).volumes[0]


def session(root: Path, fine: Template, t1: Volume, fdg: Volume) -> list[StagedSeries]:
    """T1 and PET whole; a slab above the face; lumps that show nobody."""
    slab = scanner_grid((3.4, 3.4, 6.0), 240.0)
    lumps = seen(fine, t1_signal(fine), scanner_grid((9.0, 9.0, 9.0)), Contrast.CBF)
    cap = seen(fine, t1_signal(fine), slab, Contrast.CBF)
    affine = cap.grid.affine.copy()
    affine[:3, 3] += affine[:3, 2] * 34
    top = Volume(
        cap.array[:, :, 34:], type(slab)((*slab.shape[:2], 6), affine), cap.quantity, cap.contrast
    )
    return [
        series(root / "t1", t1, 1),
        series(root / "pet", fdg, 2),
        series(root / "cap", top, 3),
        series(root / "lumps", lumps, 4),
    ]


@pytest.fixture(scope="module")
def done(tmp_path_factory, fine: Template, t1: Volume, fdg: Volume):
    staged_series = session(tmp_path_factory.mktemp("session"), fine, t1, fdg)
    before = [values(each) for each in staged_series]
    return staged_series, before, deface_session.deface(staged_series)


def test_every_series_gets_its_verdict(done) -> None:
    staged_series, _, outcome = done
    verdicts = [each.verdict for each in outcome.series]
    assert verdicts == ["defaced", "defaced", "no_face", "coarse"]
    assert [each.placed for each in outcome.series] == ["anchor", "frame", "frame", ""]
    assert all(each.brain_touched < 0.001 for each in outcome.series)
    assert [each.folder for each in outcome.series] == [each.folder for each in staged_series]


def test_the_nose_is_gone_and_all_the_rest_is_equal(done) -> None:
    staged_series, before, outcome = done
    for each, old, verdict in zip(staged_series, before, outcome.series, strict=True):
        new = values(each)
        changed = new.array != old.array
        if verdict.verdict == "defaced":
            x, y, z = NOSE
            nose = at(old, (x, y - 10.0, z))
            assert old.array[nose] > 0.5
            assert new.array[nose] == 0
            assert not new.array[changed].any()
            assert verdict.n_voxels >= changed.sum()
        else:
            assert not changed.any()


def test_every_file_says_so_and_keeps_its_identity(done) -> None:
    staged_series, _, outcome = done
    for each, verdict in zip(staged_series, outcome.series, strict=True):
        for path in each.folder.glob("*.dcm"):
            file = pydicom.dcmread(path)
            assert file.RecognizableVisualFeatures == "NO"
            assert file.DeidentificationMethodCodeSequence[-1].CodeValue == "113102"
            assert file.SOPInstanceUID == file.file_meta.MediaStorageSOPInstanceUID
            assert (file.ImageType[0] == "DERIVED") or verdict.verdict != "defaced"
            assert not deface_session.recognizable(path)


@pytest.mark.slow
def test_equal_input_gives_equal_bytes(
    done, tmp_path: Path, fine: Template, t1: Volume, fdg: Volume
) -> None:
    first, _, outcome = done
    second = session(tmp_path, fine, t1, fdg)
    assert_equal_bytes(first, outcome, second, deface_session.deface(second))


def assert_equal_bytes(
    first: list[StagedSeries], outcome: Outcome, second: list[StagedSeries], again: Outcome
) -> None:
    for one, other in zip(first, second, strict=True):
        assert digest(one.folder) == digest(other.folder)
    assert outcome.picture == again.picture
    assert outcome.summary() == again.summary()


def test_the_picture_shows_surfaces(done) -> None:
    *_, outcome = done
    shown = np.asarray(Image.open(io.BytesIO(outcome.picture)))
    assert shown.ndim == 3
    assert 0.1 < (shown > 40).mean() < 0.9


def test_a_later_batch_takes_the_known_face_to_the_same_bytes(
    done, tmp_path: Path, fdg: Volume
) -> None:
    *_, outcome = done
    known = KnownFace.from_plain(json.loads(json.dumps(outcome.known.plain())))
    late, same = (series(tmp_path / name, fdg, 9) for name in ("late", "same"))
    later, again = (deface_session.deface([each], known=known) for each in (late, same))
    assert_equal_bytes([late], later, [same], again)
    assert [each.placed for each in later.series] == ["frame"]
    assert later.known.plain() == outcome.known.plain()
    first = next(each for each in done[0] if each.contrast is Contrast.FDG)
    assert np.array_equal(values(late).array, values(first).array)


def test_a_known_face_is_not_believed_against_the_voxels(done, tmp_path: Path, fdg: Volume) -> None:
    *_, outcome = done
    shift = np.eye(4)
    shift[:3, 3] = (0.0, 40.0, -30.0)
    grid = type(fdg.grid)(fdg.grid.shape, shift @ fdg.grid.affine)
    moved = Volume(fdg.array, grid, fdg.quantity, fdg.contrast)
    late = series(tmp_path / "moved", moved, 9)
    later = deface_session.deface([late], known=outcome.known)
    assert [(each.verdict, each.placed) for each in later.series] == [("defaced", "anchor")]
    x, y, z = NOSE
    assert values(late).array[at(fdg, (x, y - 10.0, z))] == 0


def test_a_head_in_which_no_face_is_found_is_refused_and_left(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    grid = scanner_grid((4.0, 4.0, 4.0))
    noise = Volume(
        draw.integers(0, 900, grid.shape).astype(np.float32), grid, "signal", Contrast.T1W
    )
    each = series(tmp_path / "noise", noise, 1)
    before = digest(each.folder)
    outcome = deface_session.deface([each])
    assert [o.verdict for o in outcome.series] == ["refused"]
    assert outcome.series[0].reason
    assert outcome.known is None
    assert outcome.picture == b""
    assert digest(each.folder) == before
    assert deface_session.recognizable(next(each.folder.glob("*.dcm")))


def test_a_series_without_places_is_refused(tmp_path: Path, fdg: Volume) -> None:
    def lose(file: pydicom.Dataset, _index: int) -> None:
        del file.ImagePositionPatient

    each = series(tmp_path / "lost", fdg, 1, edit=lose)
    outcome = deface_session.deface([each])
    assert outcome.series[0].verdict == "refused"


def test_pixels_that_cannot_be_cleared_are_refused(tmp_path: Path, fdg: Volume) -> None:
    def widen(file: pydicom.Dataset, _index: int) -> None:
        file.BitsAllocated, file.BitsStored, file.HighBit = 64, 64, 63
        file.PixelData = file.PixelData * 4

    each = series(tmp_path / "wide", fdg, 1, edit=widen)
    assert deface_session.deface([each]).series[0].verdict == "refused"


def test_nothing_identifying_is_said(done) -> None:
    *_, outcome = done
    said = json.dumps(outcome.summary()) + repr(outcome) + json.dumps(outcome.known.plain())
    assert "PLANTED" not in said
    assert "2.25." not in said
    assert str(outcome.series[0].folder) not in said


def test_an_empty_session_is_nothing_to_do() -> None:
    outcome = deface_session.deface([])
    assert outcome.series == ()
    assert outcome.picture == b""
