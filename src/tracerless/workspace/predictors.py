"""Checkpoints made ready to predict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracerless import synthesize
from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.predict import NetworkSynthesizer
from tracerless.synthesize.texture import no_samples
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.graphs import lent
from tracerless.workspace.models import find_checkpoint, load_checkpoint
from tracerless.workspace.roots import Roots
from tracerless.workspace.tables import read_cohort


@dataclass(frozen=True, slots=True)
class Asked:
    """A synthesizer with what it is asked for.

    Args:
        network: the synthesizer.
        inputs: contrasts it is shown; none named = all that a session has.
        facts: what is known of people besides their scans.
        n_samples: plausible volumes to make beside the mean.
        computed: how the back-end was found right, or why torch computes; kept with every result.
    """

    network: NetworkSynthesizer
    inputs: tuple[Contrast, ...]
    facts: Mapping[Pseudonym, PersonFacts]
    n_samples: int
    computed: Mapping[str, Any]

    def predict(self, prepared: Prepared) -> Prediction:
        """Synthetic FDG of one session."""
        person = self.facts.get(prepared.key.person)
        made = self.network.predict(prepared, self.inputs or None, person, self.n_samples)
        return replace(made, provenance={**made.provenance, **self.computed})


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
        ModelError: no such model, a damaged one, or one that makes no samples where some are asked
            for.
        RecipeMismatchError: it was trained for another template or reference region.
    """
    path = find_checkpoint(dataset, model)
    checkpoint = load_checkpoint(path)
    template, atlas = roots.values["template"], roots.values["atlas"]
    computing = lent(path, checkpoint)
    network = synthesize.synthesizer(checkpoint, template, atlas, backend=computing.backend)
    if n_samples and network.texture is None:
        raise no_samples(checkpoint)
    mean = synthesize.mean_predictor(checkpoint, template, atlas)
    shown = tuple(Contrast(each) for each in inputs)
    facts = read_cohort(dataset).facts if checkpoint.expected.names else {}
    asked = Asked(network, shown, facts, n_samples, computing.facts)
    mark = fingerprint(
        checkpoint.name, network.reader.backend.name, n_samples, *shown, _digest(facts)
    )
    both = roots.extended("predictor", asked, mark)
    return checkpoint, both.extended("mean_predictor", mean, f"mean of {checkpoint.name}")


def _digest(facts: Mapping[Pseudonym, PersonFacts]) -> str:
    """Changes when a fact does that a model may look at; a diagnosis is none."""
    return fingerprint(*(f"{p} {f.age} {f.sex} {f.mmse}" for p, f in sorted(facts.items())))
