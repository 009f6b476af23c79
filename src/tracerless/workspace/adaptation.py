"""Sections that train again: scanners the model never saw, and what covariates are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, TracerlessError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator
from tracerless.workspace.adaptation_refits import (
    refit,
    require_one_model,
    sessions_of,
    source,
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
_N_FLIPS = 4000


@dataclass(frozen=True, slots=True)
class Policy:
    """What a model is allowed to look at: ``settings`` change the recipe."""

    meaning: str
    settings: Mapping[str, str | int] = field(default_factory=dict)


_ALONE: Mapping[str, str | int] = {"network": "none", "objective": "regression", "members": 1}
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
        rows += lines(trial, trial.checkpoint, here)
        notes.append(f"{THIS}: adapted to {diagnoses(here.pool)}.")
    try:
        facts = taught(trial)
    except ModelError as error:
        notes.append(f"No scanner was left out. {error.message} {error.hint}")
    else:
        rows += _scanners(trial, facts, notes, progress)
    if not rows:
        raise ModelError("Nothing could be adapted.", hint=" ".join(notes))
    table = pd.DataFrame(rows, columns=[*TABLES["adaptation"]])
    return {"adaptation": table}, notes + _refusals(table)


def covariate_policy(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Table ``covariate_policy``: the model trained again with age and sex, and with cognition.

    ``skill`` is against the mean of the model evaluated; ``against_images`` is how much of the
    mean's error the policy saves over images alone, ``p`` of a paired sign-flip test over people.

    Raises:
        ModelError: a cross-fitted set, or the people that the model learned from are not at hand.
    """
    require_one_model(trial)
    facts = taught(trial)
    judged, notes = some(trial, N_JUDGED), []
    found: dict[str, list[Outcome]] = {}
    for done, (name, policy) in enumerate(POLICIES.items(), start=1):
        recipe = replace(trial.checkpoint.recipe, **policy.settings)  # type: ignore[arg-type]
        try:
            found[name] = _under(judged, recipe, facts)
        except TracerlessError as error:
            notes.append(f"{name} ({policy.meaning}) could not be trained: {error.message}")
        if progress:
            progress(done, len(POLICIES), f"trained with {policy.meaning}")
    rows = [_policy_row(name, outcomes, found.get(IMAGES)) for name, outcomes in found.items()]
    table = pd.DataFrame(rows, columns=[*TABLES["covariate_policy"]])
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
    for done, (name, people) in enumerate(chosen.items(), start=1):
        site = site_of(name, dataset, _subjects(facts, people))
        others = {key.person for key in facts} - people
        if site is None:
            continue
        base = refit(trial, sessions_of(trial, others), _by_person(facts), dataset=dataset)
        rows += lines(trial, base, site)
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


def _by_person(facts: Mapping[SessionKey, PersonFacts]) -> dict[Pseudonym, PersonFacts]:
    return {key.person: each for key, each in facts.items()}


def _under(
    trial: Trial, recipe: SynthesizeRecipe, facts: Mapping[SessionKey, PersonFacts]
) -> list[Outcome]:
    """What a model of that recipe, trained on the same people, says of everyone."""
    if recipe != trial.checkpoint.recipe:
        made = refit(trial, trial.taught(), _by_person(facts), dataset=source(trial), recipe=recipe)
        trial = with_model(trial, made)
    return [outcome(trial, of, of.session) for of in knowns(trial)]


def _policy_row(
    name: str, outcomes: list[Outcome], images: list[Outcome] | None
) -> tuple[str, float, float, float, float, float]:
    skill, low, high, _ = scored(outcomes, "covariates", name)
    if images is None or name == IMAGES:
        return (name, skill, low, high, 0.0 if name == IMAGES else float("nan"), float("nan"))
    gain, p = paired(outcomes, images)
    return (name, skill, low, high, gain, p)


def paired(outcomes: list[Outcome], images: list[Outcome]) -> tuple[float, float]:
    """(gain of skill over images alone, two-sided p), over sessions that both predicted.

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
    signs = generator("covariates", "flip").choice([-1.0, 1.0], size=(_N_FLIPS, len(gains)))
    as_large = np.abs(signs @ gains) >= abs(gains.sum()) - 1e-12
    return float(gains.sum() / base.sum()), float((1 + as_large.sum()) / (1 + _N_FLIPS))


def _leaks(table: pd.DataFrame) -> list[str]:
    row = table[table["policy"] == "cognition"]
    if not len(row) or not np.isfinite(row["skill"].iloc[0]):
        return []
    return [
        f"Age, sex and MMSE without any MR reach a skill of {row['skill'].iloc[0]:+.2f}: so much "
        "of what a model with cognition knows needs no image, and brings the diagnosis along."
    ]
