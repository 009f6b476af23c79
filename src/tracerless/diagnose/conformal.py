"""Sets of diagnoses that hold the truth as often as they say, of each class."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tracerless.core.steps import Array

if TYPE_CHECKING:
    from tracerless.diagnose.nested import OutOfFold


def scores(probability: Array, truth: NDArray[np.intp]) -> tuple[Array, ...]:
    """By class, sorted 1 - probability of the truth of held-out people of that class.

    Args:
        probability: (n, c).
        truth: (n,).

    Source:
        Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 4.5
        (label-conditional); over folds: Vovk, Ann Math Artif Intell 2015.
    """
    missed = 1 - probability[np.arange(len(truth)), truth]
    return tuple(np.sort(missed[truth == each]) for each in range(probability.shape[1]))


def cuts(kept: tuple[Array, ...], level: float) -> Array:
    """(c,) largest 1 - probability at which a class stays in the set.

    A class with too few people for the level (fewer than nine at 90 %) is in every set.
    """
    found = []
    for each in kept:
        rank = math.ceil((len(each) + 1) * level - 1e-9)
        found.append(float(each[rank - 1]) if 0 < rank <= len(each) else 1.0)
    return np.array(found)


def sets(probability: Array, cut: Array) -> NDArray[np.bool_]:
    """(n, c) classes in the set of each row; never empty: else the most probable one is in it."""
    members = 1 - probability <= cut
    members[np.arange(len(members)), probability.argmax(axis=1)] |= ~members.any(axis=1)
    return np.asarray(members, dtype=np.bool_)


def cross_sets(out: "OutOfFold", level: float = 0.9) -> NDArray[np.bool_]:
    """(repeats, n, c) sets of held-out rows; the cuts of a fold come from all other folds."""
    members = np.zeros(out.probability.shape, dtype=np.bool_)
    for number, (probability, fold) in enumerate(zip(out.probability, out.fold, strict=True)):
        for held_out in np.unique(fold[fold >= 0]):
            own, others = fold == held_out, (fold >= 0) & (fold != held_out)
            cut = cuts(scores(probability[others], out.truth[others]), level)
            members[number, own] = sets(probability[own], cut)
    return members
