"""Whether there were people enough: learning curve, and people for each number that is fitted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.seeds import generator
from tracerless.core.study import Arm, Study
from tracerless.diagnose.assess_judged import Judged, judged, smallest
from tracerless.diagnose.assess_measures import auc_moved
from tracerless.diagnose.labels import taken
from tracerless.diagnose.settings import MIN_PEOPLE, Settings
from tracerless.diagnose.splits import Learn
from tracerless.statistics.discrimination import auc_interval, clustered

SHARES = (0.3, 0.5, 0.75)
"""Of people, at which the curve is measured; the whole is the evaluation itself."""
DRAWS = 3
"""Subsets of each size."""
ENOUGH = 10.0
"""People of the rarest class for each fitted number, below which a note is made."""


def people_per_parameter(study: Study, settings: Settings, arms: Sequence[Arm]) -> dict[str, float]:
    """People of the rarest class for each predictor of an arm; below ten is few."""
    chosen = taken(study, settings)
    people = [
        len({study.person[row] for row in chosen.rows[chosen.truth == number]})
        for number in range(len(chosen.classes))
    ]
    return {arm.value: round(min(people) / max(len(study.keys(arm)), 1), 2) for arm in arms}


def subset(study: Study, settings: Settings, share: float, number: int) -> NDArray[np.bool_] | None:
    """(n,) rows of a random share of people of each class; None where a class gets too small."""
    chosen = taken(study, settings)
    first: dict[str, int] = {}
    for row, label in zip(chosen.rows, chosen.truth, strict=True):
        first.setdefault(study.person[row], int(label))
    random = generator("learning curve", settings.seed, f"{share:.2f}", number)
    kept: set[str] = set()
    for label in range(len(chosen.classes)):
        members = sorted(who for who, own in first.items() if own == label)
        n = round(share * len(members))
        if n < max(MIN_PEOPLE, settings.folds):
            return None
        kept.update(members[each] for each in random.permutation(len(members))[:n])
    return np.array([who in kept for who in study.person])


def learning_curve(
    study: Study, arm: Arm, learn: Learn, *, settings: Settings, share: float
) -> pd.DataFrame:
    """Rows of table ``learning_curve`` at one share of the people.

    Args:
        study: all of it.
        arm: of the models.
        learn: cross-validation.
        settings: models that are judged; one repeat is taken.
        share: of people, 0-1.

    Returns:
        One row a model, or none where a class would hold fewer than ten people or there would be
        fewer people than predictors. The interval counts both the people and the choice of them.
    """
    classes = taken(study, settings).classes
    own = replace(settings, repeats=1, classes=classes)
    subsets = [subset(study, settings, share, number) for number in range(DRAWS)]
    found: dict[str, list[tuple[int, float, float]]] = {}
    for rows in subsets:
        if rows is None or len(set(np.asarray(study.person)[rows])) < len(study.keys(arm)) + 2:
            return curve_rows({})
        part = study.taken(rows)
        person = [part.person[row] for row in taken(part, own).rows]
        try:
            outs = learn(part, arm, settings=own)
        except (DatasetError, ModelError):  # too few normal people for z, too few of a class
            return curve_rows({})
        for out in outs:
            found.setdefault(out.model, []).append(_point(judged(out, person)))
    return curve_rows(found)


def whole(every: Sequence[Judged]) -> pd.DataFrame:
    """The last point of the curve: the evaluation itself."""
    return curve_rows({one.model: [_point(one)] for one in every})


def curve_rows(found: dict[str, list[tuple[int, float, float]]]) -> pd.DataFrame:
    """From (people, area, variance) of every draw of a model to its row."""
    rows = []
    for model, points in found.items():
        n, areas, variances = (np.array(column) for column in zip(*points, strict=True))
        between = float(areas.var(ddof=1)) if len(areas) > 1 else 0.0
        interval = auc_interval(
            float(areas.mean()), float(variances.mean()) + between, n_smaller=int(n.mean() / 2)
        )
        rows.append((model, int(n.mean()), "auc", *interval))
    return pd.DataFrame(rows, columns=list(TABLES["learning_curve"]))


def _point(one: Judged) -> tuple[int, float, float]:
    area, moved = auc_moved(one)
    variance = float(clustered(moved[:, None], one.person)[0, 0])
    return len(set(one.person)), area, variance if smallest(one) else float("nan")
