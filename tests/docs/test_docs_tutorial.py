"""The tutorial runs as it is written."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial-model1.md"
CODE = "from tracerless.cli import main; main()"


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


def test_every_line_of_the_tutorial_is_a_command_of_ours() -> None:
    assert len(commands()) > 8
    assert {words[0] for words in commands()} == {"tracerless"}


@pytest.mark.slow
def test_the_tutorial_runs_from_top_to_bottom(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for words in commands():
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words[1:]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr[-500:])
    pages = {path.name for path in (tmp_path / "people" / "reports").iterdir()}
    assert {"diagnosis-ECD.html", "risk-ECD.html"} <= pages
