"""The tutorials run as they are written."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
CODE = "from tracerless.cli import main; main()"
PAGES = {
    "tutorial-model1.md": ("people/reports/diagnosis-ECD.html", "people/reports/risk-ECD.html"),
    "tutorial-model2.md": (
        "elsewhere/reports/synthesis-ridge.html",
        "elsewhere/reports/sub-simelsewhere0002_ses-01.html",
        "ridge-bundle/SHA256SUMS",
    ),
}
"""What each tutorial promises."""


def commands(tutorial: str) -> list[list[str]]:
    text = (DOCS / tutorial).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line]


@pytest.mark.parametrize("tutorial", PAGES)
def test_every_line_of_a_tutorial_is_a_command_of_ours(tutorial: str) -> None:
    assert len(commands(tutorial)) > 8
    assert {words[0] for words in commands(tutorial)} == {"tracerless"}


@pytest.mark.parametrize("tutorial", PAGES)
def test_a_tutorial_names_the_pages_that_it_makes(tutorial: str) -> None:
    text = (DOCS / tutorial).read_text(encoding="utf-8")
    assert all(Path(path).parts[0] in text for path in PAGES[tutorial])
    assert any(f"`{path}`" in text for path in PAGES[tutorial])


@pytest.mark.slow
@pytest.mark.parametrize("tutorial", PAGES)
def test_a_tutorial_runs_from_top_to_bottom(tutorial: str, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for words in commands(tutorial):
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words[1:]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr[-500:])
    assert [path for path in PAGES[tutorial] if not (tmp_path / path).is_file()] == []
