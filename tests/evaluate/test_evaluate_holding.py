"""Coverage by region and group, abstention, flags, sides, inputs, repeated people, failures."""

import numpy as np
import pandas as pd
import pytest

from tracerless.core.seeds import generator
from tracerless.evaluate import headline
from tracerless.evaluate.agreement import skill_table
from tracerless.evaluate.failures import N_WORST, failures_table
from tracerless.evaluate.flags import PATIENTS, flags_table
from tracerless.evaluate.holding import abstention_table, coverage_table
from tracerless.evaluate.inputs import HIDDEN, REFUSED, inputs_table
from tracerless.evaluate.memorisation import nearness
from tracerless.evaluate.paired import holm, over_people, sign_flip_p
from tracerless.evaluate.panel import ALL, Panel
from tracerless.evaluate.sides import asymmetry_table

REGIONS = tuple(f"r{i}" for i in range(6))


def panel(truth, predicted, half_widths=None, groups=None) -> Panel:
    n = len(truth)
    groups = groups or tuple("AD" if i % 2 else "CN" for i in range(n))
    people = tuple(f"p{i:03d}" for i in range(n))
    return Panel(REGIONS, people, groups, truth, predicted, half_widths or {})


def uncovered_sick(n: int = 80):
    """Intervals of one width; every second person errs twice as much."""
    draw = generator("holding-test")
    truth = 1.4 + draw.normal(0, 0.1, (n, 6))
    sick = np.arange(n) % 2 == 1
    error = draw.normal(0, 1, (n, 6)) * np.where(sick, 0.08, 0.04)[:, None]
    return panel(truth, {"model": truth + error}, {"model": np.full((n, 6), 0.1)})


def test_an_average_does_not_hide_the_group_that_is_held_least() -> None:
    found = coverage_table(uncovered_sick(), str).set_index(["region", "group"])
    assert found.loc[(ALL, "CN"), "coverage"] > 0.97
    assert found.loc[(ALL, "AD"), "high"] < 0.9
    together = found.loc[(ALL, ALL)]
    halves = found.loc[[(ALL, "CN"), (ALL, "AD")], "coverage"].mean()
    assert together["coverage"] == pytest.approx(halves)
    said, chinese = headline({"coverage": found.reset_index().assign(model="model")}, "model",
                    domain="simulated", reference="pons")  # fmt: skip
    assert "in the worst group (AD, n = 40) 76%" in said
    assert "AD，40 人）為 76%" in chinese


def test_eight_people_who_are_all_held_are_no_certainty() -> None:
    truth = 1.4 + generator("eight").normal(0, 0.1, (8, 6))
    laid = panel(truth, {"m": truth}, {"m": np.full((8, 6), 0.1)}, groups=("CN",) * 8)
    row = coverage_table(laid, str).set_index(["region", "group"]).loc[(ALL, "CN")]
    assert row["coverage"] == row["high"] == 1
    assert row["low"] == pytest.approx(0.676, abs=0.001)


def test_cells_without_an_interval_do_not_count_as_held() -> None:
    laid = uncovered_sick()
    widths = laid.half_widths["model"].copy()
    widths[:, 0] = np.nan
    blank = panel(laid.truth, dict(laid.predicted), {"model": widths})
    found = coverage_table(blank, str).set_index(["region", "group"])
    assert ("r0", ALL) not in found.index
    assert found.loc[("r1", ALL), "n"] == 80


def test_abstaining_from_wide_intervals_lowers_the_error_when_widths_know() -> None:
    draw = generator("abstain-test")
    n = 60
    size = np.repeat(np.linspace(0.02, 0.2, n)[:, None], 6, axis=1)
    truth = np.full((n, 6), 1.4)
    made = truth + size * draw.choice([-1.0, 1.0], (n, 6))
    found = abstention_table(panel(truth, {"m": made}, {"m": size * 1.1}), str)
    assert found["mae"].is_monotonic_decreasing
    assert (found["coverage"] == 1).all()
    blind = abstention_table(panel(truth, {"m": made}, {"m": np.full((n, 6), 0.2)}), str)
    assert blind["mae"].iloc[-1] > 0.75 * blind["mae"].iloc[0]


def flags(pull: float, noise: float = 0.4, n: int = 60) -> pd.DataFrame:
    """Flags of a model that shows a share of each deviation; the sick are low in two regions."""
    draw = generator("flags-test")
    groups = tuple("CN" if i % 2 else "AD" for i in range(n))
    z = draw.normal(0, 1, (n, 6))
    z[::2, :2] -= 3
    made = pull * z + draw.normal(0, noise, z.shape)
    people = tuple(f"p{i}" for i in range(n))
    by_norm = {"acquired": made, "own": made / np.hypot(pull, noise)}
    found = flags_table(z, {"m": by_norm}, people=people, groups=groups)
    return found.set_index(["norm", "group", "metric"])["value"]


def test_regression_to_the_mean_loses_flags_that_an_own_norm_finds_again() -> None:
    found = flags(0.4)
    sensitivity = found.xs((PATIENTS, "sensitivity"), level=("group", "metric"))
    assert sensitivity["acquired"] < 0.3
    assert sensitivity["own"] > sensitivity["acquired"] + 0.2
    dice, chance = (found[("own", PATIENTS, m)] for m in ("dice", "chance"))
    assert dice > chance


def test_exact_flags_have_dice_one_and_noise_no_more_than_chance() -> None:
    exact = flags(1.0, noise=0.0)
    assert exact[("acquired", PATIENTS, "dice")] == 1
    assert exact[("acquired", "CN", "flagged")] == exact[("acquired", "CN", "flagged_acquired")]
    assert exact[("acquired", PATIENTS, "sensitivity_chance")] < 1
    noise = flags(0.0, noise=2.0)
    for metric in ("sensitivity", "ppv"):
        by_chance = noise[("acquired", PATIENTS, f"{metric}_chance")]
        assert noise[("acquired", PATIENTS, metric)] == pytest.approx(by_chance, abs=0.1)
    assert noise[("acquired", PATIENTS, "dice")] < noise[("acquired", PATIENTS, "chance")] + 0.1


def test_signs_agree_for_the_right_side_and_not_for_a_mirrored_one() -> None:
    draw = generator("sides-test")
    truth = pd.DataFrame(draw.normal(0, 6, (40, 3)), columns=["a", "b", "c"])
    people = tuple(map(str, range(40)))
    right, mirrored = (
        asymmetry_table(truth, each, people=people, who="m").set_index("region")
        for each in (0.5 * truth, -truth)
    )
    assert (right["same_sign"] == 1).all()
    assert (mirrored["same_sign"] == 0).all()
    assert mirrored.loc[ALL, "icc"] < 0 < right.loc[ALL, "icc"]
    assert right.loc["a", "n"] == (truth["a"].abs() >= 2).sum()


def test_a_lost_contrast_costs_and_a_useless_one_does_not() -> None:
    draw = generator("inputs-test")
    n = 40
    truth = 1.4 + draw.normal(0, 0.1, (n, 6))
    mean = np.full((n, 6), 1.4)
    full = 1.4 + 0.8 * (truth - 1.4)
    weak = 1.4 + 0.2 * (truth - 1.4)
    same = full + draw.normal(0, 1e-3, full.shape)
    sets = {"mean": mean, "T1w+cbf": full, "T1w": weak, "cbf": same,
            "T2w": np.full((n, 6), np.nan)}  # fmt: skip
    found = inputs_table(panel(truth, sets), mean="mean", fullest="T1w+cbf", who="m")
    found = found.set_index("inputs")
    assert found.loc["T1w", "less_than_all"] == pytest.approx(0.6)
    assert found.loc["T1w", "p"] < 0.001
    assert abs(found.loc["cbf", "less_than_all"]) < 0.01
    assert found.loc["cbf", "p"] > 0.01
    assert found.loc["T2w", "how"] == REFUSED
    assert np.isnan(found.loc["T2w", "skill"])
    assert found.loc["T1w", "how"] == HIDDEN


def test_sets_are_compared_in_the_people_who_have_both() -> None:
    truth = 1.4 + generator("both-test").normal(0, 0.1, (30, 6))
    full = truth.copy()
    full[:10] = np.nan
    part = truth.copy()
    part[:10] += 0.5
    sets = {"mean": np.full((30, 6), 1.4), "T1w+cbf": full, "cbf": part}
    found = inputs_table(panel(truth, sets), mean="mean", fullest="T1w+cbf", who="m")
    row = found.set_index("inputs").loc["cbf"]
    assert row["less_than_all"] == 0
    assert row["skill"] < 0.5


def test_sign_flips_give_small_p_for_a_shift_and_uniform_p_without_one() -> None:
    draw = generator("flips-test")
    assert sign_flip_p(draw.normal(1, 1, 30), "shift") < 0.001
    p = np.array([sign_flip_p(draw.normal(0, 1, 15), i) for i in range(60)])
    assert 0.3 < p.mean() < 0.7
    assert np.isnan(sign_flip_p(np.array([1.0, 2.0]), "few"))


def test_holm_is_holm() -> None:
    assert holm([0.01, 0.04, float("nan"), 0.03])[:2] == (0.03, 0.06)
    assert holm([0.01, 0.04, float("nan"), 0.03])[3] == 0.06
    assert holm([0.5, 0.9]) == (1.0, 1.0)


def test_visits_of_a_person_are_averaged() -> None:
    found = over_people(np.array([1.0, 3.0, np.nan, 5.0]), ["a", "a", "b", "c"])
    assert found[[0, 2]].tolist() == [2.0, 5.0]
    assert np.isnan(found[1])


def test_a_model_that_hands_out_training_people_is_found_and_a_smooth_one_is_not() -> None:
    draw = generator("memory-test")
    training, truth = draw.normal(0, 1, (60, 40)), draw.normal(0, 1, (30, 40))
    nearest = np.linalg.norm(truth[:, None] - training, axis=2).argmin(axis=1)
    copied = nearness(training[nearest], truth, training)
    assert copied.verdict.startswith("repeats")
    assert copied.to_training < copied.to_unseen
    honest = nearness(0.6 * truth + draw.normal(0, 0.2, truth.shape), truth, training)
    assert honest.verdict.startswith("no sign")
    few = nearness(truth[:3], truth[:3], training)
    assert "too few" in few.verdict


def test_training_people_of_another_scanner_are_no_sign_of_repeating() -> None:
    draw = generator("memory-shift")
    training, truth = draw.normal(0, 0.6, (60, 40)), draw.normal(0, 1.2, (30, 40))
    found = nearness(0.9 * truth, truth, training)
    assert found.to_training < found.to_unseen
    assert found.verdict.startswith("no sign")


def test_the_worst_are_those_farthest_beyond_their_interval() -> None:
    truth = np.full((10, 6), 1.4)
    made, width = truth.copy(), np.full((10, 6), 0.1)
    made[3, 2] -= 0.5
    made[7, 1] += 0.6
    width[7] = 0.5
    laid = panel(truth, {"m": made}, {"m": width})
    doubts = ["", "", "", "outside of what it learned from.", *[""] * 6]
    found = failures_table(laid, "m", visits=["01"] * 10, doubts=doubts)
    assert found.loc[0, ["person", "region"]].tolist() == ["p003", "r2"]
    assert "5.0 times its half-width" in found.loc[0, "why"]
    assert "had warned: outside" in found.loc[0, "why"]
    assert found.loc[1, "person"] == "p007"
    assert len(found) == N_WORST


def test_a_headline_without_numbers_says_so() -> None:
    assert "nothing" in headline({}, "m", domain="simulated", reference="pons")[0]


def test_a_headline_of_one_person_has_no_interval_and_says_so() -> None:
    truth, mean = np.full((1, 6), 1.4), np.full((1, 6), 1.5)
    laid = panel(truth, {"m": truth + 0.02, "mean": mean}, groups=("CN",))
    said, chinese = headline(
        {"skill": skill_table(laid, {"m": ("mean",)}, str)}, "m", domain="simulated",
        reference="pons",
    )  # fmt: skip
    assert "nan" not in said + chinese
    assert "+0.80 (too few people for an interval, n = 1 simulated people)" in said


def test_people_of_whom_the_model_would_not_speak_are_not_counted() -> None:
    truth = 1.4 + generator("refused").normal(0, 0.1, (30, 6))
    made = np.where(np.arange(30)[:, None] < 20, truth + 0.02, np.nan)
    laid = panel(truth, {"m": made, "mean": np.full((30, 6), 1.4)}, {"m": np.full((30, 6), 0.1)})
    skills = skill_table(laid, {"m": ("mean",)}, str).set_index("group")
    held = coverage_table(laid, str).set_index(["region", "group"])
    assert skills.loc[ALL, "n"] == held.loc[(ALL, ALL), "n"] == 20
    assert skills.loc["CN", "n"] == held.loc[(ALL, "CN"), "n"] == 10
