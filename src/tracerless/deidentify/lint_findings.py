"""What a check of a policy says, in two languages."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LEVELS = ("error", "warning", "note")
"""From what forbids the use of a policy to what is good to know."""

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a policy.

    Args:
        level: one of `LEVELS`.
        keyword: of the attribute that it is about; empty when it is about the whole.
        text_en, text_zh: one sentence; never a value of any scan.
        kind: a stable word for programs.
    """

    level: str
    keyword: str
    text_en: str
    text_zh: str
    kind: str


def rows(tables: Mapping[str, str], stem: str) -> list[dict[str, str]]:
    """Rows of a table, short rows filled with empty cells; none when there is no such table."""
    reader = csv.DictReader(io.StringIO(tables.get(stem, "")), restval="")
    return [{key: value for key, value in row.items() if key} for row in reader]


def listed(keywords: Iterable[str]) -> str:
    """The first few keywords, and how many more there are."""
    found = sorted(set(keywords))
    more = f" +{len(found) - _SHOWN}" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
