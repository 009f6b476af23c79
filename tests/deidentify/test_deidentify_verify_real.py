"""Real scans through the real border: the proof holds, and three planted values void it."""

from pathlib import Path

import pytest
from verify_cases import edit

from tracerless.io.dicom_scan import scan
from tracerless.workspace.ingest import ingest
from tracerless.workspace.verify import verify


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("profile", ["seed", "research"])
def test_one_person_of_real_scans_is_proven(
    profile: str, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    data, vault = tmp_path / "data", tmp_path / "vault"
    ingest(scan(scans / "mr-one-person"), data, vault=vault, profile=profile)
    verdict = verify(data, vault, opener="tester", reason="test")
    failures = [each for each in verdict.report["findings"] if each["level"] == "failure"]
    assert failures == []
    examined = {each["check"]: each["examined"] for each in verdict.report["checks"]}
    assert examined["border"] == 256
    assert examined["measures"] == 256
    first = next(data.rglob("T1w_*/0001.dcm"))
    edit(first, lambda dataset: setattr(dataset, "EchoTime", float(dataset.EchoTime) + 0.01))
    next(data.rglob("T2w_*/0003.dcm")).unlink()
    (data / "notes.txt").write_text("who was it?")
    verdict = verify(data, vault, opener="tester", reason="test")
    found = {(each["check"], each["kind"]) for each in verdict.report["findings"]}
    assert found >= {
        ("measures", "timing"),
        ("complete", "missing-instance"),
        ("complete", "stray-file"),
    }
