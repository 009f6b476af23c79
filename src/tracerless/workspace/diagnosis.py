"""Diagnosis models of a dataset: fitted on its scans and scores, and asked about them."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tracerless import diagnose
from tracerless.core.classifier import Classifier
from tracerless.core.decision import Decision
from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.steps import FittedZ
from tracerless.core.study import Arm, Study
from tracerless.diagnose.card import card
from tracerless.io import classifiers, kept
from tracerless.io.atomic import write_json, write_text
from tracerless.score.within import Within, within
from tracerless.workspace.dataset import CLASSIFIER, Dataset, find_kept
from tracerless.workspace.norms_scans import COGNITION
from tracerless.workspace.study import MAX_GAP_DAYS, NO_IMAGE, study

FILE = CLASSIFIER
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_STEPS: Mapping[str, type] = {"Within": Within}

MEANINGS: Mapping[str, str] = {
    "participant_id": "pseudonym",
    "session_id": "visit; n/a where scores alone were given",
    "contrast": "what the regions were measured in",
    "model": "name under models/",
    "likely": "classes of the set that holds the truth as often as level says, of each class; most "
    "probable first; n/a where the model abstains",
    "level": "share of such sets that hold the truth",
    "abstains": "why the model does not answer; n/a where it does",
    "notes": "what to know beside the answer",
    "contributions": "change in the log odds of the first likely class against the average person, "
    "by group of predictors",
    "in_training": "yes where the model learned from this person: its answer is no evidence then",
}
"""Columns of the table of predictions; besides them ``p_<class>``, calibrated."""


class Z:
    """Regions as z against the normal people of the training rows."""

    def fit(
        self, values: pd.DataFrame, people: pd.DataFrame, is_normal: NDArray[np.bool_]
    ) -> FittedZ:
        """A norm from the rows that ``is_normal`` names.

        Raises:
            DatasetError: fewer than ten of them are complete.
        """
        return within(values[is_normal], people[is_normal])


def fit(
    dataset: Dataset,
    *,
    contrast: str,
    arm: Arm,
    name: str,
    settings: diagnose.Settings,
    keep: str = "auto",
    max_gap_days: int = MAX_GAP_DAYS,
) -> tuple[Classifier, Path]:
    """Fit a classifier on a dataset and keep it with its card.

    Args:
        dataset: quantified.
        contrast: ``FDG``, ``ECD`` …; ``none`` for scores alone.
        arm: which predictors.
        name: of its folder under ``models/``.
        settings: models, folds, features, seed.
        keep: a model's name, or ``auto``.
        max_gap_days: between score and scan.

    Raises:
        ModelError: the name is no name, or the people do not suffice.
        DatasetError: nothing of that contrast was measured, or a covariate is known of nobody.
    """
    if not _NAME.match(name):
        raise ModelError(f"{name!r} cannot name a model.", hint="Use letters, digits, . _ and -.")
    found = study(dataset, contrast, max_gap_days=max_gap_days)
    with threadpool_limits(1):  # many threads on small matrices cost tenfold and change last bits
        made = diagnose.fit(found, arm, key=name, settings=settings, z_step=Z(), keep=keep)
    folder = dataset.models / name
    locked = classifiers.write(folder / FILE, made)
    write_text(folder / "README.md", card(made, locked))
    return made, folder / FILE


def predict(
    dataset: Dataset, classifier: Classifier, *, max_gap_days: int = MAX_GAP_DAYS
) -> tuple[tuple[Decision, ...], Path]:
    """Ask a classifier about every scan of a dataset; a table under ``derivatives``.

    Args:
        dataset: quantified.
        classifier: fitted here or elsewhere.
        max_gap_days: between score and scan.

    Raises:
        RecipeMismatchError: the scans were measured in another way than those it learned from.
        DatasetError: nothing of its contrast was measured.
    """
    contrast = classifier.measured.contrast
    found = study(
        dataset, NO_IMAGE if contrast == COGNITION else contrast, max_gap_days=max_gap_days
    )
    mismatch = classifier.mismatch(found.measured)
    if mismatch:
        raise RecipeMismatchError(
            mismatch, hint="Prepare and quantify both alike, or fit a model here."
        )
    decisions = diagnose.decide(classifier, found)
    path = dataset.derivatives / f"diagnosis-{classifier.key}_predictions.tsv"
    table = _table(classifier, found, decisions)
    classes = {f"p_{name}": f"calibrated probability of {name}" for name in classifier.classes}
    meanings = {name: {**MEANINGS, **classes}[name] for name in table.columns}
    write_json(path.with_suffix(".json"), meanings)
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
    return decisions, path


def find(dataset: Dataset, name: str | None) -> Classifier:
    """A classifier by name, by path, or the only one.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    path = find_kept(
        dataset,
        name,
        FILE,
        what="classifier",
        option="--model",
        make="Fit one with `tracerless diagnose fit`.",
    )
    return classifiers.read(path, _STEPS)


def locked_hash(classifier: Classifier) -> str:
    """16 hex digits over everything that the classifier is."""
    return kept.digest(classifier)


def is_known(classifier: Classifier, person: str) -> bool:
    """Whether the classifier learned from that person."""
    return person_digest(Pseudonym(person)) in classifier.people


def _table(classifier: Classifier, found: Study, decisions: Sequence[Decision]) -> pd.DataFrame:
    rows = [
        {
            "participant_id": f"sub-{decision.person}",
            "session_id": f"ses-{decision.visit}" if decision.visit else None,
            "contrast": found.measured.contrast,
            "model": classifier.key,
            **{f"p_{name}": decision.probability.get(name) for name in classifier.classes},
            "likely": " ".join(decision.likely) or None,
            "level": decision.level,
            "abstains": decision.abstains or None,
            "notes": " ".join(decision.notes) or None,
            "contributions": _told(decision.contributions),
            "in_training": "yes" if is_known(classifier, decision.person) else "no",
        }
        for decision in decisions
    ]
    return pd.DataFrame(rows)


def _told(contributions: Mapping[str, float]) -> str | None:
    if not contributions:
        return None
    return json.dumps({name: round(each, 4) for name, each in contributions.items()})
