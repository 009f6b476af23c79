"""A volume that ends too early does not pass in silence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from phantoms import head, oblique, write_mr, write_pt
from tracerless.core.source import Problem
from tracerless.io.dicom_scan import Inventory, scan

SHAPE = (8, 9, 7)
Edit = Callable[[Dataset, int], None]


def problems(folder: Path) -> tuple[Problem, ...]:
    (series,) = scan(folder).series
    return series.problems


def private(group: int, creator: str, offset: int, vr: str, value: object) -> Edit:
    def edit(dataset: Dataset, _: int) -> None:
        dataset.private_block(group, creator, create=True).add_new(offset, vr, value)

    return edit


def siemens(acquired: str, lines: str) -> Edit:
    text = f"junk### ASCCONV BEGIN ###\n{lines}\n### ASCCONV END ###junk".encode()
    text += b" " * (len(text) % 2)

    def edit(dataset: Dataset, index: int) -> None:
        dataset.MRAcquisitionType = acquired
        private(0x0029, "SIEMENS CSA HEADER", 0x20, "OB", text)(dataset, index)

    return edit


DECLARED = {
    "Philips": private(0x2001, "Philips Imaging DD 001", 0x18, "SL", 7),
    "GE": private(0x0021, "GEMS_RELA_01", 0x4F, "SS", 7),
    "Siemens 3D": siemens("3D", "sSliceArray.lSize = 1\nsKSpace.lImagesPerSlab = 7"),
    "Siemens 2D": siemens("2D", "sSliceArray.lSize = 0x7\nsKSpace.lImagesPerSlab = 16"),
}


@pytest.mark.parametrize("vendor", DECLARED)
@pytest.mark.parametrize("end", [0, -1])
def test_a_slice_that_lacks_at_an_end_is_told(vendor: str, end: int, tmp_path: Path) -> None:
    made = write_mr(tmp_path, head(SHAPE), oblique(), edit=DECLARED[vendor])
    assert problems(tmp_path) == ()
    made.files[end].unlink()
    (found,) = problems(tmp_path)
    assert (found.kind, found.blocking) == ("gap", False)
    assert "declares 7 slices, 6 are here" in found.text


def test_slabs_and_derived_series_declare_nothing(tmp_path: Path) -> None:
    slabs = siemens("3D", "sSliceArray.lSize = 3\nsKSpace.lImagesPerSlab = 44")
    write_mr(tmp_path / "slabs", head(SHAPE), oblique(), edit=slabs)
    assert problems(tmp_path / "slabs") == ()

    def derived(dataset: Dataset, index: int) -> None:
        private(0x2001, "Philips Imaging DD 001", 0x18, "SL", 170)(dataset, index)
        dataset.ImageType = ["DERIVED", "SECONDARY", "M", "NORM"]

    write_mr(tmp_path / "derived", head(SHAPE), oblique(), edit=derived)
    assert problems(tmp_path / "derived") == ()


@pytest.mark.parametrize("count", ["inf", "nan", "1e400", "-7", "0xZZ", "99999999", ""])
def test_a_protocol_of_nonsense_declares_nothing(count: str, tmp_path: Path) -> None:
    nonsense = siemens("2D", f"sSliceArray.lSize = {count}")
    write_mr(tmp_path, head(SHAPE), oblique(), edit=nonsense)
    assert problems(tmp_path) == ()


def test_where_nobody_declares_the_count_of_instances_tells_of_a_lost_beginning(
    tmp_path: Path,
) -> None:
    made = write_mr(tmp_path, head(SHAPE), oblique())
    made.files[0].unlink()
    (found,) = problems(tmp_path)
    assert (found.kind, found.blocking) == ("gap", False)
    assert "numbered from 2" in found.text


def test_numbers_that_go_on_from_elsewhere_are_no_doubt(tmp_path: Path) -> None:
    def far(dataset: Dataset, index: int) -> None:
        dataset.InstanceNumber = index + 401

    write_mr(tmp_path, head(SHAPE), oblique(), edit=far)
    assert problems(tmp_path) == ()


def test_a_pet_that_lacks_its_top_is_kept_out(tmp_path: Path) -> None:
    made = write_pt(tmp_path, head(SHAPE).astype(np.float32) / 50, oblique())
    made.files[-1].unlink()
    (found,) = problems(tmp_path)
    assert (found.kind, found.blocking) == ("gap", True)


def _with(scans: Path, place: Path, keep: slice) -> Inventory:
    """The real T1 and T2 in which only these places are there."""
    for series in scan(scans / "mr-one-person").series[:2]:
        for path in series.files[keep]:
            (place / path.name).symlink_to(path)
    return scan(place)


@pytest.mark.real_data
@pytest.mark.parametrize("keep", [slice(1, None), slice(None, -1), slice(2, -3)])
def test_real_scans_without_their_end_slices_are_told(
    keep: slice, scans: Path, tmp_path: Path
) -> None:
    t1, t2 = _with(scans, tmp_path, keep).series
    n = 176 - len(t1.files)
    assert n > 0
    for series, declared in ((t1, 176), (t2, 56)):
        (found,) = series.problems
        assert f"declares {declared} slices, {declared - n} are here" in found.text
        assert not found.blocking
