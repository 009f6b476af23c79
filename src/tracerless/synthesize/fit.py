"""Train a synthesizer: gather pairs, split by person, learn, calibrate on the people kept out."""

from collections.abc import Iterable, Mapping

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, did_you_mean
from tracerless.core.people import Pseudonym
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.session import Prepared, Template
from tracerless.networks import PRESETS, is_solved
from tracerless.synthesize.adapt import keeps_weights, require_base, tuned, unseen
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.distributed import crew, require_hands
from tracerless.synthesize.learned import Ways, adapted, descended, solved
from tracerless.synthesize.learner import same_every_time
from tracerless.synthesize.made import checkpoint
from tracerless.synthesize.material import Material, gather
from tracerless.synthesize.objectives import objective
from tracerless.synthesize.space import Space, space
from tracerless.synthesize.split import chosen, diagnoses
from tracerless.synthesize.state import TrainingState
from tracerless.synthesize.watch import Progress, Watch

__all__ = ["Progress", "Watch", "fit", "learn", "require_possible"]


def fit(  # noqa: PLR0913 (everything that a result depends on is named)
    sessions: Iterable[Prepared],
    *,
    template: Template,
    atlas: Atlas,
    recipe: SynthesizeRecipe,
    reference: str,
    training_domain: str,
    facts: Mapping[Pseudonym, PersonFacts] | None = None,
    base: Checkpoint | None = None,
    resume: TrainingState | None = None,
    watch: Watch | None = None,
) -> Checkpoint:
    """Train on pairs of MR and FDG. Same sessions, recipe, threads and device: same bytes.

    Args:
        sessions: walked once; each with FDG as SUVR and at least one of T1w, T2w, relative CBF.
        template: on the network's grid (``recipe.voxel_mm``; a base's own where one is tuned).
        atlas: on the same grid; its regions carry the regional loss, the skill and the calibration.
        recipe: how to train.
        reference: reference region of the SUVR.
        training_domain: ``simulated`` when every person is simulated, else ``acquired``.
        facts: what is known of the people: for covariates, balance, split and intervals by group.
        base: a trained model to tune instead of training from the start.
        resume: state of a run that was stopped; the result is that of an undisturbed run.
        watch: progress, saving, device, budget.

    Raises:
        ModelError: too few pairs, or too few that a base never saw; a session that failed quality
            control, a loss that is never finite, a split by site where fewer than two are known.
        ContrastError: a session without FDG or without MR.
        QuantityError: FDG that is not SUVR of this reference region, or a contrast without picture.
        RecipeError: settings that contradict each other, the people or this machine.
        RecipeMismatchError: a session or a base in another space, or a state of another run.
        GeometryError: template and atlas on different grids.
    """
    where = space(template, atlas, reference)
    scale = Normalisation() if base is None else base.normalisation
    material = gather(sessions, where, scale, facts)
    return learn(
        material,
        where,
        recipe=recipe,
        training_domain=training_domain,
        base=base,
        resume=resume,
        watch=watch,
    )


def learn(
    material: Material,
    where: Space,
    *,
    recipe: SynthesizeRecipe,
    training_domain: str,
    base: Checkpoint | None = None,
    resume: TrainingState | None = None,
    watch: Watch | None = None,
) -> Checkpoint:
    """Train on what was gathered: once read, a cohort can teach many models.

    Args:
        material: the pairs, gathered on ``where``.
        where: the network's space.
        recipe: as ``fit``.
        training_domain: as ``fit``.
        base: as ``fit``.
        resume: as ``fit``.
        watch: as ``fit``.

    Raises:
        ModelError, RecipeError, RecipeMismatchError, GeometryError: as ``fit``.
    """
    watch = watch or Watch()
    require_possible(recipe if base is None else tuned(recipe, base), watch)
    if base is not None:
        require_base(base, where)
        recipe = tuned(recipe, base)
        material = unseen(material, base)
    material = chosen(material, recipe.people)
    with crew(watch.device, is_alone=watch.is_alone) as hands:
        ways = Ways(where, recipe, training_domain, hands, watch)
        with same_every_time(watch.threads, device=hands.device.type):
            if base is not None and keeps_weights(base, len(set(material.people))):
                learned = adapted(material, ways, base)
            elif is_solved(recipe.network):
                learned = solved(material, ways)
            else:
                learned = descended(material, ways, base=base, resume=resume)
            return checkpoint(material, ways, learned, base)


def require_possible(recipe: SynthesizeRecipe, watch: Watch) -> None:
    """Refuse what cannot be trained here, before hours are spent on reading.

    Args:
        recipe: how to train; of a tuning, with what the base fixes.
        watch: device.

    Raises:
        ModelError: no such network.
        RecipeError: an objective that the network cannot learn, people of no known diagnosis, a
            device that is not there, a batch that the processes cannot share.
    """
    if recipe.network not in PRESETS:
        raise ModelError(
            f"No network {recipe.network!r}.", hint=did_you_mean(recipe.network, PRESETS)
        )
    objective(recipe)
    diagnoses(recipe.people)
    if not is_solved(recipe.network):
        require_hands(watch.device, recipe.batch)
