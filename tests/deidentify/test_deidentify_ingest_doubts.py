"""Copies, contradictions and mistaken people: nothing is joined, dropped or kept in silence."""

import json
import shutil
from pathlib import Path

import pytest
from ingest_cases import (
    SHAPE,
    assert_nobody,
    assert_volume,
    crossed,
    invoke,
    outside,
    person,
    quarantine,
    saved_as,
    t1,
)
from pydicom import Dataset, dcmread
from pydicom.uid import RLELossless

from phantoms import Who, head, oblique, write_mr


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
