"""The first line of an evaluation, and whether a model may speak at all."""

import numpy as np
import pandas as pd
import pytest

from tracerless.core.errors import ModelError
from tracerless.core.prediction import Estimate, Evaluation, Reach


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


def test_a_verdict_is_one_of_three() -> None:
    assert Reach("edge", 0.03, ("why",)).reasons == ("why",)
    with pytest.raises(ModelError, match="'maybe'"):
        Reach("maybe", 0.5)
