"""Names planted in compressed frames go; the pixels that are decoded stay."""

import io
import struct

import jpeg_ls
import numpy as np
import pytest
from deid_cases import base, reread, stored
from hypothesis import given
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from PIL import Image
from pydicom import DataElement, Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tracerless.core.errors import DicomError
from tracerless.deidentify import burned
from tracerless.deidentify.burned_comments import strip_comments, strip_pixel_data

NAME = "陳大文 WANG^TAMING".encode()
PIXELS = np.random.default_rng(8).integers(0, 255, (48, 64)).astype(np.uint8)
PIXELS[10:30, 12:50] = 90


def jpeg(*, progressive: bool = False) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", quality=90, progressive=progressive)
    return buffer.getvalue()


def jpeg_ls_frame() -> bytes:
    shape = {"rows": 48, "columns": 64, "samples_per_pixel": 1, "bits_stored": 8}
    return bytes(jpeg_ls.encode_pixel_data(PIXELS.tobytes(), **shape))


def jpeg2000() -> bytes:
    return bytes(encode_array(PIXELS, photometric_interpretation=0, use_mct=False))


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def with_jpeg_names(frame: bytes) -> bytes:
    planted = segment(0xFE, NAME) + segment(0xE1, b"Exif\0\0" + NAME) + segment(0xEE, NAME)
    return frame[:2] + planted + frame[2:] + NAME


def with_j2k_names(frame: bytes) -> bytes:
    at = frame.index(b"\xff\x52")
    comment = segment(0x64, b"\0\1" + NAME)
    frame = frame[:at] + comment + frame[at:]
    tile = frame.index(b"\xff\x90")
    (length,) = struct.unpack_from(">L", frame, tile + 6)
    head = frame[tile : tile + 6] + struct.pack(">L", length + len(comment) if length else 0)
    return frame[:tile] + head + frame[tile + 10 : tile + 12] + comment + frame[tile + 12 :] + NAME


def in_file(frames: list[bytes], syntax: str) -> Dataset:
    dataset = base()
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 48, 64, len(frames)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.add(DataElement(0x7FE00010, "OB", encapsulate(frames)))
    dataset["PixelData"].is_undefined_length = True
    return dataset


CASES = [
    (JPEGBaseline8Bit, jpeg(), with_jpeg_names(jpeg())),
    (JPEGBaseline8Bit, jpeg(progressive=True), with_jpeg_names(jpeg(progressive=True))),
    (JPEGLSLossless, jpeg_ls_frame(), with_jpeg_names(jpeg_ls_frame())),
    (JPEG2000Lossless, jpeg2000(), with_j2k_names(jpeg2000())),
]
NAMES = ["jpeg", "progressive", "jpeg-ls", "jpeg2000"]


@pytest.mark.parametrize(("syntax", "plain", "planted"), CASES, ids=NAMES)
def test_planted_names_go_and_pixels_stay(syntax: str, plain: bytes, planted: bytes) -> None:
    assert planted.count(NAME) >= 3
    kept = strip_comments(planted, syntax)
    assert NAME not in kept
    assert len(kept) % 2 == 0
    before = burned.decoded(in_file([planted], syntax))
    assert np.array_equal(burned.decoded(in_file([plain], syntax)), before)
    assert np.array_equal(burned.decoded(in_file([kept], syntax)), before)


@pytest.mark.parametrize(("syntax", "plain", "planted"), CASES, ids=NAMES)
def test_stripping_twice_changes_nothing_more(syntax: str, plain: bytes, planted: bytes) -> None:
    once = strip_comments(planted, syntax)
    assert strip_comments(once, syntax) is once
    assert once == strip_comments(plain, syntax)


@pytest.mark.parametrize(("syntax", "plain", "planted"), CASES, ids=NAMES)
def test_damaged_frames_are_refused(syntax: str, plain: bytes, planted: bytes) -> None:
    for damaged in (b"", plain[2:], plain[: len(plain) // 2], plain[:40]):
        with pytest.raises(DicomError, match="stream"):
            strip_comments(damaged, syntax)


@given(st.binary(max_size=200), st.sampled_from([case[0] for case in CASES]))
def test_no_bytes_break_it(junk: bytes, syntax: str) -> None:
    start = b"\xff\x4f" if syntax == JPEG2000Lossless else b"\xff\xd8"
    for frame in (junk, start + junk):
        try:
            strip_comments(frame, syntax)
        except DicomError:
            continue


def test_unknown_segments_are_refused() -> None:
    frame = jpeg()
    with pytest.raises(DicomError, match="JPEG"):
        strip_comments(frame[:2] + segment(0xF3, NAME) + frame[2:], JPEGBaseline8Bit)
    code = jpeg2000()
    at = code.index(b"\xff\x52")
    with pytest.raises(DicomError, match="JPEG 2000"):
        strip_comments(code[:at] + segment(0x6F, NAME) + code[at:], JPEG2000Lossless)


def test_boxes_around_a_code_stream_go() -> None:
    code = jpeg2000()
    box = struct.pack(">L4s", 8 + len(NAME), b"xml ") + NAME
    wrapped = b"\x00\x00\x00\x0cjP  \r\n\x87\n" + box + struct.pack(">L4s", 0, b"jp2c") + code
    long = wrapped[: -len(code) - 8] + struct.pack(">L4sQ", 1, b"jp2c", 16 + len(code)) + code
    for syntax in (JPEG2000Lossless, HTJ2KLossless):
        assert strip_comments(wrapped, syntax) == strip_comments(code, syntax)
        assert strip_comments(long, syntax) == strip_comments(code, syntax)
    for broken in (wrapped[: -len(code) - 8], wrapped[:12] + b"\0\0\0\2xml " + code):
        with pytest.raises(DicomError, match="JPEG 2000"):
            strip_comments(broken, JPEG2000Lossless)


def test_tile_of_unstated_length_ends_with_the_code() -> None:
    code = jpeg2000()
    tile = code.index(b"\xff\x90")
    planted = code[: tile + 6] + bytes(4) + code[tile + 10 :] + NAME
    assert strip_comments(planted, JPEG2000Lossless) == strip_comments(code, JPEG2000Lossless)
    with pytest.raises(DicomError, match="JPEG 2000"):
        strip_comments(code[: tile + 6] + b"\0\0\0\1" + code[tile + 10 :], JPEG2000Lossless)
    with pytest.raises(DicomError, match="JPEG 2000"):
        strip_comments(code[: tile + 5], JPEG2000Lossless)
    no_end = code[: code.rindex(b"\xff\xd9")] + b"\0\0\0\0"
    with pytest.raises(DicomError, match="JPEG 2000"):
        strip_comments(no_end, JPEG2000Lossless)


def test_offset_tables_of_before_go_with_the_old_lengths() -> None:
    dataset = in_file([with_jpeg_names(jpeg())], JPEGBaseline8Bit)
    dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = bytes(8), bytes(8)
    assert strip_pixel_data(dataset)
    assert "ExtendedOffsetTable" not in dataset
    assert "ExtendedOffsetTableLengths" not in dataset


def test_frames_that_cannot_be_told_apart_are_refused() -> None:
    dataset = in_file([jpeg()], JPEGBaseline8Bit)
    dataset.PixelData = b"no item at all"
    with pytest.raises(DicomError, match="frames"):
        strip_pixel_data(dataset)


def test_tile_lengths_that_are_listed_do_not_contradict_the_tiles() -> None:
    code = jpeg2000()
    at = code.index(b"\xff\x90")
    listed = segment(0x55, b"\0\x50\0\0" + code[at + 6 : at + 10])
    planted = with_j2k_names(code[:at] + listed + code[at:])
    assert b"\xff\x55" in planted
    kept = strip_comments(planted, JPEG2000Lossless)
    assert b"\xff\x55" not in kept[: kept.index(b"\xff\x90")]


def test_run_length_code_has_no_comments() -> None:
    assert strip_comments(NAME, RLELossless) is NAME


@pytest.mark.parametrize(("syntax", "plain", "planted"), CASES, ids=NAMES)
def test_all_frames_of_a_file_are_stripped(syntax: str, plain: bytes, planted: bytes) -> None:
    dataset = in_file([planted, planted, plain], syntax)
    before = burned.decoded(dataset)
    assert strip_pixel_data(dataset)
    again = reread(stored(dataset))
    assert NAME not in again.PixelData
    assert np.array_equal(burned.decoded(again), before)
    assert not strip_pixel_data(dataset)


def test_fragments_of_no_frame_go() -> None:
    clean = strip_comments(jpeg(), JPEGBaseline8Bit)
    hidden = NAME + b"\0" * (len(NAME) % 2)
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(hidden)) + hidden
    for has_bot in (True, False):
        dataset = in_file([clean, clean], JPEGBaseline8Bit)
        dataset.PixelData = encapsulate([clean, clean], has_bot=has_bot) + item
        assert strip_pixel_data(dataset)
        assert dataset.PixelData == encapsulate([clean, clean])


def test_tables_of_offsets_that_list_something_else_are_made_anew_or_refused() -> None:
    clean = strip_comments(jpeg(), JPEGBaseline8Bit)
    right = encapsulate([clean, clean])
    second = in_file([clean, clean], JPEGBaseline8Bit)
    second.PixelData = right[:12] + b"LIN " + right[16:]
    with pytest.raises(DicomError, match="1 of 2"):
        strip_pixel_data(second)
    only = in_file([clean], JPEGBaseline8Bit)
    only.PixelData = encapsulate([clean])[:8] + b"CHEN" + encapsulate([clean])[12:]
    assert strip_pixel_data(only)
    assert only.PixelData == encapsulate([clean])


def test_uncompressed_files_are_left_alone() -> None:
    dataset = base()
    before = stored(dataset)
    assert not strip_pixel_data(dataset)
    assert stored(dataset) == before
