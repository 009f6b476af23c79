"""Pixels at the right place: phantoms give back the voxels and affines they were made from."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pixel_cases import SMALL
from pixel_cases import agrees as case_agrees
from pixel_cases import array as case_array
from pixel_cases import asl as case_asl
from pixel_cases import enhanced as case_enhanced
from pixel_cases import mosaic as case_mosaic
from pixel_cases import nm as case_nm
from pixel_cases import pt as case_pt
from pixel_cases import t1 as case_t1
from pydicom import dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from phantoms import (
    Phantom,
    Who,
    head,
    oblique,
    write_enhanced,
    write_mr,
)
from tracerless.core.errors import DicomError, GeometryError
from tracerless.core.volume import Contrast, Quantity
from tracerless.io import external
from tracerless.io.pixels import load

WRITERS: list[tuple[Callable[[Path], Phantom], Contrast, Quantity]] = [
    (case_t1, Contrast.T1W, Quantity.T1W),
    (case_asl, Contrast.ASL, Quantity.SIGNAL),
    (case_pt, Contrast.FDG, Quantity.ACTIVITY),
    (case_nm, Contrast.ECD, Quantity.COUNTS),
    (case_mosaic, Contrast.ASL, Quantity.SIGNAL),
    (case_enhanced, Contrast.T1W, Quantity.T1W),
]


@pytest.mark.parametrize(("write", "contrast", "quantity"), WRITERS)
def test_known_voxels_come_back_at_their_place(
    write: Callable[[Path], Phantom], contrast: Contrast, quantity: Quantity, tmp_path: Path
) -> None:
    made = write(tmp_path)
    files = list(made.files)
    random.Random(7).shuffle(files)  # noqa: S311
    series = load(files, contrast)
    case_agrees(series, made)
    assert {volume.quantity for volume in series.volumes} == {quantity}
    assert series.sidecar["ConversionSoftware"] == "tracerless"
    assert series.contrast is contrast


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_lossless_compression_changes_no_voxel(syntax: str, tmp_path: Path) -> None:
    made = write_mr(tmp_path, head((40, 44, 3)), oblique())
    for path in made.files:
        dataset = dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
    case_agrees(load(made.files, Contrast.T1W), made)


def test_left_and_right_follow_the_patient_axes(tmp_path: Path) -> None:
    made = write_mr(tmp_path, head(SMALL), np.diag([-2.0, -2.0, 3.0, 1.0]))
    grid = load(made.files, Contrast.T1W).grid
    assert grid.axcodes == "LPS"
    first = dcmread(made.files[0])
    x, y, z = (float(v) for v in first.ImagePositionPatient)
    np.testing.assert_allclose(grid.affine[:3, 3], (-x, -y, z))


@pytest.mark.parametrize("axes", [[0, 1, 2], [1, 2, 0], [2, 0, 1]])
def test_sagittal_and_coronal_stacks_keep_their_axes(axes: list[int], tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[:3, :3] = oblique()[:3, axes]
    made = write_mr(tmp_path, head(SMALL), affine)
    series = load(made.files, Contrast.T1W)
    forward = np.linalg.det(affine[:3, :3]) > 0
    expected = made.voxels if forward else made.voxels[:, :, ::-1]
    np.testing.assert_array_equal(case_array(series), expected)
    at = series.grid.affine @ [1, 2, 3, 1]
    np.testing.assert_allclose(at, affine @ [1, 2, 3 if forward else SMALL[2] - 4, 1], atol=1e-4)


def test_one_missing_slice_is_the_mean_of_its_neighbors_and_is_recorded(tmp_path: Path) -> None:
    made = case_t1(tmp_path)
    files = [path for k, path in enumerate(made.files) if k != 3]
    series = load(files, Contrast.T1W)
    array = case_array(series)
    np.testing.assert_allclose(array[:, :, 3], made.voxels[:, :, [2, 4]].mean(axis=2))
    np.testing.assert_array_equal(np.delete(array, 3, 2), np.delete(made.voxels, 3, 2))
    assert series.sidecar["InterpolatedSlices"] == [3]


def test_two_missing_slices_are_refused(tmp_path: Path) -> None:
    made = case_t1(tmp_path)
    with pytest.raises(GeometryError, match="2 of 7 slices are missing"):
        load([path for k, path in enumerate(made.files) if k not in (2, 4)], Contrast.T1W)


def test_two_geometries_are_refused_with_the_next_move(tmp_path: Path) -> None:
    one = case_t1(tmp_path / "a")
    other = write_mr(tmp_path / "b", head((9, 8, 7)), oblique(), who=Who(number=8))
    with pytest.raises(GeometryError, match="2 geometries") as caught:
        load([*one.files, *other.files], Contrast.T1W)
    assert caught.value.hint


def test_a_truncated_file_is_refused_without_its_name(tmp_path: Path) -> None:
    made = case_t1(tmp_path)
    made.files[0].write_bytes(made.files[0].read_bytes()[:-9])
    with pytest.raises(DicomError, match="truncated") as caught:
        load(made.files, Contrast.T1W)
    assert made.files[0].name not in str(caught.value)


def test_times_are_in_seconds(tmp_path: Path) -> None:
    sidecar = load(case_t1(tmp_path).files, Contrast.T1W).sidecar
    assert sidecar["RepetitionTime"] == 2.3
    assert sidecar["EchoTime"] == pytest.approx(0.00298)
    assert sidecar["InversionTime"] == 0.9
    enhanced = write_enhanced(tmp_path / "e", head(SMALL), oblique())
    assert load(enhanced.files, Contrast.T1W).sidecar["InversionTime"] == 0.9


def test_equal_frames_of_reference_have_equal_digests(tmp_path: Path) -> None:
    t1 = write_mr(tmp_path / "a", head(SMALL), oblique(), who=Who(number=1))
    t2 = write_mr(tmp_path / "b", head(SMALL), oblique(), who=Who(number=2), contrast="T2w")
    other = write_mr(tmp_path / "c", head(SMALL), oblique(), who=Who(number=3, frame="frame-2"))
    digests = [load(each.files, Contrast.T1W).frame_of_reference for each in (t1, t2, other)]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 16


def test_what_the_own_reader_cannot_decode_is_read_by_dcm2niix_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_mr(tmp_path, head((40, 44, 5)), oblique())
    for path in made.files:
        dataset = dcmread(path)
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        dataset.save_as(path)
    decoder = get_decoder(JPEGLSLossless)
    monkeypatch.setattr(decoder, "_available", {})  # a machine without that codec
    series = load(made.files, Contrast.T1W)
    assert series.sidecar["ConversionSoftware"] == "dcm2niix"
    assert "cannot be decoded" in series.sidecar["ConversionReason"]
    to_mine = np.linalg.inv(series.grid.affine) @ made.affine
    i, j, k = np.rint(to_mine @ [11, 17, 3, 1])[:3].astype(int)
    assert case_array(series)[i, j, k] == made.voxels[11, 17, 3]


def test_dcm2niix_agrees_with_the_own_reader_on_phantoms(tmp_path: Path) -> None:
    for name, write in (("t1", case_t1), ("pt", case_pt), ("nm", case_nm), ("asl", case_asl)):
        made = write(tmp_path / name)
        converted = external.convert(made.files)
        assert converted is not None
        arrays, affine = converted
        factor = 1000 if name == "pt" else 1
        voxel = (5, 4, 3)
        place = np.linalg.inv(affine) @ made.affine @ [*voxel, 1]
        i, j, k = np.rint(place[:3]).astype(int)
        np.testing.assert_allclose(place[:3], (i, j, k), atol=1e-3)
        expected = np.atleast_1d(made.voxels[voxel]) * factor
        np.testing.assert_allclose([each[i, j, k] for each in arrays], expected, rtol=1e-5)


def test_files_may_be_listed_twice(tmp_path: Path) -> None:
    made = case_t1(tmp_path)
    case_agrees(load([*made.files, made.files[0]], Contrast.T1W), made)


def test_a_series_survives_a_move(tmp_path: Path) -> None:
    made = case_t1(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    again = load(sorted((tmp_path / "b").iterdir()), Contrast.T1W)
    assert again.sidecar == load(made.files, Contrast.T1W).sidecar
