"""``tracerless scan``: a table for people, JSON for machines, and an exit code that means it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from pydicom import Dataset

from phantoms import head, oblique, write_mr, write_pt
from tracerless.cli.scan import command
from tracerless.core.errors import DatasetError

SMALL = (6, 5, 4)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_a_clean_folder_ends_with_zero_and_a_table(tmp_path: Path) -> None:
    write_mr(tmp_path, head(SMALL), oblique())
    result = _run(str(tmp_path))
    assert result.exit_code == 0
    assert "person-1" in result.stdout
    assert "T1w" in result.stdout
    assert "PLANTED" not in result.output
    assert "Reading headers" in result.stderr


def test_json_is_one_object_on_stdout(tmp_path: Path) -> None:
    write_mr(tmp_path, head(SMALL), oblique())
    summary = json.loads(_run(str(tmp_path), "--json").stdout)
    assert summary["series"][0]["contrast"] == "T1w"
    assert summary["n_files"] == 4


def test_a_problem_is_shown_and_ends_with_one(tmp_path: Path) -> None:
    write_mr(tmp_path, head(SMALL), oblique()).files[1].unlink()
    result = _run(str(tmp_path))
    assert result.exit_code == 1
    assert "gap" in result.stdout


def test_an_empty_folder_raises_for_the_command_line_to_print(tmp_path: Path) -> None:
    result = _run(str(tmp_path))
    assert isinstance(result.exception, DatasetError)


def test_scanning_loads_no_heavy_library() -> None:
    code = "import sys, tracerless.cli.scan, tracerless.io.dicom_scan; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "ants", "matplotlib"} & set(done.stdout.split())


def test_a_site_file_settles_what_headers_leave_open_and_the_table_says_how_sure(
    tmp_path: Path,
) -> None:
    def bare(file: Dataset, _: int) -> None:
        item = file.RadiopharmaceuticalInformationSequence[0]
        del item.RadiopharmaceuticalCodeSequence, item.Radiopharmaceutical
        file.SeriesDescription = ""

    write_pt(tmp_path / "in", head(SMALL).astype(np.float32) / 50, oblique(), edit=bare)
    left = _run(str(tmp_path / "in"))
    assert left.exit_code == 1
    assert "Declare it in a site file (--site)." in left.stdout
    rules, draft = tmp_path / "site.toml", left.stdout[left.stdout.index("[[rule]]") :]
    rules.write_text("\n".join(draft.splitlines()[:3]).replace("...", "FDG"))
    settled = _run(str(tmp_path / "in"), "--site", str(rules), "--json")
    assert settled.exit_code == 0
    (row,) = json.loads(settled.stdout)["series"]
    assert (row["contrast"], row["confidence"]) == ("FDG", "certain")
    assert "certain" in _run(str(tmp_path / "in"), "--site", str(rules)).stdout
