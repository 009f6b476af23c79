"""Cells of a table of scores become numbers; whatever does not is said, with the reason kept."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cognition import Dictionary, Finding, Test

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "missing-code": "a code that stands for no value; the reason is kept",
        "not-a-number": "text where a score should be; left out",
        "range": "outside the possible scores; left out",
        "corrected": "a little above the best score: corrected for age or schooling? Left out",
        "step": "between two possible scores; left out",
        "cap": "the examiner stopped there: the true score is beyond; kept",
        "ceiling": "many have the best score; kept",
        "all-ceiling": "everybody has the best score; kept, and useless",
        "zero-variance": "everybody has the same score; kept, and useless",
        "code-in-range": "looks like a missing code but is a possible score; kept",
        "sum": "a total is not the sum of its parts; kept",
        "identifier": "a column that may tell who somebody is; left out",
        "unknown-column": "a column that the dictionary does not know; left out",
        "ambiguous-column": "two columns mean the same test; left out but the first",
        "version": "another version of the test than the dictionary's; left out",
        "gap": "taken too long before or after the scan; left out",
        "gap-unknown": "nobody says how long before or after the scan; kept",
        "repeat": "tested again for the same visit; the score nearest to the scan is kept",
        "conflict": "two tables give one person's visit different scores; phenotype/ counts first",
        "person-column": "a fact about people, not a score; comes with deidentify --phenotype",
        "translated": "codes of REDCap choices were read as the scores that they stand for",
        "date": "a date that cannot be read; the gap stays unknown",
        "unknown-visit": "a visit that the dataset does not have; left out",
        "replaced": "a score that stood in the dataset is another now",
        "unknown-person": "rows of nobody in this dataset; left out",
    }
)
"""Kinds of finding, and what was done."""

LOSES = frozenset(
    {"not-a-number", "range", "corrected", "step", "version", "ambiguous-column", "date"}
)
"""Kinds that say that something in a table is wrong and does not come through."""

OF_HEADINGS = frozenset(
    {"identifier", "unknown-column", "ambiguous-column", "person-column", "version", "translated"}
)
"""Kinds whose sentences may hold a heading of the table."""

BLANK = frozenset(("", "n/a", "na", "nan", "null", "none", ".", "-", "--", "?", "nat", "#n/a"))
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "refused": "refused",
        "拒測": "refused",
        "拒絕": "refused",
        "拒答": "refused",
        "not done": "not done",
        "未做": "not done",
        "未測": "not done",
        "未施測": "not done",
        "無法施測": "cannot be tested",
        "無法配合": "cannot be tested",
        "untestable": "cannot be tested",
        "無": "not available",
        "不適用": "not applicable",
        "missing": "missing",
        "缺": "missing",
    }
)
"""Words that stand for no value, and why."""

MANY_AT_BEST = 0.3
"""Share with the best score from which the test hardly tells them apart; twice the usual 15 %
(Terwee 2007, J Clin Epidemiol), for normal people crowd there."""
FEW = 5
"""Fewer scores than this say nothing about their spread."""
_SOFT_TOP = 1.15
"""Up to this share of the best score, a score above it may have been corrected upward."""
_NEIGHBORS = 10
"""Steps on both sides in which scores are counted beside a suspected code."""
_FEWEST_CODES, _SELDOM = 4, 2e-3
"""A code is suspected from so many on, where chance brings as many in one table of 500."""
_LOOKS_LIKE_CODE = (88.0, 95.0, 96.0, 97.0, 98.0, 99.0)


@dataclass(frozen=True, slots=True)
class Checked:
    """One column, cell by cell.

    Args:
        values: (n,) scores; NaN where there is none.
        reasons: (n,) why there is none; empty where there is one, or nobody says why.
        findings: what to know.
    """

    values: NDArray[np.float64]
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    value: float
    kind: str = ""
    reason: str = ""


def checked(cells: Sequence[str], test: Test) -> Checked:
    """The scores in a column of text.

    Args:
        cells: as the table has them, any width of digits, blanks in any of the usual forms.
        test: what they should be scores of.
    """
    judged = {text: _judged(text, test) for text in set(cells)}
    met = [judged[text] for text in cells]
    values = np.array([cell.value for cell in met], dtype=np.float64)
    found = [*_by_cell(met, cells, test), *_by_column(values, test)]
    return Checked(values, tuple(cell.reason for cell in met), tuple(found))


def sums(table: pd.DataFrame, dictionary: Dictionary) -> Iterator[Finding]:
    """Totals that are not the sum of their parts, where total and all parts are known."""
    for code in (str(name) for name in table.columns):
        parts = list(dictionary.tests[code].parts) if code in dictionary.tests else []
        if not parts or any(part not in table for part in parts):
            continue
        wrong = (table[parts].sum(axis=1, skipna=False) - table[code]).abs() > 1e-6
        rows = tuple(int(row) for row in np.flatnonzero(wrong.to_numpy()))
        if rows:
            text = f"{code}: {len(rows)} totals are not the sum of their {len(parts)} parts."
            yield Finding("sum", code, len(rows), text, rows)


def _judged(text: str, test: Test) -> _Cell:
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.casefold() in BLANK:
        return _Cell(np.nan)
    if plain.casefold() in REASONS:
        return _Cell(np.nan, "missing-code", REASONS[plain.casefold()])
    value = _number(plain)
    if np.isnan(value):
        return _beyond(plain, test)
    code = f"{value:g}"
    if code in test.missing:
        return _Cell(np.nan, "missing-code", test.missing[code])
    return _in_range(value, test)


def _in_range(value: float, test: Test) -> _Cell:
    if not test.low <= value <= test.high:
        soft = test.education_correction and test.high < value <= _SOFT_TOP * test.high
        kind = "corrected" if soft else "range"
        return _Cell(np.nan, kind, f"{value:g} is outside {test.low:g}-{test.high:g}")
    if test.values and value not in test.values:
        return _Cell(np.nan, "step", f"{value:g} is no score")
    if test.step and abs(value / test.step - round(value / test.step)) > 1e-6:
        return _Cell(np.nan, "step", f"{value:g} is no score")
    return _Cell(value, "cap" if value == test.cap else "")


def _beyond(text: str, test: Test) -> _Cell:
    """``>300`` and ``300+`` where the examiner stops at 300; else no number."""
    bare = text.strip("><+= ")
    if not np.isnan(test.cap) and bare != text and _number(bare) == test.cap:
        return _Cell(test.cap, "cap")
    return _Cell(np.nan, "not-a-number", "not a number")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) and "_" not in text else float("nan")


_SAY: Mapping[str, str] = MappingProxyType(
    {
        "missing-code": "{code}: {n} cells say why there is no score ({shown}).",
        "not-a-number": "{code}: {n} cells are no number, and were left out.",
        "range": "{code}: {n} scores outside {range} ({shown}) were left out.",
        "corrected": (
            "{code}: {n} scores above {high:g} ({shown}) were left out: corrected for age or "
            "schooling?"
        ),
        "step": "{code}: {n} scores between two possible ones ({shown}) were left out.",
        "cap": "{code}: {n} scores stand at {cap:g} {unit}, where the examiner stops.",
    }
)


def _by_cell(met: Sequence[_Cell], cells: Sequence[str], test: Test) -> Iterator[Finding]:
    for kind, say in _SAY.items():
        rows = tuple(row for row, cell in enumerate(met) if cell.kind == kind)
        if not rows:
            continue
        shown = "" if kind == "not-a-number" else _shown([met[row] for row in rows], rows, cells)
        text = say.format(
            code=test.code,
            n=len(rows),
            shown=shown,
            range=test.range_text,
            high=test.high,
            cap=test.cap,
            unit=test.unit,
        )
        yield Finding(kind, test.code, len(rows), text, rows)


def _shown(met: Sequence[_Cell], rows: Sequence[int], cells: Sequence[str]) -> str:
    """Up to four different numbers, or reasons with how often; never free text."""
    if met[0].kind == "missing-code":
        counts = Counter(cell.reason for cell in met)
        return ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))
    met_numbers = {_number(unicodedata.normalize("NFKC", cells[row]).strip()) for row in rows}
    numbers = sorted(value for value in met_numbers if not np.isnan(value))
    some = ", ".join(f"{value:g}" for value in numbers[:4])
    return some + (", …" if len(numbers) > 4 else "")


def _by_column(values: NDArray[np.float64], test: Test) -> Iterator[Finding]:
    known = values[~np.isnan(values)]
    if len(known) < FEW:
        return
    at_best = float((known == test.best).mean())
    if at_best == 1:
        text = f"{test.code}: all {len(known)} have the best score, {test.best:g}."
        yield Finding("all-ceiling", test.code, len(known), text)
    elif np.ptp(known) == 0:
        text = f"{test.code}: all {len(known)} have the same score, {known[0]:g}."
        yield Finding("zero-variance", test.code, len(known), text)
    elif at_best >= MANY_AT_BEST and test.cap != test.best:
        text = f"{test.code}: {at_best:.0%} have the best score; it tells them poorly apart."
        yield Finding("ceiling", test.code, int((known == test.best).sum()), text)
    yield from _code_in_range(known, test)


def _code_in_range(known: NDArray[np.float64], test: Test) -> Iterator[Finding]:
    """Scores that are missing codes elsewhere and are more than their neighbors let expect."""
    step = max(test.step, 1.0)
    for code in _LOOKS_LIKE_CODE:
        n = int((known == code).sum())
        window = code + step * np.arange(-_NEIGHBORS, _NEIGHBORS + 1)
        window = window[(window >= test.low) & (window <= test.high)]
        others = window[~np.isin(window, _LOOKS_LIKE_CODE)]
        if n < _FEWEST_CODES or not len(others):
            continue
        counts = (np.abs(known[:, None] - others) < step / 2).sum(axis=0)
        beside = counts[np.argsort(np.abs(others - code), kind="stable")[:2]]
        if _chance(n, max(counts.mean(), beside.max(), 0.5)) < _SELDOM:
            near = int(counts.sum())
            text = f"{test.code}: {n} scores of {code:g}, {near} near them: is it a missing code?"
            yield Finding("code-in-range", test.code, n, text)


def _chance(n: int, expected: float) -> float:
    """How likely n or more are where so many are expected (Poisson)."""
    log = math.log(expected)
    fewer = sum(math.exp(k * log - expected - math.lgamma(k + 1)) for k in range(n))
    return max(1 - fewer, 0.0)
