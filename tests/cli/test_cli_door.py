"""The door: fast, honest about names, and no traceback reaches a user."""

import subprocess
import sys
from pathlib import Path

import pytest

from tracerless.cli import COMMANDS


def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from tracerless.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, check=False
    )


def test_help_lists_every_command_and_loads_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys\n"
        "from tracerless.cli import main\n"
        "sys.argv = ['tracerless', '--help']\n"
        "try: main()\n"
        "except SystemExit as done: assert not done.code\n"
        "heavy = {'torch', 'matplotlib', 'ants', 'pandas', 'pydicom', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {name}" in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    code = (
        "import sys\n"
        "from tracerless.cli import main\n"
        f"sys.argv = ['tracerless', {name!r}, '--help']\n"
        "try: main()\n"
        "finally: assert not {'torch', 'matplotlib', 'ants'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if name != "synthesize":
        assert "Example: tracerless" in done.stdout


def test_a_slip_in_a_name_is_answered_with_the_nearest_one() -> None:
    done = run("prepair")
    assert done.returncode == 2
    assert "Did you mean 'prepare'?" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("prepare",),
        ("quantify",),
        ("synthesize", "fit"),
        ("synthesize", "predict"),
        ("evaluate",),
        ("report",),
    ],
)
def test_a_folder_without_a_dataset_gets_one_sentence_and_exit_2(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = run(*command, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "holds no dataset" in done.stderr
    assert "tracerless deidentify" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_folder_of_dicom_gets_one_sentence_and_exit_2(tmp_path: Path) -> None:
    done = run("scan", tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()[-1]) < 300
    assert "Traceback" not in done.stderr
