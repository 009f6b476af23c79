"""What is known of people crosses the border as ``participants.tsv``, keyed by pseudonym.

Rows come from a CSV keyed by chart number and find their person by keyed digests in the vault. Only
declared columns cross; names and everything else stay behind, and so do values that are out of
range. The consent class goes into the vault and into ``consent.json``, nowhere else.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tracerless.core.cohort import COLUMNS, Cohort, Column, Diagnosis
from tracerless.core.errors import DatasetError, VaultError
from tracerless.io.vault import Vault
from tracerless.workspace import consent
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import read_cohort, write_cohort

KEY_COLUMNS = ("chart_number", "patientid", "patient_id", "病歷號", "病歷號碼")
"""Headings, in small letters, under which the chart number may stand."""

OLDEST = 90.0
"""Ages from here on are written as this: so few people are older that age alone finds them."""

_SEX = {"f": "F", "female": "F", "女": "F", "m": "M", "male": "M", "男": "M"}
_DIAGNOSIS = {str(each).lower(): str(each) for each in Diagnosis}

_CONSENT = "consent"

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A checked table of people, still keyed by chart number; its repr shows none.

    Args:
        rows: declared values by chart number.
        dropped: headings of columns that do not cross.
        refused: how many values were out of range or not in the vocabulary, by column.
        consent: class of consent (A, B, C) by chart number, where one is given.
    """

    rows: Mapping[str, Row] = field(repr=False)
    dropped: tuple[str, ...]
    refused: Mapping[str, int]
    consent: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Crossed:
    """How many rows crossed, and how many may mean two people, whose number two issuers use."""

    rows: int = 0
    ambiguous: int = 0


def read_phenotype(path: Path) -> Phenotype:
    """The table in that file.

    Raises:
        DatasetError: it is absent, not text, has no column of chart numbers, or one chart number
            stands in two rows.
    """
    table = csv.DictReader(io.StringIO(_text(path)))
    headings = [name for name in table.fieldnames or () if name]
    key = next((name for name in headings if name.strip().lower() in KEY_COLUMNS), None)
    if key is None:
        raise DatasetError(
            f"The phenotype table has no column of chart numbers among {len(headings)} columns.",
            hint="Name that column chart_number.",
        )
    known = {name: _canonical(name) for name in headings}
    rows: dict[str, Row] = {}
    classes: dict[str, str] = {}
    refused: Counter[str] = Counter()
    for number, cells in enumerate(table, start=2):
        person = (cells[key] or "").strip()
        if person in rows:
            raise DatasetError(
                f"Line {number} of the phenotype table repeats a chart number.",
                hint="Leave one row for each person.",
            )
        if person:
            named = {known[name]: cells[name] or "" for name in headings if known[name]}
            _take_consent(classes, person, named.pop(_CONSENT, ""), refused)
            rows[person] = _checked(named, refused)
    dropped = tuple(sorted(name for name in headings if name != key and not known[name]))
    return Phenotype(rows, dropped, dict(refused), classes)


def write_people(dataset: Dataset, vault: Vault, phenotype: Phenotype | None) -> Crossed:
    """List every person of the dataset, with what is known of them; which rows crossed.

    Args:
        dataset: whose people are listed.
        vault: tells whose a chart number is, and takes and gives consent classes; to be saved.
        phenotype: new values; None leaves what is there.
    """
    present = {key.person for key in dataset.source_sessions()}
    rows = {str(person): dict[str, object]() for person in sorted(present)}
    for name, cells in read_cohort(dataset).table.to_dict("index").items():
        rows.get(str(name), {}).update({str(key): value for key, value in cells.items()})
    n_crossed = n_ambiguous = 0
    for chart, row in phenotype.rows.items() if phenotype else ():
        try:
            person = vault.pseudonym_of(chart)
        except VaultError:
            n_ambiguous += 1
            continue
        if person is not None and phenotype and chart in phenotype.consent:
            vault.set_consent(person, phenotype.consent[chart])
        if person in present:
            rows[str(person)].update(row)
            n_crossed += 1
    consent.write(dataset, {person: vault.consent_of(person) for person in present})
    _write_cohort(dataset, rows)
    return Crossed(n_crossed, n_ambiguous)


def _write_cohort(dataset: Dataset, rows: dict[str, Row]) -> None:
    table = pd.DataFrame.from_dict(rows, orient="index")
    order = ["sex", "diagnosis", *(column.key for column in COLUMNS)]
    write_cohort(dataset, Cohort(table[[name for name in order if name in table]]))


def _text(path: Path) -> str:
    if not path.is_file():
        raise DatasetError(f"{path} is not a file.", hint="Name the phenotype table, a CSV file.")
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "cp950"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DatasetError(
        "The phenotype table is neither UTF-8 nor Big5 text.", hint="Save it as CSV in UTF-8."
    )


def _canonical(heading: str) -> str:
    """The declared column that a heading means, or empty."""
    declared = {column.key.lower(): column.key for column in COLUMNS}
    declared |= {"sex": "sex", "diagnosis": "diagnosis"}
    declared |= dict.fromkeys(consent.HEADINGS, _CONSENT)
    return declared.get(heading.strip().lower(), "")


def _take_consent(classes: dict[str, str], person: str, text: str, refused: Counter[str]) -> None:
    meant = consent.parse(text)
    if meant:
        classes[person] = meant
    elif text.strip():
        refused[_CONSENT] += 1


def _checked(cells: Mapping[str, str], refused: Counter[str]) -> Row:
    columns = {column.key: column for column in COLUMNS}
    row: Row = {}
    for key, text in cells.items():
        if not text.strip():
            continue
        value = _number(text, columns[key]) if key in columns else _word(key, text)
        if value is None:
            refused[key] += 1
        else:
            row[key] = value
    return row


def _number(text: str, column: Column) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not column.low <= value <= column.high:
        return None
    return min(value, OLDEST) if column.key == "age" else value


def _word(key: str, text: str) -> str | None:
    words = _SEX if key == "sex" else _DIAGNOSIS
    return words.get(text.strip().lower())


def notes(phenotype: Phenotype, crossed: Crossed) -> Iterable[str]:
    """What a person should know about the crossing; headings and counts, never a value."""
    if not crossed.rows:
        yield "No row of the phenotype table belongs to a person of this dataset."
    if crossed.ambiguous:
        yield (
            f"{crossed.ambiguous} rows were left out: two issuers use their chart numbers. Write "
            "the issuer behind the number: NUMBER|ISSUER."
        )
    if phenotype.dropped:
        yield f"Columns that do not cross: {', '.join(phenotype.dropped)}."
    for column, n in sorted(phenotype.refused.items()):
        yield f"{column}: {n} values are out of range or unknown words, and were left out."
