"""Every model fitted on training rows: penalty, calibration and reach from folds within them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.classifier import Calibration, Hierarchy, Preparation, Scorer
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import ModelError, TracerlessError
from tracerless.core.steps import Array, ZStep
from tracerless.core.study import Arm, Study
from tracerless.diagnose import models
from tracerless.diagnose.calibrate import calibrated, fit_calibration, uncalibrated, youden
from tracerless.diagnose.folds import deal
from tracerless.diagnose.labels import Taken, is_hierarchical, require_people, steps, taken
from tracerless.diagnose.prepare import Inputs, fit_preparation, prepare
from tracerless.diagnose.reach import distance, precision
from tracerless.diagnose.settings import Settings
from tracerless.diagnose.tune import Inner, tune


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is asked of the models.

    Args:
        study, arm, settings, z_step: as in `nested`.
        taken: rows and classes.
        hierarchical: whether dementia comes first and its kind second.
        normals: rows of normal people outside the task, who may serve a norm.
    """

    study: Study
    arm: Arm
    settings: Settings
    z_step: ZStep | None
    taken: Taken
    hierarchical: bool
    normals: NDArray[np.intp]

    @property
    def stages(self) -> tuple[NDArray[np.intp], ...]:
        """(c,) maps from class to what each stage tells apart; -1 = not its business."""
        n_classes = len(self.taken.classes)
        if not self.hierarchical:
            return (np.arange(n_classes, dtype=np.intp),)
        group, kind = steps(self.taken.classes)
        return (np.array(group, dtype=np.intp), np.array(kind, dtype=np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One model.

    Args:
        scorer: fitted on all training rows.
        choice: what was tuned, in words.
        calibration: from the inner held-out rows.
        threshold: on the probability of the second of two classes; NaN with more.
    """

    scorer: Scorer
    choice: str
    calibration: Calibration
    threshold: float


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """Every model of one training set.

    Args:
        made: steps before the models.
        inputs: of the training rows.
        held_out: (n,) distances of inner held-out rows.
        fits: by model.
        notes: in sentences.
    """

    made: Preparation
    inputs: Inputs
    held_out: Array
    fits: dict[str, Fit]
    notes: tuple[str, ...]


def task(study: Study, arm: Arm, settings: Settings, z_step: ZStep | None) -> Task:
    """Check what is asked.

    Raises:
        ModelError: too few people, classes or predictors, or no norm for z.
    """
    chosen = taken(study, settings)
    require_people(study, arm, chosen)
    inside = {study.person[row] for row in chosen.rows}
    normals = [
        row
        for row, name in enumerate(study.diagnosis)
        if name == Diagnosis.CN.value and study.person[row] not in inside
    ]
    return Task(
        study=study,
        arm=arm,
        settings=settings,
        z_step=z_step,
        taken=chosen,
        hierarchical=is_hierarchical(study, chosen, settings),
        normals=np.array(normals, dtype=np.intp),
    )


def learn(what: Task, places: NDArray[np.intp], *seed: str | int) -> Learned:
    """Fit every model of the settings.

    Args:
        what: study, classes, settings.
        places: (n,) training rows, as places in ``what.taken.rows``.
        *seed: names of what the inner folds and first weights are for.

    Raises:
        ModelError: a class has fewer people than inner folds.
    """
    rows, truth = what.taken.rows[places], what.taken.truth[places]
    people = [what.study.person[row] for row in rows]
    missing = [name for k, name in enumerate(what.taken.classes) if not (truth == k).any()]
    if missing:
        raise ModelError(f"Nobody in the training rows has {missing[0]}.")
    fold = deal(truth, people, what.settings.inner_folds, what.settings.seed, "inner", *seed)
    inner, held_out = _inner(what, rows, truth, fold)
    made, inputs, notes = _fit_preparation(what, rows, truth)
    fits = {
        model: _fit(what, model, inner, inputs, truth, (what.settings.seed, model, *seed))
        for model in what.settings.models
    }
    return Learned(made, inputs, held_out, fits, notes)


def _inner(
    what: Task, rows: NDArray[np.intp], truth: NDArray[np.intp], fold: NDArray[np.intp]
) -> tuple[list[Inner], Array]:
    found, held_out = [], np.zeros(len(rows))
    for number in range(what.settings.inner_folds):
        out = np.flatnonzero(fold == number)
        kept = np.flatnonzero(fold != number)
        made, inputs, _ = _fit_preparation(what, rows[kept], truth[kept])
        others = prepare(made, what.study.taken(rows[out]))
        held_out[out] = distance(precision(inputs.values), others.values)
        found.append(Inner(inputs.values, kept, others.values, out))
    return found, held_out


def _fit_preparation(
    what: Task, rows: NDArray[np.intp], truth: NDArray[np.intp]
) -> tuple[Preparation, Inputs, tuple[str, ...]]:
    try:
        return fit_preparation(
            what.study,
            what.arm,
            rows=rows,
            truth=truth,
            normals=what.normals,
            settings=what.settings,
            z_step=what.z_step,
        )
    except TracerlessError as error:
        error.add_note(f"in {len(rows)} training rows of {len(what.taken.rows)}, folds apart")
        raise


def _fit(
    what: Task,
    model: str,
    inner: list[Inner],
    inputs: Inputs,
    truth: NDArray[np.intp],
    seed: tuple[str | int, ...],
) -> Fit:
    balanced = what.settings.class_weight == "balanced"
    found = [
        tune(model, inner, stage[truth], inputs.values, balanced=balanced, seed=(*seed, number))
        for number, stage in enumerate(what.stages)
    ]
    scorer, logs = found[0].scorer, found[0].log_probability
    if what.hierarchical:
        group, kind = steps(what.taken.classes)
        scorer = Hierarchy(found[0].scorer, found[1].scorer, group, kind)
        logs = models.joined(logs, found[1].log_probability, group, kind)
    plain = model == "prevalence"
    n_classes = len(what.taken.classes)
    calibration = uncalibrated(n_classes) if plain else fit_calibration(logs, truth)
    threshold = float("nan")
    if n_classes == 2:
        threshold = youden(truth == 1, calibrated(calibration, logs)[:, 1])
    return Fit(
        scorer, "; ".join(each.choice for each in found if each.choice), calibration, threshold
    )
