"""Plausible volumes around a posterior mean, by a flow from it; numbers never come from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tracerless.core.errors import ModelError
from tracerless.synthesize import flow
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.head import Head, box_shape
from tracerless.synthesize.learner import same_every_time
from tracerless.synthesize.objectives import VELOCITY, objective


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """The velocity networks of a model.

    Args:
        networks: one a member.
        head: between networks and SUVR.
        regions: (R, i*j*k) 0 or 1.
    """

    networks: tuple[nn.Module, ...]
    head: Head
    regions: Tensor

    def around(
        self,
        inputs: Tensor,
        answers: Sequence[Tensor],
        expected: Tensor,
        *,
        n: int,
        names: tuple[str | int, ...],
    ) -> list[Tensor]:
        """``n`` times (i, j, k) SUVR to add to the mean; the members take turns.

        Args:
            inputs: (1, 7, i, j, k) of the networks.
            answers: of each member, (1, n, i, j, k).
            expected: (1, i, j, k) SUVR before MR is looked at.
            n: how many.
            names: of the random draw.
        """
        turns: list[list[Tensor]] = []
        with same_every_time(threads=1), torch.no_grad():
            for member, (network, answer) in enumerate(zip(self.networks, answers, strict=True)):
                mine = len(range(member, n, len(self.networks)))
                if not mine:
                    continue
                mean = self.head.suvr(answer, expected)
                ground = flow.Ground(inputs, expected, mean, self.head)
                drawn = flow.samples(
                    network,
                    ground,
                    regions=self.regions,
                    n=mine,
                    names=("synthesize-sample", *names, member),
                )
                turns.append([each[0] - mean[0] for each in drawn])
        return [turns[k % len(turns)][k // len(turns)] for k in range(n)]


def texture(checkpoint: Checkpoint, head: Head) -> Texture | None:
    """The velocity networks of a checkpoint; None when its objective makes no samples."""
    plan = objective(checkpoint.recipe)
    if VELOCITY not in plan.kept:
        return None
    networks = []
    for member in range(checkpoint.members):
        network = plan.parts(box_shape(checkpoint.brain))[VELOCITY]
        weights = checkpoint.part(member, VELOCITY)
        network.load_state_dict({n: torch.from_numpy(w.copy()) for n, w in weights.items()})
        networks.append(network.eval().requires_grad_(requires_grad=False))
    labels = torch.from_numpy(checkpoint.labels[head.box].astype("int64").ravel())
    regions = torch.stack([labels == 1 + r for r in range(len(checkpoint.regions))]).float()
    return Texture(tuple(networks), head, regions)


def no_samples(checkpoint: Checkpoint) -> ModelError:
    """The refusal of a model that makes no samples."""
    return ModelError(
        f"{checkpoint.kind} makes no samples: it learned {checkpoint.recipe.objective}.",
        hint="Train one with the design 'flow', or ask for no samples.",
    )
