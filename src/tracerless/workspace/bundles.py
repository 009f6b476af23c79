"""Models as MONAI bundles: one folder with all that a model is, and a digest of every file."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tracerless import synthesize
from tracerless.core.errors import DatasetError, ModelError, TracerlessError
from tracerless.io import bundles
from tracerless.io.atomic import write_bytes, write_text
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.backend import (
    Array,
    Backend,
    OnnxBackend,
    TorchBackend,
    answers,
    torch_backend,
)
from tracerless.synthesize.calibration import subset_key, subsets
from tracerless.synthesize.card import card
from tracerless.synthesize.export import graph, places, whole_graph
from tracerless.synthesize.parity import Parity, parity, probes
from tracerless.workspace import graphs, models
from tracerless.workspace.bundle_texts import texts, versions_now
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.roots import dataset_roots
from tracerless.workspace.shelf import SessionShelf

_SESSIONS = 2
"""Prepared sessions of the model's dataset on which back-ends are compared, besides the probes."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle that was written.

    Args:
        folder: of the bundle.
        digest: SHA-256 of its list of digests.
        model: name of the checkpoint.
        parity: of the ONNX graph; None where the bundle holds none.
        n_bytes: of all files.
    """

    folder: Path
    digest: str
    model: str
    parity: Parity | None
    n_bytes: int

    @property
    def sentence(self) -> str:
        """What became of the ONNX graph, for people."""
        if self.parity is None:
            return "It holds no ONNX graph: ONNX Runtime differed from torch by too much."
        return self.parity.sentence


def pack(weights: Path, to: Path | None = None, *, evaluation: Path | None = None) -> Packed:
    """Write a model as a bundle, and keep its ONNX graph beside the weights it came from.

    Args:
        weights: of the model; where it lies in a dataset, back-ends are compared on that dataset's
            sessions too, and an evaluation of it there goes into the card.
        to: folder of the bundle; None = ``bundle`` in the model's folder.
        evaluation: folder of an evaluation of it elsewhere; a bundle that is packed again keeps
            the one inside it.

    Raises:
        DatasetError: no evaluation in the folder so named.
        ModelError: damaged weights, an evaluation of another model, a folder that is no bundle, or
            ONNX cannot be written.
    """
    folder = to or _usual_folder(weights)
    checkpoint, dataset = models.load_checkpoint(weights), dataset_of(weights)
    kept = evaluation or _own_evaluation(weights)
    evaluated = models.evaluation_of(checkpoint, dataset, weights.parent.name, kept)
    one = graph(checkpoint)
    found = _compared(checkpoint, one, dataset)
    content = checkpoint.to_bytes()
    files = {
        **texts(checkpoint, versions_now(), evaluated, found if found.holds else None),
        bundles.LICENSE: bundles.license_text(),
        bundles.WEIGHTS: content,
    }
    if found.holds:
        files |= _graphs(checkpoint, one, content, found)
    if weights.name == models.WEIGHTS:  # a bundle that is packed again stays as it is
        write_bytes(weights.parent / models.CARD, files[bundles.CARD])
        if found.holds:
            graphs.save_graph(weights.parent, checkpoint, one, found)
    digest = bundles.write(folder, files)
    return Packed(folder, digest, checkpoint.name, found, sum(map(len, files.values())))


def packed(weights: Path) -> Packed:
    """The bundle beside these weights; written now where there is none.

    Raises:
        ModelError: as of `pack`.
    """
    folder = weights.parent / models.BUNDLE
    if not bundles.is_bundle(folder):
        return pack(weights)
    checkpoint = models.load_checkpoint(folder / bundles.WEIGHTS)
    found = graphs.kept_parity(folder / bundles.WEIGHTS, checkpoint)
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Packed(folder, bundles.digest(folder), checkpoint.name, found, n_bytes)


def write_card(weights: Path, to: Path | None = None, *, evaluation: Path | None = None) -> str:
    """The card of a model with what is known of it now; written to ``to`` when that is given.

    Arguments and errors as of `pack`.
    """
    checkpoint, dataset = models.load_checkpoint(weights), dataset_of(weights)
    kept = evaluation or _own_evaluation(weights)
    evaluated = models.evaluation_of(checkpoint, dataset, weights.parent.name, kept)
    made = card(checkpoint, evaluated, graphs.kept_parity(weights, checkpoint))
    if to is not None:
        write_text(to, made)
    return made


def dataset_of(weights: Path) -> Dataset | None:
    """The dataset whose ``models`` folder holds these weights; None when they lie elsewhere."""
    for folder in weights.resolve().parents:
        if folder.name == "models":
            try:
                return Dataset.open(folder.parent)
            except DatasetError:
                continue
    return None


def networks(weights: str) -> TorchBackend:
    """The networks in a bundle's weights; what ``configs/inference.json`` names."""
    return torch_backend(models.load_checkpoint(Path(weights)))


def _own_evaluation(weights: Path) -> Path | None:
    """The evaluation inside the bundle that the weights lie in."""
    folder = weights.parent.parent / bundles.EVALUATION
    return folder if weights.name != models.WEIGHTS and folder.is_dir() else None


def _usual_folder(weights: Path) -> Path:
    if weights.name != models.WEIGHTS:
        raise ModelError(
            f"{weights.name} lies in a bundle already.", hint="Name a new folder with --to."
        )
    return weights.parent / models.BUNDLE


def _compared(checkpoint: Checkpoint, one: bytes, dataset: Dataset | None) -> Parity:
    """On smooth noise for every set of inputs, and on what sessions of the dataset show."""
    ours, theirs = torch_backend(checkpoint), OnnxBackend(one, answers(checkpoint))
    seen = () if dataset is None else _seen(checkpoint, dataset, ours)
    return parity(checkpoint, ours, theirs, [*probes(checkpoint), *seen])


class _Overheard:
    """A back-end that keeps what it was shown."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name = backend.name
        self.heard: list[Array] = []

    def run(self, inputs: Array, member: int) -> Array:
        """As ``Backend.run``."""
        if member == 0:
            self.heard.append(inputs)
        return self._backend.run(inputs, member)


def _seen(checkpoint: Checkpoint, dataset: Dataset, ours: Backend) -> list[Array]:
    """What the networks are shown of the first sessions that can be predicted."""
    roots = dataset_roots(dataset)
    ear = _Overheard(ours)
    try:
        made = synthesize.synthesizer(
            checkpoint, roots.values["template"], roots.values["atlas"], backend=ear
        )
    except TracerlessError:
        return []  # the dataset lives on another grid
    works = [s for s in subsets() if _works(checkpoint, subset_key(s))]
    for key in dataset.sessions() if works else ():
        kept = SessionShelf(dataset, key).latest("prepared")
        if kept is not None:
            with contextlib.suppress(TracerlessError):  # it lacks a contrast, or failed its checks
                made.predict(kept, works[0])
        if len(ear.heard) >= _SESSIONS:
            break
    return ear.heard


def _works(checkpoint: Checkpoint, key: str) -> bool:
    return key in checkpoint.calibration and checkpoint.calibration[key].works


def _graphs(checkpoint: Checkpoint, one: bytes, content: bytes, found: Parity) -> dict[str, bytes]:
    location = Path(bundles.WEIGHTS).name
    whole = whole_graph(one, places(content), n_members=checkpoint.members, location=location)
    return {
        bundles.GRAPH: whole,
        bundles.MEMBER_GRAPH: one,
        bundles.GRAPH_RECORD: graphs.graph_record(checkpoint, one, found),
    }
