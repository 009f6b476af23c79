"""Skill and agreement against known truths and textbook formulas; every one over people."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.evaluate.agreement import agreement_table, skill_table
from tracerless.evaluate.moments import Moments
from tracerless.evaluate.panel import ALL, Panel, draws

N, R = 30, 5
REGIONS = tuple(f"region-{i}" for i in range(R))


def called(who: str) -> str:
    return who


def cells(seed: int = 1, n: int = N):
    """(truth, prediction with slope 0.6, mean), SUVR; regions differ in level more than people."""
    draw = generator("agreement-test", seed)
    level = np.linspace(0.8, 1.8, R)
    truth = level + draw.normal(0, 0.12, (n, R))
    made = level + 0.02 + 0.6 * (truth - level) + draw.normal(0, 0.03, (n, R))
    return truth, made, np.tile(level, (n, 1))


def panel(truth, people=None, groups=None, half_widths=None, **predicted) -> Panel:
    people = people or tuple(f"p{i}" for i in range(len(truth)))
    groups = groups or tuple("AD" if i % 3 else "CN" for i in range(len(truth)))
    return Panel(REGIONS, people, groups, truth, predicted, half_widths or {})


def table(laid: Panel) -> pd.DataFrame:
    made = agreement_table(laid, atlas="five", reference="pons", mean="mean", calls=called)
    return made.set_index(["model", "region"])


def textbook_icc(x: np.ndarray) -> float:
    """ICC(2,1) of (targets, judges) from the two-way table of Shrout and Fleiss, written out."""
    n, k = x.shape
    grand = x.mean()
    rows = k * ((x.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    columns = n * ((x.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    rest = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0, keepdims=True) + grand
    error = (rest**2).sum() / ((n - 1) * (k - 1))
    return (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)


def test_the_textbook_gives_the_published_number() -> None:
    """Shrout and Fleiss 1979, table 2: six targets, four judges; ICC(2,1) = .29."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert textbook_icc(np.array(ratings, dtype=float)) == pytest.approx(0.29, abs=0.005)


@given(st.integers(0, 10**6), st.floats(-0.3, 0.3), st.floats(-1, 2))
@settings(max_examples=25, deadline=None)
def test_moments_are_those_of_the_textbook(seed: int, bias: float, slope: float) -> None:
    draw = generator("textbook", seed)
    t = 1.4 + draw.normal(0, 0.2, 12)
    p = bias + slope * t + draw.normal(0, 0.1, 12)
    found = Moments.of(t[:, None], p[:, None], np.ones((1, 12)))
    assert found.icc()[0, 0] == pytest.approx(textbook_icc(np.stack([t, p], axis=1)))
    assert found.slope[0, 0] == pytest.approx(np.polyfit(t, p, 1)[0])
    assert found.calibration[0, 0] == pytest.approx(np.polyfit(p, t, 1)[0])
    assert found.sd_ratio[0, 0] == pytest.approx(p.std() / t.std())
    low, high = found.limits()
    spread = 1.96 * (p - t).std(ddof=1)
    assert (low[0, 0], high[0, 0]) == pytest.approx(
        ((p - t).mean() - spread, (p - t).mean() + spread)
    )
    concordance = 2 * np.cov(t, p, ddof=0)[0, 1] / (t.var() + p.var() + (t - p).mean() ** 2)
    assert found.ccc()[0, 0] == pytest.approx(concordance)


def test_whole_weights_are_repeated_people() -> None:
    truth, made, _ = cells()
    weights = generator("weights").integers(0, 3, N).astype(float)
    once = Moments.of(truth, made, weights[None])
    repeated = np.repeat(np.arange(N), weights.astype(int))
    long = Moments.of(truth[repeated], made[repeated], np.ones((1, len(repeated))))
    for name in ("bias", "var_t", "cov", "mae"):
        np.testing.assert_allclose(getattr(once, name), getattr(long, name), atol=1e-12)
    np.testing.assert_allclose(once.icc(), long.icc())


def test_the_levels_of_regions_make_no_agreement() -> None:
    """The training mean knows every region's level and no person: pooled r is high, ours is 0."""
    truth, made, mean = cells()
    assert np.corrcoef(truth.ravel(), mean.ravel())[0, 1] > 0.9
    found = table(panel(truth, model=made, mean=mean))
    assert abs(found.loc[("mean", ALL), "slope"]) < 1e-9
    assert found.loc[("mean", ALL), "icc"] < 0.1
    assert found.loc[("model", ALL), "icc"] > 0.7


def test_slope_bias_and_spread_come_back_as_made() -> None:
    truth, made, mean = cells(n=200)
    row = table(panel(truth, model=made, mean=mean)).loc[("model", ALL)]
    assert row["slope_low"] < 0.6 < row["slope_high"]
    assert row["bias_low"] < row["bias"] < row["bias_high"]
    assert row["bias"] == pytest.approx(0.02, abs=0.01)
    assert row["sd_ratio"] == pytest.approx(np.hypot(0.6, 0.03 / 0.12), abs=0.03)
    assert row["agree_low"] < row["bias"] < row["agree_high"]


def test_biases_of_opposite_sign_do_not_cancel_in_concordance() -> None:
    truth, _, mean = cells()
    shifted = truth + np.array([0.2, -0.2, 0.2, -0.2, 0.0])
    found = table(panel(truth, model=shifted, mean=mean))
    assert abs(found.loc[("model", ALL), "bias"]) < 0.05
    assert found.loc[("model", ALL), "ccc"] < 0.6
    assert found.loc[("model", ALL), "icc"] < 0.6


def test_limits_over_all_regions_hold_the_differences_of_regions_with_biases() -> None:
    """Spread within regions alone would hold about one difference in five."""
    truth, _, mean = cells(n=200)
    off = np.array([0.2, -0.2, 0.2, -0.2, 0.0])
    made = truth + off + generator("limits").normal(0, 0.02, truth.shape)
    row = table(panel(truth, model=made, mean=mean)).loc[("model", ALL)]
    gone = made - truth
    inside = (row["agree_low"] <= gone) & (gone <= row["agree_high"])
    assert inside.mean() > 0.94
    one = table(panel(truth, model=made, mean=mean)).loc[("model", "region-0")]
    assert one["agree_high"] - one["agree_low"] == pytest.approx(2 * 1.96 * 0.02, rel=0.15)


def test_every_measure_has_an_interval_that_holds_it() -> None:
    truth, made, mean = cells()
    row = table(panel(truth, model=made, mean=mean)).loc[("model", ALL)]
    for name in ("bias", "agree_low", "agree_high", "icc", "ccc", "slope", "calibration",
                 "sd_ratio"):  # fmt: skip
        assert row[f"{name}_low"] < row[name] < row[f"{name}_high"], name


def test_the_best_prediction_is_flat_and_true_and_noise_in_pet_flattens_it_further() -> None:
    """What MR explains half of comes out half; what is predicted is there. Dilution by noise."""
    draw, n = generator("dilution"), 4000
    known, hidden = draw.normal(0, 0.1, (2, n, 1))
    scans = (known + hidden, known + hidden + draw.normal(0, 0.1, (n, 1)))
    clean, noisy = (Moments.of(t, known, np.ones((1, n))) for t in scans)
    assert clean.slope[0, 0] == pytest.approx(1 / 2, abs=0.04)
    assert noisy.slope[0, 0] == pytest.approx(1 / 3, abs=0.04)
    for each in (clean, noisy):
        assert each.calibration[0, 0] == pytest.approx(1, abs=0.06)
    doubled = Moments.of(scans[0], 2 * known, np.ones((1, n)))
    assert doubled.calibration[0, 0] == pytest.approx(0.5, abs=0.04)


def test_skill_of_the_mean_is_zero_and_of_the_truth_one() -> None:
    truth, made, mean = cells()
    laid = panel(truth, model=made, exact=truth, mean=mean)
    against = {"model": ("mean",), "exact": ("mean",), "mean": ("model",)}
    found = skill_table(laid, against, called).set_index(["model", "against", "group"])
    assert found.loc[("exact", "mean", ALL), "value"] == 1
    model, mean_row = found.loc[("model", "mean", ALL)], found.loc[("mean", "model", ALL)]
    assert 0 < model["low"] < model["value"] < model["high"] < 1
    assert mean_row["high"] < 0
    assert found.loc[("model", "mean", "CN"), "n"] + found.loc[("model", "mean", "AD"), "n"] == N


def test_intervals_cover_the_true_slope_as_often_as_they_say() -> None:
    hits = 0
    for seed in range(40):
        truth, made, _ = cells(seed=seed + 100, n=40)
        drawn = draws(tuple(map(str, range(40))), seed, n_draws=200)
        slope = Moments.of(truth, made, drawn.weights).together().slope[:, 0]
        _, low, high = drawn.interval(slope)
        hits += low <= 0.6 <= high
    assert hits >= 34


def test_a_person_seen_twice_counts_once() -> None:
    truth, made, mean = cells()
    twice = [0, 0, *range(1, N)]
    people = tuple(f"p{i}" for i in twice)
    laid = panel(truth, model=made, mean=mean)
    doubled = panel(truth[twice], people=people, model=made[twice], mean=mean[twice])
    one, two = (skill_table(each, {"model": ("mean",)}, called).iloc[0] for each in (laid, doubled))
    assert two["value"] == pytest.approx(one["value"])
    assert two["n"] == one["n"] == N


def test_unseen_regions_count_nowhere_and_two_people_get_no_interval() -> None:
    truth, made, mean = cells()
    truth[:, 0] = np.nan
    found = table(panel(truth, model=made, mean=mean))
    assert found.loc[("model", "region-0"), "n"] == 0
    assert np.isnan(found.loc[("model", "region-0"), "icc"])
    assert np.isfinite(found.loc[("model", ALL), "icc"])
    few = panel(truth[:2], model=made[:2], mean=mean[:2])
    row = skill_table(few, {"model": ("mean",)}, called).iloc[0]
    assert np.isfinite(row["value"])
    assert np.isnan(row["low"])


def test_equal_panels_give_equal_tables() -> None:
    truth, made, mean = cells()
    first, second = (table(panel(truth, model=made, mean=mean)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_panel_of_other_shape_is_refused() -> None:
    truth, made, _ = cells()
    with pytest.raises(ModelError, match="holds arrays of"):
        panel(truth, model=made[:, :3])
