"""A graph says what torch says, and holds nothing else.

The exporter alone takes seconds to import: one small model goes the whole way in every run of the
suite (``test_workspace_bundles``), and every network here.
"""

import numpy as np
import onnx
import pytest

from pack_models import model
from tracerless.core.errors import ModelError
from tracerless.synthesize.backend import OnnxBackend, answers, torch_backend
from tracerless.synthesize.export import graph, places, whole_graph
from tracerless.synthesize.parity import parity, probes

pytestmark = pytest.mark.slow
NETWORKS = (
    "ridge", "none", "ced-small", "unet-small", "unet-medium", "unet-full", "attention-small",
)  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return model()


@pytest.fixture(scope="module")
def exported(made):
    return graph(made)


def test_onnx_says_what_torch_says_for_every_set_of_inputs(made, exported):
    theirs = OnnxBackend(exported, answers(made))
    found = parity(made, torch_backend(made), theirs, probes(made))
    assert found.holds
    assert found.n_volumes == 7
    assert found.voxel_suvr < 1e-4


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_exported(network):
    chosen = model(network=network)
    theirs = OnnxBackend(graph(chosen), answers(chosen))
    found = parity(chosen, torch_backend(chosen), theirs, probes(chosen))
    assert found.holds
    assert found.voxel_suvr < 1e-4


def test_a_quantile_model_answers_three_channels():
    chosen = model(objective="quantile", members=1)
    theirs = OnnxBackend(graph(chosen), answers(chosen))
    volume = next(probes(chosen))
    assert theirs.run(volume, 0).shape[:2] == (1, 3)
    assert parity(chosen, torch_backend(chosen), theirs, [volume]).holds


def test_the_same_threads_say_the_same_and_others_nearly(made, exported):
    volume = next(probes(made))
    one, two, again = (OnnxBackend(exported, answers(made), n).run(volume, 1) for n in (1, 2, 1))
    assert np.array_equal(one, again)
    assert np.allclose(one, two, atol=1e-5)


def test_many_volumes_are_answered_one_by_one(made, exported):
    both = np.concatenate(list(probes(made))[:2])
    backend = OnnxBackend(exported, answers(made))
    assert np.array_equal(backend.run(both, 0)[1:], backend.run(both[1:], 0))


def test_the_graph_holds_no_weight_and_does_not_say_where_it_was_made(made, exported):
    n_bytes = sum(w.nbytes for w in answers(made)[0].values())
    assert len(exported) < n_bytes / 4
    for word in (b"/site-packages", b"File ", b".py", b"line "):
        assert word not in exported


def test_the_same_network_gives_the_same_graph(made, exported):
    assert exported == graph(made)


def test_a_graph_refuses_the_weights_of_another_network(exported):
    with pytest.raises(ModelError, match="does not fit"):
        OnnxBackend(exported, answers(model(network="ridge")))
    with pytest.raises(ModelError, match="does not fit"):
        OnnxBackend(exported[:100], answers(model()))


@pytest.mark.parametrize("half", [True, False])
def test_the_graph_of_all_members_points_into_the_weights_file(half, exported, tmp_path):
    chosen = model(half=half)
    content = chosen.to_bytes()
    kept = places(content)
    assert {each.is_half for each in kept.values()} == {half}
    whole = whole_graph(exported, kept, n_members=2, location="model.safetensors")
    (tmp_path / "model.safetensors").write_bytes(content)
    (tmp_path / "model.onnx").write_bytes(whole)
    onnx.checker.check_model(str(tmp_path / "model.onnx"))
    held = onnx.load(str(tmp_path / "model.onnx"))
    for each in held.graph.initializer:
        name = each.name.removesuffix("/half")
        assert np.array_equal(onnx.numpy_helper.to_array(each), chosen.weights[name]), name
    assert [each.name for each in held.graph.output] == ["pred_0", "pred_1"]


def test_a_weight_without_a_place_is_refused(made, exported):
    kept = places(made.to_bytes())
    kept.pop("1/answer/network.last.bias")
    with pytest.raises(ModelError, match="no place"):
        whole_graph(exported, kept, n_members=2, location="model.safetensors")
    with pytest.raises(ModelError, match="no safetensors"):
        places(b"\x08\x00\x00\x00\x00\x00\x00\x00nonsense")
