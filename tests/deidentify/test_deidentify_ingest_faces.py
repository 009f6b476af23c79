"""A session loses its face as a whole, and a later batch of it finds what is known of the face."""

import json
import shutil
from pathlib import Path

import pytest
from pydicom import dcmread

from phantoms import head, oblique, write_mr
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast
from tracerless.io.dicom_scan import Inventory, scan
from tracerless.io.vault import Vault
from tracerless.workspace import ingest_face
from tracerless.workspace.ingest import IngestReport, ingest


def run(place: Path, *found: SourceSeries, profile: str = "research") -> IngestReport:
    inventory = Inventory(found, {}, sum(len(each.files) for each in found))
    return ingest(inventory, place / "data", vault=place / "vault", profile=profile)


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_what_is_known_holds_once_all_series_handled_together_are_there(tmp_path: Path) -> None:
    record = {"known": {"n": 2}, "before": {"n": 1}, "together": ["a", "b"]}
    (tmp_path / "face.json").write_text(json.dumps(record))
    assert ingest_face.before(tmp_path, ["a", "b", "c"]) == ({"n": 2}, frozenset())
    for present in (["a"], [], ["c"]):
        assert ingest_face.before(tmp_path, present) == ({"n": 1}, {"a", "b"})


def test_without_a_record_nothing_is_known(tmp_path: Path) -> None:
    assert ingest_face.before(tmp_path, []) == (None, frozenset())


@pytest.mark.slow
def test_a_series_without_a_findable_face_stays_outside(tmp_path: Path) -> None:
    write_mr(tmp_path / "in", head((30, 34, 30)), oblique((6.0, 6.0, 6.0)))
    report = run(tmp_path, *scan(tmp_path / "in").series)
    assert report.written + sum(report.quarantined.values()) == 1
    assert set(report.quarantined) <= {"face"}
    if report.written:  # too coarse to show anybody: it says so of itself
        path = next((tmp_path / "data").rglob("*.dcm"))
        assert dcmread(path).RecognizableVisualFeatures == "NO"
    else:
        assert not list((tmp_path / "data").rglob("*.dcm"))


@pytest.mark.slow
@pytest.mark.real_data
def test_a_real_session_resumes_and_grows_without_its_face(scans: Path, tmp_path: Path) -> None:
    found = {each.contrast: each for each in scan(scans / "mr-one-person").series}
    anatomy, flow = found[Contrast.T1W], found[Contrast.DELTAM]
    once, twice = tmp_path / "once", tmp_path / "twice"
    Vault.create(once / "vault", dataset=once / "data")
    shutil.copytree(once / "vault", twice / "vault")
    assert run(once, anatomy, flow).written == 2
    before = tree(once / "data" / "sourcedata")
    shutil.rmtree(next((once / "data").rglob("deltam_017")))
    run(once, anatomy, flow)
    assert tree(once / "data" / "sourcedata") == before
    assert run(once, anatomy, flow).written == 0

    run(twice, anatomy)
    report = run(twice, flow)
    assert (report.written, report.quarantined) == (1, {})
    records = {
        path.parent.name: json.loads(path.read_text())
        for path in (twice / "data").rglob("series.json")
    }
    assert [records[name]["defaced"] for name in sorted(records)] == [True, True]
    assert records["deltam_017"]["face"]["placed"] == "frame"
    for record in records.values():
        assert "113102" in record["codes"]
        assert record["face"]["brain_touched"] < 0.001
    for path in (twice / "data").rglob("*.dcm"):
        assert dcmread(path, stop_before_pixels=True).RecognizableVisualFeatures == "NO"
