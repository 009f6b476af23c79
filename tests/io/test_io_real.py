"""Real scans: what is found in them, and the same voxels as dcm2niix finds."""

import tarfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tracerless.core.session import NativeSeries
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast, Quantity
from tracerless.io import external, nifti
from tracerless.io.dicom_scan import Inventory, scan
from tracerless.io.pixels import load

pytestmark = pytest.mark.real_data


def _found(inventory: Inventory) -> list[tuple[int, str, int]]:
    return [(s.series_number, s.contrast.value, s.n_frames) for s in inventory.series]


def _unpacked(scans: Path, name: str, to: Path) -> Path:
    with tarfile.open(scans / f"{name}.tar.xz") as archive:
        archive.extractall(to, filter="data")
    return to / name


@pytest.fixture(scope="module")
def one_person(scans: Path) -> Inventory:
    return scan(scans / "mr-one-person")


@pytest.fixture(scope="module")
def gapped(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    place = tmp_path_factory.mktemp("gapped")
    for path in (scans / "mr-one-person").iterdir():
        if path.is_file():
            (place / path.name).symlink_to(path)
    return scan(place)


def _of(inventory: Inventory, contrast: Contrast) -> SourceSeries:
    return next(each for each in inventory.series if each.contrast is contrast)


def test_one_person_is_recognized_and_whole(one_person: Inventory) -> None:
    assert _found(one_person) == [
        (5, "T1w", 176),
        (6, "T2w", 56),
        (17, "deltam", 1),
        (18, "cbf", 1),
    ]
    assert not any(each.problems for each in one_person.series)
    assert one_person.summary()["n_people"] == 1
    assert one_person.rejected == {"not-dicom": 1}


def test_without_the_two_missing_slices_both_gaps_are_found(gapped: Inventory) -> None:
    assert _found(gapped)[:2] == [(5, "T1w", 175), (6, "T2w", 55)]
    texts = [problem.text for each in gapped.series for problem in each.problems]
    assert texts == [
        "1 of 176 slices is missing, at place 114 counted from 0.",
        "1 of 56 slices is missing, at place 34 counted from 0.",
    ]
    assert not any(each.is_blocked for each in gapped.series)


def test_an_interpolated_slice_is_near_the_true_one(
    one_person: Inventory, gapped: Inventory
) -> None:
    true = load(_of(one_person, Contrast.T1W).files, Contrast.T1W)
    filled = load(_of(gapped, Contrast.T1W).files, Contrast.T1W)
    assert filled.sidecar["InterpolatedSlices"] == [114]
    assert filled.grid == true.grid
    a, b = (each.volumes[0].array[:, :, 114] for each in (true, filled))
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.97
    others = np.arange(176) != 114
    np.testing.assert_array_equal(
        true.volumes[0].array[:, :, others], filled.volumes[0].array[:, :, others]
    )


def _agrees_with_dcm2niix(series: NativeSeries, files: tuple[Path, ...], factor: float) -> None:
    """Same voxels at the same place, compared on the closest R, A, S axes."""
    converted = external.convert(files)
    assert converted is not None
    mine = np.stack([volume.array for volume in series.volumes], axis=-1)
    own = nib.as_closest_canonical(nib.Nifti1Image(mine * np.float32(factor), series.grid.affine))
    other = nib.as_closest_canonical(nib.Nifti1Image(np.stack(converted[0], -1), converted[1]))
    assert own.shape == other.shape
    corner = np.array([*own.shape[:3], 1]) - [1, 1, 1, 0]
    np.testing.assert_allclose(own.affine @ corner, other.affine @ corner, atol=0.02)
    np.testing.assert_allclose(own.affine[:3, 3], other.affine[:3, 3], atol=0.02)
    a, b = np.asarray(own.dataobj), np.asarray(other.dataobj)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max()))


@pytest.mark.parametrize("contrast", [Contrast.T1W, Contrast.T2W, Contrast.DELTAM, Contrast.CBF])
def test_one_person_reads_as_dcm2niix_reads_it(one_person: Inventory, contrast: Contrast) -> None:
    files = _of(one_person, contrast).files
    series = load(files, contrast)
    assert series.sidecar["ConversionSoftware"] == "tracerless"
    assert series.sidecar["Manufacturer"] == "SIEMENS"
    _agrees_with_dcm2niix(series, files, 1)


def test_the_four_series_of_one_person_share_a_frame_of_reference(one_person: Inventory) -> None:
    digests = {load(s.files[:1], s.contrast).frame_of_reference for s in one_person.series}
    assert len(digests) == 1


def test_the_ready_made_maps_lie_on_the_brain(one_person: Inventory) -> None:
    t1 = load(_of(one_person, Contrast.T1W).files, Contrast.T1W).grid
    cbf = load(_of(one_person, Contrast.CBF).files, Contrast.CBF).grid
    centers = [
        g.affine[:3, :3] @ ((np.array(g.shape) - 1) / 2) + g.affine[:3, 3] for g in (t1, cbf)
    ]
    assert np.linalg.norm(centers[0] - centers[1]) < 40


def test_a_real_pet_reads_as_dcm2niix_reads_it_in_kbq(scans: Path) -> None:
    (found,) = scan(scans / "fdg-whole-body").series
    assert found.contrast is Contrast.UNKNOWN
    assert "fluorine-18" in found.reason
    series = load(found.files, Contrast.FDG)
    assert series.volumes[0].quantity is Quantity.ACTIVITY
    _agrees_with_dcm2niix(series, found.files, 1000)
    assert len(found.files) == 299
    suv = series.volumes[0].array[:, :, -37:].max() * 1000 * 2.945e-4
    assert suv == pytest.approx(7.4, abs=0.1)  # head only, factor worked out by hand


def test_siemens_mosaics_read_as_dcm2niix_reads_them(scans: Path, tmp_path: Path) -> None:
    inventory = scan(_unpacked(scans, "asl-siemens", tmp_path))
    assert _found(inventory) == [
        (9, "asl", 102), (10, "m0scan", 1), (11, "asl", 12), (13, "m0scan", 2),
    ]  # fmt: skip
    for found in inventory.series[1:]:
        series = load(found.files, found.contrast)
        assert "SliceOrientationAssumed" not in series.sidecar
        _agrees_with_dcm2niix(series, found.files, 1)


def test_a_shuffled_pair_is_ordered_and_its_pet_refused_for_lack_of_units(
    scans: Path, tmp_path: Path
) -> None:
    inventory = scan(_unpacked(scans, "petmr-simulated-pair", tmp_path))
    t1, pet = sorted(inventory.series, key=lambda each: each.modality)
    assert (t1.contrast, t1.n_frames, t1.problems) == (Contrast.T1W, 258, ())
    assert {problem.kind for problem in pet.problems} == {"units", "unknown"}
    assert pet.is_blocked
    series = load(t1.files, Contrast.T1W)
    steps = np.abs(np.diff(series.volumes[0].array[:, :, 60:200], axis=2)).mean()
    jumps = np.abs(series.volumes[0].array[:, :, 60:130] - series.volumes[0].array[:, :, 130:200])
    assert steps < 0.25 * jumps.mean()  # neighbors are alike, so the order is right


def test_philips_labels_are_found_and_their_frames_in_order(scans: Path) -> None:
    inventory = scan(scans / "asl-philips-phantom")
    assert _found(inventory) == [(201, "deltam", 16), (401, "deltam", 14), (402, "asl", 224)]
    assert inventory.rejected["not-a-volume"] == 1
    source = inventory.series[2]
    series = load(source.files, source.contrast)
    assert series.sidecar["AslContext"] == ["control", "label"] * 8
    _agrees_with_dcm2niix(series, source.files, 1)


VENDORS = {
    "ge": Contrast.T1W, "generic": Contrast.FLAIR, "hitachi": Contrast.UNKNOWN,
    "hyperfine": Contrast.FLAIR, "philips": Contrast.FLAIR, "philips_enhanced": Contrast.T1W,
    "siemens": Contrast.FLAIR, "siemens_multiframe": Contrast.UNKNOWN,
}  # fmt: skip


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_every_vendor_reads_as_dcm2niix_reads_it(vendor: str, scans: Path) -> None:
    (found,) = scan(scans / "vendor-headers" / vendor).series
    assert found.contrast is VENDORS[vendor]
    series = load(found.files, found.contrast)
    assert series.sidecar["ConversionSoftware"] == "tracerless"
    _agrees_with_dcm2niix(series, found.files, 1)


def test_screen_captures_with_names_in_every_script_are_routed_away(scans: Path) -> None:
    inventory = scan(scans / "deid-charset-names")
    assert inventory.rejected == {"capture": 11, "not-dicom": 1}
    assert [each.contrast for each in inventory.series] == [Contrast.T2W]


def test_letters_burnt_in_lie_on_their_side_in_all_48_orders(scans: Path) -> None:
    files = sorted((scans / "orientation-48").glob("*.nii.gz"))
    assert len(files) == 48
    reference = nib.as_closest_canonical(nib.load(scans / "orientation-48" / "RAS.nii.gz"))
    truth = np.asarray(reference.dataobj, dtype=np.float32)
    assert np.abs(truth - truth[::-1]).max() > 0  # the letters: a mirror image is another one
    for path in files:
        volume = nifti.read_volume(path)
        assert volume.grid.axcodes == path.name[:3]
        canonical = nib.as_closest_canonical(nib.Nifti1Image(volume.array, volume.grid.affine))
        np.testing.assert_array_equal(np.asarray(canonical.dataobj), truth)
