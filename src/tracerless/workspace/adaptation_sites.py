"""A scanner that the model never saw, and a few pairs from it: how soon is it at home?"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.evaluate.measures import slope
from tracerless.synthesize import Checkpoint
from tracerless.workspace.adaptation_refits import lesson, over, tuning, with_model
from tracerless.workspace.challenges_outcome import Outcome, knowns, outcome, scored
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.trial import Subject, Trial

N_PAIRS = (0, 5, 10, 20)
"""Pairs of the new scanner that the model is given; each set holds the one before."""
MIN_JUDGED = 8
"""So many people of the scanner are kept to judge by, at least."""
MAX_JUDGED = 40
MIN_LEFT = 20
"""People of other scanners without whom there is nothing to begin with."""
MAX_SITES = 3
_SITE_NUMBER = re.compile(r" site-\d+$")

Line = tuple[str, str, int, float, float, float, float, float, int]
"""A row of table ``adaptation``."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """People of one scanner.

    Args:
        name: of the scanner.
        dataset: that holds their sessions.
        judged: kept to judge by; the same for every number of pairs.
        pool: in the order in which they are given to the model.
    """

    name: str
    dataset: Dataset
    judged: tuple[Subject, ...]
    pool: tuple[Subject, ...]


def site_of(name: str, dataset: Dataset, subjects: Sequence[Subject]) -> Site | None:
    """The site with its people split; None when too few are left to judge by.

    Args:
        name: of the scanner.
        dataset: that holds the sessions.
        subjects: one a session; whole people are split.
    """
    people = sorted({each.person for each in subjects})
    order = [people[i] for i in generator("adaptation", name).permutation(len(people))]
    n_pool = max((n for n in N_PAIRS if len(people) - n >= MIN_JUDGED), default=0)
    if n_pool == 0:
        return None
    pool, judged = order[:n_pool], set(order[n_pool : n_pool + MAX_JUDGED])
    by_person = {each.person: each for each in reversed(subjects)}
    return Site(
        name,
        dataset,
        tuple(each for each in subjects if each.person in judged),
        tuple(by_person[person] for person in pool),
    )


def scanners_to_leave_out(
    facts: Mapping[SessionKey, PersonFacts],
) -> dict[str, frozenset[Pseudonym]]:
    """People of each scanner that can be left out: enough of them, and enough of others.

    Where no single site is large enough, sites of one model of scanner are taken together.
    """
    for name_of in (str, _model_of):
        sites: dict[str, set[Pseudonym]] = {}
        for key, each in facts.items():
            if each.site:
                sites.setdefault(name_of(each.site), set()).add(key.person)
        everyone = {key.person for key in facts}
        able = {
            name: frozenset(people)
            for name, people in sites.items()
            if len(people) >= MIN_JUDGED + N_PAIRS[1] and len(everyone - people) >= MIN_LEFT
        }
        if able:
            largest = sorted(able, key=lambda name: (-len(able[name]), name))[:MAX_SITES]
            return {name: able[name] for name in largest}
    return {}


def lines(trial: Trial, base: Checkpoint, site: Site, *, model: str) -> list[Line]:
    """Rows of table ``adaptation``: the base model, then with more and more pairs of the site.

    Skill is measured against the mean that the base model brought along, so that the rows of a
    site can be compared.

    Args:
        trial: gives template, atlas and recipe.
        base: never saw anyone of the site.
        site: whom it adapts to.
        model: what the table calls it.
    """
    begun = over(trial, base, site.dataset, site.judged)
    found = [_line(begun, site, model, 0)]
    for n in (each for each in N_PAIRS if 0 < each <= len(site.pool)):
        given = lesson(trial, site.dataset, {each.key: each.facts for each in site.pool[:n]})
        adapted = given.learned(tuning(base.recipe), base)
        found.append(_line(with_model(begun, adapted), site, model, n))
    return found


def diagnoses(subjects: Sequence[Subject]) -> str:
    """How many of each, in words."""
    counted = Counter(each.diagnosis or "unknown" for each in subjects)
    return ", ".join(f"{n} {name}" for name, n in sorted(counted.items()))


def _line(trial: Trial, site: Site, model: str, n_adapted: int) -> Line:
    found = [outcome(trial, of, of.session) for of in knowns(trial)]
    skill, low, high, coverage = scored(found, "adaptation", site.name, n_adapted)
    n = len({each.person for each in found})
    return (site.name, model, n_adapted, skill, low, high, _slope(found), coverage, n)


def _slope(outcomes: Sequence[Outcome]) -> float:
    """Of predicted on true deviations from the mean, over people and regions."""
    true = np.concatenate([each.truth - each.mean for each in outcomes])
    made = np.concatenate([each.made - each.mean for each in outcomes])
    return slope(true, made)


def _model_of(site: str) -> str:
    return _SITE_NUMBER.sub("", site)
