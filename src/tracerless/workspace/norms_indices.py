"""Clinical indices of a dataset: asymmetry and island with their own norms, and those of maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless import score
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError
from tracerless.core.norm import Array, Norm
from tracerless.io import norms as files
from tracerless.score import indices
from tracerless.score.apply import MEANINGS as OF_SCORES
from tracerless.workspace.norms_scans import Scans

FILE = "indices.json"
COLUMNS = ("value", "expected", "z", "z_low", "z_high", "percentile", "reason")
_KEYS = (
    "participant_id", "session_id", "measure", "in_norm", "norm", "contrast", "n_normal",
    "family_cut", "fingerprint",
)  # fmt: skip
MEANINGS: dict[str, dict[str, Any]] = {
    **{name: OF_SCORES[name] for name in (*_KEYS, *COLUMNS)},
    "measure": {
        "Description": "index; AI_<pair> is asymmetry in percent, + = more on the left",
        "Levels": {**indices.MEANINGS},
    },
    "percentile": {
        "Description": "share of normal people below, percent; of severity, extent and ratio "
        "counted among the norm's own people, each left out once"
    },
}
"""Of the columns of the table of indices that a dataset keeps."""


def fit(name: str, normal: Scans, covariates: Sequence[str], source: Path | None) -> Norm | None:
    """The norm of asymmetries and of the cingulate island ratio; None where there is none of them.

    Args:
        name: of the norm.
        normal: people.
        covariates: of the norm.
        source: folder of a norm that is carried over.
    """
    table = measured(normal)
    known = table.notna().all(axis=0) & (table.std() > 0)
    table = table.loc[:, known]
    if table.empty:
        return None
    if source is not None:
        carried = read(source)
        if carried is None or not set(carried.names) <= set(table):
            return None
        return score.transferred(
            carried, name, table[list(carried.names)], normal.people, digests=normal.digests
        )
    return score.norm(
        name,
        table,
        normal.people,
        measured=normal.measured,
        covariates=covariates,
        options=score.Options(digests=normal.digests),
    )


def measured(found: Scans) -> pd.DataFrame:
    """Asymmetries and island ratio of every scan; without a column where nothing is known."""
    if found.asymmetries is None:
        return pd.DataFrame(index=found.values.index)
    ratio = indices.island(found.values)
    parts = [found.asymmetries] if ratio is None else [found.asymmetries, ratio]
    return pd.concat(parts, axis=1)


def write(folder: Path, norm: Norm | None) -> None:
    """Keep the norm of indices, or remove an older one."""
    if norm is None:
        (folder / FILE).unlink(missing_ok=True)
    else:
        files.write(folder / FILE, norm)


def read(folder: Path) -> Norm | None:
    """The norm of indices in that folder, or None."""
    return files.read(folder / FILE) if (folder / FILE).is_file() else None


def apply(
    folder: Path,
    norm: Norm,
    found: Scans,
    parts: tuple[pd.DataFrame, pd.DataFrame],
    members: Array,
) -> pd.DataFrame:
    """Every index of every scan.

    Args:
        folder: of the norm.
        norm: of the regions.
        found: the scans.
        parts: z of the regions as `score.scores` gives it, and the indices of the maps.
        members: (n,) 1 for the norm's own scans.

    Returns:
        Index (row, measure), columns `COLUMNS`.
    """
    own = read(folder)
    tables = [parts[1]]
    if own is not None:
        values = measured(found)
        lacking = [name for name in own.names if name not in values]
        if lacking:
            raise DatasetError(f"The dataset has no {lacking[0]}, which norm {norm.key} has.")
        tables.append(score.scores(own, values, found.people, members=members)[[*COLUMNS]])
    if norm.has_z:
        tables.append(_convergence(norm, found, parts[0]))
    filled = [table for table in tables if len(table)]
    if not filled:
        return _empty()
    whole = pd.concat(filled)
    return whole.sort_index(level="row", sort_remaining=False, kind="stable")


def _convergence(norm: Norm, found: Scans, table: pd.DataFrame) -> pd.DataFrame:
    """How far each scan's z goes the way of the dataset's people with Alzheimer's disease."""
    rows = table.index.get_level_values("row").unique()
    z = table["z"].to_numpy(dtype=np.float64).reshape(len(rows), len(norm.names))
    correlation = norm.models[norm.measured.reference].correlation
    ill = (found.people["diagnosis"] == Diagnosis.AD.value).to_numpy()
    person = [person for person, _ in found.keys]
    value = indices.convergence(z, correlation, ill, person)
    known = np.isfinite(value)
    index = pd.MultiIndex.from_product(
        [rows[known], [indices.CONVERGENCE]], names=["row", "measure"]
    )
    told = pd.DataFrame(np.nan, index=index, columns=[*COLUMNS]).astype({"reason": object})
    told["value"] = told["z"] = value[known]
    return told.assign(expected=0.0, reason=norm.banner)


def _empty() -> pd.DataFrame:
    index = pd.MultiIndex.from_arrays([[], []], names=["row", "measure"])
    return pd.DataFrame(columns=[*COLUMNS], index=index)
