"""What a leakage audit looks at, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, person_digest

CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "row split": "one person on both sides of a split",
        "selection": "columns chosen with the rows that test them",
        "norm people": "people of the norm among those who are tested",
        "label-defining score": "a score that makes the diagnosis among the predictors",
        "duplicate person": "one person under two pseudonyms",
        "synthesizer": "people that the synthesizer learned from among those who are tested",
    }
)
"""Every check and what it looks for; findings stand in this order."""


class Verdict(StrEnum):
    """What became of a check."""

    PASS = "pass"  # noqa: S105
    """Looked, and there was nothing."""
    FOUND = "finding"
    """There is a leak."""
    UNKNOWN = "not checked"
    """It could not be looked for; the finding says what is needed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer.

    Args:
        check: among ``CHECKS``.
        verdict: see ``Verdict``.
        what: one sentence with the numbers; names nobody.
        next: one imperative; empty where there is nothing to do.
    """

    check: str
    verdict: Verdict
    what: str
    next: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Scans, where each was tested, and what the model was shown of it; n rows everywhere.

    Args:
        person: pseudonym of each row; a person may have many rows.
        truth: diagnosis of each row; empty where unknown.
        fold: (repeats, n) name of the fold in which the row was tested; empty where the model only
            learned from it.
        features: (n, f) what the model saw, numeric; None where nobody knows.
        candidates: (n, F) every column that it could have been given; None where nobody knows.
        selected: columns that the model was given, by fold; None where nobody knows.
        regions: columns of ``features`` that are uptake in regions.

    Raises:
        ModelError: lengths do not fit, nothing was tested, or a chosen column is no candidate.
    """

    person: tuple[str, ...]
    truth: tuple[str, ...]
    fold: NDArray[np.str_]
    features: pd.DataFrame | None = None
    candidates: pd.DataFrame | None = None
    selected: Mapping[str, tuple[str, ...]] | None = None
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        fold = np.atleast_2d(np.array(self.fold, dtype=np.str_))
        n = len(self.person)
        tables = [each for each in (self.features, self.candidates) if each is not None]
        for length in (len(self.truth), fold.shape[1], *map(len, tables)):
            if length != n:
                raise ModelError(f"{n} rows of people, {length} of what is known of them.")
        if not (fold != "").any():
            raise ModelError(
                "No row says in which fold it was tested.", hint="Fill the column fold."
            )
        fold.setflags(write=False)
        object.__setattr__(self, "fold", fold)
        if self.selected is not None:
            self._require_columns(self.selected)
            object.__setattr__(self, "selected", MappingProxyType(dict(self.selected)))

    def _require_columns(self, selected: Mapping[str, tuple[str, ...]]) -> None:
        known = set() if self.candidates is None else set(map(str, self.candidates.columns))
        strange = sorted({name for names in selected.values() for name in names} - known)
        if self.candidates is not None and strange:
            raise ModelError(
                f"{len(strange)} chosen columns are not among the candidates, {strange[0]!r} first."
            )

    @property
    def digests(self) -> tuple[str, ...]:
        """``person_digest`` of each row; empty where the name cannot be a pseudonym."""
        known = {each: _digest(each) for each in set(self.person)}
        return tuple(known[each] for each in self.person)

    @property
    def tested(self) -> NDArray[np.bool_]:
        """(n,) rows that were tested at least once."""
        tested: NDArray[np.bool_] = (self.fold != "").any(axis=0)
        return tested

    @property
    def n_tested(self) -> int:
        """People who were tested."""
        return len({each for each, is_in in zip(self.person, self.tested, strict=True) if is_in})


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What the audit may hold a trial against.

    Args:
        norms: ``person_digest`` of everyone behind each norm that made the features; empty where
            none did (ratios, or a norm fitted anew inside each fold), None where nobody knows.
        synthesizers: the same of each synthesizer that made the scans; empty for acquired scans.
        learned: digests of those whom a model, fitted before and now applied, learned from.
        defining: names of scores that make or stage the diagnosis.
        scores: (n, k) such scores by row, to be known again under another name; None for none.
    """

    norms: Mapping[str, frozenset[str]] | None = None
    synthesizers: Mapping[str, frozenset[str]] | None = None
    learned: frozenset[str] = frozenset()
    defining: frozenset[str] = frozenset()
    scores: pd.DataFrame | None = None


def _digest(person: str) -> str:
    text = person.removeprefix("sub-")
    return person_digest(Pseudonym(text)) if text.isascii() and text.isalnum() else ""
