"""Section ``inputs``: what each contrast is worth to the model, in the same people."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.volume import Contrast
from tracerless.evaluate.inputs import inputs_table
from tracerless.evaluate.panel import UNKNOWN, Panel
from tracerless.synthesize.calibration import subset_key, subsets
from tracerless.workspace import suite_people as people
from tracerless.workspace.section import Advance
from tracerless.workspace.suite_regions import RECORDS
from tracerless.workspace.trial import LINEAR, MEAN, MODEL, Subject, Trial

N_ASKED = 80
"""People at most who are predicted from every set, taken in turn from every diagnosis."""


def inputs(
    trial: Trial, *, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Skill from every set of inputs; a contrast is hidden at prediction.

    Args:
        trial: model, rivals and people.
        progress: told of every person.
    """
    whole, trial = len(trial.subjects), trial.limited(N_ASKED)
    records = []
    for at, subject in enumerate(trial.subjects):
        records.append(
            people.kept(
                trial.folder / RECORDS,
                f"{subject.key}_inputs",
                people.person_digest_of(trial, subject, "inputs"),
                lambda subject=subject: _predicted(trial, subject),  # type: ignore[misc]
            )
        )
        if progress is not None:
            progress(at + 1, len(trial.subjects), str(subject.key))
    tables, notes = [], []
    if len(trial.subjects) < whole:
        notes.append(f"Sets of inputs were compared in {len(trial.subjects)} of {whole} sessions.")
    for by in _asked(trial):
        laid = _panel(trial, records, by)
        fullest = _fullest(laid)
        if not fullest:
            notes.append(f"{trial.called(by)} spoke from no set of inputs at all.")
            continue
        tables.append(inputs_table(laid, mean=MEAN, fullest=fullest, who=trial.called(by)))
        notes += _missing(laid, trial.called(by))
    found = {"inputs": pd.concat(tables, ignore_index=True)} if tables else {}
    return found, notes


def _asked(trial: Trial) -> tuple[str, ...]:
    return tuple(by for by in (MODEL, LINEAR) if by in trial.by)


def _predicted(trial: Trial, subject: Subject) -> people.Record:
    """(R,) of truth, mean, and each set by who predicts; NaN where it is refused or not there."""
    prepared = trial.prepared(subject)
    mean = trial.predict(subject, prepared, by=MEAN)
    record = {
        people.TRUTH: trial.regions(trial.truth(prepared)),
        MEAN: trial.regions(mean.volume),
    }
    for by in _asked(trial):
        for chosen in _sets(trial):
            means: NDArray[np.float64] = np.full(len(trial.atlas.keys), np.nan)
            if set(chosen) <= set(prepared.volumes):
                try:
                    made = trial.predict(subject, prepared, inputs=chosen, by=by)
                    means = trial.regions(made.volume)
                except people.REFUSALS:
                    pass
            record[f"{by}|{subset_key(chosen)}"] = means
    return record


def _sets(trial: Trial) -> tuple[tuple[Contrast, ...], ...]:
    """Those of contrasts that the model knows, the fullest first."""
    known = set(trial.checkpoint.inputs)
    return tuple(each for each in subsets() if set(each) <= known)


def _panel(trial: Trial, records: list[people.Record], by: str) -> Panel:
    def cells(name: str) -> NDArray[np.float64]:
        return np.stack([record[name] for record in records])

    sets = {subset_key(each): cells(f"{by}|{subset_key(each)}") for each in _sets(trial)}
    return Panel(
        regions=trial.atlas.keys,
        people=tuple(str(each.person) for each in trial.subjects),
        groups=tuple(each.diagnosis or UNKNOWN for each in trial.subjects),
        truth=cells(people.TRUTH),
        predicted={MEAN: cells(MEAN), **sets},
        half_widths={},
    )


def _fullest(laid: Panel) -> str:
    """The first set, from the fullest on, that anybody was predicted from."""
    able = (k for k, v in laid.predicted.items() if k != MEAN and np.isfinite(v).any())
    return next(able, "")


def _missing(laid: Panel, who: str) -> list[str]:
    sets = {k: int(np.isfinite(v).any(axis=1).sum()) for k, v in laid.predicted.items()}
    refused = [name for name, n in sets.items() if n == 0]
    few = [f"{name} ({n})" for name, n in sets.items() if 0 < n < len(laid.people)]
    notes = []
    if refused:
        notes.append(f"{who} refuses to speak from {', '.join(refused)}, or nobody has it.")
    if few:
        all_n = len(laid.people)
        notes.append(f"{who}: fewer than all {all_n} sessions predicted from {', '.join(few)}.")
    return notes
