"""Dates across the border: whole days only, so that times, intervals and decay stay true.

The time of day never moves: a decay time is the difference of two times, and the person's offset
is the same for every date.
"""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")


def shifted(text: str, days: int) -> str | None:
    """A DA or DT value moved by whole days; None when it holds no whole date that can move.

    Args:
        text: ``YYYYMMDD``, ``YYYY.MM.DD``, or either followed by a time and a zone.
        days: added; the same for every date of a person.
    """
    found = _DATE.match(text.strip())
    if found is None:
        return None
    try:
        moved = date(*(int(part) for part in found.groups())) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved:%Y%m%d}".zfill(8) + text.strip()[found.end() :]


def year_only(text: str) -> str | None:
    """The first of January of a DA or DT value's year; None when it holds no year."""
    year = text.strip()[:4]
    return f"{year}0101" if len(year) == 4 and year.isascii() and year.isdigit() else None
