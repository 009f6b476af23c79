"""Presets as data: a new network is a row here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tracerless.core.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Everything that fixes a U-Net but its weights.

    Raises:
        ModelError: no level, or not one stride for each.
    """

    widths: tuple[int, ...]
    """Feature maps per level, the finest first; multiples of 16 cost least for what they hold."""
    strides: tuple[int, ...]
    """Downsampling into each level, 2 or more. PET is smoother than the grid, so nothing is
    computed at full resolution, where most of the time would go."""
    n_residual_units: int
    """Residual units in each block; 0 = one plain convolution."""

    def __post_init__(self) -> None:
        """Check once."""
        if not self.widths or len(self.strides) != len(self.widths) or min(self.strides) < 2:
            raise ModelError(
                f"A U-Net of widths {self.widths} needs a stride of 2 or more for each, "
                f"got {self.strides}."
            )

    @property
    def multiple(self) -> int:
        """Axes must be multiples of this, voxels."""
        return math.prod(self.strides)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearPreset:
    """Everything that fixes a linear map but its weights.

    Raises:
        ModelError: no block, or no pattern.
    """

    block: int
    """Edge of the blocks over which the MR is averaged, voxels of the network's grid."""
    rank: int
    """Patterns of uptake that an answer is made of; they are means over people, not people."""

    def __post_init__(self) -> None:
        """Check once."""
        if self.block < 1 or self.rank < 1:
            raise ModelError(f"A linear map needs blocks and patterns, got {self}.")


PRESETS: Mapping[str, Preset | LinearPreset] = MappingProxyType(
    {
        "ridge": LinearPreset(block=4, rank=24),
        "unet-small": Preset(widths=(16, 32, 64), strides=(2, 2, 2), n_residual_units=1),
        "unet-tiny": Preset(widths=(8, 16, 32), strides=(2, 2, 2), n_residual_units=0),
    }
)
"""``ridge`` is the default, solved in seconds; ``unet-tiny`` is for tests."""
