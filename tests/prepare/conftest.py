"""What the phantom person's scanners see."""

import hashlib
import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from prepare_phantom import (
    Phantom,
    flow_truth,
    gain,
    head_of,
    native_grid,
    rigid,
    t2_signal,
    uptake_truth,
)

from tracerless.core.seeds import generator
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.prepare import asl_m0, channel
from tracerless.registration.ladder import Alignment, Anchor, align


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """A person 7 % smaller than the standard brain, turned and moved."""
    fine = resources.template(2.0)
    pose = rigid((6, -4, 8), (5, -12, 9)) @ np.diag((0.93, 0.93, 0.93, 1.0))
    head = replace(fine.t1, array=head_of(fine))
    return Phantom(fine, resources.atlas("fdg36", 2.0), head, pose)


@pytest.fixture(scope="session")
def t1(phantom: Phantom) -> NativeSeries:
    """The T1 with a surface-coil gain of more than a factor of two, and noise."""
    grid = native_grid((1.6, 1.6, 1.6))
    plain = phantom.see(phantom.head.array, grid, Contrast.T1W, Quantity.T1W)
    noise = generator("test", "prepare", "t1").normal(0, 4, grid.shape)
    signal = np.abs(plain.array * gain(grid) + noise).astype(np.float32)
    return NativeSeries(Contrast.T1W, (replace(plain, array=signal),), "one-frame")


@pytest.fixture(scope="session")
def t2(phantom: Phantom) -> NativeSeries:
    """A T2 of thick slices, one frame of reference with the T1, the head moved by 2 degrees."""
    moved = replace(phantom, pose=rigid((2, 0, -2), (1, -1, 3)) @ phantom.pose)
    grid = native_grid((1.0, 1.0, 5.0))
    volume = moved.see(t2_signal(phantom), grid, Contrast.T2W, Quantity.T2W)
    return NativeSeries(Contrast.T2W, (volume,), "one-frame")


@pytest.fixture(scope="session")
def asl(phantom: Phantom) -> NativeSeries:
    """M0, then six pairs of label and control with one left over."""
    grid = native_grid((3.5, 3.5, 5.0))
    proton = phantom.see(t2_signal(phantom), grid, Contrast.ASL, Quantity.SIGNAL).array * 4
    flow = phantom.see(flow_truth(phantom), grid, Contrast.ASL, Quantity.SIGNAL).array
    draw = generator("test", "prepare", "asl")
    frames = [proton]
    for n in range(13):
        signal = proton / 4 - (0.01 * proton * flow if n % 2 == 0 else 0)
        frames.append(signal + draw.normal(0, 0.5, grid.shape))
    volumes = tuple(
        Volume(np.asarray(each, dtype=np.float32), grid, Quantity.SIGNAL, Contrast.ASL)
        for each in frames
    )
    return NativeSeries(Contrast.ASL, volumes, "one-frame")


@pytest.fixture(scope="session")
def fdg(phantom: Phantom) -> NativeSeries:
    """An FDG-PET of its own frame of reference, far from where the T1 says the head is."""
    moved = replace(phantom, pose=rigid((-9, 5, 12), (14, 10, -16)) @ phantom.pose)
    grid = native_grid((2.5, 2.5, 3.3), "RAS")
    volume = moved.see(7.0 * uptake_truth(phantom), grid, Contrast.FDG, Quantity.ACTIVITY)
    return NativeSeries(Contrast.FDG, (volume,), "another-frame")


@pytest.fixture(scope="module")
def _aligned_once() -> Iterator[None]:
    """Equal volumes are aligned once a file, for files whose tests change facts and no voxels."""
    kept: dict[str, Alignment] = {}

    def once(anchor: Anchor, moving: Volume, *, same_frame: bool) -> Alignment:
        key = hashlib.sha256(pickle.dumps((anchor, moving, same_frame))).hexdigest()
        if key not in kept:
            kept[key] = align(anchor, moving, same_frame=same_frame)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asl_m0, "align", once)
        patch.setattr(channel, "align", once)
        yield
