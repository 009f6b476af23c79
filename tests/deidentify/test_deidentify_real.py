"""Real scans: the people in their headers are gone, and their volumes lie where they lay."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from deid_cases import MR
from pydicom import Dataset
from pydicom.multival import MultiValue

from tracerless.cli.deidentify import command
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, CleanInstance, Keys, Profile, instance, to_bytes
from tracerless.deidentify.keys import pseudonym
from tracerless.io import dicom_read, headers, profiles

pytestmark = pytest.mark.real_data

SEED = Profile.parse("seed", profiles.read("seed"))
KEYS = Keys.from_secret(b"\x01" * 32)
PERSON = CleanIdentity(pseudonym(KEYS.person, "somebody"), "01")


def cleaned(dataset: Dataset) -> bytes:
    made = instance(dataset, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.T1W)
    assert isinstance(made, CleanInstance), made
    return to_bytes(made.dataset)


def found(folder: Path, pattern: str, n: int) -> Iterator[Dataset]:
    """Up to n readable instances of one folder, spread over its files."""
    files = sorted(p for p in folder.glob(pattern) if p.is_file())
    for path in files[:: max(1, len(files) // n)]:
        dataset = dicom_read.read(path, pixels=True)
        if isinstance(dataset, Dataset):
            yield dataset


REAL = {
    "mr-one-person": ("mr-one-person", "*", 12),
    "fdg-whole-body": ("fdg-whole-body", "PET/*", 4),
    "philips-asl": ("asl-philips-phantom", "*/*", 8),
    "ge": ("vendor-headers/ge", "**/*", 2),
    "hitachi": ("vendor-headers/hitachi", "**/*", 2),
    "hyperfine": ("vendor-headers/hyperfine", "**/*", 1),
    "compressed": ("vendor-headers/generic", "**/*", 2),
    "siemens-enhanced": ("vendor-headers/siemens_multiframe", "**/*", 1),
    "philips-enhanced": ("vendor-headers/philips_enhanced", "**/*", 1),
}


@pytest.mark.parametrize("name", REAL)
def test_places_times_scales_and_pixels_stay(scans: Path, name: str) -> None:
    folder, pattern, n = REAL[name]
    instances = list(found(scans / folder, pattern, n))
    assert instances
    for dataset in instances:
        out = pydicom.dcmread(io.BytesIO(cleaned(dataset)))
        before, after = (headers.slices(each, Path()) for each in (dataset, out))
        assert before
        assert repr(before) == repr(after)
        assert [each.clock for each in before] == [each.clock for each in after]
        assert out.PixelData == dataset.PixelData
        assert np.array_equal(out.pixel_array, dataset.pixel_array)


SUV = (
    "Units", "DecayCorrection", "DecayFactor", "SeriesTime", "SeriesDate", "AcquisitionTime",
    "RescaleSlope", "FrameReferenceTime", "ActualFrameDuration", "CorrectedImage",
)  # fmt: skip
INJECTION = ("RadiopharmaceuticalStartTime", "RadionuclideTotalDose", "RadionuclideHalfLife")


def test_pet_keeps_all_of_its_uptake_but_the_weight(scans: Path) -> None:
    for dataset in found(scans / "fdg-whole-body", "PET/*", 3):
        out = pydicom.dcmread(io.BytesIO(cleaned(dataset)))
        for keyword in SUV:
            assert out[keyword].value == dataset[keyword].value
        tracers = (each.RadiopharmaceuticalInformationSequence[0] for each in (dataset, out))
        before, after = ([tracer[k].value for k in INJECTION] for tracer in tracers)
        assert before == after
        assert "PatientWeight" not in out


IDENTIFYING = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "PatientTelephoneNumbers",
    "AccessionNumber", "InstitutionName", "InstitutionAddress", "StationName",
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "PhysiciansOfRecord",
    "NameOfPhysiciansReadingStudy", "RequestingPhysician", "OtherPatientIDs", "StudyID",
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID",
    "AdditionalPatientHistory", "PatientComments", "ImageComments", "SeriesDescription",
)  # fmt: skip


def identifying(dataset: Dataset) -> set[str]:
    values: set[str] = set()
    for keyword in IDENTIFYING:
        value = dataset.get(keyword)
        many = value if isinstance(value, MultiValue) else [value]
        for each in many:
            values |= set(str(each).split("=")) if each else set()
    return {value for value in values if len(value) >= 5}


@pytest.mark.parametrize("folder", ["mr-one-person", "deid-pseudo-identities/tcia/dicom"])
def test_no_identity_of_a_real_header_is_in_any_byte(scans: Path, folder: str) -> None:
    n = 0
    for dataset in found(scans / folder, "*", 12):
        content = cleaned(dataset)
        header = content[: content.rfind(b"\xe0\x7f\x10\x00")]
        values = identifying(dataset)
        assert len(values) >= 6
        for value in values:
            assert value.encode() not in header, "a value survives"
        n += 1
    assert n >= 10


CHARSETS = ("SCSARAB", "SCSFREN", "SCSGERM", "SCSGREEK", "SCSH31", "SCSH32", "SCSHBRW", "SCSI2",
            "SCSRUSS", "SCSX1", "SCSX2")  # fmt: skip


@pytest.mark.parametrize("name", CHARSETS)
def test_names_in_every_script_go_and_repeated_names_are_found(scans: Path, name: str) -> None:
    dataset = pydicom.dcmread(scans / "deid-charset-names" / name)
    dataset.SOPClassUID = MR
    dataset.pop("ConversionType", None)  # a capture would be refused
    person = str(dataset.PatientName)
    written = [part for group in person.split("=") for part in re.split(r"\^", group) if part]
    dataset.RequestedProcedureDescription = f"Head, {written[-1]}"
    dataset.PerformedProcedureStepDescription = "Head"
    content = cleaned(dataset)
    out = pydicom.dcmread(io.BytesIO(content))
    assert out["RequestedProcedureDescription"].is_empty
    assert out.PerformedProcedureStepDescription == "Head"
    assert str(out.PatientName) == str(PERSON.pseudonym)
    for part in written:
        for encoding in ("utf-8", "gb18030", "big5", "iso2022_jp", "euc_kr", "latin-1", "cp1255"):
            coded = part.encode(encoding, errors="ignore")
            assert len(coded) < 4 or coded not in content


def test_the_command_de_identifies_a_real_visit(scans: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for path in sorted((scans / "mr-one-person").iterdir()):
        is_map = path.is_file() and b"PERFUSION\\ASL" in path.read_bytes()[:2000]
        if is_map:
            (folder / path.name).symlink_to(path)
    (folder / "notes.txt").write_text("SpiralCSI")
    data, vault = tmp_path / "data", tmp_path / "vault"
    arguments = [str(folder), str(data), "--vault", str(vault), "--profile", "seed"]
    first = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False)
    report = json.loads(first.stdout)
    assert first.exit_code == 0
    assert (report["people"], report["series"]["written"]) == (1, 2)
    again = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert "0 series written (0 files), 2 already there." in again.stdout
    output = first.output + again.output
    made = {str(p): p.read_bytes() for p in data.rglob("*") if p.is_file()}
    names = [path.name for path in folder.iterdir() if path.name.isdigit()]
    assert len(names) == 2  # eight digits: five of them occur in a keyed UID by chance
    secrets = ("SpiralCSI", "Childrens Hospital", "Longwood", "MRC35235", "19860101",
               "12.04.14-17", ".35235.", *names)  # fmt: skip
    for secret in secrets:
        assert secret not in output
        for path, content in made.items():
            assert secret.encode() not in content, path
            assert secret not in path
    names = {p.name for p in data.glob("sourcedata/sub-*/ses-01/*")}
    assert names == {"cbf_018", "deltam_017"}
    labels = {pydicom.dcmread(p).SeriesDescription for p in data.rglob("*.dcm")}
    assert labels == {"cbf", "deltam"}
