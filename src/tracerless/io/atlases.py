"""Atlases: regions merged from one label volume, on the grid of the standard brain."""

import functools
import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas, Region
from tracerless.core.errors import DatasetError, RecipeError, did_you_mean
from tracerless.core.grid import Grid
from tracerless.core.recipe import fingerprint
from tracerless.core.volume import Quantity, Volume
from tracerless.io.atlas_tables import Band, Row, preset_rows, user_rows
from tracerless.io.templates import template_grid
from tracerless.io.wheels import card, package_data, wheel_volume

LABELS = "desikan_killiany"
"""The label volume that a user's table is merged from."""

TABLE_ENDING = ".tsv"
"""An atlas so named is a user's table."""

_TABLE_NAME = re.compile(r"atlas-([A-Za-z0-9]+)\.tsv\Z")

_MIN_LABEL_SHARE = 0.45
"""A coarse voxel filled less than this is unlabelled; so thin cortex keeps its volume."""

_MIDLINE_MM = 1.0
"""A region of one side must lie on it by more than this on average, mm."""

Codes = NDArray[np.int16]
"""(I, J, K) whole numbers that name regions."""


@functools.lru_cache(maxsize=2)
def label_volume(key: str = "fdg36") -> Volume:
    """The labels that the atlas is merged from (Desikan-Killiany and aseg), RAS, 1 mm.

    Raises:
        RecipeError: no atlas has that key.
        DatasetError: the package that holds the volume is not installed.
    """
    return _label_volume(_preset(key)["labels"])


def atlas(key: str, voxel_mm: float, folder: Path | None = None) -> Atlas:
    """The atlas on the grid of the standard brain at that voxel edge.

    Up to 2 mm the label at a voxel's center decides; in coarser voxels the region that fills most.

    Args:
        key: a preset (``fdg36``, ``fdg52``, ``fdg20``), or the name of a user's table,
            ``atlas-<letters or digits>.tsv``.
        voxel_mm: 1-6 mm.
        folder: where a user's table lies: the dataset's root.

    Raises:
        RecipeError: no atlas has that key, the voxel edge is outside 1-6 mm, or a user's table
            cannot be used.
        DatasetError: the package that holds the label volume is not installed, or the user's table
            is not there.
    """
    if key.endswith(TABLE_ENDING):
        return _user_atlas(key, voxel_mm, folder)
    about = _preset(key)
    table = package_data("atlases", key, "regions.tsv").read_text(encoding="utf-8")
    return _compiled(key, voxel_mm, preset_rows(table), table, about["labels"])


def regions(key: str, folder: Path | None = None) -> tuple[Region, ...]:
    """The regions of an atlas as region tables name it, without its volume.

    Args:
        key: a preset, or the middle of ``atlas-<key>.tsv``.
        folder: where a user's table lies.

    Raises:
        RecipeError: no atlas has that key.
    """
    path = None if folder is None else folder / f"atlas-{key}{TABLE_ENDING}"
    if path is not None and path.is_file() and key not in _presets():
        rows = user_rows(path.read_text(encoding="utf-8-sig"), _known_labels())
        return tuple(row.region for row in rows)
    _preset(key)
    table = package_data("atlases", key, "regions.tsv").read_text(encoding="utf-8")
    return tuple(row.region for row in preset_rows(table))


def _user_atlas(name: str, voxel_mm: float, folder: Path | None) -> Atlas:
    called = _TABLE_NAME.match(name)
    if called is None:
        raise RecipeError(
            f"prepare.atlas={name!r} is not called atlas-<letters or digits>.tsv.",
            hint="Put the table into the dataset's root under such a name: atlas-mine.tsv.",
        )
    path = None if folder is None else folder / name
    if path is None or not path.is_file():
        raise DatasetError(
            f"The region table {name!r} is not in the dataset's root.",
            hint="Copy it there, or choose a preset: " + ", ".join(_presets()) + ".",
        )
    try:
        table = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RecipeError(
            f"The region table {name!r} is not UTF-8 text.", hint="Save it as UTF-8, with tabs."
        ) from None
    made = _compiled(called[1], voxel_mm, user_rows(table, _known_labels()), table)
    _require_sides(made)
    return made


@functools.lru_cache(maxsize=8)
def _compiled(
    key: str, voxel_mm: float, rows: tuple[Row, ...], table: str, labels: str = LABELS
) -> Atlas:
    grid, source, about = template_grid(voxel_mm), _label_volume(labels), _source(labels)
    fine, codes = source.grid, source.array.astype(np.int16)
    masks = {
        kind: {
            name: _majority(_mask(codes, fine, rule), fine, grid) > 0
            for name, rule in about[kind].items()
        }
        for kind in ("reference", "composite")
    }
    parcels = about["parcels"]
    told_apart = np.where(np.isin(codes, parcels["grey"] + parcels["deep"]), codes, np.int16(0))
    rules = (about["reference"], about["composite"], parcels)
    return Atlas(
        key,
        grid,
        _majority(_merge(codes, _heights_mm(fine), rows), fine, grid),
        tuple(row.region for row in rows),
        masks["reference"],
        fingerprint(key, _sha256(table.encode()), *rules, _sha256(codes.tobytes())),
        masks["composite"],
        _majority(told_apart, fine, grid),
        frozenset(parcels["deep"]),
    )


def _merge(codes: Codes, z_mm: NDArray[np.float64], rows: tuple[Row, ...]) -> Codes:
    merged = np.zeros(codes.shape, dtype=np.int16)
    for row in rows:
        kept = np.isin(codes, row.labels)
        if row.outside_z_mm is not None:
            kept &= ~_band(z_mm, row.outside_z_mm)
        if row.inside_z_mm is not None:
            kept &= _band(z_mm, row.inside_z_mm)
        merged[kept] = row.region.index
    return merged


def _mask(codes: Codes, fine: Grid, rule: Mapping[str, Any]) -> Codes:
    """Where a reference or composite lies: its labels, its band, less its rim."""
    mask = np.isin(codes, rule["labels"])
    if "z_mm" in rule:
        mask &= _band(_heights_mm(fine), rule["z_mm"])
    if "erode_mm" in rule:
        box = ndimage.find_objects(np.pad(mask, 1).astype(np.int8))[0]
        around = tuple(slice(max(edge.start - 2, 0), edge.stop) for edge in box)
        depth_mm = ndimage.distance_transform_edt(mask[around], sampling=fine.spacing_mm)
        mask[around] = depth_mm > rule["erode_mm"]
    return mask.astype(np.int16)


def _band(z_mm: NDArray[np.float64], limits: Band | Sequence[float]) -> NDArray[np.bool_]:
    low, high = limits
    within: NDArray[np.bool_] = (z_mm >= low) & (z_mm <= high)
    return within


def _majority(labels: Codes, fine: Grid, grid: Grid) -> Codes:
    """The label that fills most of each voxel of ``grid``; 0 below ``_MIN_LABEL_SHARE``.

    Both grids run along R, A and S. Up to 2 mm the label at the voxel's center decides.
    """
    if grid.spacing_mm[0] <= 2.0:
        centers = (_nearest(fine, grid, axis, 0.0) for axis in range(3))
        return np.pad(labels, 1)[np.ix_(*centers)]
    per_edge = 2 * int(grid.spacing_mm[0] / 2.0) + 1
    offsets = (np.arange(per_edge) + 0.5) / per_edge - 0.5
    names = np.union1d(0, np.flatnonzero(np.bincount(labels.ravel()))).astype(np.int16)
    packed = np.pad(np.searchsorted(names, labels).astype(np.int16), 1)
    counts = np.zeros((len(names), *grid.shape), dtype=np.int16)
    voxels = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    for i, j, k in itertools.product(offsets, repeat=3):
        places = (_nearest(fine, grid, axis, offset) for axis, offset in enumerate((i, j, k)))
        counts[packed[np.ix_(*places)], voxels[0], voxels[1], voxels[2]] += 1
    enough = counts[1:].sum(axis=0) >= _MIN_LABEL_SHARE * len(offsets) ** 3
    fullest: Codes = np.where(enough, names[counts[1:].argmax(axis=0) + 1], 0).astype(np.int16)
    return fullest


def _nearest(fine: Grid, grid: Grid, axis: int, offset: float) -> NDArray[np.intp]:
    """For each voxel along one axis, the nearest one of the fine grid padded by one voxel."""
    mm = grid.affine[axis, axis] * (np.arange(grid.shape[axis]) + offset) + grid.affine[axis, 3]
    index = np.rint((mm - fine.affine[axis, 3]) / fine.affine[axis, axis]).astype(np.intp) + 1
    inside: NDArray[np.intp] = np.clip(index, 0, fine.shape[axis] + 1)
    return inside


def _heights_mm(grid: Grid) -> NDArray[np.float64]:
    """(1, 1, K) height of every slice of a grid that runs along R, A and S, mm."""
    heights: NDArray[np.float64] = grid.affine[2, 2] * np.arange(grid.shape[2]) + grid.affine[2, 3]
    return heights.reshape(1, 1, -1)


def _require_sides(made: Atlas) -> None:
    """A region that says left lies left.

    Raises:
        RecipeError: one lies on the other side, or across the middle.
    """
    for region in made.regions:
        side = {"L": -1.0, "R": 1.0, "B": 0.0}[region.hemisphere]
        i = np.argwhere(made.labels == region.index)[:, 0].mean()
        x_mm = made.grid.affine[0, 0] * i + made.grid.affine[0, 3]
        if side and side * x_mm < _MIDLINE_MM:
            raise RecipeError(
                f"{region.key} says hemisphere={region.hemisphere!r}, but its labels lie at "
                f"{x_mm:+.0f} mm on average (left is negative).",
                hint="Mend its labels (10xx left, 20xx right) or its hemisphere.",
            )


@functools.lru_cache(maxsize=1)
def _known_labels() -> frozenset[int]:
    counts = np.bincount(_label_volume(LABELS).array.astype(np.int16).ravel())
    return frozenset(np.flatnonzero(counts).tolist()) - {0}


@functools.lru_cache(maxsize=1)
def _label_volume(labels: str) -> Volume:
    volume = _source(labels)["volume"]
    return wheel_volume(volume["package"], volume["file"], Quantity.LABEL)


def _source(labels: str) -> dict[str, Any]:
    return card("atlases", f"{labels}.toml")


def _preset(key: str) -> dict[str, Any]:
    known = _presets()
    if key not in known:
        raise RecipeError(f"No atlas is called {key!r}.", hint=did_you_mean(key, known))
    return card("atlases", key, "card.toml")


def _presets() -> list[str]:
    return sorted(each.name for each in package_data("atlases").iterdir() if each.is_dir())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
