"""The page of an evaluation: nothing bare, nothing hidden, nothing from elsewhere."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from publish_assessment_cases import diagnosis
from publish_pages import NUMBER, Read, changed
from publish_risk_cases import risk

from tracerless import publish
from tracerless.core.assessment import Assessment
from tracerless.io import reporting
from tracerless.publish.assessment_numbers import spread, view


def page(assessment):
    return publish.assessment_page(assessment, {})


CASES = {
    "two": diagnosis,
    "four": lambda: diagnosis(600, ("CN", "MCI", "AD", "DLB")),
    "small": lambda: diagnosis(80),
    "risk": lambda: risk(600),
}


@pytest.fixture(scope="module", params=CASES)
def shown(request):
    return publish.assessment_page(CASES[request.param](), reporting.checklists())


def test_a_page_is_well_formed_and_no_id_stands_twice(shown):
    read = Read(shown)
    assert not read.open
    assert len(read.ids) == len(set(read.ids))


def test_a_page_asks_nothing_of_any_network(shown):
    assert not re.search(r"https?://|<link|<img|<iframe|@import|url\(|src=|href=", shown)


def test_every_heading_has_both_languages(shown):
    heads = re.findall(r"<h2>(.*?)</h2>", shown)
    assert len(heads) > 8
    assert all(re.search(r'lang="zh-Hant-TW">[^<]*[\u4e00-\u9fff]', head) for head in heads)


def test_every_sentence_of_the_page_has_both_languages(shown):
    said = re.findall(r'<p class="(?:note|lead|plainly|headline)">(.*?)</p>', shown, re.DOTALL)
    assert len(said) > 10
    assert [each for each in said if 'lang="zh-Hant-TW"' not in each] == []


def test_nothing_reads_nan_or_none(shown):
    text = re.sub(r"<script>.*?</script>|<[^>]+>", " ", shown, flags=re.DOTALL)
    assert not re.search(r"\b(nan|None|inf)\b", text)


def test_every_measure_stands_with_its_interval(shown):
    read = Read(shown)
    whole = rf"{NUMBER}\({NUMBER} to {NUMBER}\)|{NUMBER} to {NUMBER}\(middle {NUMBER}\)"
    columns = {
        "probabilities": slice(2, None),
        "performance": slice(2, None),
        "increments": slice(3, None),
        "predictive": slice(2, None),
    }
    for name in set(columns) & set(read.tables):
        cells = [cell for row in read.tables[name][1:] for cell in row[columns[name]]]
        assert cells
        assert any(re.fullmatch(whole, cell) for cell in cells)
        assert [cell for cell in cells if not re.fullmatch(rf"{whole}|–", cell)] == []


def test_equal_evaluations_give_equal_pages():
    assert page(diagnosis()) == page(diagnosis())


@given(
    value=st.floats(-2, 2) | st.just(float("nan")),
    ends=st.tuples(*[st.floats(-3, 3) | st.sampled_from([float("nan"), float("inf")])] * 2),
    small=st.booleans(),
    signed=st.booleans(),
)
def test_a_number_without_both_ends_is_never_written(value, ends, small, signed):
    low, high = ends
    said = spread(value, low, high, small=small, signed=signed)
    if np.isnan(value):
        assert said == "–"
    elif np.isfinite([low, high]).all():
        assert len(re.findall(NUMBER, said)) == 3
        assert "-0.00 " not in said
    else:
        assert said == "withheld"


def test_a_table_value_without_interval_is_withheld_from_table_chart_and_card():
    case = diagnosis()
    table = case.tables["performance"].copy()
    is_it = (table["arm"] == "image") & (table["model"] == "mlp") & (table["metric"] == "auc")
    table.loc[is_it, ["value", "low", "high"]] = [0.3111, np.nan, np.nan]
    content = page(changed(case, performance=table))
    assert "0.311" not in content + publish.model_card(changed(case, performance=table))
    assert content.count(">withheld<") == 2


def test_80_people_are_told_as_intervals_and_never_as_a_bare_accuracy():
    content = page(diagnosis(80))
    assert "80 people: too few" in content
    assert "僅 80 人" in content
    assert not re.search(r"(?i)(?<!balanced )accuracy", content)
    rows = Read(content).tables["performance"][1:]
    assert all(re.match(rf"{NUMBER} to", cell) for row in rows for cell in row[2:])
    assert "one split gives" not in content
    for name, first in (("confusion", 1), ("sets", 2)):
        for row in Read(content).tables[name][1:]:
            assert re.search(r"\d+% to \d+% \(middle", row[first])
    assert re.search(rf"AUC {re.escape('+')}?-?\d.\d\d to .*middle", content)


def test_100_people_are_told_with_the_value_first():
    assert "too few" not in page(diagnosis(100))


def test_an_evaluation_of_unknown_size_counts_as_small():
    case = diagnosis(400)
    facts = {name: value for name, value in case.facts.items() if name not in {"n", "n_people"}}
    assert view(Assessment("x", "diagnosis", facts, case.tables)).is_small
