"""A locked diagnosis model, evaluated on a dataset of other people."""

from collections.abc import Mapping
from pathlib import Path

from threadpoolctl import threadpool_limits

from tracerless.core.assessment import Assessment
from tracerless.diagnose.assess_external import external
from tracerless.io import assessments
from tracerless.workspace import diagnosis
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.diagnosis_evaluation import folder_of, require_name
from tracerless.workspace.norms_scans import COGNITION
from tracerless.workspace.study import MAX_GAP_DAYS, NO_IMAGE, study


def evaluate(
    dataset: Dataset,
    model: str,
    *,
    key: str | None = None,
    prevalences: Mapping[str, float] | None = None,
    max_gap_days: int = MAX_GAP_DAYS,
) -> tuple[Assessment, Path]:
    """Judge a classifier on this dataset as it is, and recalibrated; write the evaluation.

    Args:
        dataset: quantified; of people that the model never saw.
        model: path of the classifier or its folder, or its name in this dataset.
        key: of the evaluation; default ``external-<name of the model>``.
        prevalences: of being positive, by where.
        max_gap_days: between score and scan.

    Raises:
        ModelError: the model learned from somebody here, or a class has fewer than ten people.
        RecipeMismatchError: the dataset was measured in another way.
    """
    classifier = diagnosis.find(dataset, model)
    name = key or f"external-{classifier.key}"
    require_name(name)
    contrast = classifier.measured.contrast
    found = study(
        dataset, NO_IMAGE if contrast == COGNITION else contrast, max_gap_days=max_gap_days
    )
    locked = diagnosis.locked_hash(classifier)
    with threadpool_limits(limits=1):
        made = external(name, classifier, found, locked=locked, prevalences=prevalences)
    folder = folder_of(dataset, name)
    assessments.write(folder, made)
    return made, folder
