"""How much of a planted loss comes back, and how often an ill region reads as normal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from tracerless.core.assessment import TABLES
from tracerless.core.seeds import generator
from tracerless.evaluate.measures import INTERVAL
from tracerless.statistics.resampling import wilson

MIN_CONTROLS = 8
"""Fewer controls cannot say what is low."""
FLAG_P = 0.05
"""A region is low when fewer of the controls' kind would lie below it (one-sided)."""
N_RESAMPLES = 1000
EVERYWHERE = "all"
"""Row over every region that was planted into."""
LEAST_PEOPLE = 3
"""Fewer people get no interval."""
Facts = tuple[str, str, str, float]
"""Model, correlate, region, loss: of a row."""


@dataclass(frozen=True, slots=True)
class Planting:
    """One planted loss in one person; region means, SUVR.

    Args:
        person: whose.
        correlate: what MR showed of it.
        region: where; of several regions, the mean over them.
        loss: share of the uptake.
        truth, truth_before: acquired, with and without the loss.
        made, made_before: predicted, from MR with and without its sign.
    """

    person: str
    correlate: str
    region: str
    loss: float
    truth: float
    truth_before: float
    made: float
    made_before: float

    @property
    def recovered(self) -> float:
        """Predicted change as a share of the true one; NaN when nothing truly changed."""
        change = self.truth - self.truth_before
        return (self.made - self.made_before) / change if abs(change) > 1e-6 else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """What a region shows in people without disease.

    Args:
        people: n pseudonyms.
        truth: by region, (n,) acquired SUVR.
        made: by region, (n,) predicted SUVR.
    """

    people: tuple[str, ...]
    truth: dict[str, NDArray[np.float64]]
    made: dict[str, NDArray[np.float64]]

    def is_low(self, kind: str, region: str, value: float, person: str) -> bool | None:
        """Whether a value lies below what controls but this person show; None = too few.

        Args:
            kind: ``truth``, among acquired values, or ``made``, among predicted ones: each is
                judged within its own domain.
            region: key.
            value: SUVR.
            person: is left out, where among the controls.
        """
        others = np.array([who != person for who in self.people], dtype=bool)
        known = (self.truth if kind == "truth" else self.made)[region][others]
        known = known[np.isfinite(known)]
        if len(known) < MIN_CONTROLS or not np.isfinite(value):
            return None
        spread = max(float(known.std(ddof=1)), 1e-9) * (1 + 1 / len(known)) ** 0.5
        t = (value - float(known.mean())) / spread
        return bool(stats.t.cdf(t, len(known) - 1) < FLAG_P)


def dose_response(model: str, rows: Sequence[Planting], controls: Controls) -> pd.DataFrame:
    """`TABLES` ``planted``: by correlate, region and loss; people as they are resampled.

    ``recovered`` is the mean share of the true change that the prediction shows; ``false_normal``
    the share, of the ``n_low`` plantings that are low in the acquired PET, that are not low in the
    synthetic one, each against controls of its own domain; NaN where no truth is low. 95 %
    intervals are over people.

    Args:
        model: name.
        rows: all plantings.
        controls: of the same model.
    """
    table = []
    for correlate in dict.fromkeys(row.correlate for row in rows):
        for loss in sorted({row.loss for row in rows}):
            mine = [r for r in rows if (r.correlate, r.loss) == (correlate, loss)]
            for region in (EVERYWHERE, *dict.fromkeys(r.region for r in mine)):
                here = [r for r in mine if region in {EVERYWHERE, r.region}]
                if here:
                    facts = (model, correlate, region, loss)
                    known = _estimate(_recoveries(here), facts)
                    table.append((*facts, *known, *_missed_share(_missed(here, controls), facts)))
    return pd.DataFrame(table, columns=[*TABLES["planted"]])


def recovery_slope(rows: Sequence[Planting]) -> float:
    """Least-squares slope of predicted on true changes through no change; NaN with none."""
    true = np.array([row.truth - row.truth_before for row in rows])
    made = np.array([row.made - row.made_before for row in rows])
    known = np.isfinite(true) & np.isfinite(made)
    power = float((true[known] ** 2).sum())
    return float((true * made)[known].sum()) / power if power > 0 else float("nan")


def false_normal(rows: Sequence[Planting], controls: Controls) -> float:
    """Share of truly low regions that the prediction does not call low; NaN with none."""
    missed = [each for mine in _missed(rows, controls).values() for each in mine]
    return float(np.mean(missed)) if missed else float("nan")


ByPerson = Mapping[str, Sequence[float]]
"""What was found of every planting in a person."""


def _missed(rows: Sequence[Planting], controls: Controls) -> ByPerson:
    """1 where a truly low region is not low in the prediction, 0 where it is."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if controls.is_low("truth", row.region, row.truth, row.person):
            low = controls.is_low("made", row.region, row.made, row.person)
            if low is not None:
                found.setdefault(row.person, []).append(float(not low))
    return found


def _recoveries(rows: Sequence[Planting]) -> ByPerson:
    found: dict[str, list[float]] = {}
    for row in rows:
        if np.isfinite(row.recovered):
            found.setdefault(row.person, []).append(row.recovered)
    return found


def _missed_share(missed: ByPerson, facts: Facts) -> tuple[int, float, float, float]:
    """(plantings, share, low, high); one person who never errs tells little of others."""
    n = sum(len(each) for each in missed.values())
    people, value, low, high = _estimate(missed, facts)
    if people and value in {0.0, 1.0}:  # draws of people who are all alike do not vary
        _, low, high = wilson(value * people, people)
    return n, value, low, high


def _estimate(found: ByPerson, facts: Facts) -> tuple[int, float, float, float]:
    """(people, mean over all of theirs, low, high); whole people are resampled."""
    sums = np.array([(sum(each), len(each)) for each in found.values()], dtype=np.float64)
    if not len(sums):
        return 0, float("nan"), float("nan"), float("nan")
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    if len(sums) < LEAST_PEOPLE:
        return len(sums), value, float("nan"), float("nan")
    draw = generator("planted-bootstrap", *map(str, facts))
    chosen = sums[draw.integers(len(sums), size=(N_RESAMPLES, len(sums)))].sum(axis=1)
    low, high = np.percentile(chosen[:, 0] / chosen[:, 1], INTERVAL)
    return len(sums), value, float(low), float(high)
