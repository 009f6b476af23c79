"""A simulated hospital on disk: complete, resumable, the same twice, and honest about itself."""

import gzip
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest
from click.testing import CliRunner

from tracerless.cli.simulate import command
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError, RecipeError
from tracerless.workspace.simulate_run import write_hospital

SEED, N = "test-hospital", 2
TRACERLESS = Path(sys.executable).with_name("tracerless")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital") / "h"
    written = write_hospital(folder, n=N, seed=SEED)
    assert (written.n_people, written.n_new) == (N, N)
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _headers(folder: Path):
    paths = sorted(p for p in (folder / "dicom").rglob("*") if p.is_file())
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]


def test_every_person_has_mr_pet_and_spect(hospital):
    headers = _headers(hospital)
    modalities = Counter((h.PatientID, h.Modality) for h in headers)
    people = {person for person, _ in modalities}
    assert len(people) == N
    for person in people:
        assert modalities[person, "MR"] > 100
        assert modalities[person, "PT"] == 60
        assert modalities[person, "NM"] == 1
    assert {h.SyntheticData for h in headers} == {"YES"}


def test_table_of_people_matches_the_headers(hospital):
    table = pd.read_csv(hospital / "phenotype.csv", dtype={"chart_number": str})
    header = {h.PatientID: h for h in _headers(hospital)}
    assert set(table["chart_number"]) == set(header)
    for row in table.itertuples():
        found = header[row.chart_number]
        assert found.PatientSex == row.sex
        assert found.PatientName.ideographic.replace("^", "") == row.name
        assert int(found.PatientAge[:3]) == int(row.age)


def test_visits_lie_in_the_years_of_the_dataset_and_fit_the_age(hospital):
    for header in _headers(hospital):
        assert "2018" <= header.StudyDate[:4] <= "2025"
        years = (int(header.StudyDate) - int(header.PatientBirthDate)) / 10000
        assert abs(years - int(header.PatientAge[:3])) < 1.6


def test_names_of_folders_and_files_hold_no_identity(hospital):
    header = _headers(hospital)[0]
    words = [header.PatientID, header.PatientBirthDate, header.StudyInstanceUID, header.StudyDate]
    words += [w for w in str(header.PatientName).replace("=", "^").split("^") if w]
    names = " ".join(str(p.relative_to(hospital)) for p in hospital.rglob("*"))
    assert not [word for word in words if word in names]


def test_truth_tells_severity_poses_and_labels_on_the_t1(hospital):
    for path in sorted((hospital / "truth").glob("*.json")):
        truth = json.loads(path.read_text())
        assert 0 <= truth["severity"] <= 1
        pose = np.array(truth["visit"]["scanner_from_native"]["petmr"])
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)
        content = gzip.decompress(path.with_name(f"{path.stem}_labels.nii.gz").read_bytes())
        labels = nib.Nifti1Image.from_bytes(content)
        litres = np.count_nonzero(labels.dataobj) * abs(np.linalg.det(labels.affine)) / 1e6
        assert 0.8 < litres < 1.6


def test_folder_says_that_everything_is_simulated(hospital):
    assert "simulated" in (hospital / "SIMULATED.txt").read_text()


def test_a_stopped_run_goes_on_to_the_same_bytes(hospital, tmp_path):
    """As if killed while the second person was written: torn files, a half study, no table."""
    broken = tmp_path / "broken"
    shutil.copytree(hospital, broken)
    (broken / "truth" / f"{SEED}-0001.json").unlink()
    (broken / "phenotype.csv").unlink()
    left = broken / ".partial-ABCD1234"
    left.mkdir()
    (left / "IM000001").write_bytes(b"half")
    table = pd.read_csv(hospital / "phenotype.csv", dtype={"chart_number": str})
    for study in _studies_of(broken, table["chart_number"].iloc[1]):
        first, *others = sorted(p for p in study.rglob("*") if p.is_file())
        first.write_bytes(b"torn")
        for other in others[1::2]:
            other.unlink()
    written = write_hospital(broken, n=N, seed=SEED)
    assert written.n_new == 1
    assert _files(broken) == _files(hospital)


def _studies_of(folder: Path, chart_number: str) -> list[Path]:
    def owner(study: Path) -> str:
        path = next(p for p in study.rglob("*") if p.is_file())
        return pydicom.dcmread(path, stop_before_pixels=True).PatientID

    return [study for study in (folder / "dicom").iterdir() if owner(study) == chart_number]


def test_a_finished_person_is_not_written_again(hospital):
    before = {p: p.stat().st_mtime_ns for p in (hospital / "dicom").rglob("*")}
    written = write_hospital(hospital, n=N, seed=SEED)
    assert written.n_new == 0
    assert {p: p.stat().st_mtime_ns for p in (hospital / "dicom").rglob("*")} == before


def test_another_seed_or_fewer_people_are_refused(hospital):
    with pytest.raises(DatasetError, match="another seed"):
        write_hospital(hospital, n=N, seed="other")
    with pytest.raises(DatasetError, match="2 simulated people"):
        write_hospital(hospital, n=1, seed=SEED)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match="not empty"):
        write_hospital(tmp_path, n=1, seed=SEED)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_unknown_size_and_nobody_are_refused(tmp_path):
    with pytest.raises(RecipeError, match="size"):
        write_hospital(tmp_path / "a", n=1, seed=SEED, size="huge")
    with pytest.raises(RecipeError, match="at least one"):
        write_hospital(tmp_path / "b", n=0, seed=SEED)
    assert not list(tmp_path.iterdir())


def test_command_says_what_lies_where(hospital):
    words = [str(hospital), "--people", str(N), "--seed", SEED]
    plain = CliRunner().invoke(command, words)
    assert plain.exit_code == 0
    assert str(hospital / "truth") in plain.output
    machine = CliRunner().invoke(command, [*words, "--json"])
    result = json.loads(machine.stdout)
    assert result["n_people"] == N
    assert result["n_new"] == 0


@pytest.mark.slow
def test_killed_at_any_point_it_goes_on_to_the_same_bytes(hospital, tmp_path):
    folder = tmp_path / "killed"
    words = ["simulate", str(folder), "--people", str(N), "--seed", SEED]
    moments = (".partial-*/*", f"truth/{SEED}-0000.json", f"truth/{SEED}-0001_labels.nii.gz")
    for moment in moments:
        running = subprocess.Popen([TRACERLESS, *words], stderr=subprocess.DEVNULL)
        while running.poll() is None and not any(folder.glob(moment)):
            time.sleep(0.02)
        running.kill()
        running.wait()
    subprocess.run([TRACERLESS, *words], check=True, capture_output=True)
    assert _files(folder) == _files(hospital)


@pytest.mark.slow
def test_hospital_size_has_the_counts_of_the_specification(tmp_path):
    write_hospital(tmp_path / "h", n=1, seed="counts", size="hospital", diagnoses=(Diagnosis.AD,))
    headers = _headers(tmp_path / "h")
    counts = Counter(h.Modality for h in headers)
    assert counts["PT"] == 90
    (spect,) = (h for h in headers if h.Modality == "NM")
    assert spect.NumberOfFrames == 120
    assert counts["MR"] >= 192 + 77
