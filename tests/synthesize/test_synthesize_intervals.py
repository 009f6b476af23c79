"""Intervals: as often right as they say, for people the model never saw, well or ill."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import UNCALIBRATED, Calibration, Shown, calibrate
from tracerless.synthesize.conformal import LEVEL, MIN_PEOPLE, Scores, factors, quantile
from tracerless.synthesize.intervals import interval, intervals, voxel_error

NAMES = tuple("abcdef")
GROUPS = ("CN", "MCI", "AD")


def people_of(n: int):
    return [Pseudonym(f"p{i:04d}") for i in range(n)]


def drawn(n: int, seed: int, *, deviant: float = 0.0, sick: float = 1.0, spread: float = 0.0):
    """(truth, predicted, spread, groups).

    The error is .05; a share ``deviant`` of the deviation adds to it, and of what the members
    disagree on a share ``spread``; every third person errs ``sick`` times as much.
    """
    random = np.random.default_rng(seed)
    predicted = random.normal(0, 0.2, (n, len(NAMES)))
    disagree = random.exponential(0.05, predicted.shape)
    groups = np.array([GROUPS[i % 3] for i in range(n)])
    scale = np.sqrt(0.05**2 + (deviant * predicted) ** 2 + (spread * disagree) ** 2)
    scale = scale * np.where(groups == "AD", sick, 1.0)[:, None]
    return predicted + scale * random.standard_normal(predicted.shape), predicted, disagree, groups


def fitted(n: int, seed: int, *, grouped: bool = True, **how):
    truth, predicted, disagree, groups = drawn(n, seed, **how)
    made = interval(
        truth,
        predicted,
        Calibration(1.0, 0.5, n, (1.0,) * len(NAMES)),
        regions=NAMES,
        people=people_of(n),
        spread=disagree if how.get("spread") else None,
        groups=tuple(groups) if grouped else (),
    )
    assert made is not None
    return made


def inside(made, truth, predicted, disagree=None):
    return np.abs(truth - predicted) <= made.half_widths(predicted, disagree)


@pytest.mark.parametrize("n", [24, 60, 200])
def test_new_people_lie_inside_as_often_as_said(n: int) -> None:
    held = [
        inside(fitted(n, seed, grouped=False), *drawn(300, 1000 + seed)[:2]).mean()
        for seed in range(12)
    ]
    assert np.mean(held) == pytest.approx(LEVEL, abs=0.03)


def test_every_group_is_held_where_one_errs_more() -> None:
    """Its negative control: without groups the sick are not."""
    truth, predicted, _, groups = drawn(1500, 77, sick=2.0)
    sick = groups == "AD"
    with_groups, without = (
        [inside(fitted(120, seed, grouped=g, sick=2.0), truth, predicted)[sick].mean()
         for seed in range(6)]
        for g in (True, False)
    )  # fmt: skip
    assert np.mean(with_groups) > 0.87
    assert np.mean(without) < 0.80


def test_groups_that_err_alike_cost_little_width() -> None:
    plain, grouped = (
        np.mean([fitted(120, s, grouped=g).half_widths(np.zeros(1)).mean() for s in range(6)])
        for g in (False, True)
    )
    assert grouped <= 1.15 * plain


def test_small_groups_are_held_together_and_named() -> None:
    truth, predicted, _, groups = drawn(40, 5)
    groups = [("DLB" if i < 5 else "FTD" if i < 9 else str(g)) for i, g in enumerate(groups)]
    made = interval(
        truth, predicted, Calibration(1.0, 0.5, 40), regions=NAMES, people=people_of(40),
        groups=groups,
    )  # fmt: skip
    assert made is not None
    assert dict(made.held.pooled) == {"DLB": 5, "FTD": 4}
    assert set(dict(made.held.groups)) == set(GROUPS)
    assert "DLB (5), FTD (4)" in made.held.doubt


def test_those_far_from_the_mean_are_covered_too() -> None:
    """Without the gain they would not be: its negative control."""
    made = fitted(200, 1, deviant=0.8)
    truth, predicted, _, _ = drawn(4000, 2, deviant=0.8)
    far = np.abs(predicted) > 0.35
    assert made.gain > 0
    assert inside(made, truth, predicted)[far].mean() > 0.85
    flat = np.array(made.base) * quantile((np.abs(truth - predicted) / np.array(made.base)).ravel())
    assert (np.abs(truth - predicted) <= flat)[far].mean() < 0.8


def test_where_members_disagree_the_interval_is_wider() -> None:
    made = fitted(200, 1, spread=1.5)
    truth, predicted, disagree, _ = drawn(3000, 2, spread=1.5)
    apart = disagree > 0.1
    assert made.gain_spread > 0
    assert inside(made, truth, predicted, disagree)[apart].mean() > 0.85
    assert inside(made, truth, predicted)[apart].mean() < 0.75


def test_where_the_error_is_the_same_everywhere_there_is_no_gain() -> None:
    made = fitted(200, 3)
    assert made.gain <= 0.25
    assert made.gain_spread == 0


def test_eight_people_show_no_interval() -> None:
    truth, predicted, _, _ = drawn(MIN_PEOPLE - 1, 1)
    given_ = Calibration(1.0, 0.5, 8)
    few = people_of(MIN_PEOPLE - 1)
    assert interval(truth, predicted, given_, regions=NAMES, people=few) is None
    twice = [*people_of(5), *people_of(5)]
    more = drawn(10, 1)
    assert interval(more[0], more[1], given_, regions=NAMES, people=twice) is None


def test_slopes_from_the_same_people_do_not_make_intervals_too_narrow() -> None:
    """Predictions are noise: slopes fitted to them must not count as knowledge."""
    held = []
    for seed in range(12):
        random = np.random.default_rng(seed)
        truth, predicted = random.normal(0, 0.1, (2, 24, len(NAMES)))
        new_truth, new_predicted = random.normal(0, 0.1, (2, 300, len(NAMES)))
        who = people_of(24)
        slopes = calibrate(truth, predicted, who)
        forced = Calibration(0.5, 0.1, 24, (0.5,) * len(NAMES)) if slopes.works else slopes
        made = interval(truth, predicted, forced, regions=NAMES, people=who)
        deviation = forced.applied(new_predicted)
        held.append((np.abs(new_truth - deviation) <= made.half_widths(deviation)).mean())
    assert np.mean(held) > 0.87


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=9, max_size=60))
def test_the_quantile_leaves_at_most_a_tenth_above(scores) -> None:
    found = quantile(np.array(scores))
    assert found in scores
    assert np.mean(np.array(scores) <= found) >= LEVEL or found == max(scores)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 10), st.integers(0, 50))
def test_factors_scale_with_the_scores_and_forget_the_order(size: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.abs(random.standard_normal((30, 4)))
    groups = np.array([GROUPS[i % 3] for i in range(30)])
    order = random.permutation(30)
    columns, owner = np.arange(4), np.arange(30)
    one, _ = factors(Scores(values, columns, owner, groups), 4)
    two, _ = factors(Scores(size * values[order], columns, owner, groups[order]), 4)
    assert two == pytest.approx(size * one, rel=1e-6)


def test_voxels_are_held_by_region_and_group() -> None:
    """Region 2 errs three times as much, and the sick twice as much as the well."""
    labels = np.repeat([0, 1, 2], 120).astype(np.int16)

    def draw(m: int, seed: int):
        random = np.random.default_rng(seed)
        groups = np.array(["AD" if i % 2 else "CN" for i in range(m)])
        size = np.where(labels == 2, 0.15, 0.05) * np.where(groups == "AD", 2, 1)[:, None]
        own = random.normal(0, 0.5, (m, 1)) + random.standard_normal((m, len(labels)))
        predicted = random.normal(0, 0.1, (m, len(labels)))
        return predicted + size * own, predicted, groups

    truth, predicted, groups = draw(80, 1)
    calibration = Calibration(1.0, 0.5, 80, (1.0, 1.0))
    made = voxel_error(
        truth.astype(np.float16), predicted.astype(np.float16), calibration, labels=labels,
        people=people_of(80), groups=groups,
    )  # fmt: skip
    assert made.size[labels == 2].mean() > 2 * made.size[labels == 1].mean()
    new_truth, new_predicted, new_groups = draw(300, 2)
    width = np.array(made.width.factors)[labels] * made.width.scale(made.size, new_predicted, None)
    covered = np.abs(new_truth - new_predicted) <= width
    for region in range(3):
        for group in ("CN", "AD"):
            cell = covered[new_groups == group][:, labels == region].mean()
            assert cell > 0.87, (region, group)
    assert covered[new_groups == "AD"].mean() < 0.97


def test_smaller_sets_of_inputs_have_wider_voxels_in_step_with_their_regions() -> None:
    truth, predicted, _, groups = drawn(60, 4)
    random = np.random.default_rng(1)
    worse = predicted + random.normal(0, 0.2, predicted.shape)
    who = tuple(people_of(60))
    pairs = {"all": Shown(truth, predicted, who), "few": Shown(truth, worse, who)}
    calibrated = {key: calibrate(each.truth, each.predicted, who) for key, each in pairs.items()}
    voxels = voxel_error(
        truth, predicted, calibrated["all"], labels=np.arange(6) + 1, people=who, groups=groups
    )
    made = intervals(pairs, calibrated, NAMES, voxels)
    ratio = (
        made["few"].half_widths(np.zeros(6)).mean() / made["all"].half_widths(np.zeros(6)).mean()
    )
    assert ratio > 1.5
    few, whole = (np.array(made[key].voxels.factors) for key in ("few", "all"))
    assert few == pytest.approx(ratio * whole)


def test_what_no_one_was_kept_apart_for_has_no_interval() -> None:
    empty = np.zeros((0, len(NAMES)))
    assert intervals({"cbf": Shown(empty, empty, ())}, {"cbf": UNCALIBRATED}, NAMES) == {}
