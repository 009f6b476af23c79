"""Section ``ablation``: linear maps that never saw another contrast, from the same people.

Hiding a contrast at prediction asks what a model does without it; training without it asks what
the contrast is worth at all. The linear map is solved, so that this costs minutes and no seed.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless import synthesize
from tracerless.core.volume import Contrast
from tracerless.evaluate.inputs import ALONE, inputs_table
from tracerless.evaluate.panel import UNKNOWN, Panel
from tracerless.synthesize.calibration import subset_key, subsets
from tracerless.synthesize.predict import Synthesizer
from tracerless.workspace import suite_people as people
from tracerless.workspace.adaptation_refits import (
    N_TAUGHT,
    from_the_start,
    lesson,
    require_one_model,
    source,
    taught,
)
from tracerless.workspace.section import Advance
from tracerless.workspace.trial import LINEAR, MEAN, Trial


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
    given = lesson(trial, source(trial), taught(trial))
    sets = [each for each in subsets() if set(each) <= set(trial.checkpoint.inputs)]
    cells = {}
    recipe = from_the_start(trial.checkpoint.recipe, network="ridge", covariates="none")
    for at, chosen in enumerate(sets):
        made = given.showing(chosen).learned(recipe)
        ready = synthesize.synthesizer(made, trial.template, trial.atlas)
        cells[subset_key(chosen)] = _predicted(trial, ready, chosen)
        if progress is not None:
            progress(at + 1, len(sets), subset_key(chosen))
    laid = _panel(trial, cells)
    fullest = subset_key(sets[0])
    table = inputs_table(laid, mean=MEAN, fullest=fullest, who=LINEAR, how=ALONE)
    notes = []
    if len(given.material.people) == N_TAUGHT:
        notes.append(f"Maps of single sets were solved on {N_TAUGHT} training sessions.")
    return {"inputs": table}, notes


def _panel(trial: Trial, cells: Mapping[str, NDArray[np.float64]]) -> Panel:
    """Truth, mean, and what the maps say."""
    truths = (trial.truth(trial.prepared(each)) for each in trial.subjects)
    means = (trial.predict(each, by=MEAN).volume for each in trial.subjects)
    return Panel(
        regions=trial.atlas.keys,
        people=tuple(str(each.person) for each in trial.subjects),
        groups=tuple(each.diagnosis or UNKNOWN for each in trial.subjects),
        truth=np.stack([trial.regions(volume) for volume in truths]),
        predicted={MEAN: np.stack([trial.regions(volume) for volume in means]), **cells},
        half_widths={},
    )


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
