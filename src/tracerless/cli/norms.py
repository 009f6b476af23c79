"""`tracerless norms`: what is normal, and every scan held against it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracerless.cli.common import json_option, show, track
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
@click.option("--robust", is_flag=True, help="Let outlying people count less (Huber).")
@click.option("--voxels", is_flag=True, help="Also fit maps of voxels and of the brain's surface.")
@click.option("--from", "source", help="Carry this norm over to the normal people of DATASET.")
@json_option
def fit(dataset: Path, contrast: str, name: str | None, *, as_json: bool, **asked: Any) -> None:
    """Fit a norm on the people whom participants.tsv calls CN.

    Example: tracerless norms fit my-dataset --of FDG --voxels --confirmed-years 2
    """
    from tracerless.workspace import norms
    from tracerless.workspace.dataset import Dataset

    if asked["no_covariate"] and asked["covariates"]:
        raise click.UsageError("Give --covariate or --no-covariate, not both.")
    opened = Dataset.open(dataset)
    source, folder = norms.find(opened, asked["source"]) if asked["source"] else (None, None)
    wanted = () if asked["no_covariate"] else tuple(asked["covariates"]) or None
    choices = norms.Choices(
        covariates=wanted,
        confirmed_years=asked["confirmed_years"],
        robust=asked["robust"],
        voxels=asked["voxels"],
        source=source,
        source_folder=folder,
    )
    made, used = norms.fit(opened, contrast, name or f"norm-{contrast}", choices)
    lines = [_headline(made), *([made.banner] if made.banner else []), *used.left_out]
    lines.append(f"Kept: {opened.models / made.key / norms.FILE}")
    show({**_facts(made), "left_out": list(used.left_out)}, lines, as_json=as_json)


@command.command("apply")
@dataset_argument
@norm_option
@json_option
def apply(dataset: Path, name: str | None, *, as_json: bool) -> None:
    """Hold every scan of the dataset against a norm; tables of z and indices, and maps of z.

    Example: tracerless norms apply my-dataset --norm norm-FDG
    """
    from tracerless.workspace import norms
    from tracerless.workspace.dataset import Dataset

    opened = Dataset.open(dataset)
    norm, folder = norms.find(opened, name)
    made = norms.apply(opened, norm, folder, track=track)
    sessions = _by_session(made.table)
    lines = [*([norm.banner] if norm.banner else []), *map(_line, sessions), *made.left_out]
    if made.n_maps:
        lines.append(f"Maps of z and surface projections of {made.n_maps} scans.")
    lines += [f"Table: {path}" for path in made.files]
    result = {
        **_facts(norm),
        "table": str(made.files[0]),
        "tables": [str(path) for path in made.files],
        "n_maps": made.n_maps,
        "sessions": sessions,
        "left_out": list(made.left_out),
    }
    show(result, lines, as_json=as_json)


@command.command("show")
@dataset_argument
@norm_option
@json_option
def show_norm(dataset: Path, name: str | None, *, as_json: bool) -> None:
    """What a norm was made from, whom it reaches, where its cuts lie, how well it is calibrated.

    Example: tracerless norms show my-dataset
    """
    from tracerless.score.card import card
    from tracerless.workspace import norms, norms_maps
    from tracerless.workspace.dataset import Dataset

    norm, folder = norms.find(Dataset.open(dataset), name)
    show(_facts(norm), [card(norm, norms_maps.read(folder))], as_json=as_json)


def _headline(norm: "Norm") -> str:
    of = f"{norm.n_local} local people" if norm.n_local else f"{norm.n} normal people"
    return f"{norm.key}: {len(norm.names)} measures of {norm.measured.contrast}, {of}."


def _facts(norm: "Norm") -> dict[str, Any]:
    told = norm.calibration
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
        "robust": norm.robust,
        "calibration": None if told is None else {k: getattr(told, k) for k in told.__slots__},
        "ceilings": {name: each.share for name, each in norm.ceilings.items()},
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
