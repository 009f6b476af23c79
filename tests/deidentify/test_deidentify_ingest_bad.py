"""Odd input through the real command: it crosses right, or stays outside with its reason."""

import importlib.resources
import json
from pathlib import Path

import numpy as np
import pytest
from burned_cases import ink
from ingest_cases import (
    SHAPE,
    Change,
    assert_nobody,
    assert_volume,
    crossed,
    every_byte,
    invoke,
    outside,
    quarantine,
    saved_as,
    t1,
)
from pydicom import DataElement, Dataset, dcmread, dcmwrite
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from phantoms import Phantom, head, oblique, write_mr, write_pt
from tracerless.core.volume import Contrast
from tracerless.io import pixels


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
    assert not any(str(tmp_path).encode() in content for content in every_byte(tmp_path))
