"""People dealt over folds: all rows of a person in one, every class in each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator


def deal(
    labels: Sequence[int] | NDArray[np.intp],
    people: Sequence[str],
    n_folds: int,
    *seed: str | int,
) -> NDArray[np.intp]:
    """(n,) number of the fold in which each row is held out; equal seed, equal folds.

    People of one class are shuffled and dealt one by one, each class going on where the last one
    stopped: folds hold equal numbers of people, and of each class, up to one. A person whose label
    changes between visits counts as the first.

    Args:
        labels: (n,) class of each row.
        people: (n,) whose row it is.
        n_folds: at least 2.
        *seed: names of what the folds are for.

    Raises:
        ModelError: a class has fewer people than there are folds.
    """
    first: dict[str, int] = {}
    for person, label in zip(people, labels, strict=True):
        first.setdefault(person, int(label))
    random = generator("folds", *seed)
    fold: dict[str, int] = {}
    for label in sorted(set(first.values())):
        members = sorted(person for person, own in first.items() if own == label)
        if len(members) < n_folds:
            raise ModelError(
                f"A class of {len(members)} people cannot be dealt over {n_folds} folds.",
                hint="Add people, or take fewer folds.",
            )
        start = len(fold)
        for place, member in enumerate(random.permutation(len(members))):
            fold[members[member]] = (start + place) % n_folds
    return np.array([fold[person] for person in people], dtype=np.intp)


def require_apart(fold: NDArray[np.intp], people: Sequence[str]) -> None:
    """Refuse folds that a person straddles.

    Raises:
        ModelError: somebody's rows lie in two folds.
    """
    own: dict[str, int] = {}
    for person, number in zip(people, fold, strict=True):
        if own.setdefault(person, int(number)) != int(number):
            raise ModelError(
                "Rows of one person lie in two folds.", hint="Deal people, not scans, over folds."
            )
