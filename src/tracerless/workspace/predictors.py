"""Checkpoints made ready to predict."""

from tracerless import synthesize
from tracerless.synthesize import Checkpoint
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.models import find_checkpoint, load_checkpoint
from tracerless.workspace.roots import Roots


def with_predictor(roots: Roots, dataset: Dataset, model: str | None) -> tuple[Checkpoint, Roots]:
    """A checkpoint (the model so named, or the only one), and the roots with what it predicts by.

    Raises:
        ModelError: no such model, or a damaged one.
        RecipeMismatchError: it was trained for another template or reference region.
    """
    checkpoint = load_checkpoint(find_checkpoint(dataset, model))
    template, atlas = roots.values["template"], roots.values["atlas"]
    network = synthesize.synthesizer(checkpoint, template, atlas)
    mean = synthesize.mean_predictor(checkpoint, template, atlas)
    both = roots.extended("predictor", network, checkpoint.name)
    return checkpoint, both.extended("mean_predictor", mean, f"mean of {checkpoint.name}")
