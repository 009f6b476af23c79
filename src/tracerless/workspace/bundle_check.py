"""Whether a bundle is what it says: everything is made again from its weights and compared."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from tracerless import __version__
from tracerless.core.errors import ModelError, TracerlessError
from tracerless.io import assessments, bundles
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.backend import INPUT, OnnxBackend, answers, torch_backend
from tracerless.synthesize.export import OUTPUT, places, whole_graph
from tracerless.synthesize.parity import Parity, parity, probes
from tracerless.workspace.bundle_texts import texts, versions_stated
from tracerless.workspace.graphs import graph_record

MANDATORY = (
    "schema", "version", "monai_version", "pytorch_version", "numpy_version",
    "required_packages_version", "task", "description", "authors", "copyright",
    "network_data_format",
)  # fmt: skip
"""Keys that MONAI's metadata must hold."""
MANDATORY_OF_TENSOR = (
    "type", "format", "modality", "num_channels", "spatial_shape", "dtype", "value_range",
    "is_patch_data", "channel_def",
)  # fmt: skip
"""Keys of each tensor of ``network_data_format``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Args:
        what: that was checked.
        is_right: whether it holds.
        detail: what was found, one sentence.
    """

    what: str
    is_right: bool
    detail: str


def check(folder: Path) -> tuple[Finding, ...]:
    """Check a bundle; nothing that it states is taken on trust.

    Args:
        folder: of the bundle.

    Returns:
        Every check with what it found; the bundle is right when all are.
    """
    checks: dict[str, Callable[[], str]] = {
        "digests of all files": lambda: _files(folder),
        "nothing that could run code": lambda: _pickles(folder),
        "weights": lambda: _weights(folder),
        "MONAI's mandatory keys": lambda: _mandatory(_json(folder, bundles.METADATA)),
        "texts made again": lambda: _texts(folder),
        "ONNX against torch": lambda: _graphs(folder),
    }
    return tuple(_finding(what, made) for what, made in checks.items())


def _finding(what: str, made: Callable[[], str]) -> Finding:
    """A check says what it found, and raises what is wrong."""
    try:
        return Finding(what, is_right=True, detail=made())
    except TracerlessError as error:
        return Finding(what, is_right=False, detail=error.message)
    except (OSError, KeyError, TypeError, ValueError) as error:
        detail = f"It cannot be read ({type(error).__name__})."
        return Finding(what, is_right=False, detail=detail)


def _files(folder: Path) -> str:
    found = bundles.differences(folder)
    if found:
        raise ModelError(f"{'; '.join(found[:5])}{' …' if len(found) > 5 else ''}.")
    return f"{bundles.SUMS} holds; its own digest is {bundles.digest(folder)[:16]}."


def _pickles(folder: Path) -> str:
    found = bundles.pickles(folder)
    if found:
        raise ModelError(f"{', '.join(found)} could run code when opened.")
    return "No pickle, no archive of one, no script."


def _checkpoint(folder: Path) -> Checkpoint:
    return Checkpoint.from_bytes(bundles.read(folder, bundles.WEIGHTS))


def _weights(folder: Path) -> str:
    made = _checkpoint(folder)
    return f"{made.name}, {made.members} member(s), digest inside holds."


def _mandatory(metadata: dict[str, Any]) -> str:
    missing = [key for key in MANDATORY if key not in metadata]
    tensors = metadata["network_data_format"]
    for side in ("inputs", "outputs"):
        for name, each in tensors[side].items():
            missing += [f"{side}.{name}.{key}" for key in MANDATORY_OF_TENSOR if key not in each]
    if missing:
        raise ModelError(f"Missing: {', '.join(missing)}.")
    return f"{len(MANDATORY)} keys, and {len(MANDATORY_OF_TENSOR)} of every tensor."


def _texts(folder: Path) -> str:
    """Metadata, configuration, card, manifest and tables, from the weights alone."""
    evaluation = folder / bundles.EVALUATION
    evaluated = assessments.read(evaluation) if evaluation.is_dir() else None
    stated = versions_stated(_json(folder, bundles.METADATA))
    made = texts(_checkpoint(folder), stated, evaluated, _parity(folder))
    changed = [name for name, content in made.items() if bundles.read(folder, name) != content]
    if changed:
        by = stated["tracerless"]
        older = "" if by == __version__ else f" (packed by tracerless {by}, this is {__version__})"
        raise ModelError(f"{', '.join(changed)} says something else than the weights{older}.")
    return f"{len(made)} files say what the weights say."


def _graphs(folder: Path) -> str:
    """Both graphs: the one of all members from its place on disk, and what torch says."""
    kept = _parity(folder)
    if kept is None:
        return "The bundle holds no ONNX graph."
    made = _checkpoint(folder)
    content, one = (bundles.read(folder, n) for n in (bundles.WEIGHTS, bundles.MEMBER_GRAPH))
    if bundles.read(folder, bundles.GRAPH_RECORD) != _record(folder, made, one, kept):
        raise ModelError(f"{bundles.GRAPH_RECORD} belongs to another graph or other weights.")
    theirs = OnnxBackend(one, answers(made))
    volumes = list(probes(made))
    found = parity(made, torch_backend(made), theirs, volumes)
    if not found.holds:
        raise ModelError(found.sentence)
    location = Path(bundles.WEIGHTS).name
    whole = whole_graph(one, places(content), n_members=made.members, location=location)
    if bundles.read(folder, bundles.GRAPH) != whole:
        raise ModelError(f"{bundles.GRAPH} is not what {bundles.MEMBER_GRAPH} makes.")
    for member, said in enumerate(_from_disk(folder / bundles.GRAPH, volumes[0])):
        if not np.array_equal(said, theirs.run(volumes[0], member)):
            raise ModelError(f"{bundles.GRAPH} answers something else for member {member}.")
    return found.sentence


def _from_disk(path: Path, inputs: Any) -> Iterator[Any]:
    """What the graph of all members says, opened as anybody would."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelError(f"ONNX Runtime cannot open {path.name}.") from error
    for member in range(len(session.get_outputs())):
        yield session.run([f"{OUTPUT}_{member}"], {INPUT: inputs})[0]


def _record(folder: Path, made: Checkpoint, one: bytes, kept: Parity) -> bytes:
    """The record as it must be; only the version of the runtime is taken from it."""
    by = str(_json(folder, bundles.GRAPH_RECORD)["onnxruntime"])
    return graph_record(made, one, kept, by)


def _parity(folder: Path) -> Parity | None:
    if not (folder / bundles.GRAPH_RECORD).is_file():
        return None
    return Parity.from_json(_json(folder, bundles.GRAPH_RECORD)["parity"])


def _json(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads(bundles.read(folder, name)))
