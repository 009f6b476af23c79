"""Wide and long tables say the same, and days are read in both calendars."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.io.cognition import dictionary
from tracerless.workspace.cognition_sittings import parse_day, sittings

KNOWN = dictionary()


@settings(max_examples=25, deadline=None)
@given(
    cells=st.lists(
        st.tuples(
            st.sampled_from(["A1", "A2", "A3", "A4"]),
            st.sampled_from(["1", "2"]),
            *[st.sampled_from(["", "0", "7", "9", "88", "10", "x"])] * 3,
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[:2],
    )
)
def test_wide_and_long_tables_say_the_same(cells: list[tuple[str, ...]]) -> None:
    codes = ["MMSE", "CVVLT_10M", "TMT_A"]
    wide = pd.DataFrame(cells, columns=["participant_id", "session_id", *codes])
    long = wide.melt(["participant_id", "session_id"])
    left, right = (
        sittings(table, KNOWN).table.set_index(["key", "visit"])[codes].sort_index()
        for table in (wide, long)
    )
    pd.testing.assert_frame_equal(left, right)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026/1/31", "2026-01-31"),
        ("20260131", "2026-01-31"),
        ("2026-01-31 09:30", "2026-01-31"),
        ("115/01/31", "2026-01-31"),
        ("115.1.31", "2026-01-31"),
        ("1150131", "2026-01-31"),
        ("民國115年1月31日", "2026-01-31"),
        ("2026年1月31日", "2026-01-31"),
        ("113/02/29", "2024-02-29"),
        ("115/02/29", None),
        ("2026-13-01", None),
        ("31/01/2026", None),
        ("soon", None),
        ("", None),
    ],
)
def test_days_are_read_in_both_calendars(text: str, day: str | None) -> None:
    found = parse_day(text)
    assert (found.isoformat() if found else None) == day
