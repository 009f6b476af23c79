"""One volume that an archive tore over several series is joined; two scans stay two."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from phantoms import Phantom, Who, head, oblique, write_mr, write_pt
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast
from tracerless.io.dicom_scan import scan
from tracerless.io.pixels import load

SHAPE = (6, 7, 12)


def torn(
    folder: Path, home: Callable[[int], int], change: Callable[[Dataset, int], None] | None = None
) -> Phantom:
    """A T1 whose slice k lies in series number ``home(k)``; an archive numbers them 900 and up."""

    def edit(dataset: Dataset, index: int) -> None:
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20190304", "101500"
        if home(index):
            dataset.SeriesInstanceUID = f"2.25.77{home(index)}"
            dataset.SeriesNumber = 900 + home(index)
        if change:
            change(dataset, index)

    return write_mr(folder, head(SHAPE), oblique(), edit=edit)


def only(folder: Path) -> SourceSeries:
    (series,) = scan(folder).series
    return series


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(homes=st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_however_a_volume_is_torn_it_is_whole_again(
    homes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("torn")
    made = torn(place, lambda k: homes[k])
    series = only(place)
    assert list(series.files) == made.files
    np.testing.assert_array_equal(load(series.files, Contrast.T1W).volumes[0].array, made.voxels)
    told = [problem.text for problem in series.problems]
    n = len(set(homes))
    assert told == ([f"One volume lay in {n} series and was joined."] if n > 1 else [])


def test_a_half_that_never_arrived_is_not_made_up(tmp_path: Path) -> None:
    made = torn(tmp_path, lambda k: k % 2)
    for path in made.files[1::2]:
        path.unlink()
    series = only(tmp_path)
    assert len(series.files) == 6
    assert not [each for each in series.problems if "joined" in each.text]


def test_one_slice_that_is_nowhere_stays_a_gap_after_joining(tmp_path: Path) -> None:
    made = torn(tmp_path, lambda k: int(k > 5))
    made.files[8].unlink()
    kinds = [(each.kind, each.blocking) for each in only(tmp_path).problems]
    assert kinds == [("geometry", False), ("gap", False)]


APART: dict[str, Callable[[Dataset, int], None]] = {
    "taken later": lambda d, k: setattr(d, "AcquisitionTime", "101500" if k < 6 else "112000"),
    "another echo": lambda d, k: setattr(d, "EchoTime", 2.98 if k < 6 else 4.8),
    "another frame of reference": lambda d, k: setattr(
        d, "FrameOfReferenceUID", f"2.25.5{k // 6}"
    ),
    "another study": lambda d, k: setattr(d, "StudyInstanceUID", f"2.25.6{k // 6}"),
    "other pixels": lambda d, k: setattr(d, "PixelSpacing", [1.25, 1.5] if k < 6 else [1.25, 1.6]),
}  # fmt: skip


@pytest.mark.parametrize("why", APART)
def test_two_scans_that_continue_each_other_stay_two(why: str, tmp_path: Path) -> None:
    torn(tmp_path, lambda k: int(k > 5), APART[why])
    assert [len(each.files) for each in scan(tmp_path).series] == [6, 6]


def test_slices_of_a_later_pass_belong_between_the_others(tmp_path: Path) -> None:
    def later(dataset: Dataset, index: int) -> None:
        dataset.AcquisitionTime = "101800" if index % 2 else "101500"

    made = torn(tmp_path, lambda k: k % 2, later)
    assert list(only(tmp_path).files) == made.files


def test_a_second_scan_shifted_by_half_a_slice_stays_a_second_scan(tmp_path: Path) -> None:
    def shifted(dataset: Dataset, index: int) -> None:
        dataset.SliceThickness = 6  # twice the distance between slices of both together
        dataset.AcquisitionTime = "101800" if index % 2 else "101500"

    torn(tmp_path, lambda k: k % 2, shifted)
    assert [len(each.files) for each in scan(tmp_path).series] == [6, 6]


def test_a_scan_and_its_repeat_stay_two(tmp_path: Path) -> None:
    for number in (1, 2):
        write_mr(tmp_path / str(number), head(SHAPE), oblique(), who=Who(number=number))
    assert [len(each.files) for each in scan(tmp_path).series] == [12, 12]


def test_without_times_the_scanners_own_numbers_decide(tmp_path: Path) -> None:
    def untimed(dataset: Dataset, index: int) -> None:
        del dataset.AcquisitionTime, dataset.AcquisitionDate
        dataset.SeriesNumber = 3

    torn(tmp_path / "same", lambda k: int(k > 5), untimed)
    assert len(only(tmp_path / "same").files) == 12

    def renumbered(dataset: Dataset, index: int) -> None:
        untimed(dataset, index)
        dataset.SeriesNumber = 3 + index // 6

    torn(tmp_path / "other", lambda k: int(k > 5), renumbered)
    assert len(scan(tmp_path / "other").series) == 2


def test_a_pet_torn_between_two_beds_is_joined_by_its_declared_slices(tmp_path: Path) -> None:
    def bed(dataset: Dataset, index: int) -> None:
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20190304", f"10{15 + index // 6 * 4}00"
        if index > 5:
            dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.779", 905

    made = write_pt(tmp_path, head(SHAPE).astype(np.float32) / 50, oblique(), edit=bed)
    series = only(tmp_path)
    assert list(series.files) == made.files
    assert not series.is_blocked
