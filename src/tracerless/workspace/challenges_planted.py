"""Losses planted into people without disease: what comes back of them."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import ContrastError, ModelError, QuantityError
from tracerless.core.volume import MR_INPUTS, Contrast, Volume
from tracerless.evaluate.planted import CORRELATES, LOSSES, mask_of, places, planted
from tracerless.evaluate.planted_rates import (
    MIN_CONTROLS,
    Controls,
    Planting,
    dose_response,
    false_normal,
    recovery_slope,
)
from tracerless.workspace.challenges_outcome import has_mr
from tracerless.workspace.section import Advance
from tracerless.workspace.trial import Subject, Trial

Places = Mapping[str, tuple[str, ...]]
"""Regions by the name of a place."""
MIN_PLANTED = 3
"""With fewer controls the losses are planted into everyone."""


def planted_tables(
    trial: Trial, *, n_people: int, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Table ``planted``: recovery by correlate, region and loss, and the false-normal rate.

    Args:
        trial: whose subjects; those without disease are planted into, and all of these say what is
            low.
        n_people: at most so many are planted into.
        progress: told after each of them.

    Raises:
        ModelError: the model predicts nobody here.
    """
    able = [each for each in trial.subjects if has_mr(trial.dataset, each.key)]
    well = [each for each in able if each.diagnosis == Diagnosis.CN]
    chosen = well if len(well) >= MIN_PLANTED else able
    where = places(trial.atlas)
    controls = _controls(trial, well, where)
    rows: list[Planting] = []
    for done, subject in enumerate(chosen[:n_people], start=1):
        rows += _plantings(trial, subject, where)
        if progress:
            progress(done, min(n_people, len(chosen)), "planted losses")
    if not rows:
        raise ModelError("The model predicts none of the sessions that losses are planted into.")
    notes = _notes(rows, controls, is_well=chosen is well)
    return {"planted": dose_response(trial.name, rows, controls)}, notes


def _controls(trial: Trial, well: list[Subject], where: Places) -> Controls:
    people, truth, made = [], [], []
    for subject in well:
        try:
            found = _means(trial, trial.predict(subject).volume, where)
        except (ContrastError, ModelError, QuantityError):
            continue
        people.append(str(subject.person))
        truth.append(_means(trial, trial.prepared(subject).require(Contrast.FDG), where))
        made.append(found)
    by_place = [
        {name: np.array([each[name] for each in rows]) for name in where} for rows in (truth, made)
    ]
    return Controls(tuple(people), *by_place)


def _means(trial: Trial, volume: Volume, where: Places) -> dict[str, float]:
    """SUVR by place: the mean over its regions."""
    found = dict(zip(trial.atlas.keys, trial.regions(volume), strict=True))
    return {name: float(np.mean([found[key] for key in keys])) for name, keys in where.items()}


def _plantings(trial: Trial, subject: Subject, where: Places) -> Iterator[Planting]:
    """Every loss in one person; nothing where the model refuses the session as it is."""
    session = trial.prepared(subject)
    try:
        made_before = _means(trial, trial.predict(subject, session).volume, where)
    except (ContrastError, ModelError, QuantityError):
        return
    truth_before = _means(trial, session.require(Contrast.FDG), where)
    for name, keys in where.items():
        mask = mask_of(trial.atlas, *keys)
        for correlate in CORRELATES:
            for loss in LOSSES:
                ill = planted(session, mask, loss, correlate=correlate, template=trial.template)
                shows = any(ill.volumes.get(c) is not session.volumes.get(c) for c in MR_INPUTS)
                made = (
                    _means(trial, trial.predict(subject, ill).volume, where)
                    if shows
                    else made_before
                )
                truth = _means(trial, ill.require(Contrast.FDG), where)
                values = (truth[name], truth_before[name], made[name], made_before[name])
                yield Planting(str(subject.person), correlate, name, loss, *values)


def _notes(rows: list[Planting], controls: Controls, *, is_well: bool) -> list[str]:
    notes = []
    for correlate, meaning in CORRELATES.items():
        mine = [row for row in rows if row.correlate == correlate]
        shares = [
            f"{recovery_slope([row for row in mine if row.region == name]):.0%} in {name}"
            for name in dict.fromkeys(row.region for row in mine)
        ]
        notes.append(f"Of a planted loss this comes back when {meaning}: {', '.join(shares)}.")
    missed = false_normal([row for row in rows if row.correlate != "none"], controls)
    if np.isfinite(missed):
        notes.append(
            f"Of planted losses that MR shows and the acquired PET calls low, {missed:.0%} read as "
            "normal in the synthetic PET."
        )
    if not is_well:
        notes.append("Too few people without disease: losses were planted into everyone.")
    if len(controls.people) <= MIN_CONTROLS:
        notes.append(
            f"{len(controls.people)} controls are too few to say which planted region reads as "
            f"normal; {MIN_CONTROLS + 1} are needed."
        )
    return notes
