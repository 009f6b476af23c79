"""The parts of a proof by themselves: reading, facts, forms of a value, pictures, mosaics."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from deid_cases import CLASSES, MR, PT, base, plant, reread, stored
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from verify_cases import source

from tracerless.core.errors import DicomError, VaultError
from tracerless.deidentify import suv
from tracerless.deidentify.proof_facts import (
    InstanceFacts,
    facts,
    facts_in,
    facts_of,
    gathered,
    series_record,
)
from tracerless.deidentify.proof_measure import (
    Declared,
    Promised,
    compare,
    compare_blocks,
    compare_tiles,
)
from tracerless.deidentify.proof_pixels import essence
from tracerless.deidentify.proof_scan import level_of, scan, walk
from tracerless.deidentify.proof_suv import suv_factor
from tracerless.deidentify.proof_sweep import VALUE, Haystack, sweep
from tracerless.deidentify.proof_values import Common, needles
from tracerless.workspace.verify_files import is_known, png_texts
from tracerless.workspace.verify_pixels import text_findings

UIDS = {"uid": "2.25.1", "series": "2.25.2"}


@pytest.mark.parametrize("sop_class", CLASSES)
def test_the_own_reader_sees_the_same_tree_as_pydicom(sop_class: str) -> None:
    dataset = base(sop_class)
    plant(dataset)
    tree = scan(stored(dataset))
    own = sorted((e.tag, depth) for _, e, depth in walk(tree.body))
    theirs: list[tuple[int, int]] = []

    def gather(level: Dataset, depth: int) -> None:
        for element in level:
            theirs.append((int(element.tag), depth))
            for item in element.value if element.VR == "SQ" else ():
                gather(item, depth + 1)

    gather(reread(stored(dataset)), 0)
    assert own == sorted(theirs)
    assert tree.trailing == b""


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_facts_do_not_depend_on_how_a_header_is_written(syntax: str) -> None:
    plain = base(PT)
    other = base(PT)
    other.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        other["PixelData"].value = plain["PixelData"].value
    one, two = facts_of(stored(plain), **UIDS), facts_of(stored(other), **UIDS)
    assert dict(one.values) == dict(two.values)
    assert facts(plain, plain.PixelData, **UIDS).values == one.values


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=40))
def test_broken_bytes_are_an_error_or_a_tree_and_never_a_crash(at: int, junk: bytes) -> None:
    content = bytearray(stored(base(PT)))
    at %= len(content)
    content[at : at + len(junk)] = junk
    with contextlib.suppress(DicomError):
        scan(bytes(content))
    facts_of(bytes(content), **UIDS)


@given(st.integers(-4000, 4000))
def test_whole_days_never_change_the_factor_to_suv(days: int) -> None:
    dataset = source(PT, 1, 7)
    before = suv_factor(level_of(dataset))
    moved = np.datetime64("2018-05-03") + days
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"):
        setattr(dataset, keyword, str(moved).replace("-", ""))
    assert suv_factor(level_of(dataset)) == before


def test_the_factor_to_suv_is_the_one_that_crosses() -> None:
    dataset = source(PT, 1, 7)
    assert suv_factor(level_of(dataset)) == pytest.approx(suv.factor(dataset), rel=1e-12)
    hours = (9 * 60 + 20 - 8 * 60 - 15) * 60 + 0.5
    expected = 61500 / (370e6 * 2 ** (-hours / 6586.2))
    assert suv_factor(level_of(dataset)) == pytest.approx(expected, rel=1e-9)
    for keyword, value in (("Units", "CNTS"), ("DecayCorrection", "NONE"), ("PatientWeight", None)):
        spoiled = source(PT, 1, 7)
        setattr(spoiled, keyword, value)
        assert suv_factor(level_of(spoiled)) is None


def test_facts_are_json_and_come_back() -> None:
    made = facts_of(stored(source(PT, 1, 7)), **UIDS, iod_errors=3)
    again = InstanceFacts.parse(made.plain())
    assert again.values == made.values
    assert again.number("iod_errors") == 3


def test_the_latest_record_of_a_folder_holds_alone() -> None:
    one, two, three = (InstanceFacts(f"2.25.{n}", "2.25.9", {"rows": [4.0]}) for n in (1, 2, 3))
    records = [
        series_record("a", [one, two]),
        series_record("b", [three]),
        series_record("a", [one]),
    ]
    assert gathered(records).keys() == {"2.25.1", "2.25.3"}
    assert gathered([{"instances": [one.plain()]}, {"instances": [two.plain()]}]).keys() == {
        "2.25.1",
        "2.25.2",
    }
    with pytest.raises(VaultError, match="form"):
        gathered([b"x"])


def test_too_short_and_common_values_are_listed_and_never_dropped_silently() -> None:
    values = [
        ("StudyID", "12"),
        ("StudyDescription", "T1 HEAD"),
        ("ProtocolName", "Biograph"),
        ("PatientName", "Head^Xi"),
        ("AccessionNumber", "70"),
        ("PatientAge", "070Y"),
    ]
    common = Common(frozenset({"biograph"}), frozenset({"t1", "head"}))
    wanted = needles(values, common)
    assert {keyword for _, keyword in wanted.skipped} >= {
        "StudyID", "StudyDescription", "ProtocolName", "PatientName", "AccessionNumber",
        "PatientAge",
    }  # fmt: skip
    assert "headxi" in {*wanted.inside, *(word.strip().replace(" ", "") for word in wanted.words)}


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=8, max_size=30))
def test_every_long_text_is_found_whatever_stands_around_it(text: str) -> None:
    wanted = needles([("PatientComments", text)])
    haystack = Haystack()
    haystack.add(f"before. {text}, after".encode(), VALUE, "a", "b")
    if not wanted.skipped:
        assert sweep(haystack, wanted)


def test_what_stands_beside_compressed_pixels_is_told_from_them() -> None:
    picture = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(picture, "JPEG")
    plain = picture.getvalue()
    comment = b"\xff\xfe\x00\x0eDawenlong   "
    noted = plain[:2] + comment + plain[2:] + b"Chen"
    assert essence(noted)[0] == essence(plain)[0]
    assert b"Dawenlong" in essence(noted)[1]
    assert b"Chen" in essence(noted)[1]


def test_words_in_a_picture_file_are_read() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "Dawenlong")
    info.add_text("More", "Chen" * 9, zip=True)
    picture = io.BytesIO()
    Image.new("L", (4, 4)).save(picture, "PNG", pnginfo=info)
    found = b"".join(content for content, _, _ in png_texts(picture.getvalue() + b"behind"))
    assert b"Dawenlong" in found
    assert b"ChenChen" in found
    assert b"behind" in found


def mosaic(edge: int = 4, n_tiles: int = 3) -> Dataset:
    dataset = base(MR)
    dataset.Rows = dataset.Columns = 2 * edge
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", n_tiles)
    sheet = np.arange(4 * edge * edge, dtype="<u2").reshape(2 * edge, 2 * edge)
    dataset["PixelData"].value = sheet.tobytes()
    return dataset


def tile(dataset: Dataset, index: int, edge: int = 4) -> Dataset:
    sheet = np.frombuffer(dataset.PixelData, "<u2").reshape(2 * edge, 2 * edge)
    row, column = divmod(index, 2)
    made = base(MR)
    made.Rows = made.Columns = edge
    part = sheet[row * edge : (row + 1) * edge, column * edge : (column + 1) * edge]
    made["PixelData"].value = part.tobytes()
    return made


def test_slices_are_held_against_the_tiles_of_their_mosaic() -> None:
    sheet = mosaic()
    before = [facts_of(stored(sheet), **UIDS)]
    after = {f"{k}.dcm": facts_of(stored(tile(sheet, k)), **UIDS).values for k in range(3)}
    assert not list(compare_tiles(before, after, "folder"))
    lost = dict(list(after.items())[:2])
    assert [f.what for f in compare_tiles(before, lost, "folder")] == ["tiles"]
    swapped = dict(zip(after, [*list(after.values())[::-1]], strict=True))
    assert {f.file for f in compare_tiles(before, swapped, "folder")} == {"0.dcm", "2.dcm"}
    spoiled = tile(sheet, 1)
    spoiled["PixelData"].value = b"\7" + spoiled.PixelData[1:]
    after["1.dcm"] = facts_of(stored(spoiled), **UIDS).values
    assert {f.file for f in compare_tiles(before, after, "folder")} == {"1.dcm"}


def test_slices_without_their_faces_are_held_against_their_tiles_by_blocks() -> None:
    sheet = mosaic(edge=8, n_tiles=4)
    before = [facts_of(stored(sheet), **UIDS, blocks=True)]
    after = {}
    for k in range(4):
        one = tile(sheet, k, edge=8)
        one["PixelData"].value = b"\0" * 32 + one.PixelData[32:]
        content = stored(one)
        after[f"{k}.dcm"] = facts_in(scan(content).body, content, blocks=4)
    assert not list(compare_tiles(before, after, "folder", is_defaced=True))
    assert list(compare_tiles(before, after, "folder"))
    swapped = dict(zip(after, [*list(after.values())[::-1]], strict=True))
    found = compare_tiles(before, swapped, "folder", is_defaced=True)
    assert [f.what for f in found] == ["more than a face"]


@pytest.mark.parametrize("vr", ["FL", "UN"])
def test_a_vendors_scale_is_a_fact_whatever_block_and_type_it_lies_in(vr: str) -> None:
    name = "vendor:2005:Philips MR Imaging DD 001:0E"
    dataset = base(MR)
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, vr, 0.25 if vr == "FL" else np.float32(0.25).tobytes())
    before = facts_of(stored(dataset), **UIDS)
    assert before.values[name] == [0.25]
    changed = {**before.values, name: [0.2500004]}
    for vendor, kinds in ((frozenset({name}), ["scale"]), (frozenset(), [])):
        promised = Promised(suv=False, vendor=vendor)
        found = compare(before, changed, "f", declared=Declared(), promised=promised)
        assert [each.kind for each in found] == [*kinds]


def test_blanked_boxes_may_change_and_nothing_else_may() -> None:
    boxes = ((0, 0, 2, 3),)
    declared, promised = Declared(boxes=boxes), Promised(suv=False)
    dataset = base(MR)
    before = facts_of(stored(dataset), **UIDS, boxes=boxes)
    pixels = np.frombuffer(dataset.PixelData, "<u2").reshape(4, 6).copy()
    pixels[:2, :3] = 0
    dataset["PixelData"].value = pixels.tobytes()
    after = facts_of(stored(dataset), **UIDS, boxes=boxes).values
    assert not list(compare(before, after, "f", declared=declared, promised=promised))
    assert list(compare(before, after, "f", declared=Declared(), promised=promised))
    pixels[3, 5] += 1
    dataset["PixelData"].value = pixels.tobytes()
    after = facts_of(stored(dataset), **UIDS, boxes=boxes).values
    found = [f.kind for f in compare(before, after, "f", declared=declared, promised=promised)]
    assert found == ["pixels"]


def test_a_face_may_go_and_a_head_may_not() -> None:
    dataset = base(MR)
    dataset.Rows = dataset.Columns = 64
    rng = np.random.default_rng(1)
    pixels = rng.integers(1, 900, (64, 64)).astype("<u2")
    dataset["PixelData"].value = pixels.tobytes()
    before = facts_of(stored(dataset), **UIDS, blocks=True).values

    def after(rows: int) -> object:
        changed = pixels.copy()
        changed[:rows] = 0
        dataset["PixelData"].value = changed.tobytes()
        return facts_of(stored(dataset), **UIDS, blocks=True).values

    assert not list(compare_blocks([(before, after(20))], "folder"))
    assert [f.what for f in compare_blocks([(before, after(64))], "folder")] == ["more than a face"]
    assert [f.what for f in compare_blocks([({}, after(20))], "folder")] == ["blocks"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("sourcedata/sub-A1/ses-01/T1w_005/0001.dcm", True),
        ("sourcedata/sub-A1/ses-01/face.png", True),
        ("derivatives/tracerless/sub-A1/ses-01/sub-A1_ses-01_desc-prepared.json", True),
        ("reports/index.html", True),
        ("sourcedata/sub-A1/ses-01/T1w_005/IM0001", False),
        ("sourcedata/sub-A1/ses-01/T1w_005/.partial-x-0001.dcm", False),
        ("derivatives/.DS_Store", False),
        ("export/IM1.dcm", False),
        ("reports/list.xlsx", False),
    ],
)
def test_only_files_that_tracerless_writes_are_known(name: str, known: bool) -> None:
    assert is_known(name) is known


def test_text_that_was_burned_in_is_read(tmp_path: Path) -> None:
    for name, text in (("clean", ""), ("marked", "CHEN DAWENLONG 1962")):
        canvas = Image.new("L", (320, 160), 20)
        ImageDraw.Draw(canvas).text((20, 60), text, fill=250, font_size=24)
        dataset = base(MR)
        dataset.Rows, dataset.Columns = 160, 320
        dataset["PixelData"].value = np.asarray(canvas, "<u2").tobytes()
        (tmp_path / name).mkdir()
        (tmp_path / name / "0001.dcm").write_bytes(stored(dataset))
    assert not list(text_findings(tmp_path / "clean", tmp_path))
    (found,) = text_findings(tmp_path / "marked", tmp_path)
    assert (found.check, found.kind, found.file) == ("ocr", "text-in-pixels", "marked/0001.dcm")
