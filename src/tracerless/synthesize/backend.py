"""Who computes the networks' answers: torch, or ONNX Runtime where it was shown to agree.

ONNX Runtime needs a third less time than torch and a fraction of its memory; the numbers of a
prediction may differ in the sixth digit, so it is used only after the parity check of
``synthesize.parity``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tracerless.core.errors import ModelError
from tracerless.networks import build
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.head import N_CHANNELS, box_shape
from tracerless.synthesize.learner import same_every_time
from tracerless.synthesize.objectives import objective

Array = NDArray[np.float32]
ANSWER = "answer"
"""The part of a model that gives the posterior mean."""
INPUT = "image"
"""Name of the graph's input; MONAI asks for this word."""
_SILENT = 3
"""Errors only: a warning of the runtime would stand in the middle of a progress bar."""


class Backend(Protocol):
    """Computes what the answer network of one member says."""

    @property
    def name(self) -> str:
        """``torch`` or ``onnx``; recorded with every prediction."""
        ...

    def run(self, inputs: Array, member: int) -> Array:
        """(B, C, i, j, k) channels -> (B, n_outputs, i, j, k) answers of that member."""
        ...


class TorchBackend:
    """The networks themselves; the same bytes every time.

    Args:
        networks: one a member, each with its weights.
        threads: of torch.
    """

    name = "torch"

    def __init__(self, networks: Sequence[nn.Module], threads: int = 1) -> None:
        self._networks = tuple(each.eval().requires_grad_(requires_grad=False) for each in networks)
        self._threads = threads

    def run(self, inputs: Array, member: int) -> Array:
        """As ``Backend.run``."""
        with same_every_time(threads=self._threads), torch.no_grad():
            said: Array = self._networks[member](torch.from_numpy(inputs)).numpy()
        return said


class OnnxBackend:
    """One graph, and the weights of every member; a member's session opens in milliseconds.

    Args:
        graph: as ``synthesize.export.graph`` makes it; holds no weights.
        weights: by parameter, one mapping a member.
        threads: of each session.

    Raises:
        ModelError: the graph is damaged, or does not fit the weights.
    """

    name = "onnx"

    def __init__(
        self, graph: bytes, weights: Sequence[Mapping[str, Array]], threads: int = 1
    ) -> None:
        self._sessions = tuple(_session(graph, each, threads) for each in weights)

    def run(self, inputs: Array, member: int) -> Array:
        """As ``Backend.run``; the graph takes one volume at a time."""
        session = self._sessions[member]
        said = [session.run(None, {INPUT: np.ascontiguousarray(one[None])})[0] for one in inputs]
        return np.concatenate(said)


def answers(checkpoint: Checkpoint) -> tuple[dict[str, Array], ...]:
    """Weights of the answer part by parameter, one mapping a member."""
    return tuple(dict(checkpoint.part(m, ANSWER)) for m in range(checkpoint.members))


def network(checkpoint: Checkpoint) -> nn.Module:
    """A network of the checkpoint's answer part, its weights still to be loaded."""
    return build(
        checkpoint.recipe.network,
        n_inputs=N_CHANNELS,
        shape=box_shape(checkpoint.brain),
        n_outputs=n_outputs(checkpoint),
    )


def n_outputs(checkpoint: Checkpoint) -> int:
    """Channels of an answer: the mean, and with ``quantile`` its bounds."""
    return objective(checkpoint.recipe).n_outputs


def torch_backend(checkpoint: Checkpoint, threads: int = 1) -> TorchBackend:
    """The checkpoint's networks, ready to run."""
    made = []
    for weights in answers(checkpoint):
        each = network(checkpoint)
        each.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in weights.items()})
        made.append(each)
    return TorchBackend(made, threads)


def _session(graph: bytes, weights: Mapping[str, Array], threads: int) -> Any:
    import onnxruntime  # noqa: PLC0415 (a machine that only trains need not have it)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False  # an arena would keep the most that was ever used
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    held = [
        onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(w)) for w in weights.values()
    ]
    try:
        if held:
            options.add_external_initializers(list(weights), held)
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"A graph of {len(graph)} bytes does not fit the weights of its model.",
            hint="Run `tracerless synthesize pack` again.",
        ) from error
