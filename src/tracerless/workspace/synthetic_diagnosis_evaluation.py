"""Diagnosis from a cross-fitted set as an evaluation of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tracerless import __version__
from tracerless.core.assessment import Assessment
from tracerless.io import assessments
from tracerless.workspace.cross_fit import CrossFit
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.section import Advance
from tracerless.workspace.synthetic_diagnosis import judge
from tracerless.workspace.synthetic_diagnosis_arms import CLASSIFIER
from tracerless.workspace.synthetic_diagnosis_visits import Visit, visits_of
from tracerless.workspace.tables import EVALUATION
from tracerless.workspace.trial_open import trial

KEY = "{name}-crossfit-claims"
"""Of the evaluation; its folder starts with ``synthesis-``, as those of all synthesizers do."""


def evaluate_cross_fit(
    dataset: Dataset, made: CrossFit, *, margin: float, advance: Advance | None = None
) -> tuple[Assessment, Path]:
    """Judge every arm over everyone of a cross-fitted set, and write the evaluation.

    Args:
        dataset: that the set was fitted on.
        made: the set.
        margin: area that may be lost against acquired PET.
        advance: told (done, total, what).

    Returns:
        The evaluation and its folder, ``evaluation/synthesis-<name>-crossfit-claims``.

    Raises:
        ModelError: nobody was predicted, no task has people enough, or models of twins.
    """
    opened = trial(dataset, None, crossfit=made)
    opened.require_own()
    key = KEY.format(name=made.name)
    folder = dataset.derivatives / EVALUATION / f"synthesis-{key}"
    with threadpool_limits(limits=1):  # many small products: threads cost ten times the time
        visits, refused = visits_of(opened, advance)
        tables, notes = judge(
            visits,
            opened.atlas.regions,
            domain=opened.domain,
            refused=refused,
            knows_cognition=opened.checkpoint.marked_for_cognition,
            margin=margin,
            progress=advance,
        )
    facts = {
        **_facts(visits),
        "headline": " ".join(tables["claims"]["sentence_en"]),
        "headline_zh": "".join(tables["claims"]["sentence_zh"]),
        "marked_for_cognition": opened.checkpoint.marked_for_cognition,
        "domain": opened.domain,
        "margin": margin,
        "folds": made.n_folds,
    }
    found = Assessment(key, "synthesis", facts, tables, tuple(notes))
    assessments.write(folder, found)
    return found, folder


def _facts(visits: Sequence[Visit]) -> dict[str, Any]:
    diagnoses = [visit.facts.diagnosis or "unknown" for visit in visits]
    return {
        "version": __version__,
        "n": len(visits),
        "n_people": len({visit.key.person for visit in visits}),
        "classes": {name: diagnoses.count(name) for name in sorted(set(diagnoses))},
        "contrast": "synthFDG",
        "classifier": CLASSIFIER,
        "models": sorted({visit.maker for visit in visits}),
    }
