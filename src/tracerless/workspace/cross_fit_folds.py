"""How people are dealt over the folds of a cross-fitted set."""

from collections.abc import Sequence

from tracerless.core.errors import ModelError
from tracerless.core.people import person_digest
from tracerless.diagnose.folds import deal
from tracerless.synthesize.material import Material

MIN_PEOPLE = 10
"""Fewer people cannot be dealt over folds and leave anything to learn from."""
OTHERS = "others"
"""Diagnoses of fewer people than folds are dealt together."""


def dealt(material: Material, n_folds: int, seed: str) -> dict[str, int]:
    """Fold of each person, by ``person_digest``; each diagnosis lies in every fold.

    Args:
        material: of everybody who can be learned from.
        n_folds: 2-20.
        seed: of the folds.

    Raises:
        ModelError: too few people.
    """
    diagnosis = {
        person: facts.diagnosis or OTHERS
        for person, facts in zip(material.people, material.facts, strict=True)
    }
    people = sorted(diagnosis)
    if len(people) < max(MIN_PEOPLE, 2 * n_folds) or not 2 <= n_folds <= 20:
        raise ModelError(
            f"{len(people)} people with MR and FDG cannot be dealt over {n_folds} folds.",
            hint=f"Take 2-20 folds of at least two people, {MIN_PEOPLE} in all.",
        )
    labels = labels_of([diagnosis[person] for person in people], n_folds)
    fold = deal(labels, [str(person) for person in people], n_folds, "crossfit", seed)
    return {person_digest(who): int(k) for who, k in zip(people, fold, strict=True)}


def labels_of(diagnoses: Sequence[str], n_folds: int) -> list[int]:
    """What people are dealt by: diagnoses, those of few people together, else with the largest.

    Args:
        diagnoses: of each person.
        n_folds: a label needs as many people.
    """
    sizes = {name: diagnoses.count(name) for name in diagnoses}
    named = [name if sizes[name] >= n_folds else OTHERS for name in diagnoses]
    if named.count(OTHERS) < n_folds:
        largest = max(sizes, key=lambda name: (sizes[name], name))
        named = [largest if name == OTHERS else name for name in named]
    order = sorted(set(named))
    return [order.index(name) for name in named]
