"""Out-of-fold answers of a model with the calls made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.statistics.resampling import Array

_SAME = 1e-12


class Answers(Protocol):
    """What is read of a model's out-of-fold answers (`OutOfFold`)."""

    @property
    def arm(self) -> str:
        """Which predictors it saw."""

    @property
    def model(self) -> str:
        """Its name."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What it tells apart."""

    @property
    def truth(self) -> NDArray[np.intp]:
        """(n,) what was true, as index into the classes."""

    @property
    def probability(self) -> Array:
        """(repeats, n, classes)."""

    @property
    def fold(self) -> NDArray[np.intp]:
        """(repeats, n) the fold that each row was held out in."""

    @property
    def threshold(self) -> Array:
        """(repeats, folds) on the second of two classes, chosen in training; NaN from three on."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Answers of one model with its calls, ready to be measured.

    Args:
        arm: which predictors it saw.
        model: its name.
        classes: what it tells apart; everything but the first is ``positive``.
        truth: (n,) index into the classes.
        probability: (repeats, n, classes).
        called: (repeats, n) class that it says: from the threshold on the second of two, else the
            most probable.
        person: (n,) pseudonyms.
        threshold: mean of those chosen in training; NaN from three classes on.

    Raises:
        ModelError: a row has no answer.
    """

    arm: str
    model: str
    classes: tuple[str, ...]
    truth: NDArray[np.intp]
    probability: Array
    called: NDArray[np.intp]
    person: tuple[str, ...]
    threshold: float

    def __post_init__(self) -> None:
        """Check once."""
        if not np.isfinite(self.probability).all():
            raise ModelError(f"{self.model} on {self.arm} left rows of the study unanswered.")

    @property
    def positive(self) -> NDArray[np.bool_]:
        """(n,) whether it is another class than the first."""
        return np.asarray(self.truth != 0)

    @property
    def suspicion(self) -> Array:
        """(repeats, n) probability of another class than the first."""
        return np.asarray(1 - self.probability[:, :, 0])

    @property
    def shown(self) -> tuple[int, ...]:
        """Classes with a curve of their own: the second of two, else each against the rest."""
        return (1,) if len(self.classes) == 2 else tuple(range(len(self.classes)))

    def taken(self, rows: NDArray[np.bool_]) -> "Judged":
        """Some of the rows."""
        return Judged(
            self.arm,
            self.model,
            self.classes,
            self.truth[rows],
            self.probability[:, rows],
            self.called[:, rows],
            tuple(np.asarray(self.person, dtype=object)[rows]),
            self.threshold,
        )


def judged(out: Answers, person: Sequence[str]) -> Judged:
    """Answers with their calls; ``person`` (n,) is whose row each is.

    A model that tells every row of a fold the same (the prevalence of its training rows) tells
    every row its mean: what differs between its folds ranks nobody.
    """
    probability = np.stack(
        [_leveled(*each) for each in zip(out.probability, out.fold, strict=True)]
    )
    if len(out.classes) == 2:
        own = np.take_along_axis(out.threshold, np.maximum(out.fold, 0), axis=1)
        called = (probability[:, :, 1] >= own).astype(np.intp)
        threshold = float(np.mean(out.threshold))
    else:
        called, threshold = np.argmax(probability, axis=2), float("nan")
    return Judged(
        str(out.arm), out.model, out.classes, out.truth, probability, called,
        tuple(person), threshold,
    )  # fmt: skip


def smallest(one: Judged) -> int:
    """Rows of the rarest class."""
    return int(np.bincount(one.truth, minlength=len(one.classes)).min())


def _leveled(probability: Array, fold: NDArray[np.intp]) -> Array:
    spread = [np.ptp(probability[fold == number], axis=0).max() for number in np.unique(fold)]
    if max(spread) > _SAME:
        return probability
    return np.broadcast_to(probability.mean(axis=0), probability.shape)
