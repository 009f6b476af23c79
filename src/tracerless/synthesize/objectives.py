"""What a network learns: which parts there are, and what each of them descends in a step.

A loss reaches the weights of other parts too; it is meant for those of its own part only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.recipe import OBJECTIVES, SynthesizeRecipe
from tracerless.networks import build, critic, is_solved
from tracerless.synthesize import adversary, flow, quantile, schedule
from tracerless.synthesize.batch import Batch
from tracerless.synthesize.head import N_CHANNELS
from tracerless.synthesize.losses import asymmetry, charbonnier, reference_pin, regional, squared

Shape = tuple[int, int, int]
Names = tuple[str | int, ...]
Parts = Mapping[str, Callable[[Tensor], Any]]
"""Networks by name, (B, C, i, j, k) -> (B, O, i, j, k); a critic gives a list of tensors."""

ANSWER, CRITIC, VELOCITY = "answer", "critic", "velocity"
PIN_WEIGHT = 0.1
"""Weight of the reference region's own level."""
VELOCITY_PRESET = "unet-tiny"


class Objective(Protocol):
    """What is learned; a sibling for each of ``recipe.OBJECTIVES``."""

    @property
    def n_outputs(self) -> int:
        """Output channels of the answer; the first is the mean."""
        ...

    @property
    def n_steps(self) -> int:
        """Steps of the whole training of one member."""
        ...

    @property
    def kept(self) -> tuple[str, ...]:
        """Parts that a prediction needs."""
        ...

    def parts(self, shape: Shape) -> dict[str, nn.Module]:
        """Fresh networks, drawn from torch's current random state.

        Args:
            shape: voxels of the brain's box.
        """
        ...

    def losses(self, parts: Parts, batch: Batch, step: int) -> dict[str, Tensor]:
        """What to descend in this step, by part; parts that rest are left out.

        Args:
            parts: as ``parts`` made them; from ``recipe.steps`` on the answer is the averaged one.
            batch: some people.
            step: from 0 to ``n_steps``; may repeat and skip.
        """
        ...

    def samples(self, parts: Parts, batch: Batch, n: int, names: Names) -> Tensor | None:
        """Plausible volumes, (n, B, i, j, k) SUVR; None when the objective makes none."""
        ...


@dataclass(frozen=True, slots=True)
class Regression:
    """The posterior mean: squared error first, Charbonnier later, regions fading.

    The others start from it and change what they must.
    """

    recipe: SynthesizeRecipe
    n_outputs: int = 1
    kept: tuple[str, ...] = (ANSWER,)

    @property
    def n_steps(self) -> int:
        """As ``Objective``."""
        return self.recipe.steps

    def parts(self, shape: Shape) -> dict[str, nn.Module]:
        """The answer; as ``Objective``."""
        return {ANSWER: _answer(self.recipe, shape, self.n_outputs)}

    def losses(self, parts: Parts, batch: Batch, step: int) -> dict[str, Tensor]:
        """Of the answer; as ``Objective``."""
        answer = parts[ANSWER](batch.inputs)
        return {ANSWER: mean_loss(answer, batch, step=step, recipe=self.recipe)}

    def samples(self, parts: Parts, batch: Batch, n: int, names: Names) -> Tensor | None:
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class Quantile(Regression):
    """The posterior mean, and how far the truth reaches below and above it."""

    n_outputs: int = quantile.N_OUTPUTS

    def losses(self, parts: Parts, batch: Batch, step: int) -> dict[str, Tensor]:
        """Of the answer; as ``Objective``."""
        answer = parts[ANSWER](batch.inputs)
        suvr = batch.suvr(answer)
        bounds = quantile.bound_loss(
            answer, suvr - batch.target, batch.valid, batch.head.residual_suvr
        )
        return {ANSWER: mean_loss(answer, batch, step=step, recipe=self.recipe) + bounds}


@dataclass(frozen=True, slots=True)
class Adversarial(Regression):
    """The posterior mean, drawn towards what a critic of patches takes for acquired.

    The critic learns from the first step on; its verdict counts as the squared error fades.
    """

    def parts(self, shape: Shape) -> dict[str, nn.Module]:
        """Answer and critic; as ``Objective``."""
        answer = _answer(self.recipe, shape, self.n_outputs)
        return {ANSWER: answer, CRITIC: critic(N_CHANNELS + 1)}

    def losses(self, parts: Parts, batch: Batch, step: int) -> dict[str, Tensor]:
        """Of answer and critic; as ``Objective``."""
        answer, judge = parts[ANSWER](batch.inputs), parts[CRITIC]
        suvr = batch.suvr(answer)
        loss = mean_loss(answer, batch, step=step, recipe=self.recipe)
        share = 1 - schedule.squared_share(step, self.recipe.steps)
        if share > 0 and self.recipe.adversarial_weight > 0:
            cost = adversary.maker_loss(judge, batch, suvr)
            loss = loss + share * self.recipe.adversarial_weight * cost
        return {ANSWER: loss, CRITIC: adversary.critic_loss(judge, batch, suvr, step)}


@dataclass(frozen=True, slots=True)
class Flow(Regression):
    """The posterior mean, frozen after ``recipe.steps``; then the way from it to the truth."""

    kept: tuple[str, ...] = (ANSWER, VELOCITY)

    @property
    def n_steps(self) -> int:
        """As ``Objective``."""
        return self.recipe.steps + self.recipe.flow_steps

    def parts(self, shape: Shape) -> dict[str, nn.Module]:
        """Answer and velocity; as ``Objective``."""
        return {
            ANSWER: _answer(self.recipe, shape, self.n_outputs),
            VELOCITY: build(VELOCITY_PRESET, n_inputs=flow.N_VELOCITY_INPUTS, shape=shape),
        }

    def losses(self, parts: Parts, batch: Batch, step: int) -> dict[str, Tensor]:
        """Of the answer, then of the velocity; as ``Objective``."""
        if step < self.recipe.steps:
            answer = parts[ANSWER](batch.inputs)
            return {ANSWER: mean_loss(answer, batch, step=step, recipe=self.recipe)}
        with torch.no_grad():
            mean = batch.suvr(parts[ANSWER](batch.inputs))
        names = ("synthesize-flow", self.recipe.seed, step)
        return {VELOCITY: flow.flow_loss(parts[VELOCITY], batch, mean, names)}

    def samples(self, parts: Parts, batch: Batch, n: int, names: Names) -> Tensor | None:
        """As ``Objective``; see ``flow.samples``."""
        with torch.no_grad():
            mean = batch.suvr(parts[ANSWER](batch.inputs))
        ground = flow.Ground(batch.inputs, batch.expected, mean, batch.head)
        return flow.samples(parts[VELOCITY], ground, regions=batch.regions, n=n, names=names)


_SHELF: Mapping[str, Callable[[SynthesizeRecipe], Objective]] = {
    "regression": Regression,
    "adversarial": Adversarial,
    "flow": Flow,
    "quantile": Quantile,
}


def objective(recipe: SynthesizeRecipe) -> Objective:
    """What that recipe learns.

    Raises:
        RecipeError: no objective of that name, or one that a network that is solved cannot learn.
    """
    if recipe.objective not in _SHELF:
        raise RecipeError(
            f"No objective {recipe.objective!r}.", hint=did_you_mean(recipe.objective, OBJECTIVES)
        )
    if is_solved(recipe.network) and recipe.objective != "regression":
        raise RecipeError(
            f"Network {recipe.network!r} is solved for, so it cannot learn {recipe.objective!r}.",
            hint="Choose a U-Net (synthesize.network), or objective = 'regression'.",
        )
    return _SHELF[recipe.objective](recipe)


def mean_loss(answer: Tensor, batch: Batch, *, step: int, recipe: SynthesizeRecipe) -> Tensor:
    """The loss of a posterior mean, SUVR.

    Args:
        answer: (B, n, i, j, k) the network's output; its first channel is the mean.
        batch: the truth.
        step: from 0.
        recipe: weights of the terms, number of steps.
    """
    error, valid, unit_suvr = (
        batch.suvr(answer) - batch.target,
        batch.valid,
        batch.head.residual_suvr,
    )
    share = schedule.squared_share(step, recipe.steps)
    loss = PIN_WEIGHT * reference_pin(answer[:, 0].float(), batch.head.reference, unit_suvr)
    if share > 0:
        loss = loss + share * squared(error, valid, unit_suvr)
    if share < 1:
        loss = loss + (1 - share) * charbonnier(error, valid)
    weight = schedule.region_weight(step, recipe)
    if weight > 0:
        loss = loss + weight * regional(error, valid, batch.regions)
    if recipe.asymmetry_weight > 0:
        uneven = asymmetry(error, valid, batch.regions, batch.mirror)
        loss = loss + recipe.asymmetry_weight * uneven
    return loss


def _answer(recipe: SynthesizeRecipe, shape: Shape, n_outputs: int) -> nn.Module:
    return build(recipe.network, n_inputs=N_CHANNELS, shape=shape, n_outputs=n_outputs)
