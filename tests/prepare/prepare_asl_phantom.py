"""A head made of formulas, so that it can be scanned in any pose without interpolation."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracerless.core.grid import Grid, points_mm
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare import perfusion
from tracerless.prepare.asl_sampling import View

KEY = SessionKey(Pseudonym("P01"), "1")
CORNER = np.array(((0, 0, 0, -86), (0, 0, 0, -102), (0, 0, 0, -72), (0, 0, 0, 0)))
GRID = Grid((44, 52, 30), np.diag((4.0, 4.0, 5.0, 1.0)) + CORNER)
GREY_FLOW, WHITE_FLOW = 60.0, 20.0
T1_BLOOD_S, EFFICIENCY, PARTITION = 1.65, 0.85, 0.9
FACTS: dict[str, Any] = {
    "ArterialSpinLabelingType": "PCASL",
    "PostLabelingDelay": 1.8,
    "LabelingDuration": 1.8,
    "MagneticFieldStrength": 3.0,
    "MRAcquisitionType": "3D",
    "RepetitionTimePreparation": 6.0,
    "BackgroundSuppression": True,
}


@dataclass(frozen=True)
class Tissue:
    """Shares of grey, white and fluid at points, 0-1."""

    grey: np.ndarray
    white: np.ndarray
    fluid: np.ndarray


def tissue(points: np.ndarray) -> Tissue:
    """A grey shell with a deep nucleus around white matter, and two ventricles."""
    points = np.asarray(points, dtype=float)

    def inside(center: tuple[float, ...], half: tuple[float, ...], soft: float = 0.03) -> Any:
        r = np.sqrt((((points - center) / half) ** 2).sum(axis=-1))
        return 1 / (1 + np.exp(np.clip((r - 1) / soft, -40, 40)))

    brain = inside((2, -8, 3), (60, 76, 52))
    core = inside((0, -4, 6), (42, 56, 34))
    ventricle = np.maximum(inside((-12, -2, 10), (7, 20, 9)), inside((13, -4, 10), (8, 24, 9)))
    nucleus = np.maximum(inside((-24, 6, 0), (9, 12, 9)), inside((24, 6, 0), (9, 12, 9)))
    white = brain * core * (1 - ventricle) * (1 - nucleus)
    fluid = brain * core * ventricle
    return Tissue(brain - white - fluid, white, fluid)


def m0_of(seen: Tissue) -> np.ndarray:
    """Water, with a little scalp-like rest outside nothing."""
    return 1000.0 * (0.82 * seen.grey + 0.72 * seen.white + 1.0 * seen.fluid)


def flow_of(seen: Tissue) -> np.ndarray:
    return GREY_FLOW * seen.grey + WHITE_FLOW * seen.white


def share_of(flow: np.ndarray, *, delay_s: float = 1.8, duration_s: float = 1.8) -> np.ndarray:
    """Labeled share of M0 in the consensus model: label decays with blood's T1 everywhere."""
    young, old = delay_s / T1_BLOOD_S, (delay_s + duration_s) / T1_BLOOD_S
    bolus = T1_BLOOD_S * (math.exp(-young) - math.exp(-old))
    return 2 * EFFICIENCY * flow / (6000 * PARTITION) * bolus


def volume(array: np.ndarray, contrast: Contrast = Contrast.ASL, grid: Grid = GRID) -> Volume:
    return Volume(np.asarray(array, np.float32), grid, Quantity.SIGNAL, contrast)


def moved_points(grid: Grid, pose: np.ndarray | None) -> np.ndarray:
    """Where the head's own points are that a scanner's voxels show after the head moved."""
    points = points_mm(grid).astype(float)
    if pose is None:
        return points
    back = np.linalg.inv(pose)
    return points @ back[:3, :3].T + back[:3, 3]


def scanned(
    n_pairs: int,
    *,
    control_first: bool = True,
    noise: float = 0.0,
    static: float = 0.15,
    poses: dict[int, np.ndarray] | None = None,
    slice_times_s: tuple[float, ...] = (),
    grid: Grid = GRID,
    name: str = "scan",
    delays_s: tuple[float, ...] = (),
) -> list[np.ndarray]:
    """Control and label volumes; ``poses`` (mean pose -> volume) by index."""
    draw = generator("test", "asl", name, n_pairs)
    frames = []
    late = np.array(slice_times_s) if slice_times_s else np.zeros(grid.shape[2])
    for index in range(2 * n_pairs):
        seen = tissue(moved_points(grid, (poses or {}).get(index)))
        m0, flow = m0_of(seen), flow_of(seen)
        delay_s = delays_s[index] if delays_s else 1.8
        labeled = np.stack(
            [share_of(flow[..., k], delay_s=delay_s + late[k]) for k in range(grid.shape[2])], -1
        )
        is_label = (index % 2 == 1) == control_first
        signal = m0 * (static - (labeled if is_label else 0))
        frames.append(signal + draw.normal(0, noise, grid.shape) if noise else signal)
    return frames


def asl(
    frames: list[np.ndarray], facts: dict[str, Any] | None = None, *, grid: Grid = GRID
) -> NativeSeries:
    volumes = tuple(volume(each, grid=grid) for each in frames)
    return NativeSeries(Contrast.ASL, volumes, "frame", FACTS if facts is None else facts)


def m0_series(facts: dict[str, Any] | None = None, *, grid: Grid = GRID) -> NativeSeries:
    array = m0_of(tissue(points_mm(grid)))
    stated = {"RepetitionTimePreparation": 6.0} if facts is None else facts
    return NativeSeries(Contrast.M0, (volume(array, Contrast.M0, grid),), "frame", stated)


def view(grid: Grid = GRID) -> View:
    """The series' own grid, with the truth about its tissues."""
    seen = tissue(points_mm(grid))
    brain = seen.grey + seen.white + seen.fluid > 0.5
    return View(grid, points_mm(grid), brain, seen.grey > 0.97, seen.white > 0.97)


def made(*held: NativeSeries, where: View | None = None) -> perfusion.Flow:
    """Flow of a session that holds these series."""
    native = Native(KEY, held)
    chosen = perfusion.series(native)
    assert chosen is not None
    return perfusion.flow(native, perfusion.look(chosen), where or view())
