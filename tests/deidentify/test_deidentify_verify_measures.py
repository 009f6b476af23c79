"""What no longer measures, is missing, leads nowhere or lies about itself, is found."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from pydicom import Dataset
from verify_cases import House, copy, edit, house, kinds, proven, whole  # noqa: F401

from tracerless.core.errors import DatasetError


class Spoiled(NamedTuple):
    """What was done to a dataset, and what must be found."""

    name: str
    spoil: Callable[[House], None]
    found: tuple[str, str]


def header(keyword: str, value: object, *, mr: bool = False) -> Callable[[House], None]:
    def spoil(made: House) -> None:
        path = made.mr / "0002.dcm" if mr else made.first
        edit(path, lambda dataset: setattr(dataset, keyword, value))

    return spoil


def without(keyword: str) -> Callable[[House], None]:
    return lambda made: edit(made.first, lambda dataset: delattr(dataset, keyword))


def one_pixel(made: House) -> None:
    def change(dataset: Dataset) -> None:
        pixels = bytearray(dataset.PixelData)
        pixels[7] ^= 1
        dataset.PixelData = bytes(pixels)

    edit(made.first, change)


def mapping(keyword: str, factor: float) -> Callable[[House], None]:
    def spoil(made: House) -> None:
        def change(dataset: Dataset) -> None:
            item = dataset.RealWorldValueMappingSequence[-1]
            setattr(item, keyword, getattr(item, keyword) * factor)

        edit(made.first, change)

    return spoil


def unit(made: House) -> None:
    def change(dataset: Dataset) -> None:
        mapped = dataset.RealWorldValueMappingSequence[-1]
        mapped.MeasurementUnitsCodeSequence[0].CodeValue = "Bq/ml"

    edit(made.first, change)


def dose(made: House) -> None:
    def change(dataset: Dataset) -> None:
        dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = 371e6

    edit(made.first, change)


def lost(made: House) -> None:
    (made.folder / "0002.dcm").unlink()


def lost_person(made: House) -> None:
    """Somebody else is left, so that the dataset is not empty."""
    (made.root / f"sourcedata/sub-{made.person}").rename(made.root / "sourcedata/sub-A1")


def row(made: House) -> None:
    with (made.root / "participants.tsv").open("a") as table:
        table.write("sub-Dawenlong\tF\n")


def doubled(made: House) -> None:
    shutil.copy(made.folder / "0002.dcm", made.folder / "0009.dcm")


def stranger(made: House) -> None:
    shutil.copy(made.folder / "0002.dcm", made.folder / "0009.dcm")
    edit(made.folder / "0009.dcm", lambda d: setattr(d, "SOPInstanceUID", "2.25.77"))


def stray(name: str) -> Callable[[House], None]:
    def spoil(made: House) -> None:
        path = made.root / name.replace("PERSON", f"sub-{made.person}")
        path.write_bytes(b"\0\0\0\1Bud1")

    return spoil


def code(made: House) -> None:
    def change(dataset: Dataset) -> None:
        dataset.DeidentificationMethodCodeSequence[0].CodeValue = "113106"

    edit(made.first, change)


def face(made: House) -> None:
    def change(dataset: Dataset) -> None:
        done = dataset.DeidentificationMethodCodeSequence
        dataset.DeidentificationMethodCodeSequence = [d for d in done if d.CodeValue != "113102"]
        dataset.RecognizableVisualFeatures = "YES"

    edit(made.first, change)


def claim(made: House) -> None:
    """Pixels were never cleaned here."""

    def change(dataset: Dataset) -> None:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "113101", "DCM", "Clean"
        dataset.DeidentificationMethodCodeSequence.append(item)

    edit(made.first, change)


def vendor(made: House) -> None:
    def change(dataset: Dataset) -> None:
        dataset.private_block(0x0009, "ANY", create=True).add_new(1, "US", 3)

    edit(made.first, change)


SPOILED = (
    Spoiled("a pixel", one_pixel, ("measures", "pixels")),
    Spoiled("a slope", header("RescaleSlope", 1.250002), ("measures", "scale")),
    Spoiled("the time of the series", header("SeriesTime", "102000.5"), ("measures", "timing")),
    Spoiled("SUV by the time", header("SeriesTime", "102000.5"), ("measures", "suv")),
    Spoiled("SUV by the weight", header("PatientWeight", 61.6), ("measures", "suv")),
    Spoiled("no weight", without("PatientWeight"), ("measures", "suv")),
    Spoiled("the dose", dose, ("measures", "scale")),
    Spoiled("the units", header("Units", "CNTS"), ("measures", "scale")),
    Spoiled("a place", header("ImagePositionPatient", [-10.5, 20.25, 3.1]),
            ("measures", "geometry")),
    Spoiled("a spacing", header("PixelSpacing", [2, 2.01]), ("measures", "geometry")),
    Spoiled("no spacing", without("PixelSpacing"), ("measures", "geometry")),
    Spoiled("a frame's duration", header("ActualFrameDuration", 1), ("measures", "timing")),
    Spoiled("an echo time", header("EchoTime", 2.99, mr=True), ("measures", "timing")),
    Spoiled("one date", header("SeriesDate", "20150101"), ("measures", "date-shift")),
    Spoiled("a frame of reference", header("FrameOfReferenceUID", "2.25.1"),
            ("references", "link-changed")),
    Spoiled("an old root", header("FrameOfReferenceUID", "1.2.3.4"), ("border", "old-uid")),
    Spoiled("a lost file", lost, ("complete", "missing-instance")),
    Spoiled("a lost person", lost_person, ("complete", "missing-person")),
    Spoiled("a row of nobody", row, ("complete", "row-of-nobody")),
    Spoiled("a file twice", doubled, ("complete", "duplicate-instance")),
    Spoiled("an unknown file", stranger, ("complete", "unknown-instance")),
    Spoiled("a folder's mark", stray("sourcedata/PERSON/.DS_Store"), ("complete", "stray-file")),
    Spoiled("thumbnails", stray("Thumbs.db"), ("complete", "stray-file")),
    Spoiled("DICOM beside a series", stray("sourcedata/PERSON/ses-01/x.dcm"),
            ("complete", "stray-file")),
    Spoiled("no DICOM at all", stray("sourcedata/PERSON/ses-01/FDG_007/0001.dcm"),
            ("complete", "unreadable")),
    Spoiled("an unlisted attribute", header("OperatorsName", "X"), ("border", "not-listed")),
    Spoiled("a vendor's block", vendor, ("border", "private-creator")),
    Spoiled("a free description", header("DeidentificationMethod", "by hand"),
            ("border", "stamp-untrue")),
    Spoiled("a code that is not true", code, ("border", "stamp-untrue")),
    Spoiled("a face that was not looked for", face, ("border", "face-kept")),
    Spoiled("a claim of nobody's", claim, ("border", "stamp-untrue")),
    Spoiled("no stamp", without("PatientIdentityRemoved"), ("border", "stamp-missing")),
    Spoiled("another person", header("PatientID", "X2AZF3X7KH"), ("border", "stamp-untrue")),
    Spoiled("a lie about dates", header("LongitudinalTemporalInformationModified", "UNMODIFIED"),
            ("border", "stamp-untrue")),
    Spoiled("a Type 1 attribute lost", without("SamplesPerPixel"), ("iod", "more-errors")),
    Spoiled("a national ID", header("Manufacturer", "by B120863158"), ("patterns", "national-id")),
    Spoiled("a mobile", header("Manufacturer", "0912-345-678"), ("patterns", "mobile-number")),
    Spoiled("a landline", header("Manufacturer", "(02) 2311-1234"),
            ("patterns", "landline-number")),
    Spoiled("an ROC date", header("Manufacturer", "民國99年1月2日"), ("patterns", "roc-date")),
    Spoiled("an e-mail", header("Manufacturer", "a.b@hospital.tw"), ("patterns", "e-mail")),
    Spoiled("a chart number", header("Manufacturer", "No 40912311"), ("patterns", "chart-number")),
)  # fmt: skip


@pytest.mark.parametrize("spoiled", SPOILED, ids=lambda spoiled: spoiled.name)
def test_whatever_is_spoiled_is_found(spoiled: Spoiled, copy: House) -> None:  # noqa: F811
    spoiled.spoil(copy)
    assert spoiled.found in kinds(proven(copy))


CARRIED = (
    Spoiled("the factor to SUV", mapping("RealWorldValueSlope", 1.00001), ("measures", "suv")),
    Spoiled("no factor", without("RealWorldValueMappingSequence"), ("measures", "suv")),
    Spoiled("another unit", unit, ("measures", "suv")),
)


@pytest.mark.parametrize("spoiled", CARRIED, ids=lambda spoiled: spoiled.name)
def test_a_carried_factor_to_suv_is_held_against_the_weight_that_went(
    spoiled: Spoiled, tmp_path: Path
) -> None:
    made = house(tmp_path, "seed-strict", n_files=1)
    assert kinds(proven(made)) == set()
    spoiled.spoil(made)
    assert spoiled.found in kinds(proven(made))


def test_a_reference_to_what_never_came_is_a_warning(copy: House) -> None:  # noqa: F811
    def change(dataset: Dataset) -> None:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = dataset.SOPClassUID, "2.25.47"
        dataset.ReferencedImageSequence = [item]

    edit(copy.first, change)
    levels = {each["kind"]: each["level"] for each in proven(copy).report["findings"]}
    assert levels["dangling"] == "warning"


def test_dates_moved_by_other_days_are_one_finding(copy: House) -> None:  # noqa: F811
    """Whole days never change SUV; but a person's files must all move by the same."""

    def change(dataset: Dataset) -> None:
        for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"):
            setattr(dataset, keyword, "20100101")

    edit(copy.first, change)
    assert kinds(proven(copy)) == {("measures", "date-shift")}


def test_somebody_whom_only_the_vault_knows_is_a_warning(copy: House) -> None:  # noqa: F811
    (copy.root / "participants.tsv").unlink()
    lost_person(copy)
    found = [e for e in proven(copy).report["findings"] if e["kind"] == "missing-person"]
    assert [each["level"] for each in found] == ["warning"]


def test_a_dataset_of_nobody_proves_nothing(copy: House) -> None:  # noqa: F811
    shutil.rmtree(copy.root / f"sourcedata/sub-{copy.person}")
    with pytest.raises(DatasetError, match="nothing to prove"):
        proven(copy)
