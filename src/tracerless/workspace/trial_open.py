"""Opening a trial: a model over everyone of a dataset that it never saw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tracerless import synthesize
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.networks import is_solved
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.predict import Synthesizer
from tracerless.workspace.comparison import unseen, with_fdg
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.models import find_checkpoint, load_checkpoint
from tracerless.workspace.roots import Roots, dataset_roots
from tracerless.workspace.tables import read_cohort
from tracerless.workspace.training_people import site_of
from tracerless.workspace.training_place import LINEAR as LINEAR_FILE
from tracerless.workspace.trial import AGE_SEX, LINEAR, MEAN, MODEL, Subject, Trial


class Crossfit(Protocol):
    """Models of one design, each of which never saw a fold of people."""

    @property
    def name(self) -> str:
        """Of the set."""
        ...

    def fold_of(self, person: Pseudonym) -> int | None:
        """The fold that the person is left out of; None for a stranger."""
        ...

    def checkpoint_of(self, person: Pseudonym) -> Checkpoint:
        """The model that never saw the person."""
        ...

    def linear_of(self, person: Pseudonym) -> Checkpoint | None:
        """Its linear rival, which never saw the person either; None where there is none."""
        ...


def trial(
    dataset: Dataset,
    model: str | None,
    *,
    limit: int | None = None,
    crossfit: Crossfit | None = None,
    training: Dataset | None = None,
) -> Trial:
    """Open a model over everyone of a dataset that it never saw.

    Args:
        dataset: with prepared sessions that hold acquired FDG.
        model: name or path; None takes the only one. Not looked at with ``crossfit``.
        limit: at most so many subjects, taken in turn from every diagnosis.
        crossfit: predicts everyone by the model that never saw them; strangers are left out.
        training: dataset that the model learned from.

    Raises:
        ModelError: no such model, or nobody that it did not see.
        RecipeMismatchError: it was trained for another template or reference region.
    """
    roots, keys = dataset_roots(dataset), with_fdg(dataset)
    if crossfit is None:
        path = find_checkpoint(dataset, model)
        name = _called(path)
        checkpoint, beside = load_checkpoint(path), path.parent / LINEAR_FILE
        linear = load_checkpoint(beside) if beside.is_file() else None
        able, left_out = unseen(keys, checkpoint)
    else:
        able, left_out = _dealt(keys, crossfit)
        checkpoint = crossfit.checkpoint_of(able[0].person)
        linear = crossfit.linear_of(able[0].person)
        name = f"{crossfit.name}-crossfit"
    known = read_cohort(dataset).facts
    made = Trial(
        name=name,
        dataset=dataset,
        checkpoint=checkpoint,
        synthesizer=_synthesizer(checkpoint, roots),
        rivals=_rivals(checkpoint, roots, linear),
        subjects=tuple(_subject(dataset, key, known) for key in able),
        template=roots.values["template"],
        atlas=roots.values["atlas"],
        domain=training_domain(dataset),
        training=training,
        own=None if crossfit is None else _own(crossfit, roots),
        notes=(*left_out, *_rivalless(checkpoint, linear)),
    )
    return made if limit is None else made.limited(limit)


def _called(path: Path) -> str:
    """Name of a model: its folder's; a bundle keeps weights one folder deeper."""
    folder = path.resolve().parent
    return folder.parent.name if folder.name == "models" else folder.name


def facts_of(
    dataset: Dataset, key: SessionKey, known: Mapping[Pseudonym, PersonFacts]
) -> PersonFacts:
    """What is known of a person at a visit; unknown = empty or NaN.

    Args:
        dataset: for the scanner of the MR.
        key: whose, and which visit.
        known: what the people's table tells.
    """
    return replace(known.get(key.person, PersonFacts()), site=site_of(dataset, key))


def _subject(dataset: Dataset, key: SessionKey, known: Mapping[Pseudonym, PersonFacts]) -> Subject:
    facts = facts_of(dataset, key, known)
    return Subject(key, facts.diagnosis, facts)


def _synthesizer(checkpoint: Checkpoint, roots: Roots) -> Synthesizer:
    return synthesize.synthesizer(checkpoint, roots.values["template"], roots.values["atlas"])


def _own(crossfit: Crossfit, roots: Roots) -> Callable[[Pseudonym], Mapping[str, Synthesizer]]:
    """Model and rivals that never saw a person; those of the last fold are kept ready."""
    ready: dict[int | None, Mapping[str, Synthesizer]] = {}

    def of(person: Pseudonym) -> Mapping[str, Synthesizer]:
        fold = crossfit.fold_of(person)
        if fold not in ready:
            ready.clear()
            checkpoint = crossfit.checkpoint_of(person)
            own = {MODEL: _synthesizer(checkpoint, roots)}
            ready[fold] = {**own, **_rivals(checkpoint, roots, crossfit.linear_of(person))}
        return ready[fold]

    return of


def _rivals(
    checkpoint: Checkpoint, roots: Roots, linear: Checkpoint | None
) -> dict[str, Synthesizer]:
    template, atlas = roots.values["template"], roots.values["atlas"]
    made: dict[str, Synthesizer] = {
        MEAN: synthesize.mean_predictor(checkpoint, template, atlas),
        AGE_SEX: synthesize.covariate_predictor(checkpoint, template, atlas),
    }
    if linear is not None:
        made[LINEAR] = synthesize.synthesizer(linear, template, atlas)
    return made


def _rivalless(checkpoint: Checkpoint, linear: Checkpoint | None) -> tuple[str, ...]:
    if linear is not None or is_solved(checkpoint.recipe.network):
        return ()
    return (
        "No linear map of the same people lies beside this model: whether it beats linear MR is "
        "not known.",
    )


def _dealt(
    keys: Sequence[SessionKey], crossfit: Crossfit
) -> tuple[tuple[SessionKey, ...], list[str]]:
    """The sessions of people who lie in a fold, fold by fold, and what to say of the others.

    Raises:
        ModelError: nobody lies in a fold.
    """
    folds = {key: crossfit.fold_of(key.person) for key in keys}
    able = sorted((fold, key) for key, fold in folds.items() if fold is not None)
    if not able:
        raise ModelError(
            f"Nobody of these {len(keys)} sessions lies in a fold of {crossfit.name}.",
            hint="Cross-fit on this dataset: `tracerless synthesize crossfit`.",
        )
    notes = ["Everyone was predicted by a model of the design that never saw them."]
    if len(able) < len(keys):
        notes.append(f"{len(keys) - len(able)} sessions of people outside the folds were left out.")
    return tuple(key for _, key in able), notes
