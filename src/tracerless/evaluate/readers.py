"""What readers made of MR alone, with synthetic and with acquired PET: forms that came back.

Every interval is over people (all readings of a person are drawn together), given these readers: it
says how other people would have been read by them, not how other readers would have read.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.statistics import discrimination
from tracerless.statistics.resampling import Array, Interval, Resample, resample

MR, SYNTHETIC, ACQUIRED = "mr", "mr+synthetic", "mr+acquired"
KINDS = (MR, SYNTHETIC, ACQUIRED)
"""What a case shows."""
COLUMNS = ("reader", "case", "person", "kind", "truth", "said", "certainty", "looks_synthetic")
"""Of readings: one row a reader and case; ``certainty`` 1-5, ``looks_synthetic`` yes, no, empty."""
EVERYBODY = "all"
NORMAL = "CN"
CONTRASTS = ((SYNTHETIC, ACQUIRED), (SYNTHETIC, MR), (ACQUIRED, MR))
"""Kinds that are held against each other: the first less the second."""
RESULT = ("what", "reader", "kind", "value", "low", "high", "n")
"""Columns of the table of results."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Every reading of a study.

    Args:
        table: columns `COLUMNS`; one row a reader and case.

    Raises:
        ModelError: no reading, an unknown kind, a certainty beyond 1-5, or a case read twice by
            one reader.
    """

    table: pd.DataFrame

    def __post_init__(self) -> None:
        """Check once, copy, and order."""
        table = self.table[list(COLUMNS)].copy()
        if table.empty:
            raise ModelError("No case was read.", hint="Fill the forms of the kit.")
        strange = sorted(set(table["kind"]) - set(KINDS))
        if strange:
            raise ModelError(f"A case shows {strange[0]!r}, none of {', '.join(KINDS)}.")
        table["certainty"] = table["certainty"].astype(np.float64)
        if not table["certainty"].between(1, 5).all():
            raise ModelError("A certainty is not between 1 and 5.")
        if table.duplicated(["reader", "case"]).any():
            raise ModelError("A reader read one case twice.")
        table = table.sort_values(["reader", "case"], kind="stable").reset_index(drop=True)
        object.__setattr__(self, "table", table)

    @property
    def readers(self) -> tuple[str, ...]:
        """Names, sorted."""
        return tuple(sorted(set(self.table["reader"])))


def results(readings: Readings, *, seed: str = "1") -> pd.DataFrame:
    """Everything that the forms tell, columns `RESULT`.

    ``what``: ``accuracy`` (diagnosis right), ``auc`` (normal or not, by certainty), ``certainty``
    by kind; ``accuracy difference`` and ``auc difference`` between kinds of the same people;
    ``kappa between readers`` by kind; ``kappa within a reader`` between synthetic and acquired PET
    of the same person; ``told apart``, the share of right guesses whether a PET was synthetic (0.5
    = blinded).

    Args:
        readings: as they came back.
        seed: of the draws of people.
    """
    drawn = resample(tuple(readings.table["person"].astype(str)), seed=("readers", seed))
    rows: list[tuple[str, str, str, float, float, float, int]] = []
    for reader in (EVERYBODY, *readings.readers):
        mine = _of(readings, reader)
        rows += _measures(readings, drawn, reader, mine)
        rows += _contrasts(readings, drawn, reader, mine)
        rows += _blinding(readings, drawn, reader, mine)
    rows += _between(readings, drawn)
    rows += _within(readings, drawn)
    return pd.DataFrame(rows, columns=list(RESULT))


def kappa(
    one: Sequence[str] | NDArray[np.object_],
    other: Sequence[str] | NDArray[np.object_],
    weights: Array | None = None,
) -> Array:
    """(k,) Cohen's kappa of two raters of the same cases; NaN where both always say one thing.

    Args:
        one: (n,) what the first said.
        other: (n,) what the second said.
        weights: (k, n); None counts every case once.

    Source:
        Cohen, A coefficient of agreement for nominal scales, 1960.
    """
    first, second = np.asarray(one, dtype=object), np.asarray(other, dtype=object)
    w = np.ones((1, len(first))) if weights is None else weights
    total = w.sum(axis=1)
    words = sorted(set(first) | set(second))
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = (w @ (first == second).astype(np.float64)) / total
        chance = np.sum(
            [
                (w @ (first == word).astype(np.float64)) * (w @ (second == word).astype(np.float64))
                for word in words
            ],
            axis=0,
        ) / (total**2)
        found: Array = np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)
    return found


Rows = NDArray[np.bool_]
Result = tuple[str, str, str, float, float, float, int]


def _of(readings: Readings, reader: str) -> Rows:
    if reader == EVERYBODY:
        return np.ones(len(readings.table), dtype=np.bool_)
    mine: Rows = (readings.table["reader"] == reader).to_numpy()
    return mine


def _measures(readings: Readings, drawn: Resample, reader: str, mine: Rows) -> Iterator[Result]:
    for kind in KINDS:
        rows = mine & _shows(readings, kind)
        for what in ("accuracy", "auc", "certainty"):
            if _can(readings, what, rows):
                statistic = _statistic(readings, what, rows)
                yield _result(what, reader, kind, _interval(drawn, statistic), int(rows.sum()))


def _contrasts(readings: Readings, drawn: Resample, reader: str, mine: Rows) -> Iterator[Result]:
    people = readings.table["person"].to_numpy()
    for kind, against in CONTRASTS:
        one, other = (mine & _shows(readings, each) for each in (kind, against))
        both = np.isin(people, list(set(people[one]) & set(people[other])))
        one, other = one & both, other & both
        for what in ("accuracy", "auc"):
            if _can(readings, what, one) and _can(readings, what, other):
                gain = _less(_statistic(readings, what, one), _statistic(readings, what, other))
                name = f"{kind} less {against}"
                found = _interval(drawn, gain)
                yield _result(f"{what} difference", reader, name, found, int(one.sum()))


def _blinding(readings: Readings, drawn: Resample, reader: str, mine: Rows) -> Iterator[Result]:
    """Whether it shows which PET is synthetic: half right is blinded."""
    guess = readings.table["looks_synthetic"].to_numpy()
    rows = mine & ~_shows(readings, MR) & np.isin(guess, ("yes", "no"))
    if rows.any():
        right = ((guess == "yes") == _shows(readings, SYNTHETIC)).astype(np.float64)
        yield _result(
            "told apart", reader, "PET", _interval(drawn, _share(right, rows)), int(rows.sum())
        )


def _between(readings: Readings, drawn: Resample) -> Iterator[Result]:
    """Mean kappa over pairs of readers, by kind."""
    for kind in KINDS:
        shows = _shows(readings, kind)
        pairs = [
            _paired(readings, "case", shows & _of(readings, a), shows & _of(readings, b))
            for a, b in itertools.combinations(readings.readers, 2)
        ]
        known = [pair for pair in pairs if len(pair[0])]
        if known:
            found = _interval(drawn, _mean_kappa(readings, known))
            n = sum(len(first) for first, _ in known)
            yield _result("kappa between readers", EVERYBODY, kind, found, n)


def _within(readings: Readings, drawn: Resample) -> Iterator[Result]:
    """Kappa of a reader with the same reader: synthetic against acquired PET of one person."""
    pairs = []
    for reader in readings.readers:
        mine = _of(readings, reader)
        one, other = (mine & _shows(readings, kind) for kind in (SYNTHETIC, ACQUIRED))
        pairs.append(_paired(readings, "person", one, other))
    known = [pair for pair in pairs if len(pair[0])]
    if known:
        found = _interval(drawn, _mean_kappa(readings, known))
        n = sum(len(first) for first, _ in known)
        name = f"{SYNTHETIC} and {ACQUIRED}"
        yield _result("kappa within a reader", EVERYBODY, name, found, n)


Places = tuple[NDArray[np.intp], NDArray[np.intp]]


def _paired(readings: Readings, by: str, one: Rows, other: Rows) -> Places:
    """Places of the rows that share a value of a column, in the same order."""
    names = readings.table[by].to_numpy()
    first = {names[row]: row for row in np.flatnonzero(one)}
    second = {names[row]: row for row in np.flatnonzero(other)}
    shared = sorted(set(first) & set(second))
    return (
        np.array([first[name] for name in shared], dtype=np.intp),
        np.array([second[name] for name in shared], dtype=np.intp),
    )


def _mean_kappa(readings: Readings, pairs: Sequence[Places]) -> Callable[[Array], Array]:
    said = readings.table["said"].to_numpy(dtype=np.object_)

    def statistic(weights: Array) -> Array:
        every = [kappa(said[a], said[b], weights[:, a]) for a, b in pairs]
        return np.asarray(np.mean(every, axis=0))

    return statistic


def _shows(readings: Readings, kind: str) -> Rows:
    shows: Rows = (readings.table["kind"] == kind).to_numpy()
    return shows


def _can(readings: Readings, what: str, rows: Rows) -> bool:
    if what != "auc":
        return bool(rows.any())
    ill = (readings.table["truth"] != NORMAL).to_numpy()[rows]
    return bool(ill.any() and not ill.all())


def _statistic(readings: Readings, what: str, rows: Rows) -> Callable[[Array], Array]:
    table = readings.table
    if what == "accuracy":
        right: Array = np.asarray(table["said"] == table["truth"], dtype=np.float64)
        return _share(right, rows)
    if what == "certainty":
        return _share(table["certainty"].to_numpy(dtype=np.float64), rows)
    ill = (table["truth"] != NORMAL).to_numpy()[rows]
    said_ill = (table["said"] != NORMAL).to_numpy()
    score = np.where(said_ill, 1.0, -1.0) * table["certainty"].to_numpy(dtype=np.float64)
    return lambda weights: discrimination.auc(ill, score[rows], weights[:, rows])


def _share(values: Array, rows: Rows) -> Callable[[Array], Array]:
    def statistic(weights: Array) -> Array:
        own = weights[:, rows]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Array = (own @ values[rows]) / own.sum(axis=1)
        return mean

    return statistic


def _less(
    one: Callable[[Array], Array], other: Callable[[Array], Array]
) -> Callable[[Array], Array]:
    return lambda weights: one(weights) - other(weights)


def _interval(drawn: Resample, statistic: Callable[[Array], Array]) -> Interval:
    return drawn.interval(statistic)[0]


def _result(what: str, reader: str, kind: str, found: Interval, n: int) -> Result:
    return (what, reader, kind, float(found.value), float(found.low), float(found.high), n)
