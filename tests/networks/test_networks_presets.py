"""Every network of the shelf keeps these promises; a new preset is tested before anyone asks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from tracerless.core.errors import ModelError
from tracerless.networks import PRESETS, LinearPreset, Preset, build, is_solved
from tracerless.networks.linear import SUBSETS, pooled

BOX = (16, 16, 16)
DESCENDED = sorted(name for name in PRESETS if not is_solved(name))
LARGE = ("unet-full", "unet-medium")
SMALL_OR_SLOW = [
    pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in DESCENDED
]


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
    network(noise(2, 3, 24, 16, 16)).square().mean().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not still


@pytest.mark.parametrize("preset", DESCENDED)
def test_gives_as_many_maps_as_asked_for(preset: str) -> None:
    network = build(preset, n_inputs=3, shape=BOX, n_outputs=3)
    answer = network(noise(1, 3, 9, 16, 8))
    assert answer.shape == (1, 3, 9, 16, 8)
    assert not torch.equal(answer[:, 0], answer[:, 1])


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_nothing_is_kept_but_weights(preset: str) -> None:
    network = build(preset, n_inputs=7, shape=BOX)
    assert not list(network.buffers())
    assert set(network.state_dict()) == {name for name, _ in network.named_parameters()}


@pytest.mark.parametrize("preset", SMALL_OR_SLOW)
def test_learns_a_difference_of_two_inputs(preset: str) -> None:
    torch.manual_seed(1)
    network = build(preset, n_inputs=3, shape=BOX)
    x = functional.interpolate(noise(2, 3, 4, 4, 4), size=(16, 16, 24), mode="trilinear")
    wanted = x[:, :1] - 0.5 * x[:, 1:2]
    weights = list(network.parameters())
    for step in range(40):
        loss = (network(x) - wanted).square().mean()
        slopes = torch.autograd.grad(loss, weights)
        with torch.no_grad():  # torch's optimizers cost seconds to import
            for weight, slope in zip(weights, slopes, strict=True):
                weight.sub_(2e-3 * (1 - step / 40) * slope.sign())
    assert loss < 0.5 * wanted.square().mean()


def test_same_seed_same_answer(network: nn.Module, request) -> None:
    torch.manual_seed(1)
    again = build(request.node.callspec.params["network"], n_inputs=3, shape=BOX)
    x = noise(1, 3, 16, 16, 16)
    assert torch.equal(network(x), again(x))


def test_the_answer_may_take_either_sign(network: nn.Module) -> None:
    answer = network(noise(1, 3, 16, 16, 16))
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


@pytest.mark.parametrize("preset", ["none", "ridge"])
def test_what_is_solved_has_one_map(preset: str) -> None:
    with pytest.raises(ModelError, match="one number a voxel, not 3"):
        build(preset, n_inputs=7, shape=BOX, n_outputs=3)


def test_silence_says_nothing_even_of_what_is_not_a_number() -> None:
    network = build("none", n_inputs=7, shape=BOX)
    x = noise(2, 7, 4, 5, 6)
    x[0, 0, 0, 0, 0] = torch.nan
    answer = network(x)
    assert answer.shape == (2, 1, 4, 5, 6)
    assert not answer.any()
    assert not list(network.parameters())


@pytest.mark.parametrize(("widths", "strides"), [((), ()), ((8, 16), (2,)), ((8, 16), (2, 1))])
def test_a_contradiction_cannot_be_a_preset(widths, strides) -> None:
    with pytest.raises(ModelError, match="a stride of 2 or more for each"):
        Preset(widths=widths, strides=strides, n_residual_units=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rise": "nearest"},
        {"rise": "trilinear", "strides": (2, 3)},
        {"skips": False, "gates": True},
    ],
)
def test_a_way_up_that_there_is_not_cannot_be_a_preset(wrong) -> None:
    with pytest.raises(ModelError, match="No way up"):
        Preset(**{"widths": (8, 16), "strides": (2, 2), "n_residual_units": 0, **wrong})


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


def test_each_set_of_contrasts_has_weights_of_its_own() -> None:
    network, a = filled_map((8, 8, 8)), noise(2, 3, 8, 8, 8)
    mixed = torch.cat([inputs(a[:1], True, False, True), inputs(a[1:], False, True, False)])
    apart = [network(mixed[i : i + 1]) for i in range(2)]
    assert torch.allclose(network(mixed), torch.cat(apart), rtol=1e-4, atol=1e-4)
    blocks = pooled(a[1:, :3], 4)[0]
    at = SUBSETS.index((1,))
    amounts = torch.einsum(
        "cb,cbr->r",
        blocks * network.center.new_tensor([[0], [1], [0]]) - network.center[at],
        network.weight[at],
    )
    assert torch.allclose(apart[1].flatten(), amounts @ network.patterns, rtol=1e-3, atol=1e-3)


def test_a_linear_map_that_is_shown_nothing_says_the_mean() -> None:
    network = filled_map((8, 8, 8))
    assert not network(inputs(noise(1, 3, 8, 8, 8), False, False, False)).any()


def test_a_fresh_linear_map_says_the_mean() -> None:
    network = build("ridge", n_inputs=7, shape=(8, 8, 8))
    assert not network(inputs(noise(1, 3, 8, 8, 8), True, True, True)).any()


@pytest.mark.parametrize(("block", "rank"), [(0, 1), (1, 0)])
def test_a_linear_map_needs_blocks_and_patterns(block, rank) -> None:
    with pytest.raises(ModelError, match="blocks and patterns"):
        LinearPreset(block=block, rank=rank)
