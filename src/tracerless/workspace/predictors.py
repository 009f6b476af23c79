"""Checkpoints made ready to predict."""

from tracerless import synthesize
from tracerless.io import resources
from tracerless.synthesize import Checkpoint
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.models import find_checkpoint, load_checkpoint
from tracerless.workspace.roots import Roots


def with_predictor(roots: Roots, dataset: Dataset, model: str | None) -> Roots:
    """The roots, a synthesizer and the training mean: of the model so named, or the only one.

    Raises:
        ModelError: no such model, or a damaged one.
    """
    checkpoint = load_checkpoint(find_checkpoint(dataset, model))
    predictor = network_predictor(checkpoint, roots.values["prepare_recipe"].atlas)
    mean = synthesize.mean_predictor(checkpoint)
    both = roots.extended("predictor", predictor, checkpoint.name)
    return both.extended("mean_predictor", mean, f"mean of {checkpoint.name}")


def network_predictor(checkpoint: Checkpoint, atlas: str) -> synthesize.NetworkSynthesizer:
    """The trained network, on the grid it was trained on."""
    voxel_mm = checkpoint.recipe.voxel_mm
    return synthesize.synthesizer(
        checkpoint, resources.template(voxel_mm), resources.atlas(atlas, voxel_mm)
    )
