"""`tracerless risk`: the chance of dementia by a number of years, with death as its rival."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracerless.cli.common import json_option, meter, show
from tracerless.cli.sessions import dataset_argument

if TYPE_CHECKING:
    from tracerless.core.assessment import Assessment
    from tracerless.core.risk import Outlook, RiskModel
    from tracerless.foresee import RiskSettings

F = TypeVar("F", bound=Callable[..., Any])

ARMS = ("demographics", "image", "cognition", "image+cognition")
KINDS = ("incidence", "cox", "discrete")

model_option = click.option(
    "--model", help="Name under models/, or a path; not needed when there is one."
)
gap_option = click.option(
    "--max-gap-days", default=183, show_default=True, help="Between score and scan."
)


def learning_options(command: F) -> F:
    """Options that fitting and evaluation share."""
    for option in reversed(
        (
            click.option("--of", "contrast", default="FDG", show_default=True,
                         help="FDG, ECD …, or none for scores alone."),
            click.option("--features", type=click.Choice(["z", "ratio"]), default="z",
                         show_default=True,
                         help="Regions against the controls of each fold, or as they are."),
            click.option("--clock", type=click.Choice(["scan", "age"]), default="scan",
                         show_default=True,
                         help="Count from the scan, or from birth with late entry."),
            click.option("--start", "starts", multiple=True, type=click.Choice(["CN", "MCI"]),
                         help="Follow only these people; default both."),
            click.option("--with-stage", is_flag=True, help="Tell the model who has MCI."),
            click.option("--reverted", type=click.Choice(["censor", "refuse"]), default="censor",
                         show_default=True,
                         help="People whose dementia a later visit takes back."),
            click.option("--years", "horizons", multiple=True, type=float,
                         help="Horizons; default 1, 2, 3, 5 as far as the follow-up goes."),
            click.option("--band", "bands", multiple=True, type=float,
                         help="Absolute risks where a band begins; default 0.1 and 0.3."),
            click.option("--band-years", default=0.0, help="Horizon of the bands; default 3."),
            gap_option,
            click.option("--seed", default="1", show_default=True, help="Of every draw."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.group("risk")
def command() -> None:
    """The risk of future dementia, by years: bring in follow-up, fit, predict, evaluate.

    Example: tracerless risk evaluate my-dataset --of FDG
    """


@command.command("import")
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@dataset_argument
@json_option
def import_table(table: Path, dataset: Path, *, as_json: bool) -> None:
    """Bring later visits, deaths and last contacts of a dataset's people in.

    TABLE (CSV, TSV, XLSX) has participant_id (the dataset's pseudonyms), years since the first
    scan, diagnosis (CN, MCI, AD, DLB, FTD, VaD, or dementia) and status (seen, dead, lost).

    Example: tracerless risk import followup.csv my-dataset
    """
    from tracerless.workspace import followup
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    kept, told = followup.import_followup(opened, table)
    path = opened.root / followup.TABLE
    result = {"rows": len(kept.visits), "told": list(told), "table": str(path)}
    show(result, [*told, f"Kept: {path}"], as_json=as_json)


@command.command("fit")
@dataset_argument
@click.option("--arm", type=click.Choice(ARMS), default="image+cognition", show_default=True,
              help="What the model sees.")  # fmt: skip
@click.option("--kind", type=click.Choice(KINDS), default="cox", show_default=True,
              help="How it learns.")  # fmt: skip
@click.option("--name", help="Folder under models/; default risk-<contrast>.")
@learning_options
@json_option
def fit(dataset: Path, *, name: str | None, as_json: bool, **asked: Any) -> None:
    """Fit a model of the risk of dementia on people who were followed.

    Example: tracerless risk fit my-dataset --of ECD --arm image+cognition
    """
    from tracerless.workspace import risks
    from tracerless.workspace.dataset import Dataset

    contrast, gap = asked.pop("contrast"), asked.pop("max_gap_days")
    settings = _settings(**asked)
    with meter("fit") as advance:
        counted = iter(range(1, settings.n_bootstrap + 1))
        made, path = risks.fit(
            Dataset.open(dataset),
            contrast,
            name or f"risk-{contrast}",
            settings=settings,
            max_gap_days=gap,
            progress=lambda: advance(next(counted), settings.n_bootstrap, "bootstrap"),
        )
    lines = [_headline(made), *made.notes, f"Kept: {path}"]
    show({**_facts(made), "model_file": str(path)}, lines, as_json=as_json)


@command.command("predict")
@dataset_argument
@model_option
@gap_option
@json_option
def predict(dataset: Path, *, model: str | None, max_gap_days: int, as_json: bool) -> None:
    """Tell the risk of every scan, with its interval and band, or why it is not told.

    Example: tracerless risk predict my-dataset --model risk-FDG
    """
    from tracerless.workspace import risks
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    found = risks.find(opened, model)
    told, path = risks.predict(opened, found, max_gap_days=max_gap_days)
    silent = Counter(_reason(each) for each in told if each.abstains)
    lines = [_line(each, found) for each in told if not each.abstains]
    lines += [f"{n} scans without a risk: {why}" for why, n in sorted(silent.items())]
    result = {
        "model": found.key,
        "table": str(path),
        "told": sum(not each.abstains for each in told),
        "abstained": dict(sorted(silent.items())),
        "bands": dict(Counter(each.band for each in told if each.band)),
    }
    show(result, [*lines, f"Table: {path}"], as_json=as_json)


@command.command("evaluate")
@dataset_argument
@click.option("--key", help="Name of the evaluation; default risk-<contrast>, or the model's.")
@click.option("--repeats", default=2, show_default=True, help="Of the cross-validation.")
@click.option("--folds", default=5, show_default=True, help="Outer folds.")
@learning_options
@click.option("--model", help="Judge this fitted model on DATASET instead, as it is.")
@json_option
def evaluate(
    dataset: Path, *, key: str | None, model: str | None, as_json: bool, **asked: Any
) -> None:
    """Judge models of risk out of fold, on four arms; what the image adds is the headline.

    With --model, a locked model on people whom it never saw, and shifted to their incidence.

    Example: tracerless risk evaluate my-dataset --of ECD
    """
    from tracerless.workspace.assessment_pages import write_assessment_pages
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    made, folder = _evaluated(opened, key, model, **asked)
    pages = write_assessment_pages(opened, (made.key,))
    lines = [*_judged(made), f"Tables: {folder}", *(f"Page: {page}" for page in pages)]
    result = {
        "key": made.key,
        "headline": made.facts["headline"],
        "performance": made.tables["performance"].to_dict("records"),
        "notes": list(made.notes),
        "tables": str(folder),
        "pages": [str(page) for page in pages],
    }
    show(result, lines, as_json=as_json)


def _evaluated(
    opened: Any, key: str | None, model: str | None, **asked: Any
) -> tuple["Assessment", Path]:
    from tracerless.workspace import risks

    contrast, gap = asked.pop("contrast"), asked.pop("max_gap_days")
    settings = _settings(**asked)
    if model is not None:
        found = risks.find(opened, model)
        name = key or f"{found.key}-external"
        return risks.validate(opened, found, name, settings=settings, max_gap_days=gap)
    total = 4 * settings.folds * settings.repeats + 10
    with meter("evaluate") as advance:
        done = Counter[str]()

        def progress(what: str) -> None:
            done["steps"] += 1
            advance(min(done["steps"], total), total, what)

        return risks.evaluate(
            opened,
            contrast,
            key or f"risk-{contrast}",
            settings=settings,
            max_gap_days=gap,
            progress=progress,
        )


def _settings(**asked: Any) -> "RiskSettings":
    from tracerless.core.risk import Clock, RiskKind
    from tracerless.core.study import Arm
    from tracerless.foresee import RiskSettings

    makers = {"arm": Arm, "kind": RiskKind, "clock": Clock}
    given: dict[str, Any] = {name: makers.get(name, _same)(value) for name, value in asked.items()}
    for name in ("starts", "bands", "horizons"):
        if given.get(name):
            given[name] = tuple(given[name])
        else:
            given.pop(name, None)
    return RiskSettings(**given)


def _same(value: Any) -> Any:
    return value


def _headline(made: "RiskModel") -> str:
    facts = made.facts
    return (
        f"{made.key}: {made.kind.value} on {made.arm.value}, {facts['n']} people, "
        f"{facts['dementia']} with dementia, {facts['death']} died before; risks at "
        f"{', '.join(f'{year:g}' for year in made.horizons)} years."
    )


def _facts(made: "RiskModel") -> dict[str, Any]:
    return {
        "model": made.key,
        "kind": made.kind.value,
        "arm": made.arm.value,
        "horizons": list(made.horizons),
        "bands": list(made.bands),
        "band_years": made.band_years,
        **made.facts,
        "notes": list(made.notes),
    }


def _reason(each: "Outlook") -> str:
    """Why a scan has no risk, without the person's own numbers."""
    words = each.abstains.split()
    if words[0] in {"age", "education_years"}:
        return f"{words[0]} outside the training people's."
    return "values are missing." if words[0].endswith("%") else each.abstains


def _line(each: "Outlook", model: "RiskModel") -> str:
    at = model.horizons.index(model.band_years)
    name = "_".join(filter(None, (f"sub-{each.person}", f"ses-{each.visit}" if each.visit else "")))
    return (
        f"{name}: {each.risk[at]:.0%} (95 % {each.low[at]:.0%} to {each.high[at]:.0%}) by "
        f"{model.band_years:g} years: {each.band}."
    )


def _judged(made: "Assessment") -> list[str]:
    """Headline, then discrimination and calibration of each model with their intervals."""
    lines: list[str] = [str(made.facts["headline"]), ""]
    for (arm, model), rows in made.tables["performance"].groupby(["arm", "model"], sort=False):
        said = {str(row["metric"]): _spread(row) for row in rows.to_dict("records")}
        shown = (f"{name} {said[name]}" for name in _shown(said))
        lines.append(f"{arm:<16} {model:<22} {'  '.join(shown)}")
    return [*lines, "", *made.notes]


def _shown(said: dict[str, str]) -> Sequence[str]:
    return [name for name in ("c_index", "auc_t", "brier", "slope") if name in said]


def _spread(row: Any) -> str:
    return f"{row['low']:.2f} to {row['high']:.2f} ({row['value']:.3f})"
