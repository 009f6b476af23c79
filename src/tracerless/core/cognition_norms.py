"""Published norms and cut-offs of single tests: z and bands, or the reason why there is none.

These are other people's normal people; a norm of one's own (`tracerless norms fit --of cognition`)
comes first wherever there are enough of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tracerless.core.cognition import Test
from tracerless.core.errors import DatasetError
from tracerless.core.norm import MIN_FOR_Z


@dataclass(frozen=True, slots=True)
class Examinee:
    """Whom a score is held against a norm for; NaN or empty where unknown.

    Args:
        age: years at the test.
        sex: F, M, or empty.
        education_years: completed years of schooling.
    """

    age: float
    sex: str
    education_years: float


@dataclass(frozen=True, slots=True)
class Hull:
    """Whom a published norm reaches: from … up to, but not, below."""

    age_from: float
    age_below: float
    education_from: float
    education_below: float

    def why_outside(self, person: Examinee) -> str:
        """Why the person is not reached; empty when reached."""
        for name, value, low, below in (
            ("age", person.age, self.age_from, self.age_below),
            ("schooling", person.education_years, self.education_from, self.education_below),
        ):
            if np.isnan(value):
                return f"{name} is unknown"
            if not low <= value < below:
                return f"{name} of {value:g} years is outside {low:g} to below {below:g}"
        return ""


@dataclass(frozen=True, slots=True)
class Regression:
    """Expected score as a line: intercept, sex, age, schooling, and delay of recall.

    Args:
        sex_one: which sex counts 1 in ``sex``; the other counts 0.
        delay: change a minute of delay before recall.
        delay_minutes: delay that is assumed.
        sd: root mean squared error, in units of the test.

    Raises:
        ValueError: no spread, or ``sex_one`` is neither F nor M.
    """

    intercept: float
    sex: float
    sex_one: str
    age: float
    education: float
    delay: float
    delay_minutes: float
    sd: float

    def __post_init__(self) -> None:
        """Check once."""
        if not self.sd > 0 or self.sex_one not in {"F", "M"}:
            raise ValueError(f"A regression with sd={self.sd} and sex_one={self.sex_one!r}.")

    def expected(self, person: Examinee) -> "Expected":
        """Mean and spread among normal people like this one."""
        mean = self.intercept + self.sex * (person.sex == self.sex_one) + self.age * person.age
        mean += self.education * person.education_years + self.delay * self.delay_minutes
        return Expected(mean, self.sd, np.nan)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Normal people of one sex in one band of age and schooling."""

    sex: str
    hull: Hull
    n: int
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean and standard deviation among normal people like this one; n of them, NaN if unknown."""

    mean: float
    sd: float
    n: float


@dataclass(frozen=True, slots=True)
class Published:
    """A published norm of one test.

    Args:
        norm: its name, e.g. ``nacc-uds3``.
        code: the test.
        hull: whom it reaches.
        population: who its people were.
        source: where it was published.
        model: one regression, or strata.
    """

    norm: str
    code: str
    hull: Hull
    population: str
    source: str
    model: Regression | tuple[Stratum, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a score stands in a published norm.

    Args:
        norm: its name.
        z: standard deviations from expectation, + = better than expected; NaN when refused.
        percentile: of normal people at or below, by the normal curve; NaN when refused.
        expected, sd: in units of the test; NaN when refused.
        reason: why there is no z; empty when there is.
    """

    norm: str
    z: float
    percentile: float
    expected: float
    sd: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A published cut-off for people of some schooling and age.

    Args:
        code: the test.
        of: what it tells from normal.
        hull: for whom.
        cut: the last score on the ill side.
        side: ``at or below`` or ``at or above`` the cut is the ill side.
        sensitivity, specificity: 0-1 in the study that set it; NaN when not known.
        population: in whom.
        source: paper.
    """

    code: str
    of: str
    hull: Hull
    cut: float
    side: str
    sensitivity: float
    specificity: float
    population: str
    source: str

    def __post_init__(self) -> None:
        """Check once.

        Raises:
            DatasetError: the side is no side.
        """
        if self.side not in {"at or below", "at or above"}:
            raise DatasetError(f"{self.code}: side {self.side!r} is neither at or below nor above.")

    def is_beyond(self, score: float) -> bool:
        """Whether a score lies on the ill side."""
        return score <= self.cut if self.side == "at or below" else score >= self.cut


def standing(published: Published, test: Test, score: float, person: Examinee) -> Standing:
    """Where a score stands; refused beyond the norm's people, never extrapolated.

    Source:
        z as NACC's calculator has it: (score - expected) / root mean squared error, the sign
        turned where less is better (Shirk 2011, Alzheimers Res Ther 3:32).
    """
    expected = _expected(published, person)
    if isinstance(expected, str):
        return Standing(published.norm, np.nan, np.nan, np.nan, np.nan, expected)
    z = (score - expected.mean) / expected.sd
    z = z if test.better == "high" else -z
    percentile = 100 * NormalDist().cdf(z)
    return Standing(published.norm, z, percentile, expected.mean, expected.sd)


def cutoff(
    cutoffs: Mapping[str, Sequence[Cutoff]], code: str, person: Examinee
) -> tuple[Cutoff | None, str]:
    """The cut-off for a person; else None and the reason."""
    known = cutoffs.get(code, ())
    if not known:
        return None, "no cut-off is known"
    reasons = [each.hull.why_outside(person) for each in known]
    for each, reason in zip(known, reasons, strict=True):
        if not reason:
            return each, ""
    return None, _nearest(known, person)


def _nearest(known: Sequence[Cutoff], person: Examinee) -> str:
    """Why no band reaches a person, in one phrase."""
    if np.isnan(person.education_years) or np.isnan(person.age):
        return known[0].hull.why_outside(person)
    return f"no band holds {person.age:g} years of age with {person.education_years:g} of schooling"


def _expected(published: Published, person: Examinee) -> Expected | str:
    """What is expected, or why nothing can be."""
    if person.sex not in {"F", "M"}:
        return "sex is unknown"
    reason = published.hull.why_outside(person)
    if reason:
        return reason
    if isinstance(published.model, Regression):
        return published.model.expected(person)
    mine = [s for s in published.model if s.sex == person.sex and not s.hull.why_outside(person)]
    if not mine:
        return "no stratum holds the person"
    if mine[0].n < MIN_FOR_Z:
        return f"the stratum has {mine[0].n} people, z needs {MIN_FOR_Z}"
    return Expected(mine[0].mean, mine[0].sd, mine[0].n)
