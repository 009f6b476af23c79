"""A network that bounds itself: its first channel is the mean, two more say how far from it."""

from torch import Tensor
from torch.nn import functional

from tracerless.synthesize.losses import pinball

N_OUTPUTS = 3
"""Mean, width below, width above."""
LOWER, UPPER = 0.05, 0.95
"""Shares of the truth below the two bounds: 90 % lie between."""


def bounds(answer: Tensor, unit_suvr: float) -> tuple[Tensor, Tensor]:
    """How far the truth reaches below and above the mean, (B, i, j, k) SUVR each, never negative.

    Widths instead of bounds, so that bounds cannot cross each other or the mean.

    Args:
        answer: (B, 3, i, j, k) the network's output.
        unit_suvr: SUVR of one unit of it.
    """
    width = unit_suvr * functional.softplus(answer[:, 1:].float())
    return width[:, 0], width[:, 1]


def bound_loss(answer: Tensor, error: Tensor, valid: Tensor, unit_suvr: float) -> Tensor:
    """Pinball loss of both bounds, SUVR; it does not move the mean.

    Args:
        answer: (B, 3, i, j, k) the network's output.
        error: (B, i, j, k) predicted mean minus truth, SUVR.
        valid: like ``error``, 0 or 1.
        unit_suvr: SUVR of one unit of the output.
    """
    below, above = bounds(answer, unit_suvr)
    beyond = -error.detach()
    return pinball(beyond + below, valid, LOWER) + pinball(beyond - above, valid, UPPER)
