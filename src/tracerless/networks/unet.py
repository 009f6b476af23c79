"""Encoder-decoders that keep any grid: U-Nets, gated ones, and those without skips.

Plain torch: importing MONAI for its U-Net costs 7 CPU-seconds in every command, and its residual
variant ends in a one-channel block at full resolution that doubles the time of a step.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tracerless.networks.attention import Attention, Gate
from tracerless.networks.blocks import Block, Conv, quieten, rise, start
from tracerless.networks.presets import Preset

_LAST_GAIN = 0.1


class KeepsGrid(nn.Module):
    """Pads each axis with zeros to what the network needs, and cuts the answer back.

    Args:
        network: (B, C, I, J, K) -> (B, O, I, J, K) where I, J, K are multiples of ``multiple``.
        multiple: voxels.
    """

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network = network
        self.multiple = multiple

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, I, J, K) -> (B, O, I, J, K), any I, J, K >= 1."""
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
        row: widths, strides, residual units, skips, gates, attention.
        n_inputs: input channels.
        n_outputs: output channels.
    """

    def __init__(self, row: Preset, n_inputs: int, n_outputs: int = 1) -> None:
        super().__init__()
        widths, strides, units = row.widths, row.strides, row.n_residual_units
        before = (n_inputs, *widths[:-1])
        above = [(widths[i], widths[i - 1], strides[i]) for i in range(len(widths) - 1, 0, -1)]
        share = 2 if row.skips else 1
        self.down = nn.ModuleList(
            Block(a, b, stride, units) for a, b, stride in zip(before, widths, strides, strict=True)
        )
        self.deep = Attention(widths[-1]) if row.attention else nn.Identity()
        self.rise = nn.ModuleList(rise(*way, trilinear=row.rise == "trilinear") for way in above)
        self.up = nn.ModuleList(Block(share * fine, fine, 1, units) for _, fine, _ in above)
        self.gates = nn.ModuleList(
            Gate(fine, coarse, stride) for coarse, fine, stride in above if row.gates
        )
        self.skips = row.skips
        self.last = _last(widths[0], n_outputs, strides[0])
        self.apply(start).apply(quieten)
        with torch.no_grad():
            self.last.weight.mul_(_LAST_GAIN)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, I, J, K) -> (B, O, I, J, K); the axes are multiples of all strides together."""
        seen = []
        for block in self.down:
            x = block(x)
            seen.append(x)
        x = self.deep(x)
        for at, (up, block) in enumerate(zip(self.rise, self.up, strict=True)):
            risen = up(x)
            if self.skips:
                beside = seen[-2 - at]
                beside = self.gates[at](beside, x) if len(self.gates) else beside
                risen = torch.cat([risen, beside], dim=1)
            x = block(risen)
        answer: Tensor = self.last(x)
        return answer


def _last(width: int, n_outputs: int, stride: int) -> Conv | nn.ConvTranspose3d:
    """Nothing follows the last layer, so its kernels overlap: each voxel gets equally many."""
    if stride == 1:
        return Conv(width, n_outputs, 1)
    return nn.ConvTranspose3d(width, n_outputs, 2 * stride, stride=stride, padding=stride // 2)
