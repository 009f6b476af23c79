"""Training a synthesizer on the prepared sessions of a dataset; stopped training goes on."""

import dataclasses
from pathlib import Path

from tracerless import synthesize
from tracerless.core.errors import ModelError
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.io import resources
from tracerless.synthesize import Checkpoint
from tracerless.workspace.batch import Track
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.models import load_state, save_checkpoint, save_state
from tracerless.workspace.shelf import SessionShelf

SIMULATED_MARK = "SIMULATED.txt"
"""A dataset with this file in its root holds simulated people only."""


def pairs(dataset: Dataset) -> tuple[Prepared, ...]:
    """Prepared sessions that a synthesizer can learn from: MR and acquired FDG, verdict not ``fail``.

    Raises:
        ModelError: there are none.
    """
    kept = (SessionShelf(dataset, key).latest("prepared") for key in dataset.sessions())
    found = tuple(
        each
        for each in kept
        if each is not None
        and each.verdict != "fail"
        and Contrast.FDG in each.volumes
        and any(contrast in each.volumes for contrast in MR_INPUTS)
    )
    if not found:
        raise ModelError(
            f"{dataset.root} holds no prepared session with both MR and FDG-PET.",
            hint="Run `tracerless prepare` first, or make training people with "
            "`tracerless simulate DATASET --people 48 --prepared`.",
        )
    return found


def training_domain(dataset: Dataset) -> str:
    """``simulated`` when the dataset says that its people are, else ``acquired``."""
    return "simulated" if (dataset.root / SIMULATED_MARK).is_file() else "acquired"


def train(
    dataset: Dataset, name: str, *, steps: int | None, track: Track
) -> tuple[Path, Checkpoint]:
    """Fit a synthesizer and keep it under ``models/<name>``; the weights' path, and the checkpoint.

    Args:
        dataset: where the pairs are, and where the model goes.
        name: of the model's folder.
        steps: instead of the recipe's.
        track: shows progress.

    Raises:
        ModelError: nothing to learn from.
    """
    recipe = dataset.recipe.synthesize
    if steps is not None:
        recipe = dataclasses.replace(recipe, steps=steps)
    checkpoint = synthesize.fit(
        pairs(dataset),
        template=resources.template(recipe.voxel_mm),
        atlas=resources.atlas(dataset.recipe.prepare.atlas, recipe.voxel_mm),
        recipe=recipe,
        reference=dataset.recipe.prepare.reference_fdg,
        training_domain=training_domain(dataset),
        progress=track,
        resume=load_state(dataset, name),
        save_state=lambda state: save_state(dataset, name, state),
    )
    return save_checkpoint(dataset, name, checkpoint), checkpoint
