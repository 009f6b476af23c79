"""Scores enter a dataset: by pseudonym, or by chart number through the vault; dates stay behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tracerless.core.cognition import Dictionary, Finding
from tracerless.core.cognition_check import KINDS, OF_HEADINGS
from tracerless.core.errors import DatasetError, VaultError
from tracerless.io.atomic import write_json, write_text
from tracerless.io.cognition_redcap import Field, read_redcap
from tracerless.io.cognition_tables import read_table
from tracerless.io.vault import Vault
from tracerless.workspace.cognition_bound import Scans, bound
from tracerless.workspace.cognition_columns import NO_FIELDS
from tracerless.workspace.cognition_files import (
    dictionary_of,
    keep_dictionary,
    merge_phenotype,
    write_reasons,
)
from tracerless.workspace.cognition_sittings import Sittings, sittings
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import COHORT_TABLE, read_cohort

FINDINGS = "cognition_findings.tsv"
"""What the last import found, below the dataset's derivatives."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Args:
        people: how many people have scores of it.
        scores: how many scores crossed.
        tables: the tables written.
        findings: what to know.
    """

    people: int
    scores: int
    tables: tuple[Path, ...]
    findings: tuple[Finding, ...]


def read_sittings(
    path: Path, known: Dictionary, *, redcap: Path | None = None
) -> tuple[Sittings, ...]:
    """The scores of a file, or of every table in a folder (a BIDS dataset, or its phenotype).

    Args:
        path: CSV, TSV, XLSX, or a folder.
        known: the dictionary.
        redcap: data dictionary of the project whose export it is.

    Raises:
        DatasetError: nothing there can be read as scores.
    """
    fields: Mapping[str, Field] = read_redcap(redcap) if redcap else NO_FIELDS
    if not path.is_dir():
        return (sittings(read_table(path), known, fields),)
    folder = path / "phenotype" if (path / "phenotype").is_dir() else path
    tables = sorted(each for each in folder.glob("*.tsv") if each.stem != "participants")
    if not tables:
        raise DatasetError(
            "The folder holds no table (*.tsv).", hint="Name a table, or a BIDS folder phenotype/."
        )
    found = [_of_folder(each, known, fields) for each in tables]
    read = tuple(each for each in found if each is not None)
    if not read:
        raise DatasetError(f"None of {len(tables)} tables holds a score of the dictionary.")
    return read


def _of_folder(path: Path, known: Dictionary, fields: Mapping[str, Field]) -> Sittings | None:
    """A table of a folder of many; None when none of its columns is a known score."""
    table = read_table(path)
    if not any(known.code(str(name)) for name in table.columns):
        return None
    return sittings(table, known, fields)


def import_scores(
    path: Path,
    dataset: Dataset,
    *,
    vault: Path | None = None,
    redcap: Path | None = None,
    own: Path | None = None,
) -> Imported:
    """Take the scores of a table into ``phenotype/``; what was there of other sittings stays.

    A row goes with the visit that it names; by chart number and date, with the nearest scan, which
    the vault knows; else with none. Rows of people or visits that the
    dataset does not have are counted and left out; so is everything that is no score.

    Args:
        path: the table, or a BIDS folder.
        dataset: takes the scores.
        vault: tells whose a chart number is; needed when the table is keyed by it.
        redcap: data dictionary of the project whose export it is.
        own: CSV of tests of one's own; the dataset keeps it once the table is in.

    Raises:
        DatasetError: the table or ``own`` cannot be read, or it belongs to nobody of the dataset.
        VaultError: the table is keyed by chart number and the vault cannot be used.
    """
    known = dictionary_of(dataset, own)
    read = read_sittings(path, known, redcap=redcap)
    found: list[Finding] = []
    whole, reasons = _all_bound(read, dataset, vault, found)
    if whole.empty:
        raise DatasetError(
            "No row of the table belongs to a person and visit of this dataset.",
            hint="Key it by the pseudonyms of participants.tsv, or give --vault.",
        )
    codes = [code for code in known.tests if code in whole]
    written, replaced = merge_phenotype(dataset, whole, known)
    found.extend(replaced)
    write_reasons(dataset, reasons)
    if own is not None:
        keep_dictionary(dataset, own)
    write_findings(dataset, found)
    n_people = whole.loc[whole[codes].notna().any(axis=1), "person"].nunique()
    return Imported(n_people, int(whole[codes].notna().to_numpy().sum()), written, tuple(found))


def write_findings(dataset: Dataset, findings: list[Finding]) -> None:
    """Keep what an import found: lines of the file, but neither its cells nor its headings."""
    path = dataset.derivatives / FINDINGS
    known = dictionary_of(dataset).tests
    rows = [
        (f.kind, f.code if f.code in known else "", f.n, _kept(f), " ".join(map(str, f.rows)))
        for f in findings
    ]
    table = pd.DataFrame(rows, columns=["kind", "code", "n", "text", "lines"])
    write_json(path.with_suffix(".json"), _MEANINGS)
    write_text(path, table.replace("", "n/a").to_csv(sep="\t", index=False, lineterminator="\n"))


def _kept(finding: Finding) -> str:
    """A sentence that may lie in a dataset; headings, which can be anything, may not."""
    return KINDS[finding.kind] if finding.kind in OF_HEADINGS else finding.text


_MEANINGS = {
    "kind": "stable word of the finding",
    "code": "test; n/a where it is about columns or rows",
    "n": "how many values, rows or columns",
    "text": "one sentence",
    "lines": "lines of the imported file",
}


def _all_bound(
    read: tuple[Sittings, ...], dataset: Dataset, vault: Path | None, found: list[Finding]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(scores of all tables by person and visit, why others are absent)."""
    tables, reasons = [], []
    for each in read:
        table = _bound(each, dataset, vault, found)
        keys = table[["person", "visit", "score_to_scan_days"]]
        why = each.reasons.merge(keys, left_on="row", right_index=True)
        tables.append(table)
        reasons.append(why.drop(columns="row"))
        found.extend(each.findings)
    return pd.concat(tables, ignore_index=True), pd.concat(reasons, ignore_index=True)


def _bound(
    read: Sittings, dataset: Dataset, vault: Path | None, found: list[Finding]
) -> pd.DataFrame:
    """Rows of the dataset's people and visits, bound to the nearest scan where that is known."""
    if not read.is_chart:
        named = [str(key).removeprefix("sub-") for key in read.table["key"]]
        table = bound(read, _present(named, dataset, found), Scans(None), found)
    elif vault is None:
        raise VaultError(
            "The table is keyed by chart number, and no vault says whose they are.",
            hint="Give --vault, or key the table by participant_id.",
        )
    else:
        with Vault.open(vault, dataset=dataset.root) as opened:
            named = [_name(opened, str(chart)) for chart in read.table["key"]]
            table = bound(read, _present(named, dataset, found), Scans(opened), found)
    return _at_visits(table, dataset, found)


def _name(opened: Vault, chart: str) -> str:
    try:
        return str(opened.pseudonym_of(chart) or "")
    except VaultError:  # two people have that number: nobody can say whose it is
        return ""


def _present(named: list[str], dataset: Dataset, found: list[Finding]) -> list[str]:
    """Those names whose people the dataset has, else nothing."""
    present = set(read_cohort(dataset).table.index.astype(str))
    present |= {str(key.person) for key in dataset.sessions()}
    people = [name if name in present else "" for name in named]
    n_strange = people.count("")
    if n_strange:
        text = f"{n_strange} rows belong to nobody in this dataset, and were left out."
        found.append(Finding("unknown-person", "", n_strange, text))
    return people


def _at_visits(table: pd.DataFrame, dataset: Dataset, found: list[Finding]) -> pd.DataFrame:
    """Rows of visits that the dataset has, under its names of them, and rows bound to none."""
    visits = _visits(dataset)
    pairs = zip(table["person"], table["visit"], strict=True)
    meant = [_visit(person, visit, visits) for person, visit in pairs]
    lost = np.array([v != "" and not m for v, m in zip(table["visit"], meant, strict=True)], bool)
    if lost.any():
        text = f"{int(lost.sum())} rows name a visit that the dataset does not have; left out."
        found.append(Finding("unknown-visit", "", int(lost.sum()), text))
    return table.assign(visit=meant)[~lost]


def _visits(dataset: Dataset) -> set[tuple[str, str]]:
    """Every visit of the dataset; scans that exist as rows of a table only, too."""
    visits = {(str(key.person), key.visit) for key in dataset.sessions()}
    path = dataset.derivatives / COHORT_TABLE
    if path.is_file():
        keys = pd.read_csv(path, sep="\t", usecols=[0, 1], dtype=str).to_numpy()
        visits |= {(p.removeprefix("sub-"), v.removeprefix("ses-")) for p, v in keys}
    return visits


def _visit(person: str, visit: str, visits: set[tuple[str, str]]) -> str:
    """The dataset's name of a visit, ``1`` being ``01``; empty when it has none so called."""
    tried = (visit, visit.zfill(2))
    return next((each for each in tried if visit and (person, each) in visits), "")
