"""The main job on real input: a volunteer's T1, T2 and ASL in, a synthetic FDG-PET out."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import highdicom
import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest
from e2e_commands import CODE, tracerless
from scipy import ndimage

from tracerless.io import resources

pytestmark = pytest.mark.real_data

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def dataset(one_person: Path, once: Once) -> Path:
    """The whole way, command by command, with the model that comes with the package."""

    def make(folder: Path) -> None:
        made = folder / "dataset"
        tracerless("deidentify", one_person, made, "--vault", folder / "vault")
        tracerless("prepare", made)
        tracerless("synthesize", "predict", made, "--model", "default")
        tracerless("quantify", made)
        tracerless("report", made)

    return once("real", make) / "dataset"


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.rglob(pattern)
    return found


def test_scan_reports_the_missing_slices_and_they_are_gone_with_them(
    one_person: Path, scans: Path, tmp_path: Path
) -> None:
    said = json.loads(tracerless("scan", one_person, "--json", code=1).stdout)
    assert '"gap"' in json.dumps(said)
    whole = tmp_path / "whole"
    shutil.copytree(one_person, whole)
    for path in (scans / "mr-one-person" / "missing-slices").iterdir():
        shutil.copy(path, whole / f"late-{path.name}")
    said = json.loads(tracerless("scan", whole, "--json").stdout)
    assert '"gap"' not in json.dumps(said)


def test_no_identifier_of_the_volunteer_is_left_anywhere(dataset: Path, one_person: Path) -> None:
    header = pydicom.dcmread(next(p for p in one_person.iterdir() if p.is_file()))
    secrets = {
        str(header.get(name, "")).strip()
        for name in (
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "InstitutionName",
            "StationName",
            "DeviceSerialNumber",
            "StudyInstanceUID",
            "SeriesInstanceUID",
            "SOPInstanceUID",
            "FrameOfReferenceUID",
        )
    }
    secrets = {secret.encode() for secret in secrets if len(secret) > 6}  # no chance digits
    assert len(secrets) >= 6
    for path in dataset.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path.name


def test_the_brain_lies_in_template_space(dataset: Path) -> None:
    record = json.loads(only(dataset, "*_desc-prepared.json").read_text())
    assert 1000 < record["qc"]["brain_ml"] < 1800
    assert record["qc"]["t1_dice"] > 0.93
    assert record["verdict"] in {"pass", "review"}
    assert set(record["contrasts"]) == {"T1w", "T2w", "cbf"}


def test_synthetic_pet_has_the_numbers_of_a_pet(dataset: Path) -> None:
    table = dataset / "derivatives" / "tracerless" / "cohort_roi.tsv"
    measured = pd.read_csv(table, sep="\t", na_values="n/a")
    assert measured["contrast"].tolist().count("synthFDG") == 1
    assert len(regions_of(dataset)) == 36
    assert regions_of(dataset).notna().all()
    volume = nib.load(only(dataset, "*_space-MNI152NLin2009aSym_res-2_desc-synth_pet.nii.gz"))
    suvr = np.asarray(volume.dataobj)
    pons = resources.atlas("fdg36", 2.0).reference("pons")
    assert abs(float(np.nanmean(suvr[pons])) - 1) < 0.02
    template = resources.template(2.0)
    grey = np.nanmean(suvr[template.grey.array > 0.8])
    core = ndimage.binary_erosion(template.white.array > 0.9, iterations=2)  # beyond spill-in
    white = np.nanmean(suvr[core])
    assert grey / white > 1.3


def test_synthetic_pet_lies_on_the_persons_own_t1(dataset: Path) -> None:
    t1 = nib.load(only(dataset, "*ses-01_T1w.nii.gz"))
    synthetic = nib.load(only(dataset, "*_space-T1w_desc-synth_pet.nii.gz"))
    assert synthetic.shape == t1.shape
    np.testing.assert_allclose(synthetic.affine, t1.affine, atol=1e-4)
    assert b"AI-SYNTH NOT PET" in synthetic.header["descrip"].tobytes()


def test_the_report_says_what_is_synthetic_and_reaches_no_network(dataset: Path) -> None:
    page = only(dataset / "reports", "sub-*.html").read_text()
    assert "SYNTHETIC - NOT ACQUIRED - RESEARCH USE ONLY" in page
    assert page.count("data:image/png;base64,") >= 3
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_export_is_a_parametric_map_in_the_frame_of_the_t1(dataset: Path, tmp_path: Path) -> None:
    tracerless("export", dataset, tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    written = pydicom.dcmread(path)
    t1 = pydicom.dcmread(next((dataset / "sourcedata").rglob("T1w_*/*.dcm")))
    assert written.FrameOfReferenceUID == t1.FrameOfReferenceUID
    assert written.StudyInstanceUID == t1.StudyInstanceUID
    assert written.SyntheticData == "YES"
    assert written.ContentQualification == "RESEARCH"
    assert highdicom.pm.ParametricMap.from_dataset(written).pixel_array.shape[0] >= 170


def test_a_t1_that_still_shows_its_face_does_not_leave(dataset: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    path = min((copy / "sourcedata").rglob("T1w_*/*.dcm"))
    t1 = pydicom.dcmread(path)
    assert t1.RecognizableVisualFeatures == "NO"
    t1.RecognizableVisualFeatures = "YES"
    t1.save_as(path)
    done = tracerless("export", copy, tmp_path / "out", code=2)
    assert "its face was removed" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_whole_dataset_is_proven_clean_and_the_proof_is_of_these_very_files(
    dataset: Path, noted: Callable[[str], AbstractContextManager[None]]
) -> None:
    vault = dataset.parent / "vault"
    said = json.loads(tracerless("verify", dataset, "--vault", vault, "--json").stdout)
    checks = {each["check"]: each for each in said["checks"]}
    assert all(each["failures"] == 0 for each in checks.values())
    assert checks["border"]["examined"] > 230
    tracerless("verify", dataset, "--check-report")
    with noted("nothing of importance"):
        tracerless("verify", dataset, "--check-report", code=1)


@pytest.mark.slow
def test_the_volunteers_number_in_a_note_is_found_and_not_repeated(
    dataset: Path, one_person: Path, noted: Callable[[str], AbstractContextManager[None]]
) -> None:
    source = pydicom.dcmread(next(p for p in one_person.iterdir() if p.name.isdigit()))
    with noted(f"scan of {source.PatientID}"):
        done = tracerless("verify", dataset, "--vault", dataset.parent / "vault", code=1)
    assert str(source.PatientID) not in done.stdout + done.stderr


@pytest.fixture
def noted(dataset: Path) -> Callable[[str], AbstractContextManager[None]]:
    """A file beside the regions that says something, for a while."""

    @contextmanager
    def note(words: str) -> Iterator[None]:
        path = dataset / "derivatives" / "tracerless" / "notes.json"
        path.write_text(json.dumps({"note": words}))
        try:
            yield
        finally:
            path.unlink()

    return note


@pytest.mark.slow
def test_a_model_trained_by_the_commands_predicts_the_same_person(
    dataset: Path, tmp_path: Path
) -> None:
    training, copy = tmp_path / "training", tmp_path / "copy"
    tracerless("simulate", training, "--people", "12", "--seed", "tests", "--prepared")
    tracerless("synthesize", "fit", training, "--name", "tiny", "--steps", "120")
    shutil.copytree(dataset, copy)
    tracerless("synthesize", "predict", copy, "--model", training / "models" / "tiny")
    tracerless("quantify", copy)
    told, other = (regions_of(root) for root in (copy, dataset))
    assert told.notna().all()
    assert not np.allclose(told, other), "it is that model's answer"
    assert np.corrcoef(told, other)[0, 1] > 0.6, "twelve people teach the pattern, roughly"


def regions_of(root: Path) -> pd.Series:
    """Synthetic uptake by region."""
    table = root / "derivatives" / "tracerless" / "regions.tsv"
    long = pd.read_csv(table, sep="\t", na_values="n/a")
    synthetic = long[(long["contrast"] == "synthFDG") & (long["region"] != "meta_AD")]
    return synthetic.set_index("region")["mean"]


@pytest.mark.slow
def test_killed_prepare_goes_on_to_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(dataset, again, ignore=shutil.ignore_patterns("derivatives", "anat", "perf"))

    for seconds in (4, 9, 14):
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, "prepare", str(again)], stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        process.kill()
        process.wait()
    tracerless("prepare", again)
    undisturbed, resumed = (files(root / "derivatives") for root in (dataset, again))
    same = {name for name in resumed if "prepared" in name or "xfm" in name}
    assert same
    assert all(resumed[name] == undisturbed[name] for name in same)
    assert not [name for name in resumed if ".partial-" in name]


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
