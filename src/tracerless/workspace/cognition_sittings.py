"""A table of scores, wide or long, becomes one row a sitting; nothing of it is lost unsaid."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from tracerless.core.cognition import Dictionary, Finding, Test, folded
from tracerless.core.cognition_check import checked, sums
from tracerless.core.errors import DatasetError
from tracerless.io.cognition_redcap import Field
from tracerless.workspace.cognition_columns import NO_FIELDS, Columns, columns

KEYS = ("key", "visit", "date", "days")
"""Columns of sittings before the codes."""

_ROC_YEAR = 1911
"""The Republic of China counts years from here: 115 is 2026."""
_PARTS = re.compile(r"(\d{2,4})[-/.年 ]+(\d{1,2})[-/.月 ]+(\d{1,2})日?(?:[T ]+\d.*)?$")
_DIGITS = re.compile(r"(\d{3,4})(\d{2})(\d{2})$")
_OLDEST_ROC_YEAR = 80
"""Smaller numbers in front are more likely a day of the month, and are not read."""


@dataclass(frozen=True, slots=True, eq=False)
class Sittings:
    """Scores as they were taken, one row a sitting; its repr shows nobody.

    Args:
        table: numbered from 0; ``key`` (pseudonym or chart number), ``visit`` (empty when the table
            does not say), ``date`` (ISO; empty when unknown), ``days`` (from scan to test; NaN when
            unknown), then codes.
        is_chart: whether ``key`` is a chart number.
        reasons: why cells hold no score: ``row`` of ``table``, ``code``, ``reason``.
        findings: what to know; their ``rows`` are lines of the file.
    """

    table: pd.DataFrame = field(repr=False)
    is_chart: bool
    reasons: pd.DataFrame = field(repr=False)
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Tests that the table has scores of."""
        return tuple(str(name) for name in self.table.columns if name not in KEYS)


def sittings(
    raw: pd.DataFrame, known: Dictionary, fields: Mapping[str, Field] = NO_FIELDS
) -> Sittings:
    """Every score of a table, checked.

    Args:
        raw: cells as text by heading; the index holds lines of the file.
        known: the dictionary.
        fields: of a REDCap project, where the table is an export of one.

    Raises:
        DatasetError: no column says whose the rows are, or no column is a score.
    """
    meant = columns(raw, known, fields)
    found = list(meant.findings)
    cells, keys = _long(raw, meant, known, found) if meant.is_long else _wide(raw, meant)
    if cells.empty and not len(cells.columns):
        raise DatasetError(
            "No column of the table is a score that the dictionary knows.",
            hint="See `tracerless cognition list`, or give names of your own with --dictionary.",
        )
    translated = _translated(cells, meant, fields, found)
    scores, reasons = _checked(translated, known, found)
    table = _framed(keys, scores, found)
    found.extend(_lined(sums(scores.reset_index(drop=True), known), cells.index))
    nobody = table["key"] == ""
    if nobody.any():
        text = f"{int(nobody.sum())} rows do not say whose they are, and were left out."
        found.append(Finding("unknown-person", "", int(nobody.sum()), text))
    reasons = reasons[~reasons["row"].map(nobody)] if len(reasons) else reasons
    return Sittings(table[~nobody], "chart" in meant.roles, reasons, tuple(found))


def _framed(keys: pd.DataFrame, scores: pd.DataFrame, found: list[Finding]) -> pd.DataFrame:
    """Keys as they are meant, then scores; numbered from 0."""
    dates = keys.get("date", pd.Series("", index=keys.index))
    table = pd.DataFrame(
        {
            "key": keys["key"].to_numpy(),
            "visit": _visits(keys),
            "date": [_iso(each) for each in dates],
            "days": _days(keys),
            **{code: scores[code].to_numpy() for code in scores},
        }
    )
    found.extend(_unread_dates(dates, table["date"]))
    return table


def _wide(raw: pd.DataFrame, meant: Columns) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(cells by code, keys), one row a sitting."""
    cells = raw[list(meant.scores)].rename(columns=dict(meant.scores))
    return cells, _keys(raw, meant)


def _keys(raw: pd.DataFrame, meant: Columns) -> pd.DataFrame:
    whose = meant.roles.get("person") or meant.roles["chart"]
    named = {"key": raw[whose]}
    for role in ("visit", "date", "days"):
        if role in meant.roles:
            named[role] = raw[meant.roles[role]]
    return pd.DataFrame(named)


def _long(
    raw: pd.DataFrame, meant: Columns, known: Dictionary, found: list[Finding]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same from a table with one row a score."""
    keys = _keys(raw, meant)
    named = raw[meant.roles["variable"]]
    codes = named.map({name: known.code(str(name)) for name in set(named)})
    unknown = codes == ""
    if unknown.any():
        n, kinds = int(unknown.sum()), len(set(named[unknown]))
        text = f"{n} rows name {kinds} tests that are in no dictionary, and stay behind."
        found.append(Finding("unknown-column", "", n, text, _at(raw, unknown)))
    keep = _right_version(raw, codes, meant, known, found)
    rows = keys[keep].assign(code=codes[keep], value=raw[meant.roles["value"]][keep])
    by = [name for name in rows.columns if name != "value"]
    twice = rows.duplicated(by)
    if twice.any():
        text = f"{int(twice.sum())} scores stand twice for one sitting; the first is taken."
        found.append(Finding("repeat", "", int(twice.sum()), text, _at(rows, twice)))
    once = rows[~twice]
    whose = [name for name in by if name != "code"]
    wide = once.assign(line=once.index).groupby(whose, sort=False)["line"].first()
    cells = once.pivot_table(index=whose, columns="code", values="value", aggfunc="first")
    cells = cells.reindex(wide.index).fillna("")
    order = [code for code in known.tests if code in cells]
    frame = wide.index.to_frame(index=False).set_axis(wide.to_numpy())
    return cells[order].set_axis(wide.to_numpy()), frame


def _right_version(
    raw: pd.DataFrame,
    codes: pd.Series,
    meant: Columns,
    known: Dictionary,
    found: list[Finding],
) -> pd.Series:
    right = codes != ""
    if "version" not in meant.roles:
        return right
    said = raw[meant.roles["version"]]
    for code in sorted(set(codes) - {""}):
        mine = codes == code
        fits = {text: _is_version(text, known.tests[code]) for text in set(said[mine])}
        wrong = mine & ~said.map(lambda text, fits=fits: fits.get(text, True)).astype(bool)
        if wrong.any():
            n, own = int(wrong.sum()), known.tests[code].version
            text = f"{code}: {n} scores of another version than {own!r} were left out."
            found.append(Finding("version", code, n, text, _at(raw, wrong)))
            right &= ~wrong
    return right


def _is_version(text: str, test: Test) -> bool:
    said, own = (re.sub(r"[^0-9a-z]", "", folded(each)) for each in (text, test.version))
    return not said or said in own or own in said


def _translated(
    cells: pd.DataFrame, meant: Columns, fields: Mapping[str, Field], found: list[Finding]
) -> pd.DataFrame:
    """REDCap writes the code of a choice; where choices are scores, the score is meant."""
    names = {code: name for name, code in meant.scores.items()}
    cells = cells.copy()
    for code in (str(each) for each in cells.columns):
        field_ = fields.get(names.get(code, ""))
        choices = dict(field_.choices) if field_ is not None else {}
        meant_by = {key: _leading(label) for key, label in choices.items()}
        if not meant_by or not all(meant_by.values()) or all(k == v for k, v in meant_by.items()):
            continue
        cells[code] = [meant_by.get(text, text) for text in cells[code]]
        text = f"{code}: codes of the REDCap choices were read as the scores that they stand for."
        found.append(Finding("translated", code, len(cells), text))
    return cells


def _leading(label: str) -> str:
    """The number that a label starts with, or empty."""
    met = re.match(r"-?\d+(\.\d+)?(?![\d.])", label)
    return met.group() if met else ""


def _checked(
    cells: pd.DataFrame, known: Dictionary, found: list[Finding]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    scores: dict[str, object] = {}
    reasons: list[tuple[int, str, str]] = []
    for code in (str(name) for name in cells.columns):
        result = checked(cells[code].tolist(), known.tests[code])
        scores[code] = result.values
        found.extend(_lined(result.findings, cells.index))
        reasons += [(row, code, why) for row, why in enumerate(result.reasons) if why]
    table = pd.DataFrame(scores, index=cells.index, dtype=np.float64)
    return table, pd.DataFrame(reasons, columns=["row", "code", "reason"])


def _lined(findings: Iterable[Finding], lines: pd.Index) -> list[Finding]:
    """Findings whose rows are lines of the file."""
    return [
        Finding(each.kind, each.code, each.n, each.text, tuple(int(lines[r]) for r in each.rows))
        for each in findings
    ]


def _at(table: pd.DataFrame, which: pd.Series) -> tuple[int, ...]:
    return tuple(int(line) for line in table.index[which])


def _visits(keys: pd.DataFrame) -> Sequence[str]:
    if "visit" not in keys:
        return [""] * len(keys)
    plain = keys["visit"].str.strip().str.removeprefix("ses-")
    return ["" if text.casefold() == "n/a" else text for text in plain]


def _days(keys: pd.DataFrame) -> pd.Series:
    if "days" not in keys:
        return pd.Series(np.nan, index=range(len(keys)))
    return pd.Series(pd.to_numeric(keys["days"], errors="coerce").to_numpy(), dtype=np.float64)


def _unread_dates(dates: pd.Series, read: pd.Series) -> list[Finding]:
    bad = (dates.str.strip().to_numpy() != "") & (read.to_numpy() == "")
    if not bad.any():
        return []
    text = f"{int(bad.sum())} dates cannot be read; write 2026-01-31 or 115/01/31."
    lines = tuple(int(line) for line in dates.index[bad])
    return [Finding("date", "", int(bad.sum()), text, lines)]


def _iso(text: str) -> str:
    day = parse_day(text)
    return day.isoformat() if day else ""


def parse_day(text: str) -> date | None:
    """The day that a cell means, in the common or the Republic of China calendar; None for none.

    ``2026-01-31``, ``2026/1/31``, ``20260131``, ``115/01/31``, ``1150131``, ``民國115年1月31日``.
    """
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("民國").strip()
    met = _PARTS.match(plain) or _DIGITS.match(plain)
    if met is None:
        return None
    year, month, day = (int(part) for part in met.groups())
    if year < _ROC_YEAR:
        year = year + _ROC_YEAR if year >= _OLDEST_ROC_YEAR else 0
    try:
        return date(year, month, day)
    except ValueError:
        return None
