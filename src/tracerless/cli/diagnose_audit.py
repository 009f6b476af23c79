"""`tracerless diagnose audit`: six leaks looked for in an evaluation, ours or anybody's."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracerless.cli.common import json_option, show

if TYPE_CHECKING:
    from tracerless.diagnose.audit import Finding

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("audit")
@click.argument("dataset", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--evaluation", "key", help="Folder under evaluation/; not needed when there is one.")
@click.option("--model", help="A fitted classifier, as if tested on the dataset's people.")
@click.option(
    "--predictions",
    type=_file,
    help="A table of your own: person, fold (train where only learned from), and if known visit, "
    "repeat, diagnosis.",
)
@click.option("--features", type=_file, help="With it: person, visit, and every candidate column.")
@click.option("--selected", type=_file, help="With it: chosen columns, one a line, or by fold.")
@click.option("--norm", "norm_names", multiple=True, help="Norm behind the features; `none`.")
@click.option("--synthesizer", "synthesizer_names", multiple=True, help="Behind the scans; `none`.")
@json_option
def audit(
    dataset: Path | None,
    *,
    key: str | None,
    model: str | None,
    predictions: Path | None,
    features: Path | None,
    selected: Path | None,
    as_json: bool,
    **makers: tuple[str, ...],
) -> None:
    """Look for leaks; exit code 1 when there is one.

    A person on both sides of a split, columns chosen with the test rows, people of the norm or of
    the synthesizer among the tested, scores that make the diagnosis, one person under two
    pseudonyms.

    Example: tracerless diagnose audit my-dataset --evaluation FDG
    """
    from tracerless.workspace import audit as audits
    from tracerless.workspace.audit_tables import of_tables
    from tracerless.workspace.dataset import Dataset

    _require_one(dataset, (key, model, predictions), features or selected)
    opened = Dataset.open(dataset) if dataset is not None else None
    if predictions is not None:
        name = predictions.name
        findings = of_tables(
            predictions,
            dataset=opened,
            features=features,
            selected=selected,
            **makers,
        )
    elif opened is not None and model is not None:
        name, findings = audits.of_model(
            opened, model, synthesizer_names=makers["synthesizer_names"]
        )
    elif opened is not None:
        name, findings = audits.of_evaluation(opened, key, **makers)
    _conclude(name, findings, as_json=as_json)


def _require_one(
    dataset: Path | None, asked: tuple[str | Path | None, ...], beside: Path | None
) -> None:
    predictions = asked[-1]
    if predictions is None and dataset is None:
        raise click.UsageError("Name a dataset, or a table with --predictions.")
    if sum(each is not None for each in asked) > 1:
        raise click.UsageError("Give one of --evaluation, --model and --predictions.")
    if predictions is None and beside is not None:
        raise click.UsageError("--features and --selected go with --predictions.")


def _conclude(name: str, findings: "tuple[Finding, ...]", *, as_json: bool) -> None:
    found = [each for each in findings if each.verdict == "finding"]
    left = [each for each in findings if each.verdict == "not checked"]
    lines = [
        f"{each.verdict:12} {each.check}: {each.what} {each.next}".rstrip() for each in findings
    ]
    lines.append(f"{len(findings)} checks: leaks {len(found)}, not looked for {len(left)}.")
    rows = [
        {"check": f.check, "verdict": str(f.verdict), "what": f.what, "next": f.next}
        for f in findings
    ]
    show({"audited": name, "leaks": len(found), "findings": rows}, lines, as_json=as_json)
    if found:
        raise click.exceptions.Exit(1)
