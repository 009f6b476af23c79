"""SUV of a real whole-body FDG-PET: what was worked out by hand, and what wrong clocks would give.

Brain 5 to 6, at most 7.4; the time of acquisition of the last bed would inflate it by 15 %, the
time of content by 18 %.
"""

import tarfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom import Dataset, dcmread

from phantoms import write_mr
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast
from tracerless.deidentify import suv
from tracerless.io import external
from tracerless.io.dicom_scan import scan
from tracerless.io.pixels import load

pytestmark = pytest.mark.real_data
HEAD = 37
"""Slices at the top that show the head."""


@pytest.fixture(scope="module")
def files(scans: Path) -> tuple[Path, ...]:
    (found,) = scan(scans / "fdg-whole-body").series
    return found.files


@pytest.fixture(scope="module")
def pet(files: tuple[Path, ...]) -> NativeSeries:
    return load(files, Contrast.FDG, suv=suv.present)


def test_the_real_brain_has_the_suv_worked_out_by_hand(pet: NativeSeries) -> None:
    head = pet.volumes[0].array[:, :, -HEAD:] * pet.sidecar["SuvFactor"]
    assert pet.sidecar["SuvFactor"] == pytest.approx(2.945e-4 * 1000, rel=1e-3)
    assert head.max() == pytest.approx(7.4, abs=0.1)
    cortex = head[head > 0.6 * head.max()]
    assert 5.0 <= np.median(cortex) <= 6.0
    assert pet.sidecar["ValueOrigins"]["SuvFactor"] == "header"


def test_every_bed_of_the_real_scan_is_corrected_to_one_time(files: tuple[Path, ...]) -> None:
    headers = [dcmread(path, stop_before_pixels=True) for path in files]
    assert len({each.AcquisitionTime for each in headers}) == 8
    assert len({suv.factor(each) for each in headers}) == 1


def _with_series_time(header: Dataset, keyword: str) -> Dataset:
    header.SeriesTime = header[keyword].value
    return header


@pytest.mark.parametrize(
    ("keyword", "inflated"), [("AcquisitionTime", 0.145), ("ContentTime", 0.179)]
)
def test_the_wrong_clock_of_the_real_scan_inflates_and_is_refused(
    files: tuple[Path, ...], keyword: str, inflated: float
) -> None:
    headers = [dcmread(path, stop_before_pixels=True) for path in files]
    last = max(headers, key=lambda each: str(each.AcquisitionTime))
    right = suv.factor(last)
    assert right is not None
    last = _with_series_time(last, keyword)
    assert suv.factor(last) is None
    del last.DecayFactor  # what a reader without that check would have taken
    last.AcquisitionTime = last.SeriesTime
    wrong = suv.factor(last)
    assert wrong is not None
    assert wrong / right - 1 == pytest.approx(inflated, abs=0.003)


def test_a_second_reader_sees_the_same_activity(files: tuple[Path, ...], pet: NativeSeries) -> None:
    converted = external.convert(files)
    assert converted is not None
    theirs = float(converted[0][0].max())
    assert pet.volumes[0].array.max() * 1000 == pytest.approx(theirs, rel=1e-5)


@pytest.mark.slow
def test_a_real_pet_without_units_is_refused_by_name(scans: Path, tmp_path: Path) -> None:
    """A simulated PET from a public collection: no units, dose or weight."""
    with tarfile.open(scans / "petmr-simulated-pair.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    pet = next(each for each in scan(tmp_path).series if each.modality == "PT")
    texts = [each.text for each in pet.problems if each.kind == "units"]
    assert pet.is_blocked
    assert "Export the series again with Units" in texts[0]
    told = load(pet.files, Contrast.FDG, suv=suv.present).sidecar
    assert "SuvFactor" not in told
    assert "neither BQML, CNTS nor GML" in told["SuvReason"]


def test_burnt_in_letters_keep_their_side_through_dicom_in_all_48_orders(
    scans: Path, tmp_path: Path
) -> None:
    coarse = (slice(None, None, 4),) * 3
    reference = nib.as_closest_canonical(nib.load(scans / "orientation-48" / "RAS.nii.gz"))
    truth = np.asarray(reference.dataobj, np.int16)
    for path in sorted((scans / "orientation-48").glob("*.nii.gz")):
        nifti = nib.load(path)
        part = nib.Nifti1Image(
            np.asarray(nifti.dataobj, np.int16)[coarse], nifti.affine @ np.diag([4, 4, 4, 1])
        )
        made = write_mr(tmp_path / path.name, np.asarray(part.dataobj), part.affine)
        (found,) = scan(tmp_path / path.name).series
        volume = load(found.files, found.contrast).volumes[0]
        back = nib.as_closest_canonical(nib.Nifti1Image(volume.array, volume.grid.affine))
        place = np.linalg.inv(reference.affine) @ back.affine
        i, j, k = (np.rint(place[a, a] * np.arange(n) + place[a, 3]).astype(int)
                   for a, n in enumerate(back.shape))  # fmt: skip
        np.testing.assert_allclose(place[:3, :3], np.diag([4, 4, 4]), atol=1e-4)
        np.testing.assert_array_equal(np.asarray(back.dataobj), truth[np.ix_(i, j, k)])
        assert len(made.files) == len(found.files)
