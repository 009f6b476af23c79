"""The report is signed, true of exactly one dataset, readable, and made only once."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from verify_cases import CHART, House, copy, edit, house, proven, whole  # noqa: F401

from tracerless.cli.verify import command
from tracerless.core.errors import DatasetError, VaultError
from tracerless.workspace.verify_report import standing


def test_a_changed_report_is_no_longer_the_vaults(copy: House) -> None:  # noqa: F811
    proven(copy)
    path = copy.root / "verification/verification.json"
    path.write_text(path.read_text().replace('"n_people": 1', '"n_people": 2'))
    found = standing(copy.root, copy.vault)
    assert (found.is_signed, found.is_ours, found.is_current) == (False, True, True)
    assert not found.holds


@pytest.mark.parametrize("change", ["byte", "name", "new", "gone"])
def test_a_changed_dataset_voids_the_report(change: str, copy: House) -> None:  # noqa: F811
    proven(copy)
    assert standing(copy.root).is_current
    path = copy.folder / "0002.dcm"
    if change == "byte":
        path.write_bytes(path.read_bytes()[:-1] + b"\7")
    elif change == "name":
        path.rename(copy.folder / "0004.dcm")
    elif change == "new":
        (copy.root / "CHANGES").write_text("1.0")
    else:
        path.unlink()
    found = standing(copy.root)
    assert found.is_signed
    assert not found.is_current


def test_a_report_of_another_vault_is_not_ours(copy: House, tmp_path: Path) -> None:  # noqa: F811
    proven(copy)
    other = house(tmp_path / "other", n_files=1)
    with pytest.raises(VaultError, match="made with vault"):
        standing(copy.root, other.vault)
    for name in ("verification.json", "verification.sig"):
        (other.root / "verification").mkdir(exist_ok=True)
        (other.root / "verification" / name).write_bytes(
            (copy.root / "verification" / name).read_bytes()
        )
    found = standing(other.root, other.vault)
    assert (found.is_signed, found.is_ours, found.is_current) == (True, False, False)


def test_a_dataset_without_a_report_says_so(copy: House) -> None:  # noqa: F811
    with pytest.raises(DatasetError, match="no whole report"):
        standing(copy.root)


def test_the_report_says_whats_in_it_and_gives_no_values(copy: House) -> None:  # noqa: F811
    (copy.root / "SIMULATED.txt").write_text("simulated people")
    verdict = proven(copy)
    page = (verdict.folder / "verification.html").read_text()
    assert "去識別化證明" in page
    assert "SIMULATED" in page
    assert "http:" not in page
    assert "https" not in page
    for each in verdict.report["values"]["not_swept"]:
        assert each["reason"] in page
    assert verdict.report["dataset_digest"] in page
    for secret in (CHART, "大文", "Zhongxiao"):
        assert secret not in page


def test_an_interrupted_proof_goes_on_and_notices_changes(copy: House) -> None:  # noqa: F811
    proven(copy)
    kept = copy.root / f"verification/people/{copy.person}.json"
    made = kept.stat().st_mtime_ns
    proven(copy)
    assert kept.stat().st_mtime_ns == made
    edit(copy.first, lambda dataset: setattr(dataset, "Manufacturer", CHART))
    assert proven(copy).n_failures
    assert kept.stat().st_mtime_ns != made
    (copy.root / "participants.tsv").write_text(f"participant_id\n{CHART}\n")
    found = {each["file"] for each in proven(copy).report["findings"]}
    assert "participants.tsv" in found


def test_processes_make_no_difference(copy: House) -> None:  # noqa: F811
    reports = [proven(copy, workers=n).report for n in (1, 2)]
    for report in reports:
        del report["made"]
    assert reports[0] == reports[1]


def test_the_command_tells_by_its_exit_code(copy: House) -> None:  # noqa: F811
    run = CliRunner()
    asked = [str(copy.root), "--vault", str(copy.vault), "--opener", "tester"]
    clean = run.invoke(command, asked)
    assert clean.exit_code == 0, clean.output
    assert "values" in clean.output
    assert run.invoke(command, [*asked, "--check-report"]).exit_code == 0
    edit(copy.first, lambda dataset: setattr(dataset, "Manufacturer", CHART))
    assert run.invoke(command, [*asked, "--check-report"]).exit_code == 1
    spoiled = run.invoke(command, [*asked, "--json"])
    assert spoiled.exit_code == 1
    assert json.loads(spoiled.stdout)["n_failures"]
    assert CHART not in spoiled.output
    assert run.invoke(command, [str(copy.root)]).exit_code == 2


def test_one_person_can_be_proven_alone_and_the_report_says_so(copy: House) -> None:  # noqa: F811
    verdict = proven(copy, people=[str(copy.person)])
    assert verdict.report["people"] == [str(copy.person)]
    assert standing(copy.root).is_current
    with pytest.raises(DatasetError, match="holds no"):
        proven(copy, people=["NOBODY"])


def test_who_opened_and_why_stands_in_the_vaults_log(copy: House) -> None:  # noqa: F811
    proven(copy)
    lines = [json.loads(line) for line in (copy.vault / "log.jsonl").read_text().splitlines()]
    events = [line["event"] for line in lines]
    assert events[-2:] == ["opened", "verified"]
    assert lines[-2]["detail"]["opener"] == "tester"
