"""The reporting checklists: complete, in both languages, filled with nothing but what is known."""

import re

import pandas as pd
import pytest
from publish_assessment_cases import diagnosis
from publish_risk_cases import risk

from tracerless.core.assessment import Assessment
from tracerless.core.errors import ModelError
from tracerless.io import reporting
from tracerless.publish import tripod
from tracerless.publish.assessment_numbers import view

LISTS = reporting.checklists()
WHOLE = (diagnosis(), risk(), diagnosis(80, validation="external", external_of="ecd"))
NOBODY = view(Assessment("empty", "diagnosis", {}, {}))


def answers(name, assessment):
    filled = tripod.answered(LISTS[name], view(assessment))
    return dict(zip(filled["item"], filled["answer"], strict=True))


def test_tripod_has_its_27_items_in_52_parts():
    items = LISTS["tripod_ai"]["item"]
    assert len(items) == 52
    assert items.is_unique
    assert list(dict.fromkeys(int(re.sub(r"\D", "", item)) for item in items)) == list(range(1, 28))


def test_probast_has_16_questions_on_development_and_18_on_evaluation():
    table = LISTS["probast_ai"]
    assert table["part"].value_counts().to_dict() == {"development": 16, "evaluation": 18}
    per_domain = table["item"].str[:2].value_counts().to_dict()
    shared = {f"{part}{n}": size for part in "DE" for n, size in ((1, 3), (2, 4), (3, 4))}
    assert per_domain == {**shared, "D4": 5, "E4": 7}


@pytest.mark.parametrize("name", reporting.CHECKLISTS["diagnosis"])
def test_every_item_speaks_both_languages(name):
    table = LISTS[name]
    assert tuple(table.columns) == tripod.COLUMNS
    assert (
        table[["topic_zh", "zh"]]
        .map(lambda text: bool(re.search("[\u4e00-\u9fff]", text)))
        .all(axis=None)
    )
    assert table[["topic_en", "en"]].map(lambda text: text.isascii() and bool(text)).all(axis=None)


def test_every_answer_belongs_to_an_item_and_every_item_has_its_answer():
    asked = {fact for table in LISTS.values() for fact in table["fact"] if fact}
    assert asked == set(tripod.ANSWERS)


def test_an_item_that_nobody_can_answer_is_refused_by_name():
    odd = LISTS["tripod_ai"].head(1).assign(fact="sampel_size")
    with pytest.raises(ModelError, match=r"No answer is called 'sampel_size'.*sample_size"):
        tripod.answered(odd, NOBODY)


@pytest.mark.parametrize("fact", sorted(tripod.ANSWERS))
def test_no_answer_makes_up_what_it_does_not_know(fact):
    for assessment in (NOBODY.assessment, Assessment("empty", "risk", {"domain": "other"}, {})):
        said = tripod.ANSWERS[fact](view(assessment))
        assert not re.search(r"\b(None|nan|\{|\})", said)
        assert not re.search(
            r"(?<!fewer than )(?<!under )\b\d+(?:\.\d+)?\b(?! are not)", said
        ) or fact in {
            "code",
            "limits",
        }


@pytest.mark.parametrize("fact", sorted(tripod.ANSWERS))
def test_every_answer_of_a_whole_run_is_one_line_without_braces(fact):
    for case in WHOLE:
        said = tripod.ANSWERS[fact](view(case))
        assert not re.search(r"[{}\n]|\bNone\b|\bnan\b|\.\.", said)


def test_a_run_fills_more_than_an_empty_one_and_never_ethics_or_funding():
    empty, whole = (answers("tripod_ai", each) for each in (NOBODY.assessment, diagnosis()))
    assert sum(map(bool, whole.values())) > sum(map(bool, empty.values())) + 10
    for item in ("17", "18a", "18b", "18c", "18d", "18e", "19", "8c"):
        assert whole[item] == ""


def test_events_per_parameter_below_ten_are_called_so():
    assert "as few as" in answers("tripod_ai", diagnosis(80))["10"]
    many = diagnosis(80, events_per_parameter={"image": 12.0, "cognition": 30.0})
    assert "at least 12.0" in answers("tripod_ai", many)["10"]


def test_shuffled_labels_and_audit_answer_the_question_of_leakage():
    said = answers("probast_ai", diagnosis())["E4.5"]
    assert "Audit: 1 not checked, 2 pass." in said
    assert "20 runs" in said


def test_a_checklist_marks_what_the_author_must_state():
    shown = tripod.checklist("tripod_ai", LISTS["tripod_ai"], view(diagnosis()))
    n = sum(not answer for answer in answers("tripod_ai", diagnosis()).values())
    assert shown.count(f'<td class="low">{tripod.AUTHOR}') == n
    assert f"the author must state {n}." in shown


def test_a_list_of_ones_own_is_shown_under_its_name():
    own = pd.DataFrame([("a", "1", "T", "題", "Asks", "問", "")], columns=tripod.COLUMNS)
    assert "my_list" in tripod.checklist("my_list", own, NOBODY)
