"""Scores in a dataset: ``phenotype/<tool>.tsv`` with a dictionary beside each, as BIDS has it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.cognition import Dictionary, Finding, Test
from tracerless.core.errors import DatasetError
from tracerless.io.atomic import write_json, write_text
from tracerless.io.cognition import dictionary, extended, own_rows
from tracerless.workspace.dataset import Dataset

FOLDER = "phenotype"
KEYS = ("participant_id", "session_id", "score_to_scan_days")
"""Of every table of scores, before the codes."""
REASONS = "missing_reasons"
"""Table of why scores are absent: a code of the source's own, or a word."""
OWN_DICTIONARY = "dictionary.csv"
"""A site's own rows of the dictionary, in the same folder."""
NOT_SCORES = ("followup", REASONS)
"""Tables of the folder that hold no scores."""

_NONE = "n/a"

_MEANINGS: Mapping[str, Mapping[str, str]] = {
    "participant_id": {"Description": "pseudonym of the person"},
    "session_id": {"Description": "the visit that the scores go with; n/a when bound to none"},
    "score_to_scan_days": {
        "Description": "days from scan to test, negative when tested before; n/a when unknown",
        "Units": "days",
    },
}


def write_phenotype(
    dataset: Dataset, table: pd.DataFrame, *, known: Dictionary | None = None
) -> tuple[Path, ...]:
    """Write scores by instrument; what a table of an instrument held before is replaced.

    Args:
        dataset: whose folder ``phenotype`` they go into.
        table: one row a testing; ``person`` (pseudonym), ``visit`` (letters and digits; empty when
            bound to none), ``score_to_scan_days`` (NaN when unknown; may be absent), and codes of
            the dictionary. Rows without any score of an instrument are left out of its table.
        known: the dictionary; None for the dataset's own.

    Returns:
        The tables written, in the order of the dictionary.

    Raises:
        DatasetError: a column is no code of the dictionary.
    """
    known = known or dictionary_of(dataset)
    tests = known.tests
    strange = [name for name in table.columns if name not in tests and name not in _OWN]
    if strange:
        raise DatasetError(f"No test has the code {strange[0]!r}.", hint="See `cognition list`.")
    written = []
    for tool, members in known.tools().items():
        codes = [test.code for test in members if test.code in table]
        filled = table[table[codes].notna().any(axis=1)] if codes else table.iloc[:0]
        if len(filled):
            path = dataset.root / FOLDER / f"{tool}.tsv"
            write_json(path.with_suffix(".json"), described(tool, [tests[code] for code in codes]))
            rows = _rows(filled, codes).sort_values(list(KEYS[:2]), kind="stable")
            write_text(path, rows.to_csv(sep="\t", index=False, lineterminator="\n"))
            written.append(path)
    return tuple(written)


_OWN = ("person", "visit", "score_to_scan_days")


def dictionary_of(dataset: Dataset, own: Path | None = None) -> Dictionary:
    """This package's dictionary, with the dataset's own rows on top, and those of ``own``.

    Raises:
        DatasetError: ``phenotype/dictionary.csv`` or ``own`` makes no dictionary.
    """
    paths = _own(dataset, own)
    return extended(*paths) if paths else dictionary()


def keep_dictionary(dataset: Dataset, own: Path) -> None:
    """Give a dataset rows of its own for the dictionary, beside those that it has.

    Raises:
        DatasetError: the file makes no dictionary.
    """
    dictionary_of(dataset, own)
    rows = pd.DataFrame.from_dict(own_rows(*_own(dataset, own)), orient="index").fillna("")
    text = rows.to_csv(index=False, lineterminator="\n")
    write_text(dataset.root / FOLDER / OWN_DICTIONARY, text)


def _own(dataset: Dataset, own: Path | None) -> list[Path]:
    kept = dataset.root / FOLDER / OWN_DICTIONARY
    return [*([kept] if kept.is_file() else []), *([own] if own else [])]


def merge_phenotype(
    dataset: Dataset, table: pd.DataFrame, known: Dictionary
) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
    """Like `write_phenotype`, but rows of other sittings and columns of other codes stay.

    A sitting is a person, a visit and a distance from the scan; of the same sitting, the codes in
    ``table`` are replaced, also by nothing.

    Returns:
        The tables written, and how many scores that stood there are now others.
    """
    written: list[Path] = []
    found: list[Finding] = []
    for tool, members in known.tools().items():
        codes = [test.code for test in members if test.code in table]
        filled = table[table[codes].notna().any(axis=1)] if codes else table.iloc[:0]
        if len(filled):
            path = dataset.root / FOLDER / f"{tool}.tsv"
            rows, n_more = _once(_rows(filled, codes))
            merged, n_other = _merged(rows, path)
            if n_more:
                text = f"{tool}: {n_more} more scores of one sitting; the first is kept."
                found.append(Finding("repeat", tool, n_more, text))
            if n_other:
                text = f"{tool}: {n_other} scores that stood in the dataset were replaced."
                found.append(Finding("replaced", tool, n_other, text))
            have = [test for test in members if test.code in merged]
            write_json(path.with_suffix(".json"), described(tool, have))
            write_text(path, merged.to_csv(sep="\t", index=False, lineterminator="\n"))
            written.append(path)
    return tuple(written), tuple(found)


def write_reasons(dataset: Dataset, reasons: pd.DataFrame) -> None:
    """Add why scores are absent to ``phenotype/missing_reasons.tsv``.

    Args:
        dataset: whose folder it lies in.
        reasons: ``person``, ``visit``, ``score_to_scan_days``, ``code``, ``reason``.
    """
    if reasons.empty:
        return
    path = dataset.root / FOLDER / f"{REASONS}.tsv"
    table = _rows(reasons, []).assign(
        code=reasons["code"].to_numpy(), reason=reasons["reason"].to_numpy()
    )
    if path.is_file():
        table = pd.concat([table, pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)])
    keys = [*KEYS, "code"]
    table = table.drop_duplicates(keys).sort_values(keys, kind="stable")
    meanings = {
        "code": {"Description": "test without a score"},
        "reason": {"Description": "why there is none, as the table said"},
    }
    write_json(path.with_suffix(".json"), {**_MEANINGS, **meanings})
    write_text(path, table.to_csv(sep="\t", index=False, lineterminator="\n"))


def _once(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """(one row a sitting, first scores first; how many scores are not taken)."""
    keys = list(KEYS)
    blank = rows.replace(_NONE, pd.NA)
    first = blank.fillna(dict.fromkeys(keys, _NONE)).groupby(keys, sort=False).first()
    n_more = int(blank.drop(columns=keys).notna().to_numpy().sum() - first.notna().to_numpy().sum())
    return first.fillna(_NONE).reset_index(), n_more


def _merged(new: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, int]:
    """(old and new rows together, how many old scores are now others)."""
    n_other, keys = 0, list(KEYS)
    if path.is_file():
        old = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        order = [*keys, *(name for name in old if name not in keys)]
        old = old.reindex(columns=order, fill_value=_NONE).drop_duplicates(keys).set_index(keys)
        codes = [*old.columns, *(name for name in new if name not in [*old.columns, *keys])]
        rows = new.set_index(keys)
        whole = old.reindex(columns=codes, fill_value=_NONE)
        whole = whole.reindex(old.index.union(rows.index), fill_value=_NONE)
        before = whole.loc[rows.index, rows.columns]
        n_other = int(((before != rows) & (before != _NONE)).to_numpy().sum())
        whole.loc[rows.index, rows.columns] = rows
        new = whole.reset_index()
    return new.sort_values(keys, kind="stable"), n_other


def described(tool: str, tests: Sequence[Test]) -> dict[str, Any]:
    """What the columns of an instrument's table mean, as BIDS writes it."""
    tool_record = {
        "Description": f"{tool}: {'; '.join(dict.fromkeys(test.version for test in tests))}",
        "Source": sorted({test.source for test in tests}),
    }
    columns = {test.code: _column(test) for test in tests}
    return {"MeasurementToolMetadata": tool_record, **_MEANINGS, **columns}


def _column(test: Test) -> dict[str, Any]:
    record: dict[str, Any] = {
        "LongName": test.name_en,
        "Description": f"{test.name_en}; {test.name_zh}",
        "Units": test.unit,
        "Minimum": test.low,
        "Maximum": test.high,
        "Direction": f"{test.better} is better",
        "Version": test.version,
        "LabelLeak": str(test.leak),
    }
    if not np.isnan(test.cap):
        record["Cap"] = test.cap
    if test.education_correction:
        record["EducationCorrection"] = test.education_correction
    return record


def _rows(filled: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """As the file has it, every cell as text."""
    days = filled.get("score_to_scan_days", pd.Series(np.nan, index=filled.index))
    visit = filled["visit"].fillna("").astype(str)
    table = pd.DataFrame(
        {
            "participant_id": "sub-" + filled["person"].astype(str),
            "session_id": ("ses-" + visit).where(visit != "", _NONE),
            "score_to_scan_days": [_whole(value) for value in days],
            **{code: [_short(value) for value in filled[code]] for code in codes},
        },
        index=filled.index,
        dtype=str,
    )
    return table.reset_index(drop=True)


def _whole(value: float) -> str:
    return _NONE if pd.isna(value) else str(round(value))


def _short(value: float) -> str:
    return _NONE if pd.isna(value) else f"{value:.12g}"
