"""What several members say together, and how far they disagree."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tracerless.synthesize.head import Head
from tracerless.synthesize.quantile import bounds

Answer = Callable[[Tensor], Tensor]
"""A network: (B, 7, i, j, k) -> (B, n, i, j, k), the mean first, then bounds where it has them."""


def joined(answers: Sequence[Tensor]) -> Tensor:
    """(B, n, i, j, k) mean of the members' answers of that shape."""
    return torch.stack([answer.float() for answer in answers]).mean(dim=0)


def spread(answers: Sequence[Tensor], head: Head) -> Tensor | None:
    """(B, i, j, k) SUVR: standard deviation over members, and the bounds' half-width, squared up.

    None where there is one member without bounds.

    Args:
        answers: of each member, (B, n, i, j, k).
        head: between the network and SUVR.
    """
    return _both(
        [head.residual_suvr * head.brain * answer[:, 0].float() for answer in answers],
        _half_width(answers, head),
    )


def region_spread(answers: Sequence[Tensor], head: Head, weights: Tensor) -> Tensor | None:
    """(B, R) likewise, of the regions' means.

    Args:
        answers: of each member, (B, n, i, j, k).
        head: between the network and SUVR.
        weights: (R, i*j*k), each row sums to 1, or to 0 for a region without a voxel.
    """
    values = [
        (head.residual_suvr * answer[:, 0].float()).flatten(1) @ weights.T for answer in answers
    ]
    half = _half_width(answers, head)
    return _both(values, None if half is None else half.flatten(1) @ weights.T)


def _both(values: Sequence[Tensor], half: Tensor | None) -> Tensor | None:
    if len(values) < 2:
        return half
    variance = torch.stack(list(values)).var(dim=0)
    return variance.sqrt() if half is None else (variance + half.square()).sqrt()


def _half_width(answers: Sequence[Tensor], head: Head) -> Tensor | None:
    if answers[0].shape[1] < 3:
        return None
    below, above = bounds(joined(answers), head.residual_suvr)
    return (below + above) / 2 * head.brain
