"""Parts of the networks against what must be true of each."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from tracerless.core.errors import ModelError
from tracerless.networks import critic
from tracerless.networks.attention import Attention, Gate
from tracerless.networks.blocks import Conv, Trilinear, start
from tracerless.networks.critic import Spectral
from tracerless.networks.presets import CRITIC, CriticPreset


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.integers(1, 6)] * 3))
def test_the_trilinear_rise_is_torch_s_own(shape) -> None:
    x = noise(1, 2, *shape)
    wanted = functional.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)
    assert torch.allclose(Trilinear()(x), wanted, atol=1e-6)


@pytest.mark.parametrize("n_in", [4, 32, 512])
def test_a_step_moves_wide_and_narrow_layers_alike(n_in: int) -> None:
    torch.manual_seed(0)
    layer = Conv(n_in, 1, 3)
    start(layer)
    x = torch.ones(1, n_in, 3, 3, 3)
    before = layer(x)[0, 0, 1, 1, 1].item()
    with torch.no_grad():
        layer.weight.add_(1e-3)  # Adam's step, at its largest
    moved = layer(x)[0, 0, 1, 1, 1].item() - before
    assert moved == pytest.approx(1e-3 * min(27 * n_in, 864), rel=1e-2)


@pytest.mark.parametrize("n_in", [8, 256])
def test_a_fresh_layer_keeps_the_size_of_a_signal(n_in: int) -> None:
    torch.manual_seed(0)
    layer = Conv(n_in, 64, 3)
    start(layer)
    x = functional.leaky_relu(noise(1, n_in, 9, 9, 9), 0.1)
    inner = layer(x)[..., 1:-1, 1:-1, 1:-1]
    assert inner.square().mean().item() == pytest.approx(1.0, abs=0.35)


def test_a_gate_only_ever_weakens() -> None:
    torch.manual_seed(0)
    gate = Gate(8, 16, 2).apply(start)
    skip = noise(2, 8, 8, 6, 4)
    weighed = gate(skip, noise(2, 16, 4, 3, 2, seed=1))
    share = weighed / skip
    assert ((share > 0) & (share < 1)).all()
    assert torch.allclose(share.std(dim=1), torch.zeros(2, 8, 6, 4), atol=1e-5)


def test_attention_does_not_care_where_voxels_lie() -> None:
    torch.manual_seed(0)
    attend = Attention(8).apply(start)
    x = noise(1, 8, 2, 3, 4)
    order = torch.randperm(24)
    mixed = x.flatten(2)[:, :, order].reshape(x.shape)
    wanted = attend(x).flatten(2)[:, :, order].reshape(x.shape)
    assert torch.allclose(attend(mixed), wanted, atol=1e-5)


def test_spectral_norm_is_exact_and_keeps_the_direction() -> None:
    weight = 5 * noise(6, 4, 3, 3, 3)
    tamed = Spectral()(weight)
    assert torch.linalg.matrix_norm(tamed.flatten(1), ord=2).item() == pytest.approx(1, rel=1e-4)
    assert torch.allclose(tamed / tamed.norm(), weight / weight.norm(), atol=1e-6)


def test_a_critic_remembers_nothing_of_what_it_saw() -> None:
    torch.manual_seed(0)
    judge, x = critic(4), noise(2, 4, 10, 9, 8)
    first = judge(x)
    judge(noise(2, 4, 10, 9, 8, seed=1))
    assert all(torch.equal(a, b) for a, b in zip(first, judge(x), strict=True))
    assert not list(judge.buffers())


def test_spectral_norm_lets_be_what_has_no_numbers() -> None:
    weight = torch.empty(6, 4, 3, 3, 3, device="meta")
    assert Spectral()(weight).shape == weight.shape


def test_half_precision_around_a_critic_leaves_its_norm_exact() -> None:
    torch.manual_seed(0)
    judge, x = critic(4), noise(1, 4, 12, 12, 12)
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            *_, coarse = judge(x)
        *_, fine = judge(x)
    assert coarse.dtype == torch.bfloat16
    assert (coarse.float() - fine).abs().max() < 0.05 * fine.abs().max()


def test_a_critic_gives_features_and_one_verdict_a_patch() -> None:
    torch.manual_seed(0)
    judge = critic(4)
    *features, logits = judge(noise(2, 4, 17, 16, 9))
    assert [f.shape[1] for f in features] == list(CRITIC.widths)
    assert logits.shape == (2, 1, 5, 4, 3)
    assert logits.min() < logits.max()


def test_every_weight_of_a_critic_learns() -> None:
    torch.manual_seed(0)
    judge = critic(4)
    judge(noise(2, 4, 16, 16, 16))[-1].square().mean().backward()
    assert all(w.grad is not None and w.grad.any() for w in judge.parameters())


def test_a_verdict_looks_no_farther_than_the_critic_reaches() -> None:
    torch.manual_seed(0)
    judge, edge = critic(1), 2 * CRITIC.reach_vox
    x = noise(1, 1, edge, 9, 9).requires_grad_()
    logits = judge(x)[-1]
    middle = logits.shape[2] // 2
    (slope,) = torch.autograd.grad(logits[0, 0, middle, 1, 1], x)
    touched = slope.abs().sum(dim=(0, 1, 3, 4)).nonzero().flatten()
    assert int(touched.max() - touched.min()) + 1 <= CRITIC.reach_vox


@pytest.mark.parametrize(("widths", "strides"), [((), ()), ((8,), (2, 2)), ((8,), (0,))])
def test_a_critic_needs_a_stride_a_layer(widths, strides) -> None:
    with pytest.raises(ModelError, match="a stride for each"):
        CriticPreset(widths=widths, strides=strides)
