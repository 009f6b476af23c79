"""Norms of a dataset: which scans make them, and every scan held against one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tracerless import score
from tracerless.core.cohort import COLUMNS, Diagnosis
from tracerless.core.errors import DatasetError, ModelError, RecipeMismatchError, did_you_mean
from tracerless.core.norm import Measured, Norm
from tracerless.core.people import Pseudonym, person_digest
from tracerless.io import norms as files
from tracerless.io.atomic import write_json, write_text
from tracerless.score.apply import MEANINGS
from tracerless.score.card import card
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import COHORT_TABLE, read_cohort
from tracerless.workspace.training import training_domain

FILE = "norm.json"
COGNITION = "cognition"
REFERENCE_PREFIX = "ref_"
_PEOPLE = ("age", "sex", "education_years", "diagnosis")


@dataclass(frozen=True, slots=True)
class Scans:
    """Scans of one kind: same index in every table.

    Args:
        values: (n, measures).
        people: age, sex, schooling and diagnosis, as far as the dataset knows them.
        references: mean in every reference region; None for cognition.
        measured: what the values are.
        keys: person and visit of each row.
        left_out: one sentence for each kind of row that cannot be used.
    """

    values: pd.DataFrame
    people: pd.DataFrame
    references: pd.DataFrame | None
    measured: Measured
    keys: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]

    def taken(self, which: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Scans":
        """Some of the rows."""
        return Scans(
            self.values[which],
            self.people[which],
            None if self.references is None else self.references[which],
            self.measured,
            tuple(key for key, take in zip(self.keys, which, strict=True) if take),
            self.left_out,
        )

    @property
    def digests(self) -> tuple[str, ...]:
        """``person_digest`` of each row."""
        return tuple(person_digest(Pseudonym(person)) for person, _ in self.keys)


def scans(dataset: Dataset, contrast: str) -> Scans:
    """What the dataset holds of one contrast, or of cognition.

    Scans whose quality control failed are left out, and said to be.

    Raises:
        DatasetError: nothing was measured yet, or nothing of that contrast.
        RecipeMismatchError: scans of that contrast were measured in more than one way.
    """
    return _cognition(dataset) if contrast == COGNITION else _regions(dataset, contrast)


def fit(
    dataset: Dataset,
    contrast: str,
    name: str,
    *,
    covariates: Sequence[str],
    confirmed_years: float = 0.0,
    source: Norm | None = None,
) -> tuple[Norm, Scans]:
    """Fit a norm on the cognitively normal people of a dataset, or carry one over to them.

    One scan a person: the first visit. The norm, its card, and the people it used are kept under
    ``models/<name>``.

    Raises:
        DatasetError: too few normal people.
        RecipeMismatchError: ``source`` was measured in another way.
    """
    normal = _first_visits(_complete(_normal(scans(dataset, contrast)), covariates))
    if not len(normal.values):
        raise DatasetError(
            f"No normal person of {dataset.root} has {contrast} and {', '.join(covariates)}.",
            hint="participants.tsv must say who is CN; see `tracerless deidentify --phenotype`.",
        )
    if source is None:
        made = score.norm(
            name,
            normal.values,
            normal.people,
            measured=normal.measured,
            covariates=covariates,
            reference_means=normal.references,
            confirmed_years=confirmed_years,
            digests=normal.digests,
        )
    else:
        source.require(normal.measured)
        made = score.transferred(
            source, name, normal.values, normal.people, normal.references, digests=normal.digests
        )
    folder = dataset.models / name
    write_text(folder / "README.md", card(made))
    files.write(folder / FILE, made)
    return made, normal


def apply(dataset: Dataset, norm: Norm) -> tuple[pd.DataFrame, Path, tuple[str, ...]]:
    """Hold every scan of the norm's kind against it; the table, where it lies, what was left out.

    A scan that the norm was fitted on is held against the norm without it (``in_norm``).

    Raises:
        RecipeMismatchError: the dataset was measured in another way.
    """
    found = scans(dataset, norm.measured.contrast)
    norm.require(found.measured)
    missing = [name for name in norm.names if name not in found.values]
    if missing:
        raise RecipeMismatchError(f"The dataset has no {missing[0]}, which norm {norm.key} has.")
    seen, members = set(norm.people), np.zeros(len(found.keys))
    first: set[str] = set()
    for row, (digest, (person, _)) in enumerate(zip(found.digests, found.keys, strict=True)):
        members[row] = digest in seen and person not in first
        first.add(person)
    table = score.scores(norm, found.values, found.people, found.references, members=members)
    keys = [found.keys[row] for row in table.index.get_level_values("row")]
    table.insert(0, "participant_id", [f"sub-{person}" for person, _ in keys])
    table.insert(1, "session_id", [f"ses-{visit}" if visit else None for _, visit in keys])
    table.insert(2, "measure", table.index.get_level_values("measure"))
    own = np.repeat(members > 0, len(norm.names))
    table["in_norm"] = np.where(own, "yes", "no")
    table["norm"] = norm.key
    table = table.reset_index(drop=True)
    path = dataset.derivatives / f"norm-{norm.key}_zscores.tsv"
    write_json(path.with_suffix(".json"), {name: MEANINGS[name] for name in table.columns})
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
    return table, path, found.left_out


def find(dataset: Dataset, name: str | None) -> Norm:
    """A norm by name, by path, or the only one.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    names = sorted(path.parent.name for path in dataset.models.glob(f"*/{FILE}"))
    if name is None:
        if len(names) != 1:
            hint = "Name one with --norm." if names else "Fit one with `tracerless norms fit`."
            raise ModelError(f"{dataset.root} holds {len(names)} norms.", hint=hint)
        name = names[0]
    for path in (Path(name), Path(name) / FILE, dataset.models / name / FILE):
        if path.is_file():
            return files.read(path)
    raise ModelError(f"No norm {name!r}.", hint=did_you_mean(name, names) if names else "")


def _regions(dataset: Dataset, contrast: str) -> Scans:
    path = dataset.derivatives / COHORT_TABLE
    if not path.is_file():
        raise DatasetError(
            f"{dataset.root} holds no region table.",
            hint=f"Run `tracerless quantify {dataset.root}`.",
        )
    table = pd.read_csv(path, sep="\t", na_values="n/a", dtype={"participant_id": str})
    have = sorted(set(table["contrast"]))
    mine = table[(table["contrast"] == contrast) & (table["pvc"].fillna("none") == "none")]
    if mine.empty:
        raise DatasetError(f"No scan shows {contrast!r}.", hint=did_you_mean(contrast, have))
    failed = mine["qc"] == "fail"
    mine = mine[~failed].reset_index(drop=True)
    left_out = (f"{int(failed.sum())} scans failed quality control.",) if failed.any() else ()
    measured = _measured(dataset, mine, contrast)
    columns = [str(name) for name in table.columns]
    middle = columns[columns.index("absolute_factor") + 1 : columns.index("qc")]
    references = [name for name in middle if name.startswith(REFERENCE_PREFIX)]
    names = [n for n in middle if n not in references and not n.startswith("AI_")]
    people = mine["participant_id"].str.removeprefix("sub-")
    visits = mine["session_id"].str.removeprefix("ses-")
    return Scans(
        values=mine[names].dropna(axis=1, how="all"),
        people=_people(dataset, people),
        references=mine[references].rename(columns=lambda n: n.removeprefix(REFERENCE_PREFIX)),
        measured=measured,
        keys=tuple(zip(people, visits, strict=True)),
        left_out=left_out,
    )


def _measured(dataset: Dataset, rows: pd.DataFrame, contrast: str) -> Measured:
    """What all rows share.

    Raises:
        RecipeMismatchError: they were measured in more than one way.
    """
    for name in ("atlas", "reference", "fingerprint"):
        different = sorted({str(value) for value in rows[name].fillna("")})
        if len(different) > 1:
            raise RecipeMismatchError(
                f"The {contrast} scans have {len(different)} values of {name}: "
                f"{', '.join(different[:3])}.",
                hint="Run `tracerless prepare` and `quantify` on all of them with one recipe.",
            )
    first = rows.iloc[0]
    domain = training_domain(dataset)
    if contrast == "synthFDG":
        domain = f"synthetic:{domain}"
    reference = "" if pd.isna(first["reference"]) else str(first["reference"])
    return Measured(contrast, str(first["atlas"]), reference, "", str(first["fingerprint"]), domain)


def _cognition(dataset: Dataset) -> Scans:
    """Scores that no diagnosis was made of, one row a person."""
    table = read_cohort(dataset).table
    tests = [
        column.key
        for column in COLUMNS
        if column.key in table and column.unit in {"points", "rating"} and not column.leaks_label
    ]
    rows = table[table[tests].notna().any(axis=1)] if tests else table.iloc[:0]
    if rows.empty:
        raise DatasetError(
            f"{dataset.root} holds no cognitive score.",
            hint="Give a phenotype table: `tracerless deidentify --phenotype`.",
        )
    people = pd.Series(rows.index.astype(str))
    measured = Measured(COGNITION, "", "", "", "", training_domain(dataset))
    values = rows[tests].dropna(axis=1, how="all").reset_index(drop=True)
    keys = tuple((person, "") for person in people)
    return Scans(values, _people(dataset, people), None, measured, keys, ())


def _people(dataset: Dataset, people: Iterable[str]) -> pd.DataFrame:
    """Covariates and diagnosis by row; missing where the dataset does not know them."""
    table = read_cohort(dataset).table.reindex(list(people)).reset_index(drop=True)
    return table.reindex(columns=list(_PEOPLE))


def _normal(found: Scans) -> Scans:
    return found.taken((found.people["diagnosis"] == Diagnosis.CN.value).to_numpy())


def _complete(found: Scans, covariates: Sequence[str]) -> Scans:
    known = found.values.notna().all(axis=1)
    for name in covariates:
        if name not in found.people:
            raise DatasetError(f"No covariate {name!r}.", hint=did_you_mean(name, _PEOPLE[:3]))
        known &= found.people[name].notna() & (found.people[name].astype(str) != "")
    return found.taken(known.to_numpy())


def _first_visits(found: Scans) -> Scans:
    order = sorted(range(len(found.keys)), key=lambda row: found.keys[row])
    first = np.zeros(len(found.keys), dtype=bool)
    seen: set[str] = set()
    for row in order:
        person = found.keys[row][0]
        first[row] = person not in seen
        seen.add(person)
    return found.taken(first)
