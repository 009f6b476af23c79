"""Synthetic against acquired PET, over the people of a dataset that the model never saw."""

from collections.abc import Mapping, Sequence

from tracerless import evaluate
from tracerless.core.atlas import RoiTable
from tracerless.core.errors import ModelError
from tracerless.core.people import SessionKey, person_digest
from tracerless.core.prediction import Evaluation, Prediction
from tracerless.core.recipe import fingerprint
from tracerless.core.volume import Contrast
from tracerless.synthesize import Checkpoint
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import read_cohort

Tables = tuple[Mapping[Contrast, RoiTable], RoiTable, RoiTable, Prediction]
"""Of one session: what was acquired, what was predicted, what the training mean says, and the
prediction itself."""


def with_fdg(dataset: Dataset) -> tuple[SessionKey, ...]:
    """Prepared sessions that hold acquired FDG-PET and did not fail quality control.

    Raises:
        ModelError: there are none.
    """
    found = []
    for key in dataset.sessions():
        record = SessionShelf(dataset, key).record("prepared")
        if record and record["verdict"] != "fail" and Contrast.FDG in record["contrasts"]:
            found.append(key)
    if not found:
        raise ModelError(
            f"{dataset.root} holds no prepared session with acquired FDG-PET to compare with.",
            hint="Run `tracerless prepare` on a dataset that holds FDG-PET.",
        )
    return tuple(found)


def unseen(
    keys: Sequence[SessionKey], checkpoint: Checkpoint
) -> tuple[tuple[SessionKey, ...], list[str]]:
    """The sessions of people that the model never saw, and what was left out, in sentences.

    Raises:
        ModelError: nobody is left.
    """
    seen = set(checkpoint.people)
    left = tuple(key for key in keys if person_digest(key.person) not in seen)
    if not left:
        raise ModelError(
            f"All {len(keys)} sessions belong to people that {checkpoint.name} has seen.",
            hint="Evaluate on a dataset of other people.",
        )
    n = len(keys) - len(left)
    return left, [f"{n} sessions of people the model has seen were left out."] if n else []


def compare(
    dataset: Dataset, checkpoint: Checkpoint, tables: Mapping[SessionKey, Tables]
) -> Evaluation:
    """The evaluation over these sessions.

    Raises:
        ModelError: no session, or a person that the model saw.
    """
    cohort = read_cohort(dataset)
    return evaluate.cohort(
        [
            evaluate.Pair(
                uptake[Contrast.FDG],
                synthetic,
                mean,
                cohort.diagnosis(key.person),
                key.person,
                made.half_widths,
            )
            for key, (uptake, synthetic, mean, made) in tables.items()
        ],
        model=checkpoint.name,
        atlas=dataset.recipe.prepare.atlas,
        reference=checkpoint.reference,
        domain=training_domain(dataset),
        fingerprint=fingerprint(dataset.recipe.prepare),
        trained_on=checkpoint.people,
    )
