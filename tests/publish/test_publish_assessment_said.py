"""What the page of an evaluation says of its numbers, and how plainly."""

import re

import numpy as np
import pandas as pd
import pytest
from publish_assessment_cases import diagnosis
from publish_pages import NUMBER, Read, changed
from publish_risk_cases import risk

from tracerless import publish
from tracerless.core.assessment import TABLES, Assessment
from tracerless.publish.assessment_heart import headline
from tracerless.publish.assessment_numbers import view
from tracerless.publish.assessment_texts import EXPECTED


def page(assessment):
    return publish.assessment_page(assessment, {})


def increment(value, low, high, **facts):
    row = ("cognition", "image+cognition", "elastic_net", "auc", value, low, high, 0.5)
    table = pd.DataFrame([row], columns=TABLES["increments"])
    return headline(view(changed(diagnosis(), increments=table, facts=facts)))


def test_the_headline_is_the_increment_with_its_interval():
    english, chinese = increment(0.05, 0.021, 0.083)
    assert "+0.050 (+0.021 to +0.083)" in english
    assert "adds something" in english
    assert "+0.050 (+0.021 至 +0.083)" in chinese


def test_an_increment_that_may_be_nothing_is_called_so():
    assert "may add nothing" in increment(0.05, -0.01, 0.11)[0]
    assert "worse" in increment(-0.05, -0.09, -0.01)[0]


def test_without_an_increment_the_run_speaks_but_not_for_few_people():
    case = changed(diagnosis(), increments=None, facts={"headline": "AUC 0.9 in 400 people."})
    assert headline(view(case))[0] == "AUC 0.9 in 400 people."
    few = changed(case, facts={"n_people": 80})
    assert headline(view(few))[0] == "What the image adds to cognition was not measured."
    assert increment(float("nan"), float("nan"), float("nan"), headline="Said.")[0] == "Said."


def test_the_leaky_arm_is_never_the_arm_of_a_result():
    case = diagnosis()
    table = case.tables["performance"]
    only = changed(case, performance=table[table["arm"] == "leaky"])
    assert view(only).shown_arm("performance") == ""
    decisions = re.search(r"<section><h2>Decision curve.*?</section>", page(case), re.DOTALL)[0]
    assert "leaky" not in decisions


@pytest.mark.parametrize("task", ["diagnosis", "risk"])
def test_an_empty_evaluation_has_a_page_that_says_what_is_missing(task):
    content = page(Assessment("empty", task, {}, {}))
    assert "Not made in this evaluation: performance, increments" in content
    assert "was not measured" in content
    assert not Read(content).open


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_page_stands_without_any_one_of_its_tables(name):
    case = risk(200) if name in {"absolute_risk", "bands", "incidence"} else diagnosis(200)
    content = page(changed(case, **{name: None}))
    assert not Read(content).open
    assert name.replace("_", " ") in re.search(r"Not made in this evaluation: ([^<]*)", content)[1]


def test_where_nothing_is_missing_there_is_no_table_of_it():
    content = page(changed(diagnosis(), missingness=None))
    assert "Missing values" not in content
    assert "Not made in this evaluation" not in content


def test_a_second_method_stands_beside_the_first():
    drawn = [{"arm": "image", "model": "mlp", "value": 0.71, "low": 0.6, "high": 0.8}]
    corrected = [{"model": "mlp", "value": 0.4321, "low": None, "high": None, "p": 0.4}]
    content = page(diagnosis(auc_bootstrap=drawn, corrected_t=corrected))
    rows = Read(content).tables["two-intervals"]
    assert len(rows) == 2
    assert rows[1][3] == "0.71(0.60 to 0.80)"
    assert "MLP (neural network) withheld, p 0.400" in content
    assert "0.43" not in re.search(r"fold by fold[^<]*", content)[0]
    assert "by other methods" not in page(diagnosis())


def test_people_who_are_simulated_and_images_that_are_synthetic_are_called_so():
    assert "SIMULATED" in page(diagnosis())
    assert "SIMULATED" not in page(diagnosis(domain="acquired"))
    content = page(diagnosis(domain="synthetic:unet"))
    assert 'class="banner"' in content
    assert "images of this evaluation are SYNTHETIC" in content


def test_a_sentinel_that_finds_something_fails_the_page():
    case = diagnosis()
    rows = [(k, "auc", 0.6 + 0.001 * k) for k in range(20)]
    bad = page(changed(case, sentinel=pd.DataFrame(rows, columns=TABLES["sentinel"])))
    assert "does NOT hold 0.5" in bad
    assert 'class="failed"' in bad
    assert 'class="failed"' not in page(case)


def test_the_interval_of_the_sentinel_that_a_run_states_is_the_one_that_counts():
    case = changed(diagnosis(), facts={"sentinel": {"low": 0.52, "high": 0.6, "holds": False}})
    assert "does NOT hold 0.5" in page(case)


def test_a_finding_of_the_audit_fails_its_section():
    case = diagnosis()
    row = ("row split", "found", "7 people are on both sides.", "Split by person.")
    found = changed(case, findings=pd.DataFrame([row], columns=TABLES["findings"]))
    content = page(found)
    assert "1 checks: 1 found something" in content
    assert "7 people are on both sides." in content
    assert 'class="failed"' in content


def test_a_single_split_is_shown_inside_the_range_of_the_others():
    case = diagnosis()
    others = case.tables["single_split"].iloc[1:]["value"]
    low, high = np.quantile(others, [0.025, 0.975])
    assert f"95 % of them between {low:.2f} and {high:.2f}" in page(case)
    alone = changed(case, single_split=case.tables["single_split"].iloc[:1])
    content = page(alone)
    assert "withheld" in content
    assert "one split gives" not in content


def test_a_group_that_is_too_small_tells_why_and_no_number():
    content = page(diagnosis())
    assert "17 people, 20 needed" in content


def test_a_band_that_does_not_hold_is_called_so():
    case = risk(600)
    table = case.tables["bands"].copy()
    table.loc[0, ["observed", "low", "high"]] = [0.3, 0.2, 0.4]
    rows = Read(page(changed(case, bands=table))).tables["bands"]
    assert rows[1][1].startswith("more fell ill than told")
    assert rows[2][1].startswith("agrees")


def test_a_curve_at_a_horizon_belongs_to_its_model():
    content = page(risk(600))
    assert "Decision curve" in content
    assert "Cox, ridge at 3 y" in content
    assert "Cox 脊迴歸，3 年" in content


def test_groups_are_told_in_the_measure_that_they_were_measured_in():
    case = risk(600)
    row = ("stage", "MCI", 300, "auc_t", 0.78, 0.7, 0.85, "")
    content = page(changed(case, subgroups=pd.DataFrame([row], columns=TABLES["subgroups"])))
    assert "MCI (n = 300)" in content
    assert "0.78 (0.70 to 0.85)" in content


def test_text_from_outside_is_escaped():
    case = diagnosis(scanners={"<script>alert(1)</script>": 400})
    content = page(case)
    assert "<script>alert" not in content
    assert "&lt;script&gt;alert" in content


def test_names_in_every_table_are_escaped():
    for case in (diagnosis(), risk(600)):
        odd = {
            name: table.assign(
                **{
                    column: [f"<b>{each}" for each in table[column]]
                    for column in set(table.columns)
                    & {
                        "group",
                        "check",
                        "what",
                        "predictor",
                        "event",
                        "band",
                        "setting",
                        "class",
                        "predicted_class",
                    }
                }
            )
            for name, table in case.tables.items()
        }
        content = page(changed(case, **odd))
        assert "<b>" not in content
        assert "&lt;b&gt;" in content


def test_a_locked_hash_and_an_external_evaluation_are_said():
    content = page(diagnosis(validation="external", external_of="ecd"))
    assert "Locked model 0123456789abcdef" in content
    assert "people it has never seen" in content
    assert "One dataset: nothing is known" not in content


def test_a_locked_model_leads_with_how_it_does_elsewhere_and_shows_recalibration_apart():
    case = diagnosis(validation="external", external_of="ecd")
    before = case.tables["calibration"]
    after = before.assign(model="elastic_net, recalibrated in the large")
    both = pd.concat([before, after], ignore_index=True)
    external = changed(case, increments=None, calibration=both)
    assert re.match(
        rf"Locked model ecd on 400 people it never saw: AUC {NUMBER} \(",
        headline(view(external))[0],
    )
    heads = re.findall(r"<h3>(.*?) <span", page(external))
    assert heads[:2] == ["elastic-net logistic", "elastic-net logistic, recalibrated in the large"]
    assert "彈性網路羅吉斯，整體重新校準" in page(external)


def test_a_card_holds_what_the_page_holds_and_no_bare_number():
    card = publish.model_card(diagnosis(80))
    assert card.startswith("# Model card: demo\n")
    assert card.endswith("\n")
    told = re.search(r"## Performance\n\n(.*)\n", card)[1]
    assert len(re.findall(r"\(middle", told)) == 5
    assert "never a result" in told
    assert "too few for a verdict" in card
