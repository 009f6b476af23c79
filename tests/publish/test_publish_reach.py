"""Whether the model may speak of a person's scans stands first on their page, in both languages."""

from dataclasses import replace

import pytest

from tracerless import publish
from tracerless.core.prediction import Reach
from tracerless.publish import texts

WHY = "T1w: a block of the left frontal lobe is unlike all training people."


def section(prepared, atlas, template, tables, prediction):
    page = publish.session_page(
        prepared, atlas, template=template, tables=tables, prediction=prediction
    )
    start = page.index("The synthetic PET, plainly")
    opening = page.rindex("<section", 0, start)
    return page[opening : page.index("</section>", start)]


@pytest.mark.parametrize("verdict", ["inside", "edge", "outside"])
def test_reach_comes_before_everything_else_and_a_red_frame_only_where_nothing_holds(
    verdict, prepared, atlas, template, tables, prediction
):
    notes = () if verdict == "inside" else (WHY,)
    made = replace(prediction, reach=Reach(verdict, 0.0, (WHY,)), notes=notes)
    said = section(prepared, atlas, template, tables, made)
    english, chinese = texts.REACH[verdict]
    assert said.index(english) < said.index(chinese) < said.index(texts.SIMULATED["simulated"][0])
    assert ("class=" in said[:30] and "failed" in said[:30]) == (verdict == "outside")
    assert (WHY in said) == (verdict != "inside")
    assert said.count(WHY) == len(notes)


def test_what_stands_on_the_page_already_is_not_said_again_among_the_notes(
    prepared, atlas, template, tables, prediction
):
    doubt = "T1w: a missing slice was filled from its neighbors."
    own = "The cbf shows only 68% of the brain; the rest was guessed without it."
    notes = ("OUTSIDE: unlike any.", WHY, own, f"The prepared session is up for review: {doubt}")
    made = replace(prediction, reach=Reach("outside", 0.0, (WHY,)), notes=notes)
    reviewed = replace(prepared, verdict="review", reasons=(doubt,))
    page = publish.session_page(reviewed, atlas, template=template, tables=tables, prediction=made)
    assert page.count(doubt) == 1
    said = section(reviewed, atlas, template, tables, made)
    assert own in said
    assert said.count(WHY) == 1
    assert "OUTSIDE: unlike any." not in said
    assert doubt not in said
    assert doubt in section(
        prepared, atlas, template, tables, made
    )  # the page says it nowhere else


def test_a_prediction_that_looked_at_cognition_says_so(
    prepared, atlas, template, tables, prediction
):
    marked = replace(prediction, covariates=("age", "sex", "MMSE"))
    for sentence in texts.COGNITION:
        assert sentence in section(prepared, atlas, template, tables, marked)
        assert sentence not in section(prepared, atlas, template, tables, prediction)
