"""Which scans of a dataset make a norm, and which can be held against one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cognition import Leak
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError, RecipeMismatchError, did_you_mean
from tracerless.core.norm import Measured
from tracerless.core.people import Pseudonym, person_digest
from tracerless.workspace.cognition import read_scores
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.tables import COHORT_TABLE, read_cohort

ASYMMETRY = "AI_"
MIN_SHARE = 0.7
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
        asymmetries: left against right, percent, where regions were measured.
        limits: best possible score of a test.
        turned: tests of which more is worse.
        scanners: of each row; empty texts where unknown, nothing for cognition.
    """

    values: pd.DataFrame
    people: pd.DataFrame
    references: pd.DataFrame | None
    measured: Measured
    keys: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    asymmetries: pd.DataFrame | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    turned: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ()

    def taken(self, which: NDArray[np.bool_]) -> "Scans":
        """Some of the rows."""
        return Scans(
            self.values[which],
            self.people[which],
            None if self.references is None else self.references[which],
            self.measured,
            tuple(key for key, take in zip(self.keys, which, strict=True) if take),
            self.left_out,
            None if self.asymmetries is None else self.asymmetries[which],
            self.limits,
            self.turned,
            tuple(each for each, take in zip(self.scanners, which, strict=True) if take)
            if self.scanners
            else (),
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
    sides = [name for name in middle if name.startswith(ASYMMETRY)]
    names = [name for name in middle if name not in {*references, *sides}]
    people = mine["participant_id"].str.removeprefix("sub-")
    visits = mine["session_id"].str.removeprefix("ses-")
    return Scans(
        values=mine[names].dropna(axis=1, how="all"),
        people=_people(dataset, people),
        references=mine[references].rename(columns=lambda n: n.removeprefix(REFERENCE_PREFIX)),
        measured=measured,
        keys=tuple(zip(people, visits, strict=True)),
        left_out=left_out,
        asymmetries=mine[sides].dropna(axis=1, how="all"),
        scanners=_scanners(mine),
    )


def _scanners(rows: pd.DataFrame) -> tuple[str, ...]:
    if "scanner" not in rows:  # tables of an older version do not say
        return ("",) * len(rows)
    return tuple("" if pd.isna(each) else str(each) for each in rows["scanner"])


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
    """Scores that no diagnosis was made of, one row a person and visit, one column a version."""
    found = read_scores(dataset)
    tests = {test.code: test for test in found.tests if test.leak is not Leak.HIGH}
    table = _bound(found.table, [*tests])
    codes = [code for code in tests if code in table and table[code].notna().any()]
    rows = table[table[codes].notna().any(axis=1)] if codes else table.iloc[:0]
    if rows.empty:
        raise DatasetError(
            f"{dataset.root} holds no cognitive score.",
            hint="Give a phenotype table: `tracerless cognition import`.",
        )
    rows = rows.reset_index(drop=True)
    keys = tuple(zip(rows["person"].astype(str), rows["visit"].astype(str), strict=True))
    best = {
        code: tests[code].high if tests[code].better == "high" else tests[code].low
        for code in codes
    }
    return Scans(
        values=rows[codes].astype(np.float64),
        people=_people(dataset, rows["person"]),
        references=None,
        measured=Measured(COGNITION, "", "", "", "", training_domain(dataset)),
        keys=keys,
        left_out=tuple(dict.fromkeys(each.text for each in found.findings)),
        limits=best,
        turned=tuple(code for code in codes if tests[code].better == "low"),
    )


def _bound(table: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    """Scores that are bound to no visit go with the person's first one, where there is any."""
    codes = [code for code in codes if code in table]
    ordered = table.sort_values(["person", "visit"], kind="stable").reset_index(drop=True)
    loose, bound = ordered[ordered["visit"] == ""], ordered[ordered["visit"] != ""].copy()
    first = ~bound["person"].duplicated()
    beside = loose.set_index("person")[codes].reindex(bound.loc[first, "person"])
    beside.index = bound.index[first]
    bound.loc[first, codes] = bound.loc[first, codes].fillna(beside)
    alone = loose[~loose["person"].isin(bound["person"])]
    return pd.concat([bound, alone]).sort_values(["person", "visit"], kind="stable")


def _people(dataset: Dataset, people: Iterable[str]) -> pd.DataFrame:
    """Covariates and diagnosis by row; missing where the dataset does not know them."""
    table = read_cohort(dataset).table.reindex(list(people)).reset_index(drop=True)
    return table.reindex(columns=list(_PEOPLE))


def normal_people(found: Scans, covariates: Sequence[str]) -> Scans:
    """The first complete scan of everybody who is cognitively normal.

    Tests that fewer than `MIN_SHARE` of the normal people took are left out, and said to be.

    Raises:
        DatasetError: an unknown covariate.
    """
    normal = found.taken((found.people["diagnosis"] == Diagnosis.CN.value).to_numpy())
    if found.measured.contrast == COGNITION:
        normal = _common(normal)
    return _first_visits(_complete(normal, covariates))


def _common(found: Scans) -> Scans:
    """Without the tests that few took, so that the others keep their people."""
    taken = found.values.notna().groupby([person for person, _ in found.keys]).any()
    share = taken.mean(axis=0)
    rare = [str(name) for name in share.index[share < MIN_SHARE]]
    if not rare or len(rare) == len(share):
        return found
    said = f"Taken by fewer than {MIN_SHARE:.0%} of the normal people, so without a norm: "
    return replace(
        found,
        values=found.values.drop(columns=rare),
        left_out=(*found.left_out, said + ", ".join(rare) + "."),
    )


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
