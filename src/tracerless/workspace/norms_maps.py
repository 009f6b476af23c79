"""Norms of maps over a dataset: fitted scan by scan, and a map of z of every scan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tracerless import publish
from tracerless.core.errors import DatasetError, RecipeMismatchError
from tracerless.core.norm import Array
from tracerless.core.norm_maps import INDICES, MapNorm
from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import nifti, resources
from tracerless.io import norm_maps as files
from tracerless.io.atomic import write_bytes
from tracerless.score import indices
from tracerless.score.maps import Stack, carried, unreached, z_map
from tracerless.score.places import Places, map_norms
from tracerless.score.surface import surface
from tracerless.workspace.batch import Track
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.norms_indices import COLUMNS
from tracerless.workspace.norms_scans import COGNITION, Scans
from tracerless.workspace.norms_volumes import is_there, key_of, volume_of

FILES = {"voxels": "voxels.npz", "surface": "surface.npz"}
META = "meta_AD"
SURFACE_MM = 2.0
"""Grid of the template that the surface is told on, whatever the recipe's."""
Pair = tuple[MapNorm, MapNorm]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What came of the maps: indices by (row, measure), how many maps, which scans have none."""

    indices: pd.DataFrame
    n: int
    left_out: tuple[str, ...]


def fit(
    dataset: Dataset,
    name: str,
    normal: Scans,
    covariates: Sequence[str],
    *,
    source: Path | None,
    new: bool,
) -> Pair | None:
    """Norms of the voxels and of the surface, or None where none was asked for.

    Args:
        dataset: with the prepared volumes.
        name: of the norm.
        normal: people.
        covariates: of the norm.
        source: folder of a norm that is carried over with its maps.
        new: whether maps are asked for.

    Raises:
        DatasetError: too few people, a volume is missing, or scans cover too little.
    """
    if not new:
        return None
    if normal.measured.contrast == COGNITION:
        raise DatasetError("Tests have no voxels.", hint="Leave out --voxels with --of cognition.")
    for row in range(len(normal.keys)):
        is_there(dataset, normal, row)
    where = places(dataset)
    stack = Stack(len(normal.keys), lambda row: where.read(volume_of(dataset, normal, row)))
    if source is None:
        return map_norms(
            name,
            stack,
            normal.people,
            measured=normal.measured,
            covariates=covariates,
            places=where,
            digests=normal.digests,
        )
    pair = read(source)
    if pair is None:
        raise DatasetError(
            f"The norm in {source.name} has no maps to carry over.",
            hint="Fit it with --voxels first, or leave --voxels out here.",
        )
    moved = [
        carried(each, name, stack.at(_kept(each, where)), normal.people, normal.digests)
        for each in pair
    ]
    return moved[0], moved[1]


def write(folder: Path, maps: Pair | None) -> None:
    """Keep both norms of maps, or remove older ones."""
    for place, each in enumerate(FILES.values()):
        if maps is None:
            (folder / each).unlink(missing_ok=True)
        else:
            files.write(folder / each, maps[place])


def read(folder: Path) -> Pair | None:
    """Both norms of maps in that folder, or None."""
    if not all((folder / each).is_file() for each in FILES.values()):
        return None
    voxels, points = (files.read(folder / each) for each in FILES.values())
    return voxels, points


def apply(dataset: Dataset, folder: Path, found: Scans, members: Array, *, track: Track) -> Mapped:
    """Write a map of z and the surface projections of every scan that the norm reaches.

    Args:
        dataset: with the prepared volumes; scans whose volumes are not there get no map.
        folder: of the norm.
        found: scans.
        members: (n,) 1 for the norm's own scans, which are left out of it.
        track: shows progress.

    Raises:
        RecipeMismatchError: a volume was prepared by another recipe than its numbers, or the norm
            was fitted on another grid; nothing is written then.
    """
    pair = read(folder)
    name, rows = folder.name if pair is None else pair[0].key, range(len(found.keys))
    if pair is None:
        for row in rows:
            _forget(dataset, name, found, row)
        return Mapped(pd.DataFrame(columns=[*COLUMNS]), 0, ())
    here = [row for row in rows if is_there(dataset, found, row, may_lack=True)]
    reached = [row for row in here if not unreached(pair[0], found.people.iloc[[row]])]
    where = places(dataset)
    for each in pair:
        _kept(each, where)
    for row in set(rows) - set(reached):
        _forget(dataset, name, found, row)
    parts = []
    for row in track(reached, "maps of z", len(reached)):
        values = _one(dataset, pair, where, found, row, member=bool(members[row]))
        parts.append(_rows(pair[0], row, values))
    whole = pd.concat(parts) if parts else pd.DataFrame(columns=[*COLUMNS])
    return Mapped(whole, len(parts), _said(len(rows), len(here), len(reached)))


def _said(n_all: int, n_here: int, n_reached: int) -> tuple[str, ...]:
    """Which scans have no map, and why."""
    beyond, absent = n_here - n_reached, n_all - n_here
    said = [f"No map of z for {beyond} scans that the norm does not reach."] if beyond else []
    if absent:
        said.append(f"No map of z for {absent} scans whose volumes are not in the dataset.")
    return tuple(said)


def places(dataset: Dataset) -> Places:
    """Voxels of grey and white matter of the template, and the points of its surface."""
    recipe = dataset.recipe.prepare
    template = resources.template(recipe.voxel_mm)
    atlas = resources.atlas(recipe.atlas, recipe.voxel_mm, dataset.root)
    tissue = (template.grey.array + template.white.array >= 0.5) & (template.brain.array > 0)
    meta = atlas.composites.get(META, np.zeros(template.grid.shape, dtype=bool))
    points = surface(resources.template(SURFACE_MM))
    return Places(template.grid, tissue, np.asarray(meta), points)


def _one(
    dataset: Dataset, pair: Pair, where: Places, found: Scans, row: int, *, member: bool
) -> tuple[float, float, float]:
    """Write the map and the picture of one scan; its indices."""
    voxels, points = pair
    volume = volume_of(dataset, found, row)
    values, person = where.read(volume), found.people.iloc[[row]]
    z = z_map(voxels, values[_kept(voxels, where)], person, member=member)
    filled = np.full(volume.grid.shape, np.nan, dtype=np.float32)
    filled.ravel()[voxels.places] = z
    own = Volume(filled, volume.grid, Quantity.Z, volume.contrast)
    key, voxel_mm = key_of(found, row), dataset.recipe.prepare.voxel_mm
    target = files.map_path(dataset.derivatives, key, volume.contrast, voxels.key, voxel_mm)
    nifti.write_volume(target, own, space=dataset.recipe.prepare.template, extra=_about(voxels))
    on = np.full(len(where.surface.part), np.nan)
    on[points.places] = z_map(points, values[_kept(points, where)], person, member=member)
    drawn = publish.projections(
        resources.template(SURFACE_MM),
        where.surface,
        publish.Projected(
            contrast=volume.contrast,
            uptake=values[int(where.inside.sum()) :],
            z=on,
            norm=voxels.key,
            n=voxels.n,
            simulated=voxels.measured.domain.endswith("simulated"),
        ),
    )
    picture = files.picture_path(dataset.derivatives, key, volume.contrast, voxels.key, voxel_mm)
    write_bytes(picture, drawn)
    return indices.of_map(z, where.meta.ravel()[voxels.places])


def _about(norm: MapNorm) -> dict[str, object]:
    return {
        "Norm": norm.key,
        "NormPeople": norm.n,
        "Fingerprint": norm.measured.fingerprint,
        "Domain": norm.measured.domain,
        "FamilyWiseCut": norm.family_cut,
        "PooledSpreadsMm": norm.pooled_mm,
        "Description": "z of Student's predictive t; negative = lower than expected",
    }


def _rows(norm: MapNorm, row: int, values: tuple[float, float, float]) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([[row], INDICES], names=["row", "measure"])
    table = pd.DataFrame(np.nan, index=index, columns=[*COLUMNS]).astype({"reason": object})
    table["value"] = values
    if len(norm.own):
        table["expected"] = np.nanmean(norm.own, axis=0)
        below = (norm.own < np.array(values)).sum(axis=0)
        share = 100 * (below + 0.5) / (len(norm.own) + 1)
        table["percentile"] = np.where(np.isfinite(values), share, np.nan)
    return table.assign(reason=norm.banner)


def _kept(norm: MapNorm, where: Places) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which of what `Places.read` gives are the norm's places.

    Raises:
        RecipeMismatchError: the norm was fitted on another grid.
    """
    if norm.grid != where.grid:
        raise RecipeMismatchError(
            f"The maps of norm {norm.key} lie on a grid of {norm.grid.shape}, the dataset's on "
            f"{where.grid.shape}.",
            hint="Prepare with the norm's voxel_mm, or fit a norm on this grid.",
        )
    n_inside = int(where.inside.sum())
    kept = np.zeros(n_inside + len(where.surface.part), dtype=bool)
    if norm.kind == "voxels":
        kept[:n_inside] = np.isin(np.flatnonzero(where.inside), norm.places)
    else:
        kept[n_inside + norm.places] = True
    return kept


def _forget(dataset: Dataset, norm: str, found: Scans, row: int) -> None:
    """Remove maps of an earlier norm of that name, which the scan no longer has."""
    key, contrast = key_of(found, row), Contrast(found.measured.contrast)
    for path in _paths(dataset, key, contrast, norm):
        path.unlink(missing_ok=True)


def _paths(dataset: Dataset, key: SessionKey, contrast: Contrast, norm: str) -> Iterator[Path]:
    voxel_mm = dataset.recipe.prepare.voxel_mm
    target = files.map_path(dataset.derivatives, key, contrast, norm, voxel_mm)
    yield nifti.sidecar_path(target)
    yield target
    yield files.picture_path(dataset.derivatives, key, contrast, norm, voxel_mm)
