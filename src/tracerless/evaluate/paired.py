"""The same people predicted in two ways: what the difference is, and whether it is chance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracerless.core.seeds import generator

FLIPS = 9999
"""Random signs behind a p."""
_CHUNK = 1000


def sign_flip_p(differences: NDArray[np.float64], *seed: str | int) -> float:
    """Two-sided p that the mean of paired differences is 0, by random signs.

    Args:
        differences: (n,) one a person; those that are not finite are left out.
        *seed: names of what is tested.

    Returns:
        NaN for fewer than three people.
    """
    known = differences[np.isfinite(differences)]
    if len(known) < 3:
        return float("nan")
    observed, hits = abs(float(known.mean())), 0
    random = generator("sign-flip", *seed)
    for start in range(0, FLIPS, _CHUNK):
        n = min(_CHUNK, FLIPS - start)
        signs = random.integers(0, 2, size=(n, len(known))) * 2 - 1
        hits += int((np.abs(signs @ known / len(known)) >= observed - 1e-15).sum())
    return (1 + hits) / (1 + FLIPS)


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """The p values adjusted for being several (Holm 1979); NaN stays and does not count."""
    values = np.array(p, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    highest, adjusted = 0.0, values.copy()
    for rank, at in enumerate(order):
        highest = max(highest, min(values[at] * (len(order) - rank), 1.0))
        adjusted[at] = highest
    return tuple(float(each) for each in adjusted)


def over_people(values: NDArray[np.float64], people: Sequence[str]) -> NDArray[np.float64]:
    """(n,) sessions -> one mean a person, in the order of their first session."""
    number = {person: at for at, person in enumerate(dict.fromkeys(people))}
    rows = np.array([number[person] for person in people])
    known = np.isfinite(values)
    count = np.bincount(rows[known], minlength=len(number))
    total = np.bincount(rows[known], weights=values[known], minlength=len(number))
    means: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means
