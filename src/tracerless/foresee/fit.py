"""A risk model of everybody who was followed, with the bootstrap behind its intervals."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tracerless import __version__
from tracerless.core.norm import Array
from tracerless.core.risk import RegionNorm, RiskKind, RiskModel
from tracerless.core.seeds import generator
from tracerless.core.study import Arm, Followup, Kind, Study
from tracerless.foresee.courses import Courses, courses, supported_horizons, timed
from tracerless.foresee.learn import Penalties, learn
from tracerless.foresee.nested import Task, require_enough, tuned, with_clock
from tracerless.foresee.prepare import Steps, predictors
from tracerless.foresee.prepare import fit as fit_steps
from tracerless.foresee.settings import NO_TOOLS, RiskSettings, Tools

BAND_YEARS = 3.0
"""At which horizon bands are told, unless the follow-up is shorter."""
_MIN_PER_PARAMETER = 10.0
_REACH = ("age", "education_years")


def fit(
    study: Study,
    followup: Followup,
    key: str,
    *,
    settings: RiskSettings,
    tools: Tools = NO_TOOLS,
    people: tuple[str, ...] = (),
    progress: Callable[[], None] | None = None,
) -> RiskModel:
    """A model of one kind on one arm.

    The interval of a risk comes from models of resampled people with the same steps and penalty;
    that the steps could have been others is not in it.

    Args:
        study: any visits; each person counts from the first one.
        followup: of the same people.
        key: name of the model.
        settings: which arm, which kind, and the rest.
        tools: steps of regions; z is needed where ``settings.features`` is z.
        people: ``person_digest`` of each row of the study; empty keeps none.
        progress: called after each bootstrap model.

    Raises:
        ModelError: too few people or events, or a horizon beyond the follow-up.
        DatasetError: nobody can be followed.
    """
    task = prepared_task(study, followup, settings, tools)
    found, arm = task.found, learned_arm(settings)
    needed = predictors(study, arm, settings)
    require_enough(found, len(needed))
    made, x = fit_steps(study, found.rows, needed, features=settings.features, tools=task.tools)
    at = timed(found, task.start)
    penalties = tuned(made, x, at, settings, "fit", key)
    borders = task.borders(at)
    rng = generator("risk-bootstrap", settings.seed, key)
    replicates = []
    for _ in range(settings.n_bootstrap):
        rows = rng.integers(0, len(found), len(found))
        replicates.append(learn(settings.kind, x[rows], at.taken(rows), borders, penalties))
        if progress is not None:
            progress()
    years = supported_horizons(found, settings)
    return RiskModel(
        key=key,
        kind=settings.kind,
        arm=arm,
        clock=settings.clock,
        predictors=needed,
        imputer=made.imputer,
        scaler=made.scaler,
        hazards=learn(settings.kind, x, at, borders, penalties),
        replicates=tuple(replicates),
        horizons=years,
        bands=settings.bands,
        band_years=band_years(settings, years),
        measured=study.measured if _has_regions(made) else None,
        norm=_kept(made),
        harmonizer=made.image.harmonizer,
        reach=_reach(study, found),
        scanners=tuple(sorted({study.scanner[row] for row in found.rows} - {""})),
        missing_limit=settings.missing_limit,
        facts=_facts(task, made, penalties),
        notes=(*study.left_out, *found.notes, *_warnings(found, made)),
        people=tuple(sorted({people[row] for row in found.rows})) if people else (),
    )


def prepared_task(study: Study, followup: Followup, settings: RiskSettings, tools: Tools) -> Task:
    """People, courses and the times at which risks are told.

    Raises:
        ModelError: a horizon lies beyond the follow-up.
        DatasetError: nobody can be followed.
    """
    found = with_clock(study, courses(study, followup, settings), settings.clock)
    years = supported_horizons(found, settings)
    steps = np.arange(settings.step_years, years[-1] + 1e-9, settings.step_years)
    times = np.unique(np.round(np.concatenate([steps, years]), 9))
    return Task(study, found, settings, tools, times)


def learned_arm(settings: RiskSettings) -> Arm:
    """Which predictors the kept model carries; who is told the incidence alone needs few."""
    return Arm.DEMOGRAPHICS if settings.kind is RiskKind.INCIDENCE else settings.arm


def band_years(settings: RiskSettings, years: tuple[float, ...]) -> float:
    """The horizon at which bands are told: the one asked for, else 3 years or the last before."""
    wanted = settings.band_years or BAND_YEARS
    near = [year for year in years if year <= wanted]
    return near[-1] if near else years[0]


def _kept(made: Steps) -> RegionNorm | None:
    norm = made.image.norm
    return None if norm is None else RegionNorm(tuple(norm.names), norm.how, norm.norm)


def _has_regions(made: Steps) -> bool:
    return any(each.kind is Kind.REGION for each in made.predictors)


def _reach(study: Study, found: Courses) -> dict[str, tuple[float, float]]:
    reach = {}
    for name in _REACH:
        values = pd.to_numeric(study.people[name].iloc[found.rows], errors="coerce").dropna()
        if len(values):
            reach[name] = (float(values.min()), float(values.max()))
    return reach


def _facts(task: Task, made: Steps, penalties: Penalties) -> dict[str, object]:
    found, settings = task.found, task.settings
    words = [str(task.study.diagnosis[row]) for row in found.rows]
    onsets = int(found.has_dementia.sum())
    return {
        "n": len(found),
        "starts": {word: words.count(word) for word in sorted(set(words))},
        "dementia": onsets,
        "death": int((~np.isnan(found.death)).sum()),
        "follow_up_years": {
            "median": float(np.median(found.time)),
            "longest": float(found.time.max()),
        },
        "columns": len(made.scaler.names),
        "events_per_parameter": onsets / max(len(made.scaler.names), 1),
        "penalty": _penalty_facts(made, penalties.dementia),
        "features": settings.features,
        "reverted": settings.reverted,
        "death_gap_years": settings.death_gap_years,
        "n_bootstrap": settings.n_bootstrap,
        "seed": settings.seed,
        "version": __version__,
    }


def _penalty_facts(made: Steps, ridge: Array) -> dict[str, float]:
    return {kind.value: float(ridge[made.kinds.index(kind)]) for kind in Kind if kind in made.kinds}


def _warnings(found: Courses, made: Steps) -> list[str]:
    warnings = [made.image.note] if made.image.note else []
    per = int(found.has_dementia.sum()) / max(len(made.scaler.names), 1)
    if per < _MIN_PER_PARAMETER:
        warnings.append(
            f"{per:.1f} onsets of dementia for each predictor; {_MIN_PER_PARAMETER:g} are usual."
        )
    return warnings
