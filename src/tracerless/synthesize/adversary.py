"""A critic that learns to tell acquired uptake from made, and what its verdict costs the maker.

Both are shown the MR, both in the brain only, and where PET saw nothing both show nothing: the
critic can tell them by nothing but the uptake.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tracerless.synthesize.batch import Batch
from tracerless.synthesize.losses import hinge, person_mean

Critic = Callable[[Tensor], list[Tensor]]

FEATURE_WEIGHT = 10.0
"""Weight of matching features, beside the verdict itself."""
STEEPNESS_EVERY = 16
"""Steps between two looks at how steep the critic is."""
STEEPNESS_WEIGHT = 1.0


def shown(batch: Batch, suvr: Tensor) -> Tensor:
    """(B, C + 1, i, j, k): the MR, and the uptake beyond what was expected, in training spreads."""
    beyond = (suvr - batch.expected) / batch.head.residual_suvr * batch.valid
    return torch.cat([batch.inputs, beyond[:, None]], dim=1)


def maker_loss(critic: Critic, batch: Batch, made: Tensor) -> Tensor:
    """What the critic's verdict and the difference of features cost the maker.

    Args:
        critic: of patches.
        batch: what is looked at.
        made: (B, i, j, k) SUVR.

    Source:
        Isola et al. 2017, CVPR (pix2pix); Wang et al. 2018, CVPR (feature matching). Deviates: in
        3D, averages over brain only, hinge in place of the logistic loss.
    """
    false = critic(shown(batch, made))
    with torch.no_grad():
        true = critic(shown(batch, batch.target))
    verdict = -person_mean(false[-1], brain_share(batch.valid, false[-1]))
    pairs = list(zip(true[:-1], false[:-1], strict=True))
    features = [person_mean((a - b).abs(), brain_share(batch.valid, a)) for a, b in pairs]
    return verdict + FEATURE_WEIGHT * torch.stack(features).mean()


def critic_loss(critic: Critic, batch: Batch, made: Tensor, step: int) -> Tensor:
    """How badly the critic tells acquired from made; now and then also how steep it is.

    Args:
        critic: of patches.
        batch: what is looked at.
        made: (B, i, j, k) SUVR; its maker is not moved.
        step: from 0.

    Source:
        Lim, Ye 2017, arXiv 1705.02894 (hinge); Mescheder et al. 2018, ICML (R1); Karras et al.
        2020, CVPR (R1 every 16 steps).
    """
    false = critic(shown(batch, made.detach()))[-1]
    true = critic(shown(batch, batch.target))[-1]
    loss = hinge(true, brain_share(batch.valid, true), acquired=True)
    loss = loss + hinge(false, brain_share(batch.valid, false), acquired=False)
    if step % STEEPNESS_EVERY == 0:
        loss = loss + STEEPNESS_EVERY * STEEPNESS_WEIGHT / 2 * steepness(critic, batch)
    return loss


def steepness(critic: Critic, batch: Batch) -> Tensor:
    """Mean square, in the brain, of what a voxel of acquired uptake does to all verdicts."""
    uptake = batch.target.detach().requires_grad_()
    verdict = critic(shown(batch, uptake))[-1]
    total = (verdict * brain_share(batch.valid, verdict)).sum()
    (slope,) = torch.autograd.grad(total, uptake, create_graph=True)
    return person_mean((slope * batch.head.residual_suvr).square(), batch.valid)


def brain_share(valid: Tensor, like: Tensor) -> Tensor:
    """Share of seen brain in the patches of ``like`` (B, C, …), in its shape."""
    i, j, k = like.shape[2:]
    coarse = functional.adaptive_avg_pool3d(valid[:, None], (i, j, k))
    return coarse.expand_as(like)
