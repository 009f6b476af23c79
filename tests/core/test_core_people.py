"""Person-keys, cohorts, splits, seeds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.cohort import Cohort, split_people
from tracerless.core.errors import DatasetError, TracerlessError, did_you_mean
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator, seed_number

people = st.lists(st.integers(0, 500).map(lambda n: Pseudonym(f"P{n:03d}")), min_size=2)


@given(people, st.floats(0, 1), st.integers())
def test_a_split_puts_every_person_on_exactly_one_side(
    persons: list[Pseudonym], share: float, seed: int
) -> None:
    kept, out = split_people(persons, share, seed)
    assert set(kept) | set(out) == set(persons)
    assert not set(kept) & set(out)
    assert len(out) == round(share * len(set(persons)))


@given(people)
def test_a_split_does_not_depend_on_the_order_of_people(persons: list[Pseudonym]) -> None:
    assert split_people(persons, 0.3, "x") == split_people(persons[::-1], 0.3, "x")


def test_equal_seed_names_draw_equal_numbers() -> None:
    assert generator("noise", 1).random() == generator("noise", 1).random()
    assert seed_number("noise", 1) != seed_number("noise", 2)
    assert seed_number("ab", "c") != seed_number("a", "bc")


@pytest.mark.parametrize("text", ["", "a b", "a/b", "..", "王小明", "a\n"])
def test_a_pseudonym_takes_letters_and_digits_only(text: str) -> None:
    with pytest.raises(DatasetError):
        Pseudonym(text)
    with pytest.raises(DatasetError):
        SessionKey(Pseudonym("A"), text)


def test_a_session_reads_as_its_bids_entities() -> None:
    assert str(SessionKey(Pseudonym("A1"), "01")) == "sub-A1_ses-01"


def test_a_cohort_refuses_values_outside_their_range() -> None:
    with pytest.raises(DatasetError, match="MMSE: 31 is outside 0-30 points"):
        Cohort(pd.DataFrame({"MMSE": [31]}, index=["A"]))
    with pytest.raises(DatasetError, match="Undeclared"):
        Cohort(pd.DataFrame({"name": ["x"]}, index=["A"]))
    with pytest.raises(DatasetError, match="twice"):
        Cohort(pd.DataFrame({"age": [70, 71]}, index=["A", "A"]))
    with pytest.raises(DatasetError, match="diagnosis='flu'"):
        Cohort(pd.DataFrame({"diagnosis": ["flu"]}, index=["A"]))


def test_a_cohort_knows_diagnoses_and_admits_what_it_does_not_know() -> None:
    table = pd.DataFrame({"age": [70.0, np.nan], "diagnosis": ["AD", None]}, index=["A", "B"])
    cohort = Cohort(table)
    assert cohort.diagnosis(Pseudonym("A")) == "AD"
    assert cohort.diagnosis(Pseudonym("B")) == cohort.diagnosis(Pseudonym("C")) == ""


def test_an_error_says_what_where_and_what_next() -> None:
    error = DatasetError("No session 'x'.", hint=did_you_mean("sub-1", ["sub-11", "other"]))
    error.add_note("dataset d")
    assert str(error) == "No session 'x'. (dataset d) Did you mean 'sub-11'?"
    assert isinstance(error, TracerlessError)
    assert did_you_mean("zzz", ["b", "a"]) == "Choose one of: a, b."


def test_what_is_no_number_is_told_and_what_is_missing_stays_missing() -> None:
    with pytest.raises(DatasetError, match="age: 'abc' is no number"):
        Cohort(pd.DataFrame({"age": ["abc"]}, index=["A"]))
    made = Cohort(
        pd.DataFrame({"age": [70, None], "diagnosis": [float("nan")] * 2}, index=["A", "B"])
    )
    assert made.table["age"].isna().tolist() == [False, True]
    assert made.table["diagnosis"].tolist() == ["", ""]
