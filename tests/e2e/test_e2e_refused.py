"""Bad input: one sentence with the value and the next move, exit code 2, and what is done stays."""

from pathlib import Path

import numpy as np
import pydicom
from e2e_commands import tracerless

from phantom_parts import Who
from phantoms import head, oblique, write_mr, write_pt

QUICK = ("--profile", "seed")
"""No face to remove: these tests are about other things, and the default is tested elsewhere."""


def write_session(folder: Path, *contrasts: str) -> Path:
    """One person with these MR contrasts, in one study."""
    for number, contrast in enumerate(contrasts):
        who = Who(number=number + 3)
        write_mr(folder / str(number), head(), oblique(), contrast=contrast, who=who)
    return folder


def test_a_session_without_t1_waits_for_one_and_stops_no_other(tmp_path: Path) -> None:
    incoming = write_session(tmp_path / "in", "T2w")
    tracerless("deidentify", incoming, tmp_path / "d", "--vault", tmp_path / "v", *QUICK)
    done = tracerless("prepare", tmp_path / "d", code=1)
    assert "has neither a T1w nor PET or SPECT, only T2w" in done.stdout
    assert "Add the T1" in done.stdout
    assert list((tmp_path / "d" / "derivatives").rglob("problems/*.json"))


def test_a_truncated_file_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    incoming = write_session(tmp_path / "in", "T1w")
    files = sorted(p for p in incoming.rglob("*") if p.is_file())
    files[3].write_bytes(files[3].read_bytes()[:-200])
    done = tracerless("scan", incoming, code=1)
    assert "truncated" in done.stdout


def test_one_series_with_two_geometries_is_not_mixed(tmp_path: Path) -> None:
    def others(dataset: pydicom.Dataset, _index: int) -> None:
        dataset.SOPInstanceUID += ".7"

    incoming = tmp_path / "in"
    write_mr(incoming / "a", head(), oblique())
    write_mr(incoming / "b", head(), oblique((2.0, 1.25, 3.0)), edit=others)
    done = tracerless("scan", incoming, code=1)
    assert "geometr" in done.stdout


def test_pet_without_units_is_kept_out_with_the_reason(tmp_path: Path) -> None:
    def no_units(dataset: pydicom.Dataset, _index: int) -> None:
        del dataset.Units

    incoming = tmp_path / "in"
    write_pt(incoming, head().astype(np.float32), oblique(), edit=no_units)
    tracerless("scan", incoming, code=1)
    done = tracerless(
        "deidentify", incoming, tmp_path / "d", "--vault", tmp_path / "v", *QUICK, code=1
    )
    assert "units" in done.stdout
    kept_out = (tmp_path / "d" / "quarantine.json").read_text()
    assert "units" in kept_out


def test_another_vault_is_refused_and_what_is_done_stays(tmp_path: Path) -> None:
    incoming = write_session(tmp_path / "in", "T1w", "T2w")
    tracerless("deidentify", incoming, tmp_path / "d", "--vault", tmp_path / "v", *QUICK)
    before = {p: p.read_bytes() for p in (tmp_path / "d").rglob("*") if p.is_file()}
    done = tracerless(
        "deidentify", incoming, tmp_path / "d", "--vault", tmp_path / "other", *QUICK, code=2
    )
    assert len(done.stderr.strip().splitlines()[-1]) < 400
    assert {p: p.read_bytes() for p in (tmp_path / "d").rglob("*") if p.is_file()} == before


def test_a_model_that_is_not_there_is_named_with_the_next_move(tmp_path: Path) -> None:
    incoming = write_session(tmp_path / "in", "T1w")
    tracerless("deidentify", incoming, tmp_path / "d", "--vault", tmp_path / "v", *QUICK)
    done = tracerless("synthesize", "predict", tmp_path / "d", code=2)
    assert "synthesize fit" in done.stderr
    tracerless("evaluate", tmp_path / "d", "--model", "nowhere", code=2)
    done = tracerless("export", tmp_path / "d", tmp_path / "out", code=2)
    assert "synthesize predict" in done.stderr
    assert not (tmp_path / "out").exists()
