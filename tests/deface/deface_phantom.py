"""A head around the standard brain, with a face, in any scanner's space."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from phantom_parts import Edit
from phantoms import Who, write_mr, write_nm, write_pt
from tracerless.core.grid import Grid, points_mm
from tracerless.core.session import Template
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast, Quantity, Volume

NOSE, CHIN, EYE, LIPS = (0, 104, -62), (0, 90, -116), (32, 74, -38), (0, 96, -92)
"""Places of a face on the standard brain, mm."""

POSE = np.eye(4)
POSE[:3, :3] = Rotation.from_euler("xyz", (9, -4, 6), degrees=True).as_matrix() * 0.92
POSE[:3, 3] = (5.0, -14.0, 11.0)
"""Standard mm -> the phantom's scanner mm."""


def head_signal(template: Template, brain: np.ndarray, *, skin: float) -> np.ndarray:
    """Signal on the template grid: the brain's, dark bone, bright skin, a face."""
    inside = template.brain.array > 0.5
    away_mm = ndimage.distance_transform_edt(~inside, sampling=template.grid.spacing_mm)
    x, y, z = np.moveaxis(points_mm(template.grid), -1, 0)
    face = ((x / 62) ** 2 + ((y - 36) / 52) ** 2 + ((z + 72) / 56) ** 2 < 1) & (away_mm > 9)
    nose = (x / 11) ** 2 + ((y - 90) / 16) ** 2 + ((z + 60) / 14) ** 2 < 1
    scalp = (away_mm > 9) & (away_mm < 16)
    signal = np.where(scalp | face | nose, skin, 0.0)
    signal[(away_mm > 0) & (away_mm <= 9)] = 0.12 * skin
    return np.where(inside, brain, signal).astype(np.float32)


def t1_signal(template: Template) -> np.ndarray:
    """T1-weighted, brain about 60-110."""
    brain = template.t1.array / template.t1.array.max() * 120
    return head_signal(template, brain, skin=85.0)


def fdg_signal(template: Template) -> np.ndarray:
    """FDG, kBq/mL: grey 20, white 8, skin 2."""
    uptake = 20 * template.grey.array + 8 * template.white.array
    return head_signal(template, uptake, skin=2.0)


def seen(
    template: Template, signal: np.ndarray, grid: Grid, contrast: Contrast, pose: np.ndarray = POSE
) -> Volume:
    """The signal as a scanner sees it; 0 outside the template's field of view."""
    volume = Volume(signal, template.grid, Quantity.SIGNAL, contrast)
    pull = Affine("scanner", "standard", np.linalg.inv(pose))
    return Volume(
        np.nan_to_num(resample(volume, grid, pull).array), grid, Quantity.SIGNAL, contrast
    )


def scanner_grid(spacing_mm: tuple[float, float, float], height_mm: float = 240.0) -> Grid:
    """LPS-like axes, as an axial series is stored, over the phantom's head."""
    size_mm = (200.0, 230.0, height_mm)
    shape = tuple(int(mm / step) for mm, step in zip(size_mm, spacing_mm, strict=True))
    affine = np.diag((-spacing_mm[0], -spacing_mm[1], spacing_mm[2], 1.0))
    affine[:3, 3] = (105.0, 115.0, 95.0 - height_mm)
    return Grid(shape, affine)


def at(volume: Volume, place: tuple[float, float, float], pose: np.ndarray = POSE) -> tuple:
    """The voxel at a standard place."""
    mm = (pose @ (*place, 1.0))[:3]
    index = np.linalg.inv(volume.grid.affine) @ (*mm, 1.0)
    return tuple(np.rint(index[:3]).astype(int))


def staged(
    folder: Path, volume: Volume, *, who: Who | None = None, edit: Edit | None = None
) -> Path:
    """The volume as clean-looking DICOM in a folder of its own."""
    stored = np.round(volume.array)
    writer: Callable[..., object] = write_mr
    extra = {"contrast": str(volume.contrast)}
    if volume.contrast is Contrast.FDG:
        writer, extra, stored = write_pt, {}, volume.array
    elif volume.contrast in (Contrast.ECD, Contrast.HMPAO):
        writer, extra = write_nm, {"tracer": str(volume.contrast)}
    kind = np.float32 if volume.contrast is Contrast.FDG else np.int16
    writer(folder, stored.astype(kind), volume.grid.affine, who=who, edit=edit, **extra)
    for path in list(folder.iterdir()):
        path.rename(path.with_suffix(".dcm"))
    return folder
