"""Every network says the same through ONNX; exporting takes seconds each."""

import io
import logging
import warnings

import numpy as np
import onnxruntime
import pytest
import torch

from tracerless.networks import PRESETS, build

SHAPE = (18, 21, 16)


def exported(network: torch.nn.Module, x: torch.Tensor) -> bytes:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    kept = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter, about itself
        program = torch.onnx.export(network, (x,), dynamo=True, verbose=False)
    program.save(kept)
    return kept.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_onnx_says_the_same(preset: str) -> None:
    torch.manual_seed(1)
    network = build(preset, n_inputs=7, shape=SHAPE).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01 * torch.randn_like(weight))
    x = torch.randn(2, 7, *SHAPE)
    x[0, 3:6], x[1, 3], x[1, 4:6] = 1, 0, 1
    session = onnxruntime.InferenceSession(exported(network, x))
    (said,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    with torch.no_grad():
        wanted = network(x).numpy()
    assert np.abs(said - wanted).max() <= 1e-4 * max(1.0, np.abs(wanted).max())
