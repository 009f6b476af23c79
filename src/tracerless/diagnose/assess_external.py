"""A locked model on people it never saw: as it is, and recalibrated, told apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless import __version__
from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.classifier import Classifier
from tracerless.core.decision import Decision
from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.study import Study
from tracerless.diagnose import assess_curves as curves
from tracerless.diagnose.assess import N_DRAWS, usual_prevalences
from tracerless.diagnose.assess_judged import Judged, smallest
from tracerless.diagnose.assess_measures import SMALL, performance
from tracerless.diagnose.decide import decide, probabilities
from tracerless.diagnose.folds import deal
from tracerless.diagnose.settings import MIN_PEOPLE
from tracerless.diagnose.subgroups import groups, missingness, subgroups
from tracerless.statistics.calibration_update import in_the_large, rescaled, updated
from tracerless.statistics.resampling import Array, resample, wilson

LARGE = "recalibrated in the large"
FULL = "recalibrated"
ANSWERED = "answered only"
"""What stands after a model's name when its probabilities were changed, or rows left out."""
_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Rows of a study whose diagnosis the model knows."""

    rows: NDArray[np.intp]
    truth: NDArray[np.intp]
    person: tuple[str, ...]
    probability: Array
    decisions: tuple[Decision, ...]


def external(
    key: str,
    classifier: Classifier,
    study: Study,
    *,
    locked: str,
    prevalences: Mapping[str, float] | None = None,
) -> Assessment:
    """Judge a classifier on another study.

    Args:
        key: name of the evaluation.
        classifier: locked; nothing of it is fitted again.
        study: people it never saw.
        locked: its hash.
        prevalences: of being positive, by where.

    Returns:
        The model as it is; with new intercepts (in the large) and with a new slope too, both
        fitted on other people of this study than those they are judged on; and on the rows that
        it answers alone.

    Raises:
        RecipeMismatchError: the study was measured in another way.
        ModelError: it learned from somebody of the study, or a class has fewer than ten people.
    """
    _require_apart(classifier, study)
    held = _held(classifier, study)
    threshold, rule = _threshold(classifier)
    every = _versions(classifier, held, threshold)
    drawn = resample(
        held.person, seed=("external", classifier.key), n_draws=N_DRAWS, strata=held.truth
    )
    measured, beside = performance(every, drawn)
    tables = {
        "performance": pd.concat([measured, _answered(every[0], held)], ignore_index=True),
        "confusion": curves.confusion(every[:1]),
        "roc": curves.roc(every[:1]),
        "calibration": curves.calibration_table(every),
        "decision_curve": curves.decision_curve(every),
        "predictive_values": curves.predictive_values(
            every[0], {**usual_prevalences(every[0]), **(prevalences or {})}
        ),
        "subgroups": subgroups(every[0], groups(study, held.rows)),
        "missingness": missingness(study, held.rows, held.truth, classifier.classes),
        "sets": _sets(classifier, held),
    }
    facts = {
        **_facts(classifier, study, held),
        "hash": locked,
        "threshold": threshold,
        "threshold_rule": rule,
        "auc_bootstrap": beside.to_dict("records"),
        "headline": _headline(tables["performance"], classifier, len(set(held.person))),
    }
    present = {name: table for name, table in tables.items() if len(table)}
    return Assessment(key, "diagnosis", facts, present, tuple(_notes(held)))


def _require_apart(classifier: Classifier, study: Study) -> None:
    mismatch = classifier.mismatch(study.measured)
    if mismatch:
        raise RecipeMismatchError(
            mismatch, hint="Prepare and quantify both alike, or fit a model here."
        )
    known = set(classifier.people)
    seen = {who for who in study.person if person_digest(Pseudonym(who)) in known}
    if seen:
        raise ModelError(
            f"{classifier.key} learned from {len(seen)} of the {len(set(study.person))} people.",
            hint="Evaluate it on a dataset of other people.",
        )


def _held(classifier: Classifier, study: Study) -> _Held:
    place = {name: number for number, name in enumerate(classifier.classes)}
    label = np.array([place.get(name, -1) for name in study.diagnosis], dtype=np.intp)
    rows = np.flatnonzero(label >= 0)
    for number, name in enumerate(classifier.classes):
        n = len({study.person[row] for row in rows[label[rows] == number]})
        if n < MIN_PEOPLE:
            raise ModelError(
                f"Class {name} has {n} people here; {MIN_PEOPLE} are needed.",
                hint="Evaluate on a dataset with people of every class of the model.",
            )
    part = study.taken(rows)
    return _Held(
        rows, label[rows], part.person, probabilities(classifier, part), decide(classifier, part)
    )


def _threshold(classifier: Classifier) -> tuple[float | None, str]:
    if len(classifier.classes) > 2:
        return None, "the most probable class"
    kept = classifier.facts.get("threshold")
    if isinstance(kept, int | float) and np.isfinite(kept):
        return float(kept), "kept with the model: chosen on its own held-out rows"
    return 0.5, "one half, since the model keeps none"


def _judged(
    classifier: Classifier, held: _Held, probability: Array, words: str, threshold: float | None
) -> Judged:
    called = (
        probability.argmax(axis=1)
        if threshold is None
        else (held.probability[:, 1] >= threshold).astype(np.intp)  # of the scale it was chosen on
    )
    return Judged(
        classifier.arm.value,
        f"{classifier.model}, {words}" if words else classifier.model,
        classifier.classes,
        held.truth,
        probability[None],
        called[None],
        held.person,
        float("nan") if threshold is None else threshold,
    )


def _versions(classifier: Classifier, held: _Held, threshold: float | None) -> list[Judged]:
    """As it is, in the large, and with slope; the latter two fitted on other people."""
    fold = deal(held.truth, held.person, _FOLDS, "recalibration", classifier.key)
    large, full = held.probability.copy(), held.probability.copy()
    for number in range(_FOLDS):
        out, rest = fold == number, fold != number
        truth, told = held.truth[rest], held.probability[rest]
        large[out] = updated(held.probability[out], in_the_large(truth, told))
        slope, offsets = rescaled(truth, told)
        full[out] = updated(held.probability[out], offsets, slope=slope)
    return [
        _judged(classifier, held, probability, words, threshold)
        for probability, words in ((held.probability, ""), (large, LARGE), (full, FULL))
    ]


def _answered(one: Judged, held: _Held) -> pd.DataFrame:
    """Performance on the rows that the model answers; nothing where it answers all or too few."""
    answers = np.array([not each.abstains for each in held.decisions])
    part = one.taken(answers)
    if answers.all() or len(part.truth) == 0 or smallest(part) < MIN_PEOPLE:
        return pd.DataFrame(columns=list(TABLES["performance"]))
    drawn = resample(part.person, seed=("answered",), n_draws=N_DRAWS, strata=part.truth)
    table, _ = performance([part], drawn)
    return table.assign(model=f"{one.model}, {ANSWERED}")


def _sets(classifier: Classifier, held: _Held) -> pd.DataFrame:
    """Table ``sets``; coverage among the rows that the model answers."""
    rows = []
    for number, name in enumerate(classifier.classes):
        own = [
            decision
            for decision, truth in zip(held.decisions, held.truth, strict=True)
            if truth == number
        ]
        said = [set(decision.likely) for decision in own if not decision.abstains]
        share = wilson(sum(name in each for each in said), len(said))
        sizes = np.array([len(each) for each in said], dtype=np.float64)
        mean = float(sizes.mean()) if said else float("nan")
        single = float((sizes == 1).mean()) if said else float("nan")
        rows.append((name, len(own), *share, mean, single, 1 - len(said) / len(own)))
    return pd.DataFrame(rows, columns=list(TABLES["sets"]))


def _facts(classifier: Classifier, study: Study, held: _Held) -> dict[str, Any]:
    measured = study.measured
    scanners = pd.Series(study.scanner).replace("", "unknown").value_counts()
    return {
        "version": __version__,
        "validation": "external",
        "external_of": classifier.key,
        "recalibration": "intercepts, or intercepts and slope, fitted on four fifths of the people "
        "and judged on the rest",
        "n": len(held.rows),
        "n_people": len(set(held.person)),
        "classes": {
            name: int((held.truth == number).sum())
            for number, name in enumerate(classifier.classes)
        },
        "positive": list(classifier.classes[1:]),
        **{
            name: getattr(measured, name)
            for name in ("contrast", "domain", "atlas", "reference", "fingerprint")
        },
        "features": classifier.features,
        "main_model": classifier.model,
        "main_arm": classifier.arm.value,
        "arms": [classifier.arm.value],
        "models": [classifier.model],
        "level": classifier.level,
        "scanners": {str(name): int(n) for name, n in scanners.items()},
        "n_bootstrap": N_DRAWS,
        "trained_on": classifier.facts.get("n_people"),
        "left_out": list(study.left_out),
    }


def _headline(table: pd.DataFrame, classifier: Classifier, n_people: int) -> str:
    own = table[table["model"] == classifier.model].set_index("metric")
    said = {name: (float(own["low"][name]), float(own["high"][name])) for name in ("auc", "slope")}
    return (
        f"{classifier.key} on {n_people} people it never saw: AUC {said['auc'][0]:.2f} to "
        f"{said['auc'][1]:.2f}, calibration slope {said['slope'][0]:.2f} to "
        f"{said['slope'][1]:.2f} as it is (95 % intervals)."
    )


def _notes(held: _Held) -> list[str]:
    n, refused = len(set(held.person)), [each for each in held.decisions if each.abstains]
    notes = [
        "The model is locked: nothing of it was fitted here. Recalibrated lines are a second model."
    ]
    if n < SMALL:
        notes.append(f"{n} people: read intervals, not middles.")
    if refused:
        notes.append(
            f"It abstains on {len(refused)} of {len(held.rows)} scans; these count in every line "
            f"but the one on what it answers. First reason: {refused[0].abstains}"
        )
    return notes
