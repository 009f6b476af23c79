"""The shelf of models: each fits a path of penalties and gives log probabilities."""

from collections.abc import Iterator
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tracerless.core.classifier import Hierarchy, Linear, Mlp, Prevalence, Scorer
from tracerless.core.steps import Array
from tracerless.diagnose import linear, mlp


def grid(model: str) -> tuple[str, ...]:
    """What is tuned, in the order of `path`, in words."""
    if model == "elastic_net":
        return tuple(
            f"penalty {each.strength:.3g}, L1 share {each.l1_share:g}"
            for each in linear.penalties()
        )
    if model == "mlp":
        return tuple(f"alpha {each:g}" for each in mlp.ALPHAS)
    return ("",)


def path(
    model: str,
    x: Array,
    truth: NDArray[np.intp],
    n_classes: int,
    *,
    balanced: bool,
    seed: tuple[str | int, ...],
) -> Iterator[Scorer]:
    """Fitted models, one for each entry of `grid`.

    Args:
        model: of ``settings.MODELS``.
        x: (n, q) standardized.
        truth: (n,) class.
        n_classes: also those that no row has.
        balanced: whether each class weighs the same.
        seed: names of what random weights are for.
    """
    weight = weights(truth, n_classes, balanced=balanced)
    if model == "prevalence":
        yield prevalence(truth, n_classes)
    elif model == "elastic_net":
        yield from linear.path(x, truth, weight, n_classes)
    else:
        yield from mlp.path(x, truth, weight, n_classes, seed=seed)


def prevalence(truth: NDArray[np.intp], n_classes: int) -> Prevalence:
    """Shares of the classes, half a person added to each."""
    counts = np.bincount(truth, minlength=n_classes) + 0.5
    return Prevalence(np.log(counts / counts.sum()))


def weights(truth: NDArray[np.intp], n_classes: int, *, balanced: bool) -> Array:
    """(n,) of each row, mean 1."""
    if not balanced:
        return np.ones(len(truth))
    each: Array = 1 / np.maximum(np.bincount(truth, minlength=n_classes), 1)[truth]
    result: Array = each / each.mean()
    return result


def log_probability(scorer: Scorer, x: Array) -> Array:
    """(n, c) of (n, q) inputs."""
    match scorer:
        case Prevalence():
            return np.tile(scorer.log_share, (len(x), 1))
        case Linear():
            return linear.log_probability(scorer, x)
        case Mlp():
            return mlp.log_probability(scorer, x)
        case Hierarchy():
            first, second = log_probability(scorer.first, x), log_probability(scorer.second, x)
            return joined(first, second, scorer.group, scorer.kind)
    assert_never(scorer)


def joined(first: Array, second: Array, group: tuple[int, ...], kind: tuple[int, ...]) -> Array:
    """(n, c) log probabilities of a hierarchy from those of its two steps."""
    columns = [
        first[:, one] + (second[:, other] if other >= 0 else 0.0)
        for one, other in zip(group, kind, strict=True)
    ]
    return np.column_stack(columns)


def sensitivity(scorer: Scorer, x: Array) -> Array:
    """(q,) how far each input moves the log probabilities of (n, q) rows, on average."""
    match scorer:
        case Prevalence():
            return np.zeros(x.shape[1])
        case Linear():
            centered = scorer.coefficients - scorer.coefficients.mean(axis=1, keepdims=True)
            return np.asarray(np.abs(centered).mean(axis=1))
        case Mlp():
            slope = 1 - np.tanh(x @ scorer.hidden + scorer.hidden_bias) ** 2
            out = scorer.output - scorer.output.mean(axis=1, keepdims=True)
            moved = np.einsum("qh,nh,hc->nqc", scorer.hidden, slope, out, optimize=True)
            return np.asarray(np.abs(moved).mean(axis=(0, 2)))
        case Hierarchy():
            return sensitivity(scorer.first, x) + sensitivity(scorer.second, x)
    assert_never(scorer)
