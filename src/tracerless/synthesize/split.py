"""Who teaches and who judges: whole people, and on request whole sites."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis, split_people
from tracerless.core.errors import ModelError, RecipeError, did_you_mean
from tracerless.core.people import Pseudonym
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator
from tracerless.synthesize.material import MIN_PAIRS, Material

N_FOLDS = 5
"""Folds of people, or of sites, for what is judged by leaving out."""
Rows = NDArray[np.int64]


def chosen(material: Material, people: str) -> Material:
    """The sessions of the people that a recipe asks for.

    Args:
        material: all sessions.
        people: diagnoses joined by ``+``, or ``all``.

    Raises:
        RecipeError: no such diagnosis.
        ModelError: fewer than two sessions of these people.
    """
    if people == "all":
        return material
    wanted = diagnoses(people)
    rows = [i for i, facts in enumerate(material.facts) if facts.diagnosis in wanted]
    if len(rows) < MIN_PAIRS:
        raise ModelError(
            f"{len(rows)} sessions are of people with {' or '.join(wanted)}: too few to train on.",
            hint="Write diagnoses into participants.tsv, or choose other people.",
        )
    return material.take(rows)


def diagnoses(people: str) -> tuple[str, ...]:
    """The diagnoses that ``people`` of a recipe names; ``all`` names none.

    Raises:
        RecipeError: no such diagnosis.
    """
    wanted = () if people == "all" else tuple(people.split("+"))
    for word in wanted:
        if word not in set(Diagnosis):
            raise RecipeError(
                f"synthesize.people names no diagnosis {word!r}.",
                hint=did_you_mean(word, Diagnosis),
            )
    return wanted


def halves(material: Material, recipe: SynthesizeRecipe) -> tuple[Rows, Rows]:
    """(trained, held out) sessions; by site, everyone who was ever scanned at a site held out is.

    Raises:
        ModelError: no one is left to train on, or fewer than two sites are known.
    """
    if recipe.split_by == "site" and recipe.held_out > 0:
        out = _people_of_sites(material, recipe)
    else:
        out = split_people(material.people, recipe.held_out, "synthesize", recipe.seed)[1]
    held_out = material.of(out)
    trained = np.setdiff1d(np.arange(len(material.people)), held_out)
    if not len(trained):
        raise ModelError("No one is left to train on.", hint="Lower synthesize.held_out.")
    return trained, held_out


def folds(material: Material, recipe: SynthesizeRecipe) -> list[Rows]:
    """Sessions of each fold; whole people, or whole sites where the recipe splits by site."""
    units = _units(material, recipe)
    names = sorted(set(units))
    order = generator("synthesize-folds", recipe.seed).permutation(len(names))
    fold_of = {names[place]: n % N_FOLDS for n, place in enumerate(order)}
    owner = np.array([fold_of[unit] for unit in units])
    return [rows for rows in (np.flatnonzero(owner == f) for f in range(N_FOLDS)) if len(rows)]


def _units(material: Material, recipe: SynthesizeRecipe) -> Sequence[str]:
    """What stays together: people, or sites joined by the people that they share."""
    people = [str(person) for person in material.people]
    if recipe.split_by == "person":
        return people
    _require_sites(material)
    first: dict[str, str] = {}
    for person, facts in zip(people, material.facts, strict=True):
        first.setdefault(person, facts.site)
    return [first[person] for person in people]


def _people_of_sites(material: Material, recipe: SynthesizeRecipe) -> tuple[Pseudonym, ...]:
    """People of the sites held out: sites in a random order until their people are enough."""
    names = _require_sites(material)
    order = generator("split", "synthesize-sites", recipe.seed).permutation(len(names))
    wanted = recipe.held_out * len(set(material.people))
    out: set[Pseudonym] = set()
    for place in order[:-1]:  # one site at least teaches
        here = {
            person
            for person, facts in zip(material.people, material.facts, strict=True)
            if facts.site == names[place]
        }
        if out and abs(len(out | here) - wanted) > abs(len(out) - wanted):
            continue
        out |= here
    return tuple(sorted(out))


def _require_sites(material: Material) -> list[str]:
    names = sorted({facts.site for facts in material.facts})
    if len(names) < 2:
        raise ModelError(
            f"A split by site needs two sites or more, and the sessions name {len(names)}: "
            f"{names[0] or 'unknown'}.",
            hint="Set synthesize.split_by to person.",
        )
    return names
