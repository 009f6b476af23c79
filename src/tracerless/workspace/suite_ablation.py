"""Section ``ablation``: linear maps that never saw another contrast, from the same people.

Hiding a contrast at prediction asks what a model does without it; training without it asks what
the contrast is worth at all. The linear map is solved, so that this costs minutes and no seed.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless import synthesize
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.evaluate.inputs import ALONE, inputs_table
from tracerless.evaluate.panel import UNKNOWN, Panel
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.calibration import subset_key, subsets
from tracerless.synthesize.predict import Synthesizer
from tracerless.workspace import suite_people as people
from tracerless.workspace.adaptation_refits import refit, require_one_model, source, taught
from tracerless.workspace.section import Advance
from tracerless.workspace.trial import LINEAR, MEAN, Trial

N_TAUGHT = 200
"""Training sessions at most, those that come first; each map is solved on all of them."""


def ablation(
    trial: Trial, *, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Skill of a linear map from every set of inputs, trained on that set alone.

    Args:
        trial: with the people that its model learned from at hand.
        progress: told of every set.

    Raises:
        ModelError: training people are not at hand, or the set is cross-fitted.
    """
    require_one_model(trial)
    facts = {key.person: each for key, each in taught(trial).items()}
    sets = [each for each in subsets() if set(each) <= set(trial.checkpoint.inputs)]
    cells, recipe = {}, _linear(trial)
    for at, chosen in enumerate(sets):
        made = refit(trial, _only(trial, chosen), facts, dataset=source(trial), recipe=recipe)
        cells[subset_key(chosen)] = _predicted(trial, _ready(trial, made), chosen)
        if progress is not None:
            progress(at + 1, len(sets), subset_key(chosen))
    laid = _panel(trial, cells)
    fullest = subset_key(sets[0])
    table = inputs_table(laid, mean=MEAN, fullest=fullest, who=LINEAR, how=ALONE)
    notes = []
    if len(facts) > N_TAUGHT:
        notes.append(f"Maps of single sets were solved on {N_TAUGHT} training sessions.")
    return {"inputs": table}, notes


def _linear(trial: Trial) -> SynthesizeRecipe:
    """The model's recipe with a linear map in place of its network."""
    return replace(
        trial.checkpoint.recipe,
        network="ridge",
        objective="regression",
        covariates="none",
        members=1,
    )


def _panel(trial: Trial, cells: Mapping[str, NDArray[np.float64]]) -> Panel:
    """Truth, mean, and what the maps say."""
    truths = (trial.prepared(each).require(Contrast.FDG) for each in trial.subjects)
    means = (trial.predict(each, by=MEAN).volume for each in trial.subjects)
    return Panel(
        regions=trial.atlas.keys,
        people=tuple(str(each.person) for each in trial.subjects),
        groups=tuple(each.diagnosis or UNKNOWN for each in trial.subjects),
        truth=np.stack([trial.regions(volume) for volume in truths]),
        predicted={MEAN: np.stack([trial.regions(volume) for volume in means]), **cells},
        half_widths={},
    )


def _only(trial: Trial, chosen: tuple[Contrast, ...]) -> Iterator[Prepared]:
    """Training sessions with no other MR than that; those that lack all of it are left out."""
    for session in itertools.islice(trial.taught(), N_TAUGHT):
        kept = {c: v for c, v in session.volumes.items() if c not in MR_INPUTS or c in chosen}
        if any(contrast in kept for contrast in chosen):
            yield replace(session, volumes=kept)


def _ready(trial: Trial, made: Checkpoint) -> Synthesizer:
    return synthesize.synthesizer(made, trial.template, trial.atlas)


def _predicted(
    trial: Trial, made: Synthesizer, chosen: tuple[Contrast, ...]
) -> NDArray[np.float64]:
    rows = []
    for subject in trial.subjects:
        prepared = trial.prepared(subject)
        means: NDArray[np.float64] = np.full(len(trial.atlas.keys), np.nan)
        if set(chosen) <= set(prepared.volumes):
            try:
                volume = made.predict(prepared, chosen, person=subject.facts).volume
                means = trial.regions(volume)
            except people.REFUSALS:
                pass
        rows.append(means)
    return np.stack(rows)
