"""A multilayer perceptron with one hidden layer and a strong penalty, along a path of penalties.

Trained to its minimum by L-BFGS on all training rows. It is never stopped early: a hold-out of a
tenth of a small cohort is a few dozen rows, and stopping by them gives a far worse model.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from tracerless.core.classifier import Mlp
from tracerless.core.seeds import generator
from tracerless.core.steps import Array
from tracerless.diagnose.descend import descend

ALPHAS = (100.0, 50.0, 25.0, 12.0, 6.0, 3.0, 1.0, 0.3)
"""Penalties, strong to weak: ``alpha / (2 n) |w|²`` is added to the mean log loss."""
N_UNITS = 16
"""Hidden units."""
_MAX_STEPS = 300
_TOLERANCE = 1e-4


def path(
    x: Array, truth: NDArray[np.intp], weight: Array, n_classes: int, *, seed: tuple[str | int, ...]
) -> Iterator[Mlp]:
    """Networks in the order of `ALPHAS`, each from the same first weights.

    Not from the stronger neighbor: a penalty that wins pulls all weights to zero, where the loss
    is flat, and no weaker one would leave it.

    Args:
        x: (n, q) standardized.
        truth: (n,) class.
        weight: (n,) of each row, mean 1.
        n_classes: also those that no row has.
        seed: names of what the first weights are for.
    """
    start = first(x.shape[1], n_classes, *seed)
    for alpha in ALPHAS:
        yield fit(x, truth, weight, alpha=alpha, start=start)


def first(n_inputs: int, n_classes: int, *seed: str | int) -> Mlp:
    """Weights that training starts from (Glorot and Bengio 2010); equal seed, equal weights."""
    random = generator("mlp", *seed)
    shapes = ((n_inputs, N_UNITS), (N_UNITS, n_classes))
    drawn = [random.uniform(-1, 1, shape) * np.sqrt(6 / sum(shape)) for shape in shapes]
    return Mlp(drawn[0], np.zeros(N_UNITS), drawn[1], np.zeros(n_classes))


def fit(x: Array, truth: NDArray[np.intp], weight: Array, *, alpha: float, start: Mlp) -> Mlp:
    """The minimum near ``start``."""
    target = np.zeros((len(x), len(start.output_bias)))
    target[np.arange(len(x)), truth] = 1.0
    found = descend(
        lambda flat: loss(flat, start, x, target, weight, alpha),
        _flat(start),
        max_steps=_MAX_STEPS,
        tolerance=_TOLERANCE,
    )
    return _network(found, start)


def loss(
    flat: Array, like: Mlp, x: Array, target: Array, weight: Array, alpha: float
) -> tuple[float, Array]:
    """Weighted mean log loss plus penalty of a flat vector of weights, and its gradient."""
    hidden, hidden_bias, output, output_bias = _parts(flat, like)
    n = len(x)
    units = np.tanh(x @ hidden + hidden_bias)
    logits = units @ output + output_bias
    logits -= logits.max(axis=1, keepdims=True)
    odds = np.exp(logits)
    total = odds.sum(axis=1, keepdims=True)
    share = (weight / n)[:, None]
    value = float((share * np.log(total)).sum() - (share * target * logits).sum())
    back = (odds / total - target) * share
    inner = (back @ output.T) * (1 - units * units)
    decay = alpha / n
    slope = np.concatenate(
        [
            (x.T @ inner + decay * hidden).ravel(),
            inner.sum(axis=0),
            (units.T @ back + decay * output).ravel(),
            back.sum(axis=0),
        ]
    )
    penalty = float(hidden.ravel() @ hidden.ravel() + output.ravel() @ output.ravel())
    return value + decay / 2 * penalty, slope


def log_probability(network: Mlp, x: Array) -> Array:
    """(n, c) of (n, q) inputs."""
    units = np.tanh(x @ network.hidden + network.hidden_bias)
    result: Array = log_softmax(units @ network.output + network.output_bias, axis=1)
    return result


def _flat(network: Mlp) -> Array:
    parts = (network.hidden, network.hidden_bias, network.output, network.output_bias)
    return np.concatenate([part.ravel() for part in parts])


def _network(flat: Array, like: Mlp) -> Mlp:
    return Mlp(*_parts(flat, like))


def _parts(flat: Array, like: Mlp) -> tuple[Array, Array, Array, Array]:
    (n_inputs, n_units), n_classes = like.hidden.shape, len(like.output_bias)
    ends = np.cumsum([n_inputs * n_units, n_units, n_units * n_classes])
    return (
        flat[: ends[0]].reshape(n_inputs, n_units),
        flat[ends[0] : ends[1]],
        flat[ends[1] : ends[2]].reshape(n_units, n_classes),
        flat[ends[2] :],
    )
