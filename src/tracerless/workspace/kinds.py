"""How each value of a session is written and read: pairs of functions, no science.

``save`` writes the value's files and returns its record; ``load`` reads them back, bit for bit.
Every record lists what it wrote under ``files``, so that a later value can take its place whole.
"""

from pathlib import Path

import pandas as pd

from tracerless.core.grid import Grid
from tracerless.core.people import SessionKey
from tracerless.core.session import Anatomy, Native, NativeSeries, Prepared
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, Scale
from tracerless.io import bids, bids_rules, maps, nifti
from tracerless.io.atomic import write_text
from tracerless.workspace.kinds_common import Record, edge_mm, own_space, raw, standard
from tracerless.workspace.kinds_synthetic import (
    load_synthetic,
    load_synthetic_native,
    save_synthetic,
    save_synthetic_native,
)

__all__ = [
    "TISSUES", "Record", "load_native", "load_prepared", "load_synthetic", "load_synthetic_native",
    "save_native", "save_prepared", "save_synthetic", "save_synthetic_native",
]  # fmt: skip

TISSUES = ("brain", "grey", "white", "csf")
"""Volumes of an ``Anatomy``."""


def save_native(root: Path, key: SessionKey, native: Native) -> Record:
    """Write every converted series as NIfTI and sidecar."""
    counts = pd.Series([series.contrast for series in native.series]).value_counts()
    flow = native.of(Contrast.ASL)
    timed = flow is not None and not bids_rules.missing(flow)
    seen: dict[Contrast, int] = {}
    files = []
    for series in native.series:
        seen[series.contrast] = seen.get(series.contrast, 0) + 1
        run = seen[series.contrast] if counts[series.contrast] > 1 else 0
        declared = _declared(series, timed=timed)
        path = bids.native_path(root, key, series.contrast, run, declared=declared)
        base = path.with_name(path.name.removesuffix(".nii.gz"))
        nifti.write_series(base, series, extra=_for_bids(root, key, series, declared=declared))
        if series.contrast is Contrast.ASL and declared:
            context = "\n".join(("volume_type", *map(str, series.sidecar["AslContext"]), ""))
            write_text(bids.context_path(path), context)
        files.append(str(path.relative_to(root)))
    return {"files": files, "left_out": list(native.left_out)}


def load_native(root: Path, key: SessionKey, record: Record) -> Native:
    """Read every converted series."""
    names = (name.removesuffix(".nii.gz") for name in record["files"])
    series = tuple(nifti.read_series(root / name) for name in names)
    return Native(key, series, tuple(record.get("left_out", ())))


def save_prepared(root: Path, key: SessionKey, prepared: Prepared) -> Record:
    """Write volumes in template space, maps, tissues, and what was measured on the way."""
    volumes = {str(c): _save_volume(root, key, prepared, c) for c in prepared.volumes}
    both = {"to_native": prepared.to_native, "to_template": prepared.to_template}
    stems = {
        name: bids.map_stem(root, key, each.source, each.target, "points")
        for name, each in both.items()
    }
    for name, stem in stems.items():
        maps.write_map(_ended(stem), both[name])
    mapped = {name: str(_ended(stem).relative_to(root)) for name, stem in stems.items()}
    tissues = _save_anatomy(root, key, prepared.anatomy)
    return {
        "template": prepared.template,
        "contrasts": [*volumes],
        "volumes": volumes,
        "maps": mapped,
        "anatomy": tissues,
        "alignments": {str(c): _affine_record(a) for c, a in prepared.alignments.items()},
        "scales": {str(c): [str(s.quantity), s.factor] for c, s in prepared.scales.items()},
        "native_grid": _grid_record(prepared.native_grid),
        "qc": dict(prepared.qc),
        "verdict": prepared.verdict,
        "reasons": list(prepared.reasons),
        "fingerprint": prepared.fingerprint,
        "sources": dict(prepared.sources),
        "files": [*volumes.values(), *mapped.values(), *tissues.get("volumes", {}).values()],
    }


def load_prepared(root: Path, key: SessionKey, record: Record) -> Prepared:
    """Read a session in template space."""
    return Prepared(
        key=key,
        template=record["template"],
        volumes={
            Contrast(text): nifti.read_volume(root / name)
            for text, name in ((each, record["volumes"][each]) for each in record["contrasts"])
        },
        native_grid=_grid(record["native_grid"]),
        to_native=maps.read_map(root / record["maps"]["to_native"]),
        to_template=maps.read_map(root / record["maps"]["to_template"]),
        qc=record["qc"],
        verdict=record["verdict"],
        reasons=tuple(record["reasons"]),
        fingerprint=record["fingerprint"],
        sources=record["sources"],
        anatomy=_load_anatomy(root, record["anatomy"]),
        alignments={Contrast(c): Affine(**each) for c, each in record["alignments"].items()},
        scales={
            Contrast(c): Scale(Quantity(unit), factor)
            for c, (unit, factor) in record["scales"].items()
        },
    )


def _declared(series: NativeSeries, *, timed: bool) -> bool:
    """Whether BIDS would take a series as it is; an M0 stands or falls with its ASL."""
    return not bids_rules.missing(series) and (series.contrast is not Contrast.M0 or timed)


def _for_bids(root: Path, key: SessionKey, series: NativeSeries, *, declared: bool) -> Record:
    """Fields that BIDS wants beside a perfusion series and that follow from the others."""
    if series.contrast is Contrast.M0 and declared:
        meant = bids.native_path(root, key, Contrast.ASL)
        return {"IntendedFor": [f"bids::{meant.relative_to(root).as_posix()}"]}
    if series.contrast is Contrast.ASL and declared:
        return bids_rules.asl_extra(series.sidecar)
    return {}


def _save_volume(root: Path, key: SessionKey, prepared: Prepared, contrast: Contrast) -> str:
    volume = prepared.volumes[contrast]
    path = bids.derived_path(root, key, contrast, space=prepared.template, voxel_mm=edge_mm(volume))
    scale = prepared.scales.get(contrast)
    extra = {
        **standard(volume),
        "Description": f"{contrast} on the grid of the template, interpolated once",
        "PipelineHash": prepared.fingerprint,
        "Verdict": prepared.verdict,
        "Sources": bids.raw_uris(raw(root), key, contrast),
        "Made": prepared.sources.get(str(contrast), {}),
    }
    if scale is not None:
        extra |= {"AbsoluteUnits": str(scale.quantity), "AbsoluteFactor": scale.factor}
    nifti.write_volume(path, volume, space=prepared.template, extra=extra)
    return str(path.relative_to(root))


def _save_anatomy(root: Path, key: SessionKey, anatomy: Anatomy | None) -> Record:
    if anatomy is None:
        return {}
    names = {}
    for part in TISSUES:
        path = bids.tissue_path(root, key, part)
        kind = {"Description": f"{part} in the T1's space, at the template's spacing"}
        if part == "brain":
            kind["Type"] = "Brain"
        nifti.write_volume(path, getattr(anatomy, part), extra={**own_space(root, key), **kind})
        names[part] = str(path.relative_to(root))
    return {"space": anatomy.space, "volumes": names}


def _load_anatomy(root: Path, record: Record) -> Anatomy | None:
    if not record:
        return None
    names = record["volumes"]
    return Anatomy(record["space"], *(nifti.read_volume(root / names[part]) for part in TISSUES))


def _ended(stem: Path) -> Path:
    return stem.with_name(stem.name + ".npz")


def _affine_record(affine: Affine) -> Record:
    return {"source": affine.source, "target": affine.target, "matrix": affine.matrix.tolist()}


def _grid_record(grid: Grid) -> Record:
    return {"shape": list(grid.shape), "affine": grid.affine.tolist()}


def _grid(record: Record) -> Grid:
    i, j, k = record["shape"]
    return Grid((i, j, k), record["affine"])
