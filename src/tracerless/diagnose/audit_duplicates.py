"""Whether one person is there under two pseudonyms: the same scan comes twice, or nearly so."""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from tracerless.core.norm import Array
from tracerless.diagnose.audit_values import Finding, Trial, Verdict

MIN_COLUMNS = 8
"""Fewer continuous columns cannot tell one person from another."""
MIN_PEOPLE = 20
NEIGHBOR = 5
"""The nearest person is held against the fifth nearest; so up to four copies are found."""
CHANCE = 0.005
"""Of a false alarm over all rows together."""
_DIGITS, _CHUNK, _MISSING = 6, 512, 0.05


def duplicate_person(trial: Trial) -> Finding:
    """Look for equal rows, then for rows nearer to each other than people are.

    Equal: the digest of all continuous columns, to six digits. Near: among different people in d
    effective dimensions, (nearest / fifth nearest distance)^d of a row follows the smallest of
    four uniforms; d comes from the middle of all rows, so that no scale or spread is assumed. The
    same scan prepared twice is found; a second scan of a person, years later, is not.

    Source:
        Facco et al. 2017, Sci Rep 7:12140 (ratios of neighbors); here the first against the fifth.
    """
    check = "duplicate person"
    table = _continuous(trial)
    if table is None:
        return Finding(
            check,
            Verdict.UNKNOWN,
            f"Fewer than {MIN_COLUMNS} continuous columns or {MIN_PEOPLE} people to tell apart.",
            "Give the table of features, regions included.",
        )
    person = np.array(trial.person)[table.index]
    pairs = _equal(table, person) | _near(table, person)
    if not pairs:
        what = f"{len(table)} scans by {table.shape[1]} columns, no two people alike."
        return Finding(check, Verdict.PASS, what)
    apart = sum(_is_split(trial, pair) for pair in pairs)
    return Finding(
        check,
        Verdict.FOUND,
        f"{len(pairs)} pairs of pseudonyms have the same scan; {apart} of them on two sides of a "
        "split.",
        "Keep one of each pair: derivatives of equal scans show which, the vault shows why.",
    )


def _continuous(trial: Trial) -> pd.DataFrame | None:
    """Rows that are complete in columns that can tell people apart; None without any.

    Regions where there are enough of them, else whatever takes many values.
    """
    table = trial.features if trial.candidates is None else trial.candidates
    if table is None or len(set(trial.person)) < MIN_PEOPLE:
        return None
    table = table.reset_index(drop=True)
    regions = [name for name in trial.regions if name in table]
    columns = regions if len(regions) >= MIN_COLUMNS else list(table.columns)
    chosen = table[columns].apply(pd.to_numeric, errors="coerce")
    varies = chosen.nunique() > 0.5 * chosen.notna().sum()
    known = chosen.isna().mean() <= _MISSING
    chosen = chosen.loc[:, varies & known]
    complete: pd.DataFrame = chosen[np.isfinite(chosen).all(axis=1)]
    if chosen.shape[1] < MIN_COLUMNS or len(complete) < MIN_PEOPLE:
        return None
    return complete


def _equal(table: pd.DataFrame, person: NDArray[np.str_]) -> set[tuple[str, str]]:
    """Pairs of people with one row in common."""
    owners: dict[bytes, set[str]] = {}
    for row, who in zip(table.to_numpy(dtype=np.float64), person, strict=True):
        text = ",".join(f"{value:.{_DIGITS - 1}e}" for value in row)
        owners.setdefault(hashlib.sha256(text.encode()).digest(), set()).add(str(who))
    return {pair for who in owners.values() for pair in _pairs(sorted(who))}


def _near(table: pd.DataFrame, person: NDArray[np.str_]) -> set[tuple[str, str]]:
    """Pairs of people whose rows are nearer than chance allows."""
    names, owner = np.unique(person, return_inverse=True)
    distance, nearest = _neighbors(_standard(table), owner)
    first, fifth = distance[:, 0], distance[:, NEIGHBOR - 1]
    usual = (first > 0) & (fifth > first)
    if usual.sum() < MIN_PEOPLE:
        return set()
    logs = np.log(fifth[usual] / first[usual])
    middle = -np.log(1 - 0.5 ** (1 / (NEIGHBOR - 1)))
    dimensions = middle / np.median(logs)
    share = np.divide(first, fifth, out=np.ones_like(first), where=fifth > 0)
    chance = 1 - (1 - share**dimensions) ** (NEIGHBOR - 1)
    rows = np.flatnonzero((chance < CHANCE / len(table)) & (fifth > 0))
    return {
        (min(pair), max(pair))
        for pair in ((str(person[row]), str(names[nearest[row]])) for row in rows)
    }


def _neighbors(values: Array, owner: NDArray[np.intp]) -> tuple[Array, NDArray[np.intp]]:
    """(n, 5) distances to the nearest other people, by their nearest scan, and who is nearest."""
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    distances, nearest = [], []
    for start in range(0, len(values), _CHUNK):
        rows = slice(start, start + _CHUNK)
        to_people = np.minimum.reduceat(cdist(values[rows], values[order]), starts, axis=1)
        own = owner[rows]
        to_people[np.arange(len(own)), own] = np.inf
        distances.append(np.sort(np.partition(to_people, NEIGHBOR, axis=1)[:, :NEIGHBOR], axis=1))
        nearest.append(to_people.argmin(axis=1))
    return np.concatenate(distances), np.concatenate(nearest)


def _standard(table: pd.DataFrame) -> Array:
    """Each column around its median, by its interquartile range."""
    values: Array = table.to_numpy(dtype=np.float64)
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    spread = np.where(high > low, high - low, 1.0)
    standard: Array = (values - middle) / spread
    return standard


def _pairs(people: list[str]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(people) for b in people[i + 1 :]]


def _is_split(trial: Trial, pair: tuple[str, str]) -> bool:
    """Whether the two stand on two sides of any split."""
    person = np.array(trial.person)
    return any(set(fold[person == pair[0]]) != set(fold[person == pair[1]]) for fold in trial.fold)
