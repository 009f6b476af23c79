"""`tracerless evaluate`: synthetic against acquired PET."""

from pathlib import Path

import click

from tracerless.cli.common import json_option, show
from tracerless.cli.sessions import dataset_argument, inputs_option, open_at_work, resolve_all


@click.command("evaluate")
@dataset_argument
@click.option("--model", help="Name under models/, or the path of a checkpoint or its folder.")
@inputs_option
@json_option
def command(dataset: Path, *, model: str | None, inputs: tuple[str, ...], as_json: bool) -> None:
    """Compare synthetic with acquired FDG-PET, region by region, in people the model never saw.

    Example: tracerless evaluate my-dataset --model ridge
    """
    opened = open_at_work(dataset)
    from tracerless.workspace.comparison import compare, with_fdg
    from tracerless.workspace.predictors import with_predictor
    from tracerless.workspace.roots import dataset_roots
    from tracerless.workspace.tables import EVALUATION, evaluation_record, write_evaluation

    checkpoint, roots = with_predictor(dataset_roots(opened), opened, model, inputs)
    wants = ("uptake", "synthetic_uptake", "mean_uptake", "synthetic")
    outcome = resolve_all(opened, with_fdg(opened), *wants, roots=roots, what="evaluate")
    evaluation, notes = compare(opened, checkpoint, outcome.values)
    if inputs:
        notes.append(f"The synthesizer was shown only {' + '.join(inputs)}.")
    write_evaluation(opened, evaluation)
    lines = [evaluation.headline, *notes, *outcome.failures.values(), "", "By diagnosis:"]
    lines += evaluation.by_diagnosis.round(3).to_string().splitlines()
    lines += ["", f"By region: {opened.derivatives / EVALUATION / 'by_region.tsv'}"]
    show({**evaluation_record(evaluation), "notes": notes}, lines, as_json=as_json)
