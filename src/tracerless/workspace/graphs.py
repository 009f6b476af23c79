"""ONNX graphs beside their weights: kept with what their parity check showed, lent where it holds.

A graph is never taken on trust. Whoever opens it compares it with torch once more, on one volume:
a graph that was changed, or a runtime that computes otherwise, is found before it says a number.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tracerless.core.errors import ModelError
from tracerless.io import bundles
from tracerless.io.atomic import write_bytes
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.backend import Backend, OnnxBackend, answers, torch_backend
from tracerless.synthesize.parity import Parity, parity, probes

GRAPH, GRAPH_RECORD = (Path(name).name for name in (bundles.MEMBER_GRAPH, bundles.GRAPH_RECORD))


@dataclass(frozen=True, slots=True)
class Lent:
    """Who computes the networks, and why.

    Args:
        backend: ONNX Runtime; None = torch, which needs no leave.
        parity: what the check of the graph showed when it was made; None without a graph.
        why_torch: one sentence; empty where ONNX Runtime computes.
    """

    backend: Backend | None = None
    parity: Parity | None = None
    why_torch: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """For the record of a prediction."""
        if self.backend is None:
            return {"backend_note": self.why_torch}
        return {"backend_parity": None if self.parity is None else self.parity.to_json()}


def save_graph(folder: Path, checkpoint: Checkpoint, graph: bytes, found: Parity) -> None:
    """Keep a graph beside the weights it was made from, with what its parity check showed."""
    write_bytes(folder / GRAPH, graph)
    write_bytes(folder / GRAPH_RECORD, graph_record(checkpoint, graph, found))


def graph_record(
    checkpoint: Checkpoint, graph: bytes, found: Parity, runtime: str | None = None
) -> bytes:
    """What binds a graph to its weights, as JSON; ``runtime`` is the version that is here."""
    record = {
        "weights": checkpoint.digest,
        "graph": hashlib.sha256(graph).hexdigest(),
        "onnxruntime": runtime or version("onnxruntime"),
        "parity": found.to_json(),
    }
    return (json.dumps(record, indent=2, sort_keys=True) + "\n").encode()


def kept_parity(weights: Path, checkpoint: Checkpoint) -> Parity | None:
    """What the parity check of the graph beside these weights showed; None where there is none."""
    record = _record(weights.parent / GRAPH_RECORD)
    return record[1] if record is not None and record[0][0] == checkpoint.digest else None


def lent(path: Path, checkpoint: Checkpoint, threads: int = 1) -> Lent:
    """ONNX Runtime for a model, where it agrees with torch.

    Args:
        path: of the weights; ``synthesize pack`` puts the graph beside them.
        checkpoint: in that file.
        threads: of the runtime.
    """
    graph, record = path.parent / GRAPH, path.parent / GRAPH_RECORD
    if not graph.is_file() or not record.is_file():
        return Lent(why_torch="No ONNX graph lies beside the weights (`synthesize pack`).")
    kept = _record(record)
    if kept is None:
        return Lent(why_torch="The record of the ONNX graph is damaged; pack the model again.")
    content, (whose, found) = graph.read_bytes(), kept
    if whose != (checkpoint.digest, hashlib.sha256(content).hexdigest()):
        return Lent(why_torch="The ONNX graph belongs to other weights; pack the model again.")
    if not found.holds:
        return Lent(why_torch="The ONNX graph differs from torch by too much.")
    return _compared(checkpoint, content, found, threads)


def _compared(checkpoint: Checkpoint, graph: bytes, found: Parity, threads: int) -> Lent:
    """The runtime, if it says here and now what torch says; all members share the one graph."""
    try:
        made = OnnxBackend(graph, answers(checkpoint), threads)
        first = [next(probes(checkpoint))]
        now = parity(checkpoint, torch_backend(checkpoint), made, first, members=1)
    except (ImportError, PackageNotFoundError):
        return Lent(why_torch="ONNX Runtime is not installed.")
    except ModelError as error:
        return Lent(why_torch=f"The ONNX graph cannot be used: {error.message}")
    if not now.holds:
        return Lent(why_torch="ONNX Runtime differs from torch by too much on this machine.")
    return Lent(made, found)


def _record(path: Path) -> tuple[tuple[str, str], Parity] | None:
    """((digest of the weights, of the graph), parity); None where it is absent or damaged."""
    try:
        record = json.loads(path.read_text("utf-8"))
        whose = (str(record["weights"]), str(record["graph"]))
        return whose, Parity.from_json(record["parity"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
