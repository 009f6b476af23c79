"""What each contrast is worth: the same people predicted from every set of inputs."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.evaluate.agreement import skill_draws
from tracerless.evaluate.paired import holm, over_people, sign_flip_p
from tracerless.evaluate.panel import Panel, draws

HIDDEN, ALONE, REFUSED = "hidden at prediction", "trained on these alone", "refused"
"""How a set of inputs came about: the model was shown no more; a model never saw any other; the
model refused to speak from it."""


def inputs_table(
    panel: Panel, *, mean: str, fullest: str, who: str, how: str = HIDDEN
) -> pd.DataFrame:
    """Skill from every set of inputs, and what it is less than that of the fullest.

    Args:
        panel: ``predicted`` by set of inputs, and under ``mean`` the training mean. A set that
            nobody was predicted from was refused.
        mean: name of the training mean among them.
        fullest: the set that others are held against, in the people predicted from both.
        who: what the table calls the model.
        how: the sets came about.

    Returns:
        ``less_than_all`` is the loss of skill in those people; ``p`` that the error is the same
        (random signs over people), adjusted for the number of sets (Holm).
    """
    sets = [name for name in panel.predicted if name != mean]
    rows = {name: _row(panel, name, mean=mean, fullest=fullest) for name in sets}
    others = [name for name in sets if name != fullest]
    adjusted = dict(zip(others, holm([rows[name][-1] for name in others]), strict=True))
    table = [
        (
            who,
            name,
            how if _seen(panel, name).any() else REFUSED,
            *row[:-1],
            adjusted.get(name, float("nan")),
        )
        for name, row in rows.items()
    ]
    return pd.DataFrame(table, columns=[*TABLES["inputs"]])


def _row(
    panel: Panel, name: str, *, mean: str, fullest: str
) -> tuple[float, float, float, float, float]:
    """(skill, low, high, less than all, p)."""
    if not _seen(panel, name).any():
        nan = float("nan")
        return nan, nan, nan, nan, nan
    able = panel.rows(_seen(panel, name))
    drawn = draws(able.people, "inputs", name)
    value, low, high = drawn.interval(skill_draws(able, name, mean, drawn))
    if name == fullest or not _seen(able, fullest).any():
        return value, low, high, 0.0 if name == fullest else float("nan"), float("nan")
    both = able.rows(_seen(able, fullest))
    once = draws(both.people, "inputs", n_draws=1)
    skills = [float(skill_draws(both, each, mean, once)[0]) for each in (fullest, name)]
    errors = [np.abs(both.predicted[each] - both.truth) for each in (name, fullest)]
    known = np.isfinite(errors[0]) & np.isfinite(errors[1])
    gap = np.where(known, errors[0] - errors[1], 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    p = sign_flip_p(over_people(gap, both.people), "inputs", name)
    return value, low, high, skills[0] - skills[1], p


def _seen(panel: Panel, name: str) -> NDArray[np.bool_]:
    """(N,) sessions that were predicted from the set."""
    return np.asarray(np.isfinite(panel.predicted[name]).any(axis=1), dtype=np.bool_)
