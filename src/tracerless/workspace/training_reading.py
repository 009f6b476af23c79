"""What a training reads: the pairs of a dataset on every grid that it needs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tracerless.core.errors import ModelError, RecipeError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.io import resources
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.space import Space, space
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.training_pairs import Gathered, gather_pairs

LINEAR_MM = 4.0
"""The linear map averages over blocks anyway; on a finer grid it would only be larger."""


def spaces_of(
    dataset: Dataset, recipe: SynthesizeRecipe, base: Checkpoint | None, *, has_rival: bool
) -> tuple[Space, ...]:
    """The network's space, and that of the linear rival where the model has one.

    Args:
        dataset: whose atlas and reference region count where there is no base.
        recipe: of the model.
        base: model that is tuned.
        has_rival: whether there is a linear rival.
    """
    edges = [recipe.voxel_mm, *([max(recipe.voxel_mm, LINEAR_MM)] if has_rival else [])]
    atlas = dataset.recipe.prepare.atlas if base is None else base.atlas
    reference = dataset.recipe.prepare.reference_fdg if base is None else base.reference
    return tuple(
        space(resources.template(mm), resources.atlas(atlas, mm, dataset.root), reference)
        for mm in edges
    )


def read(
    dataset: Dataset,
    spaces: Sequence[Space],
    scale: Normalisation,
    *,
    workers: int,
    advance: Callable[[int, int], None] | None,
) -> Gathered:
    """The pairs, one material for each space; two spaces of one grid share theirs.

    Raises:
        ModelError: fewer than two pairs are left.
    """
    is_same = len({each.grid.shape for each in spaces}) == 1
    different = spaces[:1] if is_same else spaces
    found = gather_pairs(dataset, different, scale, workers=workers, advance=advance)
    return replace(found, materials=(found.materials * len(spaces))[: len(spaces)])


def require_whole(found: Gathered) -> None:
    """Refuse to go on without a session, or without a contrast of one.

    Raises:
        ModelError: a session must be left out, or teaches in part.
    """
    for what, those in (
        ("sessions cannot teach", found.refused),
        ("sessions would teach without a contrast", found.thinned),
    ):
        if those:
            raise ModelError(
                f"{len(those)} {what}; {those[0].key}: {those[0].reason}",
                hint="Mend or remove them, or train without --strict on what is right.",
            )


def require_time(budget_s: float | None, reading_s: float) -> None:
    """Refuse to train in what a long reading left of a budget.

    Raises:
        RecipeError: more than half of it is gone.
    """
    if budget_s is not None and reading_s > budget_s / 2:
        raise RecipeError(
            f"Reading the sessions took {reading_s:.0f} s of the budget of {budget_s:.0f} s; too "
            "little is left to train in.",
            hint=f"Give --budget {2 * (budget_s / 2 + reading_s):.0f}s or more, or read by more "
            "--workers.",
        )
