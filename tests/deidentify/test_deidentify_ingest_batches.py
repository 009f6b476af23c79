"""Batches after batches: nothing is read twice for nothing, and many hands make the same bytes."""

import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest
from pydicom import dcmread

from phantoms import Who, head, oblique, write_mr
from tracerless.core.people import Pseudonym
from tracerless.io import openers
from tracerless.io.dicom_scan import scan
from tracerless.io.vault import Vault
from tracerless.workspace import ingest_seen, ingest_series
from tracerless.workspace.ingest import IngestReport, ingest
from tracerless.workspace.ingest_seen import Seen
from tracerless.workspace.withdraw import withdraw

SHAPE = (7, 6, 5)


def visits(folder: Path, n_people: int = 3) -> None:
    """Two series of each person, one visit each."""
    for number in range(n_people):
        for k, contrast in enumerate(("T1w", "T2w")):
            who = Who(person=f"PLANTED-{number}", study=f"visit-{number}", number=3 + k)
            write_mr(folder / f"{number}{k}", head(SHAPE), oblique(), contrast=contrast, who=who)


def run(place: Path, **options: object) -> IngestReport:
    inventory = scan(place / "in")
    wanted = {"profile": "seed", "vault": place / "vault", **options}
    return ingest(inventory, place / "data", **wanted)  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_workers_make_the_bytes_that_one_process_makes(tmp_path: Path) -> None:
    visits(tmp_path / "one" / "in")
    Vault.create(tmp_path / "one" / "vault", dataset=tmp_path / "one" / "data")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    one, two = run(tmp_path / "one"), run(tmp_path / "two", workers=2)
    assert one.summary() == two.summary()
    assert tree(tmp_path / "one" / "data") == tree(tmp_path / "two" / "data")
    assert run(tmp_path / "two").written == 0
    assert not multiprocessing.active_children()


def test_what_was_removed_and_what_must_stay_lies_in_the_vault(tmp_path: Path) -> None:
    visits(tmp_path / "in", n_people=1)
    run(tmp_path)
    (person,) = (p.name for p in (tmp_path / "data" / "sourcedata").glob("sub-*"))
    pseudonym = Pseudonym(person.removeprefix("sub-"))
    with Vault.opened(tmp_path / "vault", opener="test", reason="a test of the vault") as opened:
        found = opened.remembered(pseudonym)
    values = {value for _, value in found.values}
    assert {"PLANTED-0", "PLANTED Hospital", "19440506"} <= values
    records = {record["folder"]: record["instances"] for record in found.facts}
    folders = sorted((tmp_path / "data").rglob("series.json"))
    assert records.keys() == {
        path.parent.relative_to(tmp_path / "data").as_posix() for path in folders
    }
    for path in folders:
        facts = records[path.parent.relative_to(tmp_path / "data").as_posix()]
        uids = {str(dcmread(p).SOPInstanceUID) for p in path.parent.glob("*.dcm")}
        assert {fact["uid"] for fact in facts} == uids
        assert [fact.get("iod_errors") is not None for fact in facts].count(True) <= 1


def test_a_person_who_withdrew_does_not_come_back(tmp_path: Path) -> None:
    visits(tmp_path / "in")
    run(tmp_path)
    people = {p.name for p in (tmp_path / "data" / "sourcedata").glob("sub-*")}
    gone = min(people)
    withdraw(tmp_path / "data", tmp_path / "vault", Pseudonym(gone.removeprefix("sub-")))
    report = run(tmp_path)
    assert report.quarantined == {"withdrawn": 2}
    assert (report.blocked, report.written) == (0, 0)
    assert {p.name for p in (tmp_path / "data" / "sourcedata").glob("sub-*")} == people - {gone}
    assert "PLANTED" not in (tmp_path / "data" / "quarantine.json").read_text()


def test_unchanged_files_are_known_without_reading_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits(tmp_path / "in", n_people=1)
    monkeypatch.setattr(ingest_seen, "SETTLED_NS", 0)
    time.sleep(0.01)
    run(tmp_path)
    read: list[Path] = []
    real = ingest_series.sources_of

    def counted(named: object, border: object) -> str:
        read.append(Path())
        return real(named, border)  # type: ignore[arg-type]

    monkeypatch.setattr(ingest_series, "sources_of", counted)
    assert run(tmp_path).skipped == 2
    assert not read
    changed = next((tmp_path / "in").rglob("003-0001"))
    dataset = dcmread(changed)
    dataset.FlipAngle = 12
    dataset.save_as(changed)
    assert run(tmp_path).written == 1
    assert len(read) == 1


def test_files_changed_a_moment_ago_are_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    seen = Seen.open(tmp_path, b"k" * 32)
    seen.note("series", [path], "digest")
    assert not seen.sources("series", [path])
    later = Seen(tmp_path / "seen.json", b"k" * 32, {}, time.time_ns() + 10 * 10**9)
    later.note("series", [path], "digest")
    later.save()
    again = Seen.open(tmp_path, b"k" * 32)
    assert again.sources("series", [path]) == "digest"
    assert not again.sources("other", [path])
    assert (tmp_path / "seen.json").stat().st_mode & 0o077 == 0
    assert str(path) not in (tmp_path / "seen.json").read_text()
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not again.sources("series", [path])


def test_a_damaged_list_of_seen_files_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text('{"a": 3')
    assert not Seen.open(tmp_path, b"k" * 32).known


def test_a_new_vault_says_what_to_keep_where(tmp_path: Path) -> None:
    visits(tmp_path / "in", n_people=1)
    first, second = run(tmp_path), run(tmp_path)
    with Vault.open(tmp_path / "vault", dataset=tmp_path / "data") as opened:
        said = openers.advice(opened.key_id)
    assert set(said) <= set(first.notes)
    assert set(said).isdisjoint(second.notes)


def test_series_are_told_what_was_stamped(tmp_path: Path) -> None:
    visits(tmp_path / "in", n_people=1)
    run(tmp_path, profile="ps315-basic")
    for path in (tmp_path / "data").rglob("series.json"):
        record = json.loads(path.read_text())
        stamped = dcmread(path.parent / "0001.dcm").DeidentificationMethodCodeSequence
        assert record["codes"] == [item.CodeValue for item in stamped]


def test_an_instance_of_an_earlier_batch_does_not_come_again_in_another_series(
    tmp_path: Path,
) -> None:
    visits(tmp_path / "in", n_people=1)
    run(tmp_path)
    before = tree(tmp_path / "data" / "sourcedata")
    for path in (tmp_path / "in" / "00").iterdir():
        again = dcmread(path)
        again.SeriesInstanceUID, again.SeriesNumber = "2.25.99", 99
        again.PixelData = bytes(len(again.PixelData) - 2) + b"\1\0"
        again.save_as(path)
    report = run(tmp_path)
    assert report.quarantined == {"duplicate": 1}
    assert tree(tmp_path / "data" / "sourcedata") == before
    shutil.rmtree(next((tmp_path / "data").rglob("T1w_003")))
    assert run(tmp_path).quarantined == {}


def test_a_mixed_dataset_is_called_one(tmp_path: Path) -> None:
    visits(tmp_path / "in", n_people=2)
    run(tmp_path)
    shutil.rmtree(tmp_path / "in" / "10")
    notes = run(tmp_path, profile="ps315-basic").notes
    assert "1 series of this dataset were made by another policy: it is mixed." in notes
