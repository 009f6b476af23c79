"""What is known of people crosses the border as ``participants.tsv``, keyed by pseudonym.

Rows come from a table keyed by chart number and find their person by keyed digests in the vault.
Only declared columns cross; names and everything else stay behind, and so do values that are out of
range. The consent class goes into the vault and into ``consent.json``, nowhere else. Scores of the
dictionary go into ``phenotype/``, with the days between scan and test instead of the test's date.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from tracerless.core.cognition import Finding
from tracerless.core.cohort import COLUMNS, Cohort, Column, Diagnosis
from tracerless.core.errors import DatasetError, VaultError
from tracerless.io import cognition, cognition_tables
from tracerless.io.vault import Vault
from tracerless.workspace import cognition_bound, cognition_files, consent
from tracerless.workspace.cognition_columns import role
from tracerless.workspace.cognition_sittings import Sittings, sittings
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import read_cohort, write_cohort

KEY_COLUMNS = ("chart_number", "patientid", "patient_id", "病歷號", "病歷號碼")
"""Headings, in small letters, under which the chart number may stand."""

_SAID = frozenset({"identifier", "unknown-column", "person-column"})
"""Kinds of finding that are said of the whole table."""

OLDEST = 90.0
"""Ages from here on are written as this: so few people are older that age alone finds them."""

_SEX = {"f": "F", "female": "F", "女": "F", "m": "M", "male": "M", "男": "M"}
_DIAGNOSIS = {str(each).lower(): str(each) for each in Diagnosis}

_CONSENT = "consent"

_TESTS = frozenset({"MMSE", "CASI", "CDR", "CDRSB"})
"""Scores that the table of people takes where nobody says when they were taken."""
_NOT_OURS = frozenset({"person", "chart", "visit"})
"""Roles of columns whose words mean nothing in a dataset that is only being made."""
_USED = frozenset({"date", "days", "variable", "value", "version", "tool"})
"""Roles of columns that are read but do not cross."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A checked table of people, still keyed by chart number; its repr shows none.

    Args:
        rows: declared values by chart number.
        dropped: headings of columns that do not cross.
        refused: how many values were out of range or not in the vocabulary, by column.
        consent: class of consent (A, B, C) by chart number, where one is given.
        scores: what goes into ``phenotype/``; None when the table has no such score.
    """

    rows: Mapping[str, Row] = field(repr=False)
    dropped: tuple[str, ...]
    refused: Mapping[str, int]
    consent: Mapping[str, str] = field(default_factory=dict, repr=False)
    scores: Sittings | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Crossed:
    """What crossed of a table.

    Args:
        rows: how many rows crossed.
        ambiguous: how many may mean two people, whose number two issuers use.
        scores: how many scores crossed into ``phenotype/``.
        said: what happened to scores that stood there.
    """

    rows: int = 0
    ambiguous: int = 0
    scores: int = 0
    said: tuple[str, ...] = field(default=(), compare=False)


def read_phenotype(path: Path) -> Phenotype:
    """The table in that file: CSV, TSV or XLSX.

    With a column of test dates, or one score a row, a person may have many rows: the first value
    of each declared column counts, and scores go into ``phenotype/`` alone.

    Raises:
        DatasetError: it is absent, not text, has no column of chart numbers, or one chart number
            stands in two rows that no date tells apart.
    """
    table = cognition_tables.read_table(path)
    headings = [str(name) for name in table.columns]
    key = next((name for name in headings if name.strip().lower() in KEY_COLUMNS), None)
    if key is None:
        raise DatasetError(
            f"The phenotype table has no column of chart numbers among {len(headings)} columns.",
            hint="Name that column chart_number.",
        )
    scores, repeats = _scores(table, key), _may_repeat(headings)
    known = {name: _canonical(name) for name in headings}
    rows: dict[str, Row] = {}
    classes: dict[str, str] = {}
    refused: Counter[str] = Counter()
    for line, cells in table.iterrows():
        person = str(cells[key])
        if person in rows and not repeats:
            raise DatasetError(
                f"Line {line} of the phenotype table repeats a chart number.",
                hint="Leave one row for each person, or add a column of test dates.",
            )
        if person:
            named = {known[name]: str(cells[name]) for name in headings if known[name]}
            _take_consent(classes, person, named.pop(_CONSENT, ""), refused)
            if repeats:
                named = {name: text for name, text in named.items() if name not in _TESTS}
            rows[person] = {**_checked(named, refused), **rows.get(person, {})}
    used = {key, *(name for name in headings if known[name] or _is_used(name))}
    dropped = tuple(sorted(set(headings) - used))
    return Phenotype(rows, dropped, dict(refused), classes, scores)


def write_people(
    dataset: Dataset,
    vault: Vault,
    phenotype: Phenotype | None,
    scanned: cognition_bound.Days | None = None,
) -> Crossed:
    """List every person of the dataset, with what is known of them; which rows crossed.

    Args:
        dataset: whose people are listed.
        vault: tells whose a chart number is, and takes and gives consent classes; to be saved.
        phenotype: new values; None leaves what is there.
        scanned: days of the visits that cross now; the vault knows those that crossed before.
    """
    present = {key.person for key in dataset.source_sessions()}
    rows = {str(person): dict[str, object]() for person in sorted(present)}
    for name, cells in read_cohort(dataset).table.to_dict("index").items():
        rows.get(str(name), {}).update({str(key): value for key, value in cells.items()})
    n_crossed = n_ambiguous = 0
    named: dict[str, str] = {}
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
            named[chart] = str(person)
            n_crossed += 1
    consent.write(dataset, {person: vault.consent_of(person) for person in present})
    _write_cohort(dataset, rows)
    scans = cognition_bound.Scans(vault, scanned or {})
    n_scores, said = _write_scores(dataset, phenotype, named, scans)
    return Crossed(n_crossed, n_ambiguous, n_scores, said)


def _write_scores(
    dataset: Dataset,
    phenotype: Phenotype | None,
    named: Mapping[str, str],
    scans: cognition_bound.Scans,
) -> tuple[int, tuple[str, ...]]:
    """Add scores to ``phenotype/``, and why others are absent; how many, and what to know."""
    if phenotype is None or phenotype.scores is None:
        return 0, ()
    read = phenotype.scores
    people = [named.get(str(chart), "") for chart in read.table["key"]]
    found: list[Finding] = []
    table = cognition_bound.bound(read, people, scans, found)
    known = cognition_files.dictionary_of(dataset)
    found.extend(cognition_files.merge_phenotype(dataset, table, known)[1])
    keys = table[["person", "visit", "score_to_scan_days"]]
    reasons = read.reasons.merge(keys, left_on="row", right_index=True).drop(columns="row")
    cognition_files.write_reasons(dataset, reasons)
    n_scores = int(table[list(read.codes)].notna().to_numpy().sum())
    return n_scores, tuple(finding.text for finding in found)


def _write_cohort(dataset: Dataset, rows: dict[str, Row]) -> None:
    table = pd.DataFrame.from_dict(rows, orient="index")
    order = ["sex", "diagnosis", *(column.key for column in COLUMNS)]
    write_cohort(dataset, Cohort(table[[name for name in order if name in table]]))


def _scores(table: pd.DataFrame, key: str) -> Sittings | None:
    """Scores for ``phenotype/``: with their dates where there are any, else only further tests."""
    headings = [str(name) for name in table.columns]
    is_dated = _may_repeat(headings)
    others = [name for name in headings if name != key and role(name) not in _NOT_OURS]
    mine = table[[key, *others]].rename(columns={key: KEY_COLUMNS[0]})
    dictionary = cognition.dictionary()
    if not is_dated:
        mine = mine.drop(columns=[name for name in others if dictionary.code(name) in _TESTS])
    if not is_dated and not any(dictionary.code(str(name)) for name in mine.columns):
        return None
    return sittings(mine, dictionary)


def _may_repeat(headings: Iterable[str]) -> bool:
    """Whether a table has dates of tests, or one score a row."""
    met = {role(name) for name in headings}
    return "date" in met or {"variable", "value"} <= met


def _is_used(heading: str) -> bool:
    return bool(cognition.dictionary().code(heading)) or role(heading) in _USED


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
    if phenotype.scores is not None:
        yield f"{crossed.scores} scores crossed into phenotype/."
        yield from crossed.said
        yield from (f.text for f in phenotype.scores.findings if f.kind not in _SAID)
