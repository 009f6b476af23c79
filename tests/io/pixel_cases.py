"""One small phantom of every encoding, and how a loaded series is held against it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phantoms import (
    Phantom,
    head,
    oblique,
    write_enhanced,
    write_mosaic,
    write_mr,
    write_nm,
    write_pt,
)
from tracerless.core.session import NativeSeries

SMALL = (8, 9, 7)


def array(series: NativeSeries) -> NDArray[np.float32]:
    stacked = np.stack([volume.array for volume in series.volumes], axis=-1)
    return stacked[..., 0] if len(series.volumes) == 1 else stacked


def agrees(series: NativeSeries, truth: Phantom) -> None:
    np.testing.assert_allclose(series.grid.affine, truth.affine, atol=1e-5)
    np.testing.assert_allclose(array(series), truth.voxels, rtol=1e-6, atol=1e-6)


def t1(folder: Path) -> Phantom:
    return write_mr(folder, head(SMALL), oblique())


def asl(folder: Path) -> Phantom:
    frames = np.stack([head(SMALL), head(SMALL) // 2, head(SMALL) // 3], -1)
    return write_mr(folder, frames, oblique(), contrast="asl")


def pt(folder: Path) -> Phantom:
    return write_pt(folder, head(SMALL).astype(np.float32) / 50, oblique())


def nm(folder: Path) -> Phantom:
    return write_nm(folder, head(SMALL), oblique())


def mosaic(folder: Path) -> Phantom:
    return write_mosaic(folder, np.stack([head(SMALL), head(SMALL) // 2], -1), oblique())


def enhanced(folder: Path) -> Phantom:
    return write_enhanced(folder, np.stack([head(SMALL), head(SMALL) // 2], -1), oblique())
