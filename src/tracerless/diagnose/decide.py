"""What a classifier says of scans, and when it does not answer."""

import numpy as np
from numpy.typing import NDArray

from tracerless.core.classifier import Classifier
from tracerless.core.decision import Decision
from tracerless.core.steps import Array
from tracerless.core.study import Study
from tracerless.diagnose import conformal, explain, models
from tracerless.diagnose.calibrate import calibrated
from tracerless.diagnose.prepare import Inputs, prepare
from tracerless.diagnose.reach import beyond


def probabilities(classifier: Classifier, study: Study) -> Array:
    """(n, c) calibrated, of every row, whether or not the classifier should answer."""
    inputs = prepare(classifier.preparation, study)
    logs = models.log_probability(classifier.scorer, inputs.values)
    return calibrated(classifier.calibration, logs)


def decide(classifier: Classifier, study: Study) -> tuple[Decision, ...]:
    """One decision for each row of the study, in order.

    A classifier abstains, with the reason, where the scan was measured in another way, where too
    much is missing, and where the person is unlike those it learned from.
    """
    mismatch = classifier.mismatch(study.measured)
    if mismatch:
        return tuple(_abstains(classifier, study, row, mismatch) for row in range(len(study)))
    inputs = prepare(classifier.preparation, study)
    logs = models.log_probability(classifier.scorer, inputs.values)
    probability = calibrated(classifier.calibration, logs)
    cut = conformal.cuts(classifier.conformal, classifier.level)
    members = conformal.sets(probability, cut)
    reasons = beyond(classifier.reach, inputs, study.people)
    return tuple(
        _abstains(classifier, study, row, reason)
        if reason
        else _decision(
            classifier,
            study,
            row,
            inputs=inputs,
            probability=probability[row],
            likely=np.flatnonzero(members[row]),
            is_forced=bool((1 - probability[row] > cut).all()),
        )
        for row, reason in enumerate(reasons)
    )


def _decision(
    classifier: Classifier,
    study: Study,
    row: int,
    *,
    inputs: Inputs,
    probability: Array,
    likely: NDArray[np.intp],
    is_forced: bool,
) -> Decision:
    order = sorted(likely, key=lambda number: -probability[number])
    group = {each.key: each.group for each in classifier.predictors}
    places = explain.of_groups(classifier.preparation, group, classifier.groups)
    gains = explain.contributions(
        classifier.scorer,
        classifier.calibration,
        inputs.values[row],
        int(order[0]),
        places=places,
        seed=(classifier.key,),
    )
    return Decision(
        model=classifier.key,
        person=study.person[row],
        visit=study.visit[row],
        probability=dict(zip(classifier.classes, map(float, probability), strict=True)),
        likely=tuple(classifier.classes[number] for number in order),
        level=classifier.level,
        notes=_notes(classifier, study, row, inputs=inputs, is_forced=is_forced),
        contributions=dict(zip(classifier.groups, map(float, gains), strict=True)),
    )


def _notes(
    classifier: Classifier, study: Study, row: int, *, inputs: Inputs, is_forced: bool
) -> tuple[str, ...]:
    notes = []
    scanner, harmonizer = study.scanner[row], classifier.preparation.harmonizer
    if harmonizer is not None and scanner not in harmonizer.scanners:
        notes.append(
            f"Scanner {scanner or 'unknown'!r} was not among those it learned from: what it adds "
            "to regions was not taken out."
        )
    missing = [
        key
        for key, hole in zip(classifier.preparation.keys, inputs.holes[row], strict=True)
        if hole
    ]
    if missing:
        named = ", ".join(missing[:4]) + (" …" if len(missing) > 4 else "")
        notes.append(f"{len(missing)} values were missing and replaced: {named}.")
    if is_forced:
        notes.append("No class is as probable as it usually is in its own people.")
    return tuple(notes)


def _abstains(classifier: Classifier, study: Study, row: int, reason: str) -> Decision:
    return Decision(
        model=classifier.key,
        person=study.person[row],
        visit=study.visit[row],
        probability={},
        likely=(),
        level=classifier.level,
        abstains=reason,
    )
