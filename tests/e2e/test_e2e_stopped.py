"""Stopped by force or by the disk, then run again: the same result, and nothing half-written."""

import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_commands import CODE, tracerless


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def killed_after(seconds: float, *words: str | Path) -> None:
    line = [sys.executable, "-c", CODE, *map(str, words)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(seconds)
        process.kill()


@pytest.fixture(scope="session")
def training(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A few simulated people, never disturbed."""
    words = ("--people", "6", "--seed", "stopped", "--prepared")
    return once("undisturbed", lambda root: str(tracerless("simulate", root, *words)))


@pytest.mark.slow
def test_simulating_killed_at_several_points_ends_in_the_same_bytes(
    training: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    words = ("simulate", again, "--people", "6", "--seed", "stopped", "--prepared")
    for seconds in (6, 9, 11):
        killed_after(seconds, *words)
    tracerless(*words)
    assert files(again) == files(training)


@pytest.mark.slow
def test_training_killed_at_several_points_ends_in_the_same_bytes(
    training: Path, tmp_path: Path
) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    for root in (undisturbed, disturbed):
        shutil.copytree(training, root)
    tracerless("synthesize", "fit", undisturbed, "--steps", "120")
    for seconds in (9, 14, 18):
        killed_after(seconds, "synthesize", "fit", disturbed, "--steps", "120")
    tracerless("synthesize", "fit", disturbed, "--steps", "120")
    assert files(disturbed / "models") == files(undisturbed / "models")


def test_a_disk_that_refuses_gets_one_sentence_and_leaves_nothing_half_written(
    tmp_path: Path,
) -> None:
    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    words = ["simulate", str(tmp_path / "d"), "--people", "1", "--seed", "x", "--prepared"]
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_disk,
    )
    assert done.returncode == 2, done.stderr
    assert "The disk refused" in done.stderr
    assert "Traceback" not in done.stderr
    left = [path.name for path in (tmp_path / "d").rglob("*") if path.is_file()]
    assert not [name for name in left if ".partial-" in name or name.endswith(".nii.gz")]
    tracerless("simulate", tmp_path / "d", "--people", "1", "--seed", "x", "--prepared")
