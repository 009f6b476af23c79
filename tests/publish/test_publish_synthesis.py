"""The page of an evaluation of synthetic PET: first things first, nothing hidden, two languages."""

import re

import numpy as np
import pytest
from publish_synthesis_cases import synthesis

from tracerless import publish
from tracerless.core.prediction import SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH
from tracerless.evaluate.claims import Verdict
from tracerless.io import reporting
from tracerless.publish import synthesis_claim, synthesis_texts, texts, tripod
from tracerless.publish.assessment_numbers import view
from tracerless.publish.synthesis import EXPECTED

LISTS = reporting.checklists("synthesis")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture(scope="module")
def page():
    return publish.synthesis_page(synthesis(), LISTS, {"simA0001/01": PNG})


def test_the_first_line_is_skill_slope_and_group_coverage_under_the_synthetic_banner(page):
    body = page[page.index("<body>") :]
    places = [body.index(each) for each in (SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH, "slope 0.71")]
    assert places == sorted(places)
    assert body.index("slope 0.71") < body.index("<section>")
    assert body.index("SIMULATED people only") < body.index("<section>")


def test_every_table_has_its_section_and_a_missing_one_is_named(page):
    assert "Not made in this evaluation" not in page
    bare = publish.synthesis_page(synthesis(tables=("skill",)), LISTS)
    named = bare[bare.index("Not made in this evaluation") :]
    for name in EXPECTED:
        assert (name.replace("_", " ") in named) == (name != "skill")


def test_a_group_that_is_not_covered_is_red_and_named_first(page):
    assert "Least covered group: AD, 60% of its truths (n 10, 55% to 65%)." in page
    assert re.search(r'class="num low"[^>]*>60%', page)
    assert not re.search(r'class="num low"[^>]*>9[0-9]%', page)


def test_rivals_stand_on_the_page_but_never_as_the_model(page):
    for words in ("population mean", "age and sex alone", "linear MR"):
        assert words in page


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_said_in_words_in_both_languages(page, verdict):
    for words in synthesis_texts.VERDICTS[str(verdict)]:
        assert words in page
    assert f"CN/AD: {verdict}" not in page


def test_a_dose_is_drawn_as_the_loss_that_comes_out(page):
    """Of all that comes out the dots lie on the diagonal: twice the loss, twice as high."""
    drawn = page[page.index("Dose and response") :]
    dots = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn[: drawn.index("</svg>")])
    heights = [float(y) for _, y in dots]
    none, flow, both = (np.array(heights[at : at + 4]) for at in (0, 4, 8))
    rise = none[0] - flow
    np.testing.assert_allclose(rise / rise[0], [1, 2, 4, 8], rtol=0.05)
    np.testing.assert_allclose(both - none, 1.6 * (flow - none), rtol=0.05)


def test_all_regions_together_are_not_counted_as_a_region(page):
    across = page[page.index('id="frames"') :]
    assert re.search(r"fdg36 / pons</td><td class=\"num\"[^>]*>4<", across)


def test_maps_that_were_trained_on_one_contrast_alone_stand_beside_the_model(page):
    part = page[page.index("What each input is worth") :]
    assert "a linear map that was trained on these alone" in part[: part.index("</section>")]


def test_a_check_that_found_something_is_red(page):
    part = page[page.index("Checks that must hold") - 200 :]
    assert part.index('class="failed"') < part.index("2 checks: 1 found something")
    assert "Stop." in part


def test_a_linear_map_in_the_place_of_a_network_is_said(page):
    assert page.count("LINEAR map stands in the place of this network") == 2


def test_a_failure_has_its_picture_and_says_what_the_interval_held(page):
    part = page[page.index("Failure gallery") :]
    assert "error -0.31 SUVR, interval ±0.12. Beyond its interval." in part
    assert 'src="data:image/png;base64,' in part
    assert "SYNTHETIC FDG" in part


def test_a_model_that_saw_cognition_is_marked_before_any_number():
    marked = publish.synthesis_page(synthesis(marked_for_cognition=True), LISTS)
    said = texts.COGNITION[0]
    assert marked.index(said) < marked.index("<section>")
    assert said not in publish.synthesis_page(synthesis(), LISTS)


def test_the_page_asks_nothing_of_any_network_and_is_the_same_every_time(page):
    assert not re.search(r"(?:src|href)=[\"'](?!data:)", page)
    assert page == publish.synthesis_page(synthesis(), LISTS, {"simA0001/01": PNG})


def test_claim_has_44_items_and_every_answer_belongs_to_one():
    items = LISTS["claim"]
    assert items["item"].tolist() == [str(n) for n in range(1, 45)]
    asked = {fact for fact in items["fact"] if fact}
    assert asked == set(synthesis_claim.ANSWERS)


def test_claim_states_nothing_that_the_run_does_not_know():
    known = tripod.answered(LISTS["claim"], view(synthesis()), synthesis_claim.ANSWERS)
    bare = view(synthesis(n_people=None, tables=()))
    empty = tripod.answered(LISTS["claim"], bare, synthesis_claim.ANSWERS)
    said = dict(zip(known["fact"], known["answer"], strict=True))
    unsaid = dict(zip(empty["fact"], empty["answer"], strict=True))
    assert "Skill against population mean, all: +0.30" in said["internal"]
    assert unsaid["internal"] == unsaid["failures"] == unsaid["diagnosis"] == ""
