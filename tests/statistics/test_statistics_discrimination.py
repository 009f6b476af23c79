"""Areas under the curve against published figures, other packages, and what must be so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.statistics.discrimination import (
    auc,
    auc_interval,
    average_precision,
    delong,
    difference_interval,
    rates,
    roc,
    youden,
)

# Albumin, total protein, K-G score, helped by surgery: 43 patients with all three tests, of
# DeLong, DeLong and Clarke-Pearson, Biometrics 1988, as SAS/STAT prints them in its manual.
OVARY = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1
3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0
2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1
3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0
3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1
3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""


def people(n: int, *seed: str) -> tuple[np.ndarray, np.ndarray]:
    draw = generator("test-discrimination", *seed)
    positive = np.arange(n) % 3 == 0
    return positive, np.round(draw.normal(size=n) + positive, 1)  # rounded, so that there are ties


def test_the_published_example_of_delong_comes_back():
    table = np.array(OVARY.split(), dtype=float).reshape(-1, 4)
    found = delong(table[:, 3] == 1, np.column_stack([table[:, 1], 10 - table[:, 2]]))
    assert found.auc.round(4).tolist() == [0.6478, 0.7258]
    assert np.sqrt(np.diag(found.covariance)).round(4).tolist() == [0.1000, 0.1028]


def test_areas_are_those_of_sklearn_and_of_the_rank_test():
    positive, score = people(90)
    rank = mannwhitneyu(score[positive], score[~positive]).statistic / (30 * 60)
    assert auc(positive, score)[0] == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
    assert delong(positive, score).auc[0] == pytest.approx(rank, abs=1e-12)


def test_weights_are_rows_written_several_times():
    positive, score = people(40)
    times = generator("test-times").integers(0, 4, size=40)
    again = np.repeat(np.arange(40), times)
    w = times[None, :].astype(float)
    assert auc(positive, score, w)[0] == pytest.approx(
        roc_auc_score(positive[again], score[again]), abs=1e-12
    )
    assert average_precision(positive, score, w)[0] == pytest.approx(
        average_precision_score(positive[again], score[again]), abs=1e-12
    )


def test_delong_covariance_is_what_repeated_samples_show():
    draws, said = [], []
    for number in range(1500):
        draw = generator("test-delong-again", number)
        positive = np.arange(80) < 30
        shared = draw.normal(size=80) + positive
        scores = np.column_stack([shared + draw.normal(size=80) * s for s in (0.5, 1.0)])
        found = delong(positive, scores)
        draws.append(found.auc)
        said.append(found.covariance)
    seen, mean = np.cov(np.array(draws).T), np.mean(said, axis=0)
    assert np.allclose(np.diag(mean), np.diag(seen), rtol=0.12)
    assert mean[0, 1] == pytest.approx(seen[0, 1], rel=0.15)


def test_rows_of_one_person_are_not_new_people():
    positive, score = people(60)
    person = [f"p{row}" for row in range(60)]
    once = delong(positive, score, person=person).covariance[0, 0]
    twice = np.r_[positive, positive], np.r_[score, score], person * 2
    apart = delong(*twice[:2]).covariance[0, 0]
    together = delong(*twice[:2], person=twice[2]).covariance[0, 0]
    assert once == pytest.approx(delong(positive, score).covariance[0, 0], rel=1e-12)
    assert apart < 0.55 * once
    assert together == pytest.approx(once, rel=0.05)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=4, max_size=40))
def test_turning_the_score_around_turns_the_area_around(rows):
    positive = np.array([row[0] for row in rows])
    score = np.array([row[1] for row in rows], dtype=float)
    if positive.all() or not positive.any():
        with pytest.raises(ModelError, match="positive"):
            auc(positive, score)
        return
    assert auc(positive, score)[0] + auc(positive, -score)[0] == pytest.approx(1)
    assert auc(positive, 3 * score + 1)[0] == pytest.approx(auc(positive, score)[0])
    false, true, _ = roc(positive, score)
    assert np.trapezoid(true, false) == pytest.approx(auc(positive, score)[0])


def test_the_curve_is_that_of_sklearn():
    positive, score = people(90)
    false, true, threshold = roc(positive, score)
    theirs = roc_curve(positive, score, drop_intermediate=False)
    assert np.allclose(false, theirs[0])
    assert np.allclose(true, theirs[1])
    assert np.allclose(threshold, theirs[2])


def test_the_threshold_is_where_the_rates_add_up_to_most():
    positive, score = people(120)
    at = youden(positive, score)
    best = np.sum([r[0] for r in rates(positive, score >= at)])
    others = [np.sum([r[0] for r in rates(positive, score >= each)]) for each in np.unique(score)]
    assert best == pytest.approx(max(others))


def test_a_perfect_area_is_still_bounded_by_how_few_people_showed_it():
    positive = np.arange(24) < 12
    found = delong(positive, positive.astype(float))
    assert auc_interval(1.0, found.covariance[0, 0]).low == 1.0
    assert 0.7 < auc_interval(1.0, found.covariance[0, 0], n_smaller=12).low < 0.75


def test_no_difference_is_no_finding():
    interval, p = difference_interval(0.0, 0.0)
    assert (interval.low, interval.high, p) == (0.0, 0.0, 1.0)
    interval, p = difference_interval(0.0196, 0.0001)
    assert interval.low == pytest.approx(0, abs=1e-4)
    assert p == pytest.approx(0.05, abs=1e-3)
