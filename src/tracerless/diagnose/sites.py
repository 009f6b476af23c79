"""Whether a model carries over to a scanner that it never saw."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose import subgroups as grouped
from tracerless.diagnose.assess_judged import judged
from tracerless.diagnose.labels import taken
from tracerless.diagnose.settings import MIN_PEOPLE, Settings
from tracerless.diagnose.splits import Learn, part_of

BY = "scanner left out"
"""Of the rows in table ``subgroups``: the model learned from all other scanners."""
_NAN = float("nan")


def scanners_left_out(
    study: Study, arm: Arm, learn: Learn, *, settings: Settings, model: str
) -> pd.DataFrame:
    """Rows of table ``subgroups``: each scanner judged by a model that learned from the others.

    Args:
        study: all of it; a person counts under the scanner of the first scan.
        arm: which predictors.
        learn: cross-validation.
        settings: as of the evaluation.
        model: the one that is judged.

    Returns:
        No row where there are fewer than two scanners; a scanner that is too small, or leaves too
        few people to learn from, is named with the reason.
    """
    chosen = taken(study, settings)
    own = _scanner_of(study)
    names = sorted({own[study.person[row]] for row in chosen.rows} - {""})
    rows: list[pd.DataFrame] = []
    for name in names if len(names) > 1 else ():
        fold = np.array([0 if own[who] == name else -1 for who in study.person], dtype=np.intp)
        rows.append(_one(study, arm, learn, settings, (model, name, fold)))
    empty = pd.DataFrame(columns=list(TABLES["subgroups"]))
    return pd.concat(rows, ignore_index=True) if rows else empty


def _one(
    study: Study,
    arm: Arm,
    learn: Learn,
    settings: Settings,
    what: tuple[str, str, NDArray[np.intp]],
) -> pd.DataFrame:
    model, name, fold = what
    chosen = taken(study, settings)
    inside = fold[chosen.rows] == 0
    reason = _reason(study, chosen.rows[inside], chosen.truth, inside, len(chosen.classes))
    if not reason:
        own = replace(settings, models=(model,), repeats=1, classes=chosen.classes)
        try:
            (out,) = learn(study, arm, settings=own, fold=fold[None])
        except (DatasetError, ModelError) as error:
            reason = f"The other scanners do not suffice: {error.message}"
        else:
            person = [study.person[row] for row in chosen.rows[inside]]
            one = judged(part_of(out, 0, inside), person)
            return grouped.subgroups(one, {BY: [name] * len(person)})
    n = len({study.person[row] for row in chosen.rows[inside]})
    rows = [(BY, name, n, "auc", _NAN, _NAN, _NAN, reason)]
    return pd.DataFrame(rows, columns=list(TABLES["subgroups"]))


def _reason(
    study: Study,
    rows: Sequence[Any] | NDArray[np.intp],
    truth: NDArray[np.intp],
    inside: NDArray[np.bool_],
    n_classes: int,
) -> str:
    n = len({study.person[row] for row in rows})
    if n < grouped.MIN_PEOPLE:
        return f"{n} people; {grouped.MIN_PEOPLE} are needed."
    held = np.bincount(truth[inside], minlength=n_classes).min()
    if held < grouped.MIN_EACH:
        return f"A class has {int(held)} scans here; {grouped.MIN_EACH} are needed."
    rest = np.bincount(truth[~inside], minlength=n_classes).min()
    if rest < MIN_PEOPLE:
        return f"A class has {int(rest)} scans on the other scanners; {MIN_PEOPLE} are needed."
    return ""


def _scanner_of(study: Study) -> dict[str, str]:
    own: dict[str, str] = {}
    for who, scanner in zip(study.person, study.scanner, strict=True):
        own.setdefault(who, scanner)
    return own
