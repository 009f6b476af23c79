"""Risks of people whom the model has not seen: repeated, nested, by person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.norm import Array
from tracerless.core.risk import Clock, RiskKind
from tracerless.core.seeds import generator
from tracerless.core.study import Arm, Predictor, Study
from tracerless.foresee.absolute import risks
from tracerless.foresee.courses import Courses, Timed, timed
from tracerless.foresee.learn import Penalties, chosen, deal, edges, learn
from tracerless.foresee.prepare import AGE, Rows, Steps, apply, fit, predictors
from tracerless.foresee.settings import RiskSettings, Tools

MIN_EVENTS = 20
"""Fewer onsets of dementia than this carry no model."""
_MAX_AGE = 90.0


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What one kind of model said of n people while they were held out.

    Args:
        arm, kind: what it saw, how it learned.
        times: (t,) years.
        dementia: (repeats, n, t) risks.
        death: (repeats, n, t) of death without dementia.
        fold: (repeats, n) in which part each person was held out.
        n_columns: predictors behind the scaler, of the last fold.
        suffix: what sets these risks apart from others of the same kind.
    """

    arm: Arm
    kind: RiskKind
    times: Array
    dementia: Array
    death: Array
    fold: NDArray[np.intp]
    n_columns: int
    suffix: str = ""

    @property
    def model(self) -> str:
        """Its name in tables."""
        return self.kind.value + self.suffix

    def at(self, years: float) -> Array:
        """(repeats, n) risks by one of ``times``."""
        index = int(np.argmin(np.abs(self.times - years)))
        return np.asarray(self.dementia[:, :, index], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Everything that a fold needs: people, courses, settings, z.

    Args:
        study: all rows.
        found: courses of those who are followed.
        settings: of the evaluation.
        tools: steps of regions.
        times: (t,) years at which risks are told.
    """

    study: Study
    found: Courses
    settings: RiskSettings
    tools: Tools
    times: Array

    @property
    def start(self) -> Array:
        """(n,) where each person stands on the clock at the scan."""
        return start_of(self.study, self.found.rows, self.settings.clock)

    def borders(self, at: Timed) -> Array:
        """Periods that reach every risk that is told."""
        settings = self.settings
        return edges(at, settings.clock, settings.step_years, float(self.times[-1]))


def start_of(study: Study, rows: Rows, clock: Clock) -> Array:
    """(n,) where the clock stands at the scan: 0, or the age in years."""
    if clock is Clock.SCAN:
        return np.zeros(len(rows))
    return pd.to_numeric(study.people[AGE], errors="coerce").to_numpy(dtype=np.float64)[rows]


def with_clock(study: Study, found: Courses, clock: Clock) -> Courses:
    """Courses of people whose place on the clock is known.

    Ages of 90 and above are written as 90 in a dataset, so they are no place on a clock of age.
    """
    if clock is Clock.SCAN:
        return found
    start = start_of(study, found.rows, clock)
    known = np.isfinite(start) & (start < _MAX_AGE)
    n = int((~known).sum())
    kept = found.taken(known)
    notes = (*found.notes, f"{n} people left out: age unknown, or {_MAX_AGE:g} and above.")
    return Courses(kept.rows, kept.low, kept.high, kept.death, kept.last, notes) if n else kept


def require_enough(found: Courses, n_columns: int = 0) -> None:
    """Refuse to learn from too few.

    Raises:
        ModelError: fewer onsets than `MIN_EVENTS`, or fewer people than columns.
    """
    n = int(found.has_dementia.sum())
    if n < MIN_EVENTS:
        raise ModelError(
            f"{n} of {len(found)} people became demented; {MIN_EVENTS} are needed.",
            hint="Add people, or years of follow-up.",
        )
    if len(found) <= n_columns:
        raise ModelError(
            f"{len(found)} people for {n_columns} predictors.",
            hint="Choose an arm with fewer predictors (--arm demographics), or add people.",
        )


def dealt(task: Task) -> NDArray[np.intp]:
    """(repeats, n) parts, with the same share of every event in each."""
    settings = task.settings
    return np.stack(
        [
            deal(task.found.event, settings.folds, generator("risk-folds", settings.seed, repeat))
            for repeat in range(settings.repeats)
        ]
    )


def nested(
    task: Task,
    arm: Arm,
    kinds: Sequence[RiskKind],
    progress: Callable[[], None] | None = None,
) -> tuple[OutOfFold, ...]:
    """Risks out of fold, of each kind; steps, penalty and norm come from the training part alone.

    Args:
        task: people and settings.
        arm: what the models see.
        kinds: how they learn.
        progress: called after each fold.

    Raises:
        ModelError: too few people or events.
    """
    needed = predictors(task.study, arm, task.settings)
    require_enough(task.found, len(needed))
    fold = dealt(task)
    shape = (len(kinds), *fold.shape, len(task.times))
    dementia, death = np.full(shape, np.nan), np.full(shape, np.nan)
    n_columns = len(needed)
    everybody = timed(task.found, task.start)
    borders = task.borders(everybody)
    for repeat, part in _parts(task.settings):
        out = np.flatnonzero(fold[repeat] == part)
        kept = np.flatnonzero(fold[repeat] != part)
        made, x = _steps(task, needed, kept, out)
        held, mine = apply(made, task.study, task.found.rows[out]), everybody.taken(kept)
        penalties = tuned(made, x, mine, task.settings, repeat, part)
        n_columns = x.shape[1]
        for index, kind in enumerate(kinds):
            hazards = learn(kind, x, mine, borders, penalties)
            told = risks(hazards, held, task.start[out], task.times)
            dementia[index, repeat, out], death[index, repeat, out] = told
        if progress is not None:
            progress()
    return tuple(
        OutOfFold(arm, kind, task.times, dementia[index], death[index], fold, n_columns)
        for index, kind in enumerate(kinds)
    )


def tuned(made: Steps, x: Array, at: Timed, settings: RiskSettings, *seed: str | int) -> Penalties:
    """Penalties chosen by cross-validation among the people of ``x``."""
    event = np.where(at.has_dementia, 1, np.where(at.is_dead, 2, 0)).astype(np.intp)
    parts = deal(event, settings.inner_folds, generator("risk-inner", settings.seed, *seed))
    ridge = chosen(x, at, made.groups, settings.penalties, parts)
    return Penalties(ridge, made.death_penalty())


def _parts(settings: RiskSettings) -> Iterator[tuple[int, int]]:
    for repeat in range(settings.repeats):
        for part in range(settings.folds):
            yield repeat, part


def _steps(task: Task, needed: tuple[Predictor, ...], kept: Rows, out: Rows) -> tuple[Steps, Array]:
    rows = task.found.rows
    return fit(
        task.study,
        rows[kept],
        needed,
        features=task.settings.features,
        tools=task.tools,
        held_out=rows[out],
    )
