"""Every network of the shelf keeps these promises; a new preset is tested before anyone asks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from tracerless.core.errors import ModelError
from tracerless.networks import PRESETS, LinearPreset, Preset, build, is_solved

BOX = (16, 16, 16)
DESCENDED = sorted(name for name in PRESETS if not is_solved(name))


@pytest.fixture(params=DESCENDED)
def network(request):
    torch.manual_seed(1)
    return build(request.param, n_inputs=3, shape=BOX)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 16, 16), (17, 23, 18), (3, 40, 1)])
def test_keeps_the_grid(network: nn.Module, shape) -> None:
    assert network(noise(2, 3, *shape)).shape == (2, 1, *shape)


def test_every_weight_learns(network: nn.Module) -> None:
    network(noise(2, 3, 24, 24, 24)).square().mean().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


def test_learns_a_difference_of_two_inputs(network: nn.Module) -> None:
    x = functional.interpolate(noise(2, 3, 4, 4, 4), size=(24, 24, 24), mode="trilinear")
    wanted = x[:, :1] - 0.5 * x[:, 1:2]
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(40):
        loss = (network(x) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.5 * wanted.square().mean()


def test_same_seed_same_answer(network: nn.Module, request) -> None:
    torch.manual_seed(1)
    again = build(request.node.callspec.params["network"], n_inputs=3, shape=BOX)
    x = noise(1, 3, 16, 16, 16)
    assert torch.equal(network(x), again(x))


def test_the_answer_may_take_either_sign(network: nn.Module) -> None:
    answer = network(noise(1, 3, 24, 24, 24))
    assert answer.min() < 0 < answer.max()


def test_one_person_does_not_change_the_answer_for_another(network: nn.Module) -> None:
    both = noise(2, 3, 16, 16, 16)
    assert torch.allclose(network(both)[:1], network(both[:1]), atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.tuples(*[st.integers(1, 21)] * 3))
def test_any_grid_comes_back(shape) -> None:
    assert build("unet-tiny", n_inputs=1, shape=BOX)(noise(1, 1, *shape)).shape == (1, 1, *shape)


def test_an_unknown_preset_names_the_closest() -> None:
    with pytest.raises(ModelError, match="Did you mean 'unet-small'"):
        build("unet-smal", n_inputs=3, shape=BOX)


@pytest.mark.parametrize(("widths", "strides"), [((), ()), ((8, 16), (2,)), ((8, 16), (2, 1))])
def test_a_contradiction_cannot_be_a_preset(widths, strides) -> None:
    with pytest.raises(ModelError, match="a stride of 2 or more for each"):
        Preset(widths=widths, strides=strides, n_residual_units=0)


def test_presets_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PRESETS["unet-small"] = None


def inputs(values: torch.Tensor, *shown: bool) -> torch.Tensor:
    """(B, 7, ...): three contrasts, their flags, a mean."""
    flags = torch.tensor(shown, dtype=torch.float32)[None, :, None, None, None]
    flags = flags.expand(len(values), 3, *values.shape[2:])
    return torch.cat([values * flags, flags, torch.zeros_like(values[:, :1])], dim=1)


def filled_map(shape):
    torch.manual_seed(2)
    network = build("ridge", n_inputs=7, shape=shape)
    for weight in network.parameters():
        weight.normal_()
    return network


@pytest.mark.parametrize("shape", [(16, 16, 16), (17, 22, 18), (3, 4, 1)])
def test_a_linear_map_keeps_the_grid_and_adds_up(shape) -> None:
    network, a, b = filled_map(shape), noise(2, 3, *shape), noise(2, 3, *shape, seed=1)
    said = [network(inputs(each, True, True, True)) for each in (a, b, (a + b) / 2)]
    assert said[0].shape == (2, 1, *shape)
    assert torch.allclose((said[0] + said[1]) / 2, said[2], rtol=1e-3, atol=1e-2)


def test_a_linear_map_cannot_see_what_is_hidden() -> None:
    network, a = filled_map((8, 8, 8)), noise(1, 3, 8, 8, 8)
    b = a.clone()
    b[:, 1] += 1
    assert torch.equal(network(inputs(a, True, False, True)), network(inputs(b, True, False, True)))
    assert not torch.equal(
        network(inputs(a, True, True, True)), network(inputs(b, True, True, True))
    )


def test_a_fresh_linear_map_says_the_mean() -> None:
    network = build("ridge", n_inputs=7, shape=(8, 8, 8))
    assert not network(inputs(noise(1, 3, 8, 8, 8), True, True, True)).any()


@pytest.mark.parametrize(("block", "rank"), [(0, 1), (1, 0)])
def test_a_linear_map_needs_blocks_and_patterns(block, rank) -> None:
    with pytest.raises(ModelError, match="blocks and patterns"):
        LinearPreset(block=block, rank=rank)
