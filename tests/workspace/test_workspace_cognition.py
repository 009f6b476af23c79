"""Scores of a dataset: checked cell by cell, joined by person and visit, gaps kept."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.cognition_check import KINDS, LOSES, checked
from tracerless.core.cohort import Cohort
from tracerless.core.errors import DatasetError
from tracerless.io.cognition import dictionary
from tracerless.workspace.cognition import Scores, read_scores
from tracerless.workspace.cognition_files import write_phenotype
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import write_cohort

TESTS = dictionary().tests


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset.create_or_open(tmp_path / "data")
    people = {"MMSE": [20.0, np.nan, 22.0], "CDR": [1.0, 0.5, 0.0], "sex": ["F", "M", ""]}
    write_cohort(made, Cohort(pd.DataFrame(people, index=["A1", "A2", "A3"])))
    return made


def put(dataset: Dataset, tool: str, text: str) -> None:
    path = dataset.root / "phenotype" / f"{tool}.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace(" ", "\t"))


def kinds(scores: Scores) -> set[str]:
    return {finding.kind for finding in scores.findings}


def kinds_of(cells: list[str], code: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for finding in checked(cells, TESTS[code]).findings:
        counts[finding.kind] += finding.n
    return dict(counts)


@pytest.mark.parametrize(
    ("code", "cells", "found"),
    [
        ("SDMT", ["-119", "-42", "-29", "40", "110"], {"range": 3}),
        ("BTA", ["-34", "12"], {"range": 1}),
        ("FLUENCY_FAS", ["-35", "40"], {"range": 1}),
        ("CVLT_SD", ["-7", "-8", "9"], {"range": 1, "missing-code": 1}),
        ("TMT_B", ["818", "300", "92.5"], {"range": 1, "cap": 1}),
        ("JLO", ["31", "34", "30", "28"], {"corrected": 2}),
        ("TMT_A", ["997", "9999", "-4"], {"missing-code": 3}),
        ("MMSE", ["88", "95", "31", "28.5"], {"missing-code": 2, "range": 1, "step": 1}),
        ("CDR", ["0.5", "1.5", "3"], {"step": 1}),
        ("CDRSB", ["4.5", "4.25"], {"step": 1}),
        ("ADL", ["95", "93"], {"step": 1}),
        ("CASI", ["88", "77.5", "101"], {"range": 1}),
        ("MMSE", ["拒測", "無法施測", "２８", "n/a", ""], {"missing-code": 2}),
        ("MMSE", ["twenty", "23/30", "1_0", "inf", "28"], {"not-a-number": 4}),
        ("TMT_B", [">300", "300+", ">200"], {"cap": 2, "not-a-number": 1}),
        ("MMSE", ["30"] * 6, {"all-ceiling": 6}),
        ("MMSE", ["30"] * 4 + ["29"] * 4, {"ceiling": 4}),
        ("MMSE", ["25"] * 6, {"zero-variance": 6}),
        ("CASI", ["97"] * 4 + ["60", "71", "83"], {"code-in-range": 4}),
        ("CASI", ["97", "96", "98", "95", "94", "93"], {}),
        ("CASI", ["97"] * 4 + [str(score) for score in range(85, 95)] * 3, {}),
        ("ADL", ["95"] * 6 + ["90"] * 5 + ["85"] * 3, {}),
        ("ADL", ["95"] * 6 + ["20", "30", "45"], {"code-in-range": 6}),
        ("TMT_A", ["98"] * 900 + ["97"] * 500 + ["40", "51"], {"code-in-range": 1400}),
        ("GDS15", ["0"] * 5, {"all-ceiling": 5}),
    ],
)
def test_what_is_wrong_with_a_score_is_caught(
    code: str, cells: list[str], found: dict[str, int]
) -> None:
    """The first six stand so in a published dataset (OpenNeuro ds004392, seen in its tables)."""
    assert kinds_of(cells, code) == found


def test_reasons_are_kept_beside_the_blanks_they_explain() -> None:
    result = checked(["997", "88", "n/a", "45", "拒測"], TESTS["TMT_A"])
    assert result.reasons == ("other problem", "", "", "", "refused")
    assert result.values[[1, 3]].tolist() == [88, 45]  # 88 s is a time
    assert [finding.rows for finding in result.findings] == [(0, 4)]


def test_no_text_of_a_cell_is_ever_repeated() -> None:
    result = checked(["王大明", "Wang", "28"], TESTS["MMSE"])
    said = " ".join([*map(str, result.findings), *result.reasons])
    assert "not a number" in said
    assert not any(name in said for name in ("王", "Wang"))


@settings(deadline=None)
@given(
    cells=st.lists(
        st.one_of(
            st.text(max_size=6),
            st.floats(allow_nan=True).map(str),
            st.integers(-1000, 10000).map(str),
        ),
        max_size=30,
    ),
    code=st.sampled_from(sorted(TESTS)),
)
def test_only_possible_scores_come_through_and_every_loss_is_said(
    cells: list[str], code: str
) -> None:
    test, result = TESTS[code], checked(cells, TESTS[code])
    kept = result.values[~np.isnan(result.values)]
    assert ((kept >= test.low) & (kept <= test.high)).all()
    assert not test.values or set(kept) <= set(test.values)
    lost = {row for finding in result.findings if finding.kind in LOSES for row in finding.rows}
    told = {row for f in result.findings if f.kind == "missing-code" for row in f.rows}
    silent = {row for row in range(len(cells)) if np.isnan(result.values[row])} - lost - told
    assert all(not result.reasons[row] for row in silent)
    assert all(not any(sign.isdigit() for sign in cells[row]) for row in silent)
    assert {finding.kind for finding in result.findings} <= set(KINDS)


def test_people_and_visits_are_joined(dataset: Dataset) -> None:
    put(dataset, "tmt", "participant_id session_id TRAILA\nsub-A1 ses-01 40\nsub-A1 ses-02 50\n")
    put(dataset, "casi", "participant_id CASI\nsub-A2 71\n")
    scores = read_scores(dataset)
    assert scores.codes == ("MMSE", "CASI", "CDR", "TMT_A")
    keys = [("A1", "01"), ("A1", "02"), ("A1", "03"), ("A2", "01"), ("nobody", "01")]
    at = scores.at(keys)
    assert at["TMT_A"].fillna(-1).tolist() == [40, 50, -1, -1, -1]
    assert at["MMSE"].fillna(-1).tolist() == [20, 20, 20, -1, -1]  # of no visit: of any
    assert at["CASI"].fillna(-1).tolist() == [-1, -1, -1, 71, -1]
    assert scores.table[["person", "visit"]].to_numpy().tolist() == sorted(
        scores.table[["person", "visit"]].to_numpy().tolist()
    )


def test_scores_far_from_the_scan_are_left_out_and_said(dataset: Dataset) -> None:
    rows = "A1 ses-01 -200 40\nA2 ses-01 183 50\nA3 ses-01 n/a 60\n"
    put(dataset, "tmt", "participant_id session_id score_to_scan_days TMT_A\n" + rows)
    scores = read_scores(dataset)
    by = scores.table.set_index(["person", "visit"])["TMT_A"].dropna()
    assert by.to_dict() == {("A2", "01"): 50, ("A3", "01"): 60}
    assert {"gap", "gap-unknown"} <= kinds(scores)
    assert "TMT_A" in read_scores(dataset, max_gap_days=365).codes
    wide = read_scores(dataset, max_gap_days=365).gaps.set_index("person")["days"]
    assert wide["A1"] == -200


def test_of_two_testings_the_nearer_counts_and_fills_from_the_other(dataset: Dataset) -> None:
    rows = "A1 ses-01 100 40 80\nA1 ses-01 -3 44 n/a\n"
    put(dataset, "tmt", "participant_id session_id score_to_scan_days TMT_A TMT_B\n" + rows)
    scores = read_scores(dataset)
    assert scores.at([("A1", "01")])[["TMT_A", "TMT_B"]].to_numpy().tolist() == [[44, 80]]
    assert scores.gaps["days"].tolist() == [-3]
    assert "repeat" in kinds(scores)


def test_two_scores_for_one_visit_are_said(dataset: Dataset) -> None:
    put(dataset, "mmse", "participant_id MMSE\nA1 24\nA3 22\n")
    scores = read_scores(dataset)
    assert scores.at([("A1", ""), ("A3", "")])["MMSE"].tolist() == [24, 22]
    assert [f.n for f in scores.findings if f.kind == "conflict"] == [1]


def test_other_tests_in_the_table_of_people_count_and_nothing_is_lost_unsaid(
    dataset: Dataset,
) -> None:
    text = "participant_id\tage\tMoCA\tMMSE\nsub-A1\t70\t21\ttwenty\nsub-A2\t71\tn/a\t24\n"
    (dataset.root / "participants.tsv").write_text(text)
    scores = read_scores(dataset)
    at = scores.at([("A1", "01"), ("A2", "01")])
    assert at["MOCA"].fillna(-1).tolist() == [21, -1]
    assert at["MMSE"].fillna(-1).tolist() == [-1, 24]
    assert kinds(scores) == {"not-a-number"}


def test_strange_columns_are_said_and_followup_is_no_test(dataset: Dataset) -> None:
    put(dataset, "mmse", "participant_id MMSE NACCMMSE colour\nA1 24 23 red\n")
    put(dataset, "followup", "participant_id years\nA1 2\n")
    scores = read_scores(dataset)
    assert {"unknown-column", "ambiguous-column"} <= kinds(scores)
    assert set(scores.codes) == {"MMSE", "CDR"}


def test_a_table_without_people_is_refused(dataset: Dataset) -> None:
    put(dataset, "mmse", "id MMSE\nA1 24\n")
    with pytest.raises(DatasetError, match=r"phenotype/mmse.tsv has no column participant_id"):
        read_scores(dataset)


def test_a_dataset_without_scores_has_none(tmp_path: Path) -> None:
    scores = read_scores(Dataset.create_or_open(tmp_path / "data"))
    assert scores.codes == ()
    assert scores.at([("A1", "01")]).shape == (1, 0)
    assert scores.at([]).shape == (0, 0)


def test_what_is_written_is_read_back(dataset: Dataset) -> None:
    table = pd.DataFrame(
        {
            "person": ["A1", "A1", "A2"],
            "visit": ["01", "02", ""],
            "score_to_scan_days": [-3.0, 10.0, np.nan],
            "TMT_A": [41.25, np.nan, 60.0],
            "CDRSB": [0.5, 18.0, np.nan],
        }
    )
    paths = write_phenotype(dataset, table)
    assert [path.name for path in paths] == ["cdr.tsv", "tmt.tsv"]
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_phenotype(dataset, table)] == before
    back = read_scores(dataset).at([("A1", "01"), ("A1", "02"), ("A2", "")])
    assert back["TMT_A"].fillna(-1).tolist() == [41.25, -1, 60]
    assert back["CDRSB"].fillna(-1).tolist() == [0.5, 18, -1]


def test_a_code_that_nobody_knows_is_not_written(dataset: Dataset) -> None:
    table = pd.DataFrame({"person": ["A1"], "visit": [""], "HAPPY": [1.0]})
    with pytest.raises(DatasetError, match="No test has the code 'HAPPY'"):
        write_phenotype(dataset, table)


def test_totals_that_do_not_add_up_are_said(dataset: Dataset) -> None:
    head = "participant_id CVVLT_T1 CVVLT_T2 CVVLT_T3 CVVLT_T4 CVVLT_TOTAL\n"
    put(dataset, "cvvlt", head + "A1 4 5 6 7 22\nA2 4 5 6 7 27\nA3 4 5 n/a 7 20\n")
    assert [f.n for f in read_scores(dataset).findings if f.kind == "sum"] == [1]
