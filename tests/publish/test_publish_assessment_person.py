"""What a page says of one person: an answer with its doubt, or none with its reason."""

import math
import re

import pytest

from tracerless import publish
from tracerless.core.decision import Decision
from tracerless.core.risk import Outlook

ODDS = {"parietal": 1.2, "memory": 0.3, "occipital": -0.5}


def decision(**others):
    known = {
        "model": "ecd",
        "person": "P1",
        "visit": "01",
        "probability": {"CN": 0.05, "MCI": 0.1, "AD": 0.55, "DLB": 0.3},
        "likely": ("AD", "DLB"),
        "level": 0.9,
        "contributions": ODDS,
    }
    return Decision(**{**known, **others})


def outlook(**others):
    known = {
        "model": "dem",
        "person": "P1",
        "visit": "01",
        "years": (1.0, 3.0, 5.0),
        "risk": (0.05, 0.2, 0.36),
        "low": (0.02, 0.12, 0.24),
        "high": (0.09, 0.31, 0.5),
        "death": (0.01, 0.05, 0.1),
        "death_low": (0.0, 0.02, 0.06),
        "death_high": (0.02, 0.09, 0.17),
        "band": "high",
    }
    return Outlook(**{**known, **others})


def test_a_person_of_whom_no_model_speaks_has_no_block():
    assert publish.person_block(n_similar=3) == ""


def test_the_answer_is_the_set_and_every_probability_stands_below():
    block = publish.person_block(decision())
    assert re.search(r'class="headline">AD or DLB <span[^>]*>阿茲海默症或路易氏體失智症', block)
    for told in (">55% likely", ">30% likely", ">10%<", ">5%<"):
        assert told in block
    assert "in 90% of people of each diagnosis" in block
    assert "Research use only" in block


def test_a_model_that_abstains_says_why_and_shows_no_probability():
    block = publish.person_block(
        decision(probability={}, likely=(), contributions={}, abstains="Another tracer: FDG.")
    )
    assert "The model gives no answer. Another tracer: FDG." in block
    assert "模型不作答" in block
    assert "<svg" not in block
    assert "%" not in block


def test_the_group_that_decides_between_the_first_two_is_named():
    block = publish.person_block(decision())
    apart = math.log(0.55 / 0.30)
    assert ODDS["parietal"] > apart > ODDS["memory"]
    assert "Were only parietal average, DLB would be at least as probable as AD." in block


def test_where_no_single_group_decides_that_is_said():
    block = publish.person_block(decision(contributions={"parietal": 0.1, "memory": 0.2}))
    assert "No single group of values decides between AD and DLB." in block


def test_a_risk_stands_with_its_interval_at_every_horizon():
    block = publish.person_block(outlook=outlook())
    for told in ("5% (2% to 9%)", "20% (12% to 31%)", "36% (24% to 50%)", "10% (6% to 17%)"):
        assert told in block
    assert "high risk" in block
    assert "高風險" in block
    assert block.count("<circle") == 4


def test_a_risk_model_that_abstains_shows_no_risk():
    empty = dict.fromkeys(("years", "risk", "low", "high", "death", "death_low", "death_high"), ())
    block = publish.person_block(outlook=outlook(**empty, band="", abstains="No score was taken."))
    assert "No score was taken." in block
    assert "<svg" not in block


@pytest.mark.parametrize(("n", "said"), [(14, "14 people without disease"), (0, "Nobody without")])
def test_people_alike_are_counted(n, said):
    assert said in publish.person_block(decision(), n_similar=n)
    assert "people without disease" not in publish.person_block(decision())


def test_notes_are_shown_and_escaped():
    block = publish.person_block(decision(notes=("Two <tests> were missing.",)))
    assert "Two &lt;tests&gt; were missing." in block
