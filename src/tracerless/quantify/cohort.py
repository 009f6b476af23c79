"""Region tables of many sessions in one long table."""

from collections.abc import Iterable

import pandas as pd

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import RecipeMismatchError
from tracerless.core.people import SessionKey

COHORT_COLUMNS = (
    "participant_id",
    "session_id",
    "contrast",
    "quantity",
    "atlas",
    "reference",
    "region",
    *ROI_COLUMNS,
    "fingerprint",
)
"""Columns of the long table; the first two as BIDS writes them (``sub-…``, ``ses-…``)."""


def cohort_table(rows: Iterable[tuple[SessionKey, RoiTable]]) -> pd.DataFrame:
    """One row per session, contrast and region, in the order given; empty when nothing is given.

    Raises:
        RecipeMismatchError: one contrast of one session comes twice.
    """
    parts: list[pd.DataFrame] = []
    seen: set[tuple[SessionKey, str]] = set()
    for key, measured in rows:
        if (key, measured.contrast) in seen:
            raise RecipeMismatchError(
                f"{key} has two region tables of {measured.contrast}.",
                hint="Keep the tables of one recipe only.",
            )
        seen.add((key, measured.contrast))
        parts.append(_long(key, measured))
    if not parts:
        return pd.DataFrame(columns=list(COHORT_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _long(key: SessionKey, measured: RoiTable) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant_id": f"sub-{key.person}",
            "session_id": f"ses-{key.visit}",
            "contrast": str(measured.contrast),
            "quantity": str(measured.quantity),
            "atlas": measured.atlas,
            "reference": measured.reference,
            "region": measured.values.index,
            **{name: measured.values[name].to_numpy() for name in ROI_COLUMNS},
            "fingerprint": measured.fingerprint,
        },
        columns=list(COHORT_COLUMNS),
    )
