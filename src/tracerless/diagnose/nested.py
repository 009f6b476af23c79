"""Nested, repeated cross-validation by person: every number comes from people held out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.steps import Array, ZStep
from tracerless.core.study import Arm, Study
from tracerless.diagnose import explain, models
from tracerless.diagnose.calibrate import calibrated
from tracerless.diagnose.folds import deal, require_apart
from tracerless.diagnose.learn import Learned, Task, learn, task
from tracerless.diagnose.prepare import prepare
from tracerless.diagnose.reach import beyond, fit_reach
from tracerless.diagnose.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What one model said of people whom it had not seen.

    Args:
        arm: which predictors it saw.
        model: of ``settings.MODELS``.
        classes: in the order of ``Diagnosis``.
        rows: (n,) of the study.
        truth: (n,) index into ``classes``.
        probability: (repeats, n, c) calibrated on rows held out within the training folds; NaN
            where a row was never held out.
        fold: (repeats, n) in which a row was held out; -1 = never.
        threshold: (repeats, folds) on the probability of the second of two classes, chosen within
            the training folds; NaN with more classes.
        beyond: (repeats, n) whether the fold's model would have abstained.
        groups: lobes, cognitive domains, demographics.
        kinds: of each group: ``person``, ``region`` or ``test``.
        importance: (repeats, folds, groups) rise of the log loss of held-out rows when a group is
            shuffled among them.
        notes: in sentences.
        choices: (repeats x folds) what was tuned, in words.
    """

    arm: Arm
    model: str
    classes: tuple[str, ...]
    rows: NDArray[np.intp]
    truth: NDArray[np.intp]
    probability: Array
    fold: NDArray[np.intp]
    threshold: Array
    beyond: NDArray[np.bool_]
    groups: tuple[str, ...]
    kinds: tuple[str, ...]
    importance: Array
    notes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


def nested(
    study: Study,
    arm: Arm,
    *,
    settings: Settings,
    z_step: ZStep | None = None,
    fold: NDArray[np.intp] | None = None,
) -> tuple[OutOfFold, ...]:
    """Every model of the settings, on the same folds.

    Args:
        study: scans, scores, labels.
        arm: which predictors.
        settings: models, folds, features, seed.
        z_step: makes the norm within each fold; needed for regions as z.
        fold: (repeats, rows of the study) folds of your own; -1 = only learned from. A single
            split is 0 for the test rows; leaving scanners out is the number of the scanner.

    Raises:
        ModelError: too few people, classes or predictors; folds that a person straddles.
        DatasetError: a covariate is known of nobody, or too few normal people for z.
    """
    what = task(study, arm, settings, z_step)
    dealt = _dealt(what, fold)
    record = _Record(what, dealt)
    for repeat, own in enumerate(dealt):
        for number in np.unique(own[own >= 0]):
            kept, out = np.flatnonzero(own != number), np.flatnonzero(own == number)
            learned = learn(what, kept, repeat, int(number))
            record.add(learned, repeat, number=int(number), kept=kept, out=out)
    return tuple(record.of(model) for model in settings.models)


def _dealt(what: Task, fold: NDArray[np.intp] | None) -> NDArray[np.intp]:
    people = [what.study.person[row] for row in what.taken.rows]
    if fold is None:
        return np.array(
            [
                deal(
                    what.taken.truth,
                    people,
                    what.settings.folds,
                    what.settings.seed,
                    "outer",
                    repeat,
                )
                for repeat in range(what.settings.repeats)
            ]
        )
    given = np.atleast_2d(np.asarray(fold, dtype=np.intp))
    if given.shape[1] != len(what.study):
        raise ModelError(f"Folds of {given.shape[1]} rows for a study of {len(what.study)}.")
    given = given[:, what.taken.rows]
    for own in given:
        require_apart(own, people)
        if (own < 0).all():
            raise ModelError("Nobody is held out.", hint="Give a fold number to the test rows.")
    return given


class _Record:
    """Collects what is said of held-out rows."""

    def __init__(self, what: Task, dealt: NDArray[np.intp]) -> None:
        self.what, self.dealt = what, dealt
        self.groups, self.kinds = explain.groups(what.study, what.arm)
        (repeats, n), folds = dealt.shape, int(dealt.max()) + 1
        n_classes = len(what.taken.classes)
        names = what.settings.models
        self.probability = {name: np.full((repeats, n, n_classes), np.nan) for name in names}
        self.threshold = {name: np.full((repeats, folds), np.nan) for name in names}
        self.beyond = {name: np.zeros((repeats, n), dtype=np.bool_) for name in names}
        sizes = (repeats, folds, len(self.groups))
        self.importance = {name: np.full(sizes, np.nan) for name in names}
        self.choices: dict[str, list[str]] = {name: [] for name in names}
        self.notes: dict[str, None] = dict.fromkeys(what.taken.notes)

    def add(
        self,
        learned: Learned,
        repeat: int,
        *,
        number: int,
        kept: NDArray[np.intp],
        out: NDArray[np.intp],
    ) -> None:
        """One outer fold."""
        what = self.what
        held_out = what.study.taken(what.taken.rows[out])
        training = what.study.people.iloc[what.taken.rows[kept]]
        inputs = prepare(learned.made, held_out)
        places = explain.columns(learned.made, what.study, self.groups)
        for name, fit in learned.fits.items():
            logs = models.log_probability(fit.scorer, inputs.values)
            self.probability[name][repeat, out] = calibrated(fit.calibration, logs)
            self.threshold[name][repeat, number] = fit.threshold
            self.choices[name].append(fit.choice)
            reach = fit_reach(
                fit.scorer,
                learned.inputs,
                training,
                made=learned.made,
                held_out=learned.held_out,
                max_missing=what.settings.max_missing,
            )
            reasons = beyond(reach, inputs, held_out.people)
            self.beyond[name][repeat, out] = [bool(reason) for reason in reasons]
            self.importance[name][repeat, number] = explain.importance(
                fit.scorer,
                fit.calibration,
                inputs.values,
                what.taken.truth[out],
                places=places,
                seed=(what.settings.seed, repeat, number),
            )
        self.notes.update(dict.fromkeys(learned.notes))

    def of(self, model: str) -> OutOfFold:
        """The finished record of one model."""
        what = self.what
        return OutOfFold(
            arm=what.arm,
            model=model,
            classes=what.taken.classes,
            rows=what.taken.rows,
            truth=what.taken.truth,
            probability=self.probability[model],
            fold=self.dealt,
            threshold=self.threshold[model],
            beyond=self.beyond[model],
            groups=self.groups,
            kinds=self.kinds,
            importance=self.importance[model],
            notes=tuple(self.notes),
            choices=tuple(self.choices[model]),
        )
