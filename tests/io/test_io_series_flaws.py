"""A series that cannot mean what it seems to mean is refused or flagged by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from phantoms import head, oblique, write_enhanced, write_mosaic, write_mr, write_nm, write_pt
from tracerless.core.errors import DicomError, QuantityError
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast, Quantity
from tracerless.deidentify import suv
from tracerless.io.dicom_scan import scan
from tracerless.io.pixels import load

SHAPE = (8, 9, 7)


def kbq() -> np.ndarray:
    return head(SHAPE).astype(np.float32) / 50


def only(folder: Path) -> SourceSeries:
    (series,) = scan(folder).series
    return series


def kinds(series: SourceSeries) -> dict[str, bool]:
    return {each.kind: each.blocking for each in series.problems}


@pytest.mark.parametrize("write", [write_mr, write_enhanced, write_nm])
def test_a_zero_image_is_refused_by_name(write: Callable[..., object], tmp_path: Path) -> None:
    write(tmp_path, np.zeros(SHAPE, np.int16), oblique())
    files = sorted(tmp_path.iterdir())
    with pytest.raises(QuantityError, match="one and the same value") as caught:
        load(files, Contrast.T1W)
    assert caught.value.hint


def test_an_image_of_one_value_other_than_zero_is_refused_too(tmp_path: Path) -> None:
    made = write_mr(tmp_path, np.full(SHAPE, 700, np.int16), oblique())
    with pytest.raises(QuantityError, match="one and the same value"):
        load(made.files, Contrast.T1W)


def test_empty_frames_among_others_are_named_and_kept(tmp_path: Path) -> None:
    frames = np.stack([head(SHAPE), np.zeros(SHAPE, np.int16), head(SHAPE) // 2], -1)
    made = write_mr(tmp_path, frames, oblique(), contrast="asl")
    series = load(made.files, Contrast.ASL)
    assert series.sidecar["EmptyFrames"] == [1]
    assert len(series.volumes) == 3
    whole = write_mr(tmp_path / "whole", head(SHAPE), oblique())
    assert "EmptyFrames" not in load(whole.files, Contrast.T1W).sidecar


def test_a_blank_slice_between_others_is_named_and_blank_ends_are_not(tmp_path: Path) -> None:
    holed = head(SHAPE)
    assert not holed[:, :, 0].any()  # the head does not reach the ends
    holed[:, :, 4] = 0
    made = write_mr(tmp_path, holed, oblique())
    assert load(made.files, Contrast.T1W).sidecar["EmptySlices"] == [4]
    whole = write_mr(tmp_path / "whole", head(SHAPE), oblique())
    assert "EmptySlices" not in load(whole.files, Contrast.T1W).sidecar


def test_voxels_without_a_number_are_counted_and_never_zero(tmp_path: Path) -> None:
    def absurd(dataset: Dataset, index: int) -> None:
        dataset.RescaleSlope = "1e38" if index == 3 else "1"  # past what a voxel can hold

    made = write_mr(tmp_path, head(SHAPE), oblique(), edit=absurd)
    series = load(made.files, Contrast.T1W)
    lost = np.isnan(series.volumes[0].array)
    n = int((made.voxels[:, :, 3] > 3).sum())
    assert series.sidecar["NonFiniteVoxels"] == n == int(lost.sum()) > 0
    assert not lost[:, :, :3].any()
    assert "NonFiniteVoxels" not in load(made.files[:3], Contrast.T1W).sidecar


@pytest.mark.parametrize("slope", ["0", "zero", "1e"])
def test_a_slope_that_is_none_is_never_taken_for_one(slope: str, tmp_path: Path) -> None:
    made = write_pt(tmp_path, kbq(), oblique())
    content = made.files[2].read_bytes()
    stated = str(dcmread(made.files[2]).RescaleSlope).encode().ljust(4)
    assert content.count(stated) == 1
    made.files[2].write_bytes(content.replace(stated, slope.encode().ljust(4)))
    series = only(tmp_path)
    assert kinds(series) == {"units": True}
    assert "1 slices have no usable rescale slope" in series.problems[0].text
    with pytest.raises(DicomError, match="slope"):
        load(series.files, Contrast.FDG)


def test_an_intercept_that_is_no_number_is_never_taken_for_zero(tmp_path: Path) -> None:
    made = write_mr(tmp_path, head(SHAPE), oblique())
    for path in made.files:
        dataset = dcmread(path)
        dataset.RescaleSlope, dataset.RescaleIntercept = "2", "-1024"
        dataset.save_as(path)
    content = made.files[2].read_bytes()
    made.files[2].write_bytes(content.replace(b"-1024 ", b"-1O24 "))
    assert kinds(only(tmp_path)) == {"units": True}


def test_activity_without_any_slope_is_no_activity(tmp_path: Path) -> None:
    def without(dataset: Dataset, index: int) -> None:
        if index == 4:
            del dataset.RescaleSlope

    made = write_pt(tmp_path, kbq(), oblique(), edit=without)
    assert kinds(only(tmp_path)) == {"units": True}
    with pytest.raises(DicomError, match="no usable rescale slope"):
        load(made.files, Contrast.FDG)


def test_every_slice_is_scaled_by_its_own_slope(tmp_path: Path) -> None:
    made = write_pt(tmp_path, kbq(), oblique())
    slopes = [float(dcmread(path).RescaleSlope) for path in made.files]
    assert len(set(slopes)) == 4
    array = load(made.files[::-1], Contrast.FDG).volumes[0].array
    np.testing.assert_allclose(array, made.voxels, rtol=1e-6)


def test_two_units_in_one_series_are_refused(tmp_path: Path) -> None:
    def mixed(dataset: Dataset, index: int) -> None:
        dataset.Units = "CNTS" if index == 3 else "BQML"

    made = write_pt(tmp_path, kbq(), oblique(), edit=mixed)
    assert kinds(only(tmp_path)) == {"units": True}
    with pytest.raises(DicomError, match="2 units"):
        load(made.files, Contrast.FDG)


def test_enhanced_pet_is_refused_by_name_with_the_next_move(tmp_path: Path) -> None:
    def enhanced(dataset: Dataset, index: int) -> None:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
            "1.2.840.10008.5.1.4.1.1.130"
        )

    write_pt(tmp_path, kbq()[:, :, :1], oblique(), edit=enhanced)
    (problem,) = [each for each in only(tmp_path).problems if each.kind == "units"]
    assert problem.blocking
    assert "Enhanced" in problem.text
    assert "Export" in problem.text


def test_numbers_that_are_suv_already_are_called_so(tmp_path: Path) -> None:
    def gml(dataset: Dataset, index: int) -> None:
        dataset.Units = "GML"

    made = write_pt(tmp_path, kbq(), oblique(), edit=gml)
    series = load(made.files, Contrast.FDG, suv=suv.present)
    assert series.volumes[0].quantity is Quantity.SUV
    assert series.sidecar["SuvFactor"] == 1.0
    np.testing.assert_allclose(series.volumes[0].array, made.voxels * 1000, rtol=1e-6)


def test_suv_by_lean_mass_is_counts_without_a_factor(tmp_path: Path) -> None:
    def lean(dataset: Dataset, index: int) -> None:
        dataset.Units, dataset.SUVType = "GML", "LBM"

    made = write_pt(tmp_path, kbq(), oblique(), edit=lean)
    series = load(made.files, Contrast.FDG, suv=suv.present)
    assert series.volumes[0].quantity is Quantity.COUNTS
    assert "SuvFactor" not in series.sidecar
    assert "body weight" in series.sidecar["SuvReason"]


def test_slices_that_disagree_about_suv_have_none(tmp_path: Path) -> None:
    def weighed(dataset: Dataset, index: int) -> None:
        dataset.DecayCorrection = "ADMIN"
        given = dataset.RadiopharmaceuticalInformationSequence[0]
        given.RadionuclideTotalDose = 370e6
        dataset.PatientWeight = 61.5 if index < 6 else 62.5

    made = write_pt(tmp_path, kbq(), oblique(), edit=weighed)
    told = load(made.files, Contrast.FDG, suv=suv.present).sidecar
    assert "SuvFactor" not in told
    assert "different factors" in told["SuvReason"]
    some = load(made.files[:6], Contrast.FDG, suv=suv.present).sidecar
    assert some["SuvFactor"] == pytest.approx(61_500 / 370e6 * 1000)
    assert "SuvFactor" not in load(made.files[:6], Contrast.FDG).sidecar


def test_two_anatomical_volumes_in_one_series_are_told(tmp_path: Path) -> None:
    write_mr(tmp_path, np.stack([head(SHAPE), head(SHAPE) // 2], -1), oblique())
    assert kinds(only(tmp_path)) == {"duplicate": False}


def test_a_slice_of_another_echo_is_a_scrap_and_no_second_scan(tmp_path: Path) -> None:
    def odd(dataset: Dataset, index: int) -> None:
        if index == 3:
            dataset.EchoTime = 4.8

    write_mr(tmp_path, head(SHAPE), oblique(), edit=odd)
    rest, scrap = sorted(scan(tmp_path).series, key=lambda each: -len(each.files))
    assert (len(rest.files), kinds(rest)) == (6, {"gap": False})
    assert (len(scrap.files), kinds(scrap)) == (1, {"geometry": True})


def test_uneven_slices_are_refused_by_name(tmp_path: Path) -> None:
    def bent(dataset: Dataset, index: int) -> None:
        if index == 3:
            x, y, z = (float(v) for v in dataset.ImagePositionPatient)
            dataset.ImagePositionPatient = [x, y, round(z + 1.1, 4)]

    write_mr(tmp_path, head(SHAPE), np.diag([-1.5, -1.25, 3.0, 1.0]), edit=bent)
    series = only(tmp_path)
    assert kinds(series) == {"geometry": True}
    assert "unevenly spaced" in series.problems[0].text


def test_a_spect_of_unknown_side_is_marked_and_its_voxels_are_not_turned(tmp_path: Path) -> None:
    def lost(dataset: Dataset, index: int) -> None:
        del dataset.DetectorInformationSequence

    made = write_nm(tmp_path, head(SHAPE), oblique(), edit=lost)
    assert kinds(only(tmp_path)) == {"orientation": False}
    series = load(made.files, Contrast.ECD)
    assert series.sidecar["SideUnverified"] is True
    np.testing.assert_array_equal(series.volumes[0].array, made.voxels)
    known = write_nm(tmp_path / "known", head(SHAPE), oblique())
    assert "SideUnverified" not in load(known.files, Contrast.ECD).sidecar


def test_slices_without_a_distance_are_no_frames_in_time(tmp_path: Path) -> None:
    def flat(dataset: Dataset, index: int) -> None:
        for keyword in ("SpacingBetweenSlices", "SliceThickness"):
            delattr(dataset, keyword)

    write_nm(tmp_path / "nm", head(SHAPE), oblique(), edit=flat)
    write_mosaic(tmp_path / "mosaic", head(SHAPE)[..., None], oblique(), edit=flat)
    for kind in ("nm", "mosaic"):
        (problem,) = only(tmp_path / kind).problems
        assert problem.blocking
        assert "where they lie" in problem.text
