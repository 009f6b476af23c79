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


def size(path: Path) -> int:
    return path.stat().st_size


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


@pytest.mark.parametrize(
    ("what", "kept_b"),
    [
        pytest.param(("--tables-only", "--people", "30"), 5_000, id="tables"),
        pytest.param(
            ("--prepared", "--people", "1"), 100_000, id="volumes", marks=pytest.mark.slow
        ),
    ],
)
def test_a_disk_that_refuses_gets_one_sentence_and_leaves_nothing_half_written(
    tmp_path: Path, what: tuple[str, ...], kept_b: int
) -> None:
    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kept_b, kept_b))

    words = ["simulate", str(tmp_path / "d"), "--seed", "x", *what]
    done = subprocess.run(
        [sys.executable, "-B", "-c", CODE, *words],  # else bytecode is cut at the bound as well
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_disk,
    )
    assert done.returncode == 2, done.stderr
    assert "The disk refused" in done.stderr
    assert "Traceback" not in done.stderr
    left = [path for path in (tmp_path / "d").rglob("*") if path.is_file()]
    assert not [path for path in left if ".partial-" in path.name or size(path) == kept_b]
    tracerless(*words)
    whole = [path for path in (tmp_path / "d").rglob("*") if path.is_file()]
    assert max(map(size, whole)) > kept_b, "there is a file that did not fit"
