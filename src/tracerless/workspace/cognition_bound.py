"""Which scan a test goes with: the nearest of its person; the distance is kept, the dates are not.

This is where a test's date is last seen: it is compared with the dates of scans before the border,
or, long after they crossed, with what the vault's keyed digests tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from tracerless.core.cognition import Finding
from tracerless.core.people import SessionKey
from tracerless.io.vault_people import VaultPeople
from tracerless.workspace.cognition_sittings import KEYS, Sittings, parse_day
from tracerless.workspace.ingest_values import Named

FURTHEST_DAYS = 400
"""Up to here the vault is asked; tests further from every scan are left out."""

Days = Mapping[SessionKey, date]
"""The day of each visit of a batch; identifies, and goes nowhere."""


@dataclass(frozen=True, slots=True)
class Scans:
    """The days of scans, as far as they can be known; its repr shows none.

    Args:
        vault: knows every visit that crossed, by keyed digests; None for nobody to ask.
        days: of visits that cross now.
    """

    vault: VaultPeople | None = field(repr=False)
    days: Days = field(default_factory=dict, repr=False)

    def nearest(self, chart: str, person: str, day: date) -> tuple[str, float]:
        """(visit, days from its scan to that day); of two equally near the first.

        Without any dated scan the visit is empty and the distance NaN; where every scan is too far
        for the vault to tell, the distance is infinite.
        """
        mine = [(each, key.visit) for key, each in self.days.items() if str(key.person) == person]
        found = [(abs((day - each).days), visit, (day - each).days) for each, visit in mine]
        near = self.vault.visit_near(chart, day, FURTHEST_DAYS) if self.vault else None
        if near is not None:
            found.append((abs(near[1]), *near))
        if found:
            _, visit, gap = min(found)
            return visit, float(gap)
        return "", np.inf if self.vault and self.vault.has_dates(chart) else np.nan


def scan_days(series: Iterable[Named], sessions: Mapping[str, SessionKey]) -> Days:
    """The day of every visit of a batch, as far as its headers tell.

    Args:
        series: of the batch.
        sessions: visit of each series that may cross, by identity.
    """
    found: dict[SessionKey, date] = {}
    for named in series:
        day = parse_day(named.series.study_date) if named.series.study_date else None
        if day is not None and named.identity in sessions:
            found.setdefault(sessions[named.identity], day)
    return found


def bound(
    read: Sittings, people: Sequence[str], scans: Scans, found: list[Finding]
) -> pd.DataFrame:
    """Scores with the visit whose scan is nearest, and the distance.

    A row that names a visit keeps it, and one that states its distance keeps that. Rows without a
    date are bound to no visit.

    Args:
        read: the scores.
        people: pseudonym of each row; empty for rows that do not cross.
        scans: to which they are bound.
        found: takes what is to be known.

    Returns:
        ``person``, ``visit``, ``score_to_scan_days`` (test minus scan), then codes; the index is
        that of ``read.table``.
    """
    rows = [
        _placed(person, {str(key): cells[key] for key in KEYS}, scans)
        for person, cells in zip(people, read.table.to_dict("records"), strict=True)
    ]
    own = pd.DataFrame(rows, columns=["visit", "score_to_scan_days"], index=read.table.index)
    own.insert(0, "person", list(people))
    table = pd.concat([own, read.table.drop(columns=list(KEYS))], axis=1)
    table = table[table["person"] != ""]
    far = np.isinf(table["score_to_scan_days"].to_numpy(dtype=np.float64))
    if far.any():
        text = f"{int(far.sum())} sittings lie too far from every scan of their person; left out."
        found.append(Finding("gap", "", int(far.sum()), text))
    dated = (read.table["date"] != "").reindex(table.index) & table["score_to_scan_days"].isna()
    if dated.any():
        text = f"{int(dated.sum())} rows have a date, but no scan's to compare it with."
        found.append(Finding("gap-unknown", "", int(dated.sum()), text))
    kept: pd.DataFrame = table[~far]
    return kept


def _placed(person: str, cells: Mapping[str, object], scans: Scans) -> tuple[str, float]:
    visit, days = str(cells["visit"]), float(str(cells["days"]))
    day = parse_day(str(cells["date"]))
    if not person or day is None or visit or not np.isnan(days):
        return visit, days
    return scans.nearest(str(cells["key"]), person, day)
