"""Tables as hospitals keep them: CSV, TSV and XLSX in UTF-8, UTF-16 or Big5, every cell as text."""

import csv
import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from tracerless.core.errors import DatasetError

_ENCODINGS = ("utf-8-sig", "cp950", "big5hkscs")
_DELIMITERS = ("\t", ",", ";", "|")
_MOST_CELLS = 20_000_000


def read_table(path: Path) -> pd.DataFrame:
    """The cells of a table as text, by heading; rows without any text are left out.

    The first line holds the headings; an empty file has none. Of a workbook, the only sheet with
    cells counts. The index holds the line of each row in the file, counted from 1.

    Raises:
        DatasetError: it is absent, not text, has a heading twice, a row is longer than the
            headings, or a workbook cannot be opened or has several sheets with cells.
    """
    if not path.is_file():
        raise DatasetError("The table is not a file.", hint="Name a CSV, TSV or XLSX file.")
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise DatasetError("Old Excel files (.xls) are not read.", hint="Save it as .xlsx or CSV.")
    rows = _sheet(path) if suffix in {".xlsx", ".xlsm"} else _lines(path.read_bytes())
    return _table(rows)


def _lines(content: bytes) -> list[list[str]]:
    text = _text(content)
    first = text.split("\n", 1)[0]
    counts = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in _DELIMITERS}
    mark = max(_DELIMITERS, key=lambda each: counts[each])
    try:
        return list(csv.reader(io.StringIO(text), delimiter=mark, strict=True))
    except csv.Error:
        raise DatasetError(
            "The table has a quotation mark that does not end.", hint="Save it as CSV anew."
        ) from None


def _text(content: bytes) -> str:
    encodings = ("utf-16", *_ENCODINGS) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else _ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise DatasetError(
        "The table is neither UTF-8 nor Big5 text, nor UTF-16.", hint="Save it as CSV in UTF-8."
    )


def _sheet(path: Path) -> list[list[str]]:
    try:
        with warnings.catch_warnings():  # of parts of a workbook that hold no cells
            warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
            sheets = _sheets(path, data_only=True)
            formulas = _sheets(path, data_only=False)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError):
        raise DatasetError(
            "The workbook cannot be opened: damaged, or locked by a password.",
            hint="Save it as XLSX without a password, or as CSV.",
        ) from None
    _require_computed(sheets, formulas)
    filled = [rows for rows in sheets if rows]
    if len(filled) > 1:
        raise DatasetError(
            f"The workbook has {len(filled)} sheets with cells; one is expected.",
            hint="Keep one table in a workbook, or save its sheet as CSV.",
        )
    return filled[0] if filled else []


def _sheets(path: Path, *, data_only: bool) -> list[list[list[str]]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    sheets = [_cells(sheet) for sheet in book.worksheets]
    book.close()
    return sheets


def _require_computed(
    values: Sequence[Sequence[Sequence[str]]], formulas: Sequence[Sequence[Sequence[str]]]
) -> None:
    """Refuse formulas that no program has computed yet: they would read as blanks."""
    n = 0
    for some, all_ in zip(values, formulas, strict=True):
        for line, row in enumerate(all_):
            seen = some[line] if line < len(some) else ()
            n += sum(
                cell.startswith("=") and not (seen[at] if at < len(seen) else "")
                for at, cell in enumerate(row)
            )
    if n:
        raise DatasetError(
            f"The workbook has {n} formulas without a value.",
            hint="Open it in a spreadsheet program and save it, or save it as CSV.",
        )


def _cells(sheet: Any) -> list[list[str]]:
    rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _cell(value: object) -> str:
    """As a person reads it: whole numbers without a point, dates as 2026-01-31."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _table(rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    headings = [each.strip() for each in rows[0]] if rows else []
    while headings and not headings[-1]:
        headings.pop()
    twice = [name for name, n in Counter(filter(None, headings)).items() if n > 1]
    if twice:
        raise DatasetError(
            f"{len(twice)} headings stand twice in the table.", hint="Give every column one name."
        )
    if len(rows) * len(headings) > _MOST_CELLS:
        raise DatasetError(f"The table has more than {_MOST_CELLS:,} cells.", hint="Split it.")
    body = [(line, [cell.strip() for cell in row]) for line, row in enumerate(rows[1:], start=2)]
    kept = [(line, row) for line, row in body if any(row)]
    _require_width(kept, len(headings))
    cells = [row + [""] * (len(headings) - len(row)) for _, row in kept]
    table = pd.DataFrame(
        [row[: len(headings)] for row in cells],
        columns=headings,
        index=pd.Index([line for line, _ in kept], dtype=int),
        dtype=str,
    )
    return table[[name for name in headings if name]]


def _require_width(rows: Iterable[tuple[int, Sequence[str]]], n: int) -> None:
    for line, row in rows:
        if any(row[n:]):
            raise DatasetError(
                f"Line {line} of the table has {len(row)} cells, the headings are {n}.",
                hint="Look for a comma inside a cell; put such cells into quotation marks.",
            )
