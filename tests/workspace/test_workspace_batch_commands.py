"""`prepare` and `quantify` by many hands: the same files, the same words, the same exit code."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phantom_parts import Who
from phantoms import head, oblique, write_mr
from tracerless.io.atomic import PARTIAL_PREFIX

CODE = "from tracerless.cli import main; main()"


def tracerless(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", CODE, *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def copied(root: Path, target: Path) -> Path:
    shutil.copytree(root, target)
    return target


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people with a T2 alone: converted, and then refused, in no time."""
    folder = tmp_path_factory.mktemp("many")
    for n in range(3):
        who = Who(person=f"PLANTED-000{n}", number=30 + n)
        write_mr(folder / "in" / str(n), head(peak=900 + n), oblique(), contrast="T2w", who=who)
    words = ("--vault", folder / "vault", "--profile", "seed")
    tracerless("deidentify", folder / "in", folder / "d", *words)
    return folder / "d"


@pytest.mark.slow
def test_workers_end_with_the_same_files_words_and_exit_code(dataset: Path, tmp_path: Path) -> None:
    alone, many = (copied(dataset, tmp_path / name / "d") for name in ("alone", "many"))
    one = tracerless("prepare", alone, "--json", code=1)
    two = tracerless("prepare", many, "--json", "--workers", "2", code=1)
    assert one.stdout == two.stdout
    assert json.loads(one.stdout)["failed"]
    assert files(alone) == files(many)
    assert any("problems" in name for name in files(many))


def test_more_workers_than_fit_are_refused_before_anything_starts(
    dataset: Path, tmp_path: Path
) -> None:
    copy = copied(dataset, tmp_path / "d")
    done = tracerless("quantify", copy, "--workers", "2", "--memory-mb", str(10**9), code=2)
    assert "MB of memory" in done.stderr
    assert "are free" in done.stderr
    assert files(copy) == files(dataset)


def test_a_scheduler_that_is_no_address_is_refused(dataset: Path) -> None:
    done = tracerless("prepare", dataset, "--scheduler", "nowhere", code=2)
    assert "neither an address nor 'local'" in done.stderr


@pytest.mark.slow
def test_real_work_by_workers_gives_the_bytes_of_one_process_and_ctrl_c_loses_nothing(
    tmp_path: Path,
) -> None:
    hospital, whole = tmp_path / "hospital", tmp_path / "whole"
    tracerless("simulate", hospital, "--people", "1", "--seed", "many")
    words = ("--vault", tmp_path / "vault", "--profile", "seed")
    tracerless("deidentify", hospital / "dicom", whole, *words)
    recipe = whole / "tracerless.toml"
    recipe.write_text(recipe.read_text().replace("voxel_mm = 2.0", "voxel_mm = 4.0", 1))
    alone, many = (copied(whole, tmp_path / name / "d") for name in ("alone", "many"))
    tracerless("quantify", alone)
    line = [sys.executable, "-c", CODE, "quantify", str(many), "--workers", "2"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True) as made:
        deadline = time.monotonic() + 300
        while not list(many.rglob("*_desc-prepared.json")) and time.monotonic() < deadline:
            time.sleep(0.2)
        os.killpg(made.pid, signal.SIGINT)
        _, said = made.communicate(timeout=60)
    assert made.returncode == 130
    assert "What is finished stays" in said
    assert list(many.rglob("*_desc-prepared.json"))
    tracerless("quantify", many, "--workers", "2")
    assert files(alone) == files(many)
    assert not [name for name in files(many) if PARTIAL_PREFIX in name]
