"""Published norms and cut-offs of tests: this package's, and regressions that a site adds."""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from tracerless.core.cognition_norms import Cutoff, Hull, Published, Regression, Stratum
from tracerless.core.errors import DatasetError
from tracerless.io.cognition import dictionary, rows
from tracerless.io.cognition_tables import read_table

_Row = Mapping[str, str]
Norms = Mapping[str, tuple[Published, ...]]
"""Norms by code of the test."""


@functools.cache
def published() -> Norms:
    """Published norms by code of the test; regressions before strata."""
    about = {row["norm"]: row for row in rows("norms")}
    strata: dict[tuple[str, str], list[Stratum]] = {}
    for row in rows("norms_strata"):
        strata.setdefault((row["norm"], row["code"]), []).append(_stratum(row))
    models: list[tuple[str, str, Regression | tuple[Stratum, ...]]] = [
        (row["norm"], row["code"], _regression(row)) for row in rows("norms_regression")
    ]
    models += [(norm, code, tuple(each)) for (norm, code), each in strata.items()]
    return _by_code(_published(about[norm], code, model) for norm, code, model in models)


_OWN = (
    *("norm", "code", "intercept", "sex", "sex_one", "age", "education", "sd"),
    *("age_from", "age_below", "education_from", "education_below", "population", "source"),
)
"""Columns of a site's regressions."""


def extended(path: Path) -> Norms:
    """This package's norms, and after them the regressions in a CSV of a site.

    One row a norm and test: ``norm``, ``code``, ``intercept``, ``sex`` (change for ``sex_one``, F
    or M), ``age`` and ``education`` (change a year), ``sd`` (root mean squared error), whom it
    reaches (``age_from``, ``age_below``, ``education_from``, ``education_below``),
    ``population`` and ``source``.

    Raises:
        DatasetError: a column is missing, a cell is no number, or a test is unknown.
    """
    table = read_table(path)
    missing = [name for name in _OWN if name not in table]
    if missing:
        raise DatasetError(
            f"The table of norms has no column {missing[0]}.", hint=f"Columns: {', '.join(_OWN)}."
        )
    own = []
    for line, cells in zip(table.index, table.to_dict("records"), strict=True):
        row = {"delay": "0", "delay_minutes": "0"} | {str(k): str(v) for k, v in cells.items()}
        try:
            own.append(_published(row, dictionary().test(row["code"]).code, _regression(row)))
        except ValueError:
            raise DatasetError(
                f"Line {line} of the table of norms has a cell that is no number, or no spread.",
                hint="Write numbers with a point; sd must be above 0; sex_one is F or M.",
            ) from None
    return _by_code([each for norms in published().values() for each in norms] + own)


def _by_code(norms: Iterable[Published]) -> Norms:
    found: dict[str, tuple[Published, ...]] = {}
    for one in norms:
        found[one.code] = (*found.get(one.code, ()), one)
    return MappingProxyType(found)


def _published(row: _Row, code: str, model: Regression | tuple[Stratum, ...]) -> Published:
    return Published(row["norm"], code, _hull(row), row["population"], row["source"], model)


@functools.cache
def cutoffs() -> Mapping[str, tuple[Cutoff, ...]]:
    """Published cut-offs by code of the test, band by band."""
    found: dict[str, tuple[Cutoff, ...]] = {}
    for row in rows("cutoffs"):
        one = Cutoff(
            code=row["code"],
            of=row["of"],
            hull=_hull(row),
            cut=float(row["cut"]),
            side=row["side"],
            sensitivity=_number(row["sensitivity"]),
            specificity=_number(row["specificity"]),
            population=row["population"],
            source=row["source"],
        )
        found[one.code] = (*found.get(one.code, ()), one)
    return MappingProxyType(found)


def _hull(row: _Row) -> Hull:
    names = ("age_from", "age_below", "education_from", "education_below")
    return Hull(*(float(row[name]) for name in names))


def _regression(row: _Row) -> Regression:
    return Regression(
        intercept=float(row["intercept"]),
        sex=float(row["sex"]),
        sex_one=row["sex_one"],
        age=float(row["age"]),
        education=float(row["education"]),
        delay=float(row["delay"]),
        delay_minutes=float(row["delay_minutes"]),
        sd=float(row["sd"]),
    )


def _stratum(row: _Row) -> Stratum:
    return Stratum(row["sex"], _hull(row), int(row["n"]), float(row["mean"]), float(row["sd"]))


def _number(text: str) -> float:
    return float(text) if text else float("nan")
