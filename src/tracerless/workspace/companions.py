"""What lies beside a prepared session for people and for other tools.

The contact sheet; the atlas in the T1's space and the sizes of its regions; the maps between spaces
in the form that ITK reads. Nothing here is read back by tracerless: it can be made again.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tracerless import __version__, publish
from tracerless.core.atlas import Atlas
from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid, with_spacing
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import bids, nifti, resources, xfm
from tracerless.io.atomic import write_bytes, write_json, write_text
from tracerless.workspace.clean import clean_session
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset
from tracerless.workspace.provenance import provenance
from tracerless.workspace.shelf import SessionShelf

LOOKUP: dict[str, Any] = {
    "index": {"Description": "value of the region in the label volume"},
    "name": {"Description": "key of the region, as in every table"},
    "hemisphere": {"Description": "L, R, or B for both"},
    "lobe": {"Description": "group of regions"},
}
"""What the columns of a label table mean, as its sidecar says it."""

COMPANIONS = "companions"
"""Record of what was written beside a prepared session."""

FIELD_MM = 4.0
"""Spacing of a field of vectors over a native grid of which no tissues are known, mm."""

_VERSION = 2


def accompany(dataset: Dataset, key: SessionKey) -> None:
    """Write contact sheet, label map, region sizes and ITK maps of a session, unless they stand.

    A session that is not prepared is left alone. Equal values, equal bytes.

    Raises:
        DatasetError: what is kept of the session is damaged.
        StorageError: the disk refused.
    """
    shelf = SessionShelf(dataset, key)
    kept = shelf.record("prepared")
    if kept is None:
        return
    synthetic = shelf.record("synthetic") or {}
    simulated = is_simulated(dataset, key)
    mark = fingerprint(_VERSION, __version__, kept["digest"], synthetic.get("digest"), simulated)
    path = bids.session_file(dataset.derivatives, key, COMPANIONS, ".json")
    older = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    picture = bids.sheet_path(dataset.derivatives, key)
    if older.get("digest") == mark and picture.is_file():
        return
    path.unlink(missing_ok=True)
    files = _write(dataset, shelf, picture, simulated=simulated)
    for gone in set(older.get("files", ())) - set(files):
        (dataset.derivatives / gone).unlink(missing_ok=True)
    write_json(path, {"digest": mark, "files": files, "made_by": provenance(dataset)})


def _write(dataset: Dataset, shelf: SessionShelf, picture: Path, *, simulated: bool) -> list[str]:
    """Write everything; the files beside the picture, relative to the derivatives."""
    recipe = dataset.recipe.prepare
    atlas = resources.atlas(recipe.atlas, recipe.voxel_mm, dataset.root)
    prepared: Prepared = shelf.latest("prepared")
    sheet = publish.contact_sheet(
        prepared,
        resources.template(recipe.voxel_mm),
        atlas,
        prediction=prediction_of(shelf, prepared),
        simulated=simulated,
    )
    write_bytes(picture, sheet)
    made = (*_write_regions(dataset, prepared, atlas), *_write_maps(dataset, prepared))
    return [str(each.relative_to(dataset.derivatives)) for each in made]


def sheet_of(dataset: Dataset, key: SessionKey) -> bytes:
    """The contact sheet of a prepared session, made where it is missing or old; PNG."""
    accompany(dataset, key)
    return bids.sheet_path(dataset.derivatives, key).read_bytes()


def prediction_of(shelf: SessionShelf, prepared: Prepared) -> Prediction | None:
    """The synthetic PET that belongs to the session as it is prepared now, or None.

    None too when the session failed its checks, was prepared anew since, or when what is kept
    cannot be read: `tracerless synthesize predict` makes it again, or says why not.
    """
    if prepared.verdict == "fail":
        return None
    try:
        found: Prediction | None = shelf.latest("synthetic")
    except DatasetError:
        return None
    if found is None or found.volume.grid != prepared.grid:
        return None
    made_from = found.provenance.get("prepared", prepared.fingerprint)
    return found if made_from == prepared.fingerprint else None


def is_simulated(dataset: Dataset, key: SessionKey) -> bool:
    """Whether the whole dataset, or every series of the session, says that it is simulated."""
    if (dataset.root / SIMULATED_MARK).is_file():
        return True
    if key not in dataset.source_sessions():
        return False
    return all(each.is_synthetic for each in clean_session(dataset.root, key).series)


def regions_of(prepared: Prepared, atlas: Atlas) -> Volume | None:
    """The atlas on the lattice of the T1's tissues, 0 outside the brain; None without a T1."""
    anatomy = prepared.anatomy
    if anatomy is None:
        return None
    labels = Volume(atlas.labels.astype(np.float32), atlas.grid, Quantity.LABEL, Contrast.T1W)
    pulled = resample(labels, anatomy.grid, prepared.to_template, order=0)
    inside = (anatomy.brain.array > 0) & np.isfinite(pulled.array)
    return with_array(pulled, np.where(inside, pulled.array, np.float32(0)))


def lookup(atlas: Atlas) -> pd.DataFrame:
    """Index, name, side and group of every region, in the atlas' order."""
    rows = [(r.index, r.key, r.hemisphere, r.lobe) for r in atlas.regions]
    return pd.DataFrame(rows, columns=["index", "name", "hemisphere", "lobe"])


def _write_regions(dataset: Dataset, prepared: Prepared, atlas: Atlas) -> tuple[Path, ...]:
    volume = regions_of(prepared, atlas)
    if volume is None:
        return ()
    path = bids.regions_path(dataset.derivatives, prepared.key, atlas.key)
    sources = bids.raw_uris(dataset.root, prepared.key, Contrast.T1W)
    space = {"SpatialReference": sources[0] if sources else "orig", "Sources": sources}
    written = nifti.write_volume(path, volume, extra={**space, **LOOKUP, "Atlas": atlas.key})
    names = path.with_name(path.name.replace(".nii.gz", ".tsv"))
    write_text(names, tsv(lookup(atlas)))
    labels = volume.array.astype(np.int64).ravel()
    counts = np.bincount(labels, minlength=max(r.index for r in atlas.regions) + 1)
    sizes = lookup(atlas)
    sizes["n_voxels"] = [int(counts[region.index]) for region in atlas.regions]
    sizes["volume_mm3"] = sizes["n_voxels"] * volume.grid.voxel_ml * 1000
    morph = bids.morph_path(dataset.derivatives, prepared.key, atlas.key)
    write_text(morph, tsv(sizes))
    return (*written, names, morph)


def _write_maps(dataset: Dataset, prepared: Prepared) -> list[Path]:
    """Every map as ITK reads it; ``from-A_to-B`` brings volumes of A onto a grid of B."""
    root, key = dataset.derivatives, prepared.key
    written = []
    for point_map, grid in (
        (prepared.to_native, prepared.grid),
        (prepared.to_template, _own_lattice(prepared)),
        *((affine, None) for affine in prepared.alignments.values()),
    ):
        stem = bids.map_stem(root, key, point_map.target, point_map.source, "image")
        written.append(xfm.write_itk(stem, point_map, grid=grid))
    return written


def _own_lattice(prepared: Prepared) -> Grid:
    if prepared.anatomy is not None:
        return prepared.anatomy.grid
    return with_spacing(prepared.native_grid, FIELD_MM)


def tsv(table: pd.DataFrame) -> str:
    """A table as BIDS wants it."""
    return str(table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
