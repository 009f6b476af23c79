"""Presets as data: a new network is a row here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tracerless.core.errors import ModelError

RISES = ("learned", "trilinear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Everything that fixes an encoder-decoder but its weights.

    Raises:
        ModelError: no level, not one stride for each, or a way up that there is not.
    """

    widths: tuple[int, ...]
    """Feature maps per level, the finest first; multiples of 16 cost least for what they hold."""
    strides: tuple[int, ...]
    """Downsampling into each level: 2 or more, the first also 1. PET is smoother than the grid, so
    full resolution takes most of the time and gives little."""
    n_residual_units: int
    """Residual units in each block; 0 = one plain convolution."""
    skips: bool = True
    """Whether the way up sees what the way down saw; without, everything passes the bottom."""
    gates: bool = False
    """Whether an attention gate weighs each skip by what the coarser level says."""
    attention: bool = False
    """Whether the voxels of the deepest level attend to each other."""
    rise: str = "learned"
    """Between levels: ``learned`` kernels that do not overlap, or ``trilinear``, which cannot
    leave a pattern of blocks (strides of 2 only)."""

    def __post_init__(self) -> None:
        """Check once."""
        least = (1, *(2 for _ in self.strides[1:]))
        steep = all(s >= low for s, low in zip(self.strides, least, strict=False))
        if not self.widths or len(self.strides) != len(self.widths) or not steep:
            raise ModelError(
                f"An encoder-decoder of widths {self.widths} needs a stride of 2 or more for each, "
                f"the first also 1, got {self.strides}."
            )
        doubles = self.rise == "learned" or set(self.strides[1:]) <= {2}
        if self.rise not in RISES or not doubles or (self.gates and not self.skips):
            raise ModelError(
                f"No way up of rise={self.rise!r} over strides {self.strides}, "
                f"skips={self.skips}, gates={self.gates}."
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


@dataclass(frozen=True, slots=True)
class SilentPreset:
    """A network that says nothing: what is expected of everyone stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticPreset:
    """Everything that fixes a patch critic but its weights.

    Raises:
        ModelError: no layer, or not one stride for each.
    """

    widths: tuple[int, ...]
    """Feature maps per layer."""
    strides: tuple[int, ...]
    """Downsampling into each layer, 1 or more."""

    def __post_init__(self) -> None:
        """Check once."""
        if not self.widths or len(self.strides) != len(self.widths) or min(self.strides) < 1:
            raise ModelError(
                f"A critic of widths {self.widths} needs a stride for each, got {self.strides}."
            )

    @property
    def reach_vox(self) -> int:
        """Edge of the patch that one verdict looks at, voxels."""
        reach, step = 1, 1
        for stride in (*self.strides, 1):
            reach, step = reach + 2 * step, step * stride
        return reach


PRESETS: Mapping[str, Preset | LinearPreset | SilentPreset] = MappingProxyType(
    {
        "none": SilentPreset(),
        "ridge": LinearPreset(block=4, rank=24),
        "ced-small": Preset(
            widths=(16, 32, 64),
            strides=(2, 2, 2),
            n_residual_units=1,
            skips=False,
            attention=True,
        ),
        "unet-tiny": Preset(widths=(8, 16, 32), strides=(2, 2, 2), n_residual_units=0),
        "unet-small": Preset(widths=(16, 32, 64), strides=(2, 2, 2), n_residual_units=1),
        "unet-deep": Preset(widths=(16, 32, 64, 96), strides=(2, 2, 2, 2), n_residual_units=1),
        "unet-medium": Preset(widths=(32, 64, 128, 256), strides=(2, 2, 2, 2), n_residual_units=1),
        "unet-full": Preset(
            widths=(16, 32, 64, 128),
            strides=(1, 2, 2, 2),
            n_residual_units=1,
            rise="trilinear",
        ),
        "attention-small": Preset(
            widths=(16, 32, 64), strides=(2, 2, 2), n_residual_units=1, gates=True
        ),
    }
)
"""``ridge`` is the default, solved in seconds; ``unet-tiny`` is for tests and for velocities."""

CRITIC = CriticPreset(widths=(16, 32, 64), strides=(2, 2, 1))
"""Its patches are 23 voxels wide."""
