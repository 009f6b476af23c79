"""Visits to courses: a table of cases, and who is left out."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.norm import Measured
from tracerless.core.risk import Clock
from tracerless.core.study import VISIT_COLUMNS, Followup, Kind, Predictor, Study
from tracerless.foresee.courses import courses, supported_horizons
from tracerless.foresee.nested import with_clock
from tracerless.foresee.settings import RiskSettings


class Case(NamedTuple):
    why: str
    start: str
    visits: list
    event: int
    time: float


CASES = [
    Case("well to the end", "CN", [(1, "CN", "seen"), (2, "CN", "seen")], 0, 2),
    Case("ill between two visits", "MCI", [(1, "MCI", "seen"), (2, "AD", "seen")], 1, 1.5),
    Case("ill at the first visit", "CN", [(2, "DLB", "seen")], 1, 1),
    Case("kind of dementia unsaid", "MCI", [(1, "dementia", "seen")], 1, 0.5),
    Case("kind of dementia changes", "CN", [(1, "AD", "seen"), (2, "DLB", "seen")], 1, 0.5),
    Case("back to normal is no event", "MCI", [(1, "CN", "seen"), (2, "CN", "seen")], 0, 2),
    Case("died well", "CN", [(1, "CN", "seen"), (1.8, "", "dead")], 2, 1.8),
    Case("died ill", "MCI", [(1, "AD", "seen"), (3, "", "dead")], 1, 0.5),
    Case("died long after", "CN", [(1, "CN", "seen"), (5, "", "dead")], 0, 1),
    Case("died before any visit", "CN", [(0.7, "", "dead")], 2, 0.7),
    Case("lost after a visit", "CN", [(1, "CN", "seen"), (3, "", "lost")], 0, 1),
    Case("called at the death", "MCI", [(1, "MCI", "seen"), (2, "AD", "dead")], 1, 1.5),
    Case(
        "taken back",
        "MCI",
        [(1, "MCI", "seen"), (2, "AD", "seen"), (3, "MCI", "seen"), (4, "", "dead")],
        0,
        1,
    ),
]


def _study(starts, ages=None):
    n = len(starts)
    people = pd.DataFrame(
        {"age": ages or [70.0] * n, "sex": ["F"] * n, "education_years": [9.0] * n}
    )
    return Study(
        (Predictor("age", Kind.PERSON, "demographics"),),
        people[["age"]].astype(float),
        people,
        None,
        tuple(starts),
        tuple(f"p{number}" for number in range(n)),
        ("01",) * n,
        ("",) * n,
        Measured("FDG", "fdg36", "pons", "", "f", "simulated"),
    )


def _followup(*people):
    rows = [(f"p{n}", *visit) for n, visits in enumerate(people) for visit in visits]
    table = pd.DataFrame(rows, columns=["participant_id", "years", "diagnosis", "status"])
    return Followup(table[list(VISIT_COLUMNS)])


@pytest.mark.parametrize("case", CASES, ids=[case.why for case in CASES])
def test_each_course_is_read_as_it_was(case):
    found = courses(_study([case.start]), _followup(case.visits), RiskSettings())
    assert (found.event[0], found.time[0]) == (case.event, pytest.approx(case.time))


def test_everybody_left_out_is_counted_with_the_reason():
    study = _study(["AD", "", "CN", "CN", "CN", "MCI"])
    well = [(1, "CN", "seen")]
    followup = _followup(well, well, [], [(2, "", "lost")], well, well)
    found = courses(study, followup, RiskSettings(starts=("CN",)))
    assert len(found) == 1
    said = " ".join(found.notes)
    for why in (
        "dementia at the scan",
        "no diagnosis at the scan",
        "no contact after the scan",
        "no examination after the scan",
        "MCI at the scan",
    ):
        assert f"1 people left out: {why}." in said


def test_a_dementia_taken_back_can_be_refused():
    study = _study(["MCI", "CN"])
    followup = _followup(CASES[-1].visits, [(1, "CN", "seen")])
    found = courses(study, followup, RiskSettings(reverted="refuse"))
    assert len(found) == 1
    assert "taken back" in found.notes[0]


def test_nobody_left_is_said():
    with pytest.raises(DatasetError, match="1 people left out: dementia at the scan"):
        courses(_study(["AD"]), _followup([(1, "AD", "seen")]), RiskSettings())


def test_the_first_scan_counts():
    study = _study(["CN", "CN"])
    twice = Study(
        study.predictors, study.table, study.people, None, study.diagnosis, ("p0", "p0"),
        ("02", "01"), study.scanner, study.measured,
    )  # fmt: skip
    found = courses(twice, _followup([(1, "CN", "seen")]), RiskSettings())
    assert found.rows.tolist() == [1]


def test_a_horizon_beyond_the_follow_up_is_refused_and_the_usual_ones_are_cut():
    study = _study(["CN"] * 12)
    found = courses(study, _followup(*[[(2.5, "CN", "seen")]] * 12), RiskSettings())
    assert supported_horizons(found, RiskSettings()) == (1.0, 2.0)
    with pytest.raises(
        ModelError, match=r"0 people are seen beyond 3 years; 10 are needed"
    ) as told:
        supported_horizons(found, RiskSettings(horizons=(3.0,)))
    assert "below 2.5 years" in told.value.hint


def test_too_few_people_for_any_horizon_are_told_so():
    study = _study(["CN"] * 5)
    found = courses(study, _followup(*[[(2.5, "CN", "seen")]] * 5), RiskSettings())
    with pytest.raises(ModelError, match="5 people are seen beyond 1 years") as told:
        supported_horizons(found, RiskSettings())
    assert told.value.hint == "Add people, or years of follow-up."


def test_written_down_ages_are_no_place_on_a_clock_of_age():
    study = _study(["CN"] * 3, ages=[70.0, 90.0, np.nan])
    found = courses(study, _followup(*[[(2.5, "CN", "seen")]] * 3), RiskSettings())
    kept = with_clock(study, found, Clock.AGE)
    assert kept.rows.tolist() == [0]
    assert "2 people left out: age unknown, or 90 and above." in kept.notes
