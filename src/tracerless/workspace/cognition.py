"""Scores of a dataset: what ``participants.tsv`` and ``phenotype/`` hold, checked and joined."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tracerless.core.cognition import Dictionary, Finding, Test
from tracerless.core.cognition_check import checked, sums
from tracerless.core.errors import DatasetError
from tracerless.workspace.cognition_files import FOLDER, KEYS, NOT_SCORES, dictionary_of
from tracerless.workspace.dataset import Dataset

MAX_GAP_DAYS = 183
"""Scores taken longer before or after a scan do not go with it: about half a year."""

PEOPLE = "participants.tsv"
_PERSON, _VISIT = "person", "visit"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores by person and visit.

    Args:
        table: one row a person and visit, sorted: ``person`` (pseudonym), ``visit`` (empty when
            the scores are bound to none), then codes of the dictionary; NaN where not tested.
        tests: of the codes, in their order.
        gaps: days from scan to test: ``person``, ``visit``, ``tool``, ``days`` (NaN when unknown).
        findings: what to know.
    """

    table: pd.DataFrame
    tests: tuple[Test, ...]
    gaps: pd.DataFrame
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Columns of scores."""
        return tuple(test.code for test in self.tests)

    def at(
        self, keys: Sequence[tuple[str, str]], takes_unbound: Sequence[bool] | None = None
    ) -> pd.DataFrame:
        """Scores of those people at those visits, else those that are bound to no visit.

        Args:
            keys: person and visit.
            takes_unbound: which of them take scores that are bound to no visit; None for all.

        Returns:
            (keys, codes), numbered from 0.
        """
        by = self.table.set_index([_PERSON, _VISIT])[list(self.codes)]
        people = [person for person, _ in keys]
        own = by.reindex(_index(people, [visit for _, visit in keys]))
        loose = by.reindex(_index(people, [""] * len(people)))
        if takes_unbound is not None:
            loose.loc[~np.asarray(takes_unbound, dtype=bool)] = np.nan
        both = np.where(own.isna(), loose.to_numpy(), own.to_numpy())
        return pd.DataFrame(both, columns=list(self.codes), dtype=np.float64)


def read_scores(
    dataset: Dataset, *, max_gap_days: int = MAX_GAP_DAYS, known: Dictionary | None = None
) -> Scores:
    """Every score of a dataset, checked against the dictionary.

    Args:
        dataset: with ``participants.tsv``, ``phenotype/<tool>.tsv``, or none.
        max_gap_days: scores taken longer before or after the scan are left out.
        known: the dictionary; None for the dataset's own.

    Raises:
        DatasetError: a table has no ``participant_id``.
    """
    tests = known or dictionary_of(dataset)
    found: list[Finding] = []
    tables, gaps = [_of_people(dataset, tests, found)], []
    for path in phenotype_tables(dataset):
        scores, days = _of_tool(path, tests, max_gap_days, found)
        tables.append(scores)
        gaps.append(days.assign(tool=path.stem))
    joined = _joined(tables, found).dropna(how="all").dropna(axis=1, how="all")
    chosen = tuple(test for code, test in tests.tests.items() if code in joined)
    table = joined[[test.code for test in chosen]].sort_index().reset_index()
    order = [_PERSON, _VISIT, "tool", "days"]
    whole = pd.concat(gaps, ignore_index=True) if gaps else pd.DataFrame(columns=order)
    found.extend(sums(table, tests))
    return Scores(table, chosen, whole[order], tuple(found))


def phenotype_tables(dataset: Dataset) -> tuple[Path, ...]:
    """Tables of scores in a dataset, sorted by name."""
    paths = sorted((dataset.root / FOLDER).glob("*.tsv"))
    return tuple(path for path in paths if path.stem not in NOT_SCORES and path.name[0] != ".")


def _of_people(dataset: Dataset, tests: Dictionary, found: list[Finding]) -> pd.DataFrame:
    """Scores in the table of people; bound to no visit."""
    path = dataset.root / PEOPLE
    if not path.is_file():
        return pd.DataFrame(index=_index([], []))
    raw = _read(path, PEOPLE)
    mine = raw[[name for name in raw.columns if tests.code(str(name))]]
    scores = _checked_columns(mine, tests, "participants", found)
    people = raw[KEYS[0]].str.removeprefix("sub-")
    scores.index = _index(people, [""] * len(raw))
    return scores.dropna(how="all")


def _of_tool(
    path: Path, tests: Dictionary, max_gap_days: int, found: list[Finding]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of one table, one row a person and visit; and how far from the scan they were."""
    raw = _read(path, f"{FOLDER}/{path.name}")
    person = raw[KEYS[0]].str.removeprefix("sub-")
    visit = raw.get(KEYS[1], pd.Series("", index=raw.index)).str.removeprefix("ses-")
    days = raw.get(KEYS[2], pd.Series("", index=raw.index))
    days = pd.Series(pd.to_numeric(days, errors="coerce"), index=raw.index, dtype=np.float64)
    scores = _checked_columns(raw, tests, path.stem, found)
    index = _index(person, visit.where(visit != "n/a", ""))
    kept = _in_time(days, index, path.stem, max_gap_days, found)
    order = [row for row in _nearest_first(days) if kept[row]]
    scores.index = index
    gaps = pd.DataFrame({"days": days.to_numpy()}, index=index)
    nearest = scores.iloc[order].groupby(level=[0, 1]).first()
    _say_repeats(len(order) - len(nearest), path.stem, found)
    return nearest, gaps.iloc[order].groupby(level=[0, 1]).first().reset_index()


def _read(path: Path, name: str) -> pd.DataFrame:
    raw = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    if KEYS[0] not in raw:
        raise DatasetError(f"{name} has no column {KEYS[0]}.", hint="BIDS asks for it.")
    return raw


def _index(person: Sequence[str] | pd.Series, visit: Sequence[str] | pd.Series) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([list(person), list(visit)], names=[_PERSON, _VISIT])


def _checked_columns(
    raw: pd.DataFrame, tests: Dictionary, tool: str, found: list[Finding]
) -> pd.DataFrame:
    columns: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for name in (str(each) for each in raw.columns if each not in KEYS):
        code = tests.code(name)
        if not code:
            text = f"{tool}: column {name} is in no dictionary, and was left out."
            found.append(Finding("unknown-column", name, len(raw), text))
        elif code in columns:
            text = f"{tool}: column {name} is {code} once more, and was left out."
            found.append(Finding("ambiguous-column", code, len(raw), text))
        else:
            result = checked(raw[name].tolist(), tests.tests[code])
            columns[code] = result.values
            found.extend(result.findings)
    return pd.DataFrame(columns, dtype=np.float64)


def _in_time(
    days: pd.Series, index: pd.MultiIndex, tool: str, most: int, found: list[Finding]
) -> list[bool]:
    far = (days.abs() > most).to_numpy()
    if far.any():
        text = f"{tool}: {far.sum()} testings lie more than {most} days from the scan; left out."
        found.append(Finding("gap", tool, int(far.sum()), text))
    bound = index.get_level_values(_VISIT).to_numpy() != ""
    unknown = int((days.isna().to_numpy() & bound).sum())
    if unknown:
        text = f"{tool}: nobody says how far from the scan {unknown} testings were."
        found.append(Finding("gap-unknown", tool, unknown, text))
    return [not each for each in far]


def _nearest_first(days: pd.Series) -> list[int]:
    """Rows by distance from the scan, unknown ones last; the order of the table else."""
    distance = days.abs().fillna(np.inf).to_numpy()
    return [int(row) for row in np.argsort(distance, kind="stable")]


def _say_repeats(n: int, tool: str, found: list[Finding]) -> None:
    if n:
        text = f"{tool}: {n} more testings of the same visit; the nearest to the scan is taken."
        found.append(Finding("repeat", tool, n, text))


def _joined(tables: Sequence[pd.DataFrame], found: list[Finding]) -> pd.DataFrame:
    """All tables side by side; ``phenotype/`` counts before the table of people."""
    people, *tools = tables
    whole = tools[0] if tools else people
    for table in [*tools[1:], *([people] if tools else [])]:
        found.extend(_conflicts(whole, table))
        whole = whole.combine_first(table)
    return whole


def _conflicts(one: pd.DataFrame, other: pd.DataFrame) -> Iterator[Finding]:
    shared = one.index.intersection(other.index)
    for code in (name for name in other.columns if name in one):
        mine, theirs = one.loc[shared, code], other.loc[shared, code]
        n = int((mine.notna() & theirs.notna() & (mine != theirs)).sum())
        if n:
            text = f"{code}: {n} people have two different scores; {FOLDER}/ counts first."
            yield Finding("conflict", str(code), n, text)
