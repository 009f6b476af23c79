"""What a reader of a region table has to be told, by region."""

from collections.abc import Mapping

import pandas as pd

from tracerless.core.atlas import RoiTable

LOW_COVERAGE = 0.98
"""A region seen by less than this is flagged. Source: on a real head whose vertex is cut, the cut
regions had a coverage of .89-.95, all others of 1.00."""

UNSEEN, CUT, CONSTANT, NEGATIVE = "unseen", "cut", "constant", "negative"

MEANINGS: Mapping[str, str] = {
    UNSEEN: "nothing of the region lies in the field of view; its values are n/a, never zero",
    CUT: f"less than {LOW_COVERAGE:.0%} of the region lies in the field of view",
    CONSTANT: "all voxels of the region hold one value: a filled or empty part of the volume",
    NEGATIVE: "the mean is below zero",
}
"""Every flag, and what it says."""


def flags(table: pd.DataFrame) -> pd.Series:
    """One flag a region, empty where there is nothing to say; the gravest wins.

    Args:
        table: columns ``ROI_COLUMNS``.
    """
    told = pd.Series("", index=table.index, dtype=object)
    told[table["coverage"] < LOW_COVERAGE] = CUT
    told[table["mean"] < 0] = NEGATIVE
    told[(table["sd"] == 0) & (table["n_voxels"] > 1)] = CONSTANT
    told[~(table["coverage"] > 0)] = UNSEEN
    return told


def summary(measured: RoiTable) -> str:
    """All flags of a table in one cell: ``cut: a, b; unseen: c``; empty when there are none."""
    told = pd.concat([flags(measured.values), flags(measured.composites)])
    groups = ((flag, list(told.index[told == flag])) for flag in MEANINGS)
    return "; ".join(f"{flag}: {', '.join(names)}" for flag, names in groups if names)
