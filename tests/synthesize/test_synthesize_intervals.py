"""Intervals: as often right as they say, for people the model never saw, well or ill."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantom_sessions import atlas_of, people, region_means, template_of
from test_synthesize_ridge import solve

from conftest import GRID
from tracerless.core.volume import Contrast
from tracerless.synthesize import synthesizer
from tracerless.synthesize.calibration import Calibration
from tracerless.synthesize.intervals import LEVEL, interval, quantile

NAMES = tuple("abcdef")


def drawn(n: int, seed: int, *, spread: float = 0.0):
    """(truth, predicted): the error is .05, and ``spread`` times the deviation."""
    random = np.random.default_rng(seed)
    predicted = random.normal(0, 0.2, (n, len(NAMES)))
    scale = np.sqrt(0.05**2 + (spread * predicted) ** 2)
    return predicted + scale * random.standard_normal(predicted.shape), predicted


def fitted(n: int, seed: int, *, spread: float = 0.0):
    made = interval(
        *drawn(n, seed, spread=spread), Calibration(1.0, 0.5, n), regions=NAMES, voxel_factor=1.0
    )
    assert made is not None
    return made


def coverage(made, truth, predicted):
    return np.abs(truth - predicted) <= made.half_widths(predicted)


@pytest.mark.parametrize("n", [20, 60, 200])
def test_new_people_lie_inside_as_often_as_said(n) -> None:
    inside = [coverage(fitted(n, seed), *drawn(400, 1000 + seed)).mean() for seed in range(20)]
    assert np.mean(inside) == pytest.approx(LEVEL, abs=0.025)


def test_those_far_from_the_mean_are_covered_too() -> None:
    """Without the gain they would not be: its negative control."""
    made = fitted(200, 1, spread=0.8)
    truth, predicted = drawn(4000, 2, spread=0.8)
    far = np.abs(predicted) > 0.35
    assert made.gain > 0
    assert coverage(made, truth, predicted)[far].mean() > 0.85
    flat = np.array(made.base) * quantile((np.abs(truth - predicted) / np.array(made.base)).ravel())
    assert (np.abs(truth - predicted) <= flat)[far].mean() < 0.8


def test_where_the_error_is_the_same_everywhere_there_is_no_gain() -> None:
    assert fitted(200, 3).gain <= 0.25


def test_eight_people_show_no_interval() -> None:
    given_ = Calibration(1.0, 0.5, 8)
    assert interval(*drawn(8, 1), given_, regions=NAMES, voxel_factor=1.0) is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 10), min_size=9, max_size=60))
def test_the_quantile_leaves_at_most_a_tenth_above(scores) -> None:
    found = quantile(np.array(scores))
    assert found in scores
    assert np.mean(np.array(scores) <= found) >= LEVEL or found == max(scores)


def test_unseen_phantom_people_lie_inside_region_by_region_and_voxel_by_voxel() -> None:
    solved = solve(people(40, GRID))
    network = synthesizer(solved, template_of(GRID), atlas_of(GRID))
    regions, voxels = [], []
    for session in people(24, GRID, family="fresh"):
        made = network.predict(session)
        truth = session.volumes[Contrast.FDG].array
        widths = np.array([made.half_widths[each.key] for each in atlas_of(GRID).regions])
        gone = region_means(truth, GRID) - region_means(made.volume.array, GRID)
        regions.append(np.abs(gone) <= widths)
        inside = np.isfinite(made.half_width.array) & (template_of(GRID).brain.array > 0.5)
        voxels.append((np.abs(truth - made.volume.array) <= made.half_width.array)[inside].mean())
    assert 0.8 <= np.mean(regions) <= 0.98
    assert 0.8 <= np.mean(voxels) <= 0.98
    assert min(voxels) > 0.5
