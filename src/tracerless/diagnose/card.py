"""What a classifier says of itself."""

import numpy as np

from tracerless.core.classifier import Classifier
from tracerless.core.study import Arm

FEW_PER_PARAMETER = 10
"""Fewer people of the smallest class for each parameter are said to be few."""


def card(classifier: Classifier, locked: str = "") -> str:
    """A page in Markdown: what it was learned from, how it was chosen, whom it does not answer.

    Args:
        classifier: fitted.
        locked: its hash; empty before it is kept.
    """
    facts, measured = classifier.facts, classifier.measured
    counts = ", ".join(f"{name} {n}" for name, n in facts["counts"].items())
    lines = [
        f"# Classifier {classifier.key}",
        "",
        *(_SIMULATED if measured.domain.endswith("simulated") else []),
        *(_LEAKY if classifier.arm is Arm.LEAKY else []),
        f"- Tells apart: {', '.join(classifier.classes)}"
        + (" (first whether there is dementia, then of which kind)" if _two(classifier) else ""),
        f"- Learned from: {facts['n_people']} people ({counts}), {facts['n']} scans",
        f"- Sees: {classifier.arm}; {len(classifier.predictors)} predictors, regions as "
        f"{classifier.features}" + _of(classifier),
        f"- {_per_parameter(classifier)}",
        f"- Class weights: {facts['settings']['class_weight']}; probabilities hold at the "
        "prevalence it learned from",
        f"- Scanners: {', '.join(facts['scanners']) or 'unknown'}"
        + (", taken out" if facts["harmonized"] else ""),
        f"- {_reach(classifier)}",
        f"- Sets hold the truth in {classifier.level:.0%} of each class",
        f"- Fold seed: {facts['settings']['seed']}; tracerless {facts['version']}"
        + (f"; locked as {locked}" if locked else ""),
        "",
        *_models(classifier),
        "",
        *_importance(classifier),
        *[f"- {note}" for note in facts["notes"]],
    ]
    return "\n".join([*lines, "", "Research use only; not a medical device.", ""])


def _two(classifier: Classifier) -> bool:
    return bool(classifier.facts["hierarchical"])


def _of(classifier: Classifier) -> str:
    measured = classifier.measured
    if not classifier.preparation.regions:
        return ""
    return (
        f" of {measured.contrast}, atlas {measured.atlas}, ratio to {measured.reference}, domain "
        f"{measured.domain}, fingerprint {measured.fingerprint}"
    )


def _per_parameter(classifier: Classifier) -> str:
    share = float(classifier.facts["people_per_parameter"])
    said = f"{share:.1f} people of the smallest class for each parameter"
    return f"{said}: few, the penalty carries the model" if share < FEW_PER_PARAMETER else said


def _reach(classifier: Classifier) -> str:
    reach = classifier.reach
    hull = [f"{name} {reach.low[name]:g}-{reach.high[name]:g}" for name in reach.low]
    return (
        f"Abstains beyond {', '.join(hull) or 'nobody'}, where more than {reach.max_missing:.0%} "
        "of its weight is missing, and on people farther out than one in a hundred in training"
    )


def _models(classifier: Classifier) -> list[str]:
    rows = [
        f"| {name} | {each['log_loss']:.3f} ± {1.96 * each['standard_error']:.3f} | "
        f"{each['tuned'] or 'nothing'} |"
        for name, each in classifier.facts["models"].items()
    ]
    kept = f"Kept: {classifier.model}, " + (
        "the simplest within one standard error of the best."
        if _is_simplest(classifier)
        else "as asked."
    )
    head = ["| model | log loss, held-out people | tuned |", "| --- | --- | --- |"]
    return [*head, *rows, "", kept]


def _is_simplest(classifier: Classifier) -> bool:
    return str(classifier.facts["simplest"]) == classifier.model


def _importance(classifier: Classifier) -> list[str]:
    mean = np.nanmean(classifier.importance, axis=0)
    order = np.argsort(-mean, kind="stable")
    named = [f"{classifier.groups[place]} {mean[place]:+.3f}" for place in order]
    stable = classifier.stability
    said = "nothing to compare" if np.isnan(stable) else f"{stable:.2f}"
    return [
        f"- Goes by (rise of the log loss when shuffled): {', '.join(named)}; rank correlation "
        f"between folds {said}"
    ]


_SIMULATED = ["**Learned from simulated people. It says nothing about real ones.**", ""]
_LEAKY = ["**Sees scores that make the diagnosis: an upper bound, never a result.**", ""]
