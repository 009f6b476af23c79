"""A linear map from coarse MR to a few patterns of uptake: the rival that a network must beat."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from tracerless.networks.presets import LinearPreset

N_CONTRASTS = 3
"""Channels: values of three contrasts, three flags of presence, the mean."""

SUBSETS = tuple(
    subset for n in range(1, N_CONTRASTS + 1) for subset in itertools.combinations(range(3), n)
)
"""Every non-empty set of contrasts; each has weights of its own."""
_SHOWN = tuple(tuple(c in subset for c in range(N_CONTRASTS)) for subset in SUBSETS)


class Linear(nn.Module):
    """Averages over blocks, times weights of the set of contrasts that is shown, times patterns.

    All weights start at zero: the answer is then the mean. They are solved for, not descended to.

    Args:
        row: block edge and number of patterns.
        shape: (i, j, k) voxels of the input.
    """

    def __init__(self, row: LinearPreset, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.edge = row.block
        n_blocks = pooled(torch.zeros(1, N_CONTRASTS, *shape), row.block).shape[2]
        n_voxels = shape[0] * shape[1] * shape[2]
        self.center = _fixed(len(SUBSETS), N_CONTRASTS, n_blocks)
        self.weight = _fixed(len(SUBSETS), N_CONTRASTS, n_blocks, row.rank)
        self.patterns = _fixed(row.rank, n_voxels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 7, i, j, k) -> (B, 1, i, j, k); zeros where no contrast is shown."""
        blocks = pooled(x[:, :N_CONTRASTS], self.edge)
        shown = x[:, N_CONTRASTS : 2 * N_CONTRASTS].flatten(2).amax(dim=2) > 0
        chosen = (shown[:, None] == x.new_tensor(_SHOWN, dtype=torch.bool)).all(dim=2).to(x.dtype)
        # One product over all sets of contrasts: no branch, so the map can be exported.
        amounts = torch.einsum(
            "bs,bscn,scnr->br", chosen, blocks[:, None] - self.center, self.weight
        )
        answer: Tensor = (amounts @ self.patterns).reshape(len(x), 1, *x.shape[2:])
        return answer


def pooled(values: Tensor, edge: int) -> Tensor:
    """(B, C, i, j, k) -> (B, C, n_blocks) means over blocks; what hangs over counts as 0."""
    missing = [-n % edge for n in values.shape[2:]]
    padded = functional.pad(values, [n for m in reversed(missing) for n in (0, m)])
    return functional.avg_pool3d(padded, edge).flatten(2)


def _fixed(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(*shape), requires_grad=False)
