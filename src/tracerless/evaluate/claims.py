"""What may be claimed of diagnosis from synthetic PET: one sentence, made by the statistics.

Exactly one of three. ``not worse than acquired``: the area under the curve lies within the margin
of that of acquired PET, and both are shown to tell more than age, sex and schooling (else equality
would mean nothing). ``better than MR only``: it lies above that of everything that MR itself says,
each arm of it. ``neither``. All bounds are two-sided 95 % intervals of paired differences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tracerless.core.assessment import TABLES
from tracerless.core.errors import ModelError
from tracerless.evaluate.claims_evidence import (
    ACQUIRED,
    DEMOGRAPHICS,
    MR_ONLY,
    SYNTHETIC,
    Diagnosed,
    Pair,
    Verdict,
    is_sensitive,
    needed,
    people_needed,
)
from tracerless.evaluate.claims_words import sentence
from tracerless.statistics.resampling import Interval

__all__ = [
    "ACQUIRED",
    "DEMOGRAPHICS",
    "MARGIN",
    "MR_ONLY",
    "SYNTHETIC",
    "Claim",
    "Diagnosed",
    "Pair",
    "Verdict",
    "claim",
    "claims_table",
    "needed",
    "people_needed",
]

MARGIN = 0.05
"""Area that may be lost against acquired PET."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim with its numbers.

    Args:
        task: the classes.
        verdict: which of the three.
        difference: what it rests on: synthetic less acquired, or less the hardest arm of MR.
        margin: area that may be lost against acquired PET.
        english, chinese: the sentence, numbers included.
    """

    task: str
    verdict: Verdict
    difference: Interval
    margin: float
    english: str
    chinese: str


def claim(found: Diagnosed, *, margin: float = MARGIN) -> Claim:
    """The one claim that the differences allow.

    Args:
        found: areas and paired differences of a task.
        margin: area that may be lost against acquired PET, 0-0.5, stated before the data were seen.

    Raises:
        ModelError: a margin that is none.
    """
    if not 0 < margin < 0.5:
        raise ModelError(f"A margin of {margin:g} is not between 0 and 0.5 of the area.")
    apart = found.differences[Pair(SYNTHETIC, ACQUIRED)]
    if found.knows_cognition:
        verdict, rests_on = Verdict.NEITHER, apart
    elif apart.low > -margin and is_sensitive(found):
        verdict, rests_on = Verdict.NOT_WORSE, apart
    elif found.hardest and found.differences[Pair(SYNTHETIC, found.hardest)].low > 0:
        verdict, rests_on = Verdict.BETTER, found.differences[Pair(SYNTHETIC, found.hardest)]
    else:
        verdict, rests_on = Verdict.NEITHER, apart
    english, chinese = sentence(found, verdict, margin)
    return Claim(found.task, verdict, rests_on, margin, english, chinese)


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """Table ``claims`` of an evaluation."""
    rows = [
        (
            f"diagnosis {each.task}", str(each.verdict), *each.difference, each.margin,
            each.english, each.chinese,
        )
        for each in claims
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["claims"]))
