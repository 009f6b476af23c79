"""SUV past the border, and torn series: what is read there is what was written here."""

from pathlib import Path

import numpy as np
import pytest
from deid_cases import PT, base, stored
from ingest_cases import assert_nobody, assert_volume, crossed, invoke
from pydicom import Dataset, dcmread
from splice_cases import KEYS, PERSON

from phantoms import Phantom, head, oblique, write_mr, write_pt
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanInstance, Profile, instance, suv
from tracerless.io import pixels, profiles
from tracerless.workspace.verify import verify

SHAPE = (8, 9, 7)
FACTOR = 61_500 / (370e6 * 2 ** (-3600 / 6586.2))
"""SUV per Bq/mL of the phantom."""


def with_dose(dataset: Dataset, _: int) -> None:
    """Everything that SUV needs, in a header of `write_pt`."""
    dataset.SeriesTime = dataset.AcquisitionTime = "101500"
    dataset.AcquisitionDate = dataset.SeriesDate
    given = dataset.RadiopharmaceuticalInformationSequence[0]
    given.RadiopharmaceuticalStartTime = "091500"
    given.RadionuclideTotalDose, given.RadionuclideHalfLife = 370e6, 6586.2
    dataset.DecayFactor = 1.0481  # over a frame of 900 s that begins with its series


def pet(folder: Path) -> Phantom:
    return write_pt(folder, head(SHAPE).astype(np.float32) / 50, oblique(), edit=with_dose)


def failures(place: Path, *checks: str) -> list[tuple[str, str]]:
    """Kinds of what a proof of the dataset finds and must not find, in these checks."""
    found = verify(place / "data", place / "vault", opener="auditor", reason="test").report
    return [(f["check"], f["kind"]) for f in found["findings"]
            if f["level"] == "failure" and f["check"] in checks]  # fmt: skip


@pytest.mark.parametrize("profile", ["seed", pytest.param("research", marks=pytest.mark.slow)])
def test_a_voxel_has_the_same_suv_on_both_sides_of_the_border(profile: str, tmp_path: Path) -> None:
    made = pet(tmp_path / "in")
    before = pixels.load(made.files, Contrast.FDG, suv=suv.present)
    assert before.sidecar["SuvFactor"] == pytest.approx(FACTOR * 1000, rel=1e-9)
    assert before.sidecar["ValueOrigins"]["SuvFactor"] == "header"
    result = invoke(tmp_path, profile=profile)
    assert result.exit_code == 0, result.output
    (folder,) = crossed(tmp_path)
    after = pixels.load(sorted(folder.glob("*.dcm")), Contrast.FDG, suv=suv.present)
    assert after.sidecar["SuvFactor"] == pytest.approx(FACTOR * 1000, rel=1e-6)
    np.testing.assert_array_equal(after.volumes[0].array, before.volumes[0].array)


def test_past_the_border_the_mapping_alone_gives_the_factor(tmp_path: Path) -> None:
    pet(tmp_path / "in")
    assert invoke(tmp_path).exit_code == 0
    (folder,) = crossed(tmp_path)
    series = pixels.load(sorted(folder.glob("*.dcm")), Contrast.FDG)
    assert series.sidecar["SuvFactor"] == pytest.approx(FACTOR * 1000, rel=1e-6)
    assert series.sidecar["ValueOrigins"]["SuvFactor"] == "header before the border"
    assert failures(tmp_path, "measures", "border") == []


def test_clocks_that_contradict_each_other_carry_no_suv_and_prove_clean(tmp_path: Path) -> None:
    def moved(dataset: Dataset, index: int) -> None:
        with_dose(dataset, index)
        dataset.SeriesTime = "094500"  # as if a tool had moved one clock and not the other

    write_pt(tmp_path / "in", head(SHAPE).astype(np.float32) / 50, oblique(), edit=moved)
    assert invoke(tmp_path).exit_code == 0
    (folder,) = crossed(tmp_path)
    series = pixels.load(sorted(folder.glob("*.dcm")), Contrast.FDG, suv=suv.present)
    assert "SuvFactor" not in series.sidecar
    assert failures(tmp_path, "measures", "border") == []


def test_counts_with_the_vendors_factor_cross_with_their_suv(tmp_path: Path) -> None:
    def philips(dataset: Dataset, index: int) -> None:
        with_dose(dataset, index)
        dataset.Units = "CNTS"
        block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", "0.00125")

    made = write_pt(tmp_path / "in", head(SHAPE).astype(np.float32) / 50, oblique(), edit=philips)
    assert invoke(tmp_path, profile="ps315-basic").exit_code == 0  # no vendor field crosses
    (folder,) = crossed(tmp_path)
    series = pixels.load(sorted(folder.glob("*.dcm")), Contrast.FDG)
    assert series.sidecar["SuvFactor"] == pytest.approx(0.00125, rel=1e-6)
    counts = made.voxels * 1000
    np.testing.assert_allclose(series.volumes[0].array, counts, rtol=1e-5)
    assert failures(tmp_path, "measures", "border") == []


def test_a_torn_volume_is_whole_again_past_the_border(tmp_path: Path) -> None:
    def torn(dataset: Dataset, index: int) -> None:
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20190304", "102000"
        if index >= 4:
            dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.4711", 903

    made = write_mr(tmp_path / "in", head((7, 6, 5)), oblique(), edit=torn)
    assert invoke(tmp_path).exit_code == 0
    assert_volume(tmp_path, made)
    assert_nobody(tmp_path, "2.25.4711")
    assert failures(tmp_path, "measures", "border") == []
    assert invoke(tmp_path).exit_code == 0  # and a second run changes nothing
    assert len(crossed(tmp_path)) == 1


def test_the_fast_path_writes_the_mapping_of_the_slow_one(tmp_path: Path) -> None:
    policy = Profile.parse("seed", profiles.read("seed"))
    pet(tmp_path / "in")
    assert invoke(tmp_path).exit_code == 0
    (folder,) = crossed(tmp_path)
    fast = [suv.carried(dcmread(path)) for path in folder.glob("*.dcm")]
    dataset = base(PT)
    with_dose(dataset, 0)
    dataset.CorrectedImage, dataset.PatientWeight = ["ATTN", "DECY"], 61.5
    dataset.ActualFrameDuration = 900000
    made = instance(dataset, profile=policy, keys=KEYS, person=PERSON, contrast=Contrast.FDG)
    assert isinstance(made, CleanInstance)
    assert stored(made.dataset)
    slow = suv.carried(made.dataset)
    assert slow is not None
    assert fast == pytest.approx([slow] * SHAPE[2], rel=1e-9)


@pytest.mark.real_data
def test_every_bed_of_a_real_scan_carries_one_factor(scans: Path) -> None:
    policy = Profile.parse("seed", profiles.read("seed"))
    beds: dict[str, Path] = {}
    for path in sorted((scans / "fdg-whole-body" / "PET").glob("*.dcm")):
        beds.setdefault(dcmread(path, specific_tags=["AcquisitionTime"]).AcquisitionTime, path)
    assert len(beds) == 8
    for path in beds.values():
        made = instance(
            dcmread(path), profile=policy, keys=KEYS, person=PERSON, contrast=Contrast.FDG
        )
        assert isinstance(made, CleanInstance)
        assert "PatientWeight" not in made.dataset
        found = suv.present(made.dataset)
        assert found.origin == "header before the border"
        assert found.factor == pytest.approx(2.9448e-4, rel=1e-4)
