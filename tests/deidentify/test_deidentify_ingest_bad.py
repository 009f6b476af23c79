"""Odd input through the real command: it crosses right, or stays outside with its reason."""

import importlib.resources
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from burned_cases import ink
from click.testing import CliRunner, Result
from pydicom import DataElement, Dataset, dcmread, dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from phantoms import Phantom, Who, head, oblique, write_mr, write_pt
from tracerless.cli.deidentify import command
from tracerless.core.volume import Contrast
from tracerless.io import pixels

SHAPE = (7, 6, 5)
"""Too small for anybody to write into."""

Change = Callable[[Path], None]


def person(folder: Path, who: Who, *, name: str = "PLANTED^Name^測試", birth: str = "19440506",
           peak: int = 900) -> Phantom:  # fmt: skip
    def edit(dataset: Dataset, _: int) -> None:
        dataset.PatientName, dataset.PatientBirthDate = name, birth

    return write_mr(folder, head(SHAPE, peak), oblique(), who=who, edit=edit)


def t1(place: Path, change: Change | None = None) -> Phantom:
    phantom = person(place / "in", Who())
    for path in phantom.files if change else ():
        change(path)
    return phantom


def invoke(place: Path, *more: str, profile: str = "seed") -> Result:
    arguments = [str(place / "in"), str(place / "data"), "--vault", str(place / "vault")]
    return CliRunner().invoke(
        command, [*arguments, "--profile", profile, "--json", *more], catch_exceptions=False
    )


def crossed(place: Path) -> list[Path]:
    return sorted(path.parent for path in (place / "data").rglob("series.json"))


def quarantine(place: Path) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(
        (place / "data" / "quarantine.json").read_text()
    )
    return found


def outside(place: Path) -> list[object]:
    return sorted(str(each["kind"]) for each in quarantine(place)["series"])


def every_byte(place: Path) -> Iterator[bytes]:
    for path in (place / "data").rglob("*"):
        yield str(path.relative_to(place)).encode()
        if path.is_file():
            yield path.read_bytes()


def assert_nobody(place: Path, *more: str) -> None:
    for secret in ("PLANTED", "測試", *more):
        for encoding in ("utf-8", "big5", "gb18030"):
            assert not any(secret.encode(encoding) in content for content in every_byte(place))


def assert_volume(place: Path, phantom: Phantom) -> None:
    (folder,) = crossed(place)
    found = pixels.load(sorted(folder.glob("*.dcm")), Contrast.T1W)
    assert np.array_equal(found.volumes[0].array, phantom.voxels)
    assert np.allclose(found.grid.affine, phantom.affine, atol=1e-4)


def saved_as(syntax: str) -> Change:
    def change(path: Path) -> None:
        dataset = dcmread(path)
        if syntax == RLELossless:
            dataset.compress(RLELossless)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, enforce_file_format=True)

    return change


def big_endian(path: Path) -> None:
    dataset = dcmread(path)
    dataset["PixelData"].value = dataset.pixel_array.astype(">i2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    assert list(dataset.iterall())  # decodes every element, so that it is encoded anew
    dcmwrite(path, dataset, implicit_vr=False, little_endian=False, force_encoding=True)


def without_preamble(path: Path) -> None:
    dataset = dcmread(path)
    del dataset.file_meta, dataset.preamble
    dataset.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)


def without_preamble_implicit(path: Path) -> None:
    dataset = dcmread(path)
    del dataset.file_meta, dataset.preamble
    dataset.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False)


def with_group_lengths(path: Path) -> None:
    dataset = dcmread(path)
    for group in sorted({tag.group for tag in dataset.keys()}):  # noqa: SIM118
        dataset.add_new((group, 0x0000), "UL", 4242)
    dataset.save_as(path, enforce_file_format=True)


def with_private_without_creator(path: Path) -> None:
    dataset = dcmread(path)
    dataset.add(DataElement(0x00111001, "LO", "PLANTED by nobody"))
    dataset.add(DataElement(0x00131010, "OB", b"PLANTED bytes "))
    dataset.save_as(path, enforce_file_format=True)


def with_wrong_types(path: Path) -> None:
    dataset = dcmread(path)
    dataset.add(DataElement(0x00080020, "LO", "PLANTED for a date"))
    dataset.add(DataElement(0x00180087, "LO", "PLANTED tesla"))
    dataset.add(DataElement(0x00080060, "LO", "MR"))
    dataset.add(DataElement(0x00100040, "UT", "PLANTED " * 30))
    dataset.save_as(path, enforce_file_format=True)


ENCODINGS = {
    "implicit": saved_as(ImplicitVRLittleEndian),
    "deflated": saved_as(DeflatedExplicitVRLittleEndian),
    "big-endian": big_endian,
    "rle": saved_as(RLELossless),
    "no-preamble": without_preamble,
    "no-preamble-implicit": without_preamble_implicit,
    "group-lengths": with_group_lengths,
    "no-creator": with_private_without_creator,
    "wrong-types": with_wrong_types,
}


@pytest.mark.parametrize("profile", ["seed", "ps315-basic"])
@pytest.mark.parametrize("name", ENCODINGS)
def test_odd_files_cross_with_their_volume_and_without_their_person(
    tmp_path: Path, name: str, profile: str
) -> None:
    phantom = t1(tmp_path, ENCODINGS[name])
    done = invoke(tmp_path, profile=profile)
    assert done.exit_code == 0, done.output
    assert_volume(tmp_path, phantom)
    assert_nobody(tmp_path)
    for path in crossed(tmp_path)[0].glob("*.dcm"):
        raw = path.read_bytes()
        clean = dcmread(path)
        assert raw[:128] == bytes(128)
        assert not [t for t in clean.keys() if t.element == 0 or t.group in (0x11, 0x13)]  # noqa: SIM118
        assert clean.file_meta.TransferSyntaxUID in (
            ExplicitVRLittleEndian, RLELossless, ExplicitVRBigEndian
        )  # fmt: skip


def test_a_renumbered_private_block_still_scales_its_volume(tmp_path: Path) -> None:
    def change(path: Path) -> None:
        dataset = dcmread(path)
        archive = dataset.private_block(0x2005, "PLANTED ARCHIVE", create=True)
        archive.add_new(0x0E, "LO", "PLANTED")
        dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(
            0x0E, "FL", 0.5
        )
        dataset.save_as(path, enforce_file_format=True)

    phantom = t1(tmp_path, change)
    assert invoke(tmp_path).exit_code == 0
    (folder,) = crossed(tmp_path)
    found = pixels.load(sorted(folder.glob("*.dcm")), Contrast.T1W)
    assert np.allclose(found.volumes[0].array, phantom.voxels / 0.5)
    assert_nobody(tmp_path)


def test_copies_are_taken_once_and_told(tmp_path: Path) -> None:
    phantom = t1(tmp_path)
    shutil.copytree(tmp_path / "in", tmp_path / "in" / "again")
    done = invoke(tmp_path)
    assert done.exit_code == 0
    assert_volume(tmp_path, phantom)
    assert "5 files were copies of others and were left out." in json.loads(done.stdout)["notes"]
    assert json.loads((crossed(tmp_path)[0] / "series.json").read_text())["problems"] == [
        "duplicate"
    ]


def test_a_copy_in_another_encoding_is_a_copy(tmp_path: Path) -> None:
    phantom = t1(tmp_path)
    shutil.copy(phantom.files[2], tmp_path / "in" / "again")
    saved_as(RLELossless)(tmp_path / "in" / "again")
    assert invoke(tmp_path).exit_code == 0
    assert_volume(tmp_path, phantom)


@pytest.mark.parametrize("what", ["pixels", "place", "scale"])
def test_one_identity_with_two_contents_keeps_the_series_out(tmp_path: Path, what: str) -> None:
    other = dcmread(t1(tmp_path).files[2])
    if what == "pixels":
        other.PixelData = bytes(len(other.PixelData))
    elif what == "place":
        other.ImagePositionPatient = [0, 0, 500]
    else:
        other.RescaleSlope, other.RescaleIntercept = 3, 0
    other.save_as(tmp_path / "in" / "again")
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["duplicate"]
    assert not crossed(tmp_path)


def test_one_instance_under_two_people_keeps_both_out(tmp_path: Path) -> None:
    t1(tmp_path)
    other = Who(person="PLANTED-0002", study="visit-9")
    for path in person(tmp_path / "in" / "other", other, name="PLANTED^Other").files:
        stolen = dcmread(path)
        source = dcmread(tmp_path / "in" / path.name)
        stolen.SOPInstanceUID = source.SOPInstanceUID
        stolen.file_meta.MediaStorageSOPInstanceUID = source.SOPInstanceUID
        stolen.save_as(path)
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["duplicate", "duplicate"]
    assert_nobody(tmp_path)


def test_a_whole_series_exported_again_under_another_number_is_a_copy(tmp_path: Path) -> None:
    phantom = t1(tmp_path)
    shutil.copytree(tmp_path / "in", tmp_path / "in" / "again")
    for path in (tmp_path / "in" / "again").iterdir():
        again = dcmread(path)
        again.SeriesInstanceUID = "2.25.4242"
        again.save_as(path)
    done = invoke(tmp_path)
    assert done.exit_code == 0
    assert_volume(tmp_path, phantom)
    assert "5 files were copies" in str(json.loads(done.stdout)["notes"])


OTHERS = {
    "name": {"name": "PLANTED^Somebody^陳", "birth": ""},
    "birth": {"birth": "19511231"},
}


@pytest.mark.parametrize("how", OTHERS)
def test_another_person_under_one_number_stays_outside(tmp_path: Path, how: str) -> None:
    t1(tmp_path)
    second = Who(study="visit-2", number=8)
    person(tmp_path / "in" / "b", second, **OTHERS[how])
    for path in (tmp_path / "in" / "b").iterdir():
        later = dcmread(path)
        later.StudyDate = "20200101"
        later.save_as(path)
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["identity"]
    assert [folder.name for folder in crossed(tmp_path)] == ["T1w_003"]
    assert_nobody(tmp_path)


def test_another_person_under_a_number_known_from_before_stays_outside(tmp_path: Path) -> None:
    t1(tmp_path)
    assert invoke(tmp_path).exit_code == 0
    shutil.rmtree(tmp_path / "in")
    person(tmp_path / "in", Who(study="visit-0", number=8), birth="19511231")
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["identity"]
    assert len(crossed(tmp_path)) == 1


@pytest.mark.parametrize(
    "name", ["planted name^測試", "NAME^PLANTED^測試", "Planted^Nâme", "測試", ""]
)
def test_one_person_written_in_other_ways_stays_one(tmp_path: Path, name: str) -> None:
    t1(tmp_path)
    person(tmp_path / "in" / "b", Who(study="visit-2", number=8), name=name)
    assert invoke(tmp_path).exit_code == 0
    assert not outside(tmp_path)
    assert len(crossed(tmp_path)) == 2
    assert len({folder.parents[1] for folder in crossed(tmp_path)}) == 1


def test_files_of_one_series_that_name_two_people_keep_it_out(tmp_path: Path) -> None:
    odd = dcmread(t1(tmp_path).files[3])
    odd.PatientName = "PLANTED^Stranger^王"
    odd.save_as(tmp_path / "in" / "003-0003")
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["identity"]


def test_one_person_under_two_numbers_crosses_and_is_pointed_out(tmp_path: Path) -> None:
    t1(tmp_path)
    person(tmp_path / "in" / "b", Who(person="PLANTED-0002", study="visit-2", number=8))
    done = invoke(tmp_path)
    assert done.exit_code == 0
    people = {folder.parents[1].name.removeprefix("sub-") for folder in crossed(tmp_path)}
    (note,) = quarantine(tmp_path)["notes"]
    assert (note["kind"], set(note["pseudonyms"])) == ("same-person", people)  # type: ignore[call-overload]
    assert "1 pairs of people have the same name" in str(json.loads(done.stdout)["notes"])
    assert_nobody(tmp_path)
    invoke(tmp_path)
    assert len(quarantine(tmp_path)["notes"]) == 1


def test_two_people_of_one_name_are_no_pair(tmp_path: Path) -> None:
    t1(tmp_path)
    other = Who(person="PLANTED-0002", study="visit-2", number=8)
    person(tmp_path / "in" / "b", other, birth="19600101")
    assert invoke(tmp_path).exit_code == 0
    assert not quarantine(tmp_path)["notes"]


def claimed(*, zero: bool) -> Change:
    def change(path: Path) -> None:
        dataset = dcmread(path)
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = "PLANTED TOOL 1.0"
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator = "113112", "DCM"
        item.CodeMeaning = "PLANTED claim"
        dataset.DeidentificationMethodCodeSequence = [item]
        for keyword in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
            setattr(dataset, keyword, "000000.000000" if zero else "101500")
        dataset.save_as(path, enforce_file_format=True)

    return change


@pytest.mark.parametrize("zero", [False, True])
def test_an_earlier_tools_claim_is_rewritten_and_its_damage_told(
    tmp_path: Path, *, zero: bool
) -> None:
    phantom = t1(tmp_path, claimed(zero=zero))
    done = invoke(tmp_path)
    notes = str(json.loads(done.stdout)["notes"])
    assert "1 series were de-identified by another tool before" in notes
    assert ("all times are zero" in notes) is zero
    assert_volume(tmp_path, phantom)
    assert_nobody(tmp_path, "113112")
    (folder,) = crossed(tmp_path)
    assert json.loads((folder / "series.json").read_text())["prior_claim"] is True
    for path in folder.glob("*.dcm"):
        assert str(dcmread(path).DeidentificationMethod).startswith("tracerless ")


def test_a_pet_that_lost_its_dose_is_told(tmp_path: Path) -> None:
    def edit(dataset: Dataset, _: int) -> None:
        dataset.PatientIdentityRemoved = "YES"
        del dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose

    write_pt(tmp_path / "in", head(SHAPE).astype(np.float32), oblique(), edit=edit)
    assert "SUV cannot be computed" in str(json.loads(invoke(tmp_path).stdout)["notes"])


def test_what_hides_beside_the_pixels_keeps_its_series_out(tmp_path: Path) -> None:
    def narrow(path: Path, hidden: int) -> None:
        dataset = dcmread(path)
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
        stored = dataset.pixel_array.astype("<u2")
        stored[0, 0] |= hidden
        dataset.PixelData = stored.tobytes()
        dataset.save_as(path)

    files = t1(tmp_path).files
    for path in files:
        narrow(path, 0)
    assert invoke(tmp_path).exit_code == 0
    narrow(files[3], 0x4000)
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["hidden"]


def labeled(place: Path, words: str) -> Phantom:
    """A series with words in the corner of some slices."""
    array = head((170, 90, 6))
    for k in (2, 3):
        written = ink(words, 14, at=(70, 6)).on(array[:, :, k].T, 880)
        array[:, :, k] = written.T
    return write_mr(place / "in", array, oblique())


def own_profile(place: Path, pixels_setting: str) -> str:
    """A policy of one's own: Table E.1-1 with another order for text in pixels."""
    folder = place / "policy"
    folder.mkdir()
    shipped = importlib.resources.files("tracerless").joinpath("data/profiles/ps315-basic")
    rows = shipped.joinpath("profile.csv").read_text("utf-8").splitlines()
    changed = [f"pixels,{pixels_setting},r,r" if r.startswith("pixels,") else r for r in rows]
    (folder / "profile.csv").write_text("\n".join(changed) + "\n", "utf-8")
    return str(folder)


def test_text_in_the_pixels_keeps_its_series_out(tmp_path: Path) -> None:
    labeled(tmp_path, "WANG DAWEN 1944")
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["burned_in"]
    assert "WANG" not in json.dumps(quarantine(tmp_path))


def test_text_in_the_pixels_is_blanked_where_the_policy_says_so(tmp_path: Path) -> None:
    phantom = labeled(tmp_path, "WANG DAWEN 1944")
    done = invoke(tmp_path, profile=own_profile(tmp_path, "clean"))
    assert done.exit_code == 0, done.output
    assert "Text was blanked in the pixels of 1 series" in str(json.loads(done.stdout)["notes"])
    (folder,) = crossed(tmp_path)
    rectangles = json.loads((folder / "series.json").read_text())["cleaned_boxes"]
    assert rectangles
    found = pixels.load(sorted(folder.glob("*.dcm")), Contrast.T1W).volumes[0].array
    inside = np.zeros(found.shape[:2], dtype=bool)
    for top, left, bottom, right in rectangles:
        inside[left:right, top:bottom] = True
    assert np.array_equal(found[~inside], phantom.voxels[~inside])
    assert not np.array_equal(found[inside], phantom.voxels[inside])
    codes = [dcmread(p).DeidentificationMethodCodeSequence for p in sorted(folder.glob("*.dcm"))]
    stamped = ["113101" in [item.CodeValue for item in each] for each in codes]
    assert all(stamped)
    assert not invoke(tmp_path, profile=str(tmp_path / "policy")).exit_code


def test_a_number_that_two_issuers_use_belongs_to_nobody(tmp_path: Path) -> None:
    for number, issuer in enumerate(("EAST", "WEST", "")):
        who = Who(study=f"visit-{number}", number=number + 3)

        def edit(dataset: Dataset, _: int, issuer: str = issuer, number: int = number) -> None:
            dataset.IssuerOfPatientID = issuer
            dataset.PatientBirthDate = f"195{number}0101"

        write_mr(tmp_path / "in" / str(number), head(SHAPE), oblique(), who=who, edit=edit)
    assert invoke(tmp_path).exit_code == 1
    assert outside(tmp_path) == ["ambiguous-person"]
    assert len({folder.parents[1] for folder in crossed(tmp_path)}) == 2
    assert_nobody(tmp_path, "EAST", "WEST")
