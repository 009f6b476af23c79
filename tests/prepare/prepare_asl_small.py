"""The head made of formulas on a small lattice, and what its labeling gives."""

from typing import Any

import numpy as np
from prepare_asl_phantom import asl, flow_of, m0_of, m0_series, made, share_of, tissue, view

from tracerless.core.grid import Grid, points_mm
from tracerless.core.volume import Quantity
from tracerless.prepare import perfusion

CORNER = np.array(((0, 0, 0, -84), (0, 0, 0, -100), (0, 0, 0, -70), (0, 0, 0, 0)))
GRID = Grid((22, 26, 20), np.diag((8.0, 8.0, 7.5, 1.0)) + CORNER)
SEEN, VIEW = tissue(points_mm(GRID)), view(GRID)
M0 = m0_series(grid=GRID)
PASL = {
    "ArterialSpinLabelingType": "PASL",
    "PostLabelingDelay": 1.8,
    "BolusCutOffFlag": True,
    "BolusCutOffDelayTime": [0.7, 1.6],
    "MagneticFieldStrength": 3.0,
    "MRAcquisitionType": "3D",
}


def frames_of(share: np.ndarray, n_pairs: int = 2) -> list[np.ndarray]:
    control = 0.15 * m0_of(SEEN)
    return [control, control - m0_of(SEEN) * share] * n_pairs


def flow(facts: dict[str, Any], frames: list[np.ndarray] | None = None) -> perfusion.Flow:
    signal = frames_of(share_of(flow_of(SEEN))) if frames is None else frames
    return made(asl(signal, facts, grid=GRID), M0, where=VIEW)


def assert_true_flow(told: perfusion.Flow, tolerance: float = 0.05) -> None:
    assert told.volume.quantity is Quantity.CBF, told.source.get("why_relative")
    assert abs(told.levels["grey"] / 60 - 1) < tolerance
    assert abs(told.levels["white"] / 20 - 1) < tolerance
