"""`tracerless synthesize crossfit`: models kept from those they predict; what diagnosis gains."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, meter, show
from tracerless.cli.sessions import dataset_argument, open_at_work

if TYPE_CHECKING:
    from tracerless.core.assessment import Assessment
    from tracerless.workspace.dataset import Dataset


@click.command("crossfit")
@dataset_argument
@click.option("--design", default="ridge", show_default=True, help="Of `synthesize fit --design`.")
@click.option("--name", help="Of the set under models/; default the design's.")
@click.option("--folds", default=5, show_default=True, type=click.IntRange(2, 20), help="Models.")
@click.option("--steps", type=click.IntRange(1), help="Optimizer steps instead of the recipe's.")
@click.option("--seed", default="1", show_default=True, help="Of the folds.")
@click.option(
    "--margin",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 0.5, min_open=True, max_open=True),
    help="Area under the curve that may be lost against acquired PET; state it beforehand.",
)
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Readers of sessions."
)
@json_option
def crossfit(
    dataset: Path, *, design: str, name: str | None, margin: float, as_json: bool, **asked: Any
) -> None:
    """Predict everyone by a model that never saw them, and say what that does for diagnosis.

    One model a fold; a stopped run goes on where it was. Then MR alone, flow alone, synthetic,
    acquired, and MR with synthetic are judged by the same classifier on the same folds.

    Example: tracerless synthesize crossfit my-dataset --design ridge
    """
    opened = open_at_work(dataset)
    from tracerless.workspace.cross_fit import cross_fit

    changes = {} if asked["steps"] is None else {"steps": asked["steps"]}
    with meter("train") as advance:
        made = cross_fit(
            opened, design=design, name=name, n_folds=asked["folds"], seed=asked["seed"],
            changes=changes, workers=asked["workers"], advance=advance,
        )  # fmt: skip
    found, where = _judged(opened, made, margin)
    rows = found.tables["claims"].to_dict("records")
    lines = [f"{made.n_folds} models: {made.folder}"]
    lines += [f"Not learned from: {each}" for each in made.left_out]
    lines += [str(row["sentence_en"]) for row in rows]
    lines += [str(row["sentence_zh"]) for row in rows]
    lines += ["", *found.notes, f"Tables: {where}"]
    result = {"models": str(made.folder), "tables": str(where), "claims": rows}
    show(
        {**result, "notes": list(found.notes), "left_out": list(made.left_out)},
        lines,
        as_json=as_json,
    )


def _judged(opened: "Dataset", made: Any, margin: float) -> tuple["Assessment", Path]:
    from tracerless.workspace.synthetic_diagnosis_evaluation import evaluate_cross_fit

    with meter("judge") as advance:
        return evaluate_cross_fit(opened, made, margin=margin, advance=advance)
