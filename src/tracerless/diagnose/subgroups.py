"""Whether a model serves everybody alike, and whose values are missing."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.study import Study
from tracerless.diagnose.assess_judged import Judged
from tracerless.diagnose.assess_measures import auc_delong
from tracerless.statistics.discrimination import rates
from tracerless.statistics.resampling import Interval, wilson

MIN_PEOPLE = 20
"""A group with fewer people is named, and not measured."""
MIN_EACH = 5
"""So is one with fewer rows of a class, or of the positive and the negative."""

AGES = ((0, 65, "under 65"), (65, 75, "65 to 74"), (75, 85, "75 to 84"), (85, 200, "85 and over"))
"""Bands of age, years: from, below, words."""
SCHOOLING = ((0, 1, "none"), (1, 6, "1 to 5 years"), (6, 100, "6 years and more"))
"""Bands of schooling, years, as Taiwan's cut-offs of the CASI have them."""
_UNKNOWN = "unknown"
_NAN = float("nan")


def groups(study: Study, rows: NDArray[np.intp]) -> dict[str, list[str]]:
    """By what people are told apart, and the group of each of the rows."""
    people = study.people.iloc[rows]
    return {
        "sex": [str(each) if each in {"F", "M"} else _UNKNOWN for each in people["sex"]],
        "age": _banded(people["age"], AGES),
        "education": _banded(people["education_years"], SCHOOLING),
        "scanner": [study.scanner[row] or _UNKNOWN for row in rows],
        "tracer": [study.measured.contrast] * len(rows),
    }


def subgroups(one: Judged, by: dict[str, list[str]]) -> pd.DataFrame:
    """Table ``subgroups``: area (DeLong), sensitivity and specificity (Wilson) of each group.

    Args:
        one: the model.
        by: as of `groups`, on the model's rows.
    """
    rows: list[tuple[Any, ...]] = []
    for name, own in by.items():
        member = np.asarray(own, dtype=object)
        for group in sorted(set(own)):
            inside = one.taken(np.asarray(member == group))
            rows += [(name, group, *each) for each in _group(inside)]
    return pd.DataFrame(rows, columns=list(TABLES["subgroups"]))


def _group(one: Judged) -> Iterator[tuple[Any, ...]]:
    n, reason = len(set(one.person)), _reason(one)
    if reason:
        yield n, "auc", _NAN, _NAN, _NAN, reason
        return
    yield n, "auc", *auc_delong(one), ""
    for name, side in (("sensitivity", 0), ("specificity", 1)):
        share = float(np.mean([rates(one.positive, called != 0)[side] for called in one.called]))
        yield n, name, *_share(share, one.positive if side == 0 else ~one.positive), ""


def _reason(one: Judged) -> str:
    """Why a group is not measured; empty where it is."""
    n, rarest = len(set(one.person)), np.bincount(one.truth, minlength=len(one.classes))
    if n < MIN_PEOPLE:
        return f"{n} people; {MIN_PEOPLE} are needed."
    if rarest.min() < MIN_EACH:
        scarce = one.classes[int(np.argmin(rarest))]
        return f"{int(rarest.min())} scans with {scarce}; {MIN_EACH} are needed."
    return ""


def _share(share: float, members: NDArray[np.bool_]) -> Interval:
    n = int(members.sum())
    return wilson(share * n, n)


def _banded(values: pd.Series, bands: Sequence[tuple[int, int, str]]) -> list[str]:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    return [
        next((words for low, high, words in bands if low <= number < high), _UNKNOWN)
        for number in numbers
    ]


def missingness(
    study: Study, rows: NDArray[np.intp], truth: NDArray[np.intp], classes: Sequence[str]
) -> pd.DataFrame:
    """Table ``missingness``: share of scans of a class without that value, where any is missing."""
    table = study.table.iloc[rows]
    found = []
    for key in table.columns:
        absent = table[key].isna().to_numpy()
        if not absent.any():
            continue
        for number, name in enumerate(classes):
            own = absent[truth == number]
            found.append((str(key), name, float(own.mean()), len(own)))
    return pd.DataFrame(found, columns=list(TABLES["missingness"]))
