"""Where to look: gates on skips, and voxels of the deepest level that attend to each other."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tracerless.networks.blocks import SLOPE, rise

_HEADS = 4


class Gate(nn.Module):
    """Weighs each place of a skip, 0-1, by what the coarser level says of it.

    Args:
        n_fine: feature maps of the skip.
        n_coarse: feature maps of the coarser level.
        stride: how much coarser that is.

    Source:
        Oktay et al. 2018, arXiv 1804.03999 (additive attention gate). Deviates: no batch
        normalisation, and the weights are brought to the fine level by a learned rise.
    """

    def __init__(self, n_fine: int, n_coarse: int, stride: int) -> None:
        super().__init__()
        between = max(n_fine // 2, 4)
        self.fine = nn.Conv3d(n_fine, between, stride, stride=stride, bias=False)
        self.coarse = nn.Conv3d(n_coarse, between, 1)
        self.weigh = rise(between, 1, stride, trilinear=stride == 2)

    def forward(self, skip: Tensor, coarse: Tensor) -> Tensor:
        """(B, n_fine, I, J, K) and (B, n_coarse, I/stride, …) -> the skip, weighed."""
        both = functional.leaky_relu(self.fine(skip) + self.coarse(coarse), SLOPE)
        return skip * torch.sigmoid(self.weigh(both))


class Attention(nn.Module):
    """Every voxel takes up what it finds in voxels that are like what it asks for.

    Args:
        width: feature maps, a multiple of 4.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ask = nn.Conv3d(width, 3 * width, 1)
        self.give = nn.Conv3d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, I, J, K) -> like it; costs the square of the number of voxels."""
        n, width = x.shape[:2]
        flat = self.ask(x).reshape(n, 3, _HEADS, width // _HEADS, -1)
        query, key, value = flat.unbind(dim=1)
        match = query.transpose(2, 3) @ key * (width // _HEADS) ** -0.5
        found = value @ torch.softmax(match, dim=-1).transpose(2, 3)
        answer: Tensor = x + self.give(found.reshape(x.shape))
        return answer
