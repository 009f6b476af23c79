"""A person whose uptake is known in every piece of the brain, and what a scanner sees of it.

The truth lives at 1 mm on the standard brain's lattice, carried into the person's space by a known
affine map; the scanner's volume and the tissue maps are made from it by other grids, other
interpolations and another discretization than the correction uses.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless import quantify
from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe
from tracerless.core.seeds import generator
from tracerless.core.session import Anatomy, Native, NativeSeries, Prepared
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast, Quantity, Scale, Volume
from tracerless.io import resources

FWHM_MM = 6.0
"""Resolution of the scanner, mm."""

KEY = SessionKey(Pseudonym("P01"), "1")
TEMPLATE, T1 = resources.TEMPLATE, "sub-P01_ses-1 T1w"
LEVELS = {"white": 0.3, "csf": 0.02, "outside": 0.12}
"""Uptake of what is no parcel, in the unit of the truth (grey matter about 1)."""

_SHARPEN = 2.2
_BOX = (slice(20, 178), slice(22, 212), slice(0, 165))


def pose(turn_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> np.ndarray:
    """A (4, 4) rotation, then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


TO_T1 = pose((5, -4, 7), (3, -11, 8)) @ np.diag((0.95, 0.97, 0.93, 1.0))
"""Standard brain -> the person's T1, mm."""
TO_PET = pose((-3, 2, 6), (12, 7, -9))
"""The person's T1 -> the person's PET, mm."""


@dataclass(frozen=True)
class Truth:
    """Tissue shares and uptake at 1 mm in the T1's space; level and size of every parcel."""

    grid: Grid
    tissues: dict[str, np.ndarray]
    uptake: np.ndarray
    parcel: np.ndarray
    solid: np.ndarray
    level: np.ndarray

    def region(self, labels: tuple[int, ...]) -> float:
        """The mean level of these labels' tissue."""
        size = np.bincount(self.parcel.ravel(), self.solid.ravel(), len(self.level))[list(labels)]
        return float(size @ self.level[list(labels)] / size.sum())


def truth() -> Truth:
    """One brain with a level of its own in every label: 0.7-1.3, left unlike right."""
    _, grey, white = resources.template_volumes_1mm()
    grid = grey.grid
    codes = np.nan_to_num(resample(resources.label_volume(), grid, order=0).array)[_BOX]
    codes = codes.astype(np.int16)
    deep = np.isin(codes, list(resources.atlas("fdg36", 2.0).deep))
    told = np.where(deep | (codes >= 1000) | np.isin(codes, (8, 47)), codes, 0)
    away, nearest = ndimage.distance_transform_edt(told == 0, return_indices=True)
    parcel = np.where(away <= 8, told[tuple(nearest)], 0)
    shares = _sharpened(grey.array[_BOX], white.array[_BOX])
    solid = shares["grey"] + np.where(deep, shares["white"], 0)
    level = generator("test", "pvc", "levels").uniform(0.7, 1.3, 2036)
    rest = shares["white"] + shares["grey"] - np.where(parcel > 0, solid, 0)
    uptake = np.where(parcel > 0, solid * level[parcel], 0) + LEVELS["white"] * rest
    uptake += LEVELS["csf"] * shares["csf"] + LEVELS["outside"] * shares["outside"]
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [edge.start for edge in _BOX]
    fine = Grid(uptake.shape, TO_T1 @ affine)
    return Truth(fine, shares, uptake.astype(np.float32), parcel, solid * (parcel > 0), level)


def _sharpened(grey: np.ndarray, white: np.ndarray) -> dict[str, np.ndarray]:
    inside = ndimage.binary_fill_holes(grey + white > 0.1)
    csf = np.clip(1 - grey - white, 0, 1)
    powers = [np.clip(each, 0, 1) ** _SHARPEN for each in (grey, white, csf)]
    scale = inside / np.maximum(sum(powers), 1e-6)
    shares = dict(zip(("grey", "white", "csf"), (p * scale for p in powers), strict=True))
    return shares | {"outside": (~inside).astype(np.float32)}


def anatomy(made: Truth, voxel_mm: float = 2.0) -> Anatomy:
    """The tissue maps on an upright lattice: the mean share of every voxel."""
    affine = np.diag((voxel_mm, voxel_mm, voxel_mm, 1.0))
    affine[:3, 3] = (-82, -128, -80)
    shape = tuple(int(n / voxel_mm) for n in (172, 220, 200))
    grid = Grid(shape, affine)
    width_vox = voxel_mm / 12**0.5 / np.array(made.grid.spacing_mm)
    maps = {
        name: _onto(ndimage.gaussian_filter(made.tissues[name], width_vox), made.grid, grid)
        for name in ("grey", "white", "csf")
    }
    tissue = {name: _volume(array, grid, Quantity.PROBABILITY) for name, array in maps.items()}
    brain = _volume((sum(maps.values()) > 0.5).astype(np.float32), grid, Quantity.LABEL)
    return Anatomy(T1, brain, **tissue)


def pet(
    made: Truth, fwhm_mm: float, *, noise: float = 0.0, off_mm: float = 0.0, cut_mm: float = 0.0
) -> NativeSeries:
    """What the scanner sees: blurred, on its own tilted grid.

    ``noise`` (of the mean) is correlated over the scanner's resolution; ``off_mm`` moves the head
    after all alignment; ``cut_mm`` takes slices off the top of the field of view.
    """
    sigma_vox = fwhm_mm / 2.354820045 / np.array(made.grid.spacing_mm)
    seen = ndimage.gaussian_filter(made.uptake, sigma_vox, truncate=4.0)
    affine = np.diag((2.1, 2.1, 2.6, 1.0))
    affine[:3, 3] = (-100, -140, -110)
    grid = Grid((92, 118, 92 - round(cut_mm / 2.6)), affine)
    shift = pose((0, 0, 0), (off_mm, 0, 0))
    pull = Affine("pet", "t1", np.linalg.inv(TO_PET) @ np.linalg.inv(shift))
    array = resample(_volume(seen, made.grid, Quantity.ACTIVITY), grid, pull, order=1).array
    array = np.nan_to_num(array, nan=LEVELS["outside"]) * 20.0
    if noise:
        grain = generator("test", "pvc", "noise").normal(0, 1, grid.shape)
        grain = ndimage.gaussian_filter(grain, fwhm_mm / 2.354820045 / np.array(grid.spacing_mm))
        array = array + noise * 20.0 * grain / grain.std()
    volume = Volume(array, grid, Quantity.ACTIVITY, Contrast.FDG)
    sidecar = {"PointSpreadFWHM": fwhm_mm, "SuvFactor": 0.25}
    return NativeSeries(Contrast.FDG, (volume,), "", sidecar)


def prepared(tissues: Anatomy | None, atlas: Atlas) -> Prepared:
    """The session as a perfect registration would have prepared it."""
    to_template = Affine(T1, TEMPLATE, np.linalg.inv(TO_T1))
    ones = np.ones(atlas.grid.shape, np.float32)
    return Prepared(
        key=KEY,
        template=TEMPLATE,
        volumes={Contrast.FDG: Volume(ones, atlas.grid, Quantity.SUVR, Contrast.FDG)},
        native_grid=Grid((2, 2, 2), np.eye(4)),
        to_native=to_template.inverse,
        to_template=to_template,
        qc={},
        verdict="pass",
        reasons=(),
        fingerprint="made-so",
        anatomy=tissues,
        alignments={Contrast.FDG: Affine(T1, f"{T1}, FDG", TO_PET)},
        scales={Contrast.FDG: Scale(Quantity.SUV, 3.0)},
    )


def native(*series: NativeSeries) -> Native:
    """The session as converted."""
    return Native(KEY, series)


def correct(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, method: str, reference: str = "pons"
) -> RoiTable:
    """The corrected FDG table of the session."""
    return quantify.corrected(
        native(fdg),
        session,
        atlas,
        prepare_recipe=PrepareRecipe(reference_fdg=reference),
        quantify_recipe=QuantifyRecipe(pvc=method),
    )[Contrast.FDG]


def labels_of(atlas: Atlas, made: Truth) -> dict[str, float]:
    """The true mean level of every region of the atlas, by key."""
    on_template = np.bincount(
        atlas.parcels.ravel().astype(int) + 4096 * atlas.labels.ravel().astype(int)
    )
    found = np.flatnonzero(on_template)
    return {
        region.key: made.region(
            tuple(int(code % 4096) for code in found if code // 4096 == region.index)
        )
        for region in atlas.regions
    }


def _onto(array: np.ndarray, grid: Grid, other: Grid) -> np.ndarray:
    moved = resample(_volume(array, grid, Quantity.PROBABILITY), other, order=1).array
    return np.clip(np.nan_to_num(moved), 0, 1)


def _volume(array: np.ndarray, grid: Grid, quantity: Quantity) -> Volume:
    return Volume(array.astype(np.float32), grid, quantity, Contrast.UNKNOWN)
