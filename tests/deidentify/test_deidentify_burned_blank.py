"""Blanking changes the pixels of the boxes and nothing else; hidden bits go, meant ones stay."""

import copy

import numpy as np
import pytest
from deid_cases import MR, NM, base, reread, stored
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, RLELossless

from tracerless.core.errors import DicomError
from tracerless.deidentify import burned
from tracerless.deidentify.burned_boxes import Box, padded
from tracerless.deidentify.burned_capture import capture

ROWS, COLUMNS = 48, 60


def instance(n_frames: int = 1, kind: str = "<u2", least: int = 40) -> Dataset:
    dataset = base(NM if n_frames > 1 else MR)
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    if n_frames > 1:
        dataset.NumberOfFrames = n_frames
    pixels = np.random.default_rng(4).integers(least, 250, (n_frames, ROWS, COLUMNS)).astype(kind)
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.HighBit = dataset.BitsAllocated - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.add(DataElement(0x7FE00010, "OW", pixels.tobytes()))
    return dataset


def outside(boxes: list[Box], shape: tuple[int, ...]) -> np.ndarray:
    kept = np.ones(shape, dtype=bool)
    for box in boxes:
        wide = padded(box, shape[1:])
        for number in box.frames:
            kept[number, wide.top : wide.bottom, wide.left : wide.right] = False
    return kept


@pytest.mark.parametrize("kind", ["<u1", "<u2", "<i2", "<u4"])
@pytest.mark.parametrize("n_frames", [1, 3])
def test_only_the_boxes_change(kind: str, n_frames: int) -> None:
    dataset = instance(n_frames, kind)
    before = burned.decoded(dataset)
    whole = stored(dataset)
    boxes = [Box(2, 3, 8, 20, (n_frames - 1,)), Box(15, 0, 20, 9, tuple(range(n_frames)))]
    after = burned.decoded(burned.blank(dataset, boxes))
    kept = outside(boxes, before.shape)
    assert np.array_equal(after[kept], before[kept])
    for number in range(n_frames):
        background = before[number][kept[number]].min()
        assert (after[number][~kept[number]] == background).all()
    assert stored(dataset) == whole


def test_attributes_say_what_was_done_and_stay_else() -> None:
    dataset = instance()
    changed = burned.blank(dataset, [Box(2, 3, 8, 20, (0,))])
    assert changed.BurnedInAnnotation == "NO"
    assert list(changed.ImageType) == ["DERIVED", "PRIMARY", "M"]
    assert changed.SOPInstanceUID == dataset.SOPInstanceUID
    touched = {"PixelData", "BurnedInAnnotation", "ImageType"}
    same = {e.keyword: e.value for e in changed if e.keyword not in touched}
    assert same == {e.keyword: e.value for e in dataset if e.keyword not in touched}
    assert burned.blank(dataset, []) is dataset


def test_background_is_the_padding_value_when_there_is_one() -> None:
    dataset = instance()
    dataset.PixelPaddingValue = 7
    after = burned.decoded(burned.blank(dataset, [Box(2, 3, 8, 20, (0,))]))
    assert after[0, 5, 10] == 7


def test_background_of_inverted_pixels_is_their_largest_value() -> None:
    dataset = instance()
    dataset.PhotometricInterpretation = "MONOCHROME1"
    pixels = burned.decoded(dataset).copy()
    pixels[0, 5, 10] = 999
    dataset.PixelData = pixels.tobytes()
    after = burned.decoded(burned.blank(dataset, [Box(2, 3, 8, 20, (0,))]))
    assert after[0, 5, 10] == pixels[0, 20:].max() < 999


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_pixels_are_decompressed_and_blanked(syntax: str) -> None:
    dataset = instance()
    before = burned.decoded(dataset)
    dataset.compress(syntax, generate_instance_uid=False)
    boxes = [Box(2, 3, 8, 20, (0,))]
    changed = reread(stored(burned.blank(dataset, boxes)))
    kept = outside(boxes, before.shape)
    assert not changed.file_meta.TransferSyntaxUID.is_compressed
    assert changed.SOPInstanceUID == dataset.SOPInstanceUID
    assert np.array_equal(burned.decoded(changed)[kept], before[kept])
    assert dataset.file_meta.TransferSyntaxUID == syntax


def test_big_endian_pixels_are_blanked_in_their_order() -> None:
    dataset = instance()
    before = burned.decoded(dataset)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = before.astype(">u2").tobytes()
    boxes = [Box(2, 3, 8, 20, (0,))]
    after = burned.decoded(burned.blank(dataset, boxes))
    kept = outside(boxes, before.shape)
    assert np.array_equal(after[kept], before[kept])
    assert (after[~kept] == before[kept].min()).all()


def test_floating_point_pixels_are_blanked() -> None:
    dataset = instance()
    values = burned.decoded(dataset).astype("<f4") / 3
    del dataset.PixelData, dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()
    after = burned.decoded(burned.blank(dataset, [Box(2, 3, 8, 20, (0,))]))
    assert after[0, 5, 10] == after[0, 0, 0].dtype.type(after.min())
    assert after[0, -1, -1] == values[0, -1, -1]


def test_broken_code_is_an_error() -> None:
    dataset = instance()
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.PixelData = encapsulate([b"\1" * 30])
    for attempt in (burned.decoded, lambda broken: burned.blank(broken, [Box(2, 3, 8, 20, (0,))])):
        with pytest.raises(DicomError, match="decoded"):
            attempt(dataset)


def test_color_and_truncated_pixels_are_refused() -> None:
    color = instance()
    color.SamplesPerPixel, color.PhotometricInterpretation, color.PlanarConfiguration = 3, "RGB", 0
    short = instance()
    short.PixelData = short.PixelData[:100]
    for dataset in (color, short):
        with pytest.raises(DicomError):
            burned.blank(dataset, [Box(2, 3, 8, 20, (0,))])
        with pytest.raises(DicomError):
            burned.decoded(dataset)


def twelve_bits(values: np.ndarray, *, signed: bool = False) -> Dataset:
    dataset = instance(kind="<i2" if signed else "<u2")
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.PixelData = values.astype("<i2" if signed else "<u2").tobytes()
    return dataset


def test_overlay_in_the_bits_above_is_cleared_and_counted() -> None:
    meant = np.random.default_rng(5).integers(0, 4096, (ROWS, COLUMNS))
    hidden = np.zeros_like(meant)
    hidden[3:9, 4:20] = 1 << 13
    dataset = twelve_bits(meant | hidden)
    before = bytes(dataset.PixelData)
    changed, n_changed = burned.clear_high_bits(dataset)
    assert n_changed == 6 * 16
    assert np.array_equal(np.frombuffer(changed.PixelData, "<u2").reshape(meant.shape), meant)
    assert dataset.PixelData == before


def test_bits_below_the_stored_ones_are_cleared() -> None:
    dataset = twelve_bits(np.full((ROWS, COLUMNS), 0x1235))
    dataset.HighBit = 15
    changed, n_changed = burned.clear_high_bits(dataset)
    assert n_changed == ROWS * COLUMNS
    assert (np.frombuffer(changed.PixelData, "<u2") == 0x1230).all()


@given(st.integers(2, 16), st.booleans(), st.integers(0, 2**31))
def test_meant_values_are_never_changed(bits: int, signed: bool, seed: int) -> None:
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    dataset = twelve_bits(np.random.default_rng(seed).integers(low, high, (ROWS, COLUMNS)),
                          signed=signed)  # fmt: skip
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    assert burned.clear_high_bits(dataset) == (dataset, 0)


@given(st.integers(0, 2**31))
def test_overlay_over_signed_values_gives_the_values_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    meant = rng.integers(-2048, 2048, (ROWS, COLUMNS)).astype("<i2")
    meant[0, 0] = -5
    bits = meant.view("<u2").copy()
    bits[2:5, 3:9] ^= 1 << 14
    changed, n_changed = burned.clear_high_bits(twelve_bits(bits.view("<i2"), signed=True))
    assert n_changed == 18
    assert np.array_equal(np.frombuffer(changed.PixelData, "<i2").reshape(meant.shape), meant)


def test_signs_that_are_never_repeated_stay_so() -> None:
    values = np.full((ROWS, COLUMNS), 0x0FFB)
    dataset = twelve_bits(values, signed=True)
    assert burned.clear_high_bits(dataset) == (dataset, 0)
    values[4, 4] |= 1 << 13
    changed, n_changed = burned.clear_high_bits(twelve_bits(values, signed=True))
    assert n_changed == 1
    assert (np.frombuffer(changed.PixelData, "<i2") == 0x0FFB).all()


def test_impossible_bits_are_an_error() -> None:
    dataset = instance()
    dataset.BitsStored, dataset.HighBit = 12, 5
    with pytest.raises(DicomError, match="12 of 16"):
        burned.clear_high_bits(dataset)


def test_compressed_and_whole_pixels_have_no_such_bits() -> None:
    whole = instance()
    packed = copy.deepcopy(whole)
    packed.compress(RLELossless, generate_instance_uid=False)
    for dataset in (whole, packed):
        assert burned.clear_high_bits(dataset) == (dataset, 0)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImageType", ["DERIVED", "SECONDARY", "SCREENSHOT"]), ("ImageType", ["SCREEN SAVE"]),
        ("ImageType", ["ORIGINAL", "PRIMARY", "SCREEN_CAPTURE"]), ("ConversionType", "WSD"),
        ("ConversionType", "SI"), ("ConversionType", "DF"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7.2"),
    ],
)  # fmt: skip
def test_captures_are_refused(keyword: str, value: object) -> None:
    dataset = instance()
    setattr(dataset, keyword, value)
    found = capture(dataset)
    assert found is not None
    assert found.kind == "capture"


def test_measurements_are_no_captures() -> None:
    dataset = instance()
    assert capture(dataset) is None
    dataset.ImageType = ["DERIVED", "SECONDARY", "MPR"]
    dataset.ConversionType = "SYN"
    assert capture(dataset) is None
    del dataset.ImageType, dataset.ConversionType
    assert capture(dataset) is None
