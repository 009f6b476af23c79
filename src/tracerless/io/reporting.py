"""Reporting checklists that ship with the package: items in our own words, English and Chinese."""

import csv
import importlib.resources
import io
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

CHECKLISTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "diagnosis": ("tripod_ai", "probast_ai"),
        "risk": ("tripod_ai", "probast_ai"),
        "synthesis": ("claim",),
    }
)
"""By task: TRIPOD+AI, 52 parts of 27 items; PROBAST+AI, 16 questions on development, 18 on
evaluation; CLAIM 2024, 44 items."""


def checklists(task: str = "diagnosis") -> dict[str, pd.DataFrame]:
    """Every checklist of a task by name; text columns, in the order of the published list.

    Columns: ``part``, ``item`` (its number), ``topic_en``, ``topic_zh``, ``en``, ``zh``, and
    ``fact``: which answer of a run belongs there, empty where only the author can say.
    """
    return {name: _table(name) for name in CHECKLISTS[task]}


def _table(name: str) -> pd.DataFrame:
    folder = importlib.resources.files("tracerless").joinpath("data", "reporting")
    content = folder.joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    return pd.DataFrame(rows, dtype=str)
