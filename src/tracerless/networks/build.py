"""A network from the name of its preset."""

from torch import nn

from tracerless.core.errors import ModelError, did_you_mean
from tracerless.networks.linear import Linear
from tracerless.networks.presets import PRESETS, LinearPreset, Preset, SilentPreset
from tracerless.networks.silent import Silent
from tracerless.networks.unet import KeepsGrid, UNet


def build(
    preset: str, *, n_inputs: int, shape: tuple[int, int, int], n_outputs: int = 1
) -> nn.Module:
    """A fresh network of that preset; its weights come from torch's current random state.

    Args:
        preset: name in ``PRESETS``.
        n_inputs: input channels.
        shape: voxels of the input; an encoder-decoder takes any other too.
        n_outputs: output channels.

    Returns:
        Module (B, n_inputs, I, J, K) -> (B, n_outputs, I, J, K), unbounded.

    Raises:
        ModelError: no preset of that name, or several outputs of a preset that has one.
    """
    if preset not in PRESETS:
        raise ModelError(f"No network {preset!r}.", hint=did_you_mean(preset, PRESETS))
    row = PRESETS[preset]
    if isinstance(row, Preset):
        return KeepsGrid(UNet(row, n_inputs, n_outputs), row.multiple)
    if n_outputs != 1:
        raise ModelError(
            f"Network {preset!r} gives one number a voxel, not {n_outputs}.",
            hint="Choose a U-Net, or the objective 'regression'.",
        )
    return Linear(row, shape) if isinstance(row, LinearPreset) else Silent()


def is_solved(preset: str) -> bool:
    """Whether the weights of that preset are solved for, or absent, rather than descended to."""
    return isinstance(PRESETS.get(preset), LinearPreset | SilentPreset)
