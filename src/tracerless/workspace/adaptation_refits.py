"""Models trained again for one question: without a scanner's people, with other covariates."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tracerless import synthesize
from tracerless.core.atlas import Atlas
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.session import Prepared, Template
from tracerless.io import resources
from tracerless.synthesize import Checkpoint
from tracerless.workspace.challenges_outcome import has_mr
from tracerless.workspace.comparison import with_fdg
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.tables import read_cohort
from tracerless.workspace.trial import MEAN, MODEL, Subject, Trial
from tracerless.workspace.trial_open import facts_of


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
    """Sessions with FDG and MR of people whom the model saw, and what is known of them.

    Raises:
        ModelError: none is at hand.
    """
    dataset, seen = source(trial), set(trial.checkpoint.people)
    known = read_cohort(dataset).facts
    found = {
        key: facts_of(dataset, key, known)
        for key in with_fdg(dataset)
        if person_digest(key.person) in seen and has_mr(dataset, key)
    }
    if not found:
        raise ModelError(
            "The people that the model learned from are not at hand to train on again.",
            hint="Name their dataset with --training.",
        )
    return found


def sessions_of(trial: Trial, people: Collection[Pseudonym]) -> Iterator[Prepared]:
    """Their sessions among those that the model saw, one at a time."""
    return (session for session in trial.taught() if session.key.person in people)


def refit(
    trial: Trial,
    sessions: Iterable[Prepared],
    facts: Mapping[Pseudonym, PersonFacts],
    *,
    dataset: Dataset,
    recipe: SynthesizeRecipe | None = None,
    base: Checkpoint | None = None,
) -> Checkpoint:
    """A model like the trial's, from these sessions.

    Args:
        trial: whose model gives recipe, template, atlas and reference region.
        sessions: to learn from.
        facts: of their people.
        dataset: where they come from.
        recipe: another one.
        base: to begin with: few pairs of another scanner adapt it.

    Raises:
        ModelError, RecipeMismatchError: as ``synthesize.fit``.
    """
    model = trial.checkpoint
    template, atlas = frame(trial)
    return synthesize.fit(
        sessions,
        template=template,
        atlas=atlas,
        recipe=recipe or model.recipe,
        reference=model.reference,
        training_domain=training_domain(dataset),
        facts=facts,
        base=base,
    )


def frame(trial: Trial) -> tuple[Template, Atlas]:
    """Template and atlas on the network's grid: the trial's own where they lie on it."""
    grid = trial.checkpoint.grid
    if trial.template.grid == grid:
        return trial.template, trial.atlas
    spacing_mm = grid.spacing_mm[0]
    root = trial.dataset.root
    return resources.template(spacing_mm), resources.atlas(trial.atlas.key, spacing_mm, root)


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
