"""`tracerless diagnose evaluate`: every model on every arm, with every check."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, meter, show
from tracerless.cli.sessions import dataset_argument

if TYPE_CHECKING:
    from tracerless.core.assessment import Assessment


@click.command("evaluate")
@dataset_argument
@click.option(
    "--of", "contrast", default="FDG", show_default=True, help="FDG, ECD, … or none for scores."
)
@click.option("--key", help="Name of the evaluation; default the contrast, or the model's name.")
@click.option(
    "--class", "classes", multiple=True, help="CN, MCI, AD …; default all with 10 people."
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
@click.option("--repeats", default=5, show_default=True, help="Of the cross-validation.")
@click.option("--folds", default=5, show_default=True, help="Outer folds.")
@click.option(
    "--splits", default=100, show_default=True, help="Other random splits beside the one."
)
@click.option("--sentinel", default=20, show_default=True, help="Draws of permuted labels.")
@click.option(
    "--prevalence",
    "prevalences",
    multiple=True,
    metavar="WHERE=SHARE",
    help="A place and its share of ill people, for predictive values; several times.",
)
@click.option(
    "--quick", is_flag=True, help="A first look: one repeat, 10 splits, 5 sentinels, no curve."
)
@click.option("--max-gap-days", default=183, show_default=True, help="Between score and scan.")
@click.option("--seed", default="1", show_default=True, help="Of folds and draws.")
@click.option(
    "--model", help="Evaluate this fitted model on DATASET instead, whose people it never saw."
)
@json_option
def evaluate(dataset: Path, *, model: str | None, as_json: bool, **asked: Any) -> None:
    """Evaluate diagnosis models out of fold, on five arms; the image's increment is the headline.

    A stopped run goes on where it was. With --model, a locked model on another dataset.

    Example: tracerless diagnose evaluate my-dataset --of ECD --class CN --class AD
    """
    from tracerless.workspace.assessment_pages import write_assessment_pages
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    with meter("evaluate") as advance:
        if model is None:
            made, folder = _internal(opened, advance, **asked)
        else:
            made, folder = _external(opened, model, **asked)
    pages = write_assessment_pages(opened, (made.key,))
    lines = [*_lines(made), f"Tables: {folder}", *(f"Page: {page}" for page in pages)]
    result = {"key": made.key, "headline": made.facts["headline"], "notes": list(made.notes)}
    performance = made.tables["performance"].to_dict("records")
    places = {"tables": str(folder), "pages": [str(page) for page in pages]}
    show({**result, "performance": performance, **places}, lines, as_json=as_json)


def _internal(opened: Any, advance: Any, **asked: Any) -> tuple["Assessment", Path]:
    from tracerless import diagnose
    from tracerless.diagnose.sizes import SHARES
    from tracerless.workspace import diagnosis_evaluation as evaluation
    from tracerless.workspace.diagnosis_steps import Options

    if asked["quick"]:
        asked |= {"repeats": 1, "splits": min(asked["splits"], 10), "sentinel": 5}
    settings = diagnose.Settings(
        classes=tuple(asked["classes"]),
        features=asked["features"],
        class_weight="balanced" if asked["balanced"] else "none",
        harmonize=not asked["no_harmonize"],
        folds=asked["folds"],
        repeats=asked["repeats"],
        seed=asked["seed"],
    )
    return evaluation.evaluate(
        opened,
        contrast=asked["contrast"],
        key=asked["key"] or asked["contrast"],
        settings=settings,
        options=Options(
            n_splits=asked["splits"],
            n_sentinel=asked["sentinel"],
            shares=() if asked["quick"] else SHARES,
            prevalences=_prevalences(asked["prevalences"]),
            max_gap_days=asked["max_gap_days"],
        ),
        advance=advance,
    )


def _external(opened: Any, model: str, **asked: Any) -> tuple["Assessment", Path]:
    from tracerless.workspace import diagnosis_external as external

    return external.evaluate(
        opened,
        model,
        key=asked["key"],
        prevalences=_prevalences(asked["prevalences"]),
        max_gap_days=asked["max_gap_days"],
    )


def _prevalences(given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for each in given:
        words, _, share = each.rpartition("=")
        try:
            found[words.strip()] = float(share)
        except ValueError:
            raise click.BadParameter(f"{each!r} is not WHERE=SHARE, e.g. clinic=0.4.") from None
        if not words.strip() or not 0 < found[words.strip()] < 1:
            raise click.BadParameter(f"{each!r}: name the place, and a share between 0 and 1.")
    return found


def _lines(made: "Assessment") -> list[str]:
    """Headline, area and slope of each model with their intervals, then the notes."""
    table = made.tables["performance"]
    lines = [str(made.facts["headline"]), ""]
    for (arm, model), rows in table.groupby(["arm", "model"], sort=False):
        said = {str(row["metric"]): _spread(row) for row in rows.to_dict("records")}
        lines.append(
            f"{arm:<16} {model:<34} AUC {said['auc']}  Brier {said['brier']}  slope {said['slope']}"
        )
    return [*lines, "", *made.notes]


def _spread(row: Any) -> str:
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    if math.isnan(low) or math.isnan(high):
        return "-"
    return f"{low:.2f} to {high:.2f} ({value:.3f})"
