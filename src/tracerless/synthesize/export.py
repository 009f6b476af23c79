"""A model's network as an ONNX graph: once without weights, once pointing into the weights' file.

Weights are never written twice. The graph of one member stands alone and is given its weights by
whoever runs it; the graph of all members names a place in the safetensors file beside it, so both
ways of reading a model read the same bytes.
"""

import contextlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from tracerless.core.errors import ModelError
from tracerless.synthesize.backend import ANSWER, INPUT, network
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.head import N_CHANNELS, box_shape

OUTPUT = "pred"
"""Name of the graph's output; MONAI asks for this word."""
_PRODUCER = "tracerless"
_WEIGHT = "weight/"
_EXTERNAL = 1
"""``TensorProto.EXTERNAL``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies in a file.

    Args:
        offset: from the beginning of the file, bytes.
        length: bytes.
        is_half: stored as float16.
    """

    offset: int
    length: int
    is_half: bool = False


def graph(checkpoint: Checkpoint) -> bytes:
    """The answer network of one member, for (1, C, i, j, k); its weights are named, not held.

    Raises:
        ModelError: the packages that write ONNX are not installed, or it cannot be written.
    """
    return graph_of(network(checkpoint), box_shape(checkpoint.brain))


def graph_of(module: nn.Module, shape: tuple[int, int, int]) -> bytes:
    """Any network of ``networks`` as a graph without its weights.

    Args:
        module: (1, C, i, j, k) -> (1, n_outputs, i, j, k).
        shape: (i, j, k) voxels of its input.

    Raises:
        ModelError: as `graph`.
    """
    model = _exported(module.eval(), shape)
    _mend(model.graph)
    _strip(model)
    given = set(module.state_dict())
    for each in model.graph.initializer:
        if each.name in given:
            n_bytes = len(each.raw_data)
            each.ClearField("raw_data")
            _point(each, Place(0, n_bytes), "weights")
    made: bytes = model.SerializeToString(deterministic=True)
    return made


def whole_graph(one: bytes, places: Mapping[str, Place], *, n_members: int, location: str) -> bytes:
    """All members in one graph, each an output ``pred_<member>``.

    Args:
        one: as `graph` made it.
        places: of the weights, by ``<member>/answer/<parameter>``.
        n_members: of the model.
        location: of the weights' file, from the folder of the graph.

    Raises:
        ModelError: a weight without a place.
    """
    import onnx  # noqa: PLC0415 (only packing needs it)

    single = onnx.load_model_from_string(one)
    whole = onnx.ModelProto(ir_version=single.ir_version, producer_name=_PRODUCER)
    whole.opset_import.extend(single.opset_import)
    whole.graph.name = ANSWER
    whole.graph.input.extend(single.graph.input)
    for member in range(n_members):
        _add_member(whole.graph, single.graph, member, places, location)
    made: bytes = whole.SerializeToString(deterministic=True)
    return made


def places(content: bytes) -> dict[str, Place]:
    """Where every weight of a checkpoint's file lies, by ``<member>/<part>/<parameter>``.

    Args:
        content: of the safetensors file.

    Raises:
        ModelError: the bytes are no safetensors file.
    """
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
    except ValueError as error:
        raise ModelError(f"{len(content)} bytes are no safetensors file.") from error
    found = {}
    for name, each in header.items():
        if name.startswith(_WEIGHT):
            begin, end = each["data_offsets"]
            found[name.removeprefix(_WEIGHT)] = Place(
                8 + length + begin, end - begin, is_half=each["dtype"] == "F16"
            )
    return found


def _exported(module: nn.Module, shape: tuple[int, int, int]) -> Any:
    """The network as torch exports it."""
    try:
        with _quiet():
            made = torch.onnx.export(
                module,
                (torch.zeros(1, N_CHANNELS, *shape),),
                dynamo=True,
                verbose=False,
                optimize=False,  # so that every weight keeps its name and its numbers
                input_names=[INPUT],
                output_names=[OUTPUT],
            )
    except ImportError as error:
        raise ModelError(
            "Writing ONNX needs two packages that are not installed.",
            hint="Run `pip install onnx onnxscript`.",
        ) from error
    if made is None:
        raise ModelError("Torch gave no graph for this network.")
    return made.model_proto


def _mend(graph: Any) -> None:
    """Take away the bias that torch's exporter invents for a convolution that has none.

    It is a zero of the wrong shape (torch 2.13, ``aten.conv3d`` without bias), and the runtime
    refuses it; ONNX has the bias optional.
    """
    invented = {each.output[0] for each in graph.node if each.op_type == "Expand"}
    for each in graph.node:
        if each.op_type.startswith("Conv") and len(each.input) > 2 and each.input[2] in invented:
            del each.input[2]
    while unused := [each for each in graph.node if not _is_used(each, graph)]:
        for each in unused:
            graph.node.remove(each)


def _is_used(node: Any, graph: Any) -> bool:
    wanted = {name for each in graph.node for name in each.input}
    wanted |= {each.name for each in graph.output}
    return any(name in wanted for name in node.output)


def _strip(model: Any) -> None:
    """Leave out what only says where the graph was made: names of files, lines of code."""
    model.producer_name, model.producer_version, model.doc_string = _PRODUCER, "", ""
    model.graph.name, model.graph.doc_string = ANSWER, ""
    model.graph.ClearField("value_info")
    for holder in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        holder.ClearField("metadata_props")
    for each in (*model.graph.node, *model.graph.initializer):
        each.doc_string = ""
    for each in model.graph.initializer:
        each.ClearField("metadata_props")


def _point(tensor: Any, place: Place, location: str) -> None:
    """Have a tensor name a place instead of holding numbers."""
    tensor.data_location = _EXTERNAL
    tensor.ClearField("external_data")
    for key, value in (("location", location), ("offset", place.offset), ("length", place.length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)


def _add_member(
    whole: Any, single: Any, member: int, places: Mapping[str, Place], location: str
) -> None:
    prefix = f"{member}/{ANSWER}/"

    def named(value: str) -> str:
        if value in {INPUT, ""}:
            return value
        return f"{OUTPUT}_{member}" if value == OUTPUT else prefix + value

    for each in single.initializer:
        if each.data_location == _EXTERNAL:
            _add_weight(whole, each, prefix + each.name, places, location)
        else:
            constant = whole.initializer.add()
            constant.CopyFrom(each)
            constant.name = prefix + each.name
    for each in single.node:
        node = whole.node.add()
        node.CopyFrom(each)
        node.name = prefix + each.name
        node.input[:] = [named(value) for value in each.input]
        node.output[:] = [named(value) for value in each.output]
    output = whole.output.add()
    output.CopyFrom(single.output[0])
    output.name = named(OUTPUT)


def _add_weight(
    whole: Any, each: Any, name: str, places: Mapping[str, Place], location: str
) -> None:
    """One weight by its place; one that is kept as float16 is widened when the graph is opened."""
    import onnx  # noqa: PLC0415 (only packing needs it)

    if name not in places:
        raise ModelError(f"The weights' file has no place for {name}.")
    tensor = whole.initializer.add()
    tensor.CopyFrom(each)
    tensor.name = name
    if places[name].is_half:
        tensor.name, tensor.data_type = f"{name}/half", onnx.TensorProto.FLOAT16
        wide = onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
        wide.name = f"{name}/wide"
        whole.node.append(wide)
    _point(tensor, places[name], location)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of packages that it does not find."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(before)
