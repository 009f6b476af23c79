"""Norms of a dataset: fitted on its normal people, and every scan held against one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless import score
from tracerless.core.errors import DatasetError, RecipeMismatchError
from tracerless.core.norm import Array, Norm
from tracerless.io import norms as files
from tracerless.io.atomic import write_json, write_text
from tracerless.score.apply import MEANINGS
from tracerless.score.card import card
from tracerless.score.fit import Options
from tracerless.workspace import norms_indices, norms_maps
from tracerless.workspace.batch import Track
from tracerless.workspace.dataset import Dataset, find_kept, table_stem
from tracerless.workspace.norms_scans import COGNITION, Scans, normal_people, scans

__all__ = ["COGNITION", "FILE", "Applied", "Choices", "Scans", "apply", "find", "fit", "scans"]

FILE = "norm.json"
USUAL = ("age", "sex")
USUAL_OF_TESTS = ("age", "sex", "education_years")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How a norm is fitted.

    Args:
        covariates: None for the usual ones, or those of the norm that is carried over.
        confirmed_years: how long the people were known to stay normal.
        robust: whether outlying people count less.
        voxels: whether maps are fitted too.
        source: a norm to carry over instead of fitting a new one.
        source_folder: where it lies; its maps are carried over with it.
    """

    covariates: tuple[str, ...] | None = None
    confirmed_years: float = 0.0
    robust: bool = False
    voxels: bool = False
    source: Norm | None = None
    source_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of holding a dataset against a norm.

    Args:
        table: of z, as written.
        files: the tables.
        n_maps: maps of z that were written.
        left_out: one sentence for each kind of scan that was not used.
    """

    table: pd.DataFrame
    files: tuple[Path, ...]
    n_maps: int
    left_out: tuple[str, ...]


def fit(dataset: Dataset, contrast: str, name: str, choices: Choices) -> tuple[Norm, Scans]:
    """Fit a norm on the cognitively normal people of a dataset, or carry one over to them.

    One scan a person: the first visit. The norm, its card, and the digests of the people it used
    are kept under ``models/<name>``; ``norm.json`` is written last.

    Raises:
        DatasetError: too few normal people.
        RecipeMismatchError: the source was measured in another way, or has other covariates.
    """
    covariates = _covariates(contrast, choices)
    normal = normal_people(scans(dataset, contrast), covariates)
    if not len(normal.values):
        raise DatasetError(
            f"No normal person of {dataset.root} has {contrast} and {', '.join(covariates)}.",
            hint="participants.tsv must say who is CN; see `tracerless deidentify --phenotype`.",
        )
    made = _made(name, normal, covariates, choices)
    beside = norms_indices.fit(name, normal, covariates, choices.source_folder)
    maps = norms_maps.fit(
        dataset, name, normal, covariates, source=choices.source_folder, new=choices.voxels
    )
    folder = dataset.models / name
    (folder / FILE).unlink(missing_ok=True)  # what lies beside it may be half another norm's
    norms_indices.write(folder, beside)
    norms_maps.write(folder, maps)
    write_text(folder / "README.md", card(made, maps))
    files.write(folder / FILE, made)
    return made, normal


def silent(items: Iterable[Any], _what: str, _total: int | None) -> Iterable[Any]:
    """The items, without a word."""
    return items


def apply(dataset: Dataset, norm: Norm, folder: Path, *, track: Track = silent) -> Applied:
    """Hold every scan of the norm's kind against it; tables, maps of z, and what was left out.

    A scan that the norm was fitted on is held against the norm without it (``in_norm``).

    Args:
        dataset: measured as the norm was.
        norm: what is normal.
        folder: where it lies, with its maps.
        track: shows progress.

    Raises:
        RecipeMismatchError: the dataset was measured in another way.
    """
    found = scans(dataset, norm.measured.contrast)
    norm.require(found.measured)
    missing = [name for name in norm.names if name not in found.values]
    if missing:
        raise RecipeMismatchError(f"The dataset has no {missing[0]}, which norm {norm.key} has.")
    members = _members(norm, found)
    table = score.scores(norm, found.values, found.people, found.references, members=members)
    whole = _with_keys(norm, table, found, members)
    path = dataset.derivatives / f"{table_stem('norm', norm.key)}_zscores.tsv"
    if norm.measured.contrast == COGNITION:
        _write(path, whole, MEANINGS)
        return Applied(whole, (path,), 0, found.left_out)
    maps = norms_maps.apply(dataset, folder, found, members, track=track)
    indices = norms_indices.apply(folder, norm, found, (table, maps.indices), members)
    _write(path, whole, MEANINGS)
    beside = dataset.derivatives / f"{table_stem('norm', norm.key)}_indices.tsv"
    _write(beside, _with_keys(norm, indices, found, members), norms_indices.MEANINGS)
    return Applied(whole, (path, beside), maps.n, (*found.left_out, *maps.left_out))


def find(dataset: Dataset, name: str | None) -> tuple[Norm, Path]:
    """A norm by name, by path, or the only one; and the folder where it lies.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    path = find_kept(
        dataset,
        name,
        FILE,
        what="norm",
        option="--norm",
        make="Fit one with `tracerless norms fit`.",
    )
    return files.read(path), path.parent


def _covariates(contrast: str, choices: Choices) -> tuple[str, ...]:
    """Those asked for, of the source, or the usual ones.

    Raises:
        RecipeMismatchError: others are asked for than the source has.
    """
    if choices.source is not None:
        have = choices.source.design.covariates
        if choices.covariates is not None and set(choices.covariates) != set(have):
            raise RecipeMismatchError(
                f"Norm {choices.source.key} has the covariates {', '.join(have) or 'none'}, not "
                f"{', '.join(choices.covariates) or 'none'}; a norm keeps them when carried over.",
                hint="Leave out --covariate, or fit a norm of your own without --from.",
            )
        return have
    if choices.covariates is not None:
        return choices.covariates
    return USUAL_OF_TESTS if contrast == COGNITION else USUAL


def _made(name: str, normal: Scans, covariates: Sequence[str], choices: Choices) -> Norm:
    source = choices.source
    if source is not None:
        source.require(normal.measured)
        return score.transferred(
            source, name, normal.values, normal.people, normal.references, digests=normal.digests
        )
    return score.norm(
        name,
        normal.values,
        normal.people,
        measured=normal.measured,
        covariates=covariates,
        reference_means=normal.references,
        options=Options(
            confirmed_years=choices.confirmed_years,
            digests=normal.digests,
            robust=choices.robust,
            limits=dict(normal.limits),
            turned=normal.turned,
            shaped=normal.measured.contrast == COGNITION,
        ),
    )


def _members(norm: Norm, found: Scans) -> Array:
    """(n,) 1 for the scan of each of the norm's people that it was fitted on: the first whole."""
    seen, members, digests = set(norm.people), np.zeros(len(found.keys)), found.digests
    whole = found.values[list(norm.names)].notna().all(axis=1).to_numpy()
    first: set[str] = set()
    for row in sorted(np.flatnonzero(whole), key=lambda row: found.keys[row]):
        person = found.keys[row][0]
        members[row] = digests[row] in seen and person not in first
        first.add(person)
    return members


def _with_keys(norm: Norm, table: pd.DataFrame, found: Scans, members: Array) -> pd.DataFrame:
    """The table of (row, measure) with whose scan it is, which norm, and of which recipe."""
    rows = table.index.get_level_values("row")
    keys = [found.keys[row] for row in rows]
    table = table.copy()
    table.insert(0, "participant_id", [f"sub-{person}" for person, _ in keys])
    table.insert(1, "session_id", [f"ses-{visit}" if visit else None for _, visit in keys])
    table.insert(2, "measure", table.index.get_level_values("measure"))
    table["in_norm"] = np.where(members[rows] > 0, "yes", "no")
    table["norm"] = norm.key
    table["contrast"] = norm.measured.contrast
    table["n_normal"] = norm.n
    table["family_cut"] = round(norm.family_cut, 4)
    table["fingerprint"] = norm.measured.fingerprint or None
    return table.reset_index(drop=True)


def _write(path: Path, table: pd.DataFrame, meanings: Mapping[str, Mapping[str, Any]]) -> None:
    write_json(path.with_suffix(".json"), {name: meanings[name] for name in table.columns})
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
