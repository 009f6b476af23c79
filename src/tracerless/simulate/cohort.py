"""Many people, and what a hospital knows of them."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError
from tracerless.simulate.anatomy import Anatomy
from tracerless.simulate.parameters import PeopleParameters
from tracerless.simulate.person import Person, make_person

PHENOTYPE_COLUMNS = (
    "chart_number", "name", "sex", "age", "education_years", "diagnosis", "MMSE", "CASI", "CDR",
    "CDRSB",
)  # fmt: skip
"""Columns of a hospital's phenotype table; the first two identify."""


def draw_people(
    parameters: PeopleParameters,
    anatomy: Anatomy,
    *,
    n: int,
    seed: str,
    diagnoses: Sequence[Diagnosis] | None = None,
) -> Iterator[Person]:
    """People one after the other, so that no more than one needs to be held.

    Args:
        parameters: what people are drawn from.
        anatomy: the base head.
        n: how many, at least 1.
        seed: name of the group; person ``i`` has the seed ``{seed}-{i:04d}``.
        diagnoses: taken in turn; None draws each by the declared prevalences.

    Raises:
        RecipeError: ``n`` is below 1, or ``diagnoses`` is empty.
    """
    if n < 1:
        raise RecipeError(f"A group needs at least one person, got n={n}.")
    if diagnoses is not None and not diagnoses:
        raise RecipeError("The list of diagnoses is empty.", hint="Leave it out to draw them.")
    turns = itertools.cycle(diagnoses if diagnoses is not None else [None])
    return (
        make_person(anatomy, parameters, seed=f"{seed}-{i:04d}", diagnosis=diagnosis)
        for i, diagnosis in zip(range(n), turns, strict=False)
    )


def phenotype(persons: Iterable[Person]) -> pd.DataFrame:
    """The hospital's own table of its people, ``PHENOTYPE_COLUMNS``; identified."""
    rows = [
        (
            person.identity.chart_number,
            person.identity.name_zh,
            person.sex,
            person.age,
            person.education_years,
            str(person.diagnosis),
            *(person.scores[test] for test in ("MMSE", "CASI", "CDR", "CDRSB")),
        )
        for person in persons
    ]
    return pd.DataFrame(rows, columns=list(PHENOTYPE_COLUMNS))


def truth(person: Person) -> dict[str, Any]:
    """What only the simulator knows of a person, ready for JSON; nothing of their identity."""
    traits, levels = person.traits, person.levels
    return {
        "key": person.key,
        "diagnosis": str(traits.diagnosis),
        "pathology": str(traits.pathology),
        "is_mimic": traits.is_mimic,
        "is_preclinical": traits.is_preclinical,
        "severity": traits.severity,
        "metabolic_severity": traits.metabolic,
        "flow_severity": traits.perfusion,
        "atrophy_severity": traits.atrophy,
        "asymmetry": traits.asymmetry,
        "metabolic_asymmetry": traits.metabolic_asymmetry,
        "flow_grey_ml_100g_min": levels.flow_grey,
        "flow_white_ml_100g_min": levels.flow_white,
        "metabolism_grey_suv": levels.metabolism_grey,
        "metabolism_white_suv": levels.metabolism_white,
        "native_from_template_affine": person.shape.native_from_template.tolist(),
    }
