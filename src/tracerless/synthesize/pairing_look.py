"""What is kept of one session to judge it among others."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid, with_spacing
from tracerless.core.people import SessionKey
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume
from tracerless.synthesize.channels import to_grid
from tracerless.synthesize.pairing_alone import alone
from tracerless.synthesize.pairing_finding import REFUSE, PairFinding
from tracerless.synthesize.pairing_shift import Shift, halves, mirrored, shift
from tracerless.synthesize.space import Space

SHIFT_MM = 4.0
"""Voxel edge on which MR and PET are moved against each other."""
LIKENESS_MM = 6.0
"""Voxel edge on which people are told apart."""
Meeting = tuple[Contrast, Contrast]
"""Two contrasts of one session: the second is moved against the first."""
MEETINGS: tuple[Meeting, ...] = (
    (Contrast.T1W, Contrast.FDG),
    (Contrast.T1W, Contrast.T2W),
    (Contrast.T2W, Contrast.FDG),
    (Contrast.CBF, Contrast.FDG),
)
"""Which are looked at; FDG on T2w only where there is no T1w."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is kept of one session to judge it among others; half precision.

    Args:
        key: whose.
        alone: what is wrong with the session by itself.
        shifts: by pair of contrasts, where the second lies against the first: over the whole brain,
            then in the halves of it (right, left, front, back, top, bottom) that were asked, so
            that a turn shows too.
        mirrored: by pair of contrasts, how much worse the second fits the first with left and right
            exchanged: difference in the logarithm of the variance that is not explained; below 0 it
            fits better so.
        maps: by contrast, (V,) float16 in the brain at ``LIKENESS_MM``: MR as robust z, FDG over
            its mean; NaN where nothing is known.
        digests: by contrast, of the volume's own bytes.
    """

    key: SessionKey
    alone: tuple[PairFinding, ...]
    shifts: Mapping[Meeting, tuple[Shift, ...]]
    mirrored: Mapping[Meeting, float]
    maps: Mapping[Contrast, NDArray[np.float16]]
    digests: Mapping[Contrast, str]


def look(session: Prepared, where: Space) -> Look:
    """What is needed to judge a session; a bad picture becomes a finding, never an error.

    Args:
        session: prepared, in the template space of ``where``.
        where: the network's grid, brain and reference region.
    """
    found = tuple(alone(session, where))
    seen = {c: v for c, v in session.volumes.items() if c in {*MR_INPUTS, Contrast.FDG}}
    no_picture = {f.contrast for f in found if f.verdict == REFUSE and f.kind != "units"}
    usable = {contrast: each for contrast, each in seen.items() if contrast not in no_picture}
    shifts, exchanged = _places(usable, where)
    return Look(
        key=session.key,
        alone=found,
        shifts=shifts,
        mirrored=exchanged,
        maps=_maps(usable, where),
        digests={contrast: _digest(volume) for contrast, volume in seen.items()},
    )


def _places(
    volumes: Mapping[Contrast, Volume], where: Space
) -> tuple[dict[Meeting, tuple[Shift, ...]], dict[Meeting, float]]:
    """Where contrasts lie on each other, and how they would with left and right exchanged."""
    grid, brain = _brain(where, SHIFT_MM)
    arrays = {contrast: to_grid(volume, grid) for contrast, volume in volumes.items()}
    edge_mm = grid.spacing_mm[0]
    middle_vox = float(np.linalg.inv(grid.affine)[0, 3])
    shifts: dict[Meeting, tuple[Shift, ...]] = {}
    exchanged: dict[Meeting, float] = {}
    for still, moved in MEETINGS:
        if not {still, moved} <= set(arrays) or (still is Contrast.T2W and Contrast.T1W in arrays):
            continue
        parts = [brain, *(halves(brain) if still is Contrast.T1W else ())]
        pair = arrays[still], arrays[moved]
        each = [shift(*pair, part, spacing_mm=edge_mm) for part in parts]
        known = tuple(part for part in each if part is not None)
        if len(known) < len(parts):
            continue
        shifts[still, moved] = known
        if still is not Contrast.CBF:
            worse = mirrored(*pair, brain, middle_vox=middle_vox, spacing_mm=edge_mm)
            exchanged |= {} if worse is None else {(still, moved): worse}
    return shifts, exchanged


def _maps(volumes: Mapping[Contrast, Volume], where: Space) -> dict[Contrast, NDArray[np.float16]]:
    if Contrast.FDG not in volumes:
        return {}
    grid, brain = _brain(where, LIKENESS_MM)
    found = {}
    for contrast, volume in volumes.items():
        values = to_grid(volume, grid)[brain].astype(np.float64)
        if contrast is Contrast.FDG:
            scaled = values / np.nanmean(values)
        else:
            low, middle, high = np.nanpercentile(values, (25, 50, 75))
            scaled = np.clip((values - middle) / max(high - low, 1e-6), -4, 4)
        found[contrast] = scaled.astype(np.float16)
    return found


@functools.lru_cache(maxsize=4)
def _brain(where: Space, edge_mm: float) -> tuple[Grid, NDArray[np.bool_]]:
    """The template's grid at that voxel edge or the network's, and the brain on it."""
    edge_mm = max(edge_mm, where.grid.spacing_mm[0])
    if edge_mm == where.grid.spacing_mm[0]:
        return where.grid, where.brain
    grid = with_spacing(where.grid, edge_mm)
    inside = where.brain.astype(np.float32)
    share = Volume(inside, where.grid, Quantity.PROBABILITY, Contrast.UNKNOWN)
    brain: NDArray[np.bool_] = np.nan_to_num(resample(share, grid).array) > 0.5
    brain.setflags(write=False)
    return grid, brain


def _digest(volume: Volume) -> str:
    return hashlib.sha256(np.ascontiguousarray(volume.array).tobytes()).hexdigest()
