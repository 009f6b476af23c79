"""An evaluation of diagnosis models, from their out-of-fold answers to every table of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import Assessment
from tracerless.core.errors import ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose import assess_curves as curves
from tracerless.diagnose.assess_facts import facts_of, headline, notes_of
from tracerless.diagnose.assess_judged import Judged, judged
from tracerless.diagnose.assess_measures import performance
from tracerless.diagnose.assess_sets import importance, sets, simplest
from tracerless.diagnose.conformal import cross_sets
from tracerless.diagnose.explain import stability
from tracerless.diagnose.increments import between_models, increments, over_folds
from tracerless.diagnose.nested import OutOfFold
from tracerless.diagnose.settings import Settings
from tracerless.diagnose.sizes import whole
from tracerless.diagnose.subgroups import groups, missingness, subgroups
from tracerless.statistics.resampling import Resample, resample

N_DRAWS = 2000
"""Bootstrap draws of people."""
COMMUNITY = {
    "dementia": (0.0804, "community, 65 and over, Taiwan 2011-13: dementia"),
    "impaired": (0.268, "community, 65 and over, Taiwan 2011-13: dementia or MCI"),
}
"""Prevalence among 10,432 people of 65 and over in Taiwan (8.04 % dementia, 18.76 % MCI)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What an evaluation holds beside the out-of-fold answers.

    Args:
        tables: ``single_split``, ``sentinel``, ``findings``; ``learning_curve`` but its last point;
            ``subgroups`` that are added to the usual ones.
        prevalences: of being positive, by where; added to the usual ones.
        facts: added to the facts.
        notes: added to the notes.
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    prevalences: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def assess(
    key: str,
    study: Study,
    outs: Sequence[OutOfFold],
    *,
    settings: Settings,
    extra: Extra | None = None,
) -> Assessment:
    """Every table that the answers give.

    Args:
        key: name of the evaluation.
        study: all of it.
        outs: answers of each model on each arm, all on the same rows.
        settings: they were made with.
        extra: tables of further fits, the audit's findings, stated prevalences.

    Raises:
        ModelError: no answers, or answers on different rows.
    """
    more = extra or Extra()
    every = _judged(study, outs)
    main_arm = _main_arm(every)
    main_model, learned = simplest([out for out in outs if str(out.arm) == main_arm], study.person)
    place = next(n for n, one in enumerate(every) if (one.arm, one.model) == (main_arm, main_model))
    main, out = every[place], outs[place]
    drawn = resample(
        main.person, seed=("evaluation", settings.seed), n_draws=N_DRAWS, strata=main.truth
    )
    tables, beside = _tables(study, out.rows, (every, main), drawn)
    tables["predictive_values"] = curves.predictive_values(
        main, {**usual_prevalences(main), **more.prevalences}
    )
    tables["sets"] = sets(main, cross_sets(out, settings.level), out.beyond)
    tables["importance"] = _importance(out)
    tables |= {**more.tables, "subgroups": _appended(tables, more.tables)}
    tables["learning_curve"] = _curve(tables.get("learning_curve"), every, main_arm)
    facts = {
        **facts_of(study, main, settings),
        **_facts(every, outs[0].fold),
        "headline": headline(tables["increments"], main),
        "auc_bootstrap": beside.to_dict("records"),
        **more.facts,
    }
    told = notes_of(main, tables, facts, learned=learned)
    said = [note for each in outs for note in each.notes]
    notes = tuple(dict.fromkeys((*told, *more.notes, *said)))
    present = {name: table for name, table in tables.items() if len(table)}
    return Assessment(key, "diagnosis", facts, present, notes)


def _tables(
    study: Study,
    rows: NDArray[np.intp],
    answers: tuple[Sequence[Judged], Judged],
    drawn: Resample,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Tables that the answers alone give, and the bootstrap intervals of the areas."""
    every, main = answers
    measured, beside = performance(every, drawn)
    tables = {
        "performance": measured,
        "increments": increments(every, drawn),
        "confusion": curves.confusion(every),
        "roc": curves.roc(every),
        "calibration": curves.calibration_table(every),
        "decision_curve": curves.decision_curve(every),
        "subgroups": subgroups(main, groups(study, rows)),
        "missingness": missingness(study, rows, main.truth, main.classes),
    }
    return tables, beside


def _facts(every: Sequence[Judged], fold: NDArray[np.intp]) -> dict[str, Any]:
    return {
        "arms": list(dict.fromkeys(one.arm for one in every)),
        "models": list(dict.fromkeys(one.model for one in every)),
        "thresholds": _thresholds(every),
        "n_bootstrap": N_DRAWS,
        "model_difference": between_models(every),
        "corrected_t": _corrected(every, fold),
    }


def usual_prevalences(one: Judged) -> dict[str, float]:
    """Prevalence of being positive in this sample, and in the community where that is known."""
    found = {"this sample": float(one.positive.mean())}
    if one.classes[0] == "CN":
        prevalence, words = COMMUNITY["impaired" if "MCI" in one.classes else "dementia"]
        found[words] = prevalence
    return found


def _judged(study: Study, outs: Sequence[OutOfFold]) -> list[Judged]:
    if not outs:
        raise ModelError("No model has answered.", hint="Name a model with --model.")
    first = outs[0]
    for out in outs:
        if not np.array_equal(out.rows, first.rows) or out.classes != first.classes:
            raise ModelError(f"{out.model} on {out.arm} was judged on other rows.")
    person = [study.person[row] for row in first.rows]
    return [judged(out, person) for out in outs]


def _main_arm(every: Sequence[Judged]) -> str:
    """The fullest arm that may be a result."""
    present = {one.arm for one in every}
    order = (Arm.BOTH, Arm.IMAGE, Arm.COGNITION, Arm.DEMOGRAPHICS)
    return next(arm.value for arm in order if arm.value in present)


def _importance(out: OutOfFold) -> pd.DataFrame:
    if out.importance.shape[2] == 0:
        return importance((), (), out.importance, float("nan"))
    steady = float(np.mean([stability(each) for each in out.importance]))
    return importance(out.groups, out.kinds, out.importance, steady)


def _curve(points: pd.DataFrame | None, every: Sequence[Judged], arm: str) -> pd.DataFrame:
    end = whole([one for one in every if one.arm == arm and one.model != "prevalence"])
    known = [table for table in (points, end) if table is not None and len(table)]
    curve = pd.concat(known, ignore_index=True) if known else end
    return curve.sort_values(["model", "n"], kind="stable").reset_index(drop=True)


def _appended(
    tables: Mapping[str, pd.DataFrame], further: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Subgroups, then scanners that were left out of training."""
    both = [each["subgroups"] for each in (tables, further) if len(each.get("subgroups", ()))]
    return pd.concat(both, ignore_index=True) if both else tables["subgroups"]


def _thresholds(every: Sequence[Judged]) -> dict[str, float]:
    return {
        f"{one.model} on {one.arm}": round(one.threshold, 4)
        for one in every
        if np.isfinite(one.threshold)
    }


def _corrected(every: Sequence[Judged], fold: NDArray[np.intp]) -> list[dict[str, Any]]:
    by = {(one.arm, one.model): one for one in every}
    found = []
    for model in dict.fromkeys(one.model for one in every if one.model != "prevalence"):
        before, after = (by.get((arm.value, model)) for arm in (Arm.COGNITION, Arm.BOTH))
        gain = over_folds(before, after, fold) if before and after else None
        if gain:
            found.append(
                {
                    "from_arm": Arm.COGNITION.value,
                    "to_arm": Arm.BOTH.value,
                    "model": model,
                    **gain[0]._asdict(),
                    "p": gain[1],
                }
            )
    return found
