"""`tracerless diagnose fit` and `predict`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, show
from tracerless.cli.sessions import dataset_argument

if TYPE_CHECKING:
    from tracerless.core.classifier import Classifier
    from tracerless.core.decision import Decision

ARMS = ("demographics", "image", "cognition", "image+cognition", "leaky")


@click.command("fit")
@dataset_argument
@click.option("--of", "contrast", default="FDG", show_default=True, help="FDG, ECD …, or none.")
@click.option(
    "--arm",
    type=click.Choice(ARMS),
    default="image+cognition",
    show_default=True,
    help="What the model sees.",
)
@click.option("--name", help="Folder under models/; default classifier-<contrast>.")
@click.option(
    "--class", "classes", multiple=True, help="CN, MCI, AD …; default all with 10 people."
)
@click.option(
    "--model",
    "keep",
    type=click.Choice(["auto", "prevalence", "elastic_net", "mlp"]),
    default="auto",
    show_default=True,
    help="Which of the models to keep; auto: the simplest within one standard error of the best.",
)
@click.option(
    "--features",
    type=click.Choice(["z", "ratio"]),
    default="z",
    show_default=True,
    help="Regions against the controls of each fold, or as they are.",
)
@click.option("--balanced", is_flag=True, help="Let each class weigh the same while fitting.")
@click.option("--no-harmonize", is_flag=True, help="Leave in what scanners add to regions.")
@click.option("--seed", default="1", show_default=True, help="Of folds and first weights.")
@json_option
def fit(dataset: Path, *, as_json: bool, **chosen: Any) -> None:
    """Fit models of diagnosis side by side on held-out people, keep one with its card.

    Example: tracerless diagnose fit my-dataset --of ECD --class CN --class AD
    """
    from tracerless import diagnose
    from tracerless.core.study import Arm
    from tracerless.workspace import diagnosis
    from tracerless.workspace.dataset import Dataset

    settings = diagnose.Settings(
        classes=tuple(chosen["classes"]),
        features=chosen["features"],
        class_weight="balanced" if chosen["balanced"] else "none",
        harmonize=not chosen["no_harmonize"],
        seed=chosen["seed"],
    )
    made, path = diagnosis.fit(
        Dataset.open(dataset),
        contrast=chosen["contrast"],
        arm=Arm(chosen["arm"]),
        name=chosen["name"] or f"classifier-{chosen['contrast']}",
        settings=settings,
        keep=chosen["keep"],
    )
    show(_facts(made, path), [*_lines(made), f"Kept: {path}"], as_json=as_json)


@click.command("predict")
@dataset_argument
@click.option("--model", "name", help="Name under models/, or a path; not needed with one.")
@json_option
def predict(dataset: Path, name: str | None, *, as_json: bool) -> None:
    """Ask a model about every scan: calibrated probabilities, a set, or why it abstains.

    Example: tracerless diagnose predict my-dataset --model classifier-ECD
    """
    from tracerless.workspace import diagnosis
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    classifier = diagnosis.find(opened, name)
    decisions, path = diagnosis.predict(opened, classifier)
    known = sum(diagnosis.is_known(classifier, each.person) for each in decisions)
    lines = [_line(each) for each in decisions]
    if known:
        lines.append(f"{known} of these scans are of people it learned from: no evidence.")
    lines += [_summary(decisions), f"Table: {path}"]
    result = {
        "model": classifier.key,
        "table": str(path),
        "n": len(decisions),
        "n_in_training": known,
        "n_abstained": sum(bool(each.abstains) for each in decisions),
        "decisions": [_plain(each) for each in decisions],
    }
    show(result, lines, as_json=as_json)


def _facts(made: "Classifier", path: Path) -> dict[str, Any]:
    from tracerless.workspace.diagnosis import locked_hash

    return {
        "name": made.key,
        "model": made.model,
        "arm": str(made.arm),
        "classes": list(made.classes),
        "features": made.features,
        "hash": locked_hash(made),
        "path": str(path),
        **made.facts,
    }


def _lines(made: "Classifier") -> list[str]:
    facts = made.facts
    counts = ", ".join(f"{name} {n}" for name, n in facts["counts"].items())
    models = [
        f"{name}: log loss {each['log_loss']:.3f} ± {1.96 * each['standard_error']:.3f} on "
        "held-out people"
        for name, each in facts["models"].items()
    ]
    why = (
        "the simplest within one standard error of the best"
        if facts["simplest"] == made.model
        else f"as asked; {facts['simplest']} is simpler and as good"
    )
    head = f"{made.key}: {', '.join(made.classes)} from {made.arm}; {counts}."
    return [head, *models, f"Chosen: {made.model}, {why}.", *facts["notes"]]


def _line(decision: "Decision") -> str:
    who = f"sub-{decision.person}" + (f"_ses-{decision.visit}" if decision.visit else "")
    if decision.abstains:
        return f"{who}: no answer. {decision.abstains}"
    told = ", ".join(f"{name} {p:.2f}" for name, p in decision.probability.items())
    return f"{who}: {' or '.join(decision.likely)} ({told})"


def _summary(decisions: "tuple[Decision, ...]") -> str:
    sizes = Counter(len(each.likely) for each in decisions if not each.abstains)
    abstained = sum(bool(each.abstains) for each in decisions)
    sets = ", ".join(f"{n} of size {size}" for size, n in sorted(sizes.items()))
    level = f"{decisions[0].level:.0%}" if decisions else ""
    return f"{len(decisions)} scans; {level} sets: {sets or 'none'}; {abstained} not answered."


def _plain(decision: "Decision") -> dict[str, Any]:
    return {
        "person": decision.person,
        "visit": decision.visit,
        "probability": dict(decision.probability),
        "likely": list(decision.likely),
        "level": decision.level,
        "abstains": decision.abstains,
        "notes": list(decision.notes),
        "contributions": dict(decision.contributions),
    }
