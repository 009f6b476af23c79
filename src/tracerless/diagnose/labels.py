"""Which rows of a study a model learns from, and what it is to say of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose.settings import MIN_PEOPLE, Settings

FEW = 30
"""A kind of dementia with fewer people is told apart in a second step."""
_WITHOUT_DEMENTIA = (Diagnosis.CN.value, Diagnosis.MCI.value)


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Rows with a diagnosis that is asked for.

    Args:
        classes: in the order of ``Diagnosis``.
        rows: (n,) of the study.
        truth: (n,) index into ``classes``.
        notes: what was left out, in sentences.
    """

    classes: tuple[str, ...]
    rows: NDArray[np.intp]
    truth: NDArray[np.intp]
    notes: tuple[str, ...]


def taken(study: Study, settings: Settings) -> Taken:
    """The rows whose diagnosis is among the classes.

    Raises:
        ModelError: a class that was asked for has fewer than ten people, or fewer than two classes
            have as many.
    """
    people = {
        name.value: len(
            {
                who
                for who, what in zip(study.person, study.diagnosis, strict=True)
                if what == name.value
            }
        )
        for name in Diagnosis
    }
    for name in settings.classes:
        if people[name] < MIN_PEOPLE:
            raise ModelError(
                f"Class {name} has {people[name]} people; {MIN_PEOPLE} are needed.",
                hint=f"Leave out --class {name}, or add people.",
            )
    wanted = settings.classes or tuple(name for name in people if people[name] >= MIN_PEOPLE)
    if len(wanted) < 2:
        counts = ", ".join(f"{name} {n}" for name, n in people.items() if n) or "nobody"
        raise ModelError(
            f"Two classes of {MIN_PEOPLE} people are needed; there are: {counts}.",
            hint="Fill the diagnosis column of participants.tsv.",
        )
    classes = tuple(name.value for name in Diagnosis if name.value in wanted)
    place: dict[str, int] = {name: number for number, name in enumerate(classes)}
    truth = np.array([place.get(name, -1) for name in study.diagnosis], dtype=np.intp)
    rows = np.flatnonzero(truth >= 0)
    return Taken(classes, rows, truth[rows], _left_out(study, classes))


def require_people(study: Study, arm: Arm, chosen: Taken) -> None:
    """Refuse to fit more than the people can tell.

    Raises:
        ModelError: no predictor at all, or fewer people than parameters of one contrast.
    """
    n_parameters = len(study.keys(arm)) + 1
    if n_parameters < 2:
        raise ModelError(
            f"The study has no predictor for {arm}.", hint="Add age, sex or schooling."
        )
    n_people = len({study.person[row] for row in chosen.rows})
    if n_people < n_parameters:
        raise ModelError(
            f"{n_people} people for {n_parameters} parameters of {arm}.",
            hint="Add people, or choose an arm with fewer predictors (--arm).",
        )


def is_hierarchical(study: Study, chosen: Taken, settings: Settings) -> bool:
    """Whether dementia comes first and its kind second."""
    kinds = [name for name in chosen.classes if name not in _WITHOUT_DEMENTIA]
    if len(kinds) < 2 or len(kinds) == len(chosen.classes):
        return False
    if settings.hierarchy != "auto":
        return settings.hierarchy == "hierarchical"
    sizes = [
        len({study.person[row] for row in chosen.rows[chosen.truth == chosen.classes.index(name)]})
        for name in kinds
    ]
    return min(sizes) < FEW


def steps(classes: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(group of each class, kind of each class or -1) of a hierarchy."""
    well = [name for name in classes if name in _WITHOUT_DEMENTIA]
    ill = [name for name in classes if name not in _WITHOUT_DEMENTIA]
    group = tuple(well.index(name) if name in well else len(well) for name in classes)
    return group, tuple(ill.index(name) if name in ill else -1 for name in classes)


def _left_out(study: Study, classes: tuple[str, ...]) -> tuple[str, ...]:
    others = [name or "no diagnosis" for name in study.diagnosis if name not in classes]
    return tuple(
        f"{others.count(name)} scans with {name} were not taken." for name in sorted(set(others))
    )
