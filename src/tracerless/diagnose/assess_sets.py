"""Sets that hold the truth, and what the answers rest on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.diagnose import choose
from tracerless.diagnose.assess_judged import Judged
from tracerless.diagnose.nested import OutOfFold
from tracerless.statistics.resampling import Array, corrected_t, wilson


def sets(one: Judged, inside: NDArray[np.bool_], beyond: NDArray[np.bool_]) -> pd.DataFrame:
    """Table ``sets``: how often the set of a class's people holds that class.

    Args:
        one: answers.
        inside: (repeats, n, classes) whether a class is in the set.
        beyond: (repeats, n) whether the model would have refused to answer.
    """
    rows = []
    for number, name in enumerate(one.classes):
        own = one.truth == number
        n = int(own.sum())
        covered = float(inside[:, own, number].mean())
        sizes = inside[:, own].sum(axis=2)
        share = wilson(covered * n, n)
        rest = float(sizes.mean()), float((sizes == 1).mean()), float(beyond[:, own].mean())
        rows.append((name, n, *share, *rest))
    return pd.DataFrame(rows, columns=list(TABLES["sets"]))


def importance(
    groups: Sequence[str], kinds: Sequence[str], rises: Array, stability: float
) -> pd.DataFrame:
    """Table ``importance``: rise of the log loss when a group's columns are shuffled.

    Args:
        groups: lobes, cognitive domains, demographics.
        kinds: of each group: person, region or test.
        rises: (repeats, folds, groups) on held-out rows.
        stability: mean rank correlation between folds.

    Returns:
        Most important first; intervals by the corrected t test over repeats and folds.
    """
    share = 1 / rises.shape[1]
    rows: list[tuple[Any, ...]] = []
    for place, (group, kind) in enumerate(zip(groups, kinds, strict=True)):
        interval, _ = corrected_t(rises[:, :, place].ravel(), test_share=share)
        rows.append((group, kind, *interval, stability))
    table = pd.DataFrame(rows, columns=list(TABLES["importance"]))
    return table.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)


def simplest(outs: Sequence[OutOfFold], person: tuple[str, ...]) -> tuple[str, bool]:
    """The simplest learned model within one standard error of the best, and whether any learned.

    Args:
        outs: models of one arm on the same rows, simplest first.
        person: of every row of the study.

    Returns:
        Its name, by log loss over people; False where the prevalence alone comes as near.
    """
    near = choose.simplest(tuple(outs), person)
    if near != "prevalence":
        return near, True
    learned = tuple(out for out in outs if out.model != "prevalence")
    return (choose.simplest(learned, person), False) if learned else (near, False)
