"""Evaluations as files: one JSON of facts, one TSV a table, and the answers they came from."""

import json
import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tracerless.core.assessment import METRICS, TABLES, Assessment
from tracerless.core.errors import DatasetError, ModelError
from tracerless.io.atomic import write_json, write_text

FILE = "assessment.json"
FORMAT = 1

TEXT = frozenset(
    {
        "arm", "model", "metric", "from_arm", "to_arm", "truth", "predicted_class", "class",
        "setting", "quantity", "by", "group", "reason", "predictor", "split", "kind", "draw",
        "check", "verdict", "what", "next", "band", "event", "participant_id", "session_id",
        "diagnosis", "beyond", "against", "norm", "atlas", "reference", "region", "inputs", "how",
        "correlate", "policy", "site", "stress", "case", "distance", "claim", "sentence_en",
        "sentence_zh", "person", "visit", "why",
    }
)  # fmt: skip
"""Columns of words; all others are numbers. ``predicted`` is words in ``confusion`` alone."""


def write(folder: Path, assessment: Assessment) -> Path:
    """Write an evaluation; the record with its facts last. Equal evaluations give equal bytes."""
    for name, table in assessment.tables.items():
        write_table(folder / f"{name}.tsv", table)
    for name in set(TABLES) - set(assessment.tables):
        (folder / f"{name}.tsv").unlink(missing_ok=True)
    record = {
        "format": FORMAT,
        "key": assessment.key,
        "task": assessment.task,
        "facts": plain(assessment.facts),
        "notes": list(assessment.notes),
        "tables": sorted(assessment.tables),
        "metrics": dict(METRICS),
    }
    write_json(folder / FILE, record)
    return folder / FILE


def read(folder: Path) -> Assessment:
    """The evaluation in a folder.

    Raises:
        DatasetError: there is none.
        ModelError: it is damaged, or of another format.
    """
    path = folder / FILE
    if not path.is_file():
        raise DatasetError(
            f"No evaluation {folder.name!r}.",
            hint="Run `tracerless diagnose evaluate`, `tracerless risk evaluate`, or "
            "`tracerless evaluate --full`.",
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ModelError(
                f"Evaluation {folder.name} has format {record['format']}; {FORMAT} is read.",
                hint="Evaluate again.",
            )
        tables = {
            name: _widened(read_table(folder / f"{name}.tsv", name), name)
            for name in record["tables"]
        }
        facts, notes = record["facts"], tuple(record["notes"])
        return Assessment(record["key"], record["task"], facts, tables, notes)
    except (KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"Evaluation {folder.name} is damaged ({type(error).__name__}).",
            hint="Evaluate again.",
        ) from None


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table, exact to the bit; missing numbers as n/a."""
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))


def read_table(path: Path, name: str = "") -> pd.DataFrame:
    """A table of `write_table`; ``name`` is that of an evaluation's table."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    words = TEXT | {"predicted"} if name == "confusion" else TEXT
    for column in table.columns:
        if column not in words:
            whole = table[column].str.fullmatch(r"-?\d{1,15}").all() and len(table)
            table[column] = table[column].map(int if whole else _number)
    return table


def _widened(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Columns that an older version did not write yet are empty; what it wrote stands."""
    columns = TABLES.get(name, ())
    if not set(table.columns) < set(columns):
        return table
    missing = {c: "" if c in TEXT else math.nan for c in columns if c not in table}
    return table.assign(**missing)[list(columns)]


def read_facts(folder: Path) -> Mapping[str, Any]:
    """Facts of the evaluation in a folder; empty where there is none that can be read."""
    try:
        return dict(read(folder).facts)
    except (DatasetError, ModelError):
        return {}


def plain(value: Any) -> Any:
    """As JSON has it: tuples as lists, words for enums, None for what is no number."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, str | bool) or value is None:
        return str(value) if isinstance(value, str) else value
    if isinstance(value, numbers.Integral):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def _number(text: str) -> float:
    return math.nan if text in {"n/a", ""} else float(text)
