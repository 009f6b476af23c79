"""Published norms give their published answers, and no answer beyond their people."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tracerless.core.cognition_norms import (
    Cutoff,
    Examinee,
    Hull,
    Published,
    Regression,
    Standing,
    Stratum,
    cutoff,
    standing,
)
from tracerless.core.errors import DatasetError
from tracerless.io.cognition import dictionary
from tracerless.io.cognition_norms import cutoffs, extended, published

MAN_57 = Examinee(57, "M", 15)
OLD_MAN, OLD_WOMAN = Examinee(80, "M", 12), Examinee(80, "F", 12)


def norm(code: str, name: str) -> Published:
    return next(each for each in published()[code] if each.norm == name)


def z(code: str, name: str, score: float, person: Examinee) -> Standing:
    return standing(norm(code, name), dictionary().tests[code], score, person)


def line(code: str, name: str) -> Regression:
    model = norm(code, name).model
    assert isinstance(model, Regression)
    return model


def test_moca_21_of_a_man_of_57_has_the_published_answer() -> None:
    found = z("MOCA_RAW", "nacc-uds3-strata", 21, MAN_57)
    assert found.z == pytest.approx(-2.192308, abs=5e-7)
    assert found.expected == 26.7
    assert found.percentile == pytest.approx(1.418, abs=0.001)


class Answer(NamedTuple):
    """As NACC's own spreadsheet gives them for UDS 2, at 80 years, 12 of schooling, sex = 1."""

    code: str
    score: float
    z: float


@pytest.mark.parametrize(
    "answer",
    [
        Answer("MMSE", 27, -0.837),
        Answer("BNT30", 25, -0.346),
        Answer("LM_I", 7, -1.242),
        Answer("LM_D", 6, -0.922 - 5 * 0.02285031 / 4.058524),  # it has a delay of 35 minutes
        Answer("DSF_TOTAL", 6, -0.980),
        Answer("DSF_SPAN", 5, -1.341),
        Answer("DSB_TOTAL", 4, -0.910),
        Answer("DSB_SPAN", 3, -1.207),
    ],
)
def test_uds2_rows_give_the_answers_of_their_publisher(answer: Answer) -> None:
    assert z(answer.code, "nacc-uds2", answer.score, OLD_MAN).z == pytest.approx(answer.z, abs=6e-4)


def test_sex_counts_the_same_way_in_both_generations() -> None:
    """Women remember more words of a story and name fewer pictures; refits of the data agree."""
    for code, name, sign in (
        ("LM_I", "nacc-uds2", 1),
        ("LM_D", "nacc-uds2", 1),
        ("CRAFT_I", "nacc-uds3", 1),
        ("CRAFT_D", "nacc-uds3", 1),
        ("MMSE", "nacc-uds2", 1),
        ("MOCA_RAW", "nacc-uds3", 1),
        ("BNT30", "nacc-uds2", -1),
        ("MINT", "nacc-uds3", -1),
    ):
        women, men = (line(code, name).expected(who).mean for who in (OLD_WOMAN, OLD_MAN))
        assert np.sign(women - men) == sign, code


def test_all_rows_are_lines_through_their_coefficients() -> None:
    lines = [(p.code, p.model) for each in published().values() for p in each]
    regressions = [(code, model) for code, model in lines if isinstance(model, Regression)]
    assert len(regressions) == 29
    for code, model in regressions:
        person = Examinee(70.0, model.sex_one, 16.0)
        by_hand = np.dot(
            [model.intercept, model.sex, model.age, model.education, model.delay],
            [1, 1, 70, 16, model.delay_minutes],
        )
        assert model.expected(person).mean == pytest.approx(by_hand, abs=1e-9)
        low, high = dictionary().tests[code].low, dictionary().tests[code].high
        assert low < by_hand < high, code


def test_slow_is_worse_and_many_is_better() -> None:
    slow, quick = (z("TMT_B", "nacc-uds3", s, MAN_57).z for s in (200, 60))
    assert slow < -2
    assert quick > 0
    assert z("FLUENCY_ANIMALS", "nacc-uds3", 30, MAN_57).z > 0


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Examinee(70, "F", 2), "schooling of 2 years is outside 8 to below 26"),
        (Examinee(40, "F", 12), "age of 40 years is outside 45 to below 101"),
        (Examinee(np.nan, "F", 12), "age is unknown"),
        (Examinee(70, "F", np.nan), "schooling is unknown"),
        (Examinee(70, "", 12), "sex is unknown"),
    ],
)
def test_nobody_beyond_the_people_of_a_norm_gets_a_z(person: Examinee, reason: str) -> None:
    for each in published()["MOCA_RAW"]:
        found = standing(each, dictionary().tests["MOCA_RAW"], 25, person)
        assert np.isnan(found.z)
        assert found.reason == reason


def test_a_stratum_of_nine_is_refused() -> None:
    found = z("MOCA_RAW", "nacc-uds3-strata", 25, Examinee(92, "M", 14))
    assert found.reason == "the stratum has 9 people, z needs 10"


def test_a_person_between_strata_gets_no_z() -> None:
    whole, young = Hull(40, 90, 0, 30), Hull(40, 60, 0, 30)
    gap = Published("own", "MMSE", whole, "", "", (Stratum("F", young, 50, 28.0, 1.5),))
    test = dictionary().tests["MMSE"]
    assert standing(gap, test, 25, Examinee(50, "F", 9)).z == -2
    assert standing(gap, test, 25, Examinee(70, "F", 9)).reason == "no stratum holds the person"


def test_strata_leave_no_gap_and_do_not_overlap() -> None:
    for code, norms in published().items():
        for each in norms:
            if isinstance(each.model, Regression):
                continue
            for sex in "FM":
                for age in np.arange(45, 101, 5):
                    for education in np.arange(8, 26, 1):
                        who = Examinee(float(age), sex, float(education))
                        mine = [
                            s for s in each.model if s.sex == sex and not s.hull.why_outside(who)
                        ]
                        assert len(mine) == 1, (code, who)


@pytest.mark.parametrize(
    ("code", "person", "last_ill"),
    [
        ("CASI", Examinee(70, "F", 0), 49),
        ("CASI", Examinee(70, "F", 5), 67),
        ("CASI", Examinee(70, "", 6), 79),
        ("MMSE", Examinee(70, "", 0), 15),
        ("MMSE", Examinee(70, "", 6), 20),
        ("MMSE", Examinee(70, "", 7), 23),
        ("CVVLT_10M", Examinee(74, "", 9), 5),
        ("CVVLT_10M", Examinee(76, "", 9), 4),
    ],
)
def test_cut_offs_go_by_schooling_and_age(code: str, person: Examinee, last_ill: float) -> None:
    band, why = cutoff(cutoffs(), code, person)
    assert band is not None
    assert not why
    assert band.is_beyond(last_ill)
    assert not band.is_beyond(last_ill + 1)


def test_informants_say_more_when_it_is_worse() -> None:
    band, _ = cutoff(cutoffs(), "AD8", OLD_MAN)
    assert band is not None
    assert [band.is_beyond(score) for score in (1, 2)] == [False, True]


@pytest.mark.parametrize(
    ("code", "person", "why"),
    [
        ("CASI", Examinee(60, "F", 6), "no band holds 60 years of age with 6 of schooling"),
        ("CVVLT_10M", Examinee(75, "F", 6), "no band holds 75 years of age with 6 of schooling"),
        ("MMSE", Examinee(60, "F", np.nan), "schooling is unknown"),
        ("TMT_A", OLD_MAN, "no cut-off is known"),
    ],
)
def test_no_band_no_cut_off(code: str, person: Examinee, why: str) -> None:
    assert cutoff(cutoffs(), code, person) == (None, why)


def test_a_side_that_is_no_side_is_refused() -> None:
    with pytest.raises(DatasetError, match="side 'left'"):
        Cutoff("X", "", Hull(0, 1, 0, 1), 1, "left", np.nan, np.nan, "", "")


OWN = (
    "norm,code,intercept,sex,sex_one,age,education,sd,age_from,age_below,education_from,"
    "education_below,population,source\n"
)


def test_a_site_adds_its_own_regression(tmp_path: Path) -> None:
    path = tmp_path / "norms.csv"
    path.write_text(OWN + "own,NACCMMSE,30,-1,F,-0.05,0.2,2,50,90,0,25,Taipei,us\n")
    norms = extended(path)
    assert [each.norm for each in norms["MMSE"]] == ["nacc-uds2", "own"]
    found = standing(norms["MMSE"][1], dictionary().tests["MMSE"], 20, Examinee(70, "F", 0))
    assert found.z == pytest.approx((20 - (30 - 1 - 3.5)) / 2)
    assert norms["TMT_A"] == published()["TMT_A"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("norm,code\n", "no column intercept"),
        (OWN + "own,MMSE,x,-1,F,0,0,2,50,90,0,25,T,us\n", "Line 2 of the table of norms"),
        (OWN + "own,MMSE,30,-1,F,0,0,0,50,90,0,25,T,us\n", "no spread"),
        (OWN + "own,MMSE,30,-1,W,0,0,2,50,90,0,25,T,us\n", "Line 2"),
        (OWN + "own,HAPPY,30,-1,F,0,0,2,50,90,0,25,T,us\n", "No test 'HAPPY'"),
    ],
)
def test_a_regression_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "norms.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=message):
        extended(path)
