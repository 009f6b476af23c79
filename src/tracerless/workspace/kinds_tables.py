"""How region tables are written and read: one TSV a table, described by the JSON beside it.

Regions, composites and reference regions are rows of one file, told apart by ``kind``. Emission
tables come with a ``_tacs.tsv``: the same means as a time course of one frame.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import DatasetError
from tracerless.core.people import SessionKey
from tracerless.core.volume import EMISSION, Contrast, Quantity, Scale
from tracerless.io import bids
from tracerless.io.atomic import write_json, write_text

Record = dict[str, Any]
Tables = Mapping[Contrast, RoiTable]

COLUMNS: Mapping[str, str] = {
    "name": "key of the region, as in the atlas",
    "kind": "region, composite (several regions together) or reference",
    "n_voxels": "voxels inside the field of view",
    "volume_ml": "size of the whole region in template space, ml",
    "coverage": "share of the region inside the field of view, 0-1",
    "mean": "mean over what was seen; n/a, never 0, where nothing was",
    "median": "median over what was seen",
    "sd": "standard deviation over what was seen",
}
"""Columns of a region table and what they mean."""


def save_uptake(root: Path, key: SessionKey, uptake: Tables) -> Record:
    """Write one region table per contrast."""
    tables = [_save(root, key, table) for table in uptake.values()]
    return {"tables": tables, "files": [name for each in tables for name in each["files"]]}


def load_uptake(root: Path, key: SessionKey, record: Record) -> dict[Contrast, RoiTable]:
    """Read one region table per contrast."""
    tables = [_load(root, key, each) for each in record["tables"]]
    return {table.contrast: table for table in tables}


def save_synthetic_uptake(root: Path, key: SessionKey, table: RoiTable) -> Record:
    """Write the region table of synthetic FDG."""
    return save_uptake(root, key, {table.contrast: table})


def load_synthetic_uptake(root: Path, key: SessionKey, record: Record) -> RoiTable:
    """Read the region table of synthetic FDG."""
    return _load(root, key, record["tables"][0])


def _save(root: Path, key: SessionKey, table: RoiTable) -> Record:
    path = bids.table_path(root, key, table.contrast, table.atlas, pvc=table.pvc)
    text = _rows(table).to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    write_text(path, text)
    write_json(path.with_suffix(".json"), {"Columns": dict(COLUMNS), **_described(table)})
    files = [path, path.with_suffix(".json")]
    if table.contrast in EMISSION:
        files += _save_curve(bids.curve_path(path), table)
    return {
        "file": str(path.relative_to(root)),
        "files": [str(each.relative_to(root)) for each in files],
        "contrast": str(table.contrast),
        "quantity": str(table.quantity),
        "atlas": table.atlas,
        "reference": table.reference,
        "fingerprint": table.fingerprint,
        "pvc": table.pvc,
        "scale": None if table.scale is None else [str(table.scale.quantity), table.scale.factor],
    }


def _rows(table: RoiTable) -> pd.DataFrame:
    parts = [
        _named(values, kind)
        for values, kind in ((table.values, "region"), (table.composites, "composite"))
        if len(values)
    ]
    if table.references:
        means = pd.DataFrame({"mean": pd.Series(dict(table.references))}, columns=[*ROI_COLUMNS])
        parts.append(_named(means, "reference"))
    return pd.concat([part.astype(object) for part in parts])


def _named(values: pd.DataFrame, kind: str) -> pd.DataFrame:
    named = values.rename_axis("name").reset_index()
    named.insert(1, "kind", kind)
    return named


def _described(table: RoiTable) -> Record:
    """The JSON beside a table."""
    scale = {} if table.scale is None else {
        "AbsoluteUnits": str(table.scale.quantity), "AbsoluteFactor": table.scale.factor
    }  # fmt: skip
    return {
        "Contrast": str(table.contrast),
        "Units": str(table.quantity),
        "Atlas": table.atlas,
        "ReferenceRegion": table.reference or "none",
        "PartialVolumeCorrection": table.pvc or "none",
        "PipelineHash": table.fingerprint,
        "Synthetic": table.contrast is Contrast.SYNTHETIC_FDG,
        **scale,
    }


def _save_curve(path: Path, table: RoiTable) -> list[Path]:
    """Means as a time course of one frame: a static scan has no other."""
    row = {"frame_start": "n/a", "frame_end": "n/a", **table.means.to_dict()}
    text = pd.DataFrame([row]).to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    write_text(path, text)
    meant = {
        "frame_start": "n/a: the frames were averaged",
        "frame_end": "n/a: the frames were averaged",
        "other columns": "mean of the region of that name",
    }
    write_json(path.with_suffix(".json"), {"Columns": meant, **_described(table)})
    return [path, path.with_suffix(".json")]


def _load(root: Path, key: SessionKey, record: Record) -> RoiTable:
    path = root / record["file"]
    if not path.is_file():
        raise DatasetError(
            f"{key}: {path.name} is missing.",
            hint="Run `tracerless quantify` for the dataset again.",
        )
    text = path.read_text(encoding="utf-8")
    rows = pd.read_csv(
        io.StringIO(text), sep="\t", na_values="n/a", keep_default_na=False, dtype=str
    )
    references = rows[rows["kind"] == "reference"]
    scale = record["scale"]
    return RoiTable(
        contrast=Contrast(record["contrast"]),
        quantity=Quantity(record["quantity"]),
        atlas=record["atlas"],
        reference=record["reference"],
        fingerprint=record["fingerprint"],
        values=_of_kind(rows, "region", "region"),
        composites=_of_kind(rows, "composite", "composite"),
        references=dict(zip(references["name"], references["mean"].astype(float), strict=True)),
        pvc=record["pvc"],
        scale=None if scale is None else Scale(Quantity(scale[0]), scale[1]),
    )


def _of_kind(rows: pd.DataFrame, kind: str, index: str) -> pd.DataFrame:
    chosen = rows[rows["kind"] == kind].set_index("name").rename_axis(index)[[*ROI_COLUMNS]]
    numbers = chosen.astype(dict.fromkeys(ROI_COLUMNS, float))
    return numbers.astype({"n_voxels": int}) if numbers["n_voxels"].notna().all() else numbers
