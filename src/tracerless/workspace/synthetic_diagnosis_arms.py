"""Model 1's classifier on every arm: same people, folds and settings; only the image differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless import diagnose
from tracerless.core.assessment import TABLES
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.study import Arm
from tracerless.diagnose import assess_curves as curves
from tracerless.diagnose.assess_judged import Judged, judged
from tracerless.diagnose.assess_measures import BOOTSTRAPPED, SMALL, auc_moved, performance
from tracerless.diagnose.increments import over_folds as folds_apart
from tracerless.evaluate import claims
from tracerless.statistics import discrimination
from tracerless.statistics.resampling import Array, Interval, Resample, resample
from tracerless.workspace.diagnosis import Z
from tracerless.workspace.synthetic_diagnosis_study import ARMS, Wide, seen_by

CLASSIFIER = "elastic_net"
"""Of model 1, named before anything was measured: no arm gets the one that suits it best."""
N_DRAWS = 2000
CHANCE = 0.5
"""Area of who knows nothing."""
PAIRS: tuple[claims.Pair, ...] = (
    *claims.needed(ARMS),
    claims.Pair("mr+synthetic", "mr"),
    claims.Pair("acquired", "mr"),
    claims.Pair("asl", "demographics"),
    claims.Pair("mr", "demographics"),
)
"""Arms that are held against each other: the first less the second."""

Tell = Callable[[str], None]
"""Told what was done."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgment:
    """One task on every arm.

    Args:
        task: the classes, e.g. ``CN/AD``.
        every: answers by arm, on the same rows.
        drawn: draws of their people.
        fold: (n,) in which each row was held out.
        rows: (n,) of the study.
        notes: sentences.
    """

    task: str
    every: tuple[Judged, ...]
    drawn: Resample
    fold: NDArray[np.intp]
    rows: NDArray[np.intp]
    notes: tuple[str, ...]


def judge(
    found: Wide,
    classes: tuple[str, ...],
    *,
    fold: NDArray[np.intp] | None,
    n_folds: int,
    seed: str,
    tell: Tell | None = None,
) -> Judgment:
    """Every arm on one task.

    Regions are held against the controls of the training rows (`score.within`) where every arm has
    controls enough in every fold, and taken as they are in all arms where one has not.

    Args:
        found: every kind of image.
        classes: to tell apart.
        fold: (rows of the study) of the synthesizers; None deals people anew.
        n_folds: where they are dealt anew.
        seed: of folds.
        tell: told of each arm.

    Raises:
        ModelError: too few people of a class.
    """
    settings = diagnose.Settings(
        classes=classes, models=(CLASSIFIER,), folds=n_folds, repeats=1, seed=seed
    )
    try:
        outs, notes = _answers(found, settings, fold, tell)
        how = "Regions are z against the controls of each fold's training people."
    except DatasetError as error:
        settings = replace(settings, features="ratio")
        outs, notes = _answers(found, settings, fold, tell)
        how = f"Regions are taken as they are, in every arm: {error.message}"
    first = next(iter(outs.values()))
    task = "/".join(first.classes)
    person = [found.study.person[row] for row in first.rows]
    model = f"{CLASSIFIER} {task}"
    every = tuple(replace(judged(out, person), arm=arm, model=model) for arm, out in outs.items())
    drawn = resample(
        person, seed=("synthetic diagnosis", task, seed), n_draws=N_DRAWS, strata=first.truth
    )
    return Judgment(task, every, drawn, first.fold[0], first.rows, (f"{task}: {how}", *notes))


def _answers(
    found: Wide,
    settings: diagnose.Settings,
    fold: NDArray[np.intp] | None,
    tell: Tell | None,
) -> tuple[dict[str, diagnose.OutOfFold], tuple[str, ...]]:
    outs: dict[str, diagnose.OutOfFold] = {}
    notes: list[str] = []
    seen: dict[tuple[str, ...], str] = {}
    for arm, kinds in ARMS.items():
        study, there = seen_by(found, arm), tuple(kind for kind in kinds if kind in found.kinds)
        if study is None or not study.keys(Arm.IMAGE):
            notes.append(_absent(arm, kinds))
            continue
        if seen.setdefault(there, arm) != arm:
            notes.append(f"Arm {arm} is left out: it would see what {seen[there]} sees.")
            continue
        given = None if fold is None else fold[None]
        (outs[arm],) = diagnose.nested(study, Arm.IMAGE, settings=settings, z_step=Z(), fold=given)
        if tell:
            tell(f"{'/'.join(settings.classes)}, {arm}")
    if not outs:
        raise ModelError("No arm shows anything.", hint="Prepare MR and FDG-PET first.")
    return outs, tuple(notes)


def _absent(arm: str, kinds: tuple[str, ...]) -> str:
    if kinds:
        return f"Arm {arm} is left out: no visit shows it."
    return "Age, sex and schooling are known of nobody: chance (AUC 0.5) stands in their place."


def tables(found: Judgment) -> dict[str, pd.DataFrame]:
    """Tables of one task; ``model`` holds classifier and classes."""
    measured, _ = performance(found.every, found.drawn)
    return {
        "performance": measured,
        "increments": increments(found),
        "roc": curves.roc(found.every),
        "calibration": curves.calibration_table(found.every),
        "decision_curve": curves.decision_curve(found.every),
        "confusion": curves.confusion(found.every),
    }


def increments(found: Judgment) -> pd.DataFrame:
    """Table ``increments``: what ``to_arm`` has more than ``from_arm``, on paired rows."""
    by = {one.arm: one for one in found.every}
    rows = []
    for arm, against in PAIRS:
        if {arm, against} <= set(by):
            head = against, arm, by[arm].model
            interval, p = difference(by[arm], by[against], found.drawn)
            rows.append((*head, "auc", *interval, p))
            for name in ("brier", "log_loss", "balanced_accuracy"):
                interval, p = found.drawn.interval(_gain(by[arm], by[against], name))
                rows.append((*head, name, *interval, p))
    return pd.DataFrame(rows, columns=list(TABLES["increments"]))


def difference(one: Judged, other: Judged, drawn: Resample) -> tuple[Interval, float]:
    """Area of ``one`` less that of ``other`` on the same rows, and its p against 0.

    DeLong's interval with the rows of a person together; under a hundred people the wider of it and
    the bootstrap's.
    """
    (area, moved), (lesser, also) = auc_moved(one), auc_moved(other)
    variance = float(discrimination.clustered((moved - also)[:, None], one.person)[0, 0])
    found, p = discrimination.difference_interval(area - lesser, variance)
    if len(set(one.person)) < SMALL:
        beside, _ = drawn.interval(_gain(one, other, "auc"))
        found = Interval(found.value, min(found.low, beside.low), max(found.high, beside.high))
    return found, p


def _gain(one: Judged, other: Judged, metric: str) -> Callable[[Array], Array]:
    how = BOOTSTRAPPED[metric]
    return lambda weights: how(one, weights) - how(other, weights)


def diagnosed(
    found: Judgment, measured: pd.DataFrame, *, domain: str, knows_cognition: bool
) -> claims.Diagnosed:
    """What a claim of a task rests on.

    Args:
        found: the task.
        measured: its table ``performance``.
        domain: ``simulated`` or ``acquired``.
        knows_cognition: whether the synthesizer was told a cognitive score.

    Raises:
        ModelError: the synthetic or the acquired arm is missing.
    """
    by = {one.arm: one for one in found.every}
    own = measured[measured["metric"] == "auc"].set_index("arm")
    areas = {
        str(arm): Interval(float(row["value"]), float(row["low"]), float(row["high"]))
        for arm, row in own.iterrows()
    }
    gaps = {
        pair: difference(by[pair.arm], by[pair.against], found.drawn)[0]
        for pair in claims.needed(by)
    }
    if claims.DEMOGRAPHICS not in areas:  # nothing is known of anybody: chance stands for it
        areas[claims.DEMOGRAPHICS] = Interval(CHANCE, CHANCE, CHANCE)
        for pair in claims.needed(areas):
            if pair.against == claims.DEMOGRAPHICS:
                gaps[pair] = Interval(*(bound - CHANCE for bound in areas[pair.arm]))
    return claims.Diagnosed(
        task=found.task,
        domain=domain,
        n_people=len(set(found.every[0].person)),
        areas=areas,
        differences=gaps,
        knows_cognition=knows_cognition,
    )


def over_folds(found: Judgment) -> str:
    """What the folds say of synthetic less acquired, in a sentence; empty where they cannot.

    They also vary with the people that each model was trained on, which intervals over people leave
    out; with five folds they are few.
    """
    by = {one.arm: one for one in found.every}
    if not {claims.SYNTHETIC, claims.ACQUIRED} <= set(by):
        return ""
    gain = folds_apart(by[claims.ACQUIRED], by[claims.SYNTHETIC], found.fold[None])
    if gain is None:
        return ""
    value, low, high = gain[0]
    return (
        f"{found.task}: over the {len(np.unique(found.fold))} folds (corrected t), synthetic less "
        f"acquired is {value:+.3f} ({low:+.3f} to {high:+.3f})."
    )


def shared(every: Sequence[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Tables of several tasks below each other."""
    names = dict.fromkeys(name for one in every for name in one)
    return {
        name: pd.concat([one[name] for one in every if name in one], ignore_index=True)
        for name in names
    }
