"""Losses, critic, flow and quantiles: each against what must be true of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_batch import SHAPE, batch_of, step_down

from tracerless.networks import build, critic
from tracerless.synthesize import adversary, flow, quantile
from tracerless.synthesize.head import N_CHANNELS
from tracerless.synthesize.losses import asymmetry, hinge, pinball, region_means


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def judge_of(seed: int = 0):
    torch.manual_seed(seed)
    return critic(N_CHANNELS + 1)


def test_asymmetry_sees_one_side_and_not_both() -> None:
    batch = batch_of(1)
    side = batch.regions[2].reshape(1, *SHAPE)
    both = side + batch.regions[3].reshape(1, *SHAPE)
    whole = torch.ones_like(batch.valid)
    cost = [asymmetry(0.2 * e, whole, batch.regions, batch.mirror) for e in (side, both)]
    assert cost[0].item() == pytest.approx(0.1)  # one of two pairs
    assert cost[1].item() == pytest.approx(0, abs=1e-6)


def test_asymmetry_of_no_pairs_or_of_a_side_that_pet_did_not_see_is_nothing() -> None:
    batch = batch_of(1)
    error = noise(1, *SHAPE)
    none = torch.zeros((0, 2), dtype=torch.int64)
    assert asymmetry(error, batch.valid, batch.regions, none) == 0
    left = 1 - (batch.regions[0] + batch.regions[2]).reshape(1, *SHAPE)
    assert asymmetry(error, batch.valid * left, batch.regions, batch.mirror) == 0


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_pinball_is_least_at_the_quantile(level: float) -> None:
    truth = noise(1, 20, 20, 20)
    whole = torch.ones_like(truth)
    tried = torch.linspace(-2.5, 2.5, 101)
    best = tried[int(np.argmin([pinball(truth - b, whole, level) for b in tried]))]
    assert best.item() == pytest.approx(torch.quantile(truth, level).item(), abs=0.06)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 50.0))
def test_bounds_never_cross_the_mean_or_each_other(seed: int, size: float) -> None:
    below, above = quantile.bounds(size * noise(2, 3, 4, 4, 4, seed=seed), 0.15)
    assert (below >= 0).all()
    assert (above >= 0).all()


def test_bounds_find_the_spread_and_leave_the_mean_alone() -> None:
    truth = 0.2 * noise(1, 10, 10, 10)
    answer = torch.zeros(1, 3, 1, 1, 1, requires_grad=True)
    for step in range(150):
        wide = answer.expand(1, 3, 10, 10, 10)
        loss = quantile.bound_loss(wide, wide[:, 0] - truth, torch.ones_like(truth), 0.15)
        step_down([answer], torch.autograd.grad(loss, [answer]), 0.1 / (1 + step / 10))
    below, above = quantile.bounds(answer.detach(), 0.15)
    wanted = 0.2 * 1.645
    assert below.item() == pytest.approx(wanted, rel=0.1)
    assert above.item() == pytest.approx(wanted, rel=0.1)
    assert answer[0, 0] == 0


def test_the_hinge_is_true_no_margin_is_squashed() -> None:
    weight = torch.ones(1, 1, 2, 2, 2)
    assert hinge(-5 * weight, weight, acquired=True).item() == pytest.approx(6)
    assert hinge(1.5 * weight, weight, acquired=True) == 0
    assert hinge(-1.5 * weight, weight, acquired=False) == 0


def test_a_critic_cannot_see_where_pet_did_not() -> None:
    batch, judge = batch_of(2), judge_of()
    far = batch.target + 9 * (1 - batch.valid)
    for function in (adversary.maker_loss, lambda *a: adversary.critic_loss(*a, 0)):
        assert torch.equal(function(judge, batch, batch.target), function(judge, batch, far))


def test_features_of_the_truth_match() -> None:
    batch, judge = batch_of(2), judge_of()
    right = adversary.maker_loss(judge, batch, batch.target)
    logits = judge(adversary.shown(batch, batch.target))[-1]
    share = adversary.brain_share(batch.valid, logits)
    verdict = ((logits * share).sum((1, 2, 3, 4)) / share.sum((1, 2, 3, 4))).mean()
    assert right.item() == pytest.approx(-verdict.item(), abs=1e-6)


def test_a_critic_learns_to_tell_blurred_uptake_from_acquired() -> None:
    judge, batch = judge_of(), batch_of(2)
    texture = 0.1 * noise(2, *SHAPE) * batch.head.brain
    sharp = replace(batch, target=batch.target + texture)
    weights, costs = list(judge.parameters()), []
    for step in range(40):
        loss = adversary.critic_loss(judge, sharp, batch.target, step)
        step_down(weights, torch.autograd.grad(loss, weights), 2e-3)
        costs.append(loss.item())
    assert costs[-1] < 0.6 * costs[1]


def test_steepness_is_that_of_a_known_critic() -> None:
    batch = batch_of(2)
    steep = adversary.steepness(lambda x: [3 * x[:, -1:]], batch)
    flat = adversary.steepness(lambda x: [0 * x[:, -1:]], batch)
    assert steep.item() == pytest.approx(9, rel=1e-4)
    assert flat == 0


def test_the_critic_is_moved_by_its_steepness() -> None:
    judge, batch = judge_of(), batch_of(1)
    weights = [w for name, w in judge.named_parameters() if name.endswith("original")]
    slopes = torch.autograd.grad(adversary.steepness(judge, batch), weights)
    assert all(slope.any() for slope in slopes)


def ground_of(batch, mean):
    return flow.Ground(batch.inputs, batch.expected, mean, batch.head)


def straight_to(truth: torch.Tensor, mean: torch.Tensor):
    """What a network that knows the truth would say: how far it lies from the mean."""
    return lambda seen: (truth - mean)[:, None]


def test_a_network_that_knows_the_truth_costs_nothing() -> None:
    batch = batch_of(2)
    mean = batch.expected + 0.5 * (batch.target - batch.expected)
    ground = ground_of(batch, mean)
    knows = straight_to(ground.units(batch.target), ground.units(mean))
    assert flow.flow_loss(knows, batch, mean, ("dev", 1)) < 1e-6
    assert flow.flow_loss(lambda x: 0 * x[:, :1], batch, mean, ("dev", 1)) > 0.1


def test_the_noise_has_unit_spread_and_is_soft() -> None:
    whole = torch.ones(24, 24, 24)
    drawn = flow._noise([np.random.default_rng(1)], whole)[0, 3:-3, 3:-3, 3:-3]
    assert drawn.std().item() == pytest.approx(1, abs=0.1)
    beside = (drawn[1:] * drawn[:-1]).mean() / drawn.square().mean()
    assert beside > 0.7


def gaussian_end(spread: float):
    """The best answer where truth = mean + soft noise of ``spread`` (units) and nothing is known.

    At ``walked`` t the place is mean + t * miss + (1 - t) * noise, so the miss that is expected
    there is a share of the way from the mean.
    """

    def network(seen: torch.Tensor) -> torch.Tensor:
        place, mean, clock = (seen[:, N_CHANNELS + at] for at in range(3))
        missing, noise_left = (clock * spread) ** 2, ((1 - clock) * flow.NOISE) ** 2
        share = clock * spread**2 / (missing + noise_left).clamp_min(1e-9)
        return (share * (place - mean))[:, None]

    return network


def test_the_samples_of_the_best_network_spread_as_the_truth_does() -> None:
    batch, spread = batch_of(1), 0.7
    ground = ground_of(batch, batch.target)
    none = torch.zeros((0, batch.regions.shape[1]))
    inside = (batch.head.brain > 0) & (batch.head.reference == 0)
    found = []
    for n_steps in (1, 4, 16):
        drawn = flow.samples(
            gaussian_end(spread), ground, regions=none, n=12, names=("dev",), n_steps=n_steps
        )
        found.append(drawn.std(dim=0)[0, inside].mean().item() / batch.head.residual_suvr)
    one, four, many = found
    assert one < 0.1 * spread  # one step alone comes back to the mean
    assert 0.5 * spread < four < many
    assert many == pytest.approx(spread, rel=0.25)


@pytest.mark.parametrize("n_steps", [1, 2, 4])
def test_who_knows_the_truth_arrives_there(n_steps: int) -> None:
    batch = batch_of(2)
    texture = 0.1 * noise(2, *SHAPE, seed=1)
    regions = batch.regions
    held = regions.sum(dim=0).reshape(SHAPE) * batch.valid[0]
    shift, _ = region_means(texture, held.expand(2, *SHAPE), regions)
    texture = (texture - (shift @ regions).reshape(2, *SHAPE)) * held
    truth = batch.target + texture
    ground = ground_of(batch, batch.target)
    got = flow.samples(
        straight_to(ground.units(truth), ground.units(batch.target)),
        ground,
        regions=regions,
        n=2,
        names=("dev",),
        n_steps=n_steps,
    )
    inside = batch.head.brain > 0
    assert (got - truth)[..., inside].abs().max() < 2e-3


def wild(seen: torch.Tensor) -> torch.Tensor:
    """A network that would lift every region."""
    return 1.5 + 0.5 * seen[:, N_CHANNELS : N_CHANNELS + 1]


def test_samples_leave_the_regional_means_where_they_are() -> None:
    batch = batch_of(2)
    got = flow.samples(
        wild, ground_of(batch, batch.target), regions=batch.regions, n=3, names=("a",)
    )
    whole = batch.head.brain.expand(2, *SHAPE)
    before, _ = region_means(batch.target, whole, batch.regions)
    after, _ = region_means(got.mean(dim=0), whole, batch.regions)
    assert ((after - before) / before).abs().max() < 1e-4
    one, _ = region_means(got[0], whole, batch.regions)
    assert ((one - before) / before).abs().max() > 1e-4  # each keeps its distance
    assert got.std(dim=0)[:, batch.head.brain > 0].min() > 0


def test_moving_samples_keeps_their_differences_and_leaves_no_seam() -> None:
    batch = batch_of(1)
    made = batch.target[None] + 0.2 * noise(3, 1, *SHAPE) * batch.head.brain
    ground = ground_of(batch, batch.target + 0.3 * batch.regions[0].reshape(1, *SHAPE))
    moved = flow.recentered(made, ground, batch.regions)
    assert torch.allclose(moved - moved[:1], made - made[:1], atol=1e-5)
    shift = (moved - made)[0, 0]
    brain = batch.head.brain
    steps = (shift.diff(dim=1) * brain[:, 1:] * brain[:, :-1]).abs()
    assert steps.max() < 0.6 * (shift.max() - shift.min())


def test_the_same_names_give_the_same_samples_and_others_do_not() -> None:
    torch.manual_seed(0)
    velocity = build("unet-tiny", n_inputs=flow.N_VELOCITY_INPUTS, shape=SHAPE)
    batch = batch_of(1)
    ground = ground_of(batch, batch.target)

    def drawn(*names: str) -> torch.Tensor:
        return flow.samples(velocity, ground, regions=batch.regions, n=2, names=names)

    assert torch.equal(drawn("a"), drawn("a"))
    assert not torch.equal(drawn("a"), drawn("b"))
    assert not torch.equal(drawn("a")[0], drawn("a")[1])
