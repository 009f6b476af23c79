"""A network from the name of its preset."""

from torch import nn

from tracerless.core.errors import ModelError, did_you_mean
from tracerless.networks.linear import Linear
from tracerless.networks.presets import PRESETS, LinearPreset
from tracerless.networks.unet import KeepsGrid, UNet


def build(preset: str, *, n_inputs: int, shape: tuple[int, int, int]) -> nn.Module:
    """A fresh network of that preset; its weights come from torch's current random state.

    Args:
        preset: name in ``PRESETS``.
        n_inputs: input channels.
        shape: voxels of the input; a U-Net takes any other too.

    Returns:
        Module (B, n_inputs, I, J, K) -> (B, 1, I, J, K), unbounded.

    Raises:
        ModelError: no preset of that name.
    """
    if preset not in PRESETS:
        raise ModelError(f"No network {preset!r}.", hint=did_you_mean(preset, PRESETS))
    row = PRESETS[preset]
    if isinstance(row, LinearPreset):
        return Linear(row, shape)
    return KeepsGrid(UNet(row, n_inputs), row.multiple)


def is_solved(preset: str) -> bool:
    """Whether the weights of that preset are solved for rather than descended to."""
    return isinstance(PRESETS.get(preset), LinearPreset)
