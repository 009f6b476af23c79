"""The reference pages are generated, and the README's commands exist."""

import re
import runpy
from pathlib import Path

from tracerless.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def test_every_reference_page_is_what_the_package_says_today() -> None:
    build = runpy.run_path(str(ROOT / "docs" / "build.py"))
    for name, text in build["pages"]().items():
        kept = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert kept == text, f"{name} is out of date: run ./dev docs"


def test_every_command_in_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^tracerless (\w+)", text, flags=re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)


def test_no_page_names_a_path_of_one_machine() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        assert not re.search(r"/(work|tmp|root|home)/", page.read_text(encoding="utf-8")), page.name
