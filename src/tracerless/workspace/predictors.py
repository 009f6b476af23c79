"""Checkpoints made ready to predict."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracerless import synthesize
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.predict import NetworkSynthesizer
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.models import find_checkpoint, load_checkpoint
from tracerless.workspace.roots import Roots


@dataclass(frozen=True, slots=True)
class Limited:
    """A synthesizer that is shown only some of the contrasts."""

    network: NetworkSynthesizer
    inputs: tuple[Contrast, ...]

    def predict(self, prepared: Prepared) -> Prediction:
        """Synthetic FDG from those inputs alone."""
        return self.network.predict(prepared, self.inputs)


def with_predictor(
    roots: Roots, dataset: Dataset, model: str | None, inputs: Sequence[str] = ()
) -> tuple[Checkpoint, Roots]:
    """A checkpoint (the model so named, or the only one), and the roots with what it predicts by.

    Args:
        roots: of the dataset.
        dataset: whose models are searched.
        model: name or path; None takes the only one.
        inputs: contrasts to show the synthesizer; none named = all that a session has.

    Raises:
        ModelError: no such model, or a damaged one.
        RecipeMismatchError: it was trained for another template or reference region.
    """
    checkpoint = load_checkpoint(find_checkpoint(dataset, model))
    template, atlas = roots.values["template"], roots.values["atlas"]
    network = synthesize.synthesizer(checkpoint, template, atlas)
    mean = synthesize.mean_predictor(checkpoint, template, atlas)
    shown = tuple(Contrast(each) for each in inputs)
    predictor = Limited(network, shown) if shown else network
    both = roots.extended("predictor", predictor, " ".join((checkpoint.name, *shown)))
    return checkpoint, both.extended("mean_predictor", mean, f"mean of {checkpoint.name}")
