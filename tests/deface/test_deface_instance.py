"""One DICOM object: only the masked voxels change, and it says what was done."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from phantoms import head, oblique, write_enhanced, write_mr, write_pt
from tracerless import deface
from tracerless.core.errors import DicomError
from tracerless.deface.instance import METHOD


def one(folder: Path, writer=write_mr) -> Dataset:
    shape = (20, 24, 3)
    array = head(shape).astype(np.float32 if writer is write_pt else np.int16)
    return pydicom.dcmread(writer(folder, array, oblique()).files[1 if writer is write_mr else 0])


def corner(shape: tuple[int, ...]) -> np.ndarray:
    taken = np.zeros(shape, bool)
    taken[len(taken) // 2, 8:14, 9:15] = True
    return taken


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_bytes_outside_the_mask_stay(seed: int) -> None:
    draw = np.random.default_rng(seed)
    frames = draw.integers(0, 4000, (2, 7, 9)).astype("<u2")
    file = Dataset()
    file.file_meta = pydicom.dataset.FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.Rows, file.Columns, file.NumberOfFrames = 7, 9, 2
    file.BitsAllocated, file.BitsStored, file.PixelRepresentation = 16, 12, 0
    file.SamplesPerPixel, file.PixelData = 1, frames.tobytes()
    taken = draw.random((2, 7, 9)) < 0.3
    assert deface.clear(file, taken, [(1.0, 0.0)] * 2) == taken.sum()
    after = np.frombuffer(file.PixelData, "<u2").reshape(2, 7, 9)
    assert np.array_equal(after[~taken], frames[~taken])
    assert not after[taken].any()
    assert len(file.PixelData) == frames.nbytes


def test_an_empty_mask_leaves_even_compressed_bytes(tmp_path: Path) -> None:
    file = one(tmp_path)
    file.compress(RLELossless, generate_instance_uid=False)
    before = file.PixelData
    assert deface.clear(file, np.zeros((1, 24, 20), bool), [(1.0, 0.0)]) == 0
    assert file.PixelData == before
    assert file.file_meta.TransferSyntaxUID == RLELossless


def test_compressed_pixels_come_out_explicit_and_equal_elsewhere(tmp_path: Path) -> None:
    file = one(tmp_path)
    truth, taken = file.pixel_array.copy(), corner((1, 24, 20))
    instance = file.SOPInstanceUID
    file.compress(RLELossless, generate_instance_uid=False)
    deface.clear(file, taken, [(1.0, 0.0)])
    assert file.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert file.SOPInstanceUID == instance
    assert np.array_equal(file.pixel_array[~taken[0]], truth[~taken[0]])
    assert not file.pixel_array[taken[0]].any()


@pytest.mark.parametrize(
    ("scale", "padding", "expected"),
    [
        ((1.0, 0.0), None, 0),
        ((2.0, -200.0), None, 100),
        ((1.0, 0.0), -5, -5),
        ((1.0, 9e9), None, 0),
    ],
)
def test_the_background_is_padding_or_zero_output_or_the_minimum(
    tmp_path: Path, scale: tuple[float, float], padding: int | None, expected: int
) -> None:
    file = one(tmp_path)
    if padding is not None:
        file.PixelPaddingValue = padding
    taken = corner((1, 24, 20))
    deface.clear(file, taken, [scale])
    assert set(file.pixel_array[taken[0]].tolist()) == {expected}


def test_every_frame_of_an_enhanced_object_has_its_own_mask(tmp_path: Path) -> None:
    file = one(tmp_path, write_enhanced)
    truth = file.pixel_array.copy()
    taken = corner(truth.shape)
    deface.clear(file, taken, [(1.0, 0.0)] * len(truth))
    assert np.array_equal(file.pixel_array[0], truth[0])
    assert np.array_equal(file.pixel_array[~taken], truth[~taken])
    assert truth[taken].any()
    assert not file.pixel_array[taken].any()


def test_declared_extremes_follow_the_pixels(tmp_path: Path) -> None:
    file = one(tmp_path)
    file.SmallestImagePixelValue, file.LargestImagePixelValue = 3, 9999
    deface.clear(file, corner((1, 24, 20)), [(1.0, 0.0)])
    assert file.SmallestImagePixelValue == 0
    assert file.LargestImagePixelValue == file.pixel_array.max()


@pytest.mark.parametrize(
    "edit", [{"SamplesPerPixel": 3}, {"BitsAllocated": 1}, {"PixelData": b"\0" * 10}]
)
def test_pixels_that_are_not_understood_are_refused(tmp_path: Path, edit: dict) -> None:
    file = one(tmp_path)
    for keyword, value in edit.items():
        setattr(file, keyword, value)
    with pytest.raises(DicomError):
        deface.clear(file, corner((1, 24, 20)), [(1.0, 0.0)])


def test_the_stamp_says_what_was_done_once(tmp_path: Path) -> None:
    file = one(tmp_path)
    assert not deface.is_cleared(file)
    for _ in range(2):
        deface.stamp(file, is_changed=True)
    codes = [
        (item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning)
        for item in file.DeidentificationMethodCodeSequence
    ]
    assert codes == [METHOD]
    assert deface.is_cleared(file)
    assert list(file.ImageType) == ["DERIVED", "PRIMARY", "M", "NORM"]


def test_other_methods_stay_in_the_stamp_and_unchanged_series_stay_original(tmp_path: Path) -> None:
    file = one(tmp_path)
    other = Dataset()
    other.CodeValue, other.CodingSchemeDesignator = "113100", "DCM"
    file.DeidentificationMethodCodeSequence = [other]
    deface.stamp(file, is_changed=False)
    codes = [item.CodeValue for item in file.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113102"]
    assert file.ImageType[0] == "ORIGINAL"


def test_frames_of_an_enhanced_object_are_derived_too(tmp_path: Path) -> None:
    file = one(tmp_path, write_enhanced)
    kind = Dataset()
    kind.FrameType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    file.SharedFunctionalGroupsSequence[0].MRImageFrameTypeSequence = [kind]
    deface.stamp(file, is_changed=True)
    groups = file.SharedFunctionalGroupsSequence[0]
    assert groups.MRImageFrameTypeSequence[0].FrameType[0] == "DERIVED"
    assert file.ImageType[0] == "DERIVED"
