"""The evaluator against known truths, and against the ways published metrics are gamed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import ModelError, QuantityError, RecipeMismatchError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.prediction import Evaluation
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast, Quantity
from tracerless.evaluate import Pair, cohort, skill

REGIONS = tuple(f"region-{i}" for i in range(6))
FRAME = {"atlas": "six", "reference": "pons"}


def table(means: Sequence[float], contrast: Contrast = Contrast.FDG, **changes) -> RoiTable:
    values = pd.DataFrame(
        {column: means if column == "mean" else 1.0 for column in ROI_COLUMNS},
        index=list(changes.pop("regions", REGIONS)),
    )
    frame = {"quantity": Quantity.SUVR, **FRAME, "fingerprint": "f", **changes}
    return RoiTable(contrast, values=values, **frame)


def pairs(truth, predicted, mean, diagnoses=None, people=None) -> list[Pair]:
    """One pair a row."""
    n = len(truth)
    diagnoses = diagnoses or ["CN" if i % 2 else "AD" for i in range(n)]
    people = people or [f"test{i}" for i in range(n)]
    synthetic = Contrast.SYNTHETIC_FDG
    return [
        Pair(table(t), table(p, synthetic), table(m, synthetic), diagnosis, Pseudonym(who))
        for t, p, m, diagnosis, who in zip(truth, predicted, mean, diagnoses, people, strict=True)
    ]


def evaluated(made: Sequence[Pair], **changes) -> Evaluation:
    settings_ = {
        "model": "unet-tiny:0",
        "domain": "simulated",
        "fingerprint": "f",
        "trained_on": (),
        **FRAME,
    }
    return cohort(made, **{**settings_, **changes})


def people_of(n: int = 20, *, seed: int = 1):
    """(truth, mean): people differ from a mean that they do not match exactly."""
    draw = generator("evaluate-test", seed)
    mean = np.tile(draw.uniform(1.0, 1.6, len(REGIONS)), (n, 1))
    return mean + draw.normal(0.01, 0.1, mean.shape), mean


def test_the_training_mean_has_skill_exactly_zero() -> None:
    truth, mean = people_of()
    got = evaluated(pairs(truth, mean, mean))
    assert got.skill.value == got.skill.low == got.skill.high == 0
    assert (got.by_region["skill"] == 0).all()
    assert (got.by_diagnosis["skill"] == 0).all()
    assert got.by_region["slope"].abs().max() < 1e-9
    assert got.by_region["r"].isna().all()


def test_a_perfect_prediction_has_skill_one() -> None:
    truth, mean = people_of()
    got = evaluated(pairs(truth, truth, mean))
    assert got.skill.value == got.skill.low == got.skill.high == 1
    for column in ("skill", "r", "slope"):
        assert got.by_region[column].to_numpy() == pytest.approx(1)
    assert (got.by_region[["mae", "bias"]] == 0).all(axis=None)


def test_noise_is_worse_than_the_mean() -> None:
    truth, mean = people_of()
    noise = mean + generator("evaluate-noise").normal(0, 0.1, mean.shape)
    assert evaluated(pairs(truth, noise, mean)).skill.high < 0


def test_half_of_each_deviation_is_half_of_the_skill_and_of_the_slope() -> None:
    truth, mean = people_of()
    got = evaluated(pairs(truth, (truth + mean) / 2, mean))
    assert got.skill.value == pytest.approx(0.5)
    assert got.by_region["slope"].to_numpy() == pytest.approx(0.5)
    assert got.by_diagnosis["slope"].to_numpy() == pytest.approx(0.5)


def test_a_planted_bias_comes_back_in_its_region_with_its_sign() -> None:
    truth, mean = people_of()
    low = truth.copy()
    low[:, 2] -= 0.2
    bias = evaluated(pairs(truth, low, mean)).by_region["bias"]
    assert bias["region-2"] == pytest.approx(-0.2)
    assert bias.drop("region-2").abs().max() < 1e-12


@settings(max_examples=8, deadline=None)
@given(st.floats(0.2, 5.0), st.permutations(range(12)))
def test_neither_unit_nor_order_changes_the_skill(factor: float, order: list[int]) -> None:
    truth, mean = people_of(12)
    predicted = 0.7 * truth + 0.3 * mean
    one = evaluated(pairs(truth, predicted, mean))
    rows = [pairs(truth, predicted, mean)[i] for i in order]
    assert evaluated(rows).skill.value == pytest.approx(one.skill.value)
    assert evaluated(rows).split == one.split
    assert skill(factor * truth, factor * predicted, factor * mean) == pytest.approx(
        one.skill.value
    )


def test_the_interval_narrows_with_people_and_covers_the_skill_of_many() -> None:
    draw = generator("evaluate-interval")

    def predicted(truth, mean):
        return mean + 0.6 * (truth - mean) + draw.normal(0, 0.03, truth.shape)

    few, many = people_of(15), people_of(600, seed=2)
    small = evaluated(pairs(few[0], predicted(*few), few[1])).skill
    large = evaluated(pairs(many[0], predicted(*many), many[1])).skill
    assert large.high - large.low < 0.5 * (small.high - small.low)
    assert small.low < large.value < small.high


def test_visits_of_one_person_count_as_one_person() -> None:
    truth, mean = people_of(6)
    predicted = truth.copy()
    predicted[0] = mean[0]
    once = evaluated(pairs(truth, predicted, mean))
    often = [0, 0, 0, 0, 1, 2, 3, 4, 5]
    names = [f"test{i}" for i in often]
    again = evaluated(
        pairs(truth[often], predicted[often], mean[often], ["CN"] * len(often), names)
    )
    assert again.skill.n == 6
    bounds = [[each.skill.value, each.skill.low, each.skill.high] for each in (again, once)]
    assert bounds[0] == pytest.approx(bounds[1])
    assert again.by_region["n"].unique().tolist() == [6]


def test_a_region_without_coverage_is_left_out_and_not_counted_as_zero() -> None:
    truth, mean = people_of()
    predicted = (truth + mean) / 2
    predicted[:10, 1] = np.nan
    predicted[:, 3] = np.nan
    got = evaluated(pairs(truth, predicted, mean))
    assert got.skill.value == pytest.approx(0.5)
    assert got.by_region["n"].tolist() == [20, 10, 20, 0, 20, 20]
    assert np.isnan(got.by_region.loc["region-3", "skill"])


def test_groups_come_in_the_order_of_the_closed_list_and_add_up() -> None:
    truth, mean = people_of(6)
    rows = pairs(truth, truth, mean, ["", "AD", "CN", "AD", "CN", "MCI"])
    by_diagnosis = evaluated(rows).by_diagnosis
    assert list(by_diagnosis.index) == ["CN", "MCI", "AD", "unknown"]
    assert by_diagnosis["n"].tolist() == [2, 1, 2, 1]


def test_a_group_that_is_predicted_as_the_mean_shows_no_skill_of_its_own() -> None:
    truth, mean = people_of(20)
    predicted = truth.copy()
    predicted[::2] = mean[::2]
    by_diagnosis = evaluated(pairs(truth, predicted, mean)).by_diagnosis
    assert by_diagnosis["skill"].to_dict() == {"CN": 1.0, "AD": 0.0}


def test_people_that_the_model_saw_are_refused() -> None:
    truth, mean = people_of(4)
    seen = [person_digest(Pseudonym("test2"))]
    with pytest.raises(ModelError, match="1 of 4 people were seen"):
        evaluated(pairs(truth, truth, mean), trained_on=seen)
    evaluated(pairs(truth, truth, mean), trained_on=[person_digest(Pseudonym("other"))])


def test_one_person_alone_gets_no_interval() -> None:
    truth, mean = people_of(1)
    got = evaluated(pairs(truth, truth, mean)).skill
    assert (got.value, got.n) == (1, 1)
    assert np.isnan(got.low)
    assert np.isnan(got.high)


def test_equal_in_equal_out() -> None:
    truth, mean = people_of()
    made = pairs(truth, 0.8 * truth + 0.2 * mean, mean)
    first, second = evaluated(made), evaluated(made)
    assert first.skill == second.skill
    assert first.fingerprint == second.fingerprint
    pd.testing.assert_frame_equal(first.by_region, second.by_region)
    assert evaluated(made, model="unet-tiny:1").fingerprint != first.fingerprint


def one_pair(**changes) -> Pair:
    synthetic = Contrast.SYNTHETIC_FDG
    ones = [1.0] * len(REGIONS)
    parts = {"truth": table(ones), "prediction": table(ones, synthetic)}
    parts["mean_prediction"] = table(ones, synthetic)
    return Pair(**{**parts, **changes}, diagnosis="CN", person=Pseudonym("test0"))


ONES = [1.0] * len(REGIONS)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"truth": table(ONES, Contrast.SYNTHETIC_FDG)}, ModelError, "itself synthetic"),
        ({"truth": table(ONES, quantity=Quantity.COUNTS)}, QuantityError, "counts"),
        ({"prediction": table(ONES, atlas="other")}, RecipeMismatchError, "other"),
        ({"mean_prediction": table(ONES, reference="cortex")}, RecipeMismatchError, "cortex"),
        ({"prediction": table(ONES, regions=REGIONS[::-1])}, RecipeMismatchError, "regions"),
    ],
)
def test_what_cannot_be_compared_is_refused(changes, error, words) -> None:
    with pytest.raises(error, match=words) as caught:
        evaluated([one_pair(**changes)])
    assert caught.value.hint


def test_no_pair_and_an_unknown_domain_are_refused() -> None:
    with pytest.raises(ModelError, match="no session with both"):
        evaluated([])
    with pytest.raises(ModelError, match="'hospital'"):
        evaluated([one_pair()], domain="hospital")


def test_the_headline_states_skill_interval_and_people() -> None:
    truth, mean = people_of(7)
    headline = evaluated(pairs(truth, truth, mean)).headline
    assert "+1.00" in headline
    assert "n = 7 simulated people" in headline


def test_coverage_is_counted_by_diagnosis_and_the_worst_stands_in_the_headline() -> None:
    truth, mean = people_of(20)
    made = truth.copy()
    made[::2] += 0.2  # the AD rows
    with_widths = [
        each._replace(half_widths=dict.fromkeys(REGIONS, 0.1)) for each in pairs(truth, made, mean)
    ]
    got = evaluated(with_widths)
    assert got.by_diagnosis["coverage"].to_dict() == {"CN": 1.0, "AD": 0.0}
    assert got.by_diagnosis["half_width"].tolist() == pytest.approx([0.1, 0.1])
    assert "90 % intervals hold 50% of the truth, in AD 0%" in got.headline


def test_without_intervals_there_is_no_coverage() -> None:
    truth, mean = people_of()
    got = evaluated(pairs(truth, truth, mean))
    assert got.by_diagnosis["coverage"].isna().all()
    assert "intervals hold" not in got.headline
