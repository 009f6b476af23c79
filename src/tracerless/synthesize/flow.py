"""Texture on a frozen posterior mean: a straight flow from the mean with noise to the truth.

The numbers stay those of the posterior mean. What the flow adds are plausible volumes around it:
how uptake looks at its own resolution, and how far it may lie from the mean.

Source:
    Ohayon, Michaeli, Elad 2025, ICLR (posterior-mean rectified flow). Deviates: the network also
    sees the mean and the MR throughout; it says where the way ends instead of how fast it goes (the
    velocity is then what is left of the way over what is left of the time), so that no noise of the
    start is left at the end; the noise is as soft as PET; and samples are moved back onto the
    mean's regional values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tracerless.core.seeds import generator
from tracerless.synthesize.batch import Batch
from tracerless.synthesize.head import N_CHANNELS, Head
from tracerless.synthesize.losses import person_mean

Network = Callable[[Tensor], Tensor]

N_VELOCITY_INPUTS = N_CHANNELS + 3
"""What the network of the mean sees, then place on the way, mean, and how much of it is walked."""
NOISE = 0.7
"""Spread of the noise at the start, in units of the head's residual: about what the mean misses."""
EULER_STEPS = 4
"""With one alone the way ends at the mean again; each more adds detail and spread."""
_SOFT_VOX = 1
_SOFT_SPREAD = (19 / 81) ** 1.5
"""Spread of unit noise after ``_softened``: its kernel along an axis is (1, 2, 3, 2, 1) / 9."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What stays fixed along a way; B volumes in the box.

    Args:
        inputs: (B, C, i, j, k) what the network of the mean saw.
        expected: (B, i, j, k) SUVR before MR was looked at.
        mean: (B, i, j, k) SUVR, the posterior mean.
        head: between networks and SUVR.
    """

    inputs: Tensor
    expected: Tensor
    mean: Tensor
    head: Head

    def units(self, suvr: Tensor) -> Tensor:
        """(B, i, j, k) SUVR -> distance from what was expected, in the network's units."""
        return (suvr - self.expected) / self.head.residual_suvr * self.head.brain

    def suvr(self, units: Tensor) -> Tensor:
        """The way back."""
        return self.expected + self.head.residual_suvr * units

    def seen(self, place: Tensor, walked: Tensor) -> Tensor:
        """(B, C + 3, i, j, k) what the network sees at ``place`` (units) after ``walked`` (B,)."""
        clock = walked[:, None, None, None] * self.head.brain
        extra = torch.stack([place, self.units(self.mean), clock], dim=1)
        return torch.cat([self.inputs, extra], dim=1)


def end_of(velocity: Network, ground: Ground, place: Tensor, walked: Tensor) -> Tensor:
    """(B, i, j, k) units: where the way ends, as seen from ``place`` after ``walked`` (B,)."""
    said = velocity(ground.seen(place, walked))[:, 0].float()
    return ground.units(ground.mean) + said * ground.head.brain


def flow_loss(
    velocity: Network, batch: Batch, mean: Tensor, names: tuple[str | int, ...]
) -> Tensor:
    """Mean squared error of the end of the way, in squared units of the head's residual.

    Args:
        velocity: (B, C + 3, i, j, k) -> (B, 1, i, j, k), how far the end lies from the mean.
        batch: what is looked at.
        mean: (B, i, j, k) SUVR, the posterior mean; it is not moved.
        names: of the random draw; each row of the batch has its own.
    """
    ground = Ground(batch.inputs, batch.expected, mean.detach(), batch.head)
    draws = [generator(*names, row) for row in batch.rows]
    walked = batch.target.new_tensor([draw.random() for draw in draws])
    begin = ground.units(ground.mean) + NOISE * _noise(draws, batch.head.brain)
    end = ground.units(torch.where(batch.valid > 0, batch.target, ground.mean))
    place = begin + walked[:, None, None, None] * (end - begin)
    error = end_of(velocity, ground, place, walked) - end
    return person_mean(error.square(), batch.valid)


@torch.no_grad()
def samples(
    velocity: Network,
    ground: Ground,
    *,
    regions: Tensor,
    n: int,
    names: tuple[str | int, ...],
    n_steps: int = EULER_STEPS,
) -> Tensor:
    """Plausible volumes around the mean, (n, B, i, j, k) SUVR; the same ones for the same names.

    The mean over the samples has the mean's regional values; each sample keeps its own distance
    from them, which is what the spread over samples is.

    Args:
        velocity: trained by ``flow_loss``.
        ground: of B people.
        regions: (R, i*j*k) 0 or 1.
        n: samples.
        names: of the random draw.
        n_steps: Euler steps, 2 or more; each adds detail and error.
    """
    made = []
    for at in range(n):
        draws = [generator(*names, at, row) for row in range(len(ground.mean))]
        place = ground.units(ground.mean) + NOISE * _noise(draws, ground.head.brain)
        for step in range(n_steps):
            walked = place.new_full((len(place),), step / n_steps)
            end = end_of(velocity, ground, place, walked)
            place = place + (end - place) / (n_steps - step)
        raw = ground.suvr(place * ground.head.brain)
        made.append(raw * ground.head.level(raw, ground.expected))
    return recentered(torch.stack(made), ground, regions)


def recentered(made: Tensor, ground: Ground, regions: Tensor) -> Tensor:
    """Samples moved together so that their mean has the posterior mean's regional values.

    The move is a sum of softened regions: it has no seams, and nothing of a sample's texture or of
    its distance from the other samples changes.

    Args:
        made: (n, B, i, j, k) SUVR.
        ground: of the B people.
        regions: (R, i*j*k) 0 or 1; the reference region is held as well.
    """
    shape, brain = made.shape[2:], ground.head.brain.flatten()
    held = torch.cat([regions, (ground.head.reference > 0).flatten()[None].to(regions)]) * brain
    held = held[held.sum(dim=1) > 0]
    soft = _softened(held.reshape(-1, *shape)).flatten(1) * brain
    average = held / held.sum(dim=1, keepdim=True)
    gone = (made.mean(dim=0) - ground.mean).flatten(1) @ average.T
    amounts = gone.double() @ torch.linalg.pinv((average @ soft.T).double()).T
    moved: Tensor = made - (amounts.to(soft) @ soft).reshape(1, -1, *shape)
    return moved


def _softened(maps: Tensor) -> Tensor:
    """(R, i, j, k) averaged over a few voxels, twice."""
    edge = 2 * _SOFT_VOX + 1
    for _ in range(2):
        maps = functional.avg_pool3d(maps[:, None], edge, stride=1, padding=_SOFT_VOX)[:, 0]
    return maps


def _noise(draws: Sequence[np.random.Generator], brain: Tensor) -> Tensor:
    """(B, i, j, k) soft noise of unit spread in the brain, one generator a row."""
    shape = tuple(brain.shape)
    rows = [torch.from_numpy(draw.standard_normal(shape, dtype=np.float32)) for draw in draws]
    return _softened(torch.stack(rows).to(brain)) / _SOFT_SPREAD * brain
