"""What a kept model says of each scan, and when it does not answer."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.norm import Array
from tracerless.core.risk import Outlook, RiskModel
from tracerless.core.steps import FittedZ, Imputer
from tracerless.core.study import Study
from tracerless.foresee.absolute import risks
from tracerless.foresee.courses import WELL
from tracerless.foresee.nested import start_of
from tracerless.foresee.prepare import Image, Steps, apply, columns
from tracerless.foresee.settings import NO_TOOLS, Tools
from tracerless.statistics.steps import indicator

_TAILS = (2.5, 97.5)


class Told(NamedTuple):
    """(n, t) risks and their 95 % bounds."""

    risk: Array
    low: Array
    high: Array


def outlooks(
    model: RiskModel, study: Study, norm: FittedZ | None = None, tools: Tools = NO_TOOLS
) -> tuple[Outlook, ...]:
    """One answer for each row of the study, in order.

    Args:
        model: kept.
        study: scans measured as the model's were.
        norm: of the model, ready for use; needed where the model has one.
        tools: harmonizes, where the model does.

    Raises:
        RecipeMismatchError: the scans were measured in another way.
        DatasetError: a predictor is absent altogether.
    """
    model.require(study.measured)
    image = image_of(model, norm, tools)
    told, death = predicted(model, study, image)
    lacking = _lacking_weight(model, study, image)
    at = model.horizons.index(model.band_years)
    found = []
    for row in range(len(study)):
        why = _abstains(model, study, row, float(lacking[row]))
        if not why and np.isnan(told.risk[row]).any():
            why = (
                f"The training people were not followed to {model.horizons[-1]:g} years from here."
            )
        if why:
            found.append(_silent(model, study, row, why))
            continue
        found.append(
            Outlook(
                model=model.key,
                person=study.person[row],
                visit=study.visit[row],
                years=model.horizons,
                risk=tuple(told.risk[row].tolist()),
                low=tuple(told.low[row].tolist()),
                high=tuple(told.high[row].tolist()),
                death=tuple(death.risk[row].tolist()),
                death_low=tuple(death.low[row].tolist()),
                death_high=tuple(death.high[row].tolist()),
                band=model.band(float(told.risk[row, at])),
                notes=_notes(model, study, row, float(lacking[row])),
            )
        )
    return tuple(found)


def image_of(model: RiskModel, norm: FittedZ | None = None, tools: Tools = NO_TOOLS) -> Image:
    """Steps of regions of a kept model.

    Raises:
        ModelError: the model has a step that was not handed in.
    """
    if (model.norm is None) != (norm is None):
        raise ModelError(f"Risk model {model.key} and its norm were not handed in together.")
    if model.harmonizer is not None and tools.scanners is None:
        raise ModelError(f"Risk model {model.key} harmonizes over scanners; nothing does it here.")
    return Image(model.harmonizer, norm, tools)


def predicted(
    model: RiskModel,
    study: Study,
    image: Image,
    years: tuple[float, ...] = (),
) -> tuple[Told, Told]:
    """Risks of dementia, and of death before it, with their bounds.

    Nobody is refused here: this is for judging a model, `outlooks` is for using it.

    Args:
        model: kept.
        study: as in `outlooks`.
        image: of `image_of`.
        years: horizons; none named = the model's.
    """
    made = Steps(model.predictors, image, model.imputer, model.scaler)
    x = apply(made, study, np.arange(len(study)))
    start = start_of(study, np.arange(len(study)), model.clock)
    at = np.array(years or model.horizons)
    both = risks(model.hazards, x, start, at)
    every = [risks(each, x, start, at) for each in model.replicates]
    return _bounded(both[0], [e[0] for e in every]), _bounded(both[1], [e[1] for e in every])


def _bounded(risk: Array, replicates: list[Array]) -> Told:
    if not replicates:
        return Told(risk, np.full_like(risk, np.nan), np.full_like(risk, np.nan))
    low, high = np.percentile(np.stack(replicates), _TAILS, axis=0)
    return Told(risk, np.minimum(low, risk), np.maximum(high, risk))


def _lacking_weight(model: RiskModel, study: Study, image: Image) -> Array:
    """(n,) share of the model's weight that lies on what was not measured."""
    weight = np.abs(model.hazards.dementia_weights)
    by_name = dict(zip(model.scaler.names, weight.tolist(), strict=True))
    if weight.sum() == 0:
        return np.zeros(len(study))
    table = columns(study, np.arange(len(study)), model.predictors, image, None)
    mine = np.array([by_name[name] for name in table.columns])
    holes: NDArray[np.bool_] = table.isna().to_numpy()
    expected = _told_by_indicator(model.imputer, table)
    return np.asarray((holes & ~expected) @ mine / max(mine.sum(), 1e-12), dtype=np.float64)


def _told_by_indicator(imputer: Imputer, table: pd.DataFrame) -> NDArray[np.bool_]:
    """(p,) columns whose absence is itself a predictor: the model knows how to go on."""
    known = {indicator(name) for name in imputer.indicators}
    return np.array([indicator(name) in known for name in table.columns], dtype=np.bool_)


def _abstains(model: RiskModel, study: Study, row: int, lacking: float) -> str:
    word = study.diagnosis[row]
    if word and word not in WELL:
        return "Dementia at the scan: there is no risk of it left to tell."
    starts = model.facts.get("starts", {})
    if word and isinstance(starts, dict) and word not in starts:
        return f"{word} at the scan: the model was trained on {', '.join(starts)} only."
    for name, (low, high) in model.reach.items():
        value = pd.to_numeric(study.people[name].iloc[row], errors="coerce")
        if pd.isna(value):
            if name == "age":
                return "The age is unknown."
        elif not low <= value <= high:
            return f"{name} {value:g} lies outside the training people's {low:g}-{high:g}."
    if lacking > model.missing_limit:
        return f"{lacking:.0%} of the model's weight lies on values that are missing."
    return ""


def _notes(model: RiskModel, study: Study, row: int, lacking: float) -> tuple[str, ...]:
    notes = []
    if not study.diagnosis[row]:
        notes.append("No diagnosis is known: the risk is that of somebody without dementia.")
    if model.scanners and study.scanner[row] and study.scanner[row] not in model.scanners:
        notes.append("The scanner was not among the training scanners.")
    if lacking > 0:
        notes.append(f"{lacking:.0%} of the model's weight lies on values that were filled in.")
    return tuple(notes)


def _silent(model: RiskModel, study: Study, row: int, why: str) -> Outlook:
    person, visit = study.person[row], study.visit[row]
    return Outlook(
        model.key, person, visit, model.horizons, (), (), (), (), (), (), "", abstains=why
    )
