"""A folder of anything becomes an inventory: grouped, ordered, judged, and without identifiers."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread

from phantoms import (
    Phantom,
    Who,
    head,
    oblique,
    write_enhanced,
    write_mosaic,
    write_mr,
    write_nm,
    write_pt,
)
from tracerless.core.errors import DatasetError
from tracerless.core.source import SourceSeries
from tracerless.io.dicom_scan import scan

SMALL = (8, 9, 7)


def _only(folder: Path) -> SourceSeries:
    (series,) = scan(folder).series
    return series


def _kinds(series: SourceSeries) -> dict[str, bool]:
    return {each.kind: each.blocking for each in series.problems}


@pytest.fixture
def t1(tmp_path: Path) -> Phantom:
    return write_mr(tmp_path / "in", head(SMALL), oblique())


def test_an_empty_folder_is_refused_with_the_next_move(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Empty folder") as caught:
        scan(tmp_path)
    assert caught.value.hint


def test_a_folder_without_dicom_says_how_many_files_it_has(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no")
    with pytest.raises(DatasetError, match="None of 1 files"):
        scan(tmp_path)


def test_an_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        scan(tmp_path / "absent")


def test_a_mixed_visit_is_sorted_out(tmp_path: Path) -> None:
    small, affine = head(SMALL), oblique()
    write_mr(tmp_path, small, affine, contrast="T1w", who=Who(number=2))
    write_mr(tmp_path, small, affine, contrast="T2w", who=Who(number=3))
    write_mr(tmp_path, np.stack([small, small // 2], -1), affine, contrast="asl", who=Who(number=4))
    write_pt(tmp_path, small.astype(np.float32) / 100, affine)
    write_nm(tmp_path, small, affine)
    write_mosaic(tmp_path, np.stack([small, small], -1), affine)
    write_enhanced(tmp_path, small, affine)
    (tmp_path / "notes.txt").write_text("none of this is DICOM")
    inventory = scan(tmp_path)
    assert [(s.contrast.value, s.n_frames) for s in inventory.series] == [
        ("T1w", 7), ("T2w", 7), ("asl", 14), ("FDG", 7), ("ECD", 7), ("asl", 2), ("T1w", 7),
    ]  # fmt: skip
    assert not any(series.problems for series in inventory.series)
    assert inventory.rejected == {"not-dicom": 1}
    assert not inventory.has_problems


def test_nothing_planted_is_shown(t1: Phantom) -> None:
    inventory = scan(t1.files[0].parent)
    shown = json.dumps(inventory.summary(), ensure_ascii=False) + repr(inventory)
    shown += repr(inventory.series[0])
    for secret in ("PLANTED", "測試", "2019", "1944", t1.uids["study"], t1.uids["series"]):
        assert secret not in shown
    assert inventory.summary()["series"][0]["person"] == "person-1"


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_file_names_and_order_change_nothing(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("shuffled")
    made = write_mr(place / "in", head(SMALL), oblique())
    order = [dcmread(path).SOPInstanceUID for path in _only(place / "in").files]
    names = list(range(len(made.files)))
    random.Random(seed).shuffle(names)  # noqa: S311
    (place / "out").mkdir()
    for path, name in zip(made.files, names, strict=True):
        shutil.copy(path, place / "out" / str(name))
    assert [dcmread(path).SOPInstanceUID for path in _only(place / "out").files] == order


def test_slices_follow_the_normal_not_their_instance_numbers(tmp_path: Path) -> None:
    def shuffled(dataset: Dataset, index: int) -> None:
        dataset.InstanceNumber = [4, 1, 7, 2, 6, 3, 5][index]

    made = write_mr(tmp_path, head(SMALL), oblique(), edit=shuffled)
    assert list(_only(tmp_path).files) == made.files


def test_two_people_and_two_visits_are_numbered(tmp_path: Path) -> None:
    small, affine = head(SMALL), oblique()
    write_mr(tmp_path / "1", small, affine, who=Who("PLANTED-B", "visit-1"))
    write_mr(tmp_path / "2", small, affine, who=Who("PLANTED-B", "visit-2", 4))
    write_mr(tmp_path / "3", small, affine, who=Who("PLANTED-A", "visit-1"))
    rows = scan(tmp_path).summary()["series"]
    assert sorted((row["person"], row["study"]) for row in rows) == [
        ("person-1", 1), ("person-1", 2), ("person-2", 1),
    ]  # fmt: skip


def test_people_without_an_id_are_not_merged(tmp_path: Path) -> None:
    def nameless(dataset: Dataset, index: int) -> None:
        dataset.PatientID = ""

    for visit in ("a", "b"):
        who = Who("", visit)
        write_mr(tmp_path / visit, head(SMALL), oblique(), who=who, edit=nameless)
    assert scan(tmp_path).summary()["n_people"] == 2


def test_progress_sees_every_file_and_their_number(t1: Phantom) -> None:
    seen: list[object] = []

    def progress(files: list[Path], n_files: int) -> list[Path]:
        seen.extend([n_files, *files])
        return files

    scan(t1.files[0].parent, progress=progress)
    assert seen[0] == 7
    assert len(seen) == 8
