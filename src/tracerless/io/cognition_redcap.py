"""REDCap data dictionaries: what the fields of an export are, and which of them identify."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from tracerless.core.cognition import folded
from tracerless.core.errors import DatasetError
from tracerless.io.cognition_tables import read_table

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("Variable / Field Name", "field_name"),
    "label": ("Field Label",),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "low": ("Text Validation Min",),
    "high": ("Text Validation Max",),
    "identifier": ("Identifier?",),
}
"""Headings of the online designer's CSV and of the API."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a REDCap project.

    Args:
        name: heading in an export.
        label: what the form asks.
        is_identifier: whether the project flags it as identifying.
        low, high: of its validation; NaN where there is none.
        choices: what the codes of a radio button or drop-down list mean.
    """

    name: str
    label: str
    is_identifier: bool
    low: float
    high: float
    choices: Mapping[str, str]


def read_redcap(path: Path) -> Mapping[str, Field]:
    """Fields of a REDCap data dictionary, by name.

    Raises:
        DatasetError: it cannot be read, or is no data dictionary.
    """
    table = read_table(path)
    by = {folded(str(name)): str(name) for name in table.columns}
    named = {
        role: next((by[folded(name)] for name in names if folded(name) in by), "")
        for role, names in _COLUMNS.items()
    }
    if not named["name"] or not named["label"]:
        raise DatasetError(
            "The table is no REDCap data dictionary: it has no field names or labels.",
            hint="Export it in REDCap with Project Setup, Download data dictionary.",
        )
    cells = pd.DataFrame({role: table[name] if name else "" for role, name in named.items()})
    fields = [_field({str(k): str(v) for k, v in row.items()}) for row in cells.to_dict("records")]
    return MappingProxyType({field.name: field for field in fields if field.name})


def _field(row: Mapping[str, str]) -> Field:
    return Field(
        name=row["name"].strip(),
        label=re.sub(r"<[^>]*>", "", row["label"]).strip(),
        is_identifier=row["identifier"].strip().casefold() in {"y", "yes", "1", "true"},
        low=_number(row["low"]),
        high=_number(row["high"]),
        choices=MappingProxyType(_choices(row["choices"])),
    )


def _choices(text: str) -> dict[str, str]:
    """``0, none | 1, 0.5`` by code; empty for calculations and the like."""
    pairs = [part.partition(",") for part in text.split("|")]
    if len(pairs) < 2 or not all(mark for _, mark, _ in pairs):
        return {}
    return {code.strip(): label.strip() for code, _, label in pairs}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
