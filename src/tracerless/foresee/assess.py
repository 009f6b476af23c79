"""The evaluation of risk models: out of fold on one dataset, or a locked model on another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from tracerless import __version__
from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.cognition import Leak
from tracerless.core.errors import ModelError
from tracerless.core.norm import Array
from tracerless.core.risk import RiskKind
from tracerless.core.seeds import generator
from tracerless.core.study import Arm, Followup, Study
from tracerless.foresee import assess_tables as of_risk
from tracerless.foresee.courses import supported_horizons
from tracerless.foresee.fit import band_years, prepared_task
from tracerless.foresee.nested import OutOfFold, Task, nested, require_enough
from tracerless.foresee.scores import Jury, jury
from tracerless.foresee.settings import ARMS, NO_TOOLS, RiskSettings, Tools
from tracerless.statistics import censored_scores as of

N_SENTINEL = 10
SENTINEL_LEVEL = 0.99
_FEW = 100
_HALF = 0.5
Advance = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class RiskEvaluation:
    """An evaluation and what it was made from.

    Args:
        assessment: tables and facts.
        told: risks out of fold, of every arm and kind.
        task: people, courses, settings.
    """

    assessment: Assessment
    told: tuple[OutOfFold, ...]
    task: Task


def evaluate(
    study: Study,
    followup: Followup,
    key: str,
    *,
    settings: RiskSettings,
    tools: Tools = NO_TOOLS,
    progress: Advance | None = None,
) -> RiskEvaluation:
    """Every arm and kind, judged on people whom the models did not see.

    Args:
        study: any visits; each person counts from the first one.
        followup: of the same people.
        key: name of the evaluation.
        settings: of folds, draws and bands.
        tools: steps of regions; z is needed where ``settings.features`` is z.
        progress: told what is done.

    Raises:
        ModelError: too few people or events, or a horizon beyond the follow-up.
        DatasetError: nobody can be followed.
    """
    task = prepared_task(study, followup, settings, tools)
    require_enough(task.found)
    told: list[OutOfFold] = []
    notes: list[str] = []
    seen: dict[tuple[str, ...], Arm] = {}
    for arm in ARMS:
        keys = study.keys(arm)
        if keys in seen:
            notes.append(f"Arm {arm.value} sees no more than {seen[keys].value}: left out.")
            continue
        seen[keys] = arm
        told += nested(task, arm, settings.kinds, _step(progress, f"arm {arm.value}"))
    sentinel = _sentinel(task, told[-1].arm, progress)
    made = assessed(task, told, key, {"sentinel": sentinel}, notes)
    return RiskEvaluation(made, tuple(told), task)


def assessed(
    task: Task,
    told: Sequence[OutOfFold],
    key: str,
    extra: Mapping[str, pd.DataFrame],
    notes: Sequence[str] = (),
) -> Assessment:
    """All tables of risks that were told of people who had not been seen."""
    settings = task.settings
    horizons = supported_horizons(task.found, settings)
    main = band_years(settings, horizons)
    by = jury(task.found, horizons, main, settings.n_draws, settings.seed)
    arm = told[-1].arm
    of_main = [each for each in told if each.arm is arm]
    best = next((each for each in of_main if each.kind is RiskKind.COX), of_main[-1])
    models = [each for each in told if each.kind is not RiskKind.INCIDENCE]
    risk = best.at(main).mean(axis=0)
    found = {
        "performance": of_risk.performance(told, by),
        "increments": of_risk.increments(told, by),
        "absolute_risk": of_risk.absolute_risk(of_main, by),
        "calibration": of_risk.calibration([each for each in models if each.arm is arm], by),
        "decision_curve": of_risk.decision_curve(models, by),
        "bands": of_risk.bands(risk, by, settings.bands, main),
        "incidence": of_risk.incidences(risk, by, settings.bands, best.times),
        "subgroups": of_risk.subgroups(best, by, groups(task)),
        "missingness": of_risk.missingness(task.study, by, task.study.keys(arm)),
        **extra,
    }
    kept = {name: table for name, table in found.items() if len(table)}
    facts = {**_facts(task, told, by), **_sentinel_facts(kept)}
    facts["headline"] = _headline(kept, facts)
    said = (*task.study.left_out, *task.found.notes, *notes, *_warnings(facts))
    return Assessment(key, "risk", facts, kept, tuple(said))


def groups(task: Task) -> dict[str, tuple[str, ...]]:
    """By stage, sex, age, schooling and scanner: the group of each person."""
    study, rows = task.study, task.found.rows
    people = study.people.iloc[rows]
    return {
        "stage": tuple(study.diagnosis[row] for row in rows),
        "sex": tuple(people["sex"].fillna("").astype(str)),
        "age": _cut(people["age"], (0, 65, 75, 85, 200), ("<65", "65-74", "75-84", "85+")),
        "education": _cut(people["education_years"], (0, 1, 6, 99), ("0", "1-5", "6+")),
        "scanner": tuple(study.scanner[row] for row in rows),
    }


def _cut(values: pd.Series, borders: Sequence[float], names: Sequence[str]) -> tuple[str, ...]:
    numbers = pd.to_numeric(values, errors="coerce")
    return tuple(
        pd.cut(numbers, list(borders), right=False, labels=list(names)).astype(object).fillna("")
    )


def _step(progress: Advance | None, what: str) -> Callable[[], None] | None:
    return None if progress is None else lambda: progress(what)


def _sentinel(task: Task, arm: Arm, progress: Advance | None) -> pd.DataFrame:
    """Concordance within folds after the courses were dealt to other people."""
    settings = replace(task.settings, repeats=1, penalties=(100.0,))
    rows = []
    for draw in range(N_SENTINEL):
        order = generator("risk-sentinel", settings.seed, draw).permutation(len(task.found))
        found = task.found.taken(order)
        dealt = replace(found, rows=task.found.rows)
        told = nested(replace(task, found=dealt, settings=settings), arm, (RiskKind.COX,))[0]
        rows.append((str(draw), "c_index", _within(told, dealt.time, dealt.event)))
        if progress is not None:
            progress("permuted courses")
    return pd.DataFrame(rows, columns=list(TABLES["sentinel"]))


def _within(told: OutOfFold, time: Array, event: NDArray[np.intp]) -> float:
    values = []
    upto = float(told.times[-1])
    for part in np.unique(told.fold[0]):
        inside = told.fold[0] == part
        seen = of.seen(time[inside], event[inside])
        try:
            values.append(float(of.concordance(seen, told.dementia[0, inside, -1], upto)[0]))
        except ModelError:
            continue  # a fold without an event has no pair to compare
    return float(np.mean(values)) if values else float("nan")


def _sentinel_facts(found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    if "sentinel" not in found:
        return {}
    values = found["sentinel"]["value"].to_numpy(dtype=np.float64)
    error = max(float(values.std(ddof=1)), 1e-9) / np.sqrt(len(values))
    half = float(student.ppf((1 + SENTINEL_LEVEL) / 2, len(values) - 1)) * error
    low, high = float(values.mean() - half), float(values.mean() + half)
    holds = low <= _HALF <= high
    return {"sentinel": {"low": low, "high": high, "holds": holds, "level": SENTINEL_LEVEL}}


def _facts(task: Task, told: Sequence[OutOfFold], by: Jury) -> dict[str, Any]:
    study, settings, found = task.study, task.settings, task.found
    counts = np.bincount(found.event, minlength=3)
    main = told[-1]
    leaks = [each.key for each in study.predictors if each.leak is Leak.HIGH]
    return {
        "n": len(found),
        "n_people": len(found),
        "classes": {"free": int(counts[0]), "dementia": int(counts[1]), "death": int(counts[2])},
        "starts": {w: groups(task)["stage"].count(w) for w in settings.starts},
        "events": int(counts[1]),
        "horizons": list(by.horizons),
        "main_horizon": by.main,
        "contrast": study.measured.contrast,
        "domain": study.measured.domain,
        "atlas": study.measured.atlas,
        "reference": study.measured.reference,
        "fingerprint": study.measured.fingerprint,
        "features": settings.features,
        "models": [kind.value for kind in dict.fromkeys(each.kind for each in told)],
        "arms": [arm.value for arm in dict.fromkeys(each.arm for each in told)],
        "main_arm": main.arm.value,
        "main_model": RiskKind.COX.value if RiskKind.COX in settings.kinds else main.kind.value,
        "repeats": settings.repeats,
        "folds": settings.folds,
        "inner_folds": settings.inner_folds,
        "seed": settings.seed,
        "scanners": sorted({study.scanner[row] for row in found.rows} - {""}),
        "events_per_parameter": int(counts[1]) / max(main.n_columns, 1),
        "follow_up_years": float(np.median(found.time)),
        "leak_excluded": leaks,
        "imputation": "expected value given what was measured, fitted on the training part",
        "tuning": "ridge of each kind of predictor, cross-validated partial likelihood",
        "selection": "none: every predictor of an arm stays in",
        "missing_limit": settings.missing_limit,
        "n_bootstrap": settings.n_draws,
        "clock": settings.clock.value,
        "reverted": settings.reverted,
        "death_gap_years": settings.death_gap_years,
        "validation": "internal",
        "primary": f"{Arm.COGNITION.value} -> {Arm.BOTH.value}",
        "version": __version__,
    }


def _headline(found: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> str:
    people = f"{facts['n_people']} people, {facts['events']} with dementia"
    gain = found.get("increments", pd.DataFrame(columns=list(TABLES["increments"])))
    is_it = (gain["from_arm"] == Arm.COGNITION.value) & (gain["to_arm"] == Arm.BOTH.value)
    is_it &= (gain["metric"] == "c_index") & (gain["model"] == facts["main_model"])
    if is_it.any():
        row = gain[is_it].iloc[0]
        return (
            f"The image adds {row['value']:+.3f} (95 % {row['low']:+.3f} to {row['high']:+.3f}) to "
            f"the concordance of cognition; {people}."
        )
    return f"What the image adds to cognition could not be measured; {people}."


def _warnings(facts: Mapping[str, Any]) -> list[str]:
    warnings = [
        "What began between the last visit and a death is unknown: unseen dementia is taken to "
        "have changed nothing about dying in that time."
    ]
    if facts["n_people"] < _FEW:
        warnings.append(
            f"{facts['n_people']} people: bounds are wide; read no number without them."
        )
    if facts.get("sentinel") and not facts["sentinel"]["holds"]:
        warnings.append(
            "Courses dealt to other people were foretold: something leaks, or folds are too small."
        )
    return warnings
