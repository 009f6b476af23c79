"""Checkpoints made ready to predict."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracerless import synthesize
from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.backend import Backend
from tracerless.synthesize.predict import NetworkSynthesizer
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.models import find_checkpoint, load_backend, load_checkpoint
from tracerless.workspace.roots import Roots
from tracerless.workspace.tables import read_cohort

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A synthesizer with what it is asked for.

    Args:
        network: the synthesizer.
        inputs: contrasts it is shown; none named = all that a session has.
        facts: what is known of people besides their scans.
        n_samples: plausible volumes to make beside the mean.
    """

    network: NetworkSynthesizer
    inputs: tuple[Contrast, ...]
    facts: Mapping[Pseudonym, PersonFacts]
    n_samples: int

    def predict(self, prepared: Prepared) -> Prediction:
        """Synthetic FDG of one session."""
        person = self.facts.get(prepared.key.person)
        return self.network.predict(prepared, self.inputs or None, person, self.n_samples)


def with_predictor(
    roots: Roots,
    dataset: Dataset,
    model: str | None,
    inputs: Sequence[str] = (),
    n_samples: int = 0,
) -> tuple[Checkpoint, Roots]:
    """A checkpoint (the model so named, or the only one), and the roots with what it predicts by.

    Facts of people are read only when the model learned from them.

    Args:
        roots: of the dataset.
        dataset: whose models are searched.
        model: name or path; None takes the only one.
        inputs: contrasts to show the synthesizer; none named = all that a session has.
        n_samples: plausible volumes to make beside the mean.

    Raises:
        ModelError: no such model, or a damaged one.
        RecipeMismatchError: it was trained for another template or reference region.
    """
    path = find_checkpoint(dataset, model)
    checkpoint = load_checkpoint(path)
    template, atlas = roots.values["template"], roots.values["atlas"]
    backend = _backend(path, checkpoint)
    network = synthesize.synthesizer(checkpoint, template, atlas, backend=backend)
    mean = synthesize.mean_predictor(checkpoint, template, atlas)
    shown = tuple(Contrast(each) for each in inputs)
    facts = read_cohort(dataset).facts if checkpoint.expected.names else {}
    asked = Asked(network, shown, facts, n_samples)
    mark = fingerprint(
        checkpoint.name, network.reader.backend.name, n_samples, *shown, _digest(facts)
    )
    both = roots.extended("predictor", asked, mark)
    return checkpoint, both.extended("mean_predictor", mean, f"mean of {checkpoint.name}")


def _digest(facts: Mapping[Pseudonym, PersonFacts]) -> str:
    """Changes when a fact does that a model may look at; a diagnosis is none."""
    return fingerprint(*(f"{p} {f.age} {f.sex} {f.mmse}" for p, f in sorted(facts.items())))


def _backend(path: Path, checkpoint: Checkpoint) -> Backend | None:
    backend, why = load_backend(path, checkpoint)
    if why:
        _log.info("Torch computes the networks: %s", why)
    return backend
