"""Many files: a scan keeps no headers in memory, and workers find what one process finds."""

import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from phantoms import Who, head, oblique, uid, write_mr
from tracerless.io import dicom_scan
from tracerless.io.claims import claim_of
from tracerless.io.dicom_copies import key_of
from tracerless.io.dicom_scan import scan
from tracerless.io.header_spool import HeaderSpool
from tracerless.io.headers import Header, header


@pytest.fixture
def one(tmp_path: Path) -> Header:
    path = write_mr(tmp_path, head((6, 7, 2)), oblique()).files[0]
    return header(dcmread(path), path)


def test_a_spool_gives_headers_back_series_by_series(one: Header) -> None:
    others = [replace(one, series=f"s{n % 3}", instance=uid(n)) for n in range(9)]
    with HeaderSpool() as spool:
        for each in others:
            spool.add(each)
        assert len(spool) == 3
        for key in spool:
            assert spool.members(key) == [each for each in others if key_of(each) == key]
        assert not spool.shared()


def test_a_spool_knows_instances_that_stand_in_two_series(one: Header) -> None:
    with HeaderSpool() as spool:
        for number in range(20):
            spool.add(replace(one, series=f"s{number % 2}", instance=uid(number // 2 % 9)))
            spool.add(replace(one, series="third", instance=uid("own", number)))
            spool.add(replace(one, series="nameless", instance=""))
        found = spool.shared()
    assert {key[2] for key in found} == {"s0", "s1"}
    assert all(instances == {uid(n) for n in range(9)} for instances in found.values())


def test_memory_does_not_grow_with_headers(one: Header) -> None:
    with HeaderSpool() as spool:
        spool.add(one)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(4000):
            spool.add(replace(one, instance=uid(number), path=Path(f"/somewhere/{number}")))
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
    assert grown / 4000 < 100


def test_workers_find_what_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        who = Who(person=f"PLANTED-{number}", number=number + 1)
        write_mr(tmp_path / str(number), head((6, 7, 5)), oblique(), who=who)
    cut = tmp_path / "1" / "002-0002"
    cut.write_bytes(cut.read_bytes()[:-8])
    (tmp_path / "notes.txt").write_text("no picture")
    monkeypatch.setattr(dicom_scan, "_BATCH", 4)
    one, two = scan(tmp_path), scan(tmp_path, workers=2)
    assert one.summary() == two.summary()
    assert [each.files for each in one.series] == [each.files for each in two.series]
    assert one.rejected == {"not-dicom": 1, "truncated": 1}


NAMES = {
    "case": ("Chen^Da Wen", "CHEN^DAWEN", False),
    "order": ("Wang^Da^Wen", "DA WEN WANG", False),
    "accent": ("Müller^Jörg", "MULLER^JORG", False),
    "width": ("ＣＨＥＮ^Ｄ", "Chen^D", False),
    "script": ("Chen^Da-Wen=陳^大文", "陳大文", False),
    "title": ("Chen^Da^^Dr^Jr", "Chen^Da", False),
    "unknown": ("", "Chen^Da", False),
    "other script": ("Chen^Da", "陳^大文", True),
    "other": ("Chen^Da", "Chen^Di", True),
    "other letters": ("陳^大文", "陳^大明", True),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_are_one_person_however_they_are_written(one: Header, case: str) -> None:
    first, second, contradict = NAMES[case]
    dataset = dcmread(one.path)
    claims = []
    for name in (first, second):
        dataset.PatientName = name
        claims.append(claim_of(dataset))
    assert claims[0].contradicts(claims[1]) is contradict
    assert claims[1].contradicts(claims[0]) is contradict
    assert "Chen" not in repr(claims[0])
    assert not claims[0].contradicts(claims[0])


def test_birth_dates_decide_where_names_agree(one: Header) -> None:
    dataset = dcmread(one.path)
    claims = []
    for birth in ("19440506", "19440507", ""):
        dataset.PatientBirthDate = birth
        claims.append(claim_of(dataset))
    told = np.array([[a.contradicts(b) for a in claims] for b in claims])
    assert told[0].tolist() == [False, True, False]
    assert np.array_equal(told, told.T)
