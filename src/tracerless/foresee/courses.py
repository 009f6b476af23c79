"""From visits to courses: between which two visits dementia began, who died, who was lost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.norm import Array
from tracerless.core.study import Followup, Study
from tracerless.foresee.settings import RiskSettings

WELL = (Diagnosis.CN.value, Diagnosis.MCI.value)
MIN_AT_RISK = 10
"""People who must be seen beyond a horizon before a risk is told for it."""
_WIDE_YEARS = 2.5
_NEAREST = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """What happened to n people after their scan; years since then.

    Args:
        rows: (n,) of the study, one a person (the first scan).
        low: (n,) last visit without dementia.
        high: (n,) first visit with it; inf where there was none.
        death: (n,) without dementia; NaN where nobody died so.
        last: (n,) the death, the first visit with dementia, or the last contact.
        notes: one sentence for each kind of person left out, or of thing to know.
    """

    rows: NDArray[np.intp]
    low: Array
    high: Array
    death: Array
    last: Array
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """People."""
        return len(self.rows)

    @property
    def has_dementia(self) -> NDArray[np.bool_]:
        """(n,) whether dementia was seen to begin."""
        return np.isfinite(self.high)

    @property
    def time(self) -> Array:
        """(n,) of onset (middle of the two visits), of death, or of the last visit."""
        middle = (self.low + np.where(self.has_dementia, self.high, self.low)) / 2
        return np.asarray(np.where(np.isnan(self.death), middle, self.death), dtype=np.float64)

    @property
    def event(self) -> NDArray[np.intp]:
        """(n,) 1 dementia, 2 death without it, 0 lost."""
        return np.where(self.has_dementia, 1, np.where(np.isnan(self.death), 0, 2)).astype(np.intp)

    def taken(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Courses":
        """Some of the people; an index may come twice."""
        return Courses(
            self.rows[which],
            self.low[which],
            self.high[which],
            self.death[which],
            self.last[which],
            self.notes,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Courses on a clock: ``entry`` and the rest in years since the scan, or of age.

    ``high`` is inf without dementia; ``last`` is the death where ``is_dead``.
    """

    entry: Array
    low: Array
    high: Array
    last: Array
    is_dead: NDArray[np.bool_]

    @property
    def has_dementia(self) -> NDArray[np.bool_]:
        """(n,) whether dementia was seen to begin."""
        return np.isfinite(self.high)

    @property
    def onset(self) -> Array:
        """(n,) middle of the two visits around the onset; ``low`` where there was none."""
        middle = (self.low + np.where(self.has_dementia, self.high, self.low)) / 2
        return np.asarray(middle, dtype=np.float64)

    def taken(self, which: NDArray[np.intp]) -> "Timed":
        """Some of the people; an index may come twice."""
        return Timed(
            self.entry[which],
            self.low[which],
            self.high[which],
            self.last[which],
            self.is_dead[which],
        )


def timed(found: Courses, start: Array) -> Timed:
    """Courses of people whose scan lies at ``start`` (n,) of the clock."""
    return Timed(
        start,
        start + found.low,
        start + found.high,
        start + found.last,
        ~np.isnan(found.death),
    )


@dataclass(frozen=True, slots=True)
class _Course:
    """One person's; ``why`` names the reason when there is none to use."""

    low: float = 0.0
    high: float = np.inf
    death: float = np.nan
    last: float = 0.0
    why: str = ""
    marks: tuple[str, ...] = ()


def courses(study: Study, followup: Followup, settings: RiskSettings) -> Courses:
    """The course of everybody who was well at the first scan and was seen again.

    A diagnosis that goes from MCI back to CN is no event. A dementia that a later visit takes back
    ends the observation at the visit before it (``reverted`` = censor), or the person is left out.

    Args:
        study: any visits; each person counts from the first one.
        followup: of the same people; others are ignored.
        settings: who is followed, and how contradictions are handled.

    Raises:
        DatasetError: nobody is left.
    """
    by_person = dict(iter(followup.visits.groupby("participant_id", sort=False)))
    kept: list[int] = []
    found: list[_Course] = []
    why: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    for row in _first_rows(study):
        start = study.diagnosis[row]
        course = _one(start, by_person.get(study.person[row]), settings)
        if course.why:
            why[course.why] += 1
            continue
        marks.update(course.marks)
        kept.append(row)
        found.append(course)
    notes = tuple(f"{n} people left out: {reason}." for reason, n in sorted(why.items()))
    if not kept:
        raise DatasetError(
            f"Nobody can be followed. {' '.join(notes)}".strip(),
            hint="phenotype/followup.tsv must hold later visits of people who were CN or MCI.",
        )
    notes += tuple(f"{n} people: {mark}." for mark, n in sorted(marks.items()))
    return Courses(
        np.array(kept, dtype=np.intp),
        np.array([each.low for each in found]),
        np.array([each.high for each in found]),
        np.array([each.death for each in found]),
        np.array([each.last for each in found]),
        notes,
    )


def supported_horizons(found: Courses, settings: RiskSettings) -> tuple[float, ...]:
    """Horizons beyond which enough people are still seen.

    Raises:
        ModelError: a horizon that was asked for, or every usual one, lies beyond the follow-up.
    """
    seen = {h: int((found.time > h).sum()) for h in settings.wanted}
    good = tuple(h for h, n in seen.items() if n >= MIN_AT_RISK)
    beyond = [h for h in settings.wanted if h not in good]
    if beyond and (settings.horizons or not good):
        reach = np.sort(found.time)[::-1]
        reached = float(reach[MIN_AT_RISK - 1]) if len(reach) >= MIN_AT_RISK else 0.0
        raise ModelError(
            f"{seen[beyond[0]]} people are seen beyond {beyond[0]:g} years; {MIN_AT_RISK} are "
            "needed.",
            hint=f"Name horizons below {reached:.1f} years."
            if reached > _NEAREST
            else "Add people, or years of follow-up.",
        )
    return good


def _first_rows(study: Study) -> list[int]:
    first: dict[str, int] = {}
    for row in sorted(range(len(study)), key=lambda r: (study.person[r], study.visit[r])):
        first.setdefault(study.person[row], row)
    return sorted(first.values())


def _one(start: str, visits: pd.DataFrame | None, settings: RiskSettings) -> _Course:
    if not start:
        return _Course(why="no diagnosis at the scan")
    if start not in WELL:
        return _Course(why="dementia at the scan")
    if start not in settings.starts:
        return _Course(why=f"{start} at the scan")
    if visits is None or not (visits["years"] > 0).any():
        return _Course(why="no contact after the scan")
    later = visits[visits["years"] > 0]
    exams = [
        (float(years), str(diagnosis))
        for years, diagnosis in zip(later["years"], later["diagnosis"], strict=True)
        if diagnosis
    ]
    deaths = later.loc[later["status"] == "dead", "years"]
    died = float(deaths.min()) if len(deaths) else np.nan
    return _course((start, float(later["years"].max())), exams, died, settings)


def _course(
    at: tuple[str, float], exams: list[tuple[float, str]], death: float, settings: RiskSettings
) -> _Course:
    start, last = at
    marks = ["from MCI back to CN at some visit"] if _went_back([start, *_words(exams)]) else []
    ill = [years for years, diagnosis in exams if diagnosis not in WELL]
    high = min(ill, default=np.inf)
    low = max((years for years, word in exams if word in WELL and years < high), default=0.0)
    if any(word in WELL and years > high for years, word in exams):
        if settings.reverted == "refuse" or low == 0:
            return _Course(why="a dementia was taken back later")
        marks.append("a dementia was taken back; followed up to the visit before it")
        high, death, last = np.inf, np.nan, low
    if np.isfinite(high):
        if high - low > _WIDE_YEARS:
            marks.append(f"more than {_WIDE_YEARS:g} years between the visits around the onset")
        return _Course(low, high, np.nan, high, "", tuple(marks))
    if death - low > settings.death_gap_years:
        marks.append(
            f"died over {settings.death_gap_years:g} years after the last visit; lost then"
        )
        death = np.nan
    if np.isnan(death) and low == 0:
        return _Course(why="no examination after the scan")
    return _Course(low, high, death, last, "", tuple(marks))


def _words(exams: Iterable[tuple[float, str]]) -> list[str]:
    return [word for _, word in exams]


def _went_back(words: list[str]) -> bool:
    mci, normal = Diagnosis.MCI.value, Diagnosis.CN.value
    return any(earlier == mci and later == normal for earlier, later in pairwise(words))
