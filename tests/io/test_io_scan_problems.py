"""What is wrong with a series: found, named, and blocking only where it must."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from phantoms import (
    Phantom,
    Who,
    head,
    oblique,
    write_mr,
    write_nm,
    write_pt,
)
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast
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


def test_one_missing_slice_is_a_note_and_says_where(t1: Phantom) -> None:
    t1.files[3].unlink()
    series = _only(t1.files[0].parent)
    assert _kinds(series) == {"gap": False}
    assert "1 of 7 slices is missing, at place 3" in series.problems[0].text


def test_two_missing_slices_block(t1: Phantom) -> None:
    t1.files[2].unlink()
    t1.files[4].unlink()
    series = _only(t1.files[0].parent)
    assert _kinds(series) == {"gap": True}
    assert series.is_blocked


def test_uneven_spacing_blocks(tmp_path: Path) -> None:
    def moved(dataset: Dataset, index: int) -> None:
        if index == 3:
            x, y, z = dataset.ImagePositionPatient
            dataset.ImagePositionPatient = [x, y, z + 1.1]

    write_mr(tmp_path, head(SMALL), np.diag([-1.5, -1.25, 3.0, 1.0]), edit=moved)
    assert _kinds(_only(tmp_path)) == {"geometry": True}


def test_a_copy_with_equal_pixels_is_left_out(t1: Phantom) -> None:
    shutil.copy(t1.files[2], t1.files[2].with_name("again"))
    series = _only(t1.files[0].parent)
    assert _kinds(series) == {"duplicate": False}
    assert len(series.files) == 7


def test_a_copy_under_a_new_identity_is_left_out(t1: Phantom) -> None:
    again = dcmread(t1.files[2])
    again.SOPInstanceUID = "2.25.77"
    again.save_as(t1.files[2].with_name("again"))
    series = _only(t1.files[0].parent)
    assert _kinds(series) == {"duplicate": False}
    assert len(series.files) == 7


@pytest.mark.parametrize("identity", ["2.25.77", None])
def test_other_pixels_at_the_same_place_block(t1: Phantom, identity: str | None) -> None:
    again = dcmread(t1.files[2])
    again.SOPInstanceUID = identity or again.SOPInstanceUID
    again.PixelData = bytes(len(again.PixelData))
    again.save_as(t1.files[2].with_name("again"))
    assert _kinds(_only(t1.files[0].parent))["duplicate"]


def test_a_truncated_file_is_counted_and_named_at_its_series(t1: Phantom) -> None:
    t1.files[3].write_bytes(t1.files[3].read_bytes()[:-20])
    inventory = scan(t1.files[0].parent)
    assert inventory.rejected == {"truncated": 1}
    assert _kinds(inventory.series[0]) == {"truncated": False, "gap": False}


def test_two_clean_geometries_under_one_uid_are_split(tmp_path: Path) -> None:
    who = Who()

    def other_instances(dataset: Dataset, index: int) -> None:
        dataset.SOPInstanceUID = f"2.25.9{index}"

    turned = oblique()[:, [1, 2, 0, 3]]
    write_mr(tmp_path / "a", head(SMALL), oblique(), who=who)
    write_mr(tmp_path / "b", head(SMALL), turned, who=who, edit=other_instances)
    found = scan(tmp_path).series
    assert [len(series.files) for series in found] == [7, 7]
    assert [_kinds(series) for series in found] == [{"geometry": False}] * 2


def test_a_scrap_of_another_geometry_is_blocked_and_the_rest_is_not(tmp_path: Path) -> None:
    def tilted(dataset: Dataset, index: int) -> None:
        if index == 6:
            dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    write_mr(tmp_path, head(SMALL), np.diag([-1.5, -1.25, 3.0, 1.0]), edit=tilted)
    found = sorted(scan(tmp_path).series, key=lambda series: len(series.files))
    assert [len(series.files) for series in found] == [1, 6]
    assert [series.is_blocked for series in found] == [True, False]


def test_two_contrasts_under_one_uid_are_split(tmp_path: Path) -> None:
    def half(dataset: Dataset, index: int) -> None:
        if index >= 7:
            dataset.EchoTime, dataset.InversionTime = 95, None
            dataset.ScanningSequence, dataset.SequenceVariant = "SE", "SK"
            dataset.RepetitionTime = 4000

    both = np.stack([head(SMALL), head(SMALL)], -1)
    write_mr(tmp_path, both, oblique(), edit=half)
    assert {series.contrast: len(series.files) for series in scan(tmp_path).series} == {
        Contrast.T1W: 7,
        Contrast.T2W: 7,
    }


def test_two_echoes_under_one_uid_are_split(tmp_path: Path) -> None:
    def second(dataset: Dataset, index: int) -> None:
        if index >= 7:
            dataset.EchoTime = 4.8

    write_mr(tmp_path, np.stack([head(SMALL)] * 2, -1), oblique(), edit=second)
    assert [len(series.files) for series in scan(tmp_path).series] == [7, 7]


def test_the_ge_difference_and_its_m0_are_told_apart_by_order(tmp_path: Path) -> None:
    def ge(dataset: Dataset, index: int) -> None:
        dataset.Manufacturer, dataset.ScanningSequence = "GE MEDICAL SYSTEMS", "RM"
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "ASL"]
        del dataset.TemporalPositionIdentifier
        dataset.AcquisitionNumber = 1

    made = write_mr(tmp_path, np.stack([head(SMALL)] * 2, -1), oblique(), contrast="asl", edit=ge)
    found = {series.contrast: series for series in scan(tmp_path).series}
    assert list(found[Contrast.DELTAM].files) == made.files[:7]
    assert list(found[Contrast.M0].files) == made.files[7:]


def test_a_pet_without_units_blocks_with_the_next_move(tmp_path: Path) -> None:
    def without(dataset: Dataset, index: int) -> None:
        del dataset.Units

    write_pt(tmp_path, head(SMALL).astype(np.float32) / 50, oblique(), edit=without)
    series = _only(tmp_path)
    assert _kinds(series) == {"units": True}
    assert "Export" in series.problems[0].text


def test_a_pet_that_declares_more_slices_than_there_are_is_blocked(tmp_path: Path) -> None:
    made = write_pt(tmp_path, head(SMALL).astype(np.float32) / 50, oblique())
    made.files[-1].unlink()
    assert _kinds(_only(tmp_path)) == {"gap": True}


def test_a_spect_that_lost_its_detector_says_that_its_side_is_unverified(tmp_path: Path) -> None:
    def lost(dataset: Dataset, index: int) -> None:
        del dataset.DetectorInformationSequence

    write_nm(tmp_path, head(SMALL), oblique(), edit=lost)
    assert _kinds(_only(tmp_path)) == {"orientation": False}


def test_an_undeclared_tracer_blocks_until_somebody_says(tmp_path: Path) -> None:
    def silent(dataset: Dataset, index: int) -> None:
        del dataset.RadiopharmaceuticalInformationSequence

    write_pt(tmp_path, head(SMALL).astype(np.float32) / 50, oblique(), edit=silent)
    series = _only(tmp_path)
    assert series.contrast is Contrast.UNKNOWN
    assert _kinds(series) == {"unknown": True}
    assert "tracer not declared" in series.reason


def test_a_localizer_in_three_planes_is_one_series_and_no_problem(tmp_path: Path) -> None:
    def localizer(dataset: Dataset, index: int) -> None:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        planes = ([1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1])
        dataset.ImageOrientationPatient = planes[index % 3]

    write_mr(tmp_path, head(SMALL), oblique(), edit=localizer)
    series = _only(tmp_path)
    assert series.contrast is Contrast.UNKNOWN
    assert len(series.files) == 7
    assert not series.problems


def test_an_interrupted_run_keeps_its_whole_frames(tmp_path: Path) -> None:
    frames = np.stack([head(SMALL)] * 3, -1)
    made = write_mr(tmp_path, frames, oblique(), contrast="asl")
    for path in made.files[-3:]:
        path.unlink()
    series = _only(tmp_path)
    assert _kinds(series) == {"gap": False}
    assert len(series.files) == 14
