"""An ellipsoid head with known tissues, flow and uptake: the scanners' ruler."""

from types import SimpleNamespace

import numpy as np
from scipy import ndimage

from tracerless.core.grid import Grid, points_mm
from tracerless.io.simulate_scanners import scanner_tables
from tracerless.simulate.acquire import Head, scanner_grid
from tracerless.simulate.catalog import catalog

CBF_GREY, CBF_WHITE = 60.0, 20.0
SUV_GREY, SUV_WHITE = 8.0, 3.0
CENTER = (0.0, -16.0, 2.0)
SHELLS = (  # semi-axes of nested ellipsoids, mm, from outside inward
    ("fat", (78, 98, 90)),
    ("muscle", (74, 94, 86)),
    ("bone", (71, 91, 83)),
    ("csf", (66, 86, 78)),
    ("grey", (62, 82, 74)),
    ("white", (44, 64, 56)),
    ("csf", (14, 22, 16)),
)
LEFT_LESION = ((-30.0, 0.0, 30.0), 9.0)
DEEP = ((0.0, -16.0, -20.0), 10.0)
EYES = (((-32.0, 66.0, -30.0), 9.0), ((32.0, 66.0, -30.0), 9.0))


def scanners():
    tables = scanner_tables()
    return catalog(tables.tissues, tables.settings)


def _inside(points, center, axes):
    """Soft 0-1 membership, about 1 mm wide."""
    axes = np.broadcast_to(np.asarray(axes, dtype=np.float32), 3)
    offset = (points - np.asarray(center, dtype=np.float32)) / axes
    distance = (1 - np.sqrt((offset**2).sum(-1))) * axes.min()
    return np.clip(distance + 0.5, 0, 1).astype(np.float32)


def phantom_sample(points, **levels):
    """The head at points (..., 3) mm."""
    shape = points.shape[:-1]
    keys = ("grey", "deep_grey", "white", "lesion", "csf", "fat", "muscle", "bone", "air", "eye")
    tissues = {key: np.zeros(shape, dtype=np.float32) for key in keys}
    tissues["air"] += 1
    layers = [(key, CENTER, axes) for key, axes in SHELLS]
    layers += [("lesion", *LEFT_LESION), ("deep_grey", *DEEP)]
    layers += [("eye", *eye) for eye in EYES]
    for key, center, axes in layers:
        mask = _inside(points, center, axes)
        for other in keys:
            tissues[other] *= 1 - mask
        tissues[key] += mask
    values = {
        "cbf_grey": CBF_GREY,
        "cbf_white": CBF_WHITE,
        "fdg_grey": SUV_GREY,
        "fdg_white": SUV_WHITE,
        "transit_s": 1.1,
        "t1_factor": 1.0,
        **levels,
    }
    fields = {key: np.full(shape, value, dtype=np.float32) for key, value in values.items()}
    return SimpleNamespace(tissues=tissues, **fields)


def phantom_head(lattice, **levels):
    return Head(lattice, phantom_sample(points_mm(lattice), **levels))


def head_lattice(spacing_mm=2.0):
    shape = tuple(int(np.ceil(mm / spacing_mm)) for mm in (176, 216, 200))
    return scanner_grid(shape, (spacing_mm,) * 3, CENTER)


def interior(grid: Grid, tissue: str, fwhm_mm: float):
    """Voxels more than about one resolution away from every other tissue."""
    fraction = phantom_sample(points_mm(grid)).tissues[tissue]
    sigma = [fwhm_mm / 2.355 / mm for mm in grid.spacing_mm]
    return ndimage.gaussian_filter(fraction, sigma) > 0.985
