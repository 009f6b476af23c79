"""Intervals by group on known truth: no wider than they need be, and no narrower in the worst."""

import numpy as np
import pytest

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import Calibration
from tracerless.synthesize.conformal import LEVEL, MIN_PEOPLE, UNKNOWN, Held
from tracerless.synthesize.intervals import interval, voxel_error

N_REGIONS = 24
NAMES = tuple(f"r{i}" for i in range(N_REGIONS))
BASE = 0.03 + 0.04 * np.random.default_rng(5).random(N_REGIONS)


def people_of(n: int):
    return [Pseudonym(f"p{i:04d}") for i in range(n)]


def drawn(groups, seed: int, **size: float):
    """(truth, predicted); half of a person's error is one over all regions, some err more."""
    random, n = np.random.default_rng(seed), len(groups)
    own = np.exp(0.25 * random.standard_normal((n, 1)))
    own = own * np.array([size.get(g, 1.0) for g in groups])[:, None]
    error = (random.standard_normal((n, 1)) + random.standard_normal((n, N_REGIONS))) / 2**0.5
    predicted = random.normal(0, 0.1, (n, N_REGIONS))
    return predicted + BASE * own * error, predicted


def made_of(groups, seed: int, **size: float):
    truth, predicted = drawn(groups, seed, **size)
    n = len(groups)
    return interval(
        truth, predicted, Calibration(1.0, 0.5, n, (1.0,) * N_REGIONS), regions=NAMES,
        people=people_of(n), groups=groups,
    )  # fmt: skip


def judged(counts: dict[str, int], n_cohorts: int = 8, **size: float):
    """Coverage of new people by group, and the mean width over that of the worst group's truth."""
    groups = [name for name, n in counts.items() for _ in range(n)]
    new = np.repeat(list(counts), 300)
    covered, wide = [], []
    for seed in range(n_cohorts):
        truth, predicted = drawn(new, 1000 + seed, **size)
        widths = made_of(groups, seed, **size).half_widths(predicted)
        error = np.abs(truth - predicted)
        covered.append([(error <= widths)[new == name].mean() for name in counts])
        needed = [np.quantile(error[new == name], LEVEL, axis=0) for name in counts]
        wide.append(np.mean(widths.mean(axis=0) / np.max(needed, axis=0)))
    return dict(zip(counts, np.mean(covered, axis=0), strict=True)), float(np.mean(wide))


@pytest.mark.parametrize(("n_groups", "n"), [(1, 20), (3, 12), (6, 13), (6, 16)])
def test_groups_that_err_alike_are_held_and_cost_little(n_groups: int, n: int) -> None:
    """Six groups of sixteen once were held to .95, by intervals a fifth too wide."""
    covered, wide = judged(dict.fromkeys("abcdef"[:n_groups], n))
    assert min(covered.values()) > 0.88
    assert np.mean(list(covered.values())) < 0.94
    assert wide < 1.17


@pytest.mark.parametrize(
    ("counts", "size"),
    [({"a": 30, "b": 30, "c": 30}, 2.0), ({"a": 40, "b": 20, "c": 9}, 2.0),
     (dict.fromkeys("abdefc", 13), 1.5)],
)  # fmt: skip
def test_the_group_that_errs_more_is_held_too(counts: dict[str, int], size: float) -> None:
    """Nine people who err twice as much once were held to .84."""
    covered, wide = judged(counts, c=size)
    assert covered["c"] > 0.865
    assert wide < 1.25


@pytest.mark.parametrize("n", [MIN_PEOPLE, 12])
def test_very_few_people_are_held_all_the_same(n: int) -> None:
    covered, _ = judged({"a": n}, n_cohorts=20)
    assert covered["a"] > 0.88


def test_people_without_a_diagnosis_are_a_group_among_others() -> None:
    made = made_of(["CN"] * 20 + [""] * 20, 1)
    assert dict(made.held.groups) == {"CN": 20, UNKNOWN: 20}
    wide = made_of(["CN"] * 20 + [""] * 20, 1, **{"": 3.0})
    assert np.mean(wide.factor) * np.mean(wide.base) > 1.5 * np.mean(made.factor) * np.mean(
        made.base
    )


def test_whom_the_intervals_do_not_hold_for_is_said() -> None:
    assert "not in each diagnosis" in made_of([""] * 20, 1).held.doubt
    assert "CN only (20 people)" in made_of(["CN"] * 20, 1).held.doubt
    assert "AD (5)" in made_of(["CN"] * 15 + ["AD"] * 5, 1).held.doubt
    assert Held((("AD", 12), ("CN", 12))).doubt == ""


def test_of_a_region_that_hardly_anyone_showed_nothing_is_said() -> None:
    """It once had an interval of some thousandths."""
    groups = ["CN"] * 20
    truth, predicted = drawn(groups, 1)
    truth[:, 0], truth[MIN_PEOPLE - 1 :, 1] = np.nan, np.nan
    made = interval(truth, predicted, Calibration(1.0, 0.5, 20, (1.0,) * N_REGIONS), regions=NAMES,
                    people=people_of(20), groups=groups)  # fmt: skip
    assert made is not None
    widths = made.half_widths(predicted[0])
    assert np.isnan(widths[:2]).all()
    assert (widths[2:] > 0.01).all()


def test_voxels_at_the_edge_that_hardly_anyone_showed_have_no_error_of_their_own() -> None:
    random, labels = np.random.default_rng(1), np.repeat([0, 1, 2], 40).astype(np.int16)
    predicted = random.normal(0, 0.1, (20, 120)).astype(np.float32)
    truth = predicted + 0.05 * random.standard_normal(predicted.shape).astype(np.float32)
    truth[:, 0], truth[MIN_PEOPLE - 1 :, 50], truth[MIN_PEOPLE:, 51] = np.nan, np.nan, np.nan
    made = voxel_error(
        truth, predicted, Calibration(1.0, 0.5, 20, (1.0, 1.0)), labels=labels,
        people=people_of(20),
    )  # fmt: skip
    assert np.flatnonzero(np.isnan(made.size)).tolist() == [0, 50]
    assert np.isfinite(made.width.factors).all()


@pytest.mark.parametrize("n", [12, 24, 60])
def test_new_people_lie_inside_their_voxels_as_often_as_said(n: int) -> None:
    """Sizes of voxels come from the same few people: each is judged by those of the others."""
    labels, held = np.repeat([0, 1, 2], 60).astype(np.int16), []

    def draw(m: int, random: np.random.Generator):
        whole = random.standard_normal((m, 1)) + random.standard_normal((m, len(labels)))
        predicted = random.normal(0, 0.1, (m, len(labels)))
        return predicted + 0.05 * whole, predicted

    for seed in range(10):
        random = np.random.default_rng(seed)
        made = voxel_error(
            *draw(n, random), Calibration(1.0, 0.5, n, (1.0, 1.0)), labels=labels,
            people=people_of(n),
        )  # fmt: skip
        truth, predicted = draw(300, random)
        width = np.array(made.width.factors)[labels] * made.width.scale(made.size, predicted, None)
        held.append((np.abs(truth - predicted) <= width).mean())
    assert 0.885 < np.mean(held) < 0.96
