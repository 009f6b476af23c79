"""Tables as rows, for charts and pages."""

from typing import Any

import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as mappings from its column names, in their order."""
    columns = [str(name) for name in table.columns]
    return [dict(zip(columns, row, strict=True)) for row in table.itertuples(index=False)]


def cell_of(table: pd.DataFrame, row: str, column: str) -> float:
    """One number of a table by the names of its row and column."""
    return float(table[column].to_dict()[row])
