"""What the machines export: valid DICOM, true geometry, true units, and identity to remove."""

import dataclasses
import importlib
import subprocess
import sys
import warnings
from datetime import datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from simulate_phantom import (
    LEFT_LESION,
    SUV_GREY,
    SUV_WHITE,
    interior,
    phantom_sample,
    scanners,
)

from tracerless.core.volume import Contrast
from tracerless.simulate import dicom_mosaic, export, hospital
from tracerless.simulate.dicom_common import Patient, uid
from tracerless.simulate.dicom_emission import mean_count_s
from tracerless.simulate.identity import Identity

SCANNERS = scanners()
TOOLS = Path(sys.executable).parent
PATIENT = Patient(
    Identity(
        name_zh="王擬明",
        name_latin="WANG NI-MING",
        chart_number="C12345678",
        birth_date="19490312",
        weight_kg=61.2,
        height_m=1.6,
    ),
    "M",
    72.4,
)
DATE = "20210809"
VENDORS = ("ge", "siemens", "philips")
KNOWN_ERRORS = (
    "InversionTime(0018,0082)",  # as two vendors write it with gradient echoes that prepare
    "TriggerTime(0018,1060)",  # as one vendor keeps the post-labeling delay
)
"""What dciodvfy may say; real exports of these vendors do the same."""


def _visit(index):
    plan = hospital.setup(SCANNERS, size="demo", seed="export", weight_kg=61.2)
    machines = {"petmr": SCANNERS.petmr[index], "spect": SCANNERS.spect[index]}
    return hospital.visit(phantom_sample, dataclasses.replace(plan, **machines))


@pytest.fixture(scope="module", params=range(3), ids=VENDORS)
def exported(request, tmp_path_factory):
    """(visit, series, folder): one folder per series."""
    made = _visit(request.param)
    series = list(export.series_of(made, PATIENT, DATE))
    folder = tmp_path_factory.mktemp(VENDORS[request.param])
    for each in series:
        place = folder / str(each.number)
        place.mkdir()
        for k, obj in enumerate(each.datasets):
            obj.save_as(place / f"{k:04d}", enforce_file_format=True)
    return made, series, folder


def _volume(made, contrast):
    return {
        Contrast.T1W: made.t1w,
        Contrast.T2W: made.t2w,
        Contrast.FDG: made.fdg,
        Contrast.HMPAO: made.spect,
        Contrast.ECD: made.spect,
        Contrast.CBF: made.cbf,
        Contrast.M0: made.asl.m0,
    }.get(contrast)


def _voxels(grid, converted):
    """Index into the true volume of every voxel of a converted one, by their places in mm."""
    back = np.linalg.inv(grid.affine) @ converted.affine
    index = np.indices(converted.shape[:3]).reshape(3, -1)
    there = back[:3, :3] @ index + back[:3, 3:]
    np.testing.assert_allclose(there, np.rint(there), atol=2e-3)
    return tuple(np.rint(there).astype(int))


def test_dciodvfy_finds_nothing_but_what_the_vendors_do(exported):
    _, series, folder = exported
    for each in series:
        for name in ("0000", f"{len(each.datasets) - 1:04d}"):
            said = subprocess.run(
                [TOOLS / "dciodvfy", "-new", folder / str(each.number) / name],
                capture_output=True,
                text=True,
                check=False,
            )
            lines = (said.stdout + said.stderr).splitlines()
            errors = [line for line in lines if line.startswith("Error")]
            assert not [e for e in errors if not any(known in e for known in KNOWN_ERRORS)]


def test_dcm2niix_gives_back_the_true_voxels_in_their_true_places(exported, tmp_path):
    made, series, folder = exported
    for each in series:
        truth = _volume(made, each.contrast)
        if truth is None:
            continue
        out = tmp_path / str(each.number)
        out.mkdir()
        place = folder / str(each.number)
        subprocess.run(
            [TOOLS / "dcm2niix", "-f", "x", "-o", out, place], check=True, capture_output=True
        )
        (path,) = out.glob("*.nii")
        converted = nib.load(path)
        array = np.asarray(converted.dataobj, dtype=np.float64)
        expected = truth.array[_voxels(truth.grid, converted)]
        expected = expected * (1000 if each.contrast is Contrast.FDG else 1)
        step = max(1.0, np.abs(expected).max() / 3e4)
        np.testing.assert_allclose(array.ravel(), expected, atol=step)


def test_dcm2niix_shows_the_left_lesion_on_the_left(exported, tmp_path):
    made, series, folder = exported
    number = next(s.number for s in series if s.contrast is Contrast.T2W)
    place = folder / str(number)
    subprocess.run(
        [TOOLS / "dcm2niix", "-f", "x", "-o", tmp_path, place], check=True, capture_output=True
    )
    converted = nib.load(tmp_path / "x.nii")
    values = []
    for side in (1, -1):
        native = np.float32([[side * LEFT_LESION[0][0], *LEFT_LESION[0][1:]]])
        point = made.poses["petmr"](native)[0]
        voxel = np.linalg.inv(converted.affine) @ (*point, 1)
        values.append(float(converted.dataobj[tuple(np.rint(voxel[:3]).astype(int))]))
    assert values[0] > 1.4 * values[1]


def test_labeling_series_unrolls_to_its_frames(exported, tmp_path):
    made, series, folder = exported
    asl = next(s for s in series if s.contrast is Contrast.ASL)
    style = made.setup.petmr.asl_style
    place = folder / str(asl.number)
    subprocess.run(
        [TOOLS / "dcm2niix", "-f", "x", "-o", tmp_path, place], check=True, capture_output=True
    )
    (path,) = tmp_path.glob("*.nii")
    converted = nib.load(path)
    array = np.asarray(converted.dataobj)
    where = _voxels(made.asl.grid, converted)
    pairs = made.asl.control, made.asl.label
    frames = {
        "ge": [made.asl.difference * 32, made.asl.m0.array],
        "siemens": [made.asl.m0.array]
        + [v.array for pair in zip(*reversed(pairs), strict=True) for v in pair],
        "philips": [v.array for pair in zip(*pairs, strict=True) for v in pair],
    }[style]
    assert array.shape[3] == len(frames)
    for t, frame in enumerate(frames):
        np.testing.assert_allclose(array[..., t].ravel(), frame[where], atol=1.0)


def test_suv_follows_from_the_written_header(exported):
    made, series, folder = exported
    number = next(s.number for s in series if s.contrast is Contrast.FDG)
    objects = [pydicom.dcmread(p) for p in sorted((folder / str(number)).iterdir())]
    first = objects[0]
    drug = first.RadiopharmaceuticalInformationSequence[0]
    injected = datetime.strptime(drug.RadiopharmaceuticalStartDateTime, "%Y%m%d%H%M%S.%f")
    scanned = datetime.strptime(f"{first.SeriesDate}{first.SeriesTime}", "%Y%m%d%H%M%S.%f")
    waited_s = (scanned - injected).total_seconds()
    left = float(drug.RadionuclideTotalDose) * 2 ** (-waited_s / float(drug.RadionuclideHalfLife))
    bqml = np.stack([o.pixel_array.T * float(o.RescaleSlope) for o in objects], axis=2)
    suv = bqml * float(first.PatientWeight) * 1000 / left
    grid = made.fdg.grid
    native = dataclasses.replace(
        grid, affine=made.poses["petmr"].inverse.matrix @ grid.affine
    )  # motion between series is far below a voxel
    assert first.DecayCorrection == "START"
    assert first.Units == "BQML"
    assert suv[interior(native, "grey", 7.0)].mean() == pytest.approx(SUV_GREY, rel=0.03)
    assert suv[interior(native, "white", 7.0)].mean() == pytest.approx(SUV_WHITE, rel=0.03)
    assert len({float(o.RescaleSlope) for o in objects}) > 10


def test_every_object_carries_identity_where_hospitals_have_it(exported):
    _, series, folder = exported
    identity = PATIENT.identity
    for each in series:
        obj = pydicom.dcmread(next((folder / str(each.number)).iterdir()), stop_before_pixels=True)
        assert obj.PatientName.ideographic == "王^擬明"
        assert obj.PatientName.family_name == "WANG"
        assert obj.PatientID == identity.chart_number
        assert obj.PatientBirthDate == identity.birth_date
        assert obj.InstitutionName == "SIMULATED HOSPITAL"
        assert "民國110年" in obj.PatientComments
        assert identity.name_zh in obj.AdditionalPatientHistory
        assert identity.name_zh in obj.RequestAttributesSequence[0].ReasonForTheRequestedProcedure
        changed = obj.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
        assert identity.chart_number in changed.PatientID
        private = [str(e.value) for e in obj.iterall() if e.tag.is_private]
        assert any(identity.chart_number in v or "WANG" in v or "擬明" in v for v in private)


def test_every_object_says_that_it_is_simulated(exported):
    _, series, _ = exported
    for each in series:
        for obj in each.datasets:
            assert obj.SyntheticData == "YES"
            assert "simulated" in obj.ImageComments


def test_mr_and_pet_share_a_frame_of_reference_and_spect_has_its_own(exported):
    _, series, _ = exported
    frames, studies = (
        {
            kind: {s.datasets[0][keyword].value for s in series if (s.modality == "NM") is kind}
            for kind in (False, True)
        }
        for keyword in ("FrameOfReferenceUID", "StudyInstanceUID")
    )
    for found in (frames, studies):
        assert len(found[False]) == len(found[True]) == 1
        assert found[False] != found[True]


def test_uids_are_valid_unique_and_named(exported):
    _, series, _ = exported
    instances = [obj.SOPInstanceUID for each in series for obj in each.datasets]
    assert len(set(instances)) == len(instances)
    assert all(u.is_valid and u.startswith("2.25.") and len(u) <= 64 for u in instances)
    assert uid("a", 1) == uid("a", 1) != uid("a", 2)
    assert uid("ab", "c") != uid("a", "bc")


def test_spect_knows_its_place(exported):
    made, series, _ = exported
    (obj,) = next(s for s in series if s.modality == "NM").datasets
    detector = obj.DetectorInformationSequence[0]
    assert obj.NumberOfFrames == made.spect.grid.shape[2]
    corner = made.spect.grid.affine[:3, 3] * (-1, -1, 1)
    np.testing.assert_allclose([float(v) for v in detector.ImagePositionPatient], corner, atol=1e-3)
    seen = obj.pixel_array * float(obj.RescaleSlope)
    np.testing.assert_allclose(
        seen, made.spect.array.transpose(2, 1, 0), atol=float(obj.RescaleSlope)
    )


def test_private_header_reads_back():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        csareader = importlib.import_module("nibabel.nicom.csareader")
    values = {
        "NumberOfImagesInMosaic": ("US", ["30"]),
        "SliceNormalVector": ("FD", ["0.1", "-0.2", "0.97"]),
    }
    read = csareader.read(dicom_mosaic.csa_header(values))
    assert csareader.get_n_mosaic(read) == 30
    np.testing.assert_allclose(csareader.get_slice_normal(read), (0.1, -0.2, 0.97))


def test_mosaic_tiles_run_row_by_row():
    array = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)
    picture = dicom_mosaic.mosaic(array, 3)
    assert picture.shape == (9, 6)
    np.testing.assert_array_equal(picture[3:6, 2:4], array[:, :, 4].T)
    assert (picture[6:] == 0).all()


def test_mean_activity_falls_a_little_before_the_middle_of_the_frame():
    middle = mean_count_s(900.0, SCANNERS.emission)
    assert 440 < middle < 450
