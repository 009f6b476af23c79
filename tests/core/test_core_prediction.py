"""The contract of a prediction, the first line of an evaluation, and whether a model may speak."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.errors import ModelError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import Estimate, Evaluation, Prediction, Reach
from tracerless.core.volume import Contrast, Quantity, Volume


def volume(size: int = 3, quantity: Quantity = Quantity.SUVR) -> Volume:
    shape = (size, size, size)
    return Volume(np.ones(shape), Grid(shape, np.eye(4)), quantity, Contrast.SYNTHETIC_FDG)


def prediction(**changes) -> Prediction:
    plain = Prediction(
        key=SessionKey(Pseudonym("p1"), "1"),
        volume=volume(),
        inputs=(Contrast.T1W,),
        model="ridge:1",
        reference="pons",
        training_domain="simulated",
        fingerprint="f",
    )
    return replace(plain, **changes)


def evaluation(slopes: list[float]) -> Evaluation:
    return Evaluation(
        skill=Estimate(0.41, 0.2, 0.6, 12),
        by_region=pd.DataFrame({"slope": slopes}, index=["a", "b"]),
        by_diagnosis=pd.DataFrame({"coverage": [0.95, 0.85], "n": [6, 6]}, index=["CN", "AD"]),
        model="unet:1",
        atlas="fdg36",
        reference="pons",
        split="s",
        domain="simulated",
        fingerprint="f",
    )


def test_the_headline_says_skill_then_slope_then_coverage_of_the_worst_group() -> None:
    text = evaluation([0.5, 0.7]).headline
    assert text.index("+0.41") < text.index("slope 0.60") < text.index("in AD 85%")


def test_a_slope_that_no_region_could_show_is_left_out() -> None:
    assert "slope" not in evaluation([np.nan, np.nan]).headline
    assert "slope 0.50" in evaluation([0.5, np.nan]).headline


def test_a_group_of_a_few_is_not_called_the_worst() -> None:
    table = pd.DataFrame({"coverage": [0.95, 0.25], "n": [6, 4]}, index=["CN", "AD"])
    text = replace(evaluation([0.5, 0.7]), by_diagnosis=table).headline
    assert "hold 67% of the truth, in CN 95% (n = 6)" in text
    assert "in " not in replace(evaluation([0.5, 0.7]), by_diagnosis=table[1:]).headline[-30:]


def test_without_an_interval_the_headline_says_why() -> None:
    nan = float("nan")
    text = replace(evaluation([0.5, 0.7]), skill=Estimate(0.4, nan, nan, 2)).headline
    assert "too few people for an interval" in text
    assert "nan" not in text


def test_a_verdict_is_one_of_three() -> None:
    assert Reach("edge", 0.03, ("why",)).reasons == ("why",)
    with pytest.raises(ModelError, match="'maybe'"):
        Reach("maybe", 0.5)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"volume": volume(quantity=Quantity.Z)}, QuantityError, "synthetic SUVR"),
        ({"samples": (volume(quantity=Quantity.Z),)}, QuantityError, "synthetic SUVR"),
        ({"samples": (volume(4),)}, QuantityError, "another grid"),
        ({"half_width": volume(4)}, QuantityError, "another grid"),
        ({"inputs": ()}, ModelError, "T1w, T2w or cbf"),
        ({"inputs": (Contrast.FDG,)}, ModelError, "T1w, T2w or cbf"),
        ({"training_domain": "mixed"}, ModelError, "'mixed'"),
        ({"level": 90.0}, ModelError, "90.0"),
        ({"half_widths": {"pons": float("nan")}}, ModelError, "'pons': nan"),
    ],
)
def test_what_is_no_prediction_cannot_be_made(changes, error, told: str) -> None:
    with pytest.raises(error, match=told):
        prediction(**changes)


@given(st.dictionaries(st.text(max_size=4), st.floats(allow_nan=True), max_size=4))
def test_half_widths_are_lengths_or_there_is_no_prediction(widths: dict[str, float]) -> None:
    if all(0 <= width < np.inf for width in widths.values()):
        made = prediction(half_widths=widths)
        assert dict(made.half_widths) == widths
        widths["later"] = 1.0
        assert "later" not in made.half_widths
    else:
        with pytest.raises(ModelError, match="Half-widths"):
            prediction(half_widths=widths)


def test_what_was_learned_from_some_diagnoses_is_a_twin() -> None:
    assert prediction(provenance={"learned_from": "CN"}).is_twin
    assert not prediction(provenance={"learned_from": "all"}).is_twin
    assert not prediction().is_twin


@given(st.floats(allow_nan=True))
def test_the_share_as_strange_is_a_share(p: float) -> None:
    if 0 <= p <= 1:
        assert Reach("edge", p).p == p
    else:
        with pytest.raises(ModelError, match="between 0 and 1"):
            Reach("edge", p)
