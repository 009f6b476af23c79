"""The page of a training says first how good the model is, and draws what was recorded."""

import re
from dataclasses import replace

import pytest

from tracerless.publish import training_page
from tracerless.publish.training_record import Shown, TrainingRecord

RECORD = TrainingRecord(
    name="unet-tiny:abc",
    training_domain="simulated",
    uses_cognition=False,
    settings={"network": "unet-tiny", "steps": 4},
    losses={"0/answer": (0.4, 0.3, 0.2, 0.1), "0/critic": (1.0, 0.9, 0.8, 0.7)},
    checks={"0": ((0, 0.0), (4, 0.3))},
    shown={"T1w+T2w+cbf": Shown(True, 0.31, 0.9, 12), "T2w": Shown(False, -0.02, 0.0, 12)},
    n_trained=20,
    n_held_out=12,
    counts={"AD": 9, "CN": 11},
    counts_held_out={"CN": 12},
    split_by="person",
    sites={"maker <b>": 20},
    facts={"CPU-seconds": 12.5},
)


def texts(page):
    return re.sub(r"<[^>]+>", " ", page)


def lines(page):
    found = re.findall(r'<polyline points="([^"]+)"', page)
    return [[tuple(map(float, p.split(","))) for p in each.split()] for each in found]


def test_the_headline_comes_first_and_says_skill_and_slope():
    page = training_page(RECORD)
    headline = re.search(r'<p class="headline">(.+?)</p>', page)[1]
    assert "+0.31" in headline
    assert "0.90" in headline
    assert "12 people" in headline
    assert page.index("headline") < page.index("<section>")


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ({"T1w": Shown(False, -0.1, 0.0, 12)}, "refuses to predict"),
        ({"T1w": Shown(True, None, 1.0, 0)}, "how good this model is, is not known"),
        ({}, "how good this model is, is not known"),
    ],
)
def test_a_model_without_skill_is_not_praised(shown, said):
    page = training_page(replace(RECORD, shown=shown))
    assert said in texts(page)
    assert "+0.31" not in page


def test_what_marks_a_model_is_said_and_only_then():
    plain = texts(training_page(RECORD))
    marked = texts(
        training_page(
            replace(RECORD, uses_cognition=True, base="unet:old", training_domain="acquired")
        )
    )
    assert "SIMULATED people only" in plain
    assert "SIMULATED people only" not in marked
    assert "COGNITION WAS LOOKED AT" in marked
    assert "COGNITION WAS LOOKED AT" not in plain
    assert "Fine-tuned from unet:old" in marked
    assert "Fine-tuned" not in plain


def test_a_falling_loss_is_drawn_falling_and_skill_rising():
    skill, answer, critic = lines(training_page(RECORD))
    assert [y for _, y in skill] == sorted((y for _, y in skill), reverse=True)
    for curve in (answer, critic):
        assert len(curve) == 4
        assert [y for _, y in curve] == sorted(y for _, y in curve)
        assert [x for x, _ in curve] == sorted(x for x, _ in curve)


def test_a_long_history_stays_small_and_keeps_its_level():
    flat = training_page(replace(RECORD, losses={"0/answer": [0.25] * 50_000}))
    assert len(flat) < 60_000
    _, curve = lines(flat)
    assert len({y for _, y in curve}) == 1
    assert len(curve) <= 120


def test_an_unknown_loss_leaves_a_gap_and_no_nan():
    losses = {"0/answer": [0.4, 0.3, float("nan"), 0.2, 0.1]}
    page = training_page(replace(RECORD, losses=losses))
    assert len(lines(page)) == 3
    assert not any("nan" in each for each in re.findall(r"<svg.*?</svg>", page, re.DOTALL))


def test_a_solved_network_has_no_curve():
    page = training_page(replace(RECORD, losses={}, checks={}))
    assert not lines(page)
    assert "solved for at once" in texts(page)


def test_people_add_up_and_refused_inputs_are_marked():
    page = training_page(RECORD)
    assert re.search(r"all.*?20.*?12", texts(page[page.index('id="people"') :]), re.DOTALL)
    row = re.search(r"<tr><td>T2w</td>.*?</tr>", page)[0]
    assert "refuses" in row
    assert "拒絕" in row
    assert "-0.02" in row


def test_a_page_is_whole_alone_escaped_and_the_same_every_time():
    page = training_page(RECORD)
    assert "maker <b>" not in page
    assert "maker &lt;b&gt;" in page
    assert not re.search(r"https?://", page)
    assert "SYNTHETIC" in page
    assert "人工合成影像" in page
    assert page == training_page(RECORD)
