"""A U-Net that keeps any grid.

Plain torch: importing MONAI for its U-Net costs 7 CPU-seconds in every command, and its residual
variant ends in a one-channel block at full resolution that doubles the time of a step. There is no
normalisation layer: a normalisation per volume gives every answer one size, but how far a person
lies from the mean is what is asked.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tracerless.networks.presets import Preset

_SLOPE = 0.1
_LAST_GAIN = 0.1


class KeepsGrid(nn.Module):
    """Pads each axis with zeros to what the network needs, and cuts the answer back.

    Args:
        network: (B, C, I, J, K) -> (B, 1, I, J, K) where I, J, K are multiples of ``multiple``.
        multiple: voxels.
    """

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network = network
        self.multiple = multiple

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, I, J, K) -> (B, 1, I, J, K), any I, J, K >= 1."""
        shape = x.shape[2:]
        missing = [-n % self.multiple for n in shape]
        before = [m // 2 for m in missing]
        sides = [(b, m - b) for b, m in zip(before, missing, strict=True)]
        padded = functional.pad(x, [n for side in reversed(sides) for n in side])
        answer: Tensor = self.network(padded)
        i, j, k = (slice(b, b + n) for b, n in zip(before, shape, strict=True))
        return answer[:, :, i, j, k]


class UNet(nn.Module):
    """Levels down, levels up, each with what the way down saw; a linear last layer.

    Args:
        row: widths, strides, residual units.
        n_inputs: input channels.
    """

    def __init__(self, row: Preset, n_inputs: int) -> None:
        super().__init__()
        widths, strides = row.widths, row.strides
        before = (n_inputs, *widths[:-1])
        self.down = nn.ModuleList(
            _Block(a, b, stride, row.n_residual_units)
            for a, b, stride in zip(before, widths, strides, strict=True)
        )
        self.rise = nn.ModuleList(
            _rise(widths[i], widths[i - 1], strides[i]) for i in range(len(widths) - 1, 0, -1)
        )
        self.up = nn.ModuleList(
            _Block(2 * width, width, 1, row.n_residual_units) for width in reversed(widths[:-1])
        )
        # Nothing follows the last layer, so its kernels overlap: each voxel gets equally many.
        self.last = nn.ConvTranspose3d(
            widths[0], 1, 2 * strides[0], stride=strides[0], padding=strides[0] // 2
        )
        self.apply(_start)
        with torch.no_grad():
            self.last.weight.mul_(_LAST_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, I, J, K) -> (B, 1, I, J, K); the axes are multiples of all strides together."""
        seen = []
        for block in self.down:
            x = block(x)
            seen.append(x)
        for rise, block, beside in zip(self.rise, self.up, reversed(seen[:-1]), strict=True):
            x = block(torch.cat([rise(x), beside], dim=1))
        answer: Tensor = self.last(x)
        return answer


class _Block(nn.Module):
    """One strided convolution, then residual units."""

    def __init__(self, n_in: int, n_out: int, stride: int, n_units: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.Conv3d(n_in, n_out, 3, stride=stride, padding=1), nn.LeakyReLU(_SLOPE)
        )
        self.units = nn.ModuleList(
            nn.Sequential(nn.Conv3d(n_out, n_out, 3, padding=1), nn.LeakyReLU(_SLOPE))
            for _ in range(n_units)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        for unit in self.units:
            x = x + unit(x)
        return x


def _rise(n_in: int, n_out: int, stride: int) -> nn.Module:
    """Back to the finer level; blocks follow and smooth what it leaves."""
    return nn.ConvTranspose3d(n_in, n_out, stride, stride=stride)


def _start(module: nn.Module) -> None:
    """Weights that keep the size of a signal from layer to layer."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        fan = module.in_channels * module.weight[0, 0].numel()
        if isinstance(module, nn.ConvTranspose3d):
            fan = max(fan // module.stride[0] ** 3, 1)
        gain = (2 / (1 + _SLOPE**2)) ** 0.5
        nn.init.normal_(module.weight, std=gain / fan**0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
