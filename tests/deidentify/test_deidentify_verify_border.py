"""The rules asked anew: what the border makes has no problem, and every kind of lie has one."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pytest
from deid_cases import CLASSES, ENHANCED_MR, MR, PT, base, plant, stored
from pydicom import DataElement, Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence

from tracerless import deface, deidentify
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, Keys, Profile, csa
from tracerless.deidentify.keys import pseudonym
from tracerless.deidentify.proof import PersonProof
from tracerless.deidentify.proof_border import Policy
from tracerless.deidentify.proof_facts import facts, facts_of
from tracerless.deidentify.proof_pixels import encapsulated, essence
from tracerless.deidentify.proof_scan import scan
from tracerless.deidentify.values import CleanInstance
from tracerless.io import profiles
from tracerless.workspace.verify_files import texts

KEYS = Keys.from_secret(b"k" * 32)
PERSON = pseudonym(KEYS.person, "somebody")
WHO = CleanIdentity(PERSON, "01", -500)
UIDS = {"uid": "2.25.1", "series": "2.25.2"}


@pytest.fixture(scope="module", params=["research", "safe-harbor", "ps315-basic"])
def profile(request: pytest.FixtureRequest) -> Profile:
    return policy(request.param)


def policy(name: str) -> Profile:
    base_name, *options = name.split("+")
    return Profile.parse(base_name, profiles.read(base_name), tuple(options))


def clean(source: Dataset, profile: Profile) -> Dataset:
    made = deidentify.instance(
        source, profile=profile, keys=KEYS, person=WHO, contrast=Contrast.T1W
    )
    assert isinstance(made, CleanInstance)
    if profile.faces == "remove":
        deface.stamp(made.dataset, is_changed=False)
    return made.dataset


def problems(content: bytes, profile: Profile) -> set[tuple[str, str]]:
    checked = Policy(profile, PERSON, Contrast.T1W, ("113102",))
    return set(checked.problems(scan(content)))


@pytest.mark.parametrize("sop_class", CLASSES)
def test_what_the_border_makes_has_no_problem(sop_class: str, profile: Profile) -> None:
    source = base(sop_class)
    plant(source)
    assert problems(deidentify.to_bytes(clean(source, profile)), profile) == set()


class Lie(NamedTuple):
    """A change of a clean file, and the problem that it has to have."""

    name: str
    profile: str
    sop_class: str
    change: Callable[[Dataset], None]
    problem: tuple[str, str]


def put(tag: int, vr: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: dataset.add(DataElement(tag, vr, value))


def vendor(
    group: int, creator: str, offset: int, vr: str, value: object
) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        dataset.private_block(group, creator, create=True).add_new(offset, vr, value)

    return change


def header_with_more(dataset: Dataset) -> None:
    csa.write_slice_normal(dataset, (0.0, 0.0, 1.0))
    element = dataset.private_block(csa.GROUP, csa.CREATOR)[csa.IMAGE_HEADER]
    element.value = element.value + b"Usedweight"


def coded(keyword: str, value: object) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        item = dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence[0]
        setattr(item, keyword, value)

    return change


def without_creator(dataset: Dataset) -> None:
    dataset.add_new(0x00191001, "US", 3)


LIES = (
    Lie("an age above the cap", "safe-harbor+113108", MR, put(0x00101010, "AS", "093Y"),
        ("not-cap_age", "PatientAge")),
    Lie("a whole date", "safe-harbor", MR, put(0x00080020, "DA", "20180503"),
        ("not-year", "StudyDate")),
    Lie("a value that should be empty", "research", MR, put(0x00080050, "SH", "1"),
        ("not-empty", "AccessionNumber")),
    Lie("a value that should be a fixed one", "ps315-basic", PT, put(0x00080031, "TM", "101112"),
        ("not-dummy", "SeriesTime")),
    Lie("words that nobody knows", "research", MR, put(0x00081030, "LO", "T1 of Uncle Wang"),
        ("not-clean", "StudyDescription")),
    Lie("a name as a date", "research", MR, put(0x00080020, "DA", "CHEN"), ("type", "StudyDate")),
    Lie("a date as a text", "research", MR, put(0x00080020, "LO", "CHEN"), ("type", "StudyDate")),
    Lie("another class", "research", MR, put(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"),
        ("class", "SOPClassUID")),
    Lie("an unknown attribute", "research", MR, put(0x00081FFE, "LO", "x"),
        ("not-listed", "(0008,1FFE)")),
    Lie("a sequence that is not listed", "research", MR,
        put(0x00081111, "SQ", Sequence([Dataset()])),
        ("not-listed", "ReferencedPerformedProcedureStepSequence")),
    Lie("more in a code", "research", PT, coded("PatientName", "x"),
        ("not-listed", "PatientName")),
    Lie("a meaning that means somebody", "research", PT, coded("CodeMeaning", "Uncle Wang"),
        ("not-clean", "CodeMeaning")),
    Lie("a vendor's field", "research", MR,
        vendor(0x2005, "Philips MR Imaging DD 001", 0x99, "FL", 1.0),
        ("private-field", "private:2005:99")),
    Lie("a vendor's word", "research", MR,
        vendor(0x2001, "Philips Imaging DD 001", 0x0B, "CS", "CHEN"),
        ("private-value", "private:2001:0B")),
    Lie("a field without a creator", "research", MR, without_creator,
        ("private-field", "private:0019:01")),
    Lie("more in a Siemens header", "research", MR, header_with_more,
        ("private-field", "private:0029:10")),
    Lie("no pixels", "research", MR, lambda dataset: delattr(dataset, "PixelData"),
        ("no-pixels", "PixelData")),
    Lie("too few pixels", "research", MR, put(0x00280010, "US", 40), ("no-pixels", "PixelData")),
)  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_every_lie_has_its_problem(lie: Lie) -> None:
    profile = policy(lie.profile)
    dataset = clean(base(lie.sop_class), profile)
    lie.change(dataset)
    assert lie.problem in problems(stored(dataset), profile)


def test_an_own_siemens_header_is_let_through() -> None:
    profile = policy("research")
    dataset = clean(base(MR), profile)
    csa.write_slice_normal(dataset, (0.0, 0.6, 0.8))
    assert problems(deidentify.to_bytes(dataset), profile) == set()


def test_a_file_meta_of_somebody_else_is_a_problem() -> None:
    profile = policy("research")
    dataset = clean(base(MR), profile)
    dataset.file_meta.SourceApplicationEntityTitle = "WARD7"
    dataset.file_meta.ImplementationVersionName = "OTHER"
    found = problems(stored(dataset), profile)
    assert {("file-meta", "SourceApplicationEntityTitle"),
            ("file-meta", "ImplementationVersionName")} <= found  # fmt: skip


def test_an_attribute_that_stands_twice_is_a_problem_and_both_are_read() -> None:
    profile = policy("research")
    content = deidentify.to_bytes(clean(base(MR), profile))
    again = b"\x08\x00\x60\x00CS\x08\x00DAWENLON"
    at = content.index(b"\x10\x00\x10\x00PN")
    doubled = content[:at] + again + content[at:]
    tree = scan(doubled)
    assert tree.repeats
    assert ("repeated-attribute", "attribute") in problems(doubled, profile)


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "MR_small_RLE.dcm"])
def test_compressed_pixels_have_facts_and_their_decoded_parts_too(name: str) -> None:
    path = get_testdata_file(name)
    content = Path(str(path)).read_bytes()
    found = facts_of(content, **UIDS, boxes=[(0, 0, 2, 2)], blocks=True)
    assert {"pixels", "outside", "blocks"} <= found.values.keys()
    dataset = dcmread(io.BytesIO(content))
    same = facts(dataset, dataset.PixelData, **UIDS, boxes=[(0, 0, 2, 2)], blocks=True)
    for key in ("pixels", "outside", "blocks"):
        assert same.values[key] == found.values[key]
    fragments = scan(content).body[0x7FE00010].fragments
    assert encapsulated([*fragments[:-1], fragments[-1] + b"\0\0"]) == found.values["pixels"]


def test_a_comment_in_jpeg_2000_is_no_pixel() -> None:
    stream = scan(Path(str(get_testdata_file("JPEG2000.dcm"))).read_bytes()).body[0x7FE00010]
    plain = stream.fragments[1]
    at = plain.index(b"\xff\x52")
    noted = plain[:at] + b"\xff\x64\x00\x0cCHENWARD7W" + plain[at:] + b"WANG"
    assert essence(noted)[0] == essence(plain)[0]
    assert b"CHENWARD7W" in essence(noted)[1]
    assert b"WANG" in essence(noted)[1]


def test_functional_groups_are_facts_frame_by_frame() -> None:
    found = facts_of(stored(base(ENHANCED_MR)), **UIDS)
    assert found.values["position_mm"] == [0, 0, 0, 0, 0, 3]
    moved = base(ENHANCED_MR)
    moved.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [
        0,
        0,
        4,
    ]
    assert facts_of(stored(moved), **UIDS).values["position_mm"] != found.values["position_mm"]


def test_unrolled_slices_are_told_from_lost_mosaics() -> None:
    profile = policy("research")
    one = clean(base(MR), profile)
    mosaic = facts_of(stored(base(MR)), uid="2.25.99", series=str(one.SeriesInstanceUID))
    proof = PersonProof(PERSON, profile, {"2.25.99": mosaic})
    files = [("a/0001.dcm", deidentify.to_bytes(one))]
    record = {"contrast": "T1w", "unrolled": 1, "face": {}, "defaced": False}
    proof.series("a", {**record, "face": {"n": 0}}, files, lambda _: 0)
    found = {(each["kind"], each["what"]) for each in proof.result([])["findings"]}
    assert ("pixels", "tiles") in found
    assert not any(kind == "missing-instance" for kind, _ in found)


def test_codes_and_vendors_names_are_shown_only_when_the_policy_knows_them() -> None:
    proof = PersonProof(PERSON, policy("research"), {})
    values = [("private:0009:DR WANG:01", "12"), ("private:0019:SIEMENS MR HEADER:0F", "12")]
    listed = {each["keyword"] for each in proof.result(values)["values"]["not_swept"]}
    assert listed == {"private:0009", "private:0019:SIEMENS MR HEADER:0F"}


def test_texts_of_every_kind_of_file_are_read(tmp_path: Path) -> None:
    volume = nib.Nifti1Image(np.zeros((2, 2, 2), np.float32), np.eye(4))
    volume.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DAWENLONG"))
    nib.save(volume, tmp_path / "a.nii")
    np.savez(tmp_path / "b.npz", names=np.array(["DAWENLONG"]), numbers=np.zeros(3))
    with zipfile.ZipFile(tmp_path / "b.npz", "a") as archive:
        archive.comment = b"DAWENLONG"
    content = b'{"__metadata__": {"who": "DAWENLONG"}}'
    (tmp_path / "c.safetensors").write_bytes(len(content).to_bytes(8, "little") + content + b"\0")
    (tmp_path / "d.txt").symlink_to("/somewhere/DAWENLONG")
    (tmp_path / "e.pdf").write_bytes(b"%PDF DAWENLONG")
    for path in sorted(tmp_path.iterdir()):
        found = b" ".join(each for each, _, _ in texts(path))
        assert b"DAWENLONG" in found, path.name
