"""A classifier from a study: judged out of fold first, then fitted on everybody."""

from typing import Any

import numpy as np

from tracerless import __version__
from tracerless.core.classifier import Classifier
from tracerless.core.errors import ModelError, did_you_mean
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.steps import ZStep
from tracerless.core.study import Arm, Study
from tracerless.diagnose import conformal, explain
from tracerless.diagnose.choose import losses, simplest
from tracerless.diagnose.learn import Learned, Task, learn, task
from tracerless.diagnose.nested import OutOfFold, nested
from tracerless.diagnose.reach import fit_reach
from tracerless.diagnose.settings import Settings

AUTO = "auto"


def fit(
    study: Study,
    arm: Arm,
    *,
    key: str,
    settings: Settings,
    z_step: ZStep | None = None,
    keep: str = AUTO,
) -> Classifier:
    """Fit every model of the settings, keep one.

    Sets and importance come from people held out; the weights from everybody.

    Args:
        study: scans, scores, labels.
        arm: which predictors.
        key: name of the classifier.
        settings: models, folds, features, seed.
        z_step: makes the norm; needed for regions as z.
        keep: a model's name, or ``auto``: the simplest within one standard error of the best.

    Raises:
        ModelError: too few people, classes or predictors, or an unknown model.
        DatasetError: a covariate is known of nobody, or too few normal people for z.
    """
    if keep != AUTO and keep not in settings.models:
        raise ModelError(f"No model {keep!r}.", hint=did_you_mean(keep, settings.models))
    outs = nested(study, arm, settings=settings, z_step=z_step)
    chosen = simplest(outs, study.person) if keep == AUTO else keep
    out = next(each for each in outs if each.model == chosen)
    what = task(study, arm, settings, z_step)
    learned = learn(what, np.arange(len(what.taken.rows)), "everybody")
    return _classifier(what, learned, key=key, out=out, facts=_facts(what, learned, outs, chosen))


def _classifier(
    what: Task, learned: Learned, *, key: str, out: OutOfFold, facts: dict[str, Any]
) -> Classifier:
    study, found = what.study, learned.fits[out.model]
    kinds = {each.key: each for each in study.predictors}
    importance = out.importance.reshape(-1, len(out.groups))
    flat = out.probability.reshape(-1, len(out.classes))
    people = {study.person[row] for row in (*what.taken.rows, *_norm_rows(what))}
    return Classifier(
        key=key,
        model=out.model,
        arm=what.arm,
        classes=out.classes,
        measured=study.measured,
        features=what.settings.features,
        predictors=tuple(kinds[name] for name in learned.made.keys),
        preparation=learned.made,
        scorer=found.scorer,
        calibration=found.calibration,
        level=what.settings.level,
        conformal=conformal.scores(flat, np.tile(out.truth, len(out.probability))),
        reach=fit_reach(
            found.scorer,
            learned.inputs,
            study.people.iloc[what.taken.rows],
            made=learned.made,
            held_out=learned.held_out,
            max_missing=what.settings.max_missing,
        ),
        groups=out.groups,
        importance=importance,
        stability=explain.stability(importance),
        facts=facts,
        people=tuple(sorted(person_digest(Pseudonym(person)) for person in people)),
    )


def _norm_rows(what: Task) -> tuple[int, ...]:
    return tuple(int(row) for row in what.normals) if what.settings.features == "z" else ()


def _facts(
    what: Task, learned: Learned, outs: tuple[OutOfFold, ...], chosen: str
) -> dict[str, Any]:
    """Plain values of the training, as JSON keeps them."""
    study, taken, settings = what.study, what.taken, what.settings
    persons = [study.person[row] for row in taken.rows]
    per_class = {
        name: len({persons[place] for place in np.flatnonzero(taken.truth == number)})
        for number, name in enumerate(taken.classes)
    }
    n_inputs = len(learned.made.scaler.names)
    models = {}
    for out in outs:
        loss = losses(out, study.person)
        models[out.model] = {
            "log_loss": float(loss.mean()),
            "standard_error": float(loss.std(ddof=1) / np.sqrt(len(loss))),
            "tuned": learned.fits[out.model].choice,
        }
    notes = dict.fromkeys((*outs[0].notes, *learned.notes, *study.left_out))
    return {
        "n": len(taken.rows),
        "n_people": len(set(persons)),
        "counts": per_class,
        "n_inputs": n_inputs,
        "people_per_parameter": min(per_class.values()) / (n_inputs + 1),
        "scanners": tuple(sorted({study.scanner[row] for row in taken.rows} - {""})),
        "settings": {name: getattr(settings, name) for name in settings.__slots__},
        "models": models,
        "chosen": chosen,
        "simplest": simplest(outs, study.person),
        "hierarchical": what.hierarchical,
        "harmonized": learned.made.harmonizer is not None,
        "slope_of_calibration": learned.fits[chosen].calibration.slope,
        "threshold": _number(learned.fits[chosen].threshold),
        "notes": tuple(notes),
        "version": __version__,
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
