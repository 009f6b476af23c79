"""Ellipsoid people on a template grid: what FDG shows, CBF shows in part, T1 and T2 not at all.

Everything is a function of template millimetres, so the same person exists at 2 mm and at 4 mm.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas, Region
from tracerless.core.grid import Grid, points_mm
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.scaling import relative, suvr
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Volume

SPACE = "phantom"
REFERENCE = "pons"
RADII_MM = np.array([60.0, 74.0, 54.0])
LESION = np.array([-1.0, -0.8, 0.0, 0.0, 0.0, 0.0, -0.3, -0.3])
"""Disease share of the eight regions: back and top, left and right."""


def grid_of(spacing_mm: float) -> Grid:
    """The phantom's field of view at a spacing, centered on the origin."""
    shape = [round(mm / spacing_mm) for mm in (136.0, 168.0, 128.0)]
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * spacing_mm for n in shape]
    return Grid((shape[0], shape[1], shape[2]), affine)


GRID = grid_of(6.0)
RECIPE = SynthesizeRecipe(
    network="unet-tiny", voxel_mm=6.0, steps=240, held_out=0.3, learning_rate=4e-3
)
"""Grid and recipe of most tests."""


def tissue(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """(grey, white, brain) of the one anatomy, (I, J, K) each."""
    radius = np.linalg.norm(points_mm(grid) / RADII_MM, axis=-1)
    white = 1 / (1 + np.exp((radius - 0.72) * 40))
    brain = 1 / (1 + np.exp((radius - 1.0) * 40))
    return (brain - white).astype(np.float32), white.astype(np.float32), radius <= 1.0


def pons(grid: Grid) -> NDArray[np.bool_]:
    """The reference region: a ball of 12 mm low in the brain."""
    return np.linalg.norm(points_mm(grid) - (0, -15, -30), axis=-1) <= 12


def octants(grid: Grid) -> NDArray[np.int16]:
    """Regions 1-8 in the outer brain: (back, front) x (top, bottom) x (left, right)."""
    x, y, z = np.moveaxis(points_mm(grid), -1, 0)
    index = 1 + (x > 0) + 2 * (z < 0) + 4 * (y > 0)
    radius = np.linalg.norm(points_mm(grid) / RADII_MM, axis=-1)
    shell = (radius > 0.6) & (radius <= 1.0) & ~ndimage.binary_dilation(pons(grid))
    return np.where(shell, index, 0).astype(np.int16)


def template_of(grid: Grid) -> Template:
    grey, white, brain = tissue(grid)

    def volume(array, quantity):
        return Volume(array, grid, quantity, Contrast.T1W)

    return Template(
        SPACE,
        volume(600 * white + 400 * grey, Quantity.T1W),
        volume(grey, Quantity.PROBABILITY),
        volume(white, Quantity.PROBABILITY),
        volume(brain, Quantity.LABEL),
    )


def atlas_of(grid: Grid) -> Atlas:
    regions = tuple(
        Region(f"octant-{i}", i, "LR"[(i - 1) % 2], "shell", f"Octant {i}", f"區{i}")
        for i in range(1, 9)
    )
    return Atlas("octants", grid, octants(grid), regions, {REFERENCE: pons(grid)}, "octants-1")


def person(
    number: int, severity: float, grid: Grid, *, coupling: float = 1.0, family: str = "train"
) -> Prepared:
    """One simulated session.

    ``severity`` 0-1 scales the lesion; ``coupling`` is the share of metabolism that flow follows,
    besides its own variation: at 0 the MR knows nothing of the PET.
    """
    draw = generator("phantom", family, number)
    metabolism = 0.30 * severity * LESION + draw.normal(0, 0.05, 8)
    flow = coupling * metabolism + draw.normal(0, 0.03, 8)
    grey, white, brain = tissue(grid)
    head = grey + white
    noise = [_noise(draw, grid) for _ in range(4)]
    t1 = draw.uniform(0.5, 2) * (600 * white + 400 * grey + 100 + 15 * noise[0])
    t2 = draw.uniform(0.5, 2) * (250 * white + 400 * grey + 900 * (1 - head) + 15 * noise[1])
    cbf = (60 * grey + 25 * white) * (1 + _field(flow, grid)) + 4 * noise[2]
    fdg = (1.5 * grey + 0.7 * white + 0.1) * (1 + _field(metabolism, grid)) + 0.02 * noise[3]
    volumes = {
        Contrast.T1W: Volume(t1, grid, Quantity.T1W, Contrast.T1W),
        Contrast.T2W: Volume(t2, grid, Quantity.T2W, Contrast.T2W),
        Contrast.CBF: relative(Volume(cbf, grid, Quantity.CBF, Contrast.CBF), brain),
        Contrast.FDG: suvr(Volume(fdg, grid, Quantity.ACTIVITY, Contrast.FDG), pons(grid)),
    }
    return prepared(Pseudonym(f"{family}{number:03d}"), volumes, grid)


def prepared(who: Pseudonym, volumes: dict[Contrast, Volume], grid: Grid) -> Prepared:
    there, back = identity(SPACE, "native"), identity("native", SPACE)
    key = SessionKey(who, "1")
    return Prepared(key, SPACE, volumes, grid, there, back, {}, "pass", (), "phantom-recipe")


def people(n: int, grid: Grid, *, coupling: float = 1.0, family: str = "train") -> list[Prepared]:
    """``n`` sessions; every second person is ill, to a varying degree."""
    draw = generator("severity", family)
    severities = [draw.uniform(0.4, 1.0) if i % 2 else 0.0 for i in range(n)]
    return [
        person(i, severity, grid, coupling=coupling, family=family)
        for i, severity in enumerate(severities)
    ]


def without(session: Prepared, *contrasts: Contrast) -> Prepared:
    """The same session with some contrasts missing."""
    kept = {c: v for c, v in session.volumes.items() if c not in contrasts}
    return replace(session, volumes=kept)


def region_means(
    array: NDArray[np.float32], grid: Grid, labels: Sequence[int] = range(1, 9)
) -> NDArray[np.float64]:
    """Mean in every region, (8,)."""
    return np.asarray(ndimage.mean(array, octants(grid), labels))


def _field(values: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """Regional values as a map with soft borders."""
    x, y, z = (1 / (1 + np.exp(-a.astype(float) / 6)) for a in np.moveaxis(points_mm(grid), -1, 0))
    total = np.zeros(grid.shape)
    for i, value in enumerate(values):
        right = x if i % 2 else 1 - x
        low = 1 - z if i // 2 % 2 else z
        front = y if i // 4 else 1 - y
        total += value * right * low * front
    return total


def _noise(draw: np.random.Generator, grid: Grid) -> NDArray[np.float64]:
    """Unit noise with a correlation of 8 mm FWHM."""
    white = draw.standard_normal(grid.shape)
    soft = ndimage.gaussian_filter(white, [8 / 2.355 / mm for mm in grid.spacing_mm])
    return np.asarray(soft / soft.std())
