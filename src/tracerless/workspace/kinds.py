"""How each value of a session is written and read: pairs of functions, no science.

``save`` writes the value's files and returns its record; ``load`` reads them back, bit for bit.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.session import Native, Prepared
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import bids, maps, nifti
from tracerless.io.atomic import write_text

Record = dict[str, Any]


def save_native(root: Path, key: SessionKey, native: Native) -> Record:
    """Write every converted series as NIfTI and sidecar."""
    counts = pd.Series([series.contrast for series in native.series]).value_counts()
    seen: dict[Contrast, int] = {}
    files = []
    for series in native.series:
        seen[series.contrast] = seen.get(series.contrast, 0) + 1
        run = seen[series.contrast] if counts[series.contrast] > 1 else 0
        path = bids.native_path(root, key, series.contrast, run)
        nifti.write_series(path.with_name(path.name.removesuffix(".nii.gz")), series)
        files.append(str(path.relative_to(root)))
    return {"files": files}


def load_native(root: Path, key: SessionKey, record: Record) -> Native:
    """Read every converted series."""
    names = (name.removesuffix(".nii.gz") for name in record["files"])
    return Native(key, tuple(nifti.read_series(root / name) for name in names))


def save_prepared(root: Path, key: SessionKey, prepared: Prepared) -> Record:
    """Write volumes in template space, both maps, and what was measured on the way."""
    for contrast, volume in prepared.volumes.items():
        path = bids.derived_path(root, key, contrast, space=prepared.template)
        nifti.write_volume(path, volume, space=prepared.template)
    maps.write_map(_map_path(root, key, prepared.template, "native"), prepared.to_native)
    maps.write_map(_map_path(root, key, "native", prepared.template), prepared.to_template)
    return {
        "template": prepared.template,
        "contrasts": [str(contrast) for contrast in prepared.volumes],
        "native_grid": _grid_record(prepared.native_grid),
        "qc": dict(prepared.qc),
        "verdict": prepared.verdict,
        "reasons": list(prepared.reasons),
        "fingerprint": prepared.fingerprint,
        "sources": dict(prepared.sources),
    }


def load_prepared(root: Path, key: SessionKey, record: Record) -> Prepared:
    """Read a session in template space."""
    template = record["template"]
    contrasts = [Contrast(text) for text in record["contrasts"]]
    return Prepared(
        key=key,
        template=template,
        volumes={
            c: nifti.read_volume(bids.derived_path(root, key, c, space=template)) for c in contrasts
        },
        native_grid=_grid(record["native_grid"]),
        to_native=maps.read_map(_map_path(root, key, template, "native")),
        to_template=maps.read_map(_map_path(root, key, "native", template)),
        qc=record["qc"],
        verdict=record["verdict"],
        reasons=tuple(record["reasons"]),
        fingerprint=record["fingerprint"],
        sources=record["sources"],
    )


def save_uptake(root: Path, key: SessionKey, uptake: dict[Contrast, RoiTable]) -> Record:
    """Write one region table per contrast."""
    return {"tables": [_save_table(root, key, table) for table in uptake.values()]}


def load_uptake(root: Path, key: SessionKey, record: Record) -> dict[Contrast, RoiTable]:
    """Read one region table per contrast."""
    tables = [_load_table(root, key, each) for each in record["tables"]]
    return {table.contrast: table for table in tables}


def save_synthetic(root: Path, key: SessionKey, prediction: Prediction) -> Record:
    """Write synthetic FDG in template space, marked in name, header and sidecar."""
    space = prediction.provenance["template"]
    path = bids.derived_path(root, key, Contrast.SYNTHETIC_FDG, space=space)
    nifti.write_volume(path, prediction.volume, space=space, extra=_synthetic_sidecar(prediction))
    return {
        "space": space,
        "inputs": [str(contrast) for contrast in prediction.inputs],
        "model": prediction.model,
        "reference": prediction.reference,
        "training_domain": prediction.training_domain,
        "fingerprint": prediction.fingerprint,
        "notes": list(prediction.notes),
        "provenance": dict(prediction.provenance),
    }


def load_synthetic(root: Path, key: SessionKey, record: Record) -> Prediction:
    """Read synthetic FDG in template space."""
    path = bids.derived_path(root, key, Contrast.SYNTHETIC_FDG, space=record["space"])
    return Prediction(
        key=key,
        volume=nifti.read_volume(path),
        inputs=tuple(Contrast(text) for text in record["inputs"]),
        model=record["model"],
        reference=record["reference"],
        training_domain=record["training_domain"],
        fingerprint=record["fingerprint"],
        notes=tuple(record["notes"]),
        provenance=record["provenance"],
    )


def save_synthetic_native(root: Path, key: SessionKey, volume: Volume) -> Record:
    """Write synthetic FDG on the person's own T1 grid."""
    path = bids.derived_path(root, key, Contrast.SYNTHETIC_FDG, space="T1w")
    nifti.write_volume(path, volume, extra={"Synthetic": True})
    return {"space": "T1w"}


def load_synthetic_native(root: Path, key: SessionKey, record: Record) -> Volume:
    """Read synthetic FDG on the person's own T1 grid."""
    path = bids.derived_path(root, key, Contrast.SYNTHETIC_FDG, space=record["space"])
    return nifti.read_volume(path)


def save_synthetic_uptake(root: Path, key: SessionKey, table: RoiTable) -> Record:
    """Write the region table of synthetic FDG."""
    return {"tables": [_save_table(root, key, table)]}


def load_synthetic_uptake(root: Path, key: SessionKey, record: Record) -> RoiTable:
    """Read the region table of synthetic FDG."""
    return _load_table(root, key, record["tables"][0])


def _synthetic_sidecar(prediction: Prediction) -> Record:
    return {
        "Synthetic": True,
        "SyntheticFrom": [str(contrast) for contrast in prediction.inputs],
        "Model": prediction.model,
        "ModelTrainingDomain": prediction.training_domain,
        "ReferenceRegion": prediction.reference,
    }


def _save_table(root: Path, key: SessionKey, table: RoiTable) -> Record:
    path = bids.session_file(root, key, f"{table.contrast}{table.atlas}", ".tsv")
    text = table.values.to_csv(sep="\t", index_label="region", na_rep="n/a", lineterminator="\n")
    write_text(path, text)
    return {
        "file": path.name,
        "contrast": str(table.contrast),
        "quantity": str(table.quantity),
        "atlas": table.atlas,
        "reference": table.reference,
        "fingerprint": table.fingerprint,
    }


def _load_table(root: Path, key: SessionKey, record: Record) -> RoiTable:
    path = bids.session_folder(root, key) / record["file"]
    if not path.is_file():
        raise DatasetError(
            f"{path.name} is missing.", hint="Run `tracerless quantify` for the dataset again."
        )
    values = pd.read_csv(
        path, sep="\t", index_col="region", na_values="n/a", float_precision="round_trip"
    )
    return RoiTable(
        contrast=Contrast(record["contrast"]),
        quantity=Quantity(record["quantity"]),
        atlas=record["atlas"],
        reference=record["reference"],
        fingerprint=record["fingerprint"],
        values=values[list(ROI_COLUMNS)],
    )


def _map_path(root: Path, key: SessionKey, source: str, target: str) -> Path:
    name = f"{key}_from-{source}_to-{target}_mode-points_xfm.npz"
    return bids.session_folder(root, key) / "anat" / name


def _grid_record(grid: Grid) -> Record:
    return {"shape": list(grid.shape), "affine": grid.affine.tolist()}


def _grid(record: Record) -> Grid:
    i, j, k = record["shape"]
    return Grid((i, j, k), record["affine"])
