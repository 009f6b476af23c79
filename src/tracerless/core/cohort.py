"""The people of a dataset, what is known of them, and how they are split."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from tracerless.core.errors import DatasetError
from tracerless.core.people import Pseudonym
from tracerless.core.seeds import generator


class Diagnosis(StrEnum):
    """The closed list of diagnoses."""

    CN = "CN"
    """Cognitively normal."""
    MCI = "MCI"
    """Mild cognitive impairment."""
    AD = "AD"
    """Dementia of the Alzheimer type."""
    FTD = "FTD"
    """Frontotemporal dementia."""
    DLB = "DLB"
    """Dementia with Lewy bodies."""
    VAD = "VaD"
    """Vascular dementia."""


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column of the people's table.

    ``leaks_label``: it helped to make the diagnosis, so it must not predict it.
    """

    key: str
    unit: str
    low: float
    high: float
    meaning: str
    leaks_label: bool = False


COLUMNS = (
    Column("age", "years", 18, 120, "age at the visit; 90 and above is written as 90"),
    Column("education_years", "years", 0, 30, "completed years of schooling"),
    Column("MMSE", "points", 0, 30, "Mini-Mental State Examination, 30 = best"),
    Column("CASI", "points", 0, 100, "Cognitive Abilities Screening Instrument, 100 = best"),
    Column("CDR", "rating", 0, 3, "Clinical Dementia Rating, 0 = none", leaks_label=True),
    Column("CDRSB", "points", 0, 18, "Clinical Dementia Rating, sum of boxes", leaks_label=True),
)
"""Numeric columns; besides them ``sex`` (F, M) and ``diagnosis`` (``Diagnosis``)."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What a synthesizer may be told of a person besides their scans; unknown = empty or NaN.

    Args:
        diagnosis: among ``Diagnosis``; for sampling and for judging, never an input.
        age: years.
        sex: ``F`` or ``M``.
        mmse: points; an input only of models that are marked for it.
        site: scanner of the MR, e.g. maker and model; for splits.
    """

    diagnosis: str = ""
    age: float = float("nan")
    sex: str = ""
    mmse: float = float("nan")
    site: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """People by pseudonym.

    Args:
        table: index = pseudonym text, unique; columns among ``COLUMNS``, ``sex``, ``diagnosis``;
            a missing value is NaN (numbers) or an empty text.

    Raises:
        DatasetError: an undeclared column, a person twice, or a value out of its range.
    """

    table: pd.DataFrame

    def __post_init__(self) -> None:
        """Check once, and copy."""
        table = self.table.copy()
        declared = {column.key: column for column in COLUMNS}
        unknown = set(table.columns) - set(declared) - {"sex", "diagnosis"}
        if unknown:
            raise DatasetError(f"Undeclared columns in the people's table: {sorted(unknown)}.")
        if table.index.has_duplicates:
            raise DatasetError("A pseudonym stands twice in the people's table.")
        for key, column in declared.items():
            if key in table:
                table[key] = _numbers(table[key], column)
        _require_words(table, "sex", ("F", "M", ""))
        _require_words(table, "diagnosis", (*Diagnosis, ""))
        object.__setattr__(self, "table", table)

    def diagnosis(self, person: Pseudonym) -> str:
        """The diagnosis of a person, empty when unknown."""
        if str(person) not in self.table.index or "diagnosis" not in self.table:
            return ""
        return str(self.table.loc[str(person), "diagnosis"])

    @property
    def facts(self) -> dict[Pseudonym, PersonFacts]:
        """What the table tells of everyone; the scanner is told elsewhere."""
        columns = {str(name): self.table[name].to_dict() for name in self.table.columns}

        def number(name: str, person: str) -> float:
            return float(columns.get(name, {}).get(person, float("nan")))

        return {
            Pseudonym(person): PersonFacts(
                diagnosis=str(columns.get("diagnosis", {}).get(person, "")),
                age=number("age", person),
                sex=str(columns.get("sex", {}).get(person, "")),
                mmse=number("MMSE", person),
            )
            for person in map(str, self.table.index)
        }


def _numbers(given: pd.Series, column: Column) -> pd.Series:
    """The column as numbers within its range; what is missing stays so, what is no number is told.

    Raises:
        DatasetError: a text, or a number out of range.
    """
    values = pd.to_numeric(given, errors="coerce")
    strange = given[values.isna() & given.notna() & (given.astype(str) != "")]
    outside = values[(values < column.low) | (values > column.high)]
    if len(strange):
        what = f"{strange.iloc[0]!r} is no number"
    elif len(outside):
        what = f"{outside.iloc[0]:g} is outside {column.low:g}-{column.high:g} {column.unit}"
    else:
        return values
    raise DatasetError(
        f"{column.key}: {what}.", hint="Correct it in participants.tsv, or write n/a there."
    )


def _require_words(table: pd.DataFrame, key: str, words: Sequence[str]) -> None:
    if key not in table:
        return
    table[key] = table[key].astype(object).where(table[key].notna(), "").astype(str)
    unknown = sorted(set(table[key]) - set(words))
    if unknown:
        raise DatasetError(f"{key}={unknown[0]!r} is not one of {', '.join(filter(None, words))}.")


def split_people(
    people: Sequence[Pseudonym], share: float, *seed: str | int
) -> tuple[tuple[Pseudonym, ...], tuple[Pseudonym, ...]]:
    """(kept, held out): whole people, never sessions; equal seed, equal split.

    Args:
        people: may repeat (one entry a session); each person falls on one side only.
        share: of people held out, 0-1, rounded to whole people.
        *seed: names of what the split is for.
    """
    unique = sorted(set(people))
    n_out = round(share * len(unique))
    order = generator("split", *seed).permutation(len(unique))
    out = {unique[i] for i in order[:n_out]}
    return tuple(p for p in unique if p not in out), tuple(sorted(out))
