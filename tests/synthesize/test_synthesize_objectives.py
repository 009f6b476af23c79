"""What networks learn: every preset with every objective keeps these promises."""

from dataclasses import replace

import pytest
import torch
from small_batch import SHAPE, batch_of, erased, row_of, step_down
from torch import nn

from tracerless.core.errors import RecipeError
from tracerless.core.recipe import OBJECTIVES, SynthesizeRecipe
from tracerless.networks import PRESETS, is_solved
from tracerless.synthesize.batch import Batch
from tracerless.synthesize.objectives import ANSWER, Objective, mean_loss, objective

LARGE = ("unet-full", "unet-medium")
DESCENDED = [
    pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name
    for name in sorted(PRESETS)
    if not is_solved(name)
]
STEPS = 20


def recipe_of(network: str = "unet-tiny", learned: str = "regression") -> SynthesizeRecipe:
    return SynthesizeRecipe(
        network=network, objective=learned, steps=STEPS, flow_steps=STEPS, adversarial_weight=0.1
    )


def learned_by(recipe: SynthesizeRecipe) -> tuple[Objective, dict[str, nn.Module]]:
    torch.manual_seed(1)
    made = objective(recipe)
    return made, made.parts(SHAPE)


def steps_of(made: Objective) -> list[int]:
    """One of each kind: the first, one without the squared error, the last."""
    return sorted({0, STEPS - 3, made.n_steps - 3})


@pytest.mark.parametrize("learned", OBJECTIVES)
@pytest.mark.parametrize("network", DESCENDED)
def test_gradient_reaches_every_weight_of_every_part(network: str, learned: str) -> None:
    made, parts = learned_by(recipe_of(network, learned))
    batch, reached = batch_of(2), set()
    for step in steps_of(made):
        for name, loss in made.losses(parts, batch, step).items():
            assert loss.shape == ()
            assert torch.isfinite(loss)
            slopes = torch.autograd.grad(loss, list(parts[name].parameters()), retain_graph=True)
            reached |= {name} if all(slope.any() for slope in slopes) else set()
    assert reached == set(parts)
    assert set(made.kept) <= set(parts)
    answer = parts[ANSWER](batch.inputs)
    assert answer.shape == (2, made.n_outputs, *SHAPE)
    assert batch.suvr(answer).shape == batch.target.shape


@pytest.mark.parametrize("learned", OBJECTIVES)
def test_each_part_gets_better_at_what_it_learns(learned: str) -> None:
    made, parts = learned_by(recipe_of(learned=learned))
    batch, said = batch_of(2), {}
    for step in range(made.n_steps):
        kind = 1 if step < STEPS else STEPS + 1  # one kind of loss, so that values compare
        losses = made.losses(parts, batch, kind)
        weights = {name: list(parts[name].parameters()) for name in losses}
        slopes = {
            name: torch.autograd.grad(loss, weights[name], retain_graph=True)
            for name, loss in losses.items()
        }
        for name, loss in losses.items():
            said.setdefault(name, []).append(loss.item())
            step_down(weights[name], slopes[name], 2e-3)
    assert set(said) == set(parts)
    # A critic has its own test: here what it must tell apart changes while it learns.
    assert all(said[name][-1] < 0.9 * said[name][0] for name in made.kept)


@pytest.mark.parametrize("learned", OBJECTIVES)
def test_what_pet_did_not_see_does_not_count(learned: str) -> None:
    made, parts = learned_by(recipe_of(learned=learned))
    batch = batch_of(2)
    hidden = 1 - batch.valid
    other = replace(batch, target=batch.target + 5 * hidden)
    assert hidden.any()
    for step in steps_of(made):
        one, two = (made.losses(parts, each, step) for each in (batch, other))
        assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("learned", OBJECTIVES)
def test_shares_of_a_batch_add_up_to_the_whole(learned: str) -> None:
    made, parts = learned_by(recipe_of(learned=learned))
    batch = batch_of(2)
    for step in steps_of(made):
        whole = made.losses(parts, batch, step)
        rows = [made.losses(parts, row_of(batch, row), step) for row in range(2)]
        for name, loss in whole.items():
            apart = (rows[0][name] + rows[1][name]) / 2
            assert torch.isclose(loss, apart, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("learned", OBJECTIVES)
def test_the_same_step_costs_the_same(learned: str) -> None:
    made, parts = learned_by(recipe_of(learned=learned))
    batch = batch_of(2)
    for step in steps_of(made):
        one, two = (made.losses(parts, batch, step) for _ in range(2))
        assert all(torch.equal(one[name], two[name]) for name in one)


def answer_for(batch: Batch, suvr: torch.Tensor) -> torch.Tensor:
    """The network output that stands for these values."""
    return ((suvr - batch.expected) / batch.head.residual_suvr * batch.head.brain)[:, None]


def test_an_erased_lesion_costs_more_than_noise_that_hides_it_from_voxels() -> None:
    batch = batch_of(2)
    noise = (
        0.12
        * torch.randn(batch.target.shape, generator=torch.Generator().manual_seed(3))
        * (1 - (batch.head.reference > 0).float())
    )
    noisy, healthy = (answer_for(batch, each) for each in (batch.target + noise, erased(batch)))
    recipe = recipe_of()
    start = {"step": 0, "recipe": recipe}
    assert mean_loss(healthy, batch, **start) > mean_loss(noisy, batch, **start)
    blind = replace(recipe, region_weight=0.0, asymmetry_weight=0.0)
    late = {"step": STEPS - 1, "recipe": blind}
    # The control: without regions the voxels prefer the image with the disease erased.
    assert mean_loss(healthy, batch, **late) < mean_loss(noisy, batch, **late)


def test_the_truth_costs_nothing_and_an_erased_lesion_always_something() -> None:
    batch = batch_of(2)
    for step in range(0, STEPS, 4):
        right = mean_loss(answer_for(batch, batch.target), batch, step=step, recipe=recipe_of())
        wrong = mean_loss(answer_for(batch, erased(batch)), batch, step=step, recipe=recipe_of())
        assert right.item() == pytest.approx(0, abs=1e-3)
        assert wrong > 0.01


def test_the_whole_answer_cannot_drift() -> None:
    batch, recipe = batch_of(2), recipe_of()
    right = answer_for(batch, batch.target)
    drifted = answer_for(batch, 1.3 * batch.target)  # pinning makes the same SUVR of it
    inside = batch.head.brain > 0
    same = (batch.suvr(drifted) - batch.suvr(right))[:, inside]
    assert same.abs().max() < 1e-4
    costs = [mean_loss(each, batch, step=0, recipe=recipe) for each in (right, drifted)]
    assert costs[1] > costs[0] + 0.01


@pytest.mark.parametrize("network", ["ridge", "none"])
@pytest.mark.parametrize("learned", ["adversarial", "flow", "quantile"])
def test_what_is_solved_learns_nothing_but_the_mean(network: str, learned: str) -> None:
    with pytest.raises(RecipeError, match=f"cannot learn '{learned}'"):
        objective(recipe_of(network, learned))


def test_only_a_flow_makes_samples() -> None:
    batch = batch_of(1)
    for learned in OBJECTIVES:
        made, parts = learned_by(recipe_of(learned=learned))
        got = made.samples(parts, batch, 2, ("dev",))
        assert (got is None) == (learned != "flow")
        assert got is None or got.shape == (2, 1, *SHAPE)
