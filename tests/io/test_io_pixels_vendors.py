"""Pixels in the odd ways of vendors: scales, mosaics, SPECT geometry, labels, units."""

from pathlib import Path

import numpy as np
import pytest
from pixel_cases import SMALL
from pixel_cases import agrees as case_agrees
from pixel_cases import array as case_array
from pixel_cases import mosaic as case_mosaic
from pydicom import Dataset

from phantoms import (
    head,
    oblique,
    write_mosaic,
    write_mr,
    write_nm,
    write_pt,
)
from tracerless.core.errors import GeometryError
from tracerless.core.volume import Contrast, Quantity
from tracerless.io.pixels import load


def test_philips_numbers_are_brought_to_the_receivers_scale(tmp_path: Path) -> None:
    def scaled(dataset: Dataset, index: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "2", "-4"
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", 0.25)

    made = write_mr(tmp_path, head(SMALL), oblique(), edit=scaled)
    array = case_array(load(made.files, Contrast.T1W))
    np.testing.assert_allclose(array, (made.voxels * 2 - 4) / (2 * 0.25))


def test_a_negative_spacing_turns_the_slices_of_a_spect(tmp_path: Path) -> None:
    def backward(dataset: Dataset, index: int) -> None:
        dataset.SpacingBetweenSlices = "-3"

    made = write_nm(tmp_path, head(SMALL), oblique(), edit=backward)
    series = load(made.files, Contrast.ECD)
    np.testing.assert_array_equal(case_array(series), made.voxels[:, :, ::-1])
    last = made.affine @ [0, 0, -(SMALL[2] - 1), 1]
    np.testing.assert_allclose(series.grid.affine[:3, 3], last[:3], atol=1e-4)


def test_a_spect_without_detector_geometry_says_that_its_side_is_unverified(
    tmp_path: Path,
) -> None:
    def lost(dataset: Dataset, index: int) -> None:
        del dataset.DetectorInformationSequence

    made = write_nm(tmp_path, head(SMALL), oblique(), edit=lost)
    series = load(made.files, Contrast.HMPAO)
    assert series.sidecar["SideUnverified"] is True
    assert series.sidecar["Modality"] == "SPECT"
    np.testing.assert_array_equal(case_array(series), made.voxels)


def test_the_slices_of_a_mosaic_without_its_normal_are_marked_as_assumed(tmp_path: Path) -> None:
    assert (
        load(case_mosaic(tmp_path).files, Contrast.ASL).sidecar["SliceOrientationAssumed"] is True
    )


def test_a_mosaic_that_lost_its_count_is_unrolled_by_its_matrix(tmp_path: Path) -> None:
    def lost(dataset: Dataset, index: int) -> None:
        for element in [e.tag for e in dataset if e.tag.is_private]:
            del dataset[element]
        dataset.AcquisitionMatrix = [0, 9, 8, 0]

    frames = head(SMALL)[..., None] + np.int16(1)  # no tile in use is empty
    made = write_mosaic(tmp_path, frames, oblique(), edit=lost)
    np.testing.assert_array_equal(case_array(load(made.files, Contrast.ASL)), made.voxels[..., 0])


def test_a_mosaic_without_count_and_matrix_is_refused(tmp_path: Path) -> None:
    def lost(dataset: Dataset, index: int) -> None:
        for element in [e.tag for e in dataset if e.tag.is_private]:
            del dataset[element]

    made = write_mosaic(tmp_path, head(SMALL)[..., None], oblique(), edit=lost)
    with pytest.raises(GeometryError, match="mosaic"):
        load(made.files, Contrast.ASL)


def test_labels_of_each_frame_are_told_where_the_scanner_told_them(tmp_path: Path) -> None:
    def labelled(dataset: Dataset, index: int) -> None:
        frame = index // SMALL[2]
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x29, "CS", ("CONTROL", "LABEL")[frame % 2])
        dataset.TemporalPositionIdentifier = frame // 2 + 1

    frames = np.stack([head(SMALL) + np.int16(t) for t in range(4)], -1)
    made = write_mr(tmp_path, frames, oblique(), contrast="asl", edit=labelled)
    series = load(made.files, Contrast.ASL)
    assert series.sidecar["AslContext"] == ["control", "label", "control", "label"]
    case_agrees(series, made)


def test_frames_that_only_their_numbers_tell_apart_come_in_order(tmp_path: Path) -> None:
    def mute(dataset: Dataset, index: int) -> None:
        for keyword in ("TemporalPositionIdentifier", "AcquisitionNumber"):
            delattr(dataset, keyword)

    frames = np.stack([head(SMALL) + np.int16(t) for t in range(3)], -1)
    made = write_mr(tmp_path, frames, oblique(), contrast="asl", edit=mute)
    case_agrees(load(made.files[::-1], Contrast.ASL), made)


def test_counts_stay_counts_and_sidecars_hold_technique_only(tmp_path: Path) -> None:
    def counts(dataset: Dataset, index: int) -> None:
        dataset.Units = "CNTS"

    made = write_pt(tmp_path, head(SMALL).astype(np.float32) / 50, oblique(), edit=counts)
    series = load(made.files, Contrast.FDG)
    assert series.volumes[0].quantity is Quantity.COUNTS
    np.testing.assert_allclose(case_array(series), made.voxels * 1000, rtol=1e-5)
    assert series.sidecar["TracerName"] == "FDG"
    assert series.sidecar["FrameDuration"] == [900.0]
    shown = repr(dict(series.sidecar)) + series.frame_of_reference
    for secret in ("PLANTED", "2019", "1944", "2.25."):
        assert secret not in shown
