"""The page of an evaluation that was really made: simulated people, nested folds, every table."""

import re

import pytest

from tracerless import diagnose, publish
from tracerless.core.study import Arm
from tracerless.diagnose.assess import assess
from tracerless.io import reporting
from tracerless.workspace.simulate_tables import simulated_study

pytestmark = pytest.mark.slow
ARMS = (Arm.COGNITION, Arm.BOTH)


@pytest.fixture(scope="module", params=[80, 140])
def made(request):
    n = request.param
    study = simulated_study(n, seed="holdout-page", tracer="ECD", diagnoses=("CN", "AD"))
    settings = diagnose.Settings(
        classes=("CN", "AD"), models=("prevalence", "elastic_net"), features="ratio", inner_folds=3
    )
    outs = [out for arm in ARMS for out in diagnose.nested(study, arm, settings=settings)]
    evaluation = assess("ecd", study, outs, settings=settings)
    return n, evaluation, publish.assessment_page(evaluation, reporting.checklists())


def test_the_headline_of_a_real_evaluation_is_its_own_increment(made):
    n, evaluation, page = made
    table = evaluation.tables["increments"]
    is_it = (table["metric"] == "auc") & (table["model"] == "elastic_net")
    low, high = table.loc[is_it, ["low", "high"]].iloc[0]
    digits = 2 if high - low > 0.1 else 3
    headline = re.search(r'class="headline">(.*?)<', page)[1]
    assert f"{low:+.{digits}f} to {high:+.{digits}f}" in headline.replace("-0.000", "+0.000")
    assert f"{n} people" in headline


def test_no_measure_of_a_real_evaluation_stands_alone(made):
    n, _, page = made
    number = r"[+-]?\d+\.\d{2,3}"
    first = rf"{number} to {number}" if n < 100 else number
    rows = re.findall(r'<table class="sortable" id="performance">(.*?)</table>', page, re.DOTALL)
    cells = re.findall(r'<td class="num[^>]*>(.*?)</td>', rows[0])
    assert len(cells) > 10
    for cell in cells:
        value, _, below = cell.partition("<br>")
        assert value == "–" or re.fullmatch(first, value)
        assert value == "–" or re.search(rf"{number}", below)


def test_few_people_are_called_few(made):
    n, _, page = made
    assert ("too few to say how good a model is" in page) == (n < 100)
