"""The sentence about diagnosis follows from the intervals, and from nothing else."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.errors import ModelError
from tracerless.evaluate.claims import (
    ACQUIRED,
    DEMOGRAPHICS,
    MR_ONLY,
    SYNTHETIC,
    Diagnosed,
    Pair,
    Verdict,
    claim,
    claims_table,
    needed,
    people_needed,
)
from tracerless.statistics.resampling import Interval

AREAS = {SYNTHETIC: 0.86, ACQUIRED: 0.88, DEMOGRAPHICS: 0.6, "mr": 0.75, "asl": 0.7, "mr+asl": 0.78}


def found(areas=AREAS, half=0.03, domain="simulated", **changed):
    """Differences of those areas, each with that half-width unless changed."""
    differences = {}
    for pair in needed(areas):
        gap = areas[pair.arm] - areas[pair.against]
        differences[pair] = Interval(gap, gap - half, gap + half)
    for words, interval in changed.items():
        arm, against = words.split("_less_")
        differences[Pair(arm, against)] = interval
    own = {arm: Interval(area, area - half, area + half) for arm, area in areas.items()}
    return Diagnosed("CN/AD", domain, 200, own, differences)


def test_within_the_margin_is_not_worse():
    made = claim(found(half=0.02))
    assert made.verdict is Verdict.NOT_WORSE
    assert made.difference == found(half=0.02).differences[Pair(SYNTHETIC, ACQUIRED)]


def test_an_interval_that_reaches_past_the_margin_is_no_equality():
    assert claim(found(half=0.04)).verdict is Verdict.BETTER


def test_equal_to_acquired_is_not_worse():
    areas = {**AREAS, SYNTHETIC: AREAS[ACQUIRED]}
    nothing = Interval(0.0, 0.0, 0.0)
    assert claim(found(areas, synthetic_less_acquired=nothing)).verdict is Verdict.NOT_WORSE


def test_the_training_mean_claims_nothing():
    areas = {**AREAS, SYNTHETIC: AREAS[DEMOGRAPHICS]}
    made = claim(found(areas))
    assert made.verdict is Verdict.NEITHER
    assert "tells less than acquired" in made.english


def test_equality_means_nothing_where_acquired_tells_nothing():
    areas = dict.fromkeys(AREAS, 0.55)
    made = claim(found(areas, half=0.01))
    assert made.verdict is Verdict.NEITHER
    assert "would mean nothing" in made.english
    assert "which shows nothing here" in made.english
    assert "neither shown to be within" not in made.english


def test_it_is_said_how_many_people_it_would_take():
    wide = found(half=0.06)
    n = people_needed(wide, 0.05)
    assert f"about {n} people" in claim(wide).english
    assert f"約需 {n} 人" in claim(wide).chinese
    error = 0.06 / 1.96 * (200 / n) ** 0.5
    assert 0.05 / error == pytest.approx(1.96 + 0.84, abs=0.02)
    assert "would show it" not in claim(found(half=0.02)).english


@pytest.mark.parametrize("arm", MR_ONLY)
def test_better_than_mr_needs_every_arm_of_mr(arm):
    areas = {**AREAS, ACQUIRED: 0.97, arm: 0.85}
    assert claim(found({**AREAS, ACQUIRED: 0.97})).verdict is Verdict.BETTER
    assert claim(found(areas)).verdict is Verdict.NEITHER


def test_not_worse_says_where_mr_itself_does_as_well():
    areas = {**AREAS, "mr+asl": 0.86}
    made = claim(found(areas, half=0.02))
    assert made.verdict is Verdict.NOT_WORSE
    assert "not shown to add to what MR itself says" in made.english
    assert "未能證明其比 MR 本身提供更多資訊" in made.chinese
    assert "not shown to add" not in claim(found(half=0.02)).english


def test_a_task_that_everything_solves_is_said_to_tell_nothing_apart():
    areas = dict.fromkeys(AREAS, 0.98) | {DEMOGRAPHICS: 0.6}
    assert "too easy" in claim(found(areas, half=0.01)).english


def test_simulated_people_are_never_passed_off_as_patients():
    assert "says nothing of patients" in claim(found()).english
    assert "模擬" in claim(found()).chinese
    real = claim(found(domain="acquired"))
    assert "simulated" not in real.english.lower()
    assert "模擬" not in real.chinese


def test_a_synthesizer_that_was_told_cognition_claims_nothing():
    told = replace(found(half=0.02), knows_cognition=True)
    made = claim(told)
    assert made.verdict is Verdict.NEITHER
    assert "told a cognitive score" in made.english
    assert "認知測驗分數" in made.chinese


@given(st.lists(st.floats(0.5, 0.99), min_size=6, max_size=6), st.floats(0.001, 0.2))
def test_exactly_one_verdict_follows_with_the_same_numbers_in_both_languages(values, half):
    areas = dict(zip(AREAS, values, strict=True))
    given_ = found(areas, half)
    low = {pair: interval.low for pair, interval in given_.differences.items()}
    sensitive = min(low[Pair(ACQUIRED, DEMOGRAPHICS)], low[Pair(SYNTHETIC, DEMOGRAPHICS)]) > 0
    made = claim(given_)
    if low[Pair(SYNTHETIC, ACQUIRED)] > -0.05 and sensitive:
        expected = Verdict.NOT_WORSE
    elif all(low[Pair(SYNTHETIC, arm)] > 0 for arm in MR_ONLY):
        expected = Verdict.BETTER
    else:
        expected = Verdict.NEITHER
    assert made.verdict is expected
    numbers = re.compile(r"[-+]?\d\.\d{2,3}")
    assert sorted(numbers.findall(made.english)) == sorted(numbers.findall(made.chinese))


@given(st.floats(0.01, 0.2), st.floats(0.01, 0.2))
def test_a_wider_margin_never_takes_an_equality_away(one, other):
    narrow, wide = sorted((one, other))
    if claim(found(), margin=narrow).verdict is Verdict.NOT_WORSE:
        assert claim(found(), margin=wide).verdict is Verdict.NOT_WORSE


@pytest.mark.parametrize("margin", [0.0, -0.1, 0.5, 2.0])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(ModelError, match="margin"):
        claim(found(), margin=margin)


@pytest.mark.parametrize("arm", [SYNTHETIC, ACQUIRED, DEMOGRAPHICS])
def test_nothing_is_claimed_without_an_arm(arm):
    areas = {name: area for name, area in AREAS.items() if name != arm}
    with pytest.raises(ModelError, match="without arm"):
        found(areas)


def test_a_missing_difference_is_refused():
    whole = found()
    with pytest.raises(ModelError, match="no difference"):
        replace(whole, differences={})


def test_claims_are_a_table_of_an_evaluation():
    table = claims_table([claim(found(half=0.04)), claim(found(half=0.02))])
    assert tuple(table.columns) == TABLES["claims"]
    made = Assessment("x", "synthesis", {}, {"claims": table})
    assert list(made.tables["claims"]["verdict"]) == [Verdict.BETTER, Verdict.NOT_WORSE]
