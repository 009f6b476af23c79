"""The models themselves: against another implementation, and against arithmetic."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from tracerless.core.classifier import Hierarchy, Linear, Prevalence
from tracerless.core.seeds import generator
from tracerless.diagnose import linear, mlp, models
from tracerless.diagnose.calibrate import calibrated, fit_calibration, youden
from tracerless.diagnose.descend import descend


def made(n=150, q=12, n_classes=3):
    random = generator("test-models", n, q, n_classes)
    x = random.normal(size=(n, q)) + random.normal(size=(n, 1))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    truth = (x[:, :n_classes] + 1.5 * random.normal(size=(n, n_classes))).argmax(axis=1)
    return x, truth


@pytest.mark.parametrize("l1_share", [0.0, 0.5])
@pytest.mark.parametrize("strength", [0.1, 0.01])
def test_elastic_net_finds_the_minimum_that_another_solver_finds(strength, l1_share):
    x, truth = made()
    penalty = linear.Penalty(strength, l1_share)
    ours = linear.fit(x, truth, np.ones(len(x)), 3, penalty=penalty, tolerance=1e-9)
    theirs = LogisticRegression(
        solver="saga",
        l1_ratio=l1_share,
        C=1 / (len(x) * strength),
        tol=1e-7,
        max_iter=20_000,
        random_state=0,
    ).fit(x, truth)
    expected = theirs.predict_log_proba(x)
    assert np.abs(linear.log_probability(ours, x) - expected).max() < 1e-3


def test_a_strong_lasso_keeps_only_how_frequent_classes_are():
    x, truth = made()
    penalty = linear.Penalty(1.0, 0.5)
    fitted = linear.fit(x, truth, np.ones(len(x)), 3, penalty=penalty, tolerance=1e-9)
    shares = np.bincount(truth) / len(truth)
    assert not fitted.coefficients.any()
    assert np.exp(linear.log_probability(fitted, x[:1]))[0] == pytest.approx(shares, abs=1e-3)


def test_the_gradient_of_the_network_is_that_of_its_loss():
    x, truth = made(n=30, q=5)
    network, target = mlp.first(5, 3, "gradient"), np.eye(3)[truth]
    weight = models.weights(truth, 3, balanced=True)
    flat = mlp._flat(network)

    def value(at):
        return mlp.loss(at, network, x, target, weight, 3.0)[0]

    slope = mlp.loss(flat, network, x, target, weight, 3.0)[1]
    assert slope == pytest.approx(approx_fprime(flat, value, 1e-7), abs=1e-5)


def test_the_network_is_trained_at_least_as_far_as_by_another_library():
    alpha = 30.0
    x, truth = made()
    target, ones = np.eye(3)[truth], np.ones(len(x))
    ours = mlp.fit(x, truth, ones, alpha=alpha, start=mlp.first(x.shape[1], 3, "far"))
    theirs = MLPClassifier(
        (mlp.N_UNITS,), activation="tanh", solver="lbfgs", alpha=alpha, max_iter=500,
        random_state=0,
    ).fit(x, truth)  # fmt: skip
    parts = [theirs.coefs_[0], theirs.intercepts_[0], theirs.coefs_[1], theirs.intercepts_[1]]
    reached = mlp.loss(mlp._flat(ours), ours, x, target, ones, alpha)[0]
    other = mlp.loss(np.concatenate([p.ravel() for p in parts]), ours, x, target, ones, alpha)[0]
    assert reached <= other + 0.02


def test_the_network_learns_what_no_line_can_tell():
    random = generator("test-models", "ring")
    x = random.normal(size=(300, 2))
    truth = ((x**2).sum(axis=1) > 1.4).astype(np.intp)
    network = mlp.fit(x, truth, np.ones(300), alpha=0.3, start=mlp.first(2, 2, "ring"))
    line = linear.fit(x, truth, np.ones(300), 2, penalty=linear.Penalty(0.003, 0.0))
    right = [
        (fitted.argmax(axis=1) == truth).mean()
        for fitted in (mlp.log_probability(network, x), linear.log_probability(line, x))
    ]
    assert right[0] > 0.95
    assert right[1] < 0.7


def test_descent_reaches_the_bottom_of_a_bent_valley():
    def valley(at):
        a, b = at
        slope = [-400 * a * (b - a**2) - 2 * (1 - a), 200 * (b - a**2)]
        return float(100 * (b - a**2) ** 2 + (1 - a) ** 2), np.array(slope)

    found = descend(valley, np.array([-1.2, 1.0]), max_steps=500, tolerance=1e-14)
    assert found == pytest.approx([1, 1], abs=1e-4)


def test_a_hierarchy_is_the_product_of_its_steps():
    x = np.zeros((4, 3))
    first = Prevalence(np.log([0.5, 0.3, 0.2]))
    second = Linear(np.zeros((3, 2)), np.log([0.75, 0.25]))
    both = Hierarchy(first, second, (0, 1, 2, 2), (-1, -1, 0, 1))
    assert np.exp(models.log_probability(both, x))[0] == pytest.approx([0.5, 0.3, 0.15, 0.05])


def test_balanced_rows_weigh_each_class_the_same():
    truth = np.array([0, 0, 0, 1])
    weight = models.weights(truth, 2, balanced=True)
    assert weight.mean() == pytest.approx(1)
    assert weight[:3].sum() == pytest.approx(weight[3])


def test_a_predictor_without_coefficient_moves_nothing():
    fitted = Linear([[1.0, -1.0], [0.0, 0.0]], [0.0, 0.0])
    assert models.sensitivity(fitted, np.zeros((3, 2))) == pytest.approx([1, 0])


@pytest.mark.parametrize("sharpened", [0.5, 2.0])
def test_calibration_takes_back_what_was_sharpened(sharpened):
    random = generator("test-models", "calibration")
    log_odds = random.normal(size=4000) * 1.5
    truth = (random.random(4000) < 1 / (1 + np.exp(-log_odds))).astype(np.intp)
    sharp = np.column_stack([np.zeros(4000), log_odds * sharpened + 0.7])
    logs = sharp - np.logaddexp(0, sharp[:, 1])[:, None]
    found = fit_calibration(logs, truth)
    told = calibrated(found, logs)[:, 1]
    assert found.slope == pytest.approx(1 / sharpened, rel=0.1)
    assert told.mean() == pytest.approx(truth.mean(), abs=0.005)


def test_calibration_of_few_rows_stays_near_what_the_model_said():
    logs = np.log(np.tile([0.9, 0.1], (8, 1)))
    assert 0.5 < fit_calibration(logs, np.zeros(8, dtype=np.intp)).slope < 3


def test_threshold_splits_where_both_shares_are_best():
    ill = np.array([False, False, False, True, True])
    assert youden(ill, np.array([0.1, 0.2, 0.6, 0.5, 0.9])) == 0.5
    assert np.isnan(youden(ill[:3], np.array([0.1, 0.2, 0.6])))


def test_a_network_that_one_penalty_pulls_to_zero_is_free_under_the_next():
    random = generator("test-models", "weak")
    x = random.normal(size=(200, 3))
    truth = (x[:, 0] + 2 * random.normal(size=200) > 0).astype(np.intp)
    found = [
        models.sensitivity(network, x)[0]
        for network in mlp.path(x, truth, np.ones(200), 2, seed=("weak",))
    ]
    assert found[0] < 1e-3
    assert found[-1] > 0.1
