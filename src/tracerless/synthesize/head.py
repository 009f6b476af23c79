"""Between the network and SUVR: a residual on the person's expected map, the reference pinned."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tracerless.core.errors import GeometryError
from tracerless.core.volume import MR_INPUTS

N_CHANNELS = 2 * len(MR_INPUTS) + 1
"""Values, presence flags, and the expected map."""
_MARGIN_VOX = 1
_LOWEST_LEVEL = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """What turns the network's numbers into SUVR; tensors in the brain's box, on one device.

    Args:
        box: the part of the network's grid that holds the brain.
        brain: (i, j, k) 0 or 1 in the box.
        reference: (i, j, k) weights that sum to 1 over the reference region.
        residual_suvr: SUVR that one unit of the network's output stands for.
    """

    box: tuple[slice, slice, slice]
    brain: Tensor
    reference: Tensor
    residual_suvr: float

    def inputs(self, values: Tensor, present: Tensor, expected: Tensor) -> Tensor:
        """Channels for the network.

        Args:
            values: (B, 3, i, j, k) normalised contrasts in the box.
            present: (B, 3) 0 or 1; what is hidden here cannot be seen through ``values``.
            expected: (B, i, j, k) SUVR of each person before MR is looked at, without NaN.

        Returns:
            (B, 7, i, j, k): values, flags (in the brain only: a constant channel would vanish in
            the first normalisation), expected map.
        """
        shown = present[:, :, None, None, None]
        known = ((expected - 1.0) * self.brain)[:, None]
        return torch.cat([values * shown, shown * self.brain, known], dim=1)

    def raw(self, answer: Tensor, expected: Tensor) -> Tensor:
        """(B, n, i, j, k) network output -> the same shape, SUVR before the reference is pinned."""
        return expected[:, None] + self.residual_suvr * self.brain * answer.float()

    def level(self, raw: Tensor, expected: Tensor) -> Tensor:
        """(B, 1, 1, 1): what brings ``raw`` (B, i, j, k) to the reference mean of ``expected``."""
        wanted, found = (
            (suvr * self.reference).sum(dim=(1, 2, 3), keepdim=True) for suvr in (expected, raw)
        )
        return wanted / found.clamp_min(_LOWEST_LEVEL)

    def suvr(self, answer: Tensor, expected: Tensor) -> Tensor:
        """(B, n, i, j, k) network output -> (B, i, j, k) SUVR of its first channel.

        The reference region keeps the mean that it has in ``expected`` (B, i, j, k).
        """
        raw = self.raw(answer[:, :1], expected)[:, 0]
        return raw * self.level(raw, expected)

    def to(self, device: torch.device) -> "Head":
        """The same on another device."""
        brain, reference = self.brain.to(device), self.reference.to(device)
        return replace(self, brain=brain, reference=reference)


def head(brain: NDArray[np.bool_], reference: NDArray[np.bool_], residual_suvr: float) -> Head:
    """The head over the brain's box.

    Args:
        brain: (I, J, K).
        reference: (I, J, K) reference region; counts inside the brain only.
        residual_suvr: typical deviation from the expected map, SUVR.

    Raises:
        GeometryError: no voxel of the reference region lies in the brain.
    """
    box = box_of(brain)
    inside = (reference & brain)[box].astype(np.float32)
    if not inside.any():
        raise GeometryError("No voxel of the reference region lies in the template's brain.")
    return Head(
        box,
        torch.from_numpy(brain[box].astype(np.float32)),
        torch.from_numpy(inside / inside.sum()),
        residual_suvr,
    )


def box_of(brain: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """The smallest box around the brain with one voxel to spare; it saves half of the work."""
    slices = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        where = np.flatnonzero(brain.any(axis=others))
        low = max(int(where[0]) - _MARGIN_VOX, 0)
        slices.append(slice(low, min(int(where[-1]) + 1 + _MARGIN_VOX, brain.shape[axis])))
    return slices[0], slices[1], slices[2]


def box_shape(brain: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Voxels of that box along each axis."""
    i, j, k = (each.stop - each.start for each in box_of(brain))
    return i, j, k
