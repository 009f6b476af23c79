"""The penalty with the lowest log loss over inner folds, then the model with it on all rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.classifier import Scorer
from tracerless.core.steps import Array
from tracerless.diagnose import models

_ONE_WAY = {"mlp"}
"""Models whose grid is one path from strong to weak: it is left once the loss clearly rises."""
_CLEARLY = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Inner:
    """One inner fold, prepared on its own training rows.

    Args:
        x: (m, q) training inputs.
        kept: (m,) their places.
        x_out: (k, q) held-out inputs.
        out: (k,) their places.
    """

    x: Array
    kept: NDArray[np.intp]
    x_out: Array
    out: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """A tuned model.

    Args:
        scorer: on all rows.
        choice: what was chosen, in words.
        log_probability: (n, c) of the inner held-out rows, under that choice.
    """

    scorer: Scorer
    choice: str
    log_probability: Array


def tune(
    model: str,
    inner: list[Inner],
    truth: NDArray[np.intp],
    x: Array,
    *,
    balanced: bool,
    seed: tuple[str | int, ...],
) -> Tuned:
    """Choose by the log loss of held-out rows, fit on all.

    Args:
        model: of ``settings.MODELS``.
        inner: folds that hold every row out once.
        truth: (n,) class; -1 = this row is not learned from nor counted, only predicted.
        x: (n, q) inputs of all rows.
        balanced: whether each class weighs the same.
        seed: names of what random weights are for.
    """
    n_classes = int(truth.max()) + 1
    counted = truth >= 0
    best, best_loss, best_logs = 0, np.inf, np.zeros((len(truth), n_classes))
    paths = [
        _path(model, each.x, truth[each.kept], n_classes, balanced=balanced, seed=(*seed, number))
        for number, each in enumerate(inner)
    ]
    for place, scorers in enumerate(zip(*paths, strict=True)):
        logs = np.zeros((len(truth), n_classes))
        for each, scorer in zip(inner, scorers, strict=True):
            logs[each.out] = models.log_probability(scorer, each.x_out)
        loss = -float(logs[counted, truth[counted]].mean())
        if loss < best_loss:
            best, best_loss, best_logs = place, loss, logs
        elif model in _ONE_WAY and loss > best_loss + _CLEARLY:
            break
    whole = _path(model, x, truth, n_classes, balanced=balanced, seed=(*seed, "all"))
    scorer = next(found for place, found in enumerate(whole) if place == best)
    return Tuned(scorer, models.grid(model)[best], best_logs)


def _path(
    model: str,
    x: Array,
    truth: NDArray[np.intp],
    n_classes: int,
    *,
    balanced: bool,
    seed: tuple[str | int, ...],
) -> Iterator[Scorer]:
    counted = truth >= 0
    return models.path(model, x[counted], truth[counted], n_classes, balanced=balanced, seed=seed)
