"""Sets that hold the truth as often as they say, of each class."""

from dataclasses import replace

import numpy as np
import pytest

from tracerless.core.seeds import generator
from tracerless.core.study import Arm
from tracerless.diagnose.conformal import cross_sets, cuts, scores, sets
from tracerless.diagnose.nested import OutOfFold

SHARES = (0.6, 0.3, 0.1)


def answers(n, seed):
    """Probabilities that are right on average, of three classes of which one is rare."""
    random = generator("test-conformal", seed)
    truth = random.choice(3, n, p=SHARES)
    logits = 1.2 * np.eye(3)[truth] + random.normal(size=(n, 3)) + np.log(SHARES)
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), truth


def out_of_fold(n, seed):
    probability, truth = answers(n, seed)
    nothing = np.zeros((1, 5, 1))
    return OutOfFold(
        arm=Arm.BOTH, model="elastic_net", classes=("CN", "AD", "FTD"), rows=np.arange(n),
        truth=truth, probability=probability[None], fold=np.arange(n)[None] % 5,
        threshold=nothing[:, :, 0], beyond=np.zeros((1, n), dtype=bool), groups=("g",),
        kinds=("region",), importance=nothing,
    )  # fmt: skip


def coverage(members, truth):
    held = members[np.arange(len(truth)), truth]
    return np.array([held[truth == each].mean() for each in range(3)])


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_each_class_is_held_as_often_as_said(level):
    found = []
    for seed in range(30):
        out = out_of_fold(600, seed)
        found.append(coverage(cross_sets(out, level)[0], out.truth))
    assert np.abs(np.mean(found, axis=0) - level).max() < 0.03


def test_one_cut_for_all_classes_fails_the_rare_one():
    found = []
    for seed in range(30):
        probability, truth = answers(600, seed)
        missed = np.sort(1 - probability[np.arange(600), truth])
        same = np.full(3, missed[int(np.ceil(601 * 0.9)) - 1])
        found.append(coverage(sets(probability, same), truth))
    assert np.mean(found, axis=0)[2] < 0.8


def test_a_class_of_eight_people_is_in_every_set():
    probability, truth = answers(200, "few")
    truth = np.where(truth == 2, 1, truth)
    truth[:8] = 2
    cut = cuts(scores(probability, truth), 0.9)
    assert sets(probability, cut)[:, 2].all()
    truth[8] = 2
    assert not sets(probability, cuts(scores(probability, truth), 0.9))[:, 2].all()


def test_no_set_is_empty():
    probability = np.array([[0.4, 0.3, 0.3]])
    assert sets(probability, np.full(3, 0.1)).tolist() == [[True, False, False]]


def test_sets_of_a_fold_owe_nothing_to_that_fold():
    out = out_of_fold(300, "own")
    changed = out.probability.copy()
    row = np.flatnonzero(out.fold[0] == 2)[0]
    changed[0, row] = [0.98, 0.01, 0.01]
    other = replace(out, probability=changed)
    same = (out.fold[0] == 2) & (np.arange(300) != row)
    assert (cross_sets(out)[0][same] == cross_sets(other)[0][same]).all()
