"""A hospital's table of scores enters a dataset: wide or long, by pseudonym or chart number."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tracerless.core.cognition_check import KINDS
from tracerless.core.cohort import Cohort
from tracerless.core.errors import DatasetError, VaultError
from tracerless.core.people import Pseudonym
from tracerless.io.cognition_tables import read_table
from tracerless.io.vault import Vault
from tracerless.workspace.cognition import read_scores
from tracerless.workspace.cognition_files import dictionary_of
from tracerless.workspace.cognition_import import FINDINGS, Imported, import_scores
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import write_cohort

WIDE = """\
participant_id,姓名,session,施測日期,MMSE,TMT-A,CVVLT 10min,心情
sub-A1,王大明,1,115/1/31,24,45.5,3,好
A2,李小華,ses-01,2026/02/01,88,999,拒測,好
A3,林,,1150203,31,abc,9,壞
X9,陳,,,20,30,2,好
,,,,20,,,
"""
LONG = """\
participant_id,session_id,date,tool,version,variable,value
A1,ses-01,2026-01-31,mmse,,簡易智能量表,24
A1,ses-01,2026-01-31,tmt,,TRAILA,45.5
A2,ses-01,2026-02-01,casi,C-2.0,CASI,80
A2,ses-01,2026-02-01,casi,E-1.0,CASI_STM,8
A1,ses-01,2026-01-31,tmt,,tmt a,46
A1,ses-01,2026-01-31,xyz,,unheard,46
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset.create_or_open(tmp_path / "data")
    people = {"age": [70.0, 71, 72], "sex": ["F", "M", "F"], "education_years": [0, 3, 12]}
    write_cohort(made, Cohort(pd.DataFrame(people, index=["A1", "A2", "A3"])))
    for person in ("A1", "A2"):
        (made.derivatives / f"sub-{person}" / "ses-01").mkdir(parents=True)
    return made


def take(dataset: Dataset, text: str, encoding: str = "utf-8", **more: Path) -> Imported:
    path = dataset.root.parent / "scores.csv"
    path.write_bytes(text.encode(encoding))
    return import_scores(path, dataset, **more)


def kinds(done: Imported) -> dict[str, int]:
    return {finding.kind: finding.n for finding in done.findings}


def everything(dataset: Dataset) -> str:
    return "\n".join(
        path.read_text() for path in dataset.root.rglob("*") if path.suffix in {".tsv", ".json"}
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp950"])
def test_a_wide_table_crosses_and_whom_it_names_does_not(dataset: Dataset, encoding: str) -> None:
    done = take(dataset, WIDE, encoding)
    assert (done.people, done.scores) == (2, 4)
    at = read_scores(dataset).at([("A1", "01"), ("A2", "01"), ("A3", "")])
    assert at["MMSE"].fillna(-1).tolist() == [24, -1, -1]
    assert at["TMT_A"].fillna(-1).tolist() == [45.5, -1, -1]
    assert at["CVVLT_10M"].fillna(-1).tolist() == [3, -1, 9]
    for secret in ("王", "大明", "2026", "115/", "1150203", "abc", "好", "X9"):
        assert secret not in everything(dataset), secret


def test_everything_that_does_not_cross_is_said(dataset: Dataset) -> None:
    done = take(dataset, WIDE)
    assert set(kinds(done)) <= set(KINDS)
    assert kinds(done) == {
        "identifier": 1,
        "unknown-column": 1,
        "missing-code": 1,
        "range": 1,
        "not-a-number": 1,
        "unknown-person": 1,
        "gap-unknown": 3,
    }
    lines = {finding.kind: finding.rows for finding in done.findings}
    assert lines["range"] == (4,)
    assert lines["not-a-number"] == (4,)
    kept = pd.read_csv(dataset.derivatives / FINDINGS, sep="\t")
    assert sorted(kept["kind"]) == sorted(finding.kind for finding in done.findings)


def test_why_a_score_is_absent_is_kept(dataset: Dataset) -> None:
    take(dataset, WIDE)
    table = read_table(dataset.root / "phenotype" / "missing_reasons.tsv")
    reasons = {(r["participant_id"], r["code"]): r["reason"] for r in table.to_dict("records")}
    assert reasons["sub-A2", "MMSE"] == "not applicable"
    assert reasons["sub-A2", "CVVLT_10M"] == "refused"
    assert reasons["sub-A3", "MMSE"] == "31 is outside 0-30"
    assert not any("X9" in person for person, _ in reasons)


def test_a_long_table_crosses(dataset: Dataset) -> None:
    done = take(dataset, LONG)
    assert kinds(done) == {"version": 1, "unknown-column": 1, "repeat": 1, "gap-unknown": 2}
    at = read_scores(dataset).at([("A1", "01"), ("A2", "01")])
    assert at["TMT_A"].fillna(-1).tolist() == [45.5, -1]
    assert at["CASI"].fillna(-1).tolist() == [-1, 80]


def test_the_same_table_twice_changes_nothing(dataset: Dataset) -> None:
    take(dataset, WIDE)
    before = everything(dataset)
    done = take(dataset, WIDE)
    assert everything(dataset) == before
    assert "replaced" not in kinds(done)


def test_a_later_table_adds_and_says_what_it_replaces(dataset: Dataset) -> None:
    take(dataset, "participant_id,session_id,MMSE,TMT_A\nA1,01,24,40\nA2,01,20,50\n")
    done = take(dataset, "participant_id,session_id,TMT_A,TMT_B\nA1,01,41,90\nA3,,60,\n")
    assert kinds(done) == {"replaced": 1}
    at = read_scores(dataset).at([("A1", "01"), ("A2", "01"), ("A3", "")])
    assert at["TMT_A"].tolist() == [41, 50, 60]
    assert at["TMT_B"].fillna(-1).tolist() == [90, -1, -1]
    assert at["MMSE"].fillna(-1).tolist() == [24, 20, -1]


def test_two_scores_of_one_sitting_are_said(dataset: Dataset) -> None:
    done = take(dataset, "participant_id,MMSE,TMT_A\nA1,24,\nA1,25,40\nA1,24,40\n")
    assert [f.n for f in done.findings] == [2, 1]
    assert kinds(done).keys() == {"repeat"}
    at = read_scores(dataset).at([("A1", "")])
    assert at[["MMSE", "TMT_A"]].to_numpy().tolist() == [[24, 40]]


def test_headings_are_said_but_not_kept_for_they_can_be_names(dataset: Dataset) -> None:
    done = take(dataset, "participant_id,MMSE,王大明,BNT\nA1,24,x,15\n")
    assert "王大明" in " ".join(map(str, done.findings))
    content = everything(dataset)
    assert "王大明" not in content
    assert "unknown-column" in content


def test_names_of_tests_in_a_long_table_are_cells_and_not_repeated(dataset: Dataset) -> None:
    done = take(dataset, "participant_id,variable,value\nA1,MMSE,24\nA1,王大明,3\n")
    assert "王大明" not in " ".join(map(str, done.findings))
    assert {f.kind: f.rows for f in done.findings} == {"unknown-column": (3,)}


def test_a_visit_that_does_not_exist_is_left_out(dataset: Dataset) -> None:
    done = take(dataset, "participant_id,session_id,MMSE\nA1,07,24\nA2,1,25\n")
    assert kinds(done) == {"unknown-visit": 1}
    assert read_scores(dataset).at([("A2", "01")])["MMSE"].tolist() == [25]


def test_gaps_that_the_table_states_are_kept(dataset: Dataset) -> None:
    take(dataset, "participant_id,session_id,score_to_scan_days,MMSE\nA1,01,-12,24\nA2,01,400,9\n")
    scores = read_scores(dataset)
    assert scores.at([("A1", "01"), ("A2", "01")])["MMSE"].fillna(-1).tolist() == [24, -1]
    assert "gap" in {finding.kind for finding in scores.findings}


def test_one_name_for_several_versions_is_asked_about(dataset: Dataset) -> None:
    done = take(dataset, "participant_id,BNT,GDS,MMSE\nA1,14,3,24\n")
    said = " ".join(map(str, done.findings))
    assert "BNT15, BNT30, BNT60 are different tests" in said
    assert "GDS15, GDS30 are different tests" in said
    assert read_scores(dataset).codes == ("MMSE",)


def test_a_bids_folder_goes_from_dataset_to_dataset(dataset: Dataset, tmp_path: Path) -> None:
    take(dataset, WIDE)
    other = Dataset.create_or_open(tmp_path / "other")
    write_cohort(other, Cohort(pd.DataFrame({"age": [70.0] * 3}, index=["A1", "A2", "A3"])))
    (other.derivatives / "sub-A1" / "ses-01").mkdir(parents=True)
    done = import_scores(dataset.root, other)
    assert done.scores == 4
    keys = [("A1", "01"), ("A3", "")]
    pd.testing.assert_frame_equal(read_scores(other).at(keys), read_scores(dataset).at(keys))


def test_a_folder_without_scores_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "phenotype"
    folder.mkdir()
    with pytest.raises(DatasetError, match=r"holds no table \(\*.tsv\)"):
        import_scores(folder, dataset)
    (folder / "mood.tsv").write_text("participant_id\tcolour\nA1\tred\n")
    with pytest.raises(DatasetError, match="None of 1 tables holds a score"):
        import_scores(tmp_path, dataset)


def test_visits_of_scans_that_are_rows_of_a_table_count(dataset: Dataset) -> None:
    table = "participant_id\tsession_id\tcontrast\nsub-A3\tses-05\tFDG\n"
    (dataset.derivatives / "cohort_roi.tsv").write_text(table)
    done = take(dataset, "participant_id,session_id,MMSE,NACCMMSE\nA3,5,24,25\n")
    assert kinds(done) == {"ambiguous-column": 1}
    assert read_scores(dataset).at([("A3", "05")])["MMSE"].tolist() == [24]


def test_redcap_identifiers_stay_behind_and_choices_become_scores(
    dataset: Dataset, tmp_path: Path
) -> None:
    fields = tmp_path / "fields.csv"
    fields.write_text(
        "field_name,field_label,select_choices_or_calculations,text_validation_max,identifier\n"
        'mmse,MMSE total,,30,y\ncdr,CDR,"1, 0 none | 2, 0.5 very mild | 3, 1 mild",,\n'
        "q17,蒙特利爾認知評估,,60,\n"
    )
    done = take(dataset, "record_id,mmse,cdr,q17\nA1,24,2,20\nA2,25,3,21\n", redcap=fields)
    assert kinds(done) == {"identifier": 1, "version": 1, "translated": 2}
    at = read_scores(dataset).at([("A1", ""), ("A2", "")])
    assert at["CDR"].tolist() == [0.5, 1]
    assert at["MOCA"].tolist() == [20, 21]
    assert "MMSE" not in at


def test_a_second_dictionary_of_a_site_does_not_forget_the_first(dataset: Dataset) -> None:
    own = dataset.root.parent / "own.csv"
    head = "code,tool,name_en,name_zh,domain,low,high,better,leak\n"
    for code, high in (("SMELL", 12), ("TASTE", 8), ("SMELL", 16)):
        own.write_text(head + f"{code},{code},{code},x{code},other,0,{high},high,none\n")
        take(dataset, f"participant_id,{code}\nA1,{high}\n", own=own)
    at = read_scores(dataset).at([("A1", "")])
    assert at[["SMELL", "TASTE"]].to_numpy().tolist() == [[16, 8]]
    assert dictionary_of(dataset).tests["TASTE"].step == 0


def test_chart_numbers_find_their_people_in_the_vault_only(
    dataset: Dataset, tmp_path: Path
) -> None:
    text = "病歷號,MMSE\n777,24\n888,25\n999,26\n555,27\n"
    with pytest.raises(VaultError, match="no vault says whose they are"):
        take(dataset, text)
    Vault.create(tmp_path / "vault", dataset=None)
    with Vault.open(tmp_path / "vault", dataset=None) as opened:
        twins = {"555|TPE": "A2", "555|TNN": "A3"}
        opened.identify(twins)
        for chart, name in {"777": "A1", "888": "ELSEWHERE", **twins}.items():
            opened.admit(chart, Pseudonym(name), "1", "")
        opened.save("admitted", {})
        record = opened.record
    (dataset.root / "sourcedata").mkdir()
    (dataset.root / "sourcedata" / "deidentification.json").write_text(json.dumps(record))
    done = take(dataset, text, vault=tmp_path / "vault")
    assert (done.people, kinds(done)) == (1, {"unknown-person": 3})
    assert read_scores(dataset).at([("A1", "")])["MMSE"].tolist() == [24]
    assert "777" not in everything(dataset)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,MMSE\nA1,24\n", "None of the table's 2 columns says whose the rows are"),
        ("participant_id,happy\nA1,24\n", "No column of the table is a score"),
        ("participant_id,MMSE\nZ1,24\n", "No row of the table belongs to a person and visit"),
        ("", "None of the table's 0 columns"),
    ],
)
def test_a_table_that_is_of_no_use_is_refused_and_nothing_is_written(
    dataset: Dataset, text: str, message: str
) -> None:
    own = dataset.root.parent / "own.csv"
    own.write_text("code,leak\nMMSE,high\n")
    with pytest.raises(DatasetError, match=message):
        take(dataset, text, own=own)
    assert not (dataset.root / "phenotype").exists()
