"""Slopes of regions: their own where that is known, the common one where it is not."""

import numpy as np
import pytest

from tracerless.core.people import Pseudonym
from tracerless.synthesize.calibration import (
    MAX_SLOPE,
    UNCALIBRATED,
    calibrate,
    cross_fitted,
    skill,
)

N_REGIONS = 30


def people_of(n: int):
    return [Pseudonym(f"p{i:04d}") for i in range(n)]


def slopes_of(differ: float, seed: int = 9):
    return np.clip(0.8 + differ * np.random.default_rng(seed).normal(size=N_REGIONS), 0.1, 1.5)


def drawn(n: int, seed: int, slopes, *, noise: float = 0.08):
    """Regions of a person share what a person has, as brains do."""
    random = np.random.default_rng(seed)
    loads = np.random.default_rng(3).normal(size=(3, N_REGIONS))
    predicted = random.normal(0, 0.1, (n, 3)) @ loads + random.normal(0, 0.04, (n, N_REGIONS))
    return slopes * predicted + noise * random.standard_normal(predicted.shape), predicted


def gain_over_common(differ: float, n: int) -> float:
    slopes = slopes_of(differ)
    gains = []
    for seed in range(8):
        made = calibrate(*drawn(n, seed, slopes), people_of(n))
        truth, predicted = drawn(300, 100 + seed, slopes)
        gains.append(skill(truth, made.applied(predicted)) - skill(truth, made.slope * predicted))
    return float(np.mean(gains))


def test_slopes_that_differ_are_learned_and_help() -> None:
    assert gain_over_common(0.3, 40) > 0.03


@pytest.mark.parametrize("n", [8, 20, 60])
def test_slopes_that_do_not_differ_are_left_alone(n: int) -> None:
    """Negative control: regions' own slopes would only add noise."""
    assert gain_over_common(0.0, n) > -0.01


def test_shrinkage_lies_between_common_and_own() -> None:
    truth, predicted = drawn(15, 1, slopes_of(0.3))
    made = calibrate(truth, predicted, people_of(15))
    own = (truth * predicted).sum(axis=0) / (predicted**2).sum(axis=0)
    low, high = np.minimum(own, made.slope), np.maximum(own, made.slope)
    got = np.array(made.slopes)
    assert ((got >= np.clip(low, 0, MAX_SLOPE) - 1e-9) & (got <= high + 1e-9)).all()
    assert np.ptp(got) < np.ptp(own)


def test_inputs_that_tell_nothing_do_not_work() -> None:
    random = np.random.default_rng(1)
    found = [
        calibrate(*random.normal(0, 0.1, (2, 24, N_REGIONS)), people_of(24)) for _ in range(40)
    ]
    assert sum(made.works for made in found) <= 4
    silent = next(made for made in found if not made.works)
    assert silent.slope == 0
    assert not silent.applied(np.ones(N_REGIONS)).any()


def accepted(n: int, share: float, n_cohorts: int = 40) -> float:
    """How often inputs that explain that share of the variance are said to work."""
    found = []
    for seed in range(n_cohorts):
        random = np.random.default_rng([n, seed])
        loads = np.random.default_rng(3).normal(size=(3, N_REGIONS))
        known, rest, noise = (
            random.normal(0, 0.06, (n, 3)) @ loads + random.normal(0, 0.04, (n, N_REGIONS))
            for _ in range(3)
        )
        truth = share**0.5 * known + (1 - share) ** 0.5 * rest
        predicted = share**0.5 * known if share else 0.3 * noise
        found.append(calibrate(truth, predicted, people_of(n)).works)
    return float(np.mean(found))


@pytest.mark.parametrize("n", [12, 20, 40])
def test_inputs_that_tell_nothing_are_hardly_ever_accepted(n: int) -> None:
    assert accepted(n, 0.0) <= 0.1


@pytest.mark.parametrize(("n", "least"), [(20, 0.75), (40, 0.95)])
def test_inputs_with_a_skill_of_a_tenth_are_hardly_ever_refused(n: int, least: float) -> None:
    """A fifth of the variance is a tenth of the error; half of that is a coin toss at n = 20."""
    assert accepted(n, 0.2) >= least
    assert accepted(n, 0.2) > accepted(n, 0.05)


def test_skill_is_that_of_people_the_slopes_did_not_see() -> None:
    truth, predicted = drawn(12, 5, slopes_of(0.3), noise=0.3)
    who = people_of(12)
    made = calibrate(truth, predicted, who)
    assert made.skill == pytest.approx(skill(truth, cross_fitted(truth, predicted, who)))
    assert made.skill < skill(truth, made.applied(predicted)) + 1e-9


def test_a_person_scanned_twice_never_calibrates_themselves() -> None:
    truth, predicted = drawn(10, 5, slopes_of(0.3))
    twice = [*people_of(5), *people_of(5)]
    changed = truth.copy()
    changed[[0, 5]] *= -3
    one, two = (cross_fitted(t, predicted, twice) for t in (truth, changed))
    assert np.array_equal(one[[0, 5]], two[[0, 5]])
    assert not np.allclose(one[1], two[1])


def test_regions_that_were_not_seen_do_not_count() -> None:
    truth, predicted = drawn(20, 5, slopes_of(0.0))
    holed = truth.copy()
    holed[::2, 3] = np.nan
    made = calibrate(holed, predicted, people_of(20))
    assert np.isfinite(made.slopes).all()
    assert made.slope == pytest.approx(calibrate(truth, predicted, people_of(20)).slope, abs=0.05)


def test_one_person_calibrates_nothing() -> None:
    truth, predicted = drawn(2, 5, slopes_of(0.0))
    assert calibrate(truth, predicted, [*people_of(1), *people_of(1)]) is UNCALIBRATED
    assert np.array_equal(UNCALIBRATED.applied(predicted), predicted)
