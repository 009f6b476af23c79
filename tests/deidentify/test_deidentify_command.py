"""The command: what it prints, what it returns, and whom it never names."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from deid_cases import PT, base, code, stored

from tracerless.cli.deidentify import command
from tracerless.core.errors import DatasetError, VaultError


def write_pet(folder: Path, *, units: str = "BQML", n_slices: int = 4) -> None:
    folder.mkdir()
    for k in range(1, n_slices + 1):
        dataset = base(PT, number=k)
        dataset.ImagePositionPatient = [0, 0, 2 * k]
        dataset.NumberOfSlices, dataset.ImageIndex = n_slices, k
        dataset.Units = units
        tracer = dataset.RadiopharmaceuticalInformationSequence[0]
        tracer.RadiopharmaceuticalCodeSequence = [
            code("C-B1031", "SRT", "Fluorodeoxyglucose F^18^")
        ]
        (folder / f"Chen-{k}").write_bytes(stored(dataset))
    (folder / "letter.txt").write_text("to A123456789")


def invoke(place: Path, *more: str) -> Result:
    arguments = [str(place / "in"), str(place / "data"), "--vault", str(place / "vault"), *more]
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_a_whole_pet_crosses_and_nobody_is_named(tmp_path: Path) -> None:
    write_pet(tmp_path / "in")
    done = invoke(tmp_path)
    assert done.exit_code == 0
    assert "1 people, 1 sessions." in done.stdout
    assert "1 series written (4 files), 0 already there." in done.stdout
    assert "1 not-dicom" in done.stdout
    made = sorted(str(p.relative_to(tmp_path / "data")) for p in tmp_path.rglob("*.dcm"))
    assert len(made) == 4
    for secret in ("Chen", "A123456789", "陳大文"):
        assert secret not in done.output
        assert secret not in str(made)


def test_a_blocked_series_is_told_by_kind_and_by_exit_code(tmp_path: Path) -> None:
    write_pet(tmp_path / "in", units="")
    done = invoke(tmp_path, "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["quarantined"] == {"units": 1}
    assert report["series"] == {"blocked": 1, "skipped": 0, "written": 0}
    assert "kept out (1 units): see quarantine.json" in invoke(tmp_path).stdout
    assert not list((tmp_path / "data").rglob("*.dcm"))


def test_what_cannot_run_says_so_and_leaves_no_dataset(tmp_path: Path) -> None:
    write_pet(tmp_path / "in")
    with pytest.raises(DatasetError, match="is not a file"):
        invoke(tmp_path, "--phenotype", str(tmp_path / "none.csv"))
    with pytest.raises(VaultError, match="one inside the other"):
        invoke(tmp_path, "--vault", str(tmp_path / "data" / "vault"))
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "vault").exists()
