"""From a study's table to the numbers a model weighs; every step fitted on training rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.classifier import Preparation
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.steps import Array, FittedZ, Harmonizer, ZStep
from tracerless.core.study import Arm, Kind, Study
from tracerless.diagnose.harmonize import fit_harmonizer, harmonize
from tracerless.diagnose.settings import Settings
from tracerless.statistics.steps import fit_imputer, fit_scaler, impute, scale

MAX_HOLES = 0.5
"""A predictor that more training rows lack is not taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a model weighs.

    Args:
        values: (n, q) scaled, without holes.
        holes: (n, p) which predictors were missing.
    """

    values: Array
    holes: NDArray[np.bool_]


def fit_preparation(
    study: Study,
    arm: Arm,
    *,
    rows: NDArray[np.intp],
    truth: NDArray[np.intp],
    normals: NDArray[np.intp],
    settings: Settings,
    z_step: ZStep | None,
) -> tuple[Preparation, Inputs, tuple[str, ...]]:
    """(steps, inputs of the training rows, notes).

    Args:
        study: all rows; only ``rows`` and ``normals`` are looked at.
        arm: which predictors.
        rows: (n,) training rows.
        truth: (n,) their classes.
        normals: rows of normal people who are not in the task at all: they may serve the norm.
        settings: features and harmonization.
        z_step: makes the norm.

    Raises:
        ModelError: regions are wanted as z and no norm can be made.
        DatasetError: too few normal people for z.
    """
    both = study.taken(np.concatenate([rows, normals]))
    training = np.arange(len(rows))
    keys, notes = _present(both.table.iloc[training], study.keys(arm))
    regions = _regions(study, keys)
    harmonizer, note = None, ""
    if settings.harmonize and regions:
        known = both.taken(training)
        harmonizer, note = fit_harmonizer(
            known.table[list(regions)],
            known.people,
            scanner=np.array(known.scanner, dtype=np.str_),
            truth=truth,
        )
    table = _harmonized(both, keys, harmonizer)
    norm = None
    if settings.features == "z" and regions:
        norm, members = _norm(both, table[list(regions)], z_step)
        table = _as_z(table, both.people, norm, members)
    table = table.iloc[training]
    imputer = fit_imputer(table)
    whole = impute(imputer, table)
    scaler = fit_scaler(whole)
    made = Preparation(keys, regions, harmonizer, norm, imputer, scaler)
    holes = table.isna().to_numpy()
    inputs = Inputs(scale(scaler, whole).to_numpy(), holes)
    return made, inputs, (*notes, *([note] if note else []))


def prepare(made: Preparation, study: Study) -> Inputs:
    """Inputs of every row of a study; a column that it lacks is missing in every row."""
    table = _harmonized(study, made.keys, made.harmonizer)
    if made.norm is not None:
        table = _as_z(table, study.people, made.norm, None)
    whole = impute(made.imputer, table)
    return Inputs(scale(made.scaler, whole).to_numpy(), table.isna().to_numpy())


def _present(table: pd.DataFrame, keys: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    """(predictors that enough rows have, sentences about the others).

    Raises:
        DatasetError: a covariate is known of nobody.
        ModelError: nothing is left.
    """
    share = table[list(keys)].isna().mean()
    for name in ("age", "sex", "education_years"):
        if name in keys and share[name] == 1:
            raise DatasetError(
                f"{name} is known of nobody.", hint=f"Fill the column {name} of participants.tsv."
            )
    few = [name for name in keys if share[name] > MAX_HOLES]
    kept = tuple(name for name in keys if share[name] <= MAX_HOLES)
    if not kept:
        raise ModelError("Every predictor is missing in more than half of the people.")
    notes = (
        [f"Missing in more than half of the people, not taken: {', '.join(few)}."] if few else []
    )
    return kept, notes


def _regions(study: Study, keys: tuple[str, ...]) -> tuple[str, ...]:
    kinds = {each.key: each.kind for each in study.predictors}
    return tuple(name for name in keys if kinds[name] is Kind.REGION)


def _harmonized(study: Study, keys: tuple[str, ...], harmonizer: Harmonizer | None) -> pd.DataFrame:
    table = study.table.reindex(columns=list(keys)).astype(np.float64)
    if harmonizer is not None:
        names = list(harmonizer.names)
        scanner = np.array(study.scanner, dtype=np.str_)
        table[names] = harmonize(harmonizer, table[names], study.people, scanner=scanner)
    return table


def _norm(
    study: Study, regions: pd.DataFrame, z_step: ZStep | None
) -> tuple[FittedZ, NDArray[np.bool_]]:
    if z_step is None:
        raise ModelError("Regions as z need a norm.", hint="Choose --features ratio.")
    is_normal = np.array(study.diagnosis, dtype=object) == Diagnosis.CN.value
    norm = z_step.fit(regions, study.people, is_normal)
    members = is_normal & regions.notna().all(axis=1).to_numpy()
    for name in norm.how.covariates:
        column = study.people[name]
        members &= (column.notna() & (column.astype(str) != "")).to_numpy()
    return norm, members


def _as_z(
    table: pd.DataFrame,
    people: pd.DataFrame,
    norm: FittedZ,
    members: NDArray[np.bool_] | None,
) -> pd.DataFrame:
    names = list(norm.names)
    table = table.copy()
    table[names] = norm.z(table[names], people, members)
    return table
