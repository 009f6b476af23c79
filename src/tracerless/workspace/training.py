"""Training a synthesizer on the prepared sessions of a dataset; stopped training goes on."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from tracerless import __version__, synthesize
from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe, fingerprint
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.io import resources
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.fit import Progress, Watch
from tracerless.synthesize.state import TrainingState
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.models import finished, load_state, save_checkpoint, save_state
from tracerless.workspace.shelf import SessionShelf


def pairs(dataset: Dataset) -> Iterator[Prepared]:
    """Prepared sessions to learn from, one at a time: MR and acquired FDG, verdict not ``fail``."""
    for key in dataset.sessions():
        kept = SessionShelf(dataset, key).latest("prepared")
        if kept is not None and _teaches(kept):
            yield kept


def _teaches(prepared: Prepared) -> bool:
    has_mr = any(contrast in prepared.volumes for contrast in MR_INPUTS)
    return prepared.verdict != "fail" and has_mr and Contrast.FDG in prepared.volumes


def train(
    dataset: Dataset,
    name: str | None = None,
    *,
    network: str | None = None,
    steps: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Path, Checkpoint]:
    """Fit a synthesizer and keep it under ``models/<name>``; one that is there already is kept.

    Args:
        dataset: where the pairs are, and where the model goes.
        name: of the model's folder; None = the network's.
        network: preset instead of the recipe's.
        steps: instead of the recipe's.
        progress: called after each step.

    Returns:
        The path of the weights, and the checkpoint.

    Raises:
        ModelError: nothing to learn from.
        RecipeMismatchError: the state that a stopped training left belongs to other settings.
    """
    usual = dataset.recipe.synthesize
    recipe = dataclasses.replace(
        usual,
        network=usual.network if network is None else network,
        steps=usual.steps if steps is None else steps,
    )
    name = name or recipe.network
    if next(pairs(dataset), None) is None:
        raise ModelError(
            f"{dataset.root} holds no prepared session with both MR and FDG-PET.",
            hint="Run `tracerless prepare` first, or make simulated people with "
            "`tracerless simulate DATASET --people 48 --prepared`.",
        )
    mark = _mark(dataset, recipe)
    done = finished(dataset, name, mark)
    if done is not None:
        return done
    state = load_state(dataset, name)
    checkpoint = synthesize.fit(
        pairs(dataset),
        template=resources.template(recipe.voxel_mm),
        atlas=resources.atlas(dataset.recipe.prepare.atlas, recipe.voxel_mm, dataset.root),
        recipe=recipe,
        reference=dataset.recipe.prepare.reference_fdg,
        training_domain=training_domain(dataset),
        resume=None if state is None else TrainingState.from_bytes(state),
        watch=Watch(
            progress=progress, save_state=lambda content: save_state(dataset, name, content)
        ),
    )
    return save_checkpoint(dataset, name, checkpoint, mark), checkpoint


def _mark(dataset: Dataset, recipe: SynthesizeRecipe) -> str:
    """Changes with the settings, with the people, and with how any of them was prepared."""
    records = (SessionShelf(dataset, key).record("prepared") for key in dataset.sessions())
    made = [record["digest"] for record in records if record is not None]
    reference = dataset.recipe.prepare.reference_fdg
    return fingerprint(__version__, recipe, reference, training_domain(dataset), *made)
