"""Sessions made worse, or made strange: what the model still knows, doubts and refuses."""

import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.core.session import Prepared
from tracerless.evaluate.strange import STRANGE, can_be, strange_head
from tracerless.evaluate.stress import STRESSES, stressed
from tracerless.workspace.challenges_outcome import (
    Outcome,
    flagged_share,
    knowns,
    outcome,
    refused_share,
    scored,
)
from tracerless.workspace.section import Advance
from tracerless.workspace.trial import Trial

AS_ACQUIRED = "none"
"""Row of the sessions as they are: what the others are compared with."""
MUST_NOT_PASS = 0.9
"""Share of strange heads that should be flagged or refused."""


def stress_tables(
    trial: Trial, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Table ``stress``: every artifact at every level, beside the sessions as they are.

    Args:
        trial: whose subjects; everyone is changed.
        progress: told after each subject.
    """
    found: dict[tuple[str, float], list[Outcome]] = {(AS_ACQUIRED, 0.0): []}
    for name, each in STRESSES.items():
        found |= {(name, level): [] for level in each.levels}
    for of in knowns(trial, progress, "stress"):
        for (name, level), outcomes in found.items():
            if name == AS_ACQUIRED:
                outcomes.append(outcome(trial, of, of.session))
            elif _touches(trial, of.session, name):
                worse = stressed(of.session, name, level, trial.template)
                outcomes.append(outcome(trial, of, worse))
    rows = [
        _stress_row(trial.name, name, level, outcomes)
        for (name, level), outcomes in found.items()
        if outcomes
    ]
    table = pd.DataFrame(rows, columns=[*TABLES["stress"]])
    return {"stress": table}, _stress_notes(table)


def strange_tables(
    trial: Trial, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Table ``strange``: every case made of every subject, beside the subjects as they are.

    ``flagged`` is the share of all sessions, refused ones not among them; a good model has flagged
    and refused together near 1 in every case, and near .05 in the row ``none``.

    Args:
        trial: whose subjects.
        progress: told after each subject.
    """
    found: dict[str, list[Outcome]] = {case: [] for case in (AS_ACQUIRED, *STRANGE)}
    for of in knowns(trial, progress, "strange heads"):
        for case, outcomes in found.items():
            if case == AS_ACQUIRED:
                outcomes.append(outcome(trial, of, of.session))
            elif can_be(of.session, case):
                outcomes.append(outcome(trial, of, strange_head(of.session, case, trial.template)))
    rows = [
        (trial.name, case, len(outcomes), flagged_share(outcomes), refused_share(outcomes))
        for case, outcomes in found.items()
        if outcomes
    ]
    table = pd.DataFrame(rows, columns=[*TABLES["strange"]])
    return {"strange": table}, _strange_notes(table)


def _touches(trial: Trial, session: Prepared, name: str) -> bool:
    """Whether the artifact changes something that the session has and the model looks at."""
    looked_at = set(trial.checkpoint.inputs) & set(session.volumes)
    return bool(looked_at & set(STRESSES[name].contrasts))


def _stress_row(
    model: str, name: str, level: float, outcomes: list[Outcome]
) -> tuple[str | float, ...]:
    skill, low, high, coverage = scored(outcomes, "stress", name, str(level))
    n = len({each.person for each in outcomes})
    flagged, refused = flagged_share(outcomes), refused_share(outcomes)
    return (model, name, level, n, skill, low, high, coverage, flagged, refused)


def _stress_notes(table: pd.DataFrame) -> list[str]:
    """The artifacts that bring the model below the mean without being flagged."""
    silent = table[(table["skill"] < 0) & ~(table["flagged"] + table["refused"] >= MUST_NOT_PASS)]
    first = silent.drop_duplicates("stress")
    return [
        f"Under {row['stress']} of {row['level']:g} {STRESSES[row['stress']].unit} "
        f"({STRESSES[row['stress']].meaning}) the model does worse than the mean "
        f"(skill {row['skill']:+.2f}), and not all of these sessions are flagged."
        for _, row in first.iterrows()
        if row["stress"] in STRESSES
    ]


def _strange_notes(table: pd.DataFrame) -> list[str]:
    caught = table["flagged"].fillna(0) + table["refused"]
    notes = [
        f"{row['case']} ({STRANGE[row['case']].meaning}): only {share:.0%} of {row['n']} sessions "
        "are flagged or refused."
        for (_, row), share in zip(table.iterrows(), caught, strict=True)
        if row["case"] in STRANGE and share < MUST_NOT_PASS
    ]
    usual = table[table["case"] == AS_ACQUIRED]
    if table["flagged"].isna().all():
        notes.append("This model cannot tell scans that are unlike its training people.")
    elif len(usual):
        notes.append(f"Of people as they are, {usual['flagged'].iloc[0]:.0%} are flagged.")
    return notes
