"""Classifiers as JSON (`io.kept`): which parts such a file may hold."""

from collections.abc import Mapping
from pathlib import Path

from tracerless.core import classifier, norm, steps, study
from tracerless.core.classifier import Classifier
from tracerless.core.errors import ModelError
from tracerless.io import kept

_PARTS: tuple[type, ...] = (
    classifier.Calibration, classifier.Classifier, classifier.Hierarchy, classifier.Linear,
    classifier.Mlp, classifier.Preparation, classifier.Prevalence, classifier.Reach,
    norm.Design, norm.Measured, norm.NormModel,
    steps.Harmonizer, steps.Imputer, steps.Scaler,
    study.Predictor,
)  # fmt: skip


def write(path: Path, made: Classifier) -> str:
    """Write a classifier; the hash that locks it comes back."""
    return kept.write(path, made)


def read(path: Path, steps_above: Mapping[str, type] | None = None) -> Classifier:
    """The classifier in that file.

    Args:
        path: of the file.
        steps_above: classes of parts that live above this floor, by name (the norm as a step).

    Raises:
        ModelError: absent, damaged, changed after it was locked, or something else.
    """
    kinds = {part.__name__: part for part in _PARTS} | dict(steps_above or {})
    made = kept.read(path, kinds)
    if not isinstance(made, Classifier):
        raise ModelError(f"{path.name} holds no classifier.", hint="Name a folder under models/.")
    return made
