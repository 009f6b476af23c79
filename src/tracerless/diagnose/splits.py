"""Two warnings that every evaluation carries: the single split, and labels that mean nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t

from tracerless.core.assessment import TABLES
from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.core.study import Arm, Study
from tracerless.diagnose.assess_judged import Answers, judged
from tracerless.diagnose.assess_measures import BOOTSTRAPPED
from tracerless.diagnose.labels import taken
from tracerless.diagnose.settings import Settings
from tracerless.statistics.discrimination import auc

TEST_SHARE = 0.3
"""Of people in the test part of the single split."""
SPECIFICATION = "specification"
"""Name of the one split that was dealt first; the others are numbered."""
MODEL, CHEAP = "mlp", "elastic_net"
SPLIT_METRICS = ("auc", "balanced_accuracy")
SENTINEL_LEVEL = 0.999
"""So sure must it be that labels without meaning are told apart, before it cries out."""


class Learn(Protocol):
    """Cross-validation of one arm (`nested` with its z step)."""

    def __call__(
        self,
        study: Study,
        arm: Arm,
        *,
        settings: Settings,
        fold: NDArray[np.intp] | None = None,
    ) -> Sequence[Answers]:
        """Out-of-fold answers of each model of the settings."""


def one_split(study: Study, settings: Settings, number: int) -> NDArray[np.intp]:
    """(n,) 0 where a row of the study is tested, -1 where it is learned from.

    People are drawn class by class; number 0 is the specification's one split.
    """
    chosen = taken(study, settings)
    first = _first_label(study, chosen.rows, chosen.truth)
    random = generator("single split", settings.seed, number)
    tested: set[str] = set()
    for label in sorted(set(first.values())):
        members = sorted(who for who, own in first.items() if own == label)
        n = max(round(TEST_SHARE * len(members)), 1)
        tested.update(members[each] for each in random.permutation(len(members))[:n])
    return np.array([0 if who in tested else -1 for who in study.person], dtype=np.intp)


def single_splits(
    study: Study, arm: Arm, learn: Learn, *, settings: Settings, numbers: Sequence[int]
) -> pd.DataFrame:
    """Rows of table ``single_split``: what one random 70/30 split, and others, would have said.

    Args:
        study: all of it.
        arm: of the model.
        learn: cross-validation.
        settings: the MLP alone is judged.
        numbers: of the splits; 0 is the specification's.
    """
    own = replace(settings, models=(MODEL,), repeats=1)
    dealt = np.stack([one_split(study, settings, number) for number in numbers])
    (out,) = learn(study, arm, settings=own, fold=dealt)
    chosen = taken(study, settings)
    rows = []
    for place, number in enumerate(numbers):
        inside = dealt[place, chosen.rows] == 0
        person = [study.person[row] for row in chosen.rows[inside]]
        one = judged(part_of(out, place, inside), person)
        ones = np.ones((1, len(one.truth)))
        name = str(number) if number else SPECIFICATION
        rows += [
            (name, metric, float(BOOTSTRAPPED[metric](one, ones)[0])) for metric in SPLIT_METRICS
        ]
    return pd.DataFrame(rows, columns=list(TABLES["single_split"]))


@dataclass(frozen=True, slots=True)
class Part:
    """One split's tested rows of some answers."""

    arm: str
    model: str
    classes: tuple[str, ...]
    truth: NDArray[np.intp]
    probability: NDArray[np.float64]
    fold: NDArray[np.intp]
    threshold: NDArray[np.float64]


def part_of(out: Answers, repeat: int, inside: NDArray[np.bool_]) -> Part:
    """Answers of one repeat on the rows that were tested (in fold 0)."""
    return Part(
        str(out.arm),
        out.model,
        out.classes,
        out.truth[inside],
        out.probability[repeat : repeat + 1, inside],
        np.zeros((1, int(inside.sum())), dtype=np.intp),
        out.threshold[repeat : repeat + 1],
    )


def shuffled(study: Study, settings: Settings, number: int) -> Study:
    """The study with its people's labels dealt among them; rows without a class keep none."""
    chosen = taken(study, settings)
    first = _first_label(study, chosen.rows, chosen.truth)
    people = sorted(first)
    labels = [first[who] for who in people]
    order = generator("sentinel", settings.seed, number).permutation(len(people))
    dealt = {who: chosen.classes[labels[order[place]]] for place, who in enumerate(people)}
    inside = set(chosen.rows.tolist())
    diagnosis = tuple(dealt[who] if row in inside else "" for row, who in enumerate(study.person))
    return replace(study, diagnosis=diagnosis)


def sentinel(
    study: Study, arm: Arm, learn: Learn, *, settings: Settings, numbers: Sequence[int]
) -> pd.DataFrame:
    """Rows of table ``sentinel``: area reached on labels that mean nothing.

    Mean of the areas within each fold: between folds the share of a class in training differs from
    that in the test the other way round, which pushes a pooled area below .5.

    Args:
        study: all of it.
        arm: the one with most predictors that counts.
        learn: cross-validation.
        settings: the linear model alone is judged.
        numbers: of the draws.
    """
    own = replace(settings, models=(CHEAP,), repeats=1)
    rows = []
    for number in numbers:
        meaningless = shuffled(study, settings, number)
        (out,) = learn(meaningless, arm, settings=replace(own, classes=taken_classes(study, own)))
        areas = list(_fold_areas(out))
        if areas:
            rows.append((str(number), "auc", float(np.mean(areas))))
    return pd.DataFrame(rows, columns=list(TABLES["sentinel"]))


def taken_classes(study: Study, settings: Settings) -> tuple[str, ...]:
    """Classes that the settings come to."""
    return taken(study, settings).classes


def verdict(table: pd.DataFrame) -> tuple[float, float, bool]:
    """Interval of the mean area on meaningless labels, and whether it holds .5.

    Raises:
        ModelError: fewer than two draws.
    """
    values = table["value"].to_numpy(dtype=np.float64)
    if len(values) < 2:
        raise ModelError(f"{len(values)} draws of the permuted labels; two are needed.")
    error = max(float(values.std(ddof=1)), 1e-9) / np.sqrt(len(values))
    half = float(t.ppf((1 + SENTINEL_LEVEL) / 2, len(values) - 1)) * error
    low, high = float(values.mean() - half), float(values.mean() + half)
    return low, high, low <= 0.5 <= high


def _fold_areas(out: Answers) -> Iterator[float]:
    shown = (1,) if len(out.classes) == 2 else range(len(out.classes))
    for repeat, dealt in enumerate(out.fold):
        for number in np.unique(dealt[dealt >= 0]):
            inside = dealt == number
            for each in shown:
                positive = out.truth[inside] == each
                if positive.any() and not positive.all():
                    yield float(auc(positive, out.probability[repeat, inside, each])[0])


def _first_label(study: Study, rows: NDArray[np.intp], truth: NDArray[np.intp]) -> dict[str, int]:
    first: dict[str, int] = {}
    for row, label in zip(rows, truth, strict=True):
        first.setdefault(study.person[row], int(label))
    return first
