"""A critic of patches: does this uptake look acquired, given this MR?

No normalisation layer: what a person lacks must not be scaled away. Instead no layer can stretch a
difference (spectral norm), by an exact singular value with no memory of earlier steps: a run that
is taken up again holds nothing but parameters.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from tracerless.networks.blocks import SLOPE, start
from tracerless.networks.presets import CRITIC, CriticPreset

_SMALLEST = 1e-6


class Spectral(nn.Module):
    """A kernel divided by its largest singular value.

    Source:
        Miyato et al. 2018, ICLR (spectral normalization). Deviates: the singular vector comes from
        an eigendecomposition of the small Gram matrix, not from a power iteration kept in buffers.
    """

    def forward(self, weight: Tensor) -> Tensor:
        """(n_out, n_in, …) -> like it, of spectral norm 1 as a matrix (n_out, n_in * …)."""
        if weight.is_meta:  # only shapes are asked for
            return weight
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.float().flatten(1)
            with torch.no_grad():
                u = torch.linalg.eigh(matrix @ matrix.T).eigenvectors[:, -1]
                v = functional.normalize(u @ matrix, dim=0)
            tamed: Tensor = weight / (u @ matrix @ v).clamp_min(_SMALLEST)
        return tamed


class Critic(nn.Module):
    """Strided convolutions, then one verdict a patch.

    Args:
        row: widths and strides.
        n_inputs: channels of the MR and of the uptake together.
    """

    def __init__(self, row: CriticPreset, n_inputs: int) -> None:
        super().__init__()
        before = (n_inputs, *row.widths[:-1])
        self.layers = nn.ModuleList(
            nn.Conv3d(a, b, 3, stride=stride, padding=1)
            for a, b, stride in zip(before, row.widths, row.strides, strict=True)
        )
        # No bias: a hinge moves it equally far both ways.
        self.last = nn.Conv3d(row.widths[-1], 1, 3, padding=1, bias=False)
        self.apply(start)
        for layer in (*self.layers, self.last):
            parametrize.register_parametrization(layer, "weight", Spectral())

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, n_inputs, i, j, k) -> features of each layer, the last one (B, 1, …) logits."""
        seen = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), SLOPE)
            seen.append(x)
        return [*seen, self.last(x)]


def critic(n_inputs: int) -> nn.Module:
    """A fresh critic; its weights come from torch's current random state.

    Args:
        n_inputs: channels of the MR and of the uptake together.

    Returns:
        Module (B, n_inputs, i, j, k), any size -> list of feature tensors, the last one the logits
        of the patches (B, 1, …), unbounded; positive = looks acquired.
    """
    return Critic(CRITIC, n_inputs)
