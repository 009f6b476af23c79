"""A folder becomes a dataset: complete, joined, resumable at any instant, and without anybody."""

import json
import os
from pathlib import Path

import pytest
from deid_cases import reread, stored
from ingest_made import CHART, hospital, run, series, tree

from tracerless.core.errors import DatasetError, ProfileError, StorageError, VaultError
from tracerless.core.source import Problem
from tracerless.core.volume import Contrast
from tracerless.io.dicom_scan import Inventory
from tracerless.workspace.ingest import ingest


def test_series_of_one_visit_lie_together_and_nobody_is_named(tmp_path: Path) -> None:
    report = run(tmp_path, *hospital(tmp_path / "in"))
    assert (report.people, report.sessions, report.written, report.instances) == (2, 2, 3, 7)
    made = tree(tmp_path / "data")
    folders = sorted(
        str(Path(name).parent.relative_to("sourcedata")) for name in made if "dcm" in name
    )
    visits = {tuple(name.split("/")[1:]) for name in folders}
    assert visits == {("ses-01", "T1w_005"), ("ses-01", "FDG_007")}
    for name, content in made.items():
        for secret in (CHART.encode(), b"ZQX", b"1.2.840.1.", b"B222"):
            assert secret not in content, name
            assert secret.decode() not in name
    record = json.loads((tmp_path / "data/sourcedata/deidentification.json").read_text())
    assert record["profile"] == "seed"
    assert "ZQX" not in str(report.summary())


def test_the_sidecar_says_what_was_done(tmp_path: Path) -> None:
    gap = Problem("gap", "A slice is missing.")
    run(tmp_path, series(tmp_path / "in", problems=(gap,)))
    (path,) = (tmp_path / "data").rglob("series.json")
    record = json.loads(path.read_text())
    assert record["contrast"] == "T1w"
    assert record["problems"] == ["gap"]
    assert record["n_instances"] == 3
    assert record["audit"]["pseudonym"] == {"PatientID": 3, "PatientName": 3}


def test_a_second_run_writes_nothing_and_a_changed_source_is_noticed(tmp_path: Path) -> None:
    found = hospital(tmp_path / "in")
    run(tmp_path, *found)
    before = tree(tmp_path / "data")
    again = run(tmp_path, *found)
    assert (again.written, again.skipped) == (0, 3)
    assert tree(tmp_path / "data") == before
    changed = reread(found[0].files[0].read_bytes())
    changed.FlipAngle = 99
    found[0].files[0].write_bytes(stored(changed))
    third = run(tmp_path, *found)
    assert (third.written, third.skipped) == (1, 2)
    after = tree(tmp_path / "data")
    assert after.keys() == before.keys()
    assert sum(after[name] != before[name] for name in after if name.endswith(".dcm")) == 1


def test_a_lost_file_is_written_again(tmp_path: Path) -> None:
    found = hospital(tmp_path / "in")
    run(tmp_path, *found)
    before = tree(tmp_path / "data")
    next((tmp_path / "data").rglob("0002.dcm")).unlink()
    assert run(tmp_path, *found).written == 1
    assert tree(tmp_path / "data") == before


def test_a_later_batch_joins_the_person_and_counts_visits_in_time(tmp_path: Path) -> None:
    late = series(tmp_path / "a", study="1.2.840.1.9", date="20190101")
    early = series(tmp_path / "a", study="1.2.840.1.1", date="20180503")
    same_day = series(tmp_path / "a", study="1.2.840.1.3", date="20180503", contrast=Contrast.FDG)
    run(tmp_path, late, early, same_day)
    visits = {p.parent.name: p.name for p in (tmp_path / "data").rglob("*_005")}
    assert len(list((tmp_path / "data/sourcedata").glob("sub-*"))) == 1
    assert visits.keys() == {"ses-01", "ses-02"}
    assert len(list((tmp_path / "data").rglob("ses-01/*"))) == 2
    newest = series(tmp_path / "b", study="1.2.840.1.5", date="20170101")
    run(tmp_path, newest)
    assert (len(list((tmp_path / "data").rglob("ses-03/T1w_005")))) == 1
    assert len(list((tmp_path / "data/sourcedata").glob("sub-*"))) == 1


def test_two_series_of_one_name_both_stay(tmp_path: Path) -> None:
    one = series(tmp_path / "a")
    two = series(tmp_path / "a", study="1.2.840.1.3")
    assert run(tmp_path, one, two).written == 2
    folders = {p.parent.name for p in (tmp_path / "data").rglob("series.json")}
    assert folders == {"T1w_005", "T1w_005b"}
    before = tree(tmp_path / "data")
    assert run(tmp_path, two, one).skipped == 2
    assert tree(tmp_path / "data") == before


def test_another_vault_makes_other_people(tmp_path: Path) -> None:
    found = hospital(tmp_path / "in")
    for name in ("one", "two"):
        run(tmp_path / name, *found)
    one, two = (
        {p.name for p in (tmp_path / name / "data/sourcedata").glob("sub-*")}
        for name in ("one", "two")
    )
    assert one.isdisjoint(two)
    with pytest.raises(VaultError, match="made with vault"):
        ingest(
            Inventory(found, {}, 7),
            tmp_path / "one/data",
            vault=tmp_path / "two/vault",
            profile="seed",
        )


def test_what_stays_outside_is_listed_with_its_reason(tmp_path: Path) -> None:
    gap = Problem("gap", "2 slices are missing.", blocking=True)
    good = series(tmp_path / "in", number=1)
    blocked = series(tmp_path / "in", number=2, problems=(gap,))
    localizer = series(tmp_path / "in", number=3, contrast=Contrast.UNKNOWN)
    burned = series(tmp_path / "in", number=4)
    shown = reread(burned.files[1].read_bytes())
    shown.BurnedInAnnotation = "YES"
    burned.files[1].write_bytes(stored(shown))
    cut = series(tmp_path / "in", number=6)
    cut.files[2].write_bytes(cut.files[2].read_bytes()[:-60])
    report = run(tmp_path, good, blocked, localizer, burned, cut)
    assert report.written == 1
    assert report.quarantined == {"burned_in": 1, "gap": 1, "truncated": 1, "unknown-contrast": 1}
    assert report.blocked == 3
    record = json.loads((tmp_path / "data/quarantine.json").read_text())
    by_number = {each["series_number"]: each for each in record["series"]}
    assert by_number[2]["reason"] == "2 slices are missing."
    assert by_number[4]["reason"].startswith("Instance 2:")
    assert all(each["session"].endswith("_ses-01") for each in record["series"])
    assert record["files_of_last_batch"] == {"not-dicom": 1}
    assert len(list((tmp_path / "data").rglob("series.json"))) == 1
    assert not list((tmp_path / "data").rglob(".partial-*"))
    assert CHART not in json.dumps(record)


def test_a_mended_series_leaves_the_quarantine_and_others_stay(tmp_path: Path) -> None:
    gap = Problem("gap", "2 slices are missing.", blocking=True)
    one = series(tmp_path / "a", number=1, n_files=2, problems=(gap,))
    two = series(tmp_path / "a", number=2, problems=(gap,))
    run(tmp_path, one, two)
    mended = series(tmp_path / "b", number=1, n_files=3)
    report = run(tmp_path, mended)
    assert report.written == 1
    record = json.loads((tmp_path / "data/quarantine.json").read_text())
    assert [each["series_number"] for each in record["series"]] == [2]


def test_texts_that_the_table_keeps_are_pointed_out(tmp_path: Path) -> None:
    found = series(tmp_path / "in", n_files=2)
    for path in found.files:
        dataset = reread(path.read_bytes())
        dataset.PerformedProcedureStepDescription = "MR head as Unlisted said"
        dataset.RequestedProcedureDescription = f"Head {CHART}"
        path.write_bytes(stored(dataset))
    notes = " ".join(run(tmp_path, found).notes)
    assert "PerformedProcedureStepDescription (2)" in notes
    assert "RequestedProcedureDescription" not in notes
    assert "2 kept texts repeated an identifier" in notes


def test_a_dataset_among_its_own_scans_is_refused(tmp_path: Path) -> None:
    found = series(tmp_path / "data" / "in")
    with pytest.raises(DatasetError, match="3 of the scanned files lie in the dataset"):
        run(tmp_path, found)


def test_an_unknown_profile_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(ProfileError):
        run(tmp_path, profile="other")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_sentence_and_finished_series_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = hospital(tmp_path / "in")
    run(tmp_path, found[0])
    before = tree(tmp_path / "data/sourcedata")
    real = os.fsync

    def full(handle: int) -> None:
        if "FDG" in str(Path(f"/proc/self/fd/{handle}").readlink()):
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk refused"):
        run(tmp_path, *found)
    monkeypatch.undo()
    after = tree(tmp_path / "data/sourcedata")
    assert before.items() <= after.items()
    assert not [name for name in after if ".partial" in name or "FDG" in name]
    assert run(tmp_path, *found).written >= 1
