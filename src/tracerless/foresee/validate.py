"""A locked model on people of another dataset: as it is, and shifted to their incidence."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tracerless.core.errors import ModelError
from tracerless.core.norm import Array
from tracerless.core.risk import RiskModel
from tracerless.core.steps import FittedZ
from tracerless.core.study import Followup, Study
from tracerless.foresee.assess import RiskEvaluation, assessed
from tracerless.foresee.courses import MIN_AT_RISK, Courses, courses
from tracerless.foresee.nested import OutOfFold, Task, require_enough, with_clock
from tracerless.foresee.predict import image_of, predicted
from tracerless.foresee.settings import NO_TOOLS, RiskSettings, Tools
from tracerless.statistics.censored import incidence

_STEP_YEARS = 0.5
_BISECTIONS = 60
_WIDEST = 8.0
RECALIBRATED = " recalibrated"


def validate(
    model: RiskModel,
    study: Study,
    followup: Followup,
    key: str,
    *,
    settings: RiskSettings,
    norm: FittedZ | None = None,
    tools: Tools = NO_TOOLS,
    digests: tuple[str, ...] = (),
) -> RiskEvaluation:
    """The model judged on people whom it never saw.

    Beside the model as it is stands one whose risks were all shifted on the log-log scale so that
    their mean at the main horizon is the incidence seen there (recalibration in the large).

    Args:
        model: locked.
        study: measured as the model's scans were.
        followup: of the same people.
        key: name of the evaluation.
        settings: of the draws; clock, horizons and bands are the model's.
        norm: of the model, ready for use.
        tools: harmonizes, where the model does.
        digests: ``person_digest`` of each row of the study; people of the training are left out.

    Raises:
        RecipeMismatchError: the scans were measured in another way.
        ModelError: too few people or events, or a follow-up shorter than every horizon.
        DatasetError: nobody can be followed.
    """
    model.require(study.measured)
    settings = _of_model(model, settings)
    found = with_clock(study, courses(study, followup, settings), model.clock)
    found, own = _without(found, model, digests)
    years = _reached(model, found)
    near = [year for year in years if year <= model.band_years]
    settings = replace(settings, horizons=years, band_years=near[-1] if near else years[0])
    times = np.unique([*np.arange(_STEP_YEARS, years[-1] + 1e-9, _STEP_YEARS), *years])
    plain, image = replace(model, replicates=()), image_of(model, norm, tools)
    onset, death = predicted(plain, study.taken(found.rows), image, tuple(times))
    known = np.asarray(np.isfinite(onset.risk).all(axis=1), dtype=np.bool_)
    found, risk, fatal = found.taken(known), onset.risk[known], death.risk[known]
    require_enough(found)
    task = Task(study, found, settings, tools, times)
    fold = np.zeros((1, len(found)), dtype=np.intp)
    asis = OutOfFold(
        model.arm, model.kind, times, risk[None], fatal[None], fold, len(model.scaler.names)
    )
    shifted, by = _shifted(asis, found, settings.band_years)
    made = assessed(task, [shifted, asis], key, {}, (own,) if own else ())
    facts = {
        **made.facts,
        "validation": "external",
        "external_of": model.key,
        "recalibration": f"in the large: log-log shift of {by:+.3f}",
        "headline": _headline(made.tables["absolute_risk"], model, settings.band_years),
    }
    return RiskEvaluation(replace(made, facts=facts), (asis, shifted), task)


def _of_model(model: RiskModel, settings: RiskSettings) -> RiskSettings:
    starts = model.facts.get("starts", {})
    return replace(
        settings,
        arm=model.arm,
        kind=model.kind,
        kinds=(model.kind,),
        clock=model.clock,
        starts=tuple(starts) if isinstance(starts, dict) and starts else settings.starts,
        bands=model.bands,
        horizons=(),
        repeats=1,
    )


def _without(found: Courses, model: RiskModel, digests: tuple[str, ...]) -> tuple[Courses, str]:
    own = set(model.people)
    mine = np.array([bool(digests) and digests[row] in own for row in found.rows], dtype=np.bool_)
    if mine.all():
        raise ModelError(
            f"Risk model {model.key} was trained on all of these people.",
            hint="Judge it on others, or evaluate out of fold without --model.",
        )
    if not mine.any():
        return found, ""
    return found.taken(~mine), f"{int(mine.sum())} people of the training were left out."


def _reached(model: RiskModel, found: Courses) -> tuple[float, ...]:
    years = tuple(h for h in model.horizons if (found.time > h).sum() >= MIN_AT_RISK)
    if not years:
        raise ModelError(
            f"Fewer than {MIN_AT_RISK} people are seen beyond {model.horizons[0]:g} years.",
            hint="Wait for more follow-up.",
        )
    return years


def _shifted(asis: OutOfFold, found: Courses, years: float) -> tuple[OutOfFold, float]:
    """Risks whose mean at ``years`` is what was seen, and the shift that made them so."""
    seen = incidence(found.time, found.event, watched=found.last).at(years)[0]
    if not 0 < seen < 1:
        raise ModelError(f"Nobody, or everybody, fell ill within {years:g} years.")
    low, high = -_WIDEST, _WIDEST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        mean = float(_loglog(asis.at(years), middle).mean())
        low, high = (middle, high) if mean < seen else (low, middle)
    shift = (low + high) / 2
    return replace(asis, dementia=_loglog(asis.dementia, shift), suffix=RECALIBRATED), shift


def _loglog(risk: Array, shift: float) -> Array:
    kept = np.clip(risk, 1e-12, 1 - 1e-12)
    return np.asarray(-np.expm1(np.log1p(-kept) * np.exp(shift)), dtype=np.float64)


def _headline(table: pd.DataFrame, model: RiskModel, years: float) -> str:
    mine = table[(table["model"] == model.kind.value) & (table["years"] == years)]
    told = mine[mine["quantity"] == "predicted"].iloc[0]
    seen = mine[mine["quantity"] == "observed"].iloc[0]
    return (
        f"Model {model.key}, locked: by {years:g} years it told {told['value']:.1%} and "
        f"{seen['value']:.1%} (95 % {seen['low']:.1%} to {seen['high']:.1%}) fell ill."
    )
