"""What diagnosis and risk are learned from: predictors, people, labels, and what happened later."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cognition import Leak
from tracerless.core.errors import DatasetError
from tracerless.core.norm import Measured


class Kind(StrEnum):
    """What a predictor is."""

    PERSON = "person"
    """Age, sex, schooling."""
    REGION = "region"
    """Uptake in a region or composite, as a ratio to the reference."""
    TEST = "test"
    """A cognitive or behavioral score."""


class Arm(StrEnum):
    """Which predictors a model sees; every evaluation has all five."""

    DEMOGRAPHICS = "demographics"
    """Age, sex, schooling."""
    IMAGE = "image"
    """Demographics and regions."""
    COGNITION = "cognition"
    """Demographics and scores that do not make the diagnosis."""
    BOTH = "image+cognition"
    """Demographics, regions and such scores."""
    LEAKY = "leaky"
    """All of it and the scores that make the diagnosis: an upper bound, never a result."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """One column of a study.

    Args:
        key: its column.
        kind: what it is.
        group: lobe of a region, domain of a test, ``demographics``: explanations go by it.
        leak: how far it goes into the diagnosis.
    """

    key: str
    kind: Kind
    group: str
    leak: Leak = Leak.NONE


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Scans with what is known of their people at that visit; same index (0 … n-1) everywhere.

    Args:
        predictors: in the order of ``table``.
        table: (n, predictors) float; regions as ratios to the reference, ``sex`` as 0 = F, 1 = M;
            NaN where nothing was measured.
        people: ``age`` (years), ``sex`` (F, M, or empty), ``education_years``.
        references: mean in every reference region, as `score.norm` wants it; None without an image.
        diagnosis: of ``Diagnosis``; empty where unknown.
        person, visit: pseudonym and visit of each row; a person may have many rows.
        scanner: what harmonisation goes by; empty where unknown.
        measured: what the regions are, domain included.
        left_out: one sentence for each kind of row or value that was not taken.

    Raises:
        DatasetError: lengths or columns do not fit.
    """

    predictors: tuple[Predictor, ...]
    table: pd.DataFrame
    people: pd.DataFrame
    references: pd.DataFrame | None
    diagnosis: tuple[str, ...]
    person: tuple[str, ...]
    visit: tuple[str, ...]
    scanner: tuple[str, ...]
    measured: Measured
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check once."""
        if tuple(self.table.columns) != tuple(each.key for each in self.predictors):
            raise DatasetError("A study's columns are not its predictors.")
        n = len(self.table)
        for name in ("people", "diagnosis", "person", "visit", "scanner"):
            if len(getattr(self, name)) != n:
                raise DatasetError(f"A study of {n} rows has {len(getattr(self, name))} {name}.")
        if not self.table.index.equals(pd.RangeIndex(n)):
            raise DatasetError("A study's rows are numbered from 0.")

    def __len__(self) -> int:
        """Rows."""
        return len(self.table)

    def taken(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Study":
        """Some of the rows, numbered anew."""
        chosen = np.arange(len(self))[rows]
        references = self.references
        return Study(
            predictors=self.predictors,
            table=self.table.iloc[chosen].reset_index(drop=True),
            people=self.people.iloc[chosen].reset_index(drop=True),
            references=None
            if references is None
            else references.iloc[chosen].reset_index(drop=True),
            diagnosis=tuple(self.diagnosis[row] for row in chosen),
            person=tuple(self.person[row] for row in chosen),
            visit=tuple(self.visit[row] for row in chosen),
            scanner=tuple(self.scanner[row] for row in chosen),
            measured=self.measured,
            left_out=self.left_out,
        )

    def keys(self, arm: Arm) -> tuple[str, ...]:
        """Columns that an arm sees, in the order of the table."""
        return tuple(each.key for each in self.predictors if _sees(arm, each))


def _sees(arm: Arm, predictor: Predictor) -> bool:
    leaks = predictor.leak is Leak.HIGH
    match predictor.kind:
        case Kind.PERSON:
            return True
        case Kind.REGION:
            return arm in {Arm.IMAGE, Arm.BOTH, Arm.LEAKY}
        case Kind.TEST:
            return arm is Arm.LEAKY or (arm in {Arm.COGNITION, Arm.BOTH} and not leaks)


VISIT_COLUMNS = ("participant_id", "years", "diagnosis", "status")
"""Of ``phenotype/followup.tsv``: one row a later visit, death, or last contact."""

STATUS: Mapping[str, str] = {
    "seen": "examined; diagnosis as given",
    "dead": "died then",
    "lost": "last contact; nothing is known after it",
}


@dataclass(frozen=True, slots=True, eq=False)
class Followup:
    """What happened to people after their first scan.

    Args:
        visits: columns ``VISIT_COLUMNS``; ``participant_id`` a pseudonym, ``years`` since the first
            scan (0 = that day), ``diagnosis`` empty where nobody was examined.

    Raises:
        DatasetError: a column is missing, years are negative or not numbers, a word is unknown, or
            somebody is seen after death.
    """

    visits: pd.DataFrame

    def __post_init__(self) -> None:
        """Check once, and sort."""
        table = self.visits
        missing = [name for name in VISIT_COLUMNS if name not in table]
        if missing:
            raise DatasetError(f"The table of follow-up visits has no column {missing[0]}.")
        table = table[list(VISIT_COLUMNS)].copy()
        table["years"] = pd.to_numeric(table["years"], errors="coerce")
        if table["years"].isna().any() or (table["years"] < 0).any():
            raise DatasetError("years of a follow-up visit must be numbers from 0 on.")
        table["diagnosis"] = table["diagnosis"].fillna("").astype(str)
        unknown = sorted(set(table["status"]) - set(STATUS))
        if unknown:
            raise DatasetError(f"status={unknown[0]!r} is not one of {', '.join(STATUS)}.")
        table = table.sort_values(["participant_id", "years"], kind="stable")
        last = table.groupby("participant_id")["years"].transform("max")
        if ((table["status"] == "dead") & (table["years"] < last)).any():
            raise DatasetError("Somebody is seen after the year of death.")
        object.__setattr__(self, "visits", table.reset_index(drop=True))
