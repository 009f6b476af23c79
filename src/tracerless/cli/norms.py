"""`tracerless norms`: what is normal, and every scan held against it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, show
from tracerless.cli.sessions import dataset_argument

if TYPE_CHECKING:
    import pandas as pd

    from tracerless.core.norm import Norm

norm_option = click.option(
    "--norm", "name", help="Name under models/, or a path; not needed when there is one."
)


@click.group("norms")
def command() -> None:
    """Norms of regions and cognition: fit on normal people, apply, show.

    Example: tracerless norms fit my-dataset
    """


@command.command("fit")
@dataset_argument
@click.option(
    "--of", "contrast", default="FDG", show_default=True, help="FDG, ECD, … or cognition."
)
@click.option("--name", help="Folder under models/; default norm-<contrast>.")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    type=click.Choice(["age", "sex", "education_years"]),
    help="May be given several times; default age and sex, for cognition schooling too.",
)
@click.option("--no-covariate", is_flag=True, help="Compare with all normal people alike.")
@click.option("--confirmed-years", default=0.0, help="How long they were known to stay normal.")
@click.option("--from", "source", help="Carry this norm over to the normal people of DATASET.")
@json_option
def fit(
    dataset: Path,
    contrast: str,
    name: str | None,
    *,
    covariates: tuple[str, ...],
    no_covariate: bool,
    confirmed_years: float,
    source: str | None,
    as_json: bool,
) -> None:
    """Fit a norm on the people whom participants.tsv calls CN.

    Example: tracerless norms fit my-dataset --of FDG --confirmed-years 2
    """
    from tracerless.workspace import norms
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    usual = ("age", "sex", "education_years") if contrast == norms.COGNITION else ("age", "sex")
    made, used = norms.fit(
        opened,
        contrast,
        name or f"norm-{contrast}",
        covariates=() if no_covariate else covariates or usual,
        confirmed_years=confirmed_years,
        source=norms.find(opened, source) if source else None,
    )
    lines = [_headline(made), *([made.banner] if made.banner else []), *used.left_out]
    lines.append(f"Kept: {opened.models / made.key / norms.FILE}")
    show({**_facts(made), "left_out": list(used.left_out)}, lines, as_json=as_json)


@command.command("apply")
@dataset_argument
@norm_option
@json_option
def apply(dataset: Path, name: str | None, *, as_json: bool) -> None:
    """Hold every scan of the dataset against a norm; a table of z, interval and percentile.

    Example: tracerless norms apply my-dataset --norm norm-FDG
    """
    from tracerless.workspace import norms
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    norm = norms.find(opened, name)
    table, path, left_out = norms.apply(opened, norm)
    sessions = _by_session(table)
    lines = [*([norm.banner] if norm.banner else []), *map(_line, sessions), *left_out]
    lines.append(f"Table: {path}")
    result = {
        **_facts(norm),
        "table": str(path),
        "sessions": sessions,
        "left_out": list(left_out),
    }
    show(result, lines, as_json=as_json)


@command.command("show")
@dataset_argument
@norm_option
@json_option
def show_norm(dataset: Path, name: str | None, *, as_json: bool) -> None:
    """What a norm was made from, whom it reaches, and where its cuts lie.

    Example: tracerless norms show my-dataset
    """
    from tracerless.score.card import card
    from tracerless.workspace import norms
    from tracerless.workspace.dataset import Dataset

    norm = norms.find(Dataset.open(dataset), name)
    show(_facts(norm), [card(norm)], as_json=as_json)


def _headline(norm: "Norm") -> str:
    of = f"{norm.n_local} local people" if norm.n_local else f"{norm.n} normal people"
    return f"{norm.key}: {len(norm.names)} measures of {norm.measured.contrast}, {of}."


def _facts(norm: "Norm") -> dict[str, Any]:
    return {
        "norm": norm.key,
        "contrast": norm.measured.contrast,
        "domain": norm.measured.domain,
        "reference": norm.measured.reference,
        "fingerprint": norm.measured.fingerprint,
        "n": norm.n,
        "n_local": norm.n_local,
        "has_z": norm.has_z,
        "banner": norm.banner,
        "family_cut": norm.family_cut,
        "covariates": list(norm.design.covariates),
        "measures": list(norm.names),
    }


def _by_session(table: "pd.DataFrame") -> list[dict[str, Any]]:
    found = []
    for (person, visit), rows in table.groupby(
        ["participant_id", "session_id"], dropna=False, sort=True
    ):
        low = rows[rows["below_family"]].sort_values("z")
        found.append(
            {
                "session": "_".join(part for part in (person, visit) if isinstance(part, str)),
                "below_2": int(rows["below_2"].sum()),
                "below_family": list(low["measure"]),
                "reason": str(rows["reason"].iloc[0]) if rows["z"].isna().all() else "",
            }
        )
    return found


def _line(session: dict[str, Any]) -> str:
    if session["reason"]:
        return f"{session['session']}: no z. {session['reason']}"
    low = ", ".join(session["below_family"]) or "none"
    return f"{session['session']}: {session['below_2']} below -2; beyond chance over all: {low}."
