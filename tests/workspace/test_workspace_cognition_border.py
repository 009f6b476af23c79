"""Tests go with the nearest scan at the border: the distance crosses, no date does."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import DatasetError, VaultError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.source import SourceSeries
from tracerless.core.volume import Contrast
from tracerless.io.vault import Vault
from tracerless.io.vault_people import VaultPeople
from tracerless.workspace.cognition import read_scores
from tracerless.workspace.cognition_bound import Days, Scans, bound, scan_days
from tracerless.workspace.cognition_import import import_scores
from tracerless.workspace.cognition_sittings import Sittings
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.ingest_people import Crossed, notes, read_phenotype, write_people
from tracerless.workspace.ingest_values import Named

ONE, TWO = Pseudonym("WC69X8PPNQ"), Pseudonym("ZC69X8PPNQ")
FIRST, SECOND = SessionKey(ONE, "01"), SessionKey(ONE, "02")
SCANNED: Days = {FIRST: date(2025, 3, 1), SECOND: date(2026, 3, 1)}

TABLE = """\
病歷號,姓名,sex,age,diagnosis,施測日期,MMSE,TMT-A,CDR,phone
777,王,女,70,MCI,114/02/27,25,40,0.5,0912
777,王,,,,2026-05-01,22,55,1,0912
888,林,男,65,CN,,29,30,0,0913
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset.create_or_open(tmp_path / "data")
    for person, visit in ((ONE, "01"), (ONE, "02"), (TWO, "01")):
        (made.root / "sourcedata" / f"sub-{person}" / f"ses-{visit}").mkdir(parents=True)
    return made


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    Vault.create(tmp_path / "vault", dataset=None)
    with Vault.open(tmp_path / "vault", dataset=None) as opened:
        opened.admit("777", ONE, "1", "")
        opened.admit("888", TWO, "2", "")
        yield opened


def _people_of(factory: pytest.TempPathFactory) -> VaultPeople:
    """People of a vault that is never saved."""
    place = factory.mktemp("vaults") / "vault"
    key = Vault.create(place, dataset=None)
    assert key
    with Vault.open(place, dataset=None) as opened:
        return opened


def write(folder: Path, text: str = TABLE) -> Path:
    path = folder / "phenotype.csv"
    path.write_text(text)
    return path


def take(dataset: Dataset, vault: Vault, text: str = TABLE) -> Crossed:
    return write_people(dataset, vault, read_phenotype(write(vault.path.parent, text)), SCANNED)


def everything(dataset: Dataset) -> str:
    paths = [path for path in dataset.root.rglob("*") if path.suffix in {".tsv", ".json"}]
    return "\n".join(path.read_text() for path in paths)


def test_scores_go_with_the_nearest_scan_and_carry_the_distance(
    dataset: Dataset, vault: Vault
) -> None:
    assert take(dataset, vault) == Crossed(2, 0, 9)
    scores = read_scores(dataset)
    at = scores.at([(str(ONE), "01"), (str(ONE), "02"), (str(TWO), "01")])
    assert at["MMSE"].tolist() == [25, 22, 29]
    assert at["TMT_A"].tolist() == [40, 55, 30]
    days = scores.gaps.query("tool == 'mmse'").set_index(["person", "visit"])["days"]
    assert days.fillna(-999).to_dict() == {
        (str(ONE), "01"): -2,
        (str(ONE), "02"): 61,
        (str(TWO), ""): -999,
    }


def test_no_date_name_or_number_crosses(dataset: Dataset, vault: Vault) -> None:
    take(dataset, vault)
    content = everything(dataset)
    for secret in ("114/", "2025-", "2026", "05-01", "王", "777", "0912"):
        assert secret not in content, secret


def test_facts_about_a_person_with_many_rows_are_the_first_stated(
    dataset: Dataset, vault: Vault
) -> None:
    take(dataset, vault)
    people = pd.read_csv(dataset.root / "participants.tsv", sep="\t", index_col=0)
    assert people.loc[f"sub-{ONE}", ["sex", "age", "diagnosis"]].tolist() == ["F", 70, "MCI"]
    assert "MMSE" not in people  # its date is known, so the table of people does not take it


def test_a_test_outside_the_window_is_kept_but_not_used(dataset: Dataset, vault: Vault) -> None:
    take(dataset, vault, "chart_number,test_date,MMSE\n777,2024-01-01,28\n")
    assert "-425" in everything(dataset)
    assert "MMSE" not in read_scores(dataset).codes
    assert read_scores(dataset, max_gap_days=500).codes == ("MMSE",)


def test_a_workbook_with_one_score_a_row_crosses(dataset: Dataset, vault: Vault) -> None:
    book = openpyxl.Workbook()
    day = date(2025, 3, 4)
    for row in (["chart_number", "date", "variable", "value"], [777, day, "CASI", 77.5]):
        book.active.append(row)
    book.active.append([777, day, "CVVLT_10M", 3])
    path = vault.path.parent / "phenotype.xlsx"
    book.save(path)
    assert write_people(dataset, vault, read_phenotype(path), SCANNED) == Crossed(1, 0, 2)
    scores = read_scores(dataset)
    assert scores.at([(str(ONE), "01")])[["CASI", "CVVLT_10M"]].to_numpy().tolist() == [[77.5, 3]]
    assert set(scores.gaps["days"]) == {3}


def test_tests_beyond_the_table_of_people_cross_without_dates_too(
    dataset: Dataset, vault: Vault
) -> None:
    assert take(dataset, vault, "chart_number,MMSE,TMT_A\n777,25,40\n") == Crossed(1, 0, 1)
    at = read_scores(dataset).at([(str(ONE), "02")])
    assert at[["MMSE", "TMT_A"]].to_numpy().tolist() == [[25, 40]]


def test_what_is_wrong_is_said_without_a_cell(vault: Vault) -> None:
    text = "chart_number,test_date,MMSE,spouse\n777,31/01/2026,45,Lin\n"
    table = read_phenotype(write(vault.path.parent, text))
    said = " ".join(notes(table, Crossed(1, 0, 0)))
    assert "1 dates cannot be read" in said
    assert "MMSE: 1 scores outside 0-30 points (45) were left out." in said
    assert "Columns that do not cross: spouse." in said
    assert "Lin" not in said


def test_a_person_twice_without_a_date_is_still_refused(vault: Vault) -> None:
    with pytest.raises(DatasetError, match="Line 3 of the phenotype table repeats"):
        read_phenotype(write(vault.path.parent, "chart_number,TMT_A\n777,50\n777,51\n"))


def test_the_day_of_a_visit_comes_from_its_series() -> None:
    def named(identity: str, day: str) -> Named:
        series = SourceSeries((Path("x"),), Contrast.FDG, "", "PT", "", 1, 1, "777", "1.2", day, ())
        return Named(series, identity)

    batch = [named("a", "20250301"), named("b", "20260301"), named("c", ""), named("d", "20200101")]
    assert scan_days(batch, {"a": FIRST, "b": SECOND, "c": SECOND}) == SCANNED


@settings(deadline=None, max_examples=50)
@given(
    tested=st.integers(-2000, 2000),
    scans=st.lists(st.integers(-2000, 2000), min_size=1, max_size=4, unique=True),
)
def test_no_other_scan_is_nearer(tested: int, scans: list[int]) -> None:
    start = date(2020, 1, 1)
    scanned = {
        SessionKey(ONE, f"{n:02d}"): start + timedelta(days=day) for n, day in enumerate(scans)
    }
    cells = {"key": ["777"], "visit": [""], "days": [float("nan")], "MMSE": [20.0]}
    table = pd.DataFrame(cells).assign(date=(start + timedelta(days=tested)).isoformat())
    read = Sittings(table, True, pd.DataFrame(columns=["row", "code", "reason"]), ())
    row = bound(read, [str(ONE)], Scans(None, scanned), []).iloc[0]
    assert abs(row["score_to_scan_days"]) == min(abs(tested - day) for day in scans)
    assert row["score_to_scan_days"] == tested - scans[int(row["visit"])]


def test_a_vault_finds_the_nearest_scan_long_after_it_crossed(
    dataset: Dataset, tmp_path: Path
) -> None:
    Vault.create(tmp_path / "vault", dataset=None)
    with Vault.open(tmp_path / "vault", dataset=None) as opened:
        for study, day in (("1", "20250301"), ("2", "20260301"), ("3", "")):
            opened.admit("777", ONE, study, day)
        opened.save("admitted", {})
        record = opened.record
    (dataset.root / "sourcedata" / "deidentification.json").write_text(json.dumps(record))
    path = tmp_path / "late.csv"
    path.write_text(
        "chart_number,test_date,MMSE\n777,114/02/27,25\n777,2026-05-01,22\n777,1990-01-01,30\n"
    )
    done = import_scores(path, dataset, vault=tmp_path / "vault")
    assert {f.kind: f.n for f in done.findings} == {"gap": 1}
    gaps = read_scores(dataset).gaps.set_index("visit")["days"]
    assert gaps.to_dict() == {"01": -2, "02": 61}
    for secret in ("114/", "2026", "1990", "777"):
        assert secret not in everything(dataset), secret


@settings(deadline=None, max_examples=30)
@given(
    tested=st.integers(-450, 450),
    scans=st.lists(st.integers(-450, 450), min_size=1, max_size=3, unique=True),
)
def test_a_vault_answers_as_the_dates_would(
    tmp_path_factory: pytest.TempPathFactory, tested: int, scans: list[int]
) -> None:
    start = date(2024, 2, 28)
    people = _people_of(tmp_path_factory)
    for n, day in enumerate(scans):
        people.admit("777", ONE, str(n), (start + timedelta(days=day)).strftime("%Y%m%d"))
    near = people.visit_near("777", start + timedelta(days=tested), 400)
    gaps = sorted((abs(tested - day), f"{n + 1:02d}", tested - day) for n, day in enumerate(scans))
    assert near == ((gaps[0][1], gaps[0][2]) if gaps[0][0] <= 400 else None)


def test_a_later_batch_leaves_tests_with_the_scans_they_were_near(
    dataset: Dataset, tmp_path: Path
) -> None:
    Vault.create(tmp_path / "vault", dataset=None)
    with Vault.open(tmp_path / "vault", dataset=None) as opened:
        opened.admit("777", ONE, "1", "20250301")
        opened.admit("777", ONE, "2", "20260301")
        later = {SECOND: SCANNED[SECOND]}  # the first scan is not among the files any more
        write_people(dataset, opened, read_phenotype(write(tmp_path)), later)
    days = read_scores(dataset).gaps.query("tool == 'mmse'").set_index("visit")["days"]
    assert days.to_dict() == {"01": -2, "02": 61}


def test_a_vault_is_not_searched_for_dates(vault: Vault) -> None:
    with pytest.raises(VaultError, match="up to 400, not 4000"):
        vault.visit_near("777", date(2026, 1, 1), 4000)
    assert vault.visit_near("nobody", date(2026, 1, 1), 400) is None
    assert vault.visit_near("777", date(2026, 1, 1), 400) is None  # its study has no date
