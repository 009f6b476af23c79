"""The door: whatever the bytes, a dataset or a typed rejection, and no more memory than allowed."""

import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    JPEG2000Lossless,
)

from phantoms import Who, head, oblique, write_mr
from tracerless.io import dicom_read
from tracerless.io.dicom_read import Rejection, read
from tracerless.io.headers import SCAN_TAGS, header

SMALL = (6, 5, 4)


def _kind(found: Dataset | Rejection) -> str:
    return found.kind if isinstance(found, Rejection) else "accepted"


@pytest.mark.parametrize("pixels", [False, True])
@pytest.mark.parametrize(
    "name", ["mr", "pt", "nm", "mosaic", "enhanced", "implicit", "big", "deflated", "rle"]
)
def test_good_files_of_every_encoding_come_through(
    files: dict[str, Path], name: str, pixels: bool
) -> None:
    found = read(files[name], pixels=pixels)
    assert isinstance(found, Dataset)
    assert ("PixelData" in found) == pixels
    assert found.PatientID == "PLANTED-0001"


def test_a_file_without_preamble_and_without_meta_comes_through(
    files: dict[str, Path], tmp_path: Path
) -> None:
    dataset = dcmread(files["mr"])
    dataset.file_meta = FileMetaDataset()
    dataset.preamble = None
    dataset.save_as(
        tmp_path / "bare", implicit_vr=True, little_endian=True, enforce_file_format=False
    )
    found = read(tmp_path / "bare", pixels=True)
    assert isinstance(found, Dataset)
    assert found.PixelData == dataset.PixelData


def test_group_lengths_do_not_disturb(files: dict[str, Path], tmp_path: Path) -> None:
    dataset = dcmread(files["implicit"])
    dataset.add_new(0x00080000, "UL", 999)
    dataset.add_new(0x7FE00000, "UL", 12)
    dataset.save_as(tmp_path / "lengths")
    assert isinstance(read(tmp_path / "lengths", pixels=True), Dataset)


def test_named_tags_are_enough_for_the_same_header(files: dict[str, Path]) -> None:
    for path in files.values():
        few, all_of_them = read(path, tags=SCAN_TAGS), read(path)
        assert isinstance(few, Dataset)
        assert isinstance(all_of_them, Dataset)
        assert header(few, path) == header(all_of_them, path)


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b"name,age\n" * 40, b"\x89PNG\r\n" * 30])
def test_other_files_are_not_dicom(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert _kind(read(path)) == "not-dicom"


def test_an_absent_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    assert _kind(read(tmp_path / "absent")) == "unreadable"
    assert _kind(read(tmp_path)) == "unreadable"


@pytest.mark.parametrize("name", ["mr", "nm", "enhanced", "rle", "deflated"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_every_cut_is_seen_without_reading_the_pixels(
    files: dict[str, Path], name: str, share: float, tmp_path: Path
) -> None:
    content = files[name].read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(len(content) * share)])
    for found in (read(path), read(path, pixels=True)):
        assert _kind(found) in {"truncated", "corrupt"}


def test_a_truncated_file_still_tells_its_series(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "cut"
    path.write_bytes(files["mr"].read_bytes()[:-10])
    found = read(path)
    assert isinstance(found, Rejection)
    assert found.header is not None
    assert found.header.SeriesNumber == 3
    assert "PLANTED" not in repr(found)


SOP_KINDS = [
    ("1.2.840.10008.5.1.4.1.1.88.11", "not-a-volume"),  # structured report
    ("1.2.840.10008.5.1.4.1.1.11.1", "not-a-volume"),  # presentation state
    ("1.2.840.10008.5.1.4.1.1.66", "not-a-volume"),  # raw data
    ("1.2.840.10008.5.1.4.1.1.66.4", "not-a-volume"),  # segmentation
    ("1.2.840.10008.5.1.4.1.1.481.3", "not-a-volume"),  # structure set
    ("1.2.840.10008.5.1.4.1.1.7", "capture"),
    ("1.2.840.10008.5.1.4.1.1.7.2", "capture"),
    ("1.2.840.10008.5.1.4.1.1.2", "other-modality"),  # CT
    ("", "not-a-volume"),
]


@pytest.mark.parametrize(("sop_class", "kind"), SOP_KINDS)
def test_what_is_no_volume_is_routed_away(
    files: dict[str, Path], sop_class: str, kind: str, tmp_path: Path
) -> None:
    dataset = dcmread(files["mr"])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    dataset.save_as(tmp_path / "other")
    assert _kind(read(tmp_path / "other")) == kind


def test_a_fused_color_picture_is_routed_away(files: dict[str, Path], tmp_path: Path) -> None:
    dataset = dcmread(files["pt"])
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    dataset.PixelData = dataset.PixelData * 3
    dataset.save_as(tmp_path / "fused")
    assert _kind(read(tmp_path / "fused")) == "color"


def test_an_unknown_transfer_syntax_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    content = files["mr"].read_bytes()
    changed = content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.99999.1.2.1\0", 1)
    path = tmp_path / "odd"
    path.write_bytes(changed)
    assert _kind(read(path)) == "transfer-syntax"


def test_huge_declared_dimensions_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    dataset = dcmread(files["nm"])
    dataset.Rows = dataset.Columns = 65535
    dataset.NumberOfFrames = 2**31 - 1
    dataset.save_as(tmp_path / "huge")
    assert _kind(read(tmp_path / "huge", pixels=True)) == "too-large"


def test_more_pixels_than_declared_are_refused_unread(
    files: dict[str, Path], tmp_path: Path
) -> None:
    dataset = dcmread(files["mr"])
    dataset.PixelData = dataset.PixelData + bytes(3 * 2**20)
    dataset.save_as(tmp_path / "more")
    assert _kind(read(tmp_path / "more")) == "too-large"


def test_a_deflate_bomb_is_refused_before_memory_grows(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom_read, "MAX_INFLATED_BYTES", 2**20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    plain = files["mr"].read_bytes()
    start = plain.index(b"\x08\x00\x05\x00CS")
    bomb = packer.compress(plain[start:] + b"\0" * 200_000_000) + packer.flush()
    deflated = files["deflated"].read_bytes()
    meta_end = 132 + 12 + struct.unpack("<L", deflated[140:144])[0]
    path = tmp_path / "bomb"
    path.write_bytes(deflated[:meta_end] + bomb)
    tracemalloc.start()
    found = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert _kind(found) == "bomb"
    assert peak < 20 * 2**20


def test_a_codestream_of_another_size_is_a_bomb(tmp_path: Path) -> None:
    dataset = dcmread(write_mr(tmp_path, head((64, 64, 2)), oblique()).files[0])
    dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    whole = tmp_path / "whole"
    dataset.save_as(whole)
    assert _kind(read(whole, pixels=True)) == "accepted"
    content = bytearray(whole.read_bytes())
    size = content.index(b"\xff\x4f\xff\x51") + 8
    content[size : size + 8] = struct.pack(">LL", 60000, 60000)
    path = tmp_path / "bomb"
    path.write_bytes(content)
    assert _kind(read(path, pixels=True)) == "bomb"


@pytest.mark.parametrize("explicit_length", [False, True])
@pytest.mark.parametrize("depth", [40, 3000])
def test_deep_nesting_is_refused(
    files: dict[str, Path], depth: int, explicit_length: bool, tmp_path: Path
) -> None:
    inner = b""
    for _ in range(depth):
        n = len(inner)
        if explicit_length:
            inner = struct.pack("<HHL", 0xFFFE, 0xE000, n) + inner
            inner = struct.pack("<HHL", 0x0008, 0x1140, len(inner)) + inner
        else:
            inner = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner
            inner += struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
            inner = struct.pack("<HHL", 0x0008, 0x1140, 0xFFFFFFFF) + inner
            inner += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    content = files["implicit"].read_bytes()
    at = content.index(struct.pack("<HH", 0x0010, 0x0010))
    path = tmp_path / "deep"
    path.write_bytes(content[:at] + inner + content[at:])
    for pixels in (False, True):
        assert _kind(read(path, pixels=pixels)) == "nesting"


def test_an_element_that_cannot_be_parsed_is_dropped_not_fatal(
    files: dict[str, Path], tmp_path: Path
) -> None:
    content = files["mr"].read_bytes()
    at = content.index(struct.pack("<HH2s", 0x0020, 0x000D, b"UI"))
    odd = struct.pack("<HH2sH", 0x0018, 0x9073, b"FD", 4) + b"\1\2\3\4"  # a double of four bytes
    path = tmp_path / "odd"
    path.write_bytes(content[:at] + odd + content[at:])
    found = read(path, pixels=True)
    assert isinstance(found, Dataset)
    assert "AcquisitionDuration" not in found
    assert list(found.iterall())


def test_people_are_told_apart_by_the_issuer_too(tmp_path: Path) -> None:
    def issued(dataset: Dataset, index: int) -> None:
        dataset.IssuerOfPatientID = "PLANTED-ISSUER"

    plain = write_mr(tmp_path / "a", head(SMALL), oblique(), who=Who())
    other = write_mr(tmp_path / "b", head(SMALL), oblique(), who=Who(), edit=issued)
    people = {header(read(each.files[0]), each.files[0]).person for each in (plain, other)}
    assert len(people) == 2
