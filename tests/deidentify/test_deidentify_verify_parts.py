"""The parts of a proof by themselves: reading, facts, forms of a value, pictures, mosaics."""

import contextlib
import io

import numpy as np
import pytest
from deid_cases import CLASSES, MR, PT, base, plant, reread, stored
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from verify_cases import source

from tracerless.core.errors import DicomError, VaultError
from tracerless.deidentify import proof_border, suv
from tracerless.deidentify.proof_facts import (
    InstanceFacts,
    facts,
    facts_of,
    gathered,
    series_record,
)
from tracerless.deidentify.proof_measure import (
    Declared,
    Promised,
    compare,
)
from tracerless.deidentify.proof_pixels import essence
from tracerless.deidentify.proof_scan import level_of, scan, walk
from tracerless.deidentify.proof_suv import suv_factor
from tracerless.deidentify.proof_sweep import PROSE, VALUE, Haystack, sweep
from tracerless.deidentify.proof_values import Common, needles
from tracerless.workspace.verify_files import is_known, png_texts

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


@pytest.mark.parametrize(
    ("keyword", "text", "levels"),
    [
        ("InstitutionalDepartmentName", "Dementia", ["warning", "failure"]),
        ("InstitutionalDepartmentName", "Dementia unit", ["failure", "failure"]),
        ("InstitutionName", "Dementia", ["failure", "failure"]),
        ("PatientName", "Unit^Dementia", ["failure", "failure"]),
        ("StationName", "MR4711", ["failure", "failure"]),
    ],
)
def test_one_word_within_sentences_is_a_doubt_and_elsewhere_a_failure(
    keyword: str, text: str, levels: list[str]
) -> None:
    wanted = needles([(keyword, text)])
    for kind, level in zip((PROSE, VALUE), levels, strict=True):
        haystack = Haystack()
        haystack.add(b"Seen: dementia unit, MR4711.", kind, "a", "b")
        found = {each.level for each in sweep(haystack, wanted) if each.kind == "value-found"}
        assert found == {level}


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


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("2.25.1234", True),
        ("1.2.840.10008.1.2.1\\2.25.7", True),
        ("", True),
        ("1.2.840.10008.48151623.1", False),
        ("1.3.12.2.1107.5", False),
    ],
)
def test_a_uid_is_ours_or_one_that_the_standard_assigned(text: str, *, ours: bool) -> None:
    assert proof_border._are_ours(text) is ours
