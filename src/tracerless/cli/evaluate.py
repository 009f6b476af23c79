"""`tracerless evaluate`: synthetic against acquired PET."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, meter, show
from tracerless.cli.sessions import dataset_argument, inputs_option, open_at_work, resolve_all

if TYPE_CHECKING:
    from tracerless.core.assessment import Assessment
    from tracerless.workspace.dataset import Dataset


@click.command("evaluate")
@dataset_argument
@click.option("--model", help="Name under models/, or the path of a checkpoint or its folder.")
@inputs_option
@click.option("--full", is_flag=True, help="Every section of the evaluation, resumed if stopped.")
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="NAME",
    help="Only this section of --full; may be given several times: regions, inputs, ablation, "
    "geometry, memorisation, planted, stress, strange, parity, covariates, adaptation, claims.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="At most so many people, taken in turn from every diagnosis; with --full or --section.",
)
@click.option(
    "--training",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Dataset that the model learned from; some sections need it.",
)
@click.option(
    "--crossfit",
    metavar="NAME",
    help="A set of `synthesize crossfit`: everyone by the model that never saw them.",
)
@json_option
def command(
    dataset: Path, *, full: bool, sections: tuple[str, ...], as_json: bool, **asked: Any
) -> None:
    """Compare synthetic with acquired FDG-PET, region by region, in people the model never saw.

    With --full also rivals, agreement, flags, coverage by diagnosis, inputs, planted losses,
    stress, strange heads, diagnosis, and more.

    Example: tracerless evaluate my-dataset --model ridge --full --training my-training-dataset
    """
    opened = open_at_work(dataset)
    if full or sections:
        if asked["inputs"]:
            raise click.UsageError("--input goes with the quick evaluation, not with --full.")
        _full(opened, sections, as_json=as_json, **asked)
        return
    for option in ("limit", "training", "crossfit"):
        if asked[option] is not None:
            raise click.UsageError(f"--{option} goes with --full or --section.")
    _quick(opened, asked["model"], asked["inputs"], as_json=as_json)


def _quick(opened: "Dataset", model: str | None, inputs: tuple[str, ...], *, as_json: bool) -> None:
    """Skill by region and diagnosis against the training mean."""
    from tracerless.workspace.comparison import compare, unseen, with_fdg
    from tracerless.workspace.predictors import with_predictor
    from tracerless.workspace.roots import dataset_roots
    from tracerless.workspace.tables import EVALUATION, evaluation_record, write_evaluation

    checkpoint, roots = with_predictor(dataset_roots(opened), opened, model, inputs)
    wants = ("uptake", "synthetic_uptake", "mean_uptake", "synthetic")
    keys, notes = unseen(with_fdg(opened), checkpoint)
    outcome = resolve_all(opened, keys, *wants, roots=roots, what="evaluate")
    evaluation = compare(opened, checkpoint, outcome.values)
    if inputs:
        notes.append(f"The synthesizer was shown only {' + '.join(inputs)}.")
    write_evaluation(opened, evaluation)
    lines = [evaluation.headline, *notes, *outcome.failures.values(), "", "By diagnosis:"]
    lines += evaluation.by_diagnosis.round(3).to_string().splitlines()
    lines += ["", f"By region: {opened.derivatives / EVALUATION / 'by_region.tsv'}"]
    lines.append("Next: --section regions for a page, --full for everything.")
    show({**evaluation_record(evaluation), "notes": notes}, lines, as_json=as_json)


def _full(
    opened: "Dataset",
    sections: tuple[str, ...],
    *,
    model: str | None,
    limit: int | None,
    training: Path | None,
    crossfit: str | None,
    as_json: bool,
    **_inputs: Any,
) -> None:
    """Sections of the whole evaluation, in their order."""
    from tracerless.workspace.assessment_pages import write_assessment_pages
    from tracerless.workspace.cross_fit import open_cross_fit
    from tracerless.workspace.dataset import Dataset
    from tracerless.workspace.suite import run

    with meter("evaluate") as advance:
        made, folder = run(
            opened,
            model,
            sections=sections,
            limit=limit,
            crossfit=None if crossfit is None else open_cross_fit(opened, crossfit),
            training=None if training is None else Dataset.open(training),
            advance=advance,
        )
    (page,) = write_assessment_pages(opened, (folder.name,))
    result = {
        "headline": made.facts["headline"],
        "page": str(page),
        "facts": {k: made.facts[k] for k in ("model", "n", "n_people", "domain", "sections")},
        "tables": sorted(made.tables),
        "folder": str(folder),
        "claims": list(made.tables["claims"]["sentence_en"]) if "claims" in made.tables else [],
        "notes": list(made.notes),
    }
    show(result, [*_told(made), "", f"Page: {page}", f"Tables: {folder}"], as_json=as_json)


def _told(made: "Assessment") -> list[str]:
    lines = [str(made.facts["headline"]), str(made.facts["headline_zh"])]
    if "claims" in made.tables:
        claims = made.tables["claims"]
        for english, chinese in zip(claims["sentence_en"], claims["sentence_zh"], strict=True):
            lines += [str(english), str(chinese)]
    lines += made.notes
    if "skill" in made.tables:
        shown = made.tables["skill"].round(3)
        lines += ["", "Skill (1 - error / error of the rival):"]
        lines += shown.to_string(index=False).splitlines()
    return lines
