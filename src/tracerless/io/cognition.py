"""The dictionary of cognitive tests: a CSV of this package, or a site's own rows on top of it."""

import csv
import functools
import importlib.resources
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from tracerless.core.cognition import Dictionary, Leak, Test
from tracerless.core.errors import DatasetError, did_you_mean

_NEEDED = ("code", "tool", "name_en", "name_zh", "domain", "low", "high", "better", "leak")

Row = Mapping[str, str]


@functools.cache
def dictionary() -> Dictionary:
    """Every test that this package knows."""
    return Dictionary({test.code: test for test in _tests(rows("dictionary"))})


def extended(*paths: Path) -> Dictionary:
    """The dictionary with a site's own CSV on top: new tests, or other words for known ones.

    The CSV has the columns of ``data/cognition/dictionary.csv``; columns may be left out where a
    known test is changed, and its other cells stay. A site that lets a score into its consensus
    conferences raises its ``leak`` here.

    Args:
        *paths: of CSV files; a later one counts before an earlier one.

    Raises:
        DatasetError: a file is absent or no CSV of that kind, or a row makes no test.
    """
    known = {row["code"]: dict(row) for row in rows("dictionary")}
    for code, cells in own_rows(*paths).items():
        known.setdefault(code, {}).update(cells)
    return Dictionary({test.code: test for test in _tests(known.values())})


def own_rows(*paths: Path) -> dict[str, dict[str, str]]:
    """What a site's CSV files say, by code and column; empty cells say nothing.

    Raises:
        DatasetError: a file cannot be read, or a row has no code.
    """
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise DatasetError(
                f"{path} is not a readable UTF-8 file.", hint="Name a CSV with a column `code`."
            ) from None
        for row in csv.DictReader(io.StringIO(text)):
            code = (row.get("code") or "").strip()
            if not code:
                raise DatasetError(
                    "A row of the dictionary has no code.", hint="Fill the column `code`."
                )
            cells = {k: v.strip() for k, v in row.items() if k and v and v.strip()}
            found.setdefault(code, {}).update(cells)
    return found


def rows(name: str) -> list[dict[str, str]]:
    """The rows of the CSV so named below ``data/cognition``, text by column."""
    folder = importlib.resources.files("tracerless").joinpath("data", "cognition")
    text = folder.joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def _tests(table: Iterable[Row]) -> Iterable[Test]:
    missing: dict[str, dict[str, str]] = {"": {}}
    for row in rows("missing"):
        missing.setdefault(row["set"], {})[row["code"]] = row["reason"]
    sets = {name: {**missing["common"], **codes} if name else {} for name, codes in missing.items()}
    return [_test(row, sets) for row in table]


def _test(row: Row, missing: Mapping[str, Mapping[str, str]]) -> Test:
    empty = [name for name in _NEEDED if not row.get(name)]
    if empty:
        raise DatasetError(f"Test {row.get('code', '')!r} has no {empty[0]}.")
    code, step = row["code"], _number(row, "step", 0.0)
    chosen = row.get("missing", "")
    if chosen not in missing:
        raise DatasetError(
            f"{code}: no set of missing codes {chosen!r}.", hint=did_you_mean(chosen, missing)
        )
    low, high = _number(row, "low", math.nan), _number(row, "high", math.nan)
    codes = {each: why for each, why in missing[chosen].items() if not low <= float(each) <= high}
    return Test(
        code=code,
        name_en=row["name_en"],
        name_zh=row["name_zh"],
        domain=row["domain"],
        low=low,
        high=high,
        integer=step >= 1,
        unit=row.get("unit") or "points",
        better=row["better"],
        cap=_number(row, "cap", math.nan),
        missing=codes,
        version=row.get("version", ""),
        education_correction=row.get("education_correction", ""),
        leak=_leak(row),
        source=row.get("source", ""),
        aliases=_list(row, "aliases"),
        tool=row["tool"],
        step=step,
        values=tuple(map(float, _list(row, "values"))),
        parts=_list(row, "parts"),
    )


def _number(row: Row, name: str, empty: float) -> float:
    text = row.get(name, "")
    try:
        return float(text) if text else empty
    except ValueError:
        raise DatasetError(f"{row['code']}: {name} {text!r} is not a number.") from None


def _leak(row: Row) -> Leak:
    try:
        return Leak(row["leak"])
    except ValueError:
        raise DatasetError(
            f"{row['code']}: leak {row['leak']!r} is unknown.", hint=did_you_mean(row["leak"], Leak)
        ) from None


def _list(row: Row, name: str) -> tuple[str, ...]:
    return tuple(filter(None, row.get(name, "").split("|")))
