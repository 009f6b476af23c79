"""Sections that train again: scanners the model never saw, and what covariates are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, TracerlessError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.evaluate.paired import holm, over_people, sign_flip_p
from tracerless.workspace.adaptation_refits import (
    from_the_start,
    lesson,
    require_one_model,
    said_of_stand_in,
    source,
    stands_in,
    taught,
    with_model,
)
from tracerless.workspace.adaptation_sites import (
    Line,
    diagnoses,
    lines,
    scanners_to_leave_out,
    site_of,
)
from tracerless.workspace.challenges_outcome import (
    Outcome,
    has_mr,
    knowns,
    outcome,
    scored,
    some,
)
from tracerless.workspace.section import Advance, Found
from tracerless.workspace.trial import Subject, Trial

THIS = "this dataset"
"""Row of the people evaluated, as a site that the model never saw."""
IMAGES = "images"
N_JUDGED = 60
"""People who judge covariate policies, at most."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a model is allowed to look at: ``settings`` change the recipe."""

    meaning: str
    settings: Mapping[str, str | int] = field(default_factory=dict)


_ALONE: Mapping[str, str | int] = {"network": "none"}
POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        IMAGES: Policy("MR alone", {"covariates": "none"}),
        "images+age-sex": Policy("MR, age and sex", {"covariates": "age-sex"}),
        "images+cognition": Policy("MR, age, sex and MMSE", {"covariates": "cognition"}),
        "age-sex": Policy("age and sex, no MR", {**_ALONE, "covariates": "age-sex"}),
        "cognition": Policy("age, sex and MMSE, no MR", {**_ALONE, "covariates": "cognition"}),
    }
)


def adaptation(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Table ``adaptation``: the people evaluated as a new site, and each scanner left out in turn.

    Raises:
        ModelError: a cross-fitted set, or too few people.
    """
    require_one_model(trial)
    rows: list[Line] = []
    notes: list[str] = []
    able = [each for each in trial.subjects if has_mr(trial.dataset, each.key)]
    here = site_of(THIS, trial.dataset, able)
    if here is None:
        notes.append("Too few people were evaluated to adapt to some and judge by others.")
    else:
        rows += lines(trial, trial.checkpoint, here, model=trial.name)
        notes.append(f"{THIS}: adapted to {diagnoses(here.pool)}.")
    try:
        facts = taught(trial)
    except ModelError as error:
        notes.append(f"No scanner was left out. {error.message} {error.hint}")
    else:
        found = _scanners(trial, facts, notes, progress)
        notes += said_of_stand_in(trial) if found else []
        rows += found
    if not rows:
        raise ModelError("Nothing could be adapted.", hint=" ".join(notes))
    table = pd.DataFrame(rows, columns=[*TABLES["adaptation"]])
    return {"adaptation": table}, notes + _refusals(table)


def covariate_policy(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Table ``covariate_policy``: the model trained again with age and sex, and with cognition.

    ``skill`` is against the mean of the model evaluated; ``against_images`` is how much of the
    mean's error the policy saves over images alone, ``p`` of a paired sign-flip test over people,
    adjusted for the number of policies (Holm).

    Raises:
        ModelError: a cross-fitted set, or the people that the model learned from are not at hand.
    """
    require_one_model(trial)
    facts = taught(trial)
    judged, notes = some(trial, N_JUDGED), said_of_stand_in(trial)
    given = lesson(trial, source(trial), facts)
    found: dict[str, list[Outcome]] = {}
    for done, (name, policy) in enumerate(POLICIES.items(), start=1):
        recipe = from_the_start(trial.checkpoint.recipe, **policy.settings)
        try:
            made = with_model(judged, given.learned(recipe))
        except TracerlessError as error:
            notes.append(f"{name} ({policy.meaning}) could not be trained: {error.message}")
        else:
            found[name] = [outcome(made, of, of.session) for of in knowns(made)]
        if progress:
            progress(done, len(POLICIES), f"trained with {policy.meaning}")
    table = policy_table(found, stands_in(trial))
    return {"covariate_policy": table}, notes + _leaks(table)


def _scanners(
    trial: Trial,
    facts: Mapping[SessionKey, PersonFacts],
    notes: list[str],
    progress: Advance | None,
) -> list[Line]:
    """Each scanner of the training people left out, and adapted to."""
    chosen = scanners_to_leave_out(facts)
    if not chosen:
        notes.append("No scanner of the training people has enough people of its own and others.")
    dataset, rows = source(trial), []
    everyone = lesson(trial, dataset, facts) if chosen else None
    for done, (name, people) in enumerate(chosen.items(), start=1):
        site = site_of(name, dataset, _subjects(facts, people))
        if site is not None and everyone is not None:
            base = everyone.without(people).learned(from_the_start(trial.checkpoint.recipe))
            rows += lines(trial, base, site, model=stands_in(trial))
        if progress:
            progress(done, len(chosen), "scanner left out")
    return rows


def _refusals(table: pd.DataFrame) -> list[str]:
    return [
        f"Adapted to {row['n_adapted']} pairs of {row['site']}, the model refuses all {row['n']} "
        "people: so few pairs do not show that it beats what is expected there."
        for _, row in table[table["skill"].isna()].iterrows()
    ]


def _subjects(
    facts: Mapping[SessionKey, PersonFacts], people: frozenset[Pseudonym]
) -> list[Subject]:
    mine = {key: each for key, each in facts.items() if key.person in people}
    return [Subject(key, each.diagnosis, each) for key, each in sorted(mine.items())]


def policy_table(found: Mapping[str, list[Outcome]], model: str) -> pd.DataFrame:
    """Table ``covariate_policy`` from what the model of each policy said of the same people.

    Args:
        found: by policy, one outcome a session; `IMAGES` is what the others are held against.
        model: what the table calls what was trained.
    """
    nan = float("nan")
    gains = {
        name: (0.0 if name == IMAGES else nan, nan)
        if name == IMAGES or IMAGES not in found
        else paired(outcomes, found[IMAGES])
        for name, outcomes in found.items()
    }
    adjusted = holm([p for _, p in gains.values()])
    rows = []
    for (name, outcomes), p in zip(found.items(), adjusted, strict=True):
        skill, low, high, _ = scored(outcomes, "covariates", name)
        n = len({each.person for each in outcomes if not each.refused})
        who = name if name in _NO_MR else model
        rows.append((name, who, skill, low, high, gains[name][0], p, n))
    return pd.DataFrame(rows, columns=[*TABLES["covariate_policy"]])


_NO_MR = {name for name, policy in POLICIES.items() if policy.settings.get("network") == "none"}


def paired(outcomes: list[Outcome], images: list[Outcome]) -> tuple[float, float]:
    """(gain of skill over images alone, two-sided p over people), where both predicted.

    Args:
        outcomes: of the policy, one a session.
        images: of the same sessions from images alone.
    """
    both = [(a, b) for a, b in zip(outcomes, images, strict=True) if not (a.refused or b.refused)]
    if not both:
        return float("nan"), float("nan")
    gains = np.array(
        [np.nanmean(np.abs(b.truth - b.made) - np.abs(a.truth - a.made)) for a, b in both]
    )
    base = np.array([np.nanmean(np.abs(b.truth - b.mean)) for _, b in both])
    people = [a.person for a, _ in both]
    of_people, of_mean = over_people(gains, people), over_people(base, people)
    p = sign_flip_p(of_people, "covariates")
    return float(of_people.sum() / of_mean.sum()), p


def _leaks(table: pd.DataFrame) -> list[str]:
    row = table[table["policy"] == "cognition"]
    if not len(row) or not np.isfinite(row["skill"].iloc[0]):
        return []
    return [
        f"Age, sex and MMSE without any MR reach a skill of {row['skill'].iloc[0]:+.2f}: so much "
        "of what a model with cognition knows needs no image, and brings the diagnosis along."
    ]
