"""`tracerless evaluate`: synthetic against acquired PET."""

from pathlib import Path

import click

from tracerless.cli.common import json_option, show, track
from tracerless.cli.sessions import dataset_argument


@click.command("evaluate")
@dataset_argument
@click.option("--model", help="Name under models/, or the path of a checkpoint or its folder.")
@json_option
def command(dataset: Path, *, model: str | None, as_json: bool) -> None:
    """Compare synthetic with acquired FDG-PET, region by region, in people the model never saw.

    Example: tracerless evaluate my-dataset --model unet
    """
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.evaluation import evaluate_dataset
    from tracerless.workspace.tables import EVALUATION, evaluation_record, write_evaluation

    opened = Dataset.open(dataset)
    opened.clean_partials()
    evaluation, left_out = evaluate_dataset(opened, model, track=track)
    write_evaluation(opened, evaluation)
    lines = [evaluation.headline, *left_out, "", "By diagnosis:"]
    lines += evaluation.by_diagnosis.round(3).to_string().splitlines()
    lines += ["", f"By region: {opened.derivatives / EVALUATION / 'by_region.tsv'}"]
    result = {**evaluation_record(evaluation), "left_out": left_out}
    show(result, lines, as_json=as_json)
