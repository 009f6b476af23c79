"""Hazards of each kind from prepared columns, and the choice of the penalty."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.norm import Array
from tracerless.core.risk import Clock, Hazards, RiskKind
from tracerless.foresee import cox, discrete
from tracerless.foresee.courses import Timed

_CLOSE = 1e-9
_SWEEPS = 2
_TOLERATED = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Penalties:
    """Ridge of the weights of dementia and of death (inf = kept out), both (p,)."""

    dementia: Array
    death: Array


def edges(found: Timed, clock: Clock, step_years: float, furthest: float) -> Array:
    """Borders of the periods: from the first entry to the last time told of anybody.

    Args:
        found: everybody.
        clock: what time is counted from.
        step_years: length of a period; ages are told by whole years at the finest.
        furthest: years after the scan that a risk must reach.
    """
    step = step_years if clock is Clock.SCAN else max(step_years, 1.0)
    first = float(np.floor(found.entry.min()))
    last = max(float(found.last.max()), float(found.entry.max()) + furthest)
    n = max(int(np.ceil((last - first) / step - _CLOSE)), 1)
    return np.asarray(first + step * np.arange(n + 1), dtype=np.float64)


def learn(kind: RiskKind, x: Array, found: Timed, borders: Array, penalties: Penalties) -> Hazards:
    """Hazards of one kind.

    Args:
        kind: how it learns.
        x: (n, p) prepared columns.
        found: of the same people.
        borders: of the periods.
        penalties: of the weights; `RiskKind.INCIDENCE` has none.
    """
    if kind is RiskKind.DISCRETE:
        seen = discrete.spans(found, borders)
        made = discrete.fit(x, seen, penalties.dementia, penalties.death)
        return Hazards(
            borders, made.dementia, made.death, made.dementia_weights, made.death_weights,
            is_odds=True,
        )  # fmt: skip
    onset, death = onset_spells(found), death_spells(found)
    weights = np.zeros((2, x.shape[1]))
    if kind is RiskKind.COX:
        inside = np.flatnonzero(np.isfinite(penalties.death))
        weights[0] = cox.fit(x, onset, penalties.dementia)
        weights[1, inside] = cox.fit(x[:, inside], death, penalties.death[inside])
    return Hazards(
        borders,
        cox.baseline(x, onset, weights[0], borders),
        cox.baseline(x, death, weights[1], borders),
        weights[0],
        weights[1],
    )


def onset_spells(found: Timed) -> cox.Spells:
    """Dementia: up to the middle of the two visits around it, or the last visit without it."""
    return cox.Spells(found.entry, found.onset, found.has_dementia)


def death_spells(found: Timed) -> cox.Spells:
    """Death without dementia: up to the death, the first visit with dementia, or last contact."""
    return cox.Spells(found.entry, found.last, found.is_dead)


def chosen(
    x: Array,
    found: Timed,
    groups: NDArray[np.intp],
    ridges: Sequence[float],
    parts: NDArray[np.intp],
) -> Array:
    """(p,) ridge penalties that predict held-out people best, one for each group of columns.

    Each group has its own, so that columns that tell nothing can be shrunk away without shrinking
    the others. The groups are searched in turn, twice. Discrete hazards use the same penalties:
    both likelihoods bend alike. Within half a standard error of the best the strongest penalty is
    taken: folds differ by chance, and too weak a ridge makes risks too extreme.

    Args:
        x: (n, p) prepared columns.
        found: of the same people.
        groups: (p,) group of each column.
        ridges: to choose from.
        parts: (n,) in which part each person is held out.

    Source:
        Verweij & van Houwelingen 1993: cross-validated partial likelihood.
    """
    search = _Search(x, onset_spells(found), parts)
    rungs = np.array(sorted(ridges))
    names = np.unique(groups)
    place = dict.fromkeys(names.tolist(), len(rungs) // 2)
    for _ in range(_SWEEPS if len(names) > 1 else 1):
        for name in names.tolist():
            gains = np.stack(
                [
                    search.gains(_spread(groups, place | {name: step}, rungs))
                    for step in range(len(rungs))
                ]
            )
            place[name] = _strongest(gains)
    return _spread(groups, place, rungs)


def deal(event: NDArray[np.intp], n_parts: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """(n,) parts of equal size with the events spread evenly over them."""
    parts = np.zeros(len(event), dtype=np.intp)
    order = rng.permutation(len(event))
    order = order[np.argsort(event[order], kind="stable")]
    parts[order] = np.arange(len(event)) % n_parts
    return parts


class _Search:
    """Cross-validated partial likelihood; each part starts from its last weights."""

    def __init__(self, x: Array, spells: cox.Spells, parts: NDArray[np.intp]) -> None:
        self._x, self._spells = x, spells
        self._kept = [np.flatnonzero(parts != part) for part in np.unique(parts)]
        self._weights: list[Array | None] = [None] * len(self._kept)
        self._known: dict[bytes, Array] = {}

    def gains(self, penalty: Array) -> Array:
        """(parts,) log likelihood of everybody less that of the kept."""
        key = penalty.tobytes()
        if key not in self._known:
            every = range(len(self._kept))
            self._known[key] = np.array([self._gain(part, penalty) for part in every])
        return self._known[key]

    def _gain(self, part: int, penalty: Array) -> float:
        kept = self._kept[part]
        mine, spells = self._x[kept], self._spells.taken(kept)
        weights = cox.fit(mine, spells, penalty, self._weights[part])
        self._weights[part] = weights
        whole = cox.log_likelihood(self._x, self._spells, weights)
        return whole - cox.log_likelihood(mine, spells, weights)


def _strongest(gains: Array) -> int:
    """The last step of (steps, parts) that is not clearly worse than the best."""
    total = gains.sum(axis=1)
    best = int(np.argmax(total))
    behind = gains[best] - gains
    error = behind.std(axis=1, ddof=1) * np.sqrt(gains.shape[1])
    good = np.flatnonzero(behind.sum(axis=1) <= _TOLERATED * error)
    return int(max(good.max(initial=best), best))


def _spread(groups: NDArray[np.intp], place: dict[int, int], rungs: Array) -> Array:
    return np.array([rungs[place[int(group)]] for group in groups], dtype=np.float64)
