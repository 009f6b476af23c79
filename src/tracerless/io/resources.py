"""Standard brains and atlases: tables of this package, volumes of the packages it depends on.

The volumes lie in installed wheels. They are found without importing those packages: one of them
cannot be imported beside a current nilearn, and none needs to be.
"""

import csv
import functools
import hashlib
import importlib.resources
import importlib.util
import io
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas, Region
from tracerless.core.errors import DatasetError, RecipeError, did_you_mean
from tracerless.core.grid import Grid, with_spacing
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Template
from tracerless.core.transform import gaussian, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array

TEMPLATE = "MNI152NLin2009aSym"
"""The one template space."""

_ORIGIN_MM = (-98.0, -134.0, -72.0)
_SHAPES = {1.0: (197, 233, 189), 2.0: (99, 117, 95)}
_MIN_LABEL_SHARE = 0.45
"""A coarse voxel filled less than this is unlabelled; so thin cortex keeps its volume."""


Codes = NDArray[np.int16]
"""(I, J, K) whole numbers that name regions."""


@functools.lru_cache(maxsize=4)
def template(voxel_mm: float) -> Template:
    """The standard brain on an isotropic grid.

    Args:
        voxel_mm: 1-6 mm; 2 mm is 99x117x95 with the first voxel at (-98, -134, -72) mm, every
            other grid spans the same field of view.

    Returns:
        T1 in arbitrary units, grey and white matter 0-1, brain 0/1; coarser grids are blurred
        before they are sampled, so that nothing aliases.

    Raises:
        RecipeError: the voxel edge is outside 1-6 mm.
        DatasetError: the package that holds the volumes is not installed.
    """
    grid = template_grid(voxel_mm)
    t1, grey, white = template_volumes_1mm()
    filled = ndimage.binary_fill_holes(t1.array > 0)
    brain = with_array(t1, filled.astype(np.float32), Quantity.LABEL)
    t1, grey, white, brain = (_onto(each, grid) for each in (t1, grey, white, brain))
    brain = with_array(brain, (brain.array >= 0.5).astype(np.float32))
    return Template(TEMPLATE, t1, grey, white, brain)


def template_grid(voxel_mm: float) -> Grid:
    """The grid of the standard brain at that voxel edge, 1-6 mm.

    Raises:
        RecipeError: the voxel edge is outside 1-6 mm.
    """
    if not 1.0 <= voxel_mm <= 6.0:
        raise RecipeError(f"voxel_mm={voxel_mm} is outside 1-6 mm.")
    if voxel_mm in _SHAPES:
        affine = np.diag((voxel_mm, voxel_mm, voxel_mm, 1.0))
        affine[:3, 3] = _ORIGIN_MM
        return Grid(_SHAPES[voxel_mm], affine)
    return with_spacing(template_grid(2.0), voxel_mm)


def template_volumes_1mm() -> tuple[Volume, Volume, Volume]:
    """T1 (arbitrary units), grey and white matter (0-1) of the standard brain, RAS, 1 mm.

    Raises:
        DatasetError: the package that holds the volumes is not installed.
    """
    card = _card("templates", f"{TEMPLATE}.toml")
    one = np.float32(card["probability_one"])
    t1 = _wheel_volume(card["package"], card["t1"], Quantity.T1W)
    grey = _wheel_volume(card["package"], card["grey"], Quantity.PROBABILITY)
    white = _wheel_volume(card["package"], card["white"], Quantity.PROBABILITY)
    return t1, with_array(grey, grey.array / one), with_array(white, white.array / one)


def label_volume(key: str = "fdg36") -> Volume:
    """The source labels that the atlas is merged from (Desikan-Killiany and aseg), RAS, 1 mm.

    Raises:
        RecipeError: no atlas has that key.
        DatasetError: the package that holds the volume is not installed.
    """
    volume = _atlas_card(key)["volume"]
    return _wheel_volume(volume["package"], volume["file"], Quantity.LABEL)


@functools.lru_cache(maxsize=4)
def atlas(key: str, voxel_mm: float) -> Atlas:
    """The atlas on the grid of the standard brain at that voxel edge.

    Up to 2 mm the label at a voxel's center decides; in coarser voxels the region that fills most.

    Args:
        key: name of a folder below ``data/atlases``.
        voxel_mm: 1-6 mm.

    Raises:
        RecipeError: no atlas has that key, or the voxel edge is outside 1-6 mm.
        DatasetError: the package that holds the label volume is not installed.
    """
    grid = template_grid(voxel_mm)
    card = _atlas_card(key)
    table = _data("atlases", key, "regions.tsv").read_bytes()
    rows = [_row(r) for r in csv.DictReader(io.StringIO(table.decode()), delimiter="\t")]
    source = label_volume(key)
    fine = source.grid
    codes = source.array.astype(np.int16)
    merged = _merge(codes, _heights_mm(fine), rows)
    labels = _majority(merged, fine, grid)
    references = {
        name: _majority(_reference(codes, fine, rule), fine, grid) > 0
        for name, rule in card["reference"].items()
    }
    digest = fingerprint(key, _sha256(table), card["reference"], _sha256(codes.tobytes()))
    regions = tuple(row.region for row in rows)
    return Atlas(key, grid, labels, regions, references, digest)


@dataclass(frozen=True, slots=True)
class _Row:
    region: Region
    labels: tuple[int, ...]
    outside_z_mm: tuple[float, float] | None


def _row(cells: Mapping[str, str]) -> _Row:
    names = ("hemisphere", "lobe", "name_en", "name_zh")
    region = Region(cells["key"], int(cells["index"]), *(cells[name] for name in names))
    band = cells["outside_z_mm"]
    low, _, high = band.partition(":")
    labels = tuple(int(label) for label in cells["labels"].split(","))
    return _Row(region, labels, (float(low), float(high)) if band else None)


def _merge(codes: Codes, z_mm: NDArray[np.float64], rows: list[_Row]) -> Codes:
    merged = np.zeros(codes.shape, dtype=np.int16)
    for row in rows:
        kept = np.isin(codes, row.labels)
        if row.outside_z_mm is not None:
            kept &= ~_band(z_mm, row.outside_z_mm)
        merged[kept] = row.region.index
    return merged


def _reference(codes: Codes, fine: Grid, rule: Mapping[str, Any]) -> Codes:
    mask = np.isin(codes, rule["labels"])
    if "z_mm" in rule:
        mask &= _band(_heights_mm(fine), rule["z_mm"])
    if "erode_mm" in rule:
        box = ndimage.find_objects(np.pad(mask, 1).astype(np.int8))[0]
        around = tuple(slice(max(edge.start - 2, 0), edge.stop) for edge in box)
        depth_mm = ndimage.distance_transform_edt(mask[around], sampling=fine.spacing_mm)
        mask[around] = depth_mm > rule["erode_mm"]
    return mask.astype(np.int16)


def _band(z_mm: NDArray[np.float64], limits: Sequence[float]) -> NDArray[np.bool_]:
    low, high = limits
    within: NDArray[np.bool_] = (z_mm >= low) & (z_mm <= high)
    return within


def _majority(labels: Codes, fine: Grid, grid: Grid) -> Codes:
    """The label that fills most of each voxel of ``grid``; 0 below ``_MIN_LABEL_SHARE``.

    Both grids run along R, A and S. Up to 2 mm the label at the voxel's center decides.
    """
    per_edge = 1 if grid.spacing_mm[0] <= 2.0 else 2 * int(grid.spacing_mm[0] / 2.0) + 1
    offsets = (np.arange(per_edge) + 0.5) / per_edge - 0.5
    padded = np.pad(labels, 1)
    counts = np.zeros((int(labels.max()) + 1, *grid.shape), dtype=np.int16)
    voxels = np.ogrid[tuple(slice(0, n) for n in grid.shape)]
    for i, j, k in itertools.product(offsets, repeat=3):
        places = (_nearest(fine, grid, axis, offset) for axis, offset in enumerate((i, j, k)))
        counts[padded[np.ix_(*places)], voxels[0], voxels[1], voxels[2]] += 1
    enough = counts[1:].sum(axis=0) >= _MIN_LABEL_SHARE * len(offsets) ** 3
    fullest: Codes = np.where(enough, counts[1:].argmax(axis=0) + 1, 0).astype(np.int16)
    return fullest


def _nearest(fine: Grid, grid: Grid, axis: int, offset: float) -> NDArray[np.intp]:
    """For each voxel along one axis, the nearest one of the fine grid padded by one voxel."""
    mm = grid.affine[axis, axis] * (np.arange(grid.shape[axis]) + offset) + grid.affine[axis, 3]
    index = np.rint((mm - fine.affine[axis, 3]) / fine.affine[axis, axis]).astype(np.intp) + 1
    inside: NDArray[np.intp] = np.clip(index, 0, fine.shape[axis] + 1)
    return inside


def _onto(volume: Volume, grid: Grid) -> Volume:
    """The volume on a grid of equal or wider spacing, blurred to it first; 0 outside."""
    edge_mm, old_mm = grid.spacing_mm[0], volume.grid.spacing_mm[0]
    blurred = gaussian(volume, float(np.sqrt(max(edge_mm**2 - old_mm**2, 0.0))))
    moved = resample(blurred, grid)
    return with_array(moved, np.nan_to_num(moved.array, nan=0.0))


def _heights_mm(grid: Grid) -> NDArray[np.float64]:
    """(1, 1, K) height of every slice of a grid that runs along R, A and S, mm."""
    heights: NDArray[np.float64] = grid.affine[2, 2] * np.arange(grid.shape[2]) + grid.affine[2, 3]
    return heights.reshape(1, 1, -1)


def _wheel_volume(package: str, file: str, quantity: Quantity) -> Volume:
    """A volume that lies in an installed package, turned to R, A, S."""
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    path = next((Path(f) / file for f in folders if (Path(f) / file).is_file()), None)
    if path is None:
        raise DatasetError(
            f"The package {package} that holds {Path(file).name} is not installed.",
            hint=f"Install it: pip install {package}.",
        )
    nifti = nib.as_closest_canonical(nib.load(path))
    array = np.asarray(nifti.dataobj, dtype=np.float32)
    contrast = Contrast.T1W if quantity is Quantity.T1W else Contrast.UNKNOWN
    return Volume(array, Grid(array.shape, nifti.affine), quantity, contrast)


def _atlas_card(key: str) -> dict[str, Any]:
    known = [each.name for each in _data("atlases").iterdir() if each.is_dir()]
    if key not in known:
        raise RecipeError(f"No atlas is called {key!r}.", hint=did_you_mean(key, known))
    return _card("atlases", key, "card.toml")


def _card(*parts: str) -> dict[str, Any]:
    return tomllib.loads(_data(*parts).read_text(encoding="utf-8"))


def _data(*parts: str) -> Traversable:
    return importlib.resources.files("tracerless").joinpath("data", *parts)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
