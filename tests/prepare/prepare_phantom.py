"""A phantom person: the standard brain inside a skull, moved and bent by a known map."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless.core.atlas import Atlas
from tracerless.core.grid import Grid, points_mm
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.session import Template
from tracerless.core.volume import Contrast, Quantity, Volume

KEY = SessionKey(Pseudonym("P01"), "1")


@dataclass(frozen=True)
class Phantom:
    """Template-space truth and how to see it from a scanner."""

    template: Template
    atlas: Atlas
    head: Volume
    pose: np.ndarray

    def bent(self, points: np.ndarray) -> np.ndarray:
        """Template mm of native mm: the truth that registration has to find."""
        m = np.linalg.inv(self.pose)
        straight = points @ m[:3, :3].T + m[:3, 3]
        wave = np.sin(straight[..., [1, 2, 0]] / 30.0)
        return straight + np.float32(2.0) * wave

    def see(self, truth: np.ndarray, grid: Grid, contrast: Contrast, quantity: Quantity) -> Volume:
        """Template-space ``truth`` sampled on a native grid."""
        m = np.linalg.inv(self.template.grid.affine)
        index = self.bent(points_mm(grid)) @ m[:3, :3].T + m[:3, 3]
        seen = ndimage.map_coordinates(truth, np.moveaxis(index, -1, 0), order=1)
        return Volume(seen.astype(np.float32), grid, quantity, contrast)


def rigid(turn_deg: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> np.ndarray:
    """A (4, 4) rotation about the origin, then a shift."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


def native_grid(spacing_mm: tuple[float, float, float], codes: str = "LAS") -> Grid:
    """A grid over the phantom's head in the scanner, along the axes so named."""
    extent = np.array((210.0, 250.0, 220.0))
    spacing = np.array(spacing_mm)
    shape = np.ceil(extent / spacing).astype(int)
    affine = np.diag((*spacing, 1.0))
    affine[:3, 3] = np.array((0.0, -18.0, 8.0)) - spacing * (shape - 1) / 2
    if codes[0] == "L":
        affine[0] *= -1
        affine[0, 3] = (shape[0] - 1) * spacing[0] / 2
    return Grid(tuple(shape), affine)


def head_of(template: Template) -> np.ndarray:
    """T1 signal of brain, dark skull and bright scalp, (I, J, K)."""
    away = ndimage.distance_transform_edt(template.brain.array == 0) * template.grid.spacing_mm[0]
    signal = np.array(template.t1.array)
    signal[(away > 0) & (away <= 7)] = 25.0
    signal[(away > 7) & (away <= 13)] = 200.0
    return signal


def gain(grid: Grid) -> np.ndarray:
    """A smooth coil gain, from 0.6 behind to 1.4 in front."""
    return 1.0 + 0.4 * np.tanh(points_mm(grid)[..., 1] / 80.0)


def t2_signal(phantom: Phantom) -> np.ndarray:
    """T2 signal: fluid bright, white dark, scalp in between."""
    grey, white = phantom.template.grey.array, phantom.template.white.array
    brain = phantom.template.brain.array > 0
    signal = np.where(brain, 240 * (1 - grey - white) + 130 * grey + 95 * white, 0)
    return signal + np.where(~brain, phantom.head.array * 0.7, 0)


def flow_truth(phantom: Phantom) -> np.ndarray:
    """Grey to white as 2.5 to 1, a fifth more in front than behind."""
    tissue = phantom.template.grey.array + 0.4 * phantom.template.white.array
    return tissue * (1 + 0.1 * np.tanh(points_mm(phantom.template.grid)[..., 1] / 60))


def uptake_truth(phantom: Phantom) -> np.ndarray:
    """Grey to white as 2.5 to 1, a fifth more on the left than on the right."""
    tissue = phantom.template.grey.array + 0.4 * phantom.template.white.array
    return tissue * (1 - 0.1 * np.tanh(points_mm(phantom.template.grid)[..., 0] / 30))
