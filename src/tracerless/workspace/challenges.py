"""Sections of the evaluation that make a model's life hard: planted losses, stress, strange heads.

Each is given a trial and hands back tables (`core.assessment.TABLES`) and sentences.
"""

from tracerless.workspace.challenges_outcome import some
from tracerless.workspace.challenges_planted import planted_tables
from tracerless.workspace.challenges_stress import strange_tables, stress_tables
from tracerless.workspace.section import Advance, Found
from tracerless.workspace.trial import Trial

N_STRESSED = 24
N_STRANGE = 24
N_PLANTED = 12
"""People that each section changes, at most; a third of them on grids finer than 3 mm."""


def planted_lesions(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Planted hypometabolism of 5-40 %, with and without a sign of it in MR.

    Raises:
        ModelError: the model predicts nobody here.
    """
    n_people = len(some(trial, N_PLANTED).subjects)
    return planted_tables(trial, n_people=n_people, progress=progress)


def stress(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Motion, noise, few pairs, late label, short delay, misalignment, lost tissue, blur."""
    return stress_tables(some(trial, N_STRESSED), progress)


def strange_heads(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Stroke, tumor, resection, wrong series, other units: flagged or refused, and how often."""
    return strange_tables(some(trial, N_STRANGE), progress)
