"""Models trained again for one question: without a scanner's people, with other covariates.

A network takes as long again as it took to train; where a model must be trained from the start, the
linear map stands in its place, which is solved. Weights that go on from the model's own take few
steps.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracerless import synthesize
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.io import resources
from tracerless.networks import is_solved
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.material import Material, gather
from tracerless.synthesize.space import Space, space
from tracerless.workspace.challenges_outcome import has_mr
from tracerless.workspace.comparison import with_fdg
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import read_cohort
from tracerless.workspace.trial import LINEAR, MEAN, MODEL, Subject, Trial
from tracerless.workspace.trial_open import facts_of

N_TAUGHT = 200
"""Training sessions at most that models are trained on again, drawn from all of them."""
TUNING_STEPS = 100
"""Steps of each network at most where a model goes on from its own weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Sessions to learn from, read once, for as many models as ask.

    Args:
        material: of the sessions.
        where: the network's space.
        domain: ``simulated`` or ``acquired``: where the sessions come from.
    """

    material: Material
    where: Space
    domain: str

    def learned(self, recipe: SynthesizeRecipe, base: Checkpoint | None = None) -> Checkpoint:
        """A model of that recipe; with a base, that base tuned.

        Raises:
            ModelError, RecipeError, RecipeMismatchError: as ``synthesize.learn``.
        """
        return synthesize.learn(
            self.material, self.where, recipe=recipe, training_domain=self.domain, base=base
        )

    def without(self, people: Collection[Pseudonym]) -> "Lesson":
        """The sessions of everybody else."""
        rows = [i for i, who in enumerate(self.material.people) if who not in people]
        return replace(self, material=self.material.take(rows))

    def showing(self, chosen: Collection[Contrast]) -> "Lesson":
        """No other MR than that; sessions that lack all of it are left out."""
        shown = np.array([contrast in chosen for contrast in MR_INPUTS])
        present = self.material.present & shown
        values = np.where(shown[:, None, None, None], self.material.values, np.float16(0))
        kept = replace(self.material, present=present, values=values)
        return replace(self, material=kept.take(np.flatnonzero(present.any(axis=1))))


def lesson(
    trial: Trial,
    dataset: Dataset,
    facts: Mapping[SessionKey, PersonFacts],
) -> Lesson:
    """These sessions of a dataset, on the grid and in the scale of the trial's model.

    Args:
        trial: whose model gives template, atlas, reference region and scale.
        dataset: that holds the sessions.
        facts: what is known at each session.

    Raises:
        ModelError, ContrastError, QuantityError, RecipeMismatchError: a session teaches nothing.
    """
    model, where = trial.checkpoint, _space(trial)
    known = {key.person: each for key, each in facts.items()}
    found = gather(_sessions(dataset, sorted(facts)), where, model.normalisation, known)
    return Lesson(found, where, training_domain(dataset))


def require_one_model(trial: Trial) -> None:
    """Refuse a cross-fitted set: every model of it was trained on people of the trial.

    Raises:
        ModelError: it is one.
    """
    if trial.own is not None:
        raise ModelError(
            "A cross-fitted set has no people of its own to train on again.",
            hint="Evaluate one model, on a dataset that it never saw.",
        )


def source(trial: Trial) -> Dataset:
    """The dataset that the model learned from, as far as it is at hand."""
    return trial.training or trial.dataset


def taught(trial: Trial) -> dict[SessionKey, PersonFacts]:
    """Sessions with FDG and MR of people whom the model saw, `N_TAUGHT` at most; what is known.

    Raises:
        ModelError: none is at hand.
    """
    dataset, seen = source(trial), set(trial.checkpoint.people)
    known = read_cohort(dataset).facts
    keys = [
        key
        for key in with_fdg(dataset)
        if person_digest(key.person) in seen and has_mr(dataset, key)
    ]
    if not keys:
        raise ModelError(
            "The people that the model learned from are not at hand to train on again.",
            hint="Name their dataset with --training.",
        )
    if len(keys) > N_TAUGHT:
        drawn = generator("taught", trial.checkpoint.digest).permutation(len(keys))[:N_TAUGHT]
        keys = [keys[i] for i in sorted(drawn)]
    return {key: facts_of(dataset, key, known) for key in keys}


def from_the_start(recipe: SynthesizeRecipe, **changes: str | int) -> SynthesizeRecipe:
    """The recipe of a model that is trained anew: its own where it is solved, else a linear map.

    Args:
        recipe: of the model.
        **changes: settings of the recipe.
    """
    solved = {} if is_solved(recipe.network) else _LINEAR
    return replace(recipe, **{**solved, **changes})  # type: ignore[arg-type]


_LINEAR: Mapping[str, str | int] = {"network": "ridge", "objective": "regression", "members": 1}


def stands_in(trial: Trial) -> str:
    """What tables call a model that is trained anew: the model's name, or the linear map's."""
    return trial.name if is_solved(trial.checkpoint.recipe.network) else LINEAR


def said_of_stand_in(trial: Trial) -> list[str]:
    """A sentence where the linear map stands in the place of a network; nothing where not."""
    if is_solved(trial.checkpoint.recipe.network):
        return []
    return [
        f"Models that are trained from the start are linear maps here: {trial.name} is a network "
        "and would take as long again as its training. Train the design with the setting in "
        "question, and evaluate it, to see it of the network itself."
    ]


def tuning(recipe: SynthesizeRecipe) -> SynthesizeRecipe:
    """The recipe with few steps, for weights that know something already."""
    return replace(
        recipe,
        steps=min(recipe.steps, TUNING_STEPS),
        flow_steps=min(recipe.flow_steps, TUNING_STEPS),
    )


def with_model(trial: Trial, made: Checkpoint) -> Trial:
    """The trial with another model; its rivals stay, so that skills can be compared."""
    predictor = synthesize.synthesizer(made, trial.template, trial.atlas)
    return replace(trial, checkpoint=made, synthesizer=predictor)


def over(trial: Trial, made: Checkpoint, dataset: Dataset, subjects: Sequence[Subject]) -> Trial:
    """A trial of another model over other people, against that model's mean.

    Args:
        trial: gives template and atlas.
        made: the model.
        dataset: that holds the subjects' sessions.
        subjects: not seen by the model.
    """
    mean = synthesize.mean_predictor(made, trial.template, trial.atlas)
    predictor = synthesize.synthesizer(made, trial.template, trial.atlas)
    return Trial(
        name=MODEL,
        dataset=dataset,
        checkpoint=made,
        synthesizer=predictor,
        rivals={MEAN: mean},
        subjects=tuple(subjects),
        template=trial.template,
        atlas=trial.atlas,
        domain=training_domain(dataset),
    )


def _space(trial: Trial) -> Space:
    """The network's: the trial's own template and atlas where they lie on its grid."""
    grid, reference = trial.checkpoint.grid, trial.checkpoint.reference
    if trial.template.grid == grid:
        return space(trial.template, trial.atlas, reference)
    spacing_mm, root = grid.spacing_mm[0], trial.dataset.root
    atlas = resources.atlas(trial.atlas.key, spacing_mm, root)
    return space(resources.template(spacing_mm), atlas, reference)


def _sessions(dataset: Dataset, keys: Sequence[SessionKey]) -> Iterable[Prepared]:
    return (SessionShelf(dataset, key).latest("prepared") for key in keys)
