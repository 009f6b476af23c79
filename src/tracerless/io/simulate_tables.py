"""The simulator's data files, read as they stand; `simulate` turns them into checked values."""

import csv
import importlib.resources
import io
import tomllib
from typing import Any

PEOPLE_TABLES = ("people_regions", "people_foci", "people_regional_disease")
"""CSV files about people: regional levels, disease foci, spared and shrinking regions."""


def read_people_tables() -> dict[str, Any]:
    """Everything ``simulate.people_parameters`` needs, by file name without suffix.

    Returns:
        ``people`` and ``people_names``: nested TOML; each of ``PEOPLE_TABLES``: a list of rows,
        text by column name.
    """
    tables: dict[str, Any] = {name: read_toml(name) for name in ("people", "people_names")}
    return tables | {name: read_rows(name) for name in PEOPLE_TABLES}


def read_toml(name: str) -> dict[str, Any]:
    """The TOML file so named below ``data/simulate``."""
    return tomllib.loads(_text(f"{name}.toml"))


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of the CSV file so named below ``data/simulate``, text by column."""
    return list(csv.DictReader(io.StringIO(_text(f"{name}.csv"))))


def _text(file: str) -> str:
    folder = importlib.resources.files("tracerless").joinpath("data", "simulate")
    return folder.joinpath(file).read_text(encoding="utf-8")
