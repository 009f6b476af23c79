"""What came of one prediction: errors beside those of the mean, and whether the model spoke."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ContrastError, GeometryError, ModelError, QuantityError
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.evaluate.measures import covered, skill_over_people
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.section import Advance
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.trial import MEAN, Subject, Trial

Row = NDArray[np.float64]
FINE_MM = 3.0
"""On finer grids a third of the people is looked at: a prediction costs ten times as much."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of a subject before anything is changed.

    Args:
        subject: who.
        session: as prepared.
        truth: (R,) acquired SUVR by region.
        mean: (R,) what the training mean says.
    """

    subject: Subject
    session: Prepared
    truth: Row
    mean: Row


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Of one session.

    Args:
        person: whose.
        truth, mean: (R,) SUVR.
        made: (R,) SUVR; NaN when refused.
        half_widths: (R,) SUVR of the intervals; NaN where there are none.
        refused: the model gave no prediction.
        flagged: the scans are rarer than 1 in 20 training people; None when it cannot tell.
    """

    person: str
    truth: Row
    mean: Row
    made: Row
    half_widths: Row
    refused: bool
    flagged: bool | None


def known(trial: Trial, subject: Subject) -> Known:
    """The subject as prepared.

    Raises:
        ModelError: the session failed quality control.
    """
    session = trial.prepared(subject)
    truth = trial.regions(trial.truth(session))
    mean = trial.regions(trial.predict(subject, by=MEAN).volume)
    return Known(subject, session, truth, mean)


def knowns(trial: Trial, progress: Advance | None = None, what: str = "") -> Iterator[Known]:
    """Each subject of whom there is any MR to look at, as prepared.

    Args:
        trial: whose subjects.
        progress: told after each of them.
        what: is done with them, in words.
    """
    for done, subject in enumerate(trial.subjects, start=1):
        if has_mr(trial.dataset, subject.key):
            yield known(trial, subject)
        if progress:
            progress(done, len(trial.subjects), what)


def has_mr(dataset: Dataset, key: SessionKey) -> bool:
    """Whether a prepared session holds anything that a synthesizer looks at."""
    record = SessionShelf(dataset, key).record("prepared") or {}
    return bool(set(MR_INPUTS) & {Contrast(c) for c in record.get("contrasts", ())})


def outcome(trial: Trial, of: Known, session: Prepared) -> Outcome:
    """What the model says of the subject's session, or of one made from it."""
    unknown = np.full(len(of.truth), np.nan)
    frame = (str(of.subject.person), of.truth, of.mean)
    try:
        made = trial.predict(of.subject, session)
    except (ContrastError, GeometryError, ModelError, QuantityError):
        return Outcome(*frame, unknown, unknown, refused=True, flagged=None)
    widths = np.array([made.half_widths.get(key, np.nan) for key in trial.atlas.keys])
    return Outcome(
        *frame, trial.regions(made.volume), widths, refused=False, flagged=is_flagged(made)
    )


def is_flagged(made: Prediction) -> bool | None:
    """Whether the model doubts that it may speak of these scans; None when it cannot tell."""
    return None if made.reach is None else made.reach.verdict != "inside"


def flagged_share(outcomes: Sequence[Outcome]) -> float:
    """How many of all sessions were predicted and flagged; NaN when the model cannot tell."""
    spoken = [each for each in outcomes if not each.refused]
    if not outcomes or (spoken and all(each.flagged is None for each in spoken)):
        return float("nan")
    return sum(bool(each.flagged) for each in spoken) / len(outcomes)


def refused_share(outcomes: Sequence[Outcome]) -> float:
    """How many sessions were refused."""
    return float(np.mean([each.refused for each in outcomes])) if outcomes else float("nan")


def scored(outcomes: Sequence[Outcome], *seed: str | int) -> tuple[float, float, float, float]:
    """(skill against the training mean, low, high, coverage) over what was not refused.

    Args:
        outcomes: one a session.
        *seed: names the resampling of people.
    """
    made = [each for each in outcomes if not each.refused]
    if not made:
        return (float("nan"),) * 4
    truth, mean, found, widths = (
        np.stack([getattr(each, name) for each in made])
        for name in ("truth", "mean", "made", "half_widths")
    )
    error, base = np.abs(truth - found), np.abs(truth - mean)
    gone = np.isnan(error) | np.isnan(base)
    error[gone], base[gone] = np.nan, np.nan
    people = np.array([each.person for each in made])
    skill = skill_over_people(error, base, people, *seed)
    return skill.value, skill.low, skill.high, covered(truth, found, widths)[0]


def some(trial: Trial, n: int) -> Trial:
    """The trial over at most ``n`` subjects of all diagnoses, fewer on a fine grid."""
    fine = min(trial.atlas.grid.spacing_mm) < FINE_MM
    return trial.limited(max(n // 3, 1) if fine else n)
